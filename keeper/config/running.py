"""Settings of how the keeper runs: where it reads, its pace, its record, its switches, its log."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from keeper.config.fields import EndpointUrl, LoopbackAddress, Section, WebsocketUrl, setting


class EndpointSettings(Section):
    """One `[[endpoints]]` entry. With several, what is decided on is agreed by `agreement.k` of them."""

    url: EndpointUrl = setting(..., "address", unit="http(s), ws(s) URL or path")
    name: str = setting("", "for logs; by default scheme, host and port", max_length=64)
    ws_url: WebsocketUrl | None = setting(
        None, "where it announces heads, if not at url itself", unit="ws(s) URL"
    )
    role: Literal["read", "write", "both"] = setting("both", "used for reading, sending, or both")
    weight: float = setting(
        1.0, "of equally good ones that of the greatest weight is asked", gt=0, le=1_000
    )
    requests_per_second: float | None = setting(
        None, "budget; a batch counts each call", unit="1/s", gt=0
    )
    requests_per_day: float | None = setting(
        None, "budget; a batch counts each call", unit="1/d", gt=0
    )


class AgreementSettings(Section):
    """When endpoints agree (K-02, K-08)."""

    k: int | None = setting(
        None, "endpoints that must give the same answer; by default the majority", ge=1
    )
    reorganisation_depth: int = setting(
        64, "a reorganisation deeper than this stops the keeper", unit="blocks", ge=1, le=1_024
    )


class TickSettings(Section):
    """The pace of the loop."""

    poll_interval_s: float = setting(
        2.0, "shortest time between two requests for the head", unit="s", ge=0.05, le=60
    )
    deadline_s: int = setting(120, "life of an intent after its block", unit="s", ge=12, le=3_600)
    max_head_age_s: int = setting(180, "an older head is not decided on", unit="s", ge=12)
    max_head_ahead_s: int = setting(
        60, "nor one further ahead of the clock (simulated chains need more)", unit="s", ge=1
    )
    cooldown_blocks: int = setting(
        2, "pause of routine plans after a failed simulation", unit="blocks", ge=0, le=300
    )
    max_reverts: int = setting(
        3, "mined reverts in a row that open the breaker", unit="count", ge=1
    )
    breaker_blocks: int = setting(
        100, "pause of routine plans while the breaker is open", unit="blocks", ge=1
    )
    stop_patience_s: float = setting(
        30.0, "how long a stop waits for what is in flight", unit="s", ge=0, le=600
    )


def _database(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    from keeper.journal.source import database_url

    database_url(value.get_secret_value())
    return value


class JournalSettings(Section):
    """The durable record."""

    path: Path = setting(
        Path("keeper-journal.sqlite"), "SQLite file; relative to the settings file", unit="path"
    )
    url: Annotated[SecretStr | None, AfterValidator(_database)] = setting(
        None,
        "PostgreSQL database in place of the file; its password is better left to ~/.pgpass",
        unit="postgresql URL",
    )


class LeadershipSettings(Section):
    """Which of two keepers of one vault acts."""

    mode: Literal["alone", "lease", "postgres"] = setting(
        "alone", "alone; or a second keeper stands by, agreed on by a file or by PostgreSQL"
    )
    lease: Path = setting(
        Path("keeper-lease.json"), "file both keepers reach; relative to the settings file"
    )
    url: Annotated[SecretStr | None, AfterValidator(_database)] = setting(
        None, "database of the lock; journal.url without it", unit="postgresql URL"
    )
    ttl_s: float = setting(
        4.0, "life of leadership without renewal; a standby waits 1.25 of it", unit="s", ge=1, le=6
    )


class OpsSettings(Section):
    """Switches, requests, and what is shown to machines."""

    control: Path = setting(
        Path("keeper-control"),
        "directory of kill switch, pauses and requests; relative to the settings file",
    )
    listen: LoopbackAddress | None = setting(
        None, "address of /live, /ready and /metrics; none without it", unit="127.0.0.1:port"
    )
    ready_head_age_s: int = setting(
        180, "not ready when the newest decided head is older", unit="s", ge=12, le=86_400
    )


class LogSettings(Section):
    """Log on standard error."""

    format: Literal["console", "json"] = setting("console", "for people or for machines")
    level: Literal["debug", "info", "warning", "error"] = setting("info", "least severity shown")
