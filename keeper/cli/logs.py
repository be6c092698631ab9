"""Structured logs on standard error, with every known secret blotted out."""

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal

from keeper.chain.urls import secret_parts
from keeper.config.settings import Settings
from keeper.journal.source import url_secrets

_MASK = "***"
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SHORTEST_SECRET = 4


class Redactor:
    """Blots out secrets by value, wherever they turn up (K-09). Also a structlog processor."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Know one more; keys are known with and without 0x."""
        for form in (secret.strip(), secret.strip().removeprefix("0x")):
            if len(form) >= _SHORTEST_SECRET:
                self._secrets.add(form)

    def text(self, value: str) -> str:
        """The text without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            value = value.replace(secret, _MASK)
        return value

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


def secrets_of(settings: Settings, environment: Mapping[str, str]) -> set[str]:
    """What must never be shown: key, password, and the secret parts of endpoint addresses."""
    found = {
        environment[name]
        for key in (settings.key, settings.protective_key)
        for name in (key.password_env, key.private_key_env)
        if environment.get(name)
    }
    relay_key = environment.get(settings.relay.authentication_key_env)
    found |= {relay_key} if relay_key else set()
    for key in (settings.key, settings.protective_key):
        password_file = key.password_file
        if password_file is None or not password_file.is_file():
            continue
        found.update(password_file.read_text(encoding="utf-8", errors="replace").splitlines()[:1])
    for url in settings.addresses():
        found |= secret_parts(url)
    if settings.journal.url is not None:
        found |= url_secrets(settings.journal.url.get_secret_value())
    return found


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
