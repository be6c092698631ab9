"""Forgetting what is old. What led to an intent that is open, or that moved money, stays unless asked for."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, Table, delete, exists, func, select
from sqlalchemy.engine import Connection

from keeper.journal import schema
from keeper.journal.database import Database
from keeper.model.intent_state import ENDS
from keeper.model.outcome import AttemptStatus

KEEP_HELD = 20_000
"""Newest ticks without an intent that the keeper itself leaves."""
_BATCH = 500
"""Decisions forgotten in one transaction: a keeper that writes meanwhile waits no longer than that."""

_d, _r, _i, _a, _o = (
    t.c
    for t in (
        schema.decisions,
        schema.readings,
        schema.intents,
        schema.attempts,
        schema.outcomes,
    )
)


def prune_held(db: Connection, keep: int) -> None:
    """Forget ticks on which nothing was decided to be sent, except the newest ones."""
    newest = select(func.coalesce(func.max(_d.id), 0)).scalar_subquery()
    forget_decisions(db, select(_d.id).where(_d.intent_id.is_(None), _d.id <= newest - keep))
    last = select(func.coalesce(func.max(_o.id), 0)).scalar_subquery()
    db.execute(delete(schema.outcomes).where(_o.intent_id.is_(None), _o.id <= last - keep))


def forget_decisions(db: Connection, old: Select[int]) -> None:
    """Delete decisions by id, and what hangs on them."""
    for table in (schema.plans, schema.verdicts, schema.refusals):
        db.execute(delete(table).where(table.c.decision_id.in_(old)))
    rows = select(_d.readings_id).where(_d.id.in_(old))
    db.execute(delete(schema.readings).where(_r.id.in_(rows)))
    db.execute(delete(schema.decisions).where(_d.id.in_(old)))


def prunable(before: int, *, everything: bool) -> Select[int]:
    """Ids of decisions on blocks before a time (unix seconds) that may be forgotten.

    Never one whose intent is open or has an attempt nobody knows the end of, nor the newest intent (it is the counter
    of the next). One with any attempt only if `everything` is asked for: it may have moved money.
    """
    ended = _i.state.in_([end.value for end in ENDS])
    signed = exists().where(_a.intent_id == _i.intent_id)
    loose = exists().where(_a.intent_id == _i.intent_id, _a.status.in_(_LOOSE))
    newest = select(func.max(_i.id)).scalar_subquery()
    over: list[ColumnElement[bool]] = [ended, _i.id != newest, ~loose if everything else ~signed]
    return (
        select(_d.id)
        .select_from(
            schema.decisions.join(schema.readings, _r.id == _d.readings_id).outerjoin(
                schema.intents, _i.intent_id == _d.intent_id
            )
        )
        .where(_r.block_timestamp < before)
        .where(_d.intent_id.is_(None) | (_i.intent_id.is_not(None) & _all(over)))
        .order_by(_d.id)
    )


_LOOSE = (AttemptStatus.SIGNED.value, AttemptStatus.SENT.value)


def _all(conditions: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *rest = conditions
    for condition in rest:
        first = first & condition
    return first


def prune(database: Database, before: int, *, everything: bool, apply: bool) -> dict[str, int]:
    """Rows by table that are (to be) forgotten; nothing is changed unless `apply`."""
    counts: dict[str, int] = {}
    with database.reading() as db:
        ids = [row[0] for row in db.execute(prunable(before, everything=everything))]
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        scope = database.writing() if apply else database.reading()
        with scope as db:
            for table, condition in _hanging(batch):
                _count(db, counts, table, condition, apply=apply)
    # ticks that ended before they decided anything
    idle = _o.decision_id.is_(None) & _o.intent_id.is_(None) & (_o.recorded_ms < before * 1000)
    with database.writing() if apply else database.reading() as db:
        _count(db, counts, schema.outcomes, idle, apply=apply)
    return counts


def _count(
    db: Connection,
    counts: dict[str, int],
    table: Table,
    condition: ColumnElement[bool],
    *,
    apply: bool,
) -> None:
    found = db.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
    counts[table.name] = counts.get(table.name, 0) + int(found)
    if apply and found:
        db.execute(delete(table).where(condition))


def _hanging(batch: list[int]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Everything that belongs to decisions, in an order in which each can still be found."""
    intents = select(_i.intent_id).where(_i.decision_id.in_(batch))
    for table in (schema.costs, schema.attempts, schema.intent_states):
        yield table, table.c.intent_id.in_(intents)
    yield schema.outcomes, _o.decision_id.in_(batch) | _o.intent_id.in_(intents)
    yield schema.intents, _i.decision_id.in_(batch)
    for table in (schema.plans, schema.verdicts, schema.refusals):
        yield table, table.c.decision_id.in_(batch)
    rows = select(_d.readings_id).where(_d.id.in_(batch))
    yield schema.readings, _r.id.in_(rows)
    yield schema.decisions, _d.id.in_(batch)
