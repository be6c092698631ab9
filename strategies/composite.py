"""Several strategies in one vault, each with a voice of its own and a budget of risk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from keeper.model.decision import (
    NO_DECISION,
    Lane,
    OptionTarget,
    Owner,
    PerpetualTarget,
    SupplyTarget,
    Target,
)
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import WAD
from strategies.parts.asking import asked
from strategies.parts.claims import claims_clash, claims_perpetual, series_claim
from strategies.parts.positions import held_series, nav_of
from strategies.parts.scaling import scaled
from strategies.parts.stress import stress_loss
from strategies.parts.targets import hold, series_key
from strategies.parts.wrapping import claims_of, must_be_strategy


@dataclass(frozen=True, slots=True)
class Composite:
    """Ask every part about the same market and join their answers. A protective answer is the whole answer, the
    highest health first. Of health and net delta the first part in order that says something is heard: guards come
    first, hedges last. Options, perpetuals and supplies belong to the one part that claims them.

    A part with a budget is scaled so that its own options and perpetuals, with the base it buys for them, lose at
    most that part of NAV when the price moves by `stress_price` either way and volatility rises by
    `stress_volatility`; what is held already is not sold for it.

    Earns, risks and loses what its parts do, bounded by their budgets in the stress and by nothing beyond it.
    """

    parts: tuple[Strategy, ...]
    budgets: tuple[float, ...] = ()
    """Of NAV, one for each part in order; none for a part: infinity."""
    stress_price: Annotated[float, Range(0.01, 0.95, "of price")] = 0.20
    stress_volatility: Annotated[float, Range(0.0, 5.0, "of volatility")] = 0.50

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("Composite needs at least one part")
        for part in self.parts:
            must_be_strategy(self, part)
        if self.budgets and len(self.budgets) != len(self.parts):
            counts = f"{len(self.budgets)} budgets for {len(self.parts)} parts"
            raise ValueError(f"Composite needs a budget for each part, or none at all: {counts}")
        if any(math.isnan(budget) or budget < 0 for budget in self.budgets):
            raise ValueError(f"Composite.budgets must not be negative: {self.budgets}")
        clash = claims_clash([claims_of(part) for part in self.parts])
        if clash:
            raise ValueError(f"Composite has two parts that both claim {clash}")
        check_ranges(self)

    @property
    def claims(self) -> tuple[str, ...]:
        """Those of all parts."""
        return tuple(claim for part in self.parts for claim in claims_of(part))

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """The joined answer."""
        answers = [asked(part, market, risk) for part in self.parts]
        protective = [a for a in answers if a.lane is Lane.PROTECTIVE and not a.hold]
        if protective:
            return self._protecting(protective, answers)
        budgets = self.budgets or (math.inf,) * len(self.parts)
        bounded = [
            self._bounded(market, risk, claims_of(part), answer, budget)
            for part, answer, budget in zip(self.parts, answers, budgets, strict=True)
        ]
        acting = [answer for answer in bounded if not answer.hold]
        if not acting:
            return hold("; ".join(answer.reason for answer in bounded))
        return Target(
            Lane.ROUTINE,
            next((a.health_wad for a in acting if a.health_wad is not None), None),
            next((a.net_delta for a in acting if a.net_delta is not None), None),
            "; ".join(a.reason for a in bounded if not a.hold or NO_DECISION in a.reason),
            options=self._options(market, bounded),
            perpetuals=_joined([a.perpetuals for a in acting]),
            supplies=_joined([a.supplies for a in acting]),
            owners=self._owners(market, risk, bounded),
        )

    @property
    def claimants(self) -> tuple[tuple[str, str], ...]:
        """(claim, name of the part that claims it): whose positions are whose; every part has its `name` at least."""
        found = zip(self.names, self.parts, strict=True)
        return tuple(
            (claim, name) for name, part in found for claim in (f"name {name}", *claims_of(part))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What the parts are called: their own name, or their class; the place after it where two have the same."""
        plain = [str(getattr(part, "name", "") or type(part).__name__) for part in self.parts]
        twice = {name for name in plain if plain.count(name) > 1}
        return tuple(f"{n} {i + 1}" if n in twice else n for i, n in enumerate(plain))

    def _owners(
        self, market: MarketState, risk: RiskReport, answers: Sequence[Target]
    ) -> tuple[Owner, ...]:
        """Who is heard, for what, and how much of it: of health and delta the first that says something."""
        found: list[Owner] = []
        heard: set[str] = set()
        for name, part, answer in zip(self.names, self.parts, answers, strict=True):
            for what, asks in asked_for(market, risk, answer):
                if what not in heard:
                    heard.add(what)
                    found.append(Owner(what, name, asks))
            wants = (answer.options, answer.perpetuals, answer.supplies)
            if any(one is not None for one in wants):
                found += [Owner(claim, name) for claim in claims_of(part)]
        return tuple(found)

    def _protecting(self, protective: Sequence[Target], answers: Sequence[Target]) -> Target:
        """The highest protection, whose it is, and whose decision is missing beside it."""
        found = max(protective, key=lambda answer: answer.health_wad or 0)
        missing = [answer.reason for answer in answers if NO_DECISION in answer.reason]
        return replace(
            found,
            reason="; ".join((found.reason, *missing)),
            owners=(Owner(HEALTH, self.names[answers.index(found)]),),
        )

    def _bounded(
        self,
        market: MarketState,
        risk: RiskReport,
        claims: tuple[str, ...],
        answer: Target,
        budget: float,
    ) -> Target:
        """A part's answer inside its claims and its budget."""
        beyond = _beyond_claims(market, claims, answer)
        if beyond:
            return hold(f"a part wants {beyond}, which it does not claim")
        if answer.hold or math.isinf(budget):
            return answer
        nav = nav_of(market, risk)
        loss = stress_loss(
            market, risk, claims, answer, (self.stress_price, self.stress_volatility)
        )
        if nav is None or loss is None:
            return hold(
                f"the loss of a part cannot be measured against its budget: {answer.reason}"
            )
        if loss <= budget * nav:
            return answer
        return scaled(market, risk, answer, budget * nav / loss, None)

    def _options(
        self, market: MarketState, answers: Sequence[Target]
    ) -> tuple[OptionTarget, ...] | None:
        """Of each part the series that it claims; of the others what is held."""
        if all(answer.options is None for answer in answers):
            return None
        series = {series_key(one): one for one in held_series(market)}
        for part, answer in zip(self.parts, answers, strict=True):
            if answer.options is None:
                continue
            mine = claims_of(part)
            series = {k: one for k, one in series.items() if series_claim(one) not in mine}
            series |= {series_key(o): o for o in answer.options if series_claim(o) in mine}
        return tuple(series.values())


HEALTH, DELTA = "health", "net delta"


def asked_for(market: MarketState, risk: RiskReport, answer: Target) -> tuple[tuple[str, int], ...]:
    """(what, value in asset units) of the trades that an answer alone would mean, to split netted ones by."""
    readings, found = market.readings, []
    if answer.health_wad is not None:
        ledger = Ledger.of(readings)
        debt, now = ledger.debt_scaled() // ledger.asset_scale, risk.health_wad
        # to bring health from h to h' by debt alone takes debt x |1 - h / h'|
        found.append((HEALTH, debt * abs(answer.health_wad - now) // max(1, answer.health_wad)))
    if answer.net_delta is not None:
        scale = WAD * 10**readings.base.decimals // 10**readings.asset.decimals
        change = abs(answer.net_delta - risk.net_delta)
        found.append((DELTA, change * readings.price.price_wad // scale))
    return tuple(found)


def _beyond_claims(market: MarketState, claims: tuple[str, ...], answer: Target) -> str:
    """What an answer changes that is not its to change; empty for nothing."""
    held = {series_key(one): one.quantity for one in held_series(market)}
    for one in answer.options or ():
        changes = held.get(series_key(one), 0) != one.quantity
        if changes and series_claim(one) not in claims:
            return series_claim(one)
    for perpetual in answer.perpetuals or ():
        if not claims_perpetual(claims, perpetual.venue):
            return f"perpetual {perpetual.venue}"
    return "supplies" if answer.supplies and "supplies" not in claims else ""


Wanted = TypeVar("Wanted", PerpetualTarget, SupplyTarget)


def _joined(lists: Sequence[tuple[Wanted, ...] | None]) -> tuple[Wanted, ...] | None:
    """All that are wanted; claims make sure that no two name one thing."""
    given = [one for one in lists if one is not None]
    return tuple(item for one in given for item in one) if given else None
