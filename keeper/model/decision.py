"""Target, plan, verdict: what a tick decides."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from keeper.model.units import Raw, Wad


class Lane(StrEnum):
    """Routine or protective: one account and one nonce stream each (later); urgency of fees now."""

    ROUTINE = "routine"
    PROTECTIVE = "protective"


@dataclass(frozen=True, slots=True)
class Target:
    """What a strategy wants of the vault; never a list of trades.

    health_wad: wanted health after the plan, or None to leave debt alone.
    net_delta: wanted net base exposure in base units (signed), or None to leave it alone.
    Both None means hold.
    """

    lane: Lane
    health_wad: Wad | None
    net_delta: Raw | None
    reason: str

    @property
    def hold(self) -> bool:
        """True when nothing is wanted."""
        return self.health_wad is None and self.net_delta is None


class MoveKind(IntEnum):
    """Mirror of IVault.MoveKind."""

    SUPPLY = 0
    WITHDRAW = 1
    BORROW = 2
    REPAY = 3
    SWAP = 4
    WRITE = 5
    CANCEL = 6
    BUY_BACK = 7


@dataclass(frozen=True, slots=True)
class Move:
    """One change of one position, as the vault takes it (IVault.Move)."""

    kind: MoveKind
    adapter: str
    token: str
    amount: Raw
    limit: Raw
    """Swap: the least to receive of the other token."""
    target: int = 0
    """Options: the series or the auction."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered moves towards a target, with what they are expected to cost and reach."""

    lane: Lane
    moves: tuple[Move, ...]
    reason: str
    expected_health_wad: Wad
    expected_net_delta: Raw
    expected_loss: Raw
    """NAV loss expected (fees, impact), asset units."""
    max_loss: Raw
    """NAV loss accepted, asset units; goes into the intent."""
    gas_limit_estimate: int
    trades_price: bool
    """True if any move has price exposure (swap, borrow, withdraw of collateral against debt)."""

    @property
    def empty(self) -> bool:
        """True when there is nothing to do."""
        return not self.moves


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why the guard refuses a plan: what, observed, bound."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All reasons, not the first. No reasons means passed."""

    refusals: tuple[Refusal, ...]

    @property
    def passed(self) -> bool:
        """True if the plan may be sent."""
        return not self.refusals


@dataclass(frozen=True, slots=True)
class Rebalance:
    """A plan for the vault as it was read: `IVault.rebalance`."""

    plan: Plan
    state_hash: str
    max_loss: Raw


@dataclass(frozen=True, slots=True)
class Beat:
    """Tell the mandate that the keeper is there: `IMandate.beat`."""

    mandate: str
    last_beat: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Price the requests that wait: `IVault.settle`."""

    epoch: int
    """Settlements before it."""


Payload = Rebalance | Beat | Settle


@dataclass(frozen=True, slots=True)
class Intent:
    """One call bound to a block and a deadline; used once."""

    id: str
    """0x + 32 bytes: keccak of chain, receiver, block hash, payload and counter."""
    to: str
    """The contract that is called."""
    lane: Lane
    deadline: int
    """Unix seconds; the vault refuses a rebalance after it, other calls are given up."""
    block_hash: str
    gas_limit_estimate: int
    reason: str
    payload: Payload
    value_at_risk_wei: int = 0
    """Expected loss if it takes effect late, in wei of the coin that pays gas; 0 if not known."""
    needed_by: int = 0
    """Unix seconds by which it must be in to do its work; 0 for the deadline."""
