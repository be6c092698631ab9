"""The journal's promises to execution, in memory: fast enough for thousands of histories."""

from collections.abc import Callable
from dataclasses import replace

from keeper.errors import JournalError
from keeper.model.attempt import Attempt
from keeper.model.decision import Intent, Lane
from keeper.model.intent_state import ENDS, MAY_FOLLOW, IntentRecord, IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

OPEN = (AttemptStatus.SIGNED, AttemptStatus.SENT)
IN_BLOCK = (AttemptStatus.MINED, AttemptStatus.REVERTED, AttemptStatus.CANCELLED)
GIVEN_UP = (AttemptStatus.DROPPED, AttemptStatus.REFUSED)


class MemoryBook:
    """AttemptBook; `steps` lists every transition for assertions. `fails_at` breaks the nth write."""

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.results: dict[str, AttemptResult] = {}
        self.intents: dict[str, IntentRecord] = {}
        self.costs: dict[tuple[str, str], tuple[int, str]] = {}
        self.steps: list[tuple[str, IntentState]] = []
        self.fails_at: int | None = None

    def _writes(self) -> None:
        if self.fails_at is not None:
            self.fails_at -= 1
            if self.fails_at < 0:
                self.fails_at = None
                raise JournalError("memory", "cannot be written (as told)")

    def decided(self, intent: Intent, chain_id: int, account: str, vault: str = "") -> None:
        """As `record_decision` does."""
        self.intents[intent.id] = IntentRecord(
            intent.id, chain_id, account, intent.lane, IntentState.JOURNALLED, None, None, None, 0, "", vault
        )  # fmt: skip

    def record_attempt(self, attempt: Attempt) -> None:
        self._writes()
        if attempt.tx_hash not in self.attempts:
            self.attempts[attempt.tx_hash] = attempt
            self._follow(attempt.intent_id, IntentState.SIGNED)

    def mark(self, tx_hash: str, status: AttemptStatus, problem: str = "") -> None:
        self._writes()
        self.attempts[tx_hash] = replace(self.attempts[tx_hash], status=status)
        if status is AttemptStatus.SENT:
            self._follow(self.attempts[tx_hash].intent_id, IntentState.ATTEMPTED)

    def _follow(self, intent_id: str, state: IntentState) -> None:
        """What a change of an attempt says of its intent, where it may follow."""
        record = self.intents.get(intent_id)
        if record and record.state is not state and state in MAY_FOLLOW[record.state]:
            self._put(replace(record, state=state))

    def settle(self, result: AttemptResult, losers: AttemptStatus) -> None:
        self._writes()
        for attempt in self.attempts_of(result.intent_id):
            if attempt.status in OPEN:
                self.attempts[attempt.tx_hash] = replace(attempt, status=losers)
        mine = self.attempts[result.tx_hash]
        self.attempts[result.tx_hash] = replace(mine, status=result.status)
        self.results[result.tx_hash] = result
        if result.status in IN_BLOCK:
            self._follow(result.intent_id, IntentState.INCLUDED)

    def record_cost(
        self, intent_id: str, tx_hash: str, kind: str, amount: int, unit: str = "wei"
    ) -> None:
        self._writes()
        self.costs[tx_hash, kind] = (amount, unit)

    def reopen(self, tx_hash: str, note: str) -> None:
        self._writes()
        self.costs = {at: cost for at, cost in self.costs.items() if at[0] != tx_hash}
        attempt = self.attempts[tx_hash]
        self.attempts[tx_hash] = replace(attempt, status=AttemptStatus.SENT)
        self.results.pop(tx_hash, None)
        record = self.intents.get(attempt.intent_id)
        if record is not None and record.state is not IntentState.ATTEMPTED:
            assert IntentState.ATTEMPTED in MAY_FOLLOW[record.state], record
            self._put(
                replace(record, state=IntentState.ATTEMPTED, block_number=None, block_hash=None)
            )

    def open_attempts(
        self, chain_id: int, account: str, vault: str | None = None
    ) -> tuple[Attempt, ...]:
        def wanted(a: Attempt) -> bool:
            record = self.intents.get(a.intent_id)
            mine = vault is None or record is None or record.vault in ("", vault)
            return mine and a.account == account and a.status in OPEN

        return self._where(wanted)

    def given_up(self, chain_id: int, account: str) -> tuple[Attempt, ...]:
        return self._where(lambda a: a.account == account and a.status in GIVEN_UP)

    def attempts_at(self, chain_id: int, account: str, nonce: int) -> tuple[Attempt, ...]:
        return self._where(lambda a: a.account == account and a.nonce == nonce)

    def attempts_of(self, intent_id: str) -> tuple[Attempt, ...]:
        return self._where(lambda a: a.intent_id == intent_id)

    def _where(self, wanted: object) -> tuple[Attempt, ...]:
        return tuple(a for a in self.attempts.values() if wanted(a))  # type: ignore[operator]

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
        self._writes()
        record = self.intents[intent_id]
        if state is not record.state and state not in MAY_FOLLOW[record.state]:
            raise JournalError("memory", f"{intent_id} cannot go from {record.state} to {state}")
        self._put(
            replace(
                record,
                state=state,
                account=account or record.account,
                block_number=block_number or record.block_number,
                block_hash=block_hash or record.block_hash,
                tx_hash=tx_hash or record.tx_hash,
                note=note,
            )
        )

    def _put(self, record: IntentRecord) -> None:
        self.intents[record.intent_id] = record
        self.steps.append((record.intent_id, record.state))

    def intent(self, intent_id: str) -> IntentRecord | None:
        return self.intents.get(intent_id)

    def open_intents(self, chain_id: int, lane: Lane | None = None) -> tuple[IntentRecord, ...]:
        return tuple(
            r for r in self.intents.values() if r.state not in ENDS and lane in (None, r.lane)
        )

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """As the journal."""
        return self._gas(since_block, lambda r: r.status is AttemptStatus.REVERTED)

    def spent_gas_wei(self, chain_id: int, since_block: int, lane: Lane) -> int:
        """As the journal."""
        return self._gas(since_block, lambda r: self.attempts[r.tx_hash].lane is lane)

    def _gas(self, since_block: int, counts: Callable[[AttemptResult], bool]) -> int:
        mined = (r for r in self.results.values() if r.status in IN_BLOCK and counts(r))
        return sum(
            r.gas_used * r.gas_price_wei for r in mined if (r.block_number or 0) >= since_block
        )

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        """As the journal: blocks of reverts since the last success, newest first."""
        ends = sorted(self.results.values(), key=lambda r: r.block_number or 0, reverse=True)
        blocks: list[int] = []
        for result in ends:
            if result.status is AttemptStatus.MINED:
                break
            if result.status is AttemptStatus.REVERTED:
                blocks.append(result.block_number or 0)
        return tuple(blocks)

    def close(self) -> None:
        """Nothing is open."""
