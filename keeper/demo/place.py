"""Where a run on the local mainnet finds the protocols, and where its keeper's log goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog


def checkout() -> Path:
    """The checkout: where the commands are run, or where this code stands."""
    here = Path.cwd()
    return here if (here / "node_modules").is_dir() else Path(__file__).resolve().parents[2]


@contextmanager
def log_to(file: Path) -> Iterator[None]:
    """The keeper's log goes to a file: the terminal is for what is shown."""
    before = structlog.get_config()
    with file.open("w", encoding="utf-8") as handle:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            ],
            logger_factory=structlog.WriteLoggerFactory(file=handle),
            cache_logger_on_first_use=False,
        )
        try:
            yield
        finally:
            structlog.configure(**before)
            handle.flush()
            os.fsync(handle.fileno())
