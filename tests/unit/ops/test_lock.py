"""Leadership by PostgreSQL: ended connections, hung holders and late beats (K-10)."""

import pytest

from keeper.errors import ControlError
from keeper.journal.store import SqlJournal
from keeper.ops.lock import PostgresLock
from tests.postgres import PostgresServer

TTL = 4.0
OLD = "UPDATE {0}.keeper_leadership SET beat_at = beat_at - interval '1 hour'"


@pytest.fixture
def schema(postgres: PostgresServer) -> str:
    return postgres.url().rpartition("%3D")[2]


def lock(postgres: PostgresServer, schema: str, scope: str = "1:0xaa") -> PostgresLock:
    return PostgresLock(postgres.url(schema), scope, TTL)


def ended(postgres: PostgresServer) -> None:
    """Every connection of leadership, as by a crash of its process."""
    postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'gimbal-leadership'"
    )


def test_one_leads_a_scope_and_others_lead_other_scopes(
    postgres: PostgresServer, schema: str
) -> None:
    a, b, c = lock(postgres, schema), lock(postgres, schema), lock(postgres, schema, "1:0xbb")
    assert a.hold("a")
    assert not b.hold("b")
    assert c.hold("c")
    assert a.hold("a")
    for held, name in ((a, "a"), (b, "b"), (c, "c")):
        held.release(name)


def test_who_resigns_is_followed_at_once(postgres: PostgresServer, schema: str) -> None:
    a, b = lock(postgres, schema), lock(postgres, schema)
    assert a.hold("a")
    assert not b.hold("b")
    a.release("a")
    assert b.hold("b")
    b.release("b")


def test_a_lock_that_became_free_is_led_only_when_the_last_beat_is_old(
    postgres: PostgresServer, schema: str
) -> None:
    """The server ends a connection at once; the leader behind it believes in itself a little longer."""
    a, b = lock(postgres, schema), lock(postgres, schema)
    assert a.hold("a")
    ended(postgres)
    assert not b.hold("b")
    postgres.sql(OLD.format(schema))
    assert b.hold("b")
    with pytest.raises(ControlError, match="does not answer"):
        a.hold("a")
    assert not a.hold("a")
    a.release("a")
    b.release("b")


def test_a_leader_whose_connection_was_cut_goes_on_if_nobody_took_it(
    postgres: PostgresServer, schema: str
) -> None:
    a = lock(postgres, schema)
    assert a.hold("a")
    ended(postgres)
    with pytest.raises(ControlError):
        a.hold("a")
    assert a.hold("a")
    a.release("a")


def test_a_holder_that_hangs_loses_its_connection_to_who_stands_by(
    postgres: PostgresServer, schema: str
) -> None:
    a, b = lock(postgres, schema), lock(postgres, schema)
    assert a.hold("a")
    postgres.sql(OLD.format(schema))
    assert not b.hold("b")  # seen once: it may have got the lock this moment
    assert not b.hold("b")  # seen twice: ended
    assert b.hold("b")
    with pytest.raises(ControlError):
        a.hold("a")
    assert not a.hold("a")
    a.release("a")
    b.release("b")


def test_a_database_that_is_not_there_is_told_without_its_password() -> None:
    nowhere = PostgresLock("postgresql://me:SECRET99@127.0.0.1:1/x", "1:0xaa", TTL)
    with pytest.raises(ControlError, match="does not answer") as caught:
        nowhere.hold("a")
    assert "SECRET99" not in str(caught.value)


def test_who_takes_over_ends_the_session_that_still_has_the_journal(
    postgres: PostgresServer, schema: str
) -> None:
    """A host that lost power: the server keeps its sessions for hours."""
    a, b = lock(postgres, schema), lock(postgres, schema)
    assert a.hold("a")
    with SqlJournal(postgres.url(schema)) as journal:
        assert a.hold("a")
        assert journal.last_fence() == 0  # who leads ends nobody
        ended(postgres)
        postgres.sql(OLD.format(schema))
        assert b.hold("b")
        with SqlJournal(postgres.url(schema)) as ours:
            assert ours.next_fence("b") == 1
    a.release("a")
    b.release("b")
