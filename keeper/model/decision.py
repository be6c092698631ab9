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


@dataclass(frozen=True, slots=True)
class Move:
    """One change of one position, as the vault takes it (IVault.Move)."""

    kind: MoveKind
    adapter: str
    token: str
    amount: Raw
    min_out: Raw


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
class Intent:
    """A plan bound to a block, a deadline and a maximum loss; used once."""

    id: str
    """0x + 32 bytes: keccak of chain, vault, nonce stream position, block hash and moves."""
    vault: str
    deadline: int
    max_loss: Raw
    plan: Plan
    block_hash: str
