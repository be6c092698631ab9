"""One signed transaction of an intent, as the journal keeps it."""

from dataclasses import dataclass

from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus
from keeper.model.units import Wei


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction; every attempt of an intent has the same nonce, so at most one is mined."""

    intent_id: str
    chain_id: int
    account: str
    to: str
    """The contract that is called: the vault or its mandate."""
    lane: Lane
    nonce: int
    tx_hash: str
    raw: str
    """Signed bytes, 0x-prefixed; public once broadcast, useless for anything else."""
    call_data: str
    gas_limit: int
    max_fee_wei: Wei
    tip_wei: Wei
    signed_block: int
    """Number of the block the attempt was signed at."""
    deadline: int
    """Unix seconds after which the intent is given up; the vault refuses a rebalance from then on."""
    status: AttemptStatus = AttemptStatus.SIGNED
    value_at_risk_wei: int = 0
    """As its intent's: bounds what replacements pay."""
    needed_by: int = 0
    """As its intent's."""

    @property
    def cancels(self) -> bool:
        """True for the empty transaction to the account itself that takes the nonce of the intent."""
        return self.to == self.account
