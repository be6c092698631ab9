"""Where every intent stands, how it came there, and who may write."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from keeper.journal import schema
from keeper.journal.base import Book, clean
from keeper.journal.prepared import Prepared, one_of
from keeper.model.decision import Lane
from keeper.model.intent_state import ENDS, MAY_FOLLOW, IntentRecord, IntentState

_i, _f = schema.intents.c, schema.fences.c
_COLUMNS = (
    _i.intent_id,
    _i.chain_id,
    _i.account,
    _i.lane,
    _i.state,
    _i.block_number,
    _i.block_hash,
    _i.tx_hash,
    _i.fence,
    _i.note,
    _i.vault,
)
_FOUND = Prepared(select(*_COLUMNS).where(_i.intent_id == bindparam("wanted")))
_NOT_OVER = (
    select(*_COLUMNS)
    .where(
        _i.chain_id == bindparam("wanted"),
        one_of(_i.state, [state.value for state in IntentState if state not in ENDS]),
    )
    .order_by(_i.id)
)
_OPEN = Prepared(_NOT_OVER)
_OPEN_OF_LANE = Prepared(_NOT_OVER.where(_i.lane == bindparam("wanted_lane")))
_MOVE = Prepared(
    update(schema.intents)
    .where(_i.intent_id == bindparam("wanted"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("state", "account", "block_number", "block_hash", "tx_hash", "note")
        }
    )
)
_HISTORY = Prepared(insert(schema.intent_states))
_s = schema.intent_states.c
_STEPS = select(schema.intent_states).where(_s.intent_id == bindparam("wanted")).order_by(_s.id)
_LAST_FENCE = select(func.coalesce(func.max(_f.fence), 0))
_NEWEST_FENCE = Prepared(_LAST_FENCE)
_IN_A_BLOCK = frozenset({IntentState.INCLUDED, IntentState.CONFIRMED, IntentState.FINALISED})


class _Row(NamedTuple):
    """An intent as its row has it; in the order of `_COLUMNS`."""

    intent_id: str
    chain_id: int
    account: str
    lane: str
    state: str
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    fence: int
    note: str
    vault: str


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an intent's history."""

    recorded_ms: int
    """Unix milliseconds by the keeper's clock."""
    before: IntentState
    state: IntentState
    account: str
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    note: str


def may_follow(before: IntentState, after: IntentState) -> bool:
    """True if an intent in `before` can come to `after` in one step; saying a state twice is no error."""
    return before is after or after in MAY_FOLLOW[before]


class IntentBook(Book):
    """States of intents, and fencing tokens."""

    def move_intent(
        self,
        intent_id: str,
        state: IntentState,
        *,
        account: str | None = None,
        block_number: int | None = None,
        block_hash: str | None = None,
        tx_hash: str | None = None,
        note: str = "",
    ) -> None:
        """A durable step in an intent's life. JournalError for an impossible one, or an unknown intent.

        The same state again is no error; it is written only if it brings a fact that was not known.
        Written lazily: every step up to SIGNED is told by the attempt, every later one by the chain.
        """
        facts = {
            "account": account,
            "block_number": block_number,
            "block_hash": block_hash,
            "tx_hash": tx_hash,
        }
        with self._writing(lazily=True) as db:
            found = _standing(db, intent_id)
            if found is None:
                raise self._database.refuse(f"knows no intent {intent_id}")
            before = self._state(found.state)
            if not may_follow(before, state):
                problem = f"intent {intent_id} is {before} and cannot become {state}"
                raise self._database.refuse(problem)
            self._step(db, found, state, facts, note)

    def _step(
        self,
        db: Connection,
        found: Any,
        state: IntentState,
        facts: dict[str, Any],
        note: str,
    ) -> None:
        """Write a step that is known to be possible; out of the chain again, what was known of the block is gone."""
        before = self._state(found.state)
        kept = {name: getattr(found, name) for name in facts}
        if state not in _IN_A_BLOCK and state not in ENDS:
            kept.update(block_number=None, block_hash=None, tx_hash=None)
        elif facts["block_number"] is not None and facts["block_number"] != kept["block_number"]:
            kept["block_hash"] = None  # of another block
        values = kept | {name: value for name, value in facts.items() if value is not None}
        if before is state and all(getattr(found, name) == values[name] for name in values):
            return
        values["note"] = clean(note)
        _MOVE.run(
            db,
            {
                "wanted": found.intent_id,
                "new_state": state.value,
                **{f"new_{name}": value for name, value in values.items()},
            },
        )
        step = {
            "intent_id": found.intent_id,
            "recorded_ms": self._now_ms(),
            "from_state": before.value,
            "to_state": state.value,
        }
        _HISTORY.run(db, step | values)

    def _follow(
        self, db: Connection, intent_id: str, state: IntentState, note: str = "", **facts: Any
    ) -> None:
        """The step that a change of an attempt implies; nothing where the intent is unknown or further."""
        found = _standing(db, intent_id)
        if found is None or not may_follow(self._state(found.state), state):
            return
        every = dict.fromkeys(("account", "block_number", "block_hash", "tx_hash")) | facts
        self._step(db, found, state, every, note)

    def intent(self, intent_id: str) -> IntentRecord | None:
        """Where an intent stands; None for an unknown one."""
        rows = self._found(_FOUND, {"wanted": intent_id})
        with self._understood("an intent"):
            return _record(rows[0]) if rows else None

    def open_intents(self, chain_id: int, lane: Lane | None = None) -> tuple[IntentRecord, ...]:
        """What is not over, oldest first."""
        if lane is None:
            rows = self._found(_OPEN, {"wanted": chain_id})
        else:
            rows = self._found(_OPEN_OF_LANE, {"wanted": chain_id, "wanted_lane": lane.value})
        with self._understood("an intent"):
            return tuple(_record(row) for row in rows)

    def history(self, intent_id: str) -> tuple[Step, ...]:
        """How an intent came to its state, oldest step first."""
        rows = self._rows(_STEPS, {"wanted": intent_id})
        with self._understood("an intent's history"):
            return tuple(
                Step(
                    row.recorded_ms,
                    IntentState(row.from_state),
                    IntentState(row.to_state),
                    row.account,
                    row.block_number,
                    row.block_hash,
                    row.tx_hash,
                    row.note,
                )
                for row in rows
            )

    def _state(self, text: str) -> IntentState:
        with self._understood("an intent's state"):
            return IntentState(text)

    # Fencing

    def last_fence(self) -> int:
        """The newest fencing token given out; 0 before the first."""
        return int(self._rows(_LAST_FENCE)[0][0])

    def next_fence(self, holder: str) -> int:
        """A token higher than every earlier one. From now on this journal writes as its holder:

        when somebody has taken a later one, decisions and attempts written through here are refused.
        """
        with self._writing() as db:
            if db.dialect.name == "postgresql":
                db.exec_driver_sql("LOCK TABLE fences IN EXCLUSIVE MODE")
            fence = int(_NEWEST_FENCE.one(db, {})[0]) + 1
            values = {"fence": fence, "holder": clean(holder), "recorded_ms": self._now_ms()}
            db.execute(insert(schema.fences), values)
        self._fence = fence
        return fence

    def _refuse_deposed(self, db: Connection, fence: int) -> None:
        """A keeper that another has replaced writes nothing any more (K-10)."""
        mine = fence or self._fence
        if mine == 0:
            return
        newest = int(_NEWEST_FENCE.one(db, {})[0])
        if mine < newest:
            problem = f"is led by another keeper now (fence {newest}, this one has {mine})"
            raise self._database.refuse(problem)


def _standing(db: Connection, intent_id: str) -> _Row | None:
    row = _FOUND.one(db, {"wanted": intent_id})
    return _Row(*row) if row is not None else None


@functools.lru_cache(maxsize=1_024)
def _record(found: tuple[Any, ...]) -> IntentRecord:
    """Most of what is open is as it was a block ago."""
    row = _Row(*found)
    return IntentRecord(
        intent_id=row.intent_id,
        chain_id=row.chain_id,
        account=row.account,
        lane=Lane(row.lane),
        state=IntentState(row.state),
        block_number=row.block_number,
        block_hash=row.block_hash,
        tx_hash=row.tx_hash,
        fence=row.fence,
        note=row.note,
        vault=row.vault,
    )
