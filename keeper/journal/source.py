"""Where a journal is: a file of SQLite, or a database of PostgreSQL; and how it is called without its password."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.errors import JournalError

_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_DRIVER = "postgresql+psycopg"
_SECRET_QUERY = frozenset({"password", "sslpassword", "passfile", "sslkey"})


def is_url(source: str | Path) -> bool:
    """True for the address of a database server, False for the path of a file."""
    return isinstance(source, str) and "://" in source


def database_url(url: str) -> Any:
    """The address of a PostgreSQL database as sqlalchemy.URL. ValueError says what is wrong, without quoting it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if not url.startswith(_POSTGRES):
        raise ValueError("must start with postgresql://")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("must be postgresql://user@host:port/database") from None
    if not parsed.database:
        raise ValueError("must name a database: postgresql://user@host:port/database")
    return parsed.set(drivername=_DRIVER)


def shown_url(url: str) -> str:
    """The address without user, password and options: what may be logged (K-09)."""
    try:
        parsed = database_url(url)
    except ValueError:
        return "postgresql://?"
    host = parsed.host or parsed.query.get("host", "")
    port = f":{parsed.port}" if parsed.port else ""
    return f"postgresql://{host if isinstance(host, str) else host[0]}{port}/{parsed.database}"


def url_secrets(url: str) -> set[str]:
    """Everything in an address that must never be shown, as written and as meant."""
    from urllib.parse import unquote

    rest = url.partition("://")[2]
    credentials, found, _ = rest.rpartition("@")
    secrets = {credentials.partition(":")[2]} if found else set()
    for pair in rest.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name.lower() in _SECRET_QUERY:
            secrets.add(value)
    return {form for secret in secrets if secret for form in (secret, unquote(secret))}


@dataclass(frozen=True, slots=True)
class Source:
    """One journal: a path, or the address of a database."""

    path: Path | None
    url: str | None

    @classmethod
    def of(cls, source: str | Path) -> "Source":
        """JournalError for an address that is none."""
        if not is_url(source):
            return cls(Path(source), None)
        try:
            database_url(str(source))
        except ValueError as error:
            raise JournalError("journal.url", str(error)) from None
        return cls(None, str(source))

    @property
    def shown(self) -> str:
        """For people."""
        return str(self.path) if self.path is not None else shown_url(self.url or "")
