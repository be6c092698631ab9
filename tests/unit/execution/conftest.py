"""A fake chain and a journal for the tests of the executor."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.journal.store import SqliteJournal
from tests.unit.execution.fake_chain import FakeChain


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    book = SqliteJournal(tmp_path / "j.sqlite")
    yield book
    book.close()
