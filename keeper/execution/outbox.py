"""The one way out: the gate, the private relay and its deadline, then every healthy endpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from keeper.errors import EndpointError, RpcError
from keeper.execution.fate import Fate, fate_of, fee_cap_wei, together
from keeper.execution.ports import Answered, AttemptBook, Gate, Relay, Rpc
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus

Lowered = Callable[[Attempt, int], Attempt | None]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """What goes to the private relay, and for how long only there."""

    lanes: frozenset[Lane] = frozenset({Lane.ROUTINE, Lane.PROTECTIVE})
    public_after_blocks: int = 3
    """Blocks after the first attempt of an intent from which it is broadcast to everybody."""

    def private(self, lane: Lane, age_blocks: int) -> bool:
        """True while an intent of that age goes to the relay only."""
        return lane in self.lanes and age_blocks < self.public_after_blocks


class Outbox:
    """Offers signed transactions. Nothing leaves while the gate names a reason."""

    def __init__(
        self,
        rpc: Rpc,
        *,
        gate: Gate = lambda: None,
        relay: Relay | None = None,
        relay_policy: RelayPolicy | None = None,
    ) -> None:
        self._rpc = rpc
        self._gate = gate
        self._relay = relay
        self._relay_policy = relay_policy or RelayPolicy()

    def send(self, attempt: Attempt, *, block_number: int, first_block: int) -> tuple[Fate, str]:
        """Offer it; the fate and the words that go with it.

        first_block: at which the intent's first attempt was signed: the relay's patience counts from there,
        so a restart does not begin it anew.
        """
        reason = self._gate()
        if reason is not None:
            return Fate.WITHHELD, reason
        age = block_number - first_block
        if self._relay is not None and self._relay_policy.private(attempt.lane, age):
            try:
                self._relay.send(attempt.raw, block_number)
            except (EndpointError, RpcError) as error:
                _log.warning(
                    "the relay fails: broadcast to all", tx=attempt.tx_hash, why=str(error)
                )
            else:
                return Fate.ACCEPTED, ""
            reason = self._gate()  # it may have been shut while the relay was asked
            if reason is not None:
                return Fate.WITHHELD, reason
        return self._public(attempt.raw)

    def withdraw(self, attempts: Sequence[Attempt]) -> None:
        """Tell the relay that these are not wanted any more."""
        if self._relay is not None:
            for attempt in attempts:
                self._relay.withdraw(attempt.tx_hash)

    def _public(self, raw: str) -> tuple[Fate, str]:
        broadcast: Callable[[str], Sequence[Answered]] | None
        broadcast = getattr(self._rpc, "broadcast", None)
        if broadcast is not None:  # a pool: all healthy endpoints at once, any success wins
            return together([fate_of(answer.error) for answer in broadcast(raw)])
        try:
            self._rpc.call("eth_sendRawTransaction", [raw])
        except (EndpointError, RpcError) as error:
            return fate_of(error)
        return fate_of(None)


def first_offered(book: AttemptBook, attempts: Sequence[Attempt]) -> int:
    """The block from which the relay's patience with an intent counts: that of the first of its attempts.

    Of protection it is that of the first plan that had its nonce: in a fall each block may leave a plan behind, and a
    relay that sits on one after another would be the only one to know of any.
    """
    first = attempts[0]
    if first.lane is not Lane.PROTECTIVE:
        return first.signed_block
    same = book.attempts_at(first.chain_id, first.account, first.nonce)
    return min(a.signed_block for a in (first, *same) if a.lane is Lane.PROTECTIVE)


def publish(
    outbox: Outbox,
    book: AttemptBook,
    attempt: Attempt,
    lowered: Lowered,
    *,
    first_block: int,
) -> tuple[Attempt, Fate, str]:
    """Journal, then broadcast (K-03); what was sent last, its fate and the endpoints' words.

    An endpoint that bounds the cost of a transaction gets it once more, `lowered` to the max fee that fits.
    """
    book.record_attempt(attempt)
    fate, words = outbox.send(attempt, block_number=attempt.signed_block, first_block=first_block)
    if fate is not Fate.OVER_CAP:
        return attempt, fate, words
    fitting = lowered(attempt, fee_cap_wei(words) // attempt.gas_limit)
    if fitting is None:
        return attempt, fate, words
    book.mark(attempt.tx_hash, AttemptStatus.REFUSED, words)
    book.record_attempt(fitting)
    sent = outbox.send(fitting, block_number=fitting.signed_block, first_block=first_block)
    return fitting, *sent
