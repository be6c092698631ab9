"""What a report is made of: the state of a vault every so often, and what was done to it at what cost."""

from collections.abc import Iterator

from sqlalchemy import exists, func, select

from keeper.journal import schema
from keeper.journal.codec import CodecError, decode
from keeper.journal.query import Filter
from keeper.journal.store import SqlJournal
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus
from keeper.model.past import Done, Seen

_r, _d, _p, _i, _a = (
    table.c
    for table in (
        schema.readings,
        schema.decisions,
        schema.plans,
        schema.intents,
        schema.attempts,
    )
)
_IN_A_BLOCK = (IntentState.INCLUDED.value, IntentState.CONFIRMED.value, IntentState.FINALISED.value)


def vaults(journal: SqlJournal) -> tuple[str, ...]:
    """Addresses of the vaults that anything was decided for, each once."""
    statement = select(func.lower(_r.vault)).distinct().order_by(func.lower(_r.vault))
    with journal.database.reading() as db:
        return tuple(str(vault) for (vault,) in db.execute(statement))


def samples(journal: SqlJournal, wanted: Filter, step_s: int) -> Iterator[Seen]:
    """The last decision of each `step_s` seconds of chain time, oldest first."""
    newest = (
        select(func.max(_d.id))
        .select_from(schema.decisions.join(schema.readings, _r.id == _d.readings_id))
        .where(*wanted.bounds())
        .group_by(_r.block_timestamp // step_s)
        .order_by(func.max(_d.id))
    )
    with journal.database.reading() as db:
        numbers = [int(number) for (number,) in db.execute(newest)]
    for number in numbers:
        statement = (
            select(_r.market, _d.risk)
            .select_from(schema.decisions.join(schema.readings, _r.id == _d.readings_id))
            .where(_d.id == number)
        )
        with journal.database.reading() as db:
            row = db.execute(statement).one()
        try:
            yield Seen(decode(row.market), decode(row.risk))
        except CodecError as error:
            problem = f"is corrupt: decision {number} {error}"
            raise journal.database.refuse(problem) from error


def done(journal: SqlJournal, wanted: Filter) -> Iterator[Done]:
    """Intents whose transaction is in a block, oldest first."""
    mined = exists().where(_a.intent_id == _i.intent_id, _a.status == AttemptStatus.MINED.value)
    statement = (
        select(_i.intent_id, _r.market, _p.plan, mined.label("effect"))
        .select_from(
            schema.intents.join(schema.decisions, _d.id == _i.decision_id)
            .join(schema.readings, _r.id == _d.readings_id)
            .join(schema.plans, _p.decision_id == _d.id)
        )
        .where(_i.state.in_(_IN_A_BLOCK), *wanted.bounds())
        .order_by(_i.id)
    )
    with journal.database.reading() as db:
        rows = list(db.execute(statement))
    for row in rows:
        costs = journal.costs(row.intent_id)
        losses = [cost.amount for cost in costs if cost.kind == "loss"]
        try:
            yield Done(
                decode(row.market),
                decode(row.plan),
                bool(row.effect),
                sum(cost.amount for cost in costs if cost.unit == "wei"),
                sum(losses) if losses else None,
            )
        except CodecError as error:
            problem = f"is corrupt: intent {row.intent_id} {error}"
            raise journal.database.refuse(problem) from error
