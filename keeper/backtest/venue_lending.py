"""The lending venue as Aave v3 keeps it: indexes in RAY, scaled balances, its own rounding, rates and liquidations.

Sources: Aave v3 core `WadRayMath`, `MathUtils`, `GenericLogic`, `LiquidationLogic` and the technical paper (2022).
A balance is its scaled amount times the index. Supply interest is linear between two touches of the reserve, debt
compounds by the binomial of three terms; here the world touches a reserve at every step, as borrowers do. An index
that nothing of the vault hangs on is brought up to those touches, one by one, when something is about to.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import RAY, ReserveSpec
from keeper.model.market import Token, TokenPosition
from keeper.model.units import BPS, INFINITE_HEALTH, WAD, Bps, Raw

YEAR_S = 365 * 86_400
HALF_RAY = RAY // 2
USD = 10**8


def ray_mul(a: int, b: int) -> int:
    """a x b / RAY, half up."""
    return (a * b + HALF_RAY) // RAY


def ray_div(a: int, b: int) -> int:
    """a x RAY / b, half up."""
    return (a * RAY + b // 2) // b


@lru_cache(maxsize=1_024)
def linear_ray(rate_ray: int, seconds: int) -> int:
    """Growth of a supply index."""
    return RAY + rate_ray * seconds // YEAR_S


@lru_cache(maxsize=1_024)
def compounded_ray(rate_ray: int, seconds: int) -> int:
    """Growth of a debt index: (1 + rate / year)^seconds to the third order."""
    if seconds == 0:
        return RAY
    square = ray_mul(rate_ray, rate_ray) // (YEAR_S * YEAR_S)
    cube = ray_mul(square, rate_ray) // YEAR_S
    second = seconds * (seconds - 1) * square // 2
    third = seconds * (seconds - 1) * max(seconds - 2, 0) * cube // 6
    return RAY + rate_ray * seconds // YEAR_S + second + third


@dataclass(slots=True)
class Reserve:
    """One token of the venue, and what the vault has there."""

    spec: ReserveSpec
    unit: int
    """Token units of one whole token."""
    supply_index: int = RAY
    debt_index: int = RAY
    supply_ray: int = 0
    borrow_ray: int = 0
    given: bool = False
    """Rates come from events and not from the curve."""
    scaled_supply: int = 0
    scaled_debt: int = 0
    others_supply: int = 0
    others_debt: int = 0
    supplied: int = 0
    debt: int = 0
    available: int = 0
    _supply_late: list[int] = field(default_factory=list)
    """Spans of seconds that the supply index has still to grow by; none while the vault has something there."""
    _debt_late: list[int] = field(default_factory=list)
    _shown: TokenPosition | None = None

    @classmethod
    def of(cls, spec: ReserveSpec, decimals: int, supplied: int, debt: int) -> "Reserve":
        """A reserve with what the vault starts with."""
        reserve = cls(
            spec,
            10**decimals,
            scaled_supply=supplied,
            scaled_debt=debt,
            others_supply=spec.others_supplied,
            others_debt=spec.others_borrowed,
        )
        reserve.refresh()
        return reserve

    def accrue_supply(self, seconds: int) -> None:
        """Interest on what is supplied."""
        if not self.scaled_supply:
            self._supply_late.append(seconds)
            return
        self.supply_index = ray_mul(linear_ray(self.supply_ray, seconds), self.supply_index)
        self.supplied = ray_mul(self.scaled_supply, self.supply_index)

    def accrue_debt(self, seconds: int) -> None:
        """Interest on what is owed."""
        if not self.scaled_debt:
            self._debt_late.append(seconds)
            return
        self.debt_index = ray_mul(compounded_ray(self.borrow_ray, seconds), self.debt_index)
        self.debt = ray_mul(self.scaled_debt, self.debt_index)

    def catch_up(self) -> None:
        """Both indexes up to now: before anybody looks at them, and before rates or balances change."""
        for seconds in self._supply_late:
            self.supply_index = ray_mul(linear_ray(self.supply_ray, seconds), self.supply_index)
        for seconds in self._debt_late:
            self.debt_index = ray_mul(compounded_ray(self.borrow_ray, seconds), self.debt_index)
        self._supply_late.clear()
        self._debt_late.clear()

    def copied(self) -> "Reserve":
        """Another one in the same state."""
        self.catch_up()
        return replace(self, _supply_late=[], _debt_late=[])

    def shown(self, token: Token) -> TokenPosition:
        """As the lens reads it; the same object while nothing of it changes."""
        was, spec = self._shown, self.spec
        if (
            was is None
            or was.supplied != self.supplied
            or was.debt != self.debt
            or was.available != self.available
            or was.supply_rate_ray != self.supply_ray
            or was.borrow_rate_ray != self.borrow_ray
        ):
            self._shown = was = TokenPosition(
                token.address,
                Raw(self.supplied),
                Raw(self.debt),
                Bps(spec.ltv_bps),
                Bps(spec.threshold_bps),
                Bps(spec.bonus_bps),
                self.supply_ray,
                self.borrow_ray,
                Raw(self.available),
                False,
            )
        return was

    def refresh(self) -> None:
        """Balances and rates after a change."""
        self.catch_up()
        self.supplied = ray_mul(self.scaled_supply, self.supply_index)
        self.debt = ray_mul(self.scaled_debt, self.debt_index)
        total = ray_mul(self.others_supply + self.scaled_supply, self.supply_index)
        owed = ray_mul(self.others_debt + self.scaled_debt, self.debt_index)
        self.available = max(0, total - owed)
        if not self.given:
            self._set_rates(self.available, owed)

    def _set_rates(self, available: int, owed: int) -> None:
        """The curve: two slopes of utilisation."""
        spec = self.spec
        usage = ray_div(owed, available + owed) if owed else 0
        rate = spec.base_ray
        if usage > spec.optimal_ray:
            over = ray_div(usage - spec.optimal_ray, RAY - spec.optimal_ray)
            rate += spec.slope1_ray + ray_mul(spec.slope2_ray, over)
        else:
            rate += ray_mul(spec.slope1_ray, ray_div(usage, spec.optimal_ray))
        self.borrow_ray = rate
        kept = BPS - spec.reserve_factor_bps
        self.supply_ray = (ray_mul(rate, usage) * kept + BPS // 2) // BPS

    def give_rates(self, supply_ray: int, borrow_ray: int) -> None:
        """Rates as history had them, from now on."""
        self.catch_up()
        self.given, self.supply_ray, self.borrow_ray = True, supply_ray, borrow_ray


@dataclass(frozen=True, slots=True)
class Account:
    """The vault as the venue values it, dollars with 8 decimals."""

    collateral: int
    debt: int
    average_threshold_bps: int
    average_ltv_bps: int
    health_wad: int


NO_ACCOUNT = Account(0, 0, 0, 0, int(INFINITE_HEALTH))


@dataclass(frozen=True, slots=True)
class Seizure:
    """One liquidation: what was repaid for the vault and what was taken, token units."""

    repaid_base: bool
    repaid: int
    seized_base: bool
    seized: int
    value_repaid: int
    """Dollars with 8 decimals, rounded down; as the next."""
    value_seized: int


@dataclass(slots=True)
class LendingVenue:
    """Both reserves. Prices are the dollar answers (8 decimals) that the venue's oracle reads."""

    asset: Reserve
    base: Reserve
    _known: tuple[tuple[int, ...], Account] | None = None
    """The account as it was last asked for, and what it was made of."""

    def copied(self) -> "LendingVenue":
        """Another one in the same state."""
        return LendingVenue(self.asset.copied(), self.base.copied())

    def reserve(self, of_base: bool) -> Reserve:
        """One of them."""
        return self.base if of_base else self.asset

    def account(self, asset_answer: int, base_answer: int) -> Account:
        """Values rounded down by reserve, the average threshold too, as the venue does."""
        a, b = self.asset, self.base
        if not (a.supplied or a.debt or b.supplied or b.debt):
            return NO_ACCOUNT
        made_of = (asset_answer, base_answer, a.supplied, a.debt, b.supplied, b.debt)
        if self._known is None or self._known[0] != made_of:
            self._known = (made_of, self._account(asset_answer, base_answer))
        return self._known[1]

    def _account(self, asset_answer: int, base_answer: int) -> Account:
        a, b = self.asset, self.base
        of_asset = a.supplied * asset_answer // a.unit
        of_base = b.supplied * base_answer // b.unit
        collateral = of_asset + of_base
        debt = a.debt * asset_answer // a.unit + b.debt * base_answer // b.unit
        threshold = ltv = 0
        if collateral:
            sums = of_asset * a.spec.threshold_bps + of_base * b.spec.threshold_bps
            threshold = sums // collateral
            ltv = (of_asset * a.spec.ltv_bps + of_base * b.spec.ltv_bps) // collateral
        health = int(INFINITE_HEALTH)
        if debt:
            backing = (collateral * threshold + BPS // 2) // BPS
            health = (backing * WAD + debt // 2) // debt
        return Account(collateral, debt, threshold, ltv, health)

    def supply(self, of_base: bool, amount: int) -> None:
        """Add collateral."""
        reserve = self.reserve(of_base)
        reserve.catch_up()
        scaled = ray_div(amount, reserve.supply_index)
        if scaled == 0:
            raise Reverted("InvalidMintAmount", amount)
        reserve.scaled_supply += scaled
        reserve.refresh()

    def withdraw(self, of_base: bool, amount: int, answers: tuple[int, int]) -> int:
        """Take collateral out, at most all; what is owed must stay backed."""
        reserve = self.reserve(of_base)
        reserve.catch_up()
        amount = min(amount, reserve.supplied)
        if amount > reserve.available:
            raise Reverted("VenueIlliquid", amount, reserve.available)
        scaled = min(reserve.scaled_supply, ray_div(amount, reserve.supply_index))
        if scaled == 0:
            raise Reverted("InvalidBurnAmount", amount)
        reserve.scaled_supply -= scaled
        reserve.refresh()
        account = self.account(*answers)
        if account.debt and account.health_wad < WAD:
            raise Reverted("VenueHealthTooLow", account.health_wad)
        return amount

    def borrow(self, of_base: bool, amount: int, answers: tuple[int, int]) -> int:
        """A loan within the loan to value of the collateral."""
        reserve = self.reserve(of_base)
        reserve.catch_up()
        if amount > reserve.available:
            raise Reverted("VenueIlliquid", amount, reserve.available)
        reserve.scaled_debt += ray_div(amount, reserve.debt_index)
        reserve.refresh()
        account = self.account(*answers)
        if account.debt * BPS > account.collateral * account.average_ltv_bps:
            raise Reverted("CollateralCannotCoverNewBorrow", account.collateral, account.debt)
        if account.health_wad < WAD:
            raise Reverted("VenueHealthTooLow", account.health_wad)
        return amount

    def repay(self, of_base: bool, amount: int) -> int:
        """Pay back, at most what is owed; returns what was taken."""
        reserve = self.reserve(of_base)
        reserve.catch_up()
        amount = min(amount, reserve.debt)
        if amount <= 0:
            raise Reverted("NoDebt", of_base)
        scaled = min(reserve.scaled_debt, ray_div(amount, reserve.debt_index))
        reserve.scaled_debt -= scaled
        reserve.refresh()
        return amount

    def liquidate(
        self, answers: tuple[int, int], close_factor_bps: int, full_below_wad: int
    ) -> Seizure | None:
        """The largest liquidation the venue allows now: the larger debt for the larger collateral, with its bonus."""
        account = self.account(*answers)
        if not account.debt or account.health_wad >= WAD:
            return None
        self.asset.catch_up()
        self.base.catch_up()
        values = [
            (r.debt * p // r.unit, r.supplied * p // r.unit)
            for r, p in ((self.asset, answers[0]), (self.base, answers[1]))
        ]
        owes_base, takes_base = values[1][0] > values[0][0], values[1][1] > values[0][1]
        owed, held = self.reserve(owes_base), self.reserve(takes_base)
        owed_price, held_price = answers[owes_base], answers[takes_base]
        most = BPS if account.health_wad < full_below_wad else close_factor_bps
        repaid = owed.debt * most // BPS
        bonus = held.spec.bonus_bps
        seized = repaid * owed_price * held.unit * bonus // (owed.unit * held_price * BPS)
        if seized > held.supplied:
            seized = held.supplied
            repaid = seized * held_price * owed.unit * BPS // (held.unit * owed_price * bonus)
        repaid = min(owed.debt, repaid)
        if repaid == 0 or seized == 0:
            return None
        owed.scaled_debt -= min(owed.scaled_debt, ray_div(repaid, owed.debt_index))
        held.scaled_supply -= min(held.scaled_supply, ray_div(seized, held.supply_index))
        owed.refresh()
        held.refresh()
        return Seizure(
            owes_base,
            repaid,
            takes_base,
            seized,
            repaid * owed_price // owed.unit,
            seized * held_price // held.unit,
        )
