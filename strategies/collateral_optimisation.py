"""Place collateral and debt where they cost least, across lending venues and tokens."""

from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import SupplyTarget, Target
from keeper.model.exposure import ASSET, BASE
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Raw
from strategies.parts.gates import blocked
from strategies.parts.hedging import fixed_cost
from strategies.parts.lending import Place, places
from strategies.parts.linear import Programme, solve
from strategies.parts.needs import Need, lacks
from strategies.parts.positions import free_asset, free_base, nav_of, unit
from strategies.parts.targets import hold


@dataclass(frozen=True, slots=True)
class CollateralOptimisation:
    """Of all ways to hold the same net amounts of asset and base take the one that earns most a year: a linear
    programme over what is supplied and owed of each token at each venue, with health over `health` everywhere.

    Earns: the difference of rates between where positions are and where they are best.
    Risks: venues, as any lending; more debt than today only up to `most_debt`; rates that move after the change.
    Loses: gas and `switch_cost` when the difference does not last `horizon_days`.
    """

    needs = (Need.SECOND_LENDER,)

    claims = ("supplies",)

    health: Annotated[float, Range(1.01, 100, "collateral x threshold / debt")] = 1.6
    """Of every venue with debt; never under the mandate's minimum with a twentieth to spare."""
    per_venue: Annotated[float, Range(0.0, 1.0, "of everything supplied and idle")] = 0.60
    most_debt: Annotated[float, Range(0.0, 10.0, "of NAV")] = 0.0
    """Debt up to this, or up to today's if that is more."""
    reserve: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.02
    """Assets kept idle."""
    switch_cost: Annotated[float, Range(0.0, 0.10, "of what is moved")] = 0.0
    horizon_days: Annotated[float, Range(0.1, 365, "days")] = 30.0
    """A change must earn what it costs within so long."""
    gas: Annotated[float, Range(0, 1e7, "gas of one change")] = 300_000

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What should be supplied and owed where, or why it is left."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        every = places(market)
        if len({place.rate.venue for place in every}) < 2:
            return hold(lacks("there is no second venue to compare with", Need.SECOND_LENDER))
        nav = nav_of(market, risk) or 0.0
        found = solve(self._programme(market, every, nav))
        if found is None:
            return hold("no placement keeps health, caps and reserve: positions are left")
        return self._change(market, every, found, nav)

    def _programme(self, market: MarketState, every: tuple[Place, ...], nav: float) -> Programme:
        """Variables: value supplied of each place, then owed of each, then idle assets and idle base; in NAVs.

        Amounts of a token are only moved about: supplied - owed + idle stays, for each of the two tokens.
        """
        n = len(every)
        worth = [place.price / nav for place in every]
        supplied = [place.supplied * w for place, w in zip(every, worth, strict=True)]
        owed = [place.owed * w for place, w in zip(every, worth, strict=True)]
        available = [place.available * w for place, w in zip(every, worth, strict=True)]
        idle = [free_asset(market) / nav, free_base(market) * self._base_price(every) / nav]
        total = sum(supplied) + sum(idle)
        most_debt = max(self.most_debt, sum(owed))
        equal, values = [], []
        for at, token in enumerate((ASSET, BASE)):
            mine = [float(place.underlying == token) for place in every]
            equal.append([*mine, *(-m for m in mine), float(at == 0), float(at == 1)])
            net = sum(m * (s - o) for m, s, o in zip(mine, supplied, owed, strict=True))
            values.append(net + idle[at])
        rows, bounds = self._rows(market, every, total)
        rows.append([*[0.0] * n, *[1.0] * n, 0.0, 0.0])
        bounds.append(most_debt)
        caps = [place.cap * w for place, w in zip(every, worth, strict=True)]
        return Programme(
            gains=[
                *(place.rate.supply_rate for place in every),
                *(-place.rate.borrow_rate for place in every),
                0.0,
                0.0,
            ],
            lower=[
                *(max(0.0, s - a) for s, a in zip(supplied, available, strict=True)),
                *[0.0] * n,
                min(self.reserve, idle[0]),
                0.0,
            ],
            upper=[
                *(s + cap for s, cap in zip(supplied, caps, strict=True)),
                *(o + a for o, a in zip(owed, available, strict=True)),
                total + most_debt,
                total + most_debt,
            ],
            at_most=rows,
            bounds=bounds,
            equal=equal,
            values=values,
        )

    def _rows(
        self, market: MarketState, every: tuple[Place, ...], total: float
    ) -> tuple[list[list[float]], list[float]]:
        """For each venue: health, loan to value, and its share of the whole (or what is there already)."""
        n = len(every)
        least = max(self.health, market.readings.limits.min_health_wad / WAD * 1.05)
        rows, bounds = [], []
        for venue in sorted({place.rate.venue for place in every}):
            here = [float(place.rate.venue == venue) for place in every]
            debt = here
            threshold = [h * place.rate.threshold for h, place in zip(here, every, strict=True)]
            ltv = [h * place.rate.ltv for h, place in zip(here, every, strict=True)]
            rows.append([*(-t for t in threshold), *(least * d for d in debt), 0.0, 0.0])
            rows.append([*(-one for one in ltv), *debt, 0.0, 0.0])
            rows.append([*here, *[0.0] * n, 0.0, 0.0])
            bounds += [0.0, 0.0, self.per_venue * total]
        return rows, bounds

    def _change(
        self, market: MarketState, every: tuple[Place, ...], found: tuple[float, ...], nav: float
    ) -> Target:
        """The new placement, if it earns what it costs."""
        n = len(every)
        changed, yearly, moved = [], 0.0, 0.0
        for at, place in enumerate(every):
            supplied, owed = found[at] * nav / place.price, found[n + at] * nav / place.price
            more, dearer = supplied - place.supplied, owed - place.owed
            yearly += (
                more * place.rate.supply_rate - dearer * place.rate.borrow_rate
            ) * place.price
            size = (abs(more) + abs(dearer)) * place.price
            if size > 1e-6 * nav:
                moved += size / 2
                changed.append(self._supply(place, supplied, owed))
        gain = yearly * self.horizon_days / 365
        cost = self.switch_cost * moved + fixed_cost(market, self.gas) * len(changed)
        if not changed or gain <= cost:
            return hold(
                f"the best placement would earn {gain:.2f} more and cost {cost:.2f} to reach"
            )
        reason = f"place collateral and debt better: {yearly:.2f} a year for {cost:.2f}"
        return replace(hold(reason), supplies=tuple(changed))

    @staticmethod
    def _supply(place: Place, supplied: float, owed: float) -> SupplyTarget:
        """In token units: what is supplied rounded down, what is owed too."""
        units = unit(place.decimals)
        amount, debt = (Raw(max(0, int(value * units))) for value in (supplied, owed))
        return SupplyTarget(place.rate.venue, place.rate.token, amount, debt)

    @staticmethod
    def _base_price(every: tuple[Place, ...]) -> float:
        return next((place.price for place in every if place.underlying == BASE), 0.0)
