"""Is the journal whole? Every row is read, understood, and compared with what it belongs to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak
from sqlalchemy import Table, select, text

from keeper.journal import schema
from keeper.journal.codec import CodecError, decode, decode_loose, encode, encode_loose
from keeper.journal.intents import may_follow
from keeper.journal.query import pages
from keeper.journal.store import SqlJournal
from keeper.model.attempt import Attempt
from keeper.model.decision import Intent, Plan, Target, Verdict
from keeper.model.intent_state import IntentState
from keeper.model.market import MarketState
from keeper.model.outcome import AttemptStatus, TickStatus
from keeper.model.policy import Policies
from keeper.model.risk import RiskReport


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in one row."""

    table: str
    row: str
    problem: str


@dataclass(slots=True)
class Checked:
    """How much was looked at."""

    rows: int = 0


def verify(journal: SqlJournal, checked: Checked | None = None) -> Iterator[Fault]:
    """Every fault found, as it is found; a page of rows in memory at a time."""
    checked = checked or Checked()
    yield from _file(journal)
    for table, check in _CHECKS:
        for page in pages(journal, table):
            checked.rows += len(page)
            for row in page:
                for problem in check(row):
                    yield Fault(table.name, _name(table, row), problem)
    yield from _orphans(journal)
    yield from _histories(journal)


def _file(journal: SqlJournal) -> Iterator[Fault]:
    if journal.database.dialect != "sqlite":
        return
    with journal.database.reading() as db:
        found = [str(row[0]) for row in db.execute(text("PRAGMA quick_check(20)"))]
    for line in found:
        if line != "ok":
            yield Fault("file", journal.shown, line)


def _name(table: Table, row: Any) -> str:
    for column in ("tx_hash", "intent_id"):
        if table in (schema.attempts, schema.intents) and getattr(row, column, None):
            return str(getattr(row, column))
    return str(row[0])


def _decoded(value: str, kind: type) -> tuple[Any, list[str]]:
    """A value and what is wrong with its text."""
    try:
        found = decode(value)
    except CodecError as error:
        return None, [str(error)]
    if not isinstance(found, kind):
        return None, [f"holds a {type(found).__name__} in place of a {kind.__name__}"]
    again = encode(found)
    if again != value and not _only_later_fields(json.loads(value), json.loads(again)):
        return found, [f"{kind.__name__} does not encode to the same bytes"]
    return found, []


def _only_later_fields(old: Any, new: Any) -> bool:
    """True if the only difference is fields that an older keeper did not have."""
    return bool(old != new) and _adds_defaults(old, new)


def _adds_defaults(old: Any, new: Any) -> bool:
    """True if `new` is `old` with fields that came later, and nothing else."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() <= new.keys() and all(_adds_defaults(old[k], new[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_adds_defaults, old, new))
    return type(old) is type(new) and bool(old == new)


def _differs(row: Any, **expected: Any) -> Iterator[str]:
    for column, value in expected.items():
        found = getattr(row, column)
        if found != value:
            yield f"{column} is {found}, the value it was made from says {value}"


def _readings(row: Any) -> Iterator[str]:
    market, problems = _decoded(row.market, MarketState)
    yield from problems
    if market is not None:
        seen = market.readings
        yield from _differs(
            row,
            chain_id=seen.chain_id,
            vault=seen.vault,
            block_number=seen.block.number,
            block_hash=seen.block.hash,
            block_timestamp=seen.block.timestamp,
        )


def _decision(row: Any) -> Iterator[str]:
    yield from _decoded(row.risk, RiskReport)[1]
    yield from _decoded(row.target, Target)[1]
    if row.answers is not None:
        yield from _loose(row.answers)


def _loose(value: str) -> list[str]:
    try:
        found = decode_loose(value)
    except CodecError as error:
        return [str(error)]
    try:
        same = encode_loose(found) == value
    except CodecError as error:
        return [str(error)]
    return [] if same or "$" in value else ["does not encode to the same bytes"]


def _context(row: Any) -> Iterator[str]:
    yield from _decoded(row.policies, Policies)[1]
    yield from _loose(row.parameters)
    yield from _loose(row.rules)


def _plan(row: Any) -> Iterator[str]:
    plan, problems = _decoded(row.plan, Plan)
    yield from problems
    if plan is not None:
        yield from _differs(row, lane=plan.lane.value, moves=len(plan.moves))


def _verdict(row: Any) -> Iterator[str]:
    verdict, problems = _decoded(row.verdict, Verdict)
    yield from problems
    if verdict is not None:
        yield from _differs(row, passed=int(verdict.passed))


def _intent(row: Any) -> Iterator[str]:
    yield from _known(IntentState, row.state)
    intent, problems = _decoded(row.intent, Intent)
    yield from problems
    if intent is not None:
        yield from _differs(
            row, intent_id=intent.id, lane=intent.lane.value, deadline=intent.deadline
        )


def _attempt(row: Any) -> Iterator[str]:
    yield from _known(AttemptStatus, row.status)
    attempt, problems = _decoded(row.attempt, Attempt)
    yield from problems
    if attempt is None:
        return
    yield from _differs(
        row,
        tx_hash=attempt.tx_hash,
        intent_id=attempt.intent_id,
        chain_id=attempt.chain_id,
        account=attempt.account,
        nonce=attempt.nonce,
    )
    try:
        digest = "0x" + keccak(bytes.fromhex(attempt.raw.removeprefix("0x"))).hex()
    except ValueError:
        yield "raw transaction is no hexadecimal"
        return
    if digest != row.tx_hash:
        yield f"raw transaction has hash {digest}"


def _outcome(row: Any) -> Iterator[str]:
    yield from _known(TickStatus, row.status)


def _known(kind: type, value: str) -> Iterator[str]:
    try:
        kind(value)
    except ValueError as error:
        yield str(error)


_CHECKS: tuple[tuple[Table, Callable[[Any], Iterator[str]]], ...] = (
    (schema.contexts, _context),
    (schema.readings, _readings),
    (schema.decisions, _decision),
    (schema.plans, _plan),
    (schema.verdicts, _verdict),
    (schema.intents, _intent),
    (schema.attempts, _attempt),
    (schema.outcomes, _outcome),
)

_BELONGS: tuple[tuple[Table, str, Table, str], ...] = (
    (schema.attempts, "intent_id", schema.intents, "intent_id"),
    (schema.costs, "tx_hash", schema.attempts, "tx_hash"),
    (schema.intent_states, "intent_id", schema.intents, "intent_id"),
    (schema.intents, "decision_id", schema.decisions, "id"),
    (schema.decisions, "intent_id", schema.intents, "intent_id"),
    (schema.decisions, "readings_id", schema.readings, "id"),
    (schema.decisions, "context_id", schema.contexts, "id"),
    (schema.decisions, "id", schema.plans, "decision_id"),
    (schema.decisions, "id", schema.verdicts, "decision_id"),
    (schema.plans, "decision_id", schema.decisions, "id"),
    (schema.verdicts, "decision_id", schema.decisions, "id"),
    (schema.refusals, "decision_id", schema.decisions, "id"),
)


def _orphans(journal: SqlJournal) -> Iterator[Fault]:
    for table, column, owner, key in _BELONGS:
        mine, theirs = table.c[column], owner.c[key]
        statement = (
            select(table)
            .select_from(table.outerjoin(owner, theirs == mine))
            .where(mine.is_not(None), theirs.is_(None))
            .limit(1_000)
        )
        with journal.database.reading() as db:
            found = list(db.execute(statement))
        for row in found:
            problem = f"belongs to {owner.name} {getattr(row, column)}, which is missing"
            yield Fault(table.name, _name(table, row), problem)


def _histories(journal: SqlJournal) -> Iterator[Fault]:
    steps = schema.intent_states
    for page in pages(journal, schema.intents):
        wanted = [row.intent_id for row in page]
        statement = select(steps).where(steps.c.intent_id.in_(wanted)).order_by(steps.c.id)
        told: dict[str, list[tuple[str, str]]] = {name: [] for name in wanted}
        with journal.database.reading() as db:
            for row in db.execute(statement):
                told[row.intent_id].append((row.from_state, row.to_state))
        for row in page:
            for problem in _history(told[row.intent_id], row.state):
                yield Fault("intents", row.intent_id, problem)


def _history(told: list[tuple[str, str]], state: str) -> Iterator[str]:
    """What is impossible in a history that should lead from `created` to `state`."""
    at = IntentState.CREATED.value
    for before, after in told:
        if before != at:
            yield f"history goes on from {before} where it was {at}"
        try:
            if not may_follow(IntentState(before), IntentState(after)):
                yield f"history goes from {before} to {after}, which is impossible"
        except ValueError as error:
            yield str(error)
        at = after
    if at != state:
        yield f"is {state}, its history ends at {at}"
