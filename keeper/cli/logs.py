"""Structured logs on standard error, with every known secret blotted out."""

import base64
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

from keeper.chain.urls import secret_parts
from keeper.config.settings import KeySettings, Settings
from keeper.config.variables import Environment
from keeper.journal.source import url_secrets

_MASK = "***"
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SHORTEST_SECRET = 4
_KEY = re.compile(r"[0-9a-fA-F]{64}")


class Redactor:
    """Blots out secrets by value, wherever they turn up (K-09). Also a structlog processor."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern = re.compile(r"(?!)")
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Know one more; a key is known in every form in which it may turn up."""
        for form in (secret.strip(), secret.strip().removeprefix("0x"), *_forms_of_key(secret)):
            if len(form) >= _SHORTEST_SECRET:
                self._secrets.add(form)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        # hexadecimal digits are one secret in capitals and in small letters
        self._pattern = re.compile(
            "|".join(f"(?i:{s})" if _KEY.fullmatch(s) else re.escape(s) for s in longest_first)
            or r"(?!)"
        )

    def text(self, value: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(_MASK, value)

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Every value of a log event, however deep."""
        return {name: self._any(value) for name, value in event.items()}

    def _any(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._any(k): self._any(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set):
            return [self._any(item) for item in value]
        if isinstance(value, bool | int | float) or value is None:
            return value
        return self.text(value if isinstance(value, str) else str(value))


def _forms_of_key(secret: str) -> tuple[str, ...]:
    """Of 32 bytes in hexadecimal: base64, decimal, and as Python shows bytes."""
    digits = secret.strip().removeprefix("0x")
    if not _KEY.fullmatch(digits):
        return ()
    raw = bytes.fromhex(digits)
    encoded = (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
    return (*encoded, str(int(digits, 16)), repr(raw)[2:-1], str(list(raw))[1:-1])


def secrets_of(settings: Settings, environment: Mapping[str, str]) -> set[str]:
    """What must never be shown: keys, passwords, and the secret parts of every address in the settings."""
    found: set[str] = set()
    fields = [pair for section in _sections(settings) for pair in section.__dict__.items()]
    for field, name in fields:
        if field.endswith("_env") and isinstance(name, str):
            found.add(environment.get(name) or "")
            if Environment(environment).shown(name) != name:
                found.add(name)  # a password where its variable's name should stand
    for key in (section for section in _sections(settings) if isinstance(section, KeySettings)):
        if key.password_file and key.password_file.is_file():
            text = key.password_file.read_text(encoding="utf-8", errors="replace")
            found.update(text.splitlines()[:1])
    others = [value for _, value in fields]
    for value in others:
        if isinstance(value, SecretStr):
            found |= url_secrets(value.get_secret_value())
    addresses = {*settings.addresses(), *(v for v in others if isinstance(v, str) and "://" in v)}
    for address in addresses:
        found |= secret_parts(address)
    return found - {""}


def _sections(model: BaseModel) -> Iterator[BaseModel]:
    """The settings and every table within, lists of tables included."""
    yield model
    for value in model.__dict__.values():
        for inner in value if isinstance(value, list | tuple) else (value,):
            if isinstance(inner, BaseModel):
                yield from _sections(inner)


def configure(format_: Literal["console", "json"], level: str, redactor: Redactor) -> None:
    """Route structlog to standard error."""
    import structlog

    renderer: Any = structlog.processors.JSONRenderer()
    if format_ == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redactor,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        # looked up at each line: whoever runs a command may have put another stream in its place
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger().addHandler(logging.NullHandler())
