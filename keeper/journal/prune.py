"""Forgetting what is old. What led to an intent that is open, or that moved money, stays unless asked for."""

from sqlalchemy import Select, delete, func, select
from sqlalchemy.engine import Connection

from keeper.journal import schema

KEEP_HELD = 20_000
"""Newest ticks without an intent that the keeper itself leaves."""

_d = schema.decisions.c


def prune_held(db: Connection, keep: int) -> None:
    """Forget ticks on which nothing was decided to be sent, except the newest ones."""
    newest = select(func.coalesce(func.max(_d.id), 0)).scalar_subquery()
    old = select(_d.id).where(_d.intent_id.is_(None), _d.id <= newest - keep)
    forget_decisions(db, old)
    outcomes = schema.outcomes.c
    last = select(func.coalesce(func.max(outcomes.id), 0)).scalar_subquery()
    db.execute(
        delete(schema.outcomes).where(outcomes.intent_id.is_(None), outcomes.id <= last - keep)
    )


def forget_decisions(db: Connection, old: Select[tuple[int]]) -> None:
    """Delete decisions by id, and what hangs on them."""
    for table in (schema.plans, schema.verdicts, schema.refusals):
        db.execute(delete(table).where(table.c.decision_id.in_(old)))
    rows = select(_d.readings_id).where(_d.id.in_(old))
    db.execute(delete(schema.readings).where(schema.readings.c.id.in_(rows)))
    db.execute(delete(schema.decisions).where(_d.id.in_(old)))
