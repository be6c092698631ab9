"""A plan while it is made: the ledger after the moves so far, and what they have cost."""

from dataclasses import dataclass, replace

from keeper.model.decision import Lane, Move, MoveKind
from keeper.model.ledger import Holding, Ledger
from keeper.model.mandate import DUST_UNITS, TOP_UP_TIMES, Caps
from keeper.model.market import MarketState, PoolState, Readings
from keeper.model.policy import PlanningPolicy
from keeper.model.series import Series
from keeper.model.units import BPS, WAD, Raw
from keeper.planning.swap_quote import SwapQuote, SwapTerms, quote_swap

FLOOR_MARGIN_BPS = 5
"""Steps stay this far over the mandate's minimum health: interest of a few blocks, rounding."""
VENUE_FLOOR_WAD = 1_002 * WAD // 1_000
"""The venue refuses a withdrawal that leaves health under 1; the rest is room for the next block's price."""
MAX_ROUNDS = 8
"""Rounds of withdraw-swap-repay or borrow-swap-supply in one plan: about 3 million gas."""


@dataclass(frozen=True, slots=True)
class DeltaBand:
    """Least and greatest net delta that the mandate accepts, base units; None where no price tells."""

    low: int | None
    high: int | None


def delta_band(ledger: Ledger, caps: Caps, nav: int, max_loss: int) -> DeltaBand:
    """The mandate's band (V-06), drawn in for all that the plan may lose of NAV."""
    if ledger.price_wad <= 0:
        return DeltaBand(None, None)
    navs = (nav, max(0, nav - max_loss))
    lowest = max(value * (caps.delta_target_bps - caps.delta_band_bps) for value in navs)
    highest = min(value * (caps.delta_target_bps + caps.delta_band_bps) for value in navs)
    per_unit = ledger.base_scale * BPS
    return DeltaBand(
        -(-lowest * ledger.asset_scale // per_unit), highest * ledger.asset_scale // per_unit - 1
    )


def way_out(ledger: Ledger) -> DeltaBand:
    """Where what reduces every risk may end when it leaves the band: no farther from zero than it began."""
    most = abs(ledger.net_delta())
    return DeltaBand(-most, most)


def _leaves_band(readings: Readings, ledger: Ledger) -> bool:
    """While winding down, and from under the minimum health, the way out passes the mandate's band."""
    began = max(ledger.health_wad(), readings.account.health_wad)
    return readings.mandate.winding_down or began < readings.limits.min_health_wad


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a plan may not exceed; asset units where not said otherwise."""

    lending: str
    swapper: str
    lane: Lane
    health_floor_wad: int
    terms: SwapTerms
    min_trade: int
    max_swap: int
    idle_reserve: int
    max_loss: int
    margin_bps: int
    max_borrow_bps: int
    repays_all: bool
    """All that swaps bring repays debt: what reduces must not bring more while the vault is halted or owes base."""
    top_up_wad: int
    """Health above which more collateral is no protection any more."""
    max_venue_bps: int
    """Supplied over gross assets, for what does not make the vault safer."""
    band: DeltaBand
    """Where the net delta must end, or come nearer to."""

    @classmethod
    def of(cls, market: MarketState, lane: Lane, policy: PlanningPolicy) -> "Bounds":
        """Bounds from the mandate, its buckets and the keeper's policy, whichever is tighter.

        A protective plan reduces every risk: it has a bucket of its own, and no turnover.
        """
        readings = market.readings
        limits, mandate = readings.limits, readings.mandate
        ledger = Ledger.of(readings)
        nav = max(0, ledger.nav_down()) if readings.price.price_wad > 0 else 0
        routine = lane is Lane.ROUTINE
        # the keeper's own limit is against what can wait: a venue that liquidates takes more than the mandate allows
        loss_bps = min(limits.max_loss_bps, policy.max_loss_bps) if routine else limits.max_loss_bps
        bucket = mandate.routine if routine else mandate.protective
        max_loss = min(nav * loss_bps // BPS, bucket.left_down(nav))
        turnover = mandate.turnover.left_down(nav)
        return cls(
            lending=readings.lending_adapter,
            swapper=readings.swap_adapter,
            lane=lane,
            health_floor_wad=-(-limits.min_health_wad * (BPS + FLOOR_MARGIN_BPS) // BPS),
            terms=SwapTerms(limits.max_swap_loss_bps, policy.slippage_bps),
            min_trade=policy.min_trade,
            max_swap=min(policy.max_swap, turnover) if routine else policy.max_swap,
            idle_reserve=policy.idle_reserve if routine else 0,
            max_loss=max_loss,
            margin_bps=policy.loss_margin_bps,
            max_borrow_bps=limits.max_borrow_bps,
            repays_all=readings.paused or (not routine and ledger.base.debt > 0),
            top_up_wad=TOP_UP_TIMES * limits.min_health_wad,
            max_venue_bps=mandate.terms.caps.max_venue_bps,
            band=way_out(ledger)
            if not routine and _leaves_band(readings, ledger)
            else delta_band(ledger, mandate.terms.caps, nav, max_loss),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """Moves so far and the state after them, when every swap gives only its least output.

    `surplus_*` is what swaps are expected to give beyond that; no later move relies on it.
    """

    bounds: Bounds
    ledger: Ledger
    pool: PoolState
    moves: tuple[Move, ...] = ()
    rounds: int = 0
    traded: int = 0
    loss: int = 0
    surplus_base: int = 0
    series: tuple[Series, ...] = ()
    """Of what is written."""
    notes: tuple[str, ...] = ()
    """Why what is wanted of options waits."""

    def option(self, move: Move, ledger: Ledger) -> "Draft":
        """With a move of options added, and the holdings it leaves."""
        return replace(self, moves=(*self.moves, move), ledger=ledger)

    def note(self, why: str) -> "Draft":
        """With a reason added."""
        return replace(self, notes=(*self.notes, why))

    def do(self, kind: MoveKind, holding: Holding, amount: int) -> "Draft":
        """With a move at the lending venue added; nothing for an amount of zero."""
        if amount <= 0:
            return self
        move = Move(kind, self.bounds.lending, holding.token, Raw(amount), Raw(0))
        return replace(self, moves=(*self.moves, move), ledger=self.ledger.apply(move))

    def swap(self, quote: SwapQuote) -> "Draft":
        """With a swap added."""
        token, amount, least = quote.sold.token, Raw(quote.amount_in), Raw(quote.min_out)
        move = Move(MoveKind.SWAP, self.bounds.swapper, token, amount, least)
        buys_base = token == self.ledger.asset.token
        surplus = max(0, quote.expected_out - quote.min_out) if buys_base else 0
        return replace(
            self,
            moves=(*self.moves, move),
            ledger=self.ledger.apply(move, received=quote.min_out),
            pool=quote.pool_after,
            traded=self.traded + quote.value,
            loss=self.loss + quote.expected_loss,
            surplus_base=self.surplus_base + surplus,
        )

    def next_round(self) -> "Draft":
        """With one more round counted."""
        return replace(self, rounds=self.rounds + 1)

    def quote(self, sold: Holding, amount_in: int) -> SwapQuote:
        """Quote a swap in the pool as the moves so far leave it."""
        return quote_swap(self.ledger, self.pool, self.bounds.terms, sold, amount_in)

    def max_loss(self, loss: int, traded: int) -> int:
        """Loss to accept for an expected loss and a traded value: with margin, and dust of both tokens per move."""
        dust = DUST_UNITS * (len(self.moves) + 3)
        margin = -(-traded * self.bounds.margin_bps // BPS)
        return max(0, loss) + margin + dust + self.ledger.value_up(self.ledger.base, dust)

    def affordable(self, quote: SwapQuote, room_bps: int) -> bool:
        """True if the swap keeps inside size, loss and the mandate, with `room_bps` to spare."""
        accepted = self.max_loss(self.loss + quote.expected_loss, self.traded + quote.value)
        return (
            self.traded + quote.value <= self.bounds.max_swap
            and accepted <= self.bounds.max_loss
            and quote.expected_out * (BPS - room_bps) >= quote.mandate_out * BPS
        )

    def largest_swap(self, sold: Holding, wanted: int) -> int:
        """Greatest affordable amount of `sold`, at most `wanted` (token units).

        Leaves the whole slippage to spare before the mandate refuses the swap. A protective plan that would
        be too small to help takes what the mandate allows at all.
        """
        room = self.bounds.terms.slippage_bps
        wanted = min(wanted, self._within_band(sold, wanted))
        best = self._largest(sold, wanted, room)
        too_small = self.ledger.value_down(sold, best) < self.bounds.min_trade
        if too_small and self.bounds.lane is Lane.PROTECTIVE:
            best = self._largest(sold, wanted, 0)
        return best

    def _within_band(self, sold: Holding, wanted: int) -> int:
        """Units of `sold`, at most `wanted`, whose sale leaves the net delta where the mandate wants it."""
        band, delta = self.bounds.band, self.ledger.net_delta()
        if band.low is None or band.high is None:
            return wanted
        if sold.token == self.ledger.base.token:
            return min(wanted, max(0, delta - band.low))
        room = max(0, band.high - delta - self.surplus_base)
        return min(wanted, room * self.ledger.base_scale // self.ledger.asset_scale)

    def _largest(self, sold: Holding, wanted: int, room_bps: int) -> int:
        """Bisection: fee and impact only grow with size, so what is affordable is one interval."""
        if wanted <= 0 or self.affordable(self.quote(sold, wanted), room_bps):
            return max(0, wanted)
        low, high = 0, wanted
        while high - low > max(1, wanted >> 30):
            middle = (low + high) // 2
            if self.affordable(self.quote(sold, middle), room_bps):
                low = middle
            else:
                high = middle
        return low

    def worth_it(self, holding: Holding, amount: int) -> bool:
        """True if the amount is not below the smallest change worth making."""
        return amount > 0 and self.ledger.value_down(holding, amount) >= self.bounds.min_trade

    def withdrawable(self, holding: Holding, floor_wad: int) -> int:
        """Units of collateral that can leave with health still at `floor_wad`."""
        free = _over_floor(self.ledger, floor_wad)
        held = min(holding.supplied - self._rounding(holding), holding.available)
        per_unit = self.ledger.scale(holding) * holding.liquidation_threshold_bps * WAD
        if self.ledger.debt_scaled() == 0 or per_unit == 0:
            return max(0, held)
        return max(0, min(held, free // per_unit))

    def _rounding(self, holding: Holding) -> int:
        """Units the venue may count less than the ledger: it rounds what earlier moves of the token leave there."""
        earlier = (MoveKind.SUPPLY, MoveKind.WITHDRAW)
        moved = any(m.token == holding.token and m.kind in earlier for m in self.moves)
        return DUST_UNITS if moved else 0

    def borrowable(self, holding: Holding, floor_wad: int) -> int:
        """Units that can be borrowed: health at `floor_wad`, loan-to-value, liquidity, frozen."""
        if holding.frozen or floor_wad <= 0:  # a floor of zero is that of debt without collateral
            return 0
        ledger, scale = self.ledger, self.ledger.scale(holding)
        by_health = _over_floor(ledger, floor_wad) // (scale * BPS * floor_wad)
        limit = ledger.borrow_limit_scaled() * (BPS - FLOOR_MARGIN_BPS) // BPS
        by_ltv = (limit - ledger.debt_scaled() * BPS) // (scale * BPS)
        return max(0, min(by_health, by_ltv, holding.available))


def _over_floor(ledger: Ledger, floor_wad: int) -> int:
    """Threshold-weighted collateral beyond what `floor_wad` needs, scaled x BPS x WAD."""
    return ledger.threshold_scaled() * WAD - ledger.debt_scaled() * BPS * floor_wad


def other(ledger: Ledger, holding: Holding) -> Holding:
    """The token on the other side of a swap."""
    return ledger.base if holding.token == ledger.asset.token else ledger.asset
