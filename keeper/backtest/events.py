"""What happens to the world, in time. A decision at t knows events up to t and nothing else."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from keeper.errors import MarketDataError
from keeper.model.outlook import Smile
from keeper.model.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class PriceEvent:
    """The market trades at a price (asset per whole base, WAD)."""

    time: int
    """Unix seconds; as in every event."""
    price_wad: int
    ramp_s: int = 0
    """The market came here in even steps of its logarithm over so many seconds before: what a bar says of its inside.
    Only the pool's average sees it."""
    decides: bool = True
    """The keeper ticks on it."""


@dataclass(frozen=True, slots=True)
class RoundEvent:
    """The base feed's round as the chain recorded it, 8 decimals; with rounds given the transmitter is silent."""

    time: int
    answer: int
    decides: bool = True


@dataclass(frozen=True, slots=True)
class QuoteEvent:
    """The asset's own dollar answer, 8 decimals."""

    time: int
    answer: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class GasEvent:
    """The base fee from here on."""

    time: int
    base_fee_wei: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class RatesEvent:
    """The lending venue's rates a year (RAY) from here on, in place of its curve."""

    time: int
    of_base: bool
    supply_ray: int
    borrow_ray: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class FundingEvent:
    """Longs of the perpetual pay `rate_wad` of their value for the period that ends here."""

    time: int
    rate_wad: int
    period_s: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class SmilesEvent:
    """The option market's implied volatilities from here on."""

    time: int
    smiles: tuple[Smile, ...]
    decides: bool = False


@dataclass(frozen=True, slots=True)
class VolatilityEvent:
    """One at-the-money volatility for every expiry from here on (an index such as DVOL), WAD a year."""

    time: int
    volatility_wad: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class LiquidityEvent:
    """The pool's active liquidity from here on, as Uniswap v3 counts it: histories of a pool have it."""

    time: int
    liquidity: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """Depositors ask: `assets` to come in (asset units) or `shares_bps` of all shares to go."""

    time: int
    assets: int = 0
    shares_bps: int = 0
    decides: bool = False


Event = (
    PriceEvent
    | RoundEvent
    | QuoteEvent
    | GasEvent
    | RatesEvent
    | FundingEvent
    | SmilesEvent
    | VolatilityEvent
    | LiquidityEvent
    | FlowEvent
)


def merged(*streams: Iterable[Event]) -> Iterator[Event]:
    """Several streams as one, each in order of time already; at one time, in the order of the streams."""
    return heapq.merge(*streams, key=attrgetter("time"))


def batches(events: Iterable[Event]) -> Iterator[tuple[int, list[Event]]]:
    """Events by time. MarketDataError for one earlier than the one before, a price or rate that cannot be."""
    at: int | None = None
    batch: list[Event] = []
    for place, event in enumerate(events):
        _check(event, place)
        if at is not None and event.time < at:
            problem = f"event {place} at {event.time} is before {at}"
            raise MarketDataError("events", problem, "sort the events by time")
        if event.time != at:
            if at is not None:
                yield at, batch
            at, batch = event.time, []
        batch.append(event)
    if at is not None:
        yield at, batch


def _check(event: Event, place: int) -> None:
    what = ""
    if isinstance(event, PriceEvent):
        what = "" if event.price_wad > 0 and event.ramp_s >= 0 else f"price {event.price_wad}"
    elif isinstance(event, GasEvent):
        what = "" if event.base_fee_wei >= 0 else f"base fee {event.base_fee_wei}"
    elif isinstance(event, RatesEvent):
        what = "" if min(event.supply_ray, event.borrow_ray) >= 0 else "a negative rate"
    elif isinstance(event, LiquidityEvent):
        what = "" if event.liquidity > 0 else f"liquidity {event.liquidity}"
    elif isinstance(event, FlowEvent):
        good = event.assets >= 0 and 0 <= event.shares_bps <= 10_000
        what = "" if good else f"flow {event.assets}, {event.shares_bps} bps"
    if what:
        raise MarketDataError("events", f"event {place} has {what}", "correct the event")
