"""Every claim about the journal holds on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keeper.journal.store import SqlJournal, open_journal
from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where a journal of a test is: a file, or a schema of its own."""
    if request.param == "sqlite":
        return tmp_path / "deep" / "journal.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url()


@pytest.fixture
def opened(place: str | Path) -> Iterator[Callable[[], SqlJournal]]:
    """Opens the journal anew; whatever is left open is closed at the end."""
    every: list[SqlJournal] = []

    def again() -> SqlJournal:
        for journal in every:
            journal.close()
        every.append(open_journal(place))
        return every[-1]

    yield again
    for journal in every:
        journal.close()


@pytest.fixture
def journal(opened: Callable[[], SqlJournal]) -> SqlJournal:
    """An open journal."""
    return opened()
