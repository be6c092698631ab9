"""The feeds and the vault's oracle: when a round comes, what price follows, and which fault it has."""

from dataclasses import dataclass

from keeper.backtest.spec import OracleSpec
from keeper.model.market import FeedReading, PriceFault, PriceReading, SequencerReading
from keeper.model.units import BPS, WAD, Bps, Wad

ANSWER = 10**8
NOWHERE = "0x" + "00" * 20
BASE_FEED, QUOTE_FEED = "0x" + "fe" * 20, "0x" + "fd" * 20
_NO_SEQUENCER = SequencerReading(NOWHERE, True, 0, 0, PriceFault.NONE)
_QUOTE_BEAT_S = 3_600


@dataclass(slots=True)
class Feed:
    """One feed's newest round."""

    answer: int
    updated_at: int
    round_id: int = 1

    def answered(self, time: int, answer: int) -> None:
        """A new round."""
        self.answer, self.updated_at = answer, time
        self.round_id += 1

    def due(self, time: int, answer: int, spec: OracleSpec) -> bool:
        """By deviation or by heartbeat, as Chainlink's networks decide."""
        moved = abs(answer - self.answer) * BPS > spec.deviation_bps * self.answer
        return moved or time - self.updated_at >= spec.heartbeat_s


@dataclass(slots=True)
class Oracle:
    """Both feeds."""

    spec: OracleSpec
    window_s: int
    base: Feed
    quote: Feed
    _base_reading: FeedReading | None = None
    _quote_reading: FeedReading | None = None
    _priced: tuple[int, int, int] = (0, 0, 0)
    """Answers of base and quote, and the price they make."""

    @property
    def answers(self) -> tuple[int, int]:
        """Dollar answers of asset and base, as the lending venue reads them."""
        return self.quote.answer, self.base.answer

    @property
    def price_wad(self) -> int:
        """Asset per whole base, rounded down."""
        base, quote, price = self._priced
        if base != self.base.answer or quote != self.quote.answer:
            base, quote = self.base.answer, self.quote.answer
            price = base * WAD // quote
            self._priced = (base, quote, price)
        return price

    def keep_quote(self, time: int) -> None:
        """The asset's feed beats at its heartbeat, with the answer it has."""
        if time - self.quote.updated_at >= _QUOTE_BEAT_S:
            self.quote.answered(time, self.quote.answer)

    def fault(self, time: int, twap_wad: int) -> PriceFault:
        """What the vault's oracle has against its price now."""
        return self._fault(time, deviation_bps_up(self.price_wad, twap_wad))

    def _fault(self, time: int, deviation_bps: int) -> PriceFault:
        spec, base = self.spec, self.base
        if time - base.updated_at > spec.max_age_s:
            return PriceFault.STALE
        if time - self.quote.updated_at > spec.quote_max_age_s:
            return PriceFault.STALE
        if not spec.min_answer < base.answer < spec.max_answer:
            return PriceFault.OUT_OF_BOUNDS
        if deviation_bps > spec.max_deviation_bps:
            return PriceFault.DEVIATES
        return PriceFault.NONE

    def reading(self, time: int, twap_wad: int) -> PriceReading:
        """As the lens reads it."""
        spec, price = self.spec, self.price_wad
        base = self._base_reading
        stale = time - self.base.updated_at > spec.max_age_s
        if base is None or base.round_id != self.base.round_id or stale != bool(base.fault):
            base = self._base_reading = _feed(
                self.base, BASE_FEED, "ETH / USD", spec.max_age_s, stale=stale, spec=spec
            )
        quote = self._quote_reading
        old = time - self.quote.updated_at > spec.quote_max_age_s
        if quote is None or quote.round_id != self.quote.round_id or old != bool(quote.fault):
            quote = self._quote_reading = _feed(
                self.quote, QUOTE_FEED, "USDC / USD", spec.quote_max_age_s, stale=old, spec=None
            )
        apart = deviation_bps_up(price, twap_wad)
        return PriceReading(
            Wad(price),
            Wad(twap_wad),
            Bps(apart),
            Bps(spec.max_deviation_bps),
            self.window_s,
            self._fault(time, apart),
            base,
            quote,
            _NO_SEQUENCER,
        )


def deviation_bps_up(price_wad: int, other_wad: int) -> int:
    """How far another price is from the oracle's, rounded up."""
    return -(-abs(price_wad - other_wad) * BPS // price_wad)


def _feed(
    feed: Feed, address: str, name: str, max_age_s: int, *, stale: bool, spec: OracleSpec | None
) -> FeedReading:
    low, high = (spec.min_answer, spec.max_answer) if spec else (10**7, 10**9)
    outside = not low < feed.answer < high
    fault = PriceFault.STALE if stale else PriceFault.OUT_OF_BOUNDS if outside else PriceFault.NONE
    return FeedReading(
        address,
        name,
        8,
        feed.round_id,
        feed.round_id,
        feed.answer,
        feed.updated_at,
        max_age_s,
        fault,
        low,
        high,
    )
