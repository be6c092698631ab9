"""Target, plan, verdict: what a tick decides."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from keeper.model.desk import Straddle, VolatilityMark
from keeper.model.quick import quick
from keeper.model.series import Series
from keeper.model.units import Raw, Wad

NONE_WAD = Wad(0)

NO_DECISION = "no decision"
"""How the reason of a target begins whose strategy could not decide: the vault holds still, or only protects, and the
keeper says it aloud."""


class Lane(StrEnum):
    """Routine or protective: one account and one nonce stream each (later); urgency of fees now."""

    ROUTINE = "routine"
    PROTECTIVE = "protective"


@quick
@dataclass(frozen=True, slots=True)
class OptionTarget:
    """One series the vault should be in."""

    is_call: bool
    strike_wad: Wad
    """Quote per whole base."""
    expiry: int
    """Unix seconds."""
    quantity: int
    """Base units; negative: written."""
    second_strike_wad: Wad = NONE_WAD
    """Of the other option of a spread; 0 for none."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PerpetualTarget:
    """The position wanted in one venue's perpetual on base."""

    venue: str
    quantity: int
    """Base units; negative: short."""


@dataclass(frozen=True, slots=True)
class SupplyTarget:
    """What should be lent, and owed, of one token at one lending venue; token units."""

    venue: str
    token: str
    amount: Raw
    owed: Raw | None = None
    """None: whatever is owed is left as it is."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who, of several strategies in one, asked for a part of a target."""

    what: str
    """`health`, `net delta`, `supplies`, or the claim of a position."""
    who: str
    asks: int = 0
    """Value of what it asked for, asset units: netted trades are split by it."""


@quick
@dataclass(frozen=True, slots=True)
class Target:
    """What a strategy wants of the vault; never a list of trades.

    None leaves a thing alone; an empty tuple wants none of it. All None means hold.
    """

    lane: Lane
    health_wad: Wad | None
    """Wanted health after the plan."""
    net_delta: Raw | None
    """Wanted net base exposure of what the readings show, base units (signed)."""
    reason: str
    options: tuple[OptionTarget, ...] | None = None
    """Every series wanted, those already held among them; any other is to be closed."""
    perpetuals: tuple[PerpetualTarget, ...] | None = None
    """Venues that are not named keep what they have."""
    supplies: tuple[SupplyTarget, ...] | None = None
    """Venues and tokens that are not named keep what they have."""
    owners: tuple[Owner, ...] = field(default=(), repr=False)
    """Of a composite: who asked for what. Nothing is decided by it; books are split by it."""

    @property
    def hold(self) -> bool:
        """True when nothing is wanted."""
        return (
            self.health_wad is None
            and self.net_delta is None
            and self.options is None
            and self.perpetuals is None
            and self.supplies is None
        )


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


@quick
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


@quick
@dataclass(frozen=True, slots=True)
class Order:
    """A change at a venue that is no move of the vault's contract: perpetuals, bought options, other lenders."""

    venue: str
    instrument: str
    """As the venue, and `MarketState.holdings`, name it."""
    quantity: int
    """Units of the instrument (base units; token units for a supply); negative: sell, or take back."""
    limit_price_wad: Wad
    """Most to pay, or least to get, in assets per whole unit; 0 where nothing is paid (a supply)."""
    reason: str


@quick
@dataclass(frozen=True, slots=True)
class PlanCosts:
    """What a plan is expected to cost, item by item; asset units, rounded up."""

    gas: Raw
    """At the base fee expected, whether or not the vault pays it."""
    fee: Raw
    """Of the pool."""
    impact: Raw
    """Of moving the pool's price, and of where that price is against the oracle's; negative where that pays."""
    waiting: Raw
    """Expected loss of leaving it to a later block instead."""


@quick
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
    orders: tuple[Order, ...] = ()
    """Changes at other venues, exits first; made beside the moves, by whoever connects the venue."""
    series: tuple[Series, ...] = ()
    """Terms of every series that is written, for who checks the plan."""
    costs: PlanCosts | None = None
    """What the expected loss is made of; None where nothing was planned."""

    @property
    def empty(self) -> bool:
        """True when there is nothing to do."""
        return not self.moves and not self.orders


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why the guard refuses a plan: what, observed, bound."""

    rule: str
    message: str


@quick
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


@dataclass(frozen=True, slots=True)
class CreateSeries:
    """Bring a wanted series into being: `IOptionBook.create`."""

    book: str
    series: Series


@dataclass(frozen=True, slots=True)
class CancelAuction:
    """Clear away an auction that is over: `IOptionDesk.cancel`."""

    desk: str
    auction_id: int


@dataclass(frozen=True, slots=True)
class Collect:
    """Take what an expired series leaves, and settle it in the book: `IOptionDesk.collect`."""

    desk: str
    series_id: str


@dataclass(frozen=True, slots=True)
class Observe:
    """Add the price now to realised volatility: `IVolatilityOracle.observe`."""

    oracle: str
    slot: int


@dataclass(frozen=True, slots=True)
class RecordPrice:
    """Store the pool's average around an expiry: `ISettlementOracle.record`."""

    oracle: str
    expiry: int


@dataclass(frozen=True, slots=True)
class ProvePrice:
    """Show the feeds' rounds in force at an expiry: `ISettlementOracle.prove`."""

    oracle: str
    expiry: int
    base_rounds: Straddle
    quote_rounds: Straddle


@dataclass(frozen=True, slots=True)
class ResolvePrice:
    """End a quarantine whose time is over: `ISettlementOracle.resolve`."""

    oracle: str
    expiry: int


@dataclass(frozen=True, slots=True)
class PostMarks:
    """Replace the volatility marks of every tenor: `IVolatilityOracle.post`, by its poster."""

    oracle: str
    marks: tuple[VolatilityMark, ...]
    """Ascending in tenor, as the oracle has them."""
    deadline: int
    """Unix seconds, after which the oracle refuses them."""
    why: str


Chore = (
    CreateSeries
    | CancelAuction
    | Collect
    | Observe
    | RecordPrice
    | ProvePrice
    | ResolvePrice
    | PostMarks
)
"""What is done for the vault's options beside the vault: by anybody, or (marks) by who holds the role."""
Work = Beat | Settle | Chore
Payload = Rebalance | Work


@quick
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
