"""Lists out of the journal, for people and programs: rows by block, time, vault and state, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, or_, select

from keeper.journal import schema
from keeper.journal.store import SqlJournal

_r, _d, _p, _v, _i, _a, _o = (
    table.c
    for table in (
        schema.readings,
        schema.decisions,
        schema.plans,
        schema.verdicts,
        schema.intents,
        schema.attempts,
        schema.outcomes,
    )
)
_PAGE = 500
_START_OF_HASH = re.compile("0x[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows; None is no bound. Blocks and times are those of the decision, both ends included."""

    from_block: int | None = None
    to_block: int | None = None
    since: int | None = None
    """Unix seconds, of the block."""
    until: int | None = None
    vault: str | None = None
    status: str | None = None
    limit: int = 50

    def bounds(self) -> list[ColumnElement[bool]]:
        """Conditions on the readings."""
        found: list[ColumnElement[bool]] = []
        if self.from_block is not None:
            found.append(_r.block_number >= self.from_block)
        if self.to_block is not None:
            found.append(_r.block_number <= self.to_block)
        if self.since is not None:
            found.append(_r.block_timestamp >= self.since)
        if self.until is not None:
            found.append(_r.block_timestamp <= self.until)
        if self.vault is not None:
            found.append(func.lower(_r.vault) == self.vault.lower())
        return found


def list_decisions(journal: SqlJournal, wanted: Filter) -> list[dict[str, Any]]:
    """What was decided, and how the tick ended."""
    newest = (
        select(func.max(_o.id)).where(_o.decision_id == _d.id).correlate(schema.decisions)
    ).scalar_subquery()
    statement = (
        select(
            _d.id, _r.block_timestamp, _r.block_number, _r.vault, _p.lane, _p.moves, _v.passed,
            _d.intent_id, _o.status, _o.reason,
        )
        .select_from(
            schema.decisions.join(schema.readings, _r.id == _d.readings_id)
            .join(schema.plans, _p.decision_id == _d.id)
            .join(schema.verdicts, _v.decision_id == _d.id)
            .outerjoin(schema.outcomes, _o.id == newest)
        )
        .order_by(_d.id.desc())
    )  # fmt: skip
    if wanted.status is not None:
        statement = statement.where(_o.status == wanted.status)
    return _rows(journal, statement, wanted)


def list_intents(journal: SqlJournal, wanted: Filter) -> list[dict[str, Any]]:
    """What was to be done, and how far it came."""
    statement = (
        select(
            _i.intent_id, _r.block_timestamp, _r.block_number, _r.vault, _i.lane, _i.kind, _i.state,
            _i.account, _i.fence, _i.tx_hash, _i.note,
        )
        .select_from(
            schema.intents.join(schema.decisions, _d.id == _i.decision_id).join(
                schema.readings, _r.id == _d.readings_id
            )
        )
        .order_by(_i.id.desc())
    )  # fmt: skip
    if wanted.status is not None:
        statement = statement.where(_i.state == wanted.status)
    return _rows(journal, statement, wanted)


def list_attempts(journal: SqlJournal, wanted: Filter) -> list[dict[str, Any]]:
    """What was signed, and what became of it; attempts without an intent only where nothing of it is asked."""
    statement = (
        select(
            _a.tx_hash, _r.block_timestamp, _a.intent_id, _a.account, _a.nonce, _a.status,
            _a.block_number, _a.gas_used, _a.gas_price_wei, _a.problem,
        )
        .select_from(
            schema.attempts.outerjoin(schema.intents, _i.intent_id == _a.intent_id)
            .outerjoin(schema.decisions, _d.id == _i.decision_id)
            .outerjoin(schema.readings, _r.id == _d.readings_id)
        )
        .order_by(_a.id.desc())
    )  # fmt: skip
    if wanted.status is not None:
        statement = statement.where(_a.status == wanted.status)
    return _rows(journal, statement, wanted)


def _rows(journal: SqlJournal, statement: Select[Any], wanted: Filter) -> list[dict[str, Any]]:
    with journal.database.reading() as db:
        found = db.execute(statement.where(*wanted.bounds()).limit(wanted.limit))
        return [dict(row._mapping) for row in found]


def decision_ids(journal: SqlJournal, wanted: Filter) -> list[int]:
    """Ids of decisions, oldest first, without bound on their number."""
    statement = (
        select(_d.id)
        .select_from(schema.decisions.join(schema.readings, _r.id == _d.readings_id))
        .where(*wanted.bounds())
        .order_by(_d.id)
    )
    with journal.database.reading() as db:
        return [int(number) for (number,) in db.execute(statement)]


def whole_decision(journal: SqlJournal, number: int) -> Any:
    """Every column of a decision with what belongs to it, or None."""
    c = schema.contexts.c
    statement = (
        select(
            _d.id, _d.account, _d.fence, _d.recorded_ms, _d.answers, _d.intent_id, _d.risk,
            _d.target, _r.market, _r.block_number, _r.block_hash, _r.block_timestamp, _r.vault,
            _p.plan, _v.verdict, _i.intent, _d.context_id, c.software, c.strategy, c.parameters,
            c.policies, c.rules,
        )
        .select_from(
            schema.decisions.join(schema.readings, _r.id == _d.readings_id)
            .join(schema.plans, _p.decision_id == _d.id)
            .join(schema.verdicts, _v.decision_id == _d.id)
            .outerjoin(schema.intents, _i.intent_id == _d.intent_id)
            .outerjoin(schema.contexts, c.id == _d.context_id)
        )
        .where(_d.id == number)
    )  # fmt: skip
    with journal.database.reading() as db:
        return db.execute(statement).one_or_none()


def last_outcome(journal: SqlJournal, number: int) -> Any:
    """How the tick of a decision ended, or None."""
    statement = (
        select(schema.outcomes).where(_o.decision_id == number).order_by(_o.id.desc()).limit(1)
    )
    with journal.database.reading() as db:
        return db.execute(statement).one_or_none()


def find_decisions(journal: SqlJournal, name: str) -> list[int]:
    """Decisions meant by a number, an intent's id, or a transaction's hash; the last two may be cut short."""
    if name.isascii() and name.isdecimal():
        by = _d.id == int(name)
    else:
        start = name.lower()
        if not _START_OF_HASH.fullmatch(start):
            return []
        of_attempt = select(_a.intent_id).where(func.lower(_a.tx_hash).startswith(start))
        by = or_(func.lower(_d.intent_id).startswith(start), _d.intent_id.in_(of_attempt))
    with journal.database.reading() as db:
        found = db.execute(select(_d.id).where(by).order_by(_d.id.desc()).limit(3))
        return [int(number) for (number,) in found]


def attempt_rows(journal: SqlJournal, intent_id: str) -> list[Any]:
    """Every attempt of an intent as its row, oldest first."""
    statement = select(schema.attempts).where(_a.intent_id == intent_id).order_by(_a.id)
    with journal.database.reading() as db:
        return list(db.execute(statement))


def pages(journal: SqlJournal, table: Table, size: int = _PAGE) -> Iterator[list[Any]]:
    """Every row of a table by its key, a page at a time: memory does not grow with the journal."""
    (key,) = table.primary_key.columns
    last: Any = None
    while True:
        statement = select(table).order_by(key).limit(size)
        if last is not None:
            statement = statement.where(key > last)
        with journal.database.reading() as db:
            page = list(db.execute(statement))
        if not page:
            return
        yield page
        last = getattr(page[-1], key.name)
