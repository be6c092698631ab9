"""Signed transactions, before they are broadcast and until their end; and what they cost."""

import dataclasses
import functools
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from keeper.journal import schema
from keeper.journal.base import clean
from keeper.journal.codec import decode, encode
from keeper.journal.intents import IntentBook
from keeper.journal.prepared import Prepared, one_of
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

_OPEN = (AttemptStatus.SIGNED.value, AttemptStatus.SENT.value)
_GIVEN_UP = (AttemptStatus.DROPPED.value, AttemptStatus.REFUSED.value)
_ENDED = (AttemptStatus.MINED.value, AttemptStatus.REVERTED.value)
_IN_BLOCK = (*_ENDED, AttemptStatus.CANCELLED.value)

_a = schema.attempts.c
_ATTEMPT = select(_a.attempt, _a.status).order_by(_a.id)
_i = schema.intents.c
_WITH_INTENT = schema.attempts.outerjoin(schema.intents, _i.intent_id == _a.intent_id)
_MINE = or_(_i.vault == bindparam("of_vault"), _i.vault == "", _i.vault.is_(None))
"""Of one vault. What nobody knows the vault of is counted for each: rather wait once too often."""
_OF_ACCOUNT = _ATTEMPT.where(
    _a.chain_id == bindparam("chain"), _a.account == bindparam("of_account")
)
_OPEN_ONES = Prepared(_OF_ACCOUNT.where(one_of(_a.status, _OPEN)))
_OPEN_OF_VAULT = Prepared(
    _OF_ACCOUNT.select_from(_WITH_INTENT).where(one_of(_a.status, _OPEN), _MINE)
)
_GIVEN_UP_ONES = Prepared(_OF_ACCOUNT.where(one_of(_a.status, _GIVEN_UP)))
_AT_NONCE = Prepared(_OF_ACCOUNT.where(_a.nonce == bindparam("at")))
_OF_INTENT = Prepared(_ATTEMPT.where(_a.intent_id == bindparam("of")))
_KNOWN = Prepared(select(_a.id).where(_a.tx_hash == bindparam("wanted")))
_INTENT_OF = Prepared(
    select(_a.intent_id, _a.account, _a.status).where(_a.tx_hash == bindparam("wanted"))
)
_INSERT = Prepared(insert(schema.attempts))
_MARK = Prepared(
    update(schema.attempts)
    .where(_a.tx_hash == bindparam("wanted"))
    .values(status=bindparam("new_status"), problem=bindparam("new_problem"))
)
_LOSE = Prepared(
    update(schema.attempts)
    .where(_a.intent_id == bindparam("of"), one_of(_a.status, _OPEN))
    .values(status=bindparam("new_status"))
)
_END = Prepared(
    update(schema.attempts)
    .where(_a.tx_hash == bindparam("wanted"))
    .values(
        status=bindparam("new_status"),
        block_number=bindparam("new_block"),
        gas_used=bindparam("new_gas"),
        gas_price_wei=bindparam("new_price"),
    )
)
_FORGET_COSTS = delete(schema.costs).where(schema.costs.c.tx_hash == bindparam("wanted"))
_FORGET_COST = Prepared(_FORGET_COSTS.where(schema.costs.c.kind == bindparam("of_kind")))
_ADD_COST = Prepared(insert(schema.costs))
_c = schema.costs.c
_COSTS = (
    select(_c.tx_hash, _c.kind, _c.amount, _c.unit)
    .where(_c.intent_id == bindparam("of"))
    .order_by(_c.id)
)
_ENDS = (
    select(_a.status, _a.block_number)
    .where(_a.chain_id == bindparam("chain"), one_of(_a.status, _ENDED))
    .order_by(_a.block_number.desc(), _a.id.desc())
    .limit(100)
)
_ALL_ENDS = Prepared(_ENDS)
_ENDS_OF_VAULT = Prepared(_ENDS.select_from(_WITH_INTENT).where(_MINE))
_REVERTED = select(_a.gas_used, _a.gas_price_wei).where(
    _a.chain_id == bindparam("chain"),
    _a.status == AttemptStatus.REVERTED.value,
    _a.block_number >= bindparam("since"),
)
_ALL_REVERTED = Prepared(_REVERTED)
_REVERTED_OF_VAULT = Prepared(_REVERTED.select_from(_WITH_INTENT).where(_MINE))
_SPENT = Prepared(
    select(_a.gas_used, _a.gas_price_wei)
    .select_from(schema.attempts.join(schema.intents, _a.intent_id == schema.intents.c.intent_id))
    .where(
        _a.chain_id == bindparam("chain"),
        schema.intents.c.lane == bindparam("of_lane"),
        one_of(_a.status, _IN_BLOCK),
        _a.block_number >= bindparam("since"),
    )
)
_NEWEST = select(
    _a.intent_id, _a.tx_hash, _a.status, _a.block_number, _a.gas_used, _a.gas_price_wei
).order_by(_a.id.desc())

_NEWEST_OF_VAULT = _NEWEST.select_from(_WITH_INTENT).where(_MINE)


@functools.lru_cache(maxsize=1_024)
def _attempt(text: str, status: str) -> Attempt:
    """What is in flight is asked for many times a tick, and of its row only the status ever changes."""
    found: Attempt = decode(text)
    return dataclasses.replace(found, status=AttemptStatus(status))


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What a transaction really cost."""

    tx_hash: str
    kind: str
    amount: int
    unit: str


class AttemptsBook(IntentBook):
    """The journal as execution sees it. What an attempt's change says of its intent is written with it."""

    def record_attempt(self, attempt: Attempt) -> None:
        """The signed transaction, before it is broadcast (K-03); its intent is SIGNED from then on."""
        with self._writing() as db:
            self._refuse_deposed(db, 0)
            if _KNOWN.one(db, {"wanted": attempt.tx_hash}) is not None:
                return
            _INSERT.run(
                db,
                {
                    "tx_hash": attempt.tx_hash,
                    "intent_id": attempt.intent_id,
                    "chain_id": attempt.chain_id,
                    "account": attempt.account,
                    "nonce": attempt.nonce,
                    "attempt": encode(attempt),
                    "status": attempt.status.value,
                    "recorded_ms": self._now_ms(),
                },
            )
            # what is signed was simulated: both steps with the one wait for the disk
            for state in (IntentState.SIMULATED, IntentState.SIGNED):
                self._follow(db, attempt.intent_id, state, account=attempt.account)

    def mark(self, tx_hash: str, status: AttemptStatus, problem: str = "") -> None:
        """A change in an attempt's life; a sent one makes its intent ATTEMPTED. Written lazily."""
        with self._writing(lazily=True) as db:
            values = {"new_status": status.value, "new_problem": clean(problem)}
            _MARK.run(db, {"wanted": tx_hash, **values})
            if status is AttemptStatus.SENT:
                found = _INTENT_OF.one(db, {"wanted": tx_hash})
                if found is not None:
                    self._follow(db, found[0], IntentState.ATTEMPTED, account=found[1])

    def settle(self, result: AttemptResult, losers: AttemptStatus) -> None:
        """One attempt's end, and with it that of every other open attempt of the intent.

        A mined or reverted one makes the intent INCLUDED, and its gas is written down as a cost.
        Written lazily: the chain says it again.
        """
        with self._writing(lazily=True) as db:
            _LOSE.run(db, {"of": result.intent_id, "new_status": losers.value})
            _END.run(
                db,
                {
                    "wanted": result.tx_hash,
                    "new_status": result.status.value,
                    "new_block": result.block_number,
                    "new_gas": result.gas_used,
                    "new_price": str(result.gas_price_wei),
                },
            )
            if result.status.value in _IN_BLOCK:
                amount = result.gas_used * result.gas_price_wei
                self._cost(db, result.intent_id, result.tx_hash, ("gas", amount, "wei"))
                self._follow(
                    db,
                    result.intent_id,
                    IntentState.INCLUDED,
                    note=result.status.value,
                    block_number=result.block_number,
                    block_hash=result.block_hash,
                    tx_hash=result.tx_hash,
                )

    def record_cost(
        self, intent_id: str, tx_hash: str, kind: str, amount: int, unit: str = "wei"
    ) -> None:
        """A cost that was seen: `kind` such as "data fee" or "loss", in `unit` ("wei", "asset units").

        Once for a transaction and kind: a later figure takes the place of the earlier one.
        Written lazily: the receipt says it again until the transaction is settled, and that is on disk no earlier.
        """
        with self._writing(lazily=True) as db:
            self._cost(db, intent_id, tx_hash, (kind, amount, unit))

    @staticmethod
    def _cost(db: Connection, intent_id: str, tx_hash: str, cost: tuple[str, int, str]) -> None:
        kind, amount, unit = cost
        _FORGET_COST.run(db, {"wanted": tx_hash, "of_kind": kind})
        values = {"kind": kind, "amount": str(amount), "unit": unit}
        _ADD_COST.run(db, {"intent_id": intent_id, "tx_hash": tx_hash, **values})

    def reopen(self, tx_hash: str, note: str) -> None:
        """An attempt that was mined is out of the chain again: SENT, without a result; its intent ATTEMPTED."""
        with self._writing() as db:
            found = _INTENT_OF.one(db, {"wanted": tx_hash})
            if found is None:
                raise self._database.refuse(f"knows no transaction {tx_hash}")
            if found[2] not in _IN_BLOCK:
                return  # said before
            none = {"new_block": None, "new_gas": 0, "new_price": "0"}
            sent = AttemptStatus.SENT.value
            _END.run(db, {"wanted": tx_hash, "new_status": sent, **none})
            db.execute(_FORGET_COSTS, {"wanted": tx_hash})
            self._follow(db, found[0], IntentState.ATTEMPTED, note=note)

    # Questions

    def costs(self, intent_id: str) -> tuple[Cost, ...]:
        """What the transactions of an intent cost, in the order it became known."""
        rows = self._rows(_COSTS, {"of": intent_id})
        with self._understood("a cost"):
            return tuple(Cost(tx, kind, int(amount), unit) for tx, kind, amount, unit in rows)

    def open_attempts(
        self, chain_id: int, account: str, vault: str | None = None
    ) -> tuple[Attempt, ...]:
        """Signed or sent and not settled, oldest first; of one vault, if named."""
        if vault is None:
            return self._attempts(_OPEN_ONES, chain=chain_id, of_account=account)
        return self._attempts(_OPEN_OF_VAULT, chain=chain_id, of_account=account, of_vault=vault)

    def given_up(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        """Dropped or refused, and not known to be replaced, oldest first."""
        return self._attempts(_GIVEN_UP_ONES, chain=chain_id, of_account=account)

    def attempts_at(self, chain_id: int, account: str, nonce: int) -> tuple[Attempt, ...]:
        """Every attempt ever signed with a nonce, oldest first."""
        return self._attempts(_AT_NONCE, chain=chain_id, of_account=account, at=nonce)

    def attempts_of(self, intent_id: str) -> tuple[Attempt, ...]:
        """Every attempt of an intent, oldest first."""
        return self._attempts(_OF_INTENT, of=intent_id)

    def _attempts(self, statement: Prepared, **parameters: Any) -> tuple[Attempt, ...]:
        rows = self._found(statement, parameters)
        with self._understood("an attempt"):
            return tuple([_attempt(text, status) for text, status in rows])

    def actions(self, limit: int = 10, vault: str | None = None) -> tuple[AttemptResult, ...]:
        """Newest attempts first, whatever became of them; of one vault, if named."""
        if vault is None:
            rows = self._rows(_NEWEST.limit(limit))
        else:
            rows = self._rows(_NEWEST_OF_VAULT.limit(limit), {"of_vault": vault})
        with self._understood("an attempt"):
            return tuple(
                AttemptResult(i, t, AttemptStatus(s), number, gas, int(price))
                for i, t, s, number, gas, price in rows
            )

    def mined_reverts(self, chain_id: int, vault: str | None = None) -> tuple[int, ...]:
        """Block numbers of mined reverts since the last mined success, newest first (K-11); of one vault, if named."""
        blocks: list[int] = []
        if vault is None:
            rows = self._found(_ALL_ENDS, {"chain": chain_id})
        else:
            rows = self._found(_ENDS_OF_VAULT, {"chain": chain_id, "of_vault": vault})
        for status, number in rows:
            if status == AttemptStatus.MINED.value:
                break
            blocks.append(int(number))
        return tuple(blocks)

    def spent_gas_wei(self, chain_id: int, since_block: int, lane: Lane) -> int:
        """What a lane's transactions cost from `since_block` on, mined, reverted or emptied, wei (K-11)."""
        rows = self._found(_SPENT, {"chain": chain_id, "since": since_block, "of_lane": lane.value})
        with self._understood("an attempt"):
            return sum(int(gas) * int(price) for gas, price in rows)

    def reverted_gas_wei(self, chain_id: int, since_block: int, vault: str | None = None) -> int:
        """What mined reverts cost from `since_block` on, wei (K-11); of one vault, if named."""
        of = {"chain": chain_id, "since": since_block}
        if vault is None:
            rows = self._found(_ALL_REVERTED, of)
        else:
            rows = self._found(_REVERTED_OF_VAULT, {**of, "of_vault": vault})
        with self._understood("an attempt"):
            return sum(int(gas) * int(price) for gas, price in rows)
