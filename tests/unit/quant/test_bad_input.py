"""Input that a careless caller gives: a clear status or an error that names the field, never a wrong number."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import black, impact
from keeper.quant import uniswap_v3 as v3
from keeper.quant.implied import ImpliedStatus, implied_volatility
from keeper.quant.schedule import almgren_chriss
from keeper.quant.surface import (
    Fate,
    Mark,
    MarkSurface,
    Quotes,
    fit_report,
    fit_surface,
    marks_of,
    tally,
)
from tests.unit.quant.surface.chains import make_quotes, make_surface

SCHEDULE: dict[str, Any] = {
    "size": 10.0,
    "horizon_years": 0.01,
    "slices": 4,
    "price": 2_000.0,
    "volatility": 0.8,
    "risk_aversion": 1e-6,
    "temporary_impact": 1e-4,
}


def pool(**changes: Any) -> impact.Pool:
    given = {
        "sqrt_price_x96": v3.Q96,
        "tick": 0,
        "liquidity": 10**18,
        "fee_pips": 3_000,
        "tick_spacing": 60,
        "net_liquidity": {-60: 10**18, 60: -(10**18)},
    }
    return impact.Pool(**{**given, **changes})


def test_what_a_mask_hides_is_not_a_number() -> None:
    """Not the number under the mask, which nobody vouches for."""
    hidden: Any = np.ma.masked_equal([100.0, 123.0], 123.0)  # type: ignore[no-untyped-call]
    assert np.isnan(black.price(hidden, 100.0, 1.0, 0.5, 1.0)).tolist() == [False, True]
    found = implied_volatility(hidden - 90, 100, 100, 1, 1)
    assert found.status.tolist() == [ImpliedStatus.OK, ImpliedStatus.NOT_A_NUMBER]
    quotes = make_quotes(make_surface())
    bid: Any = np.ma.masked_where(np.arange(len(quotes)) == 5, quotes.bid)  # type: ignore[no-untyped-call]
    masked = Quotes.of(quotes.years, quotes.strike, quotes.forward, bid, quotes.ask)
    assert np.flatnonzero(fit_surface(masked).fate == Fate.EMPTY).tolist() == [5]


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x.astype(">f8"),
        lambda x: np.repeat(x, 3)[::3],
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.asfortranarray(x.reshape(2, 3)).reshape(-1, order="C"),
        lambda x: np.broadcast_to(x, (4, 6))[2],
        lambda x: x.astype(np.longdouble),
    ],
)
def test_memory_layout_changes_no_bit(layout: Callable[[Any], Any]) -> None:
    strike = np.linspace(80.0, 120.0, 6)
    plain = black.price(100.0, strike, 0.4, 0.5, 1.0)
    assert (black.price(100.0, layout(strike), 0.4, 0.5, 1.0) == plain).all()


@pytest.mark.parametrize("function", [impact.square_root_impact, impact.square_root_cost])
def test_sizes_that_do_not_match_are_refused(function: Callable[..., Any]) -> None:
    arguments = ([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0)[: 3 if "impact" in function.__name__ else 4]
    with pytest.raises(QuantityError, match=r"\(2,\).*\(3,\)|\(3,\).*\(2,\)"):
        function(*arguments)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("size", {"size": "1"}),
        ("coefficient", {"coefficient": "1"}),
        ("exponent", {"exponent": -0.5}),
        ("coefficient", {"coefficient": 0.0}),
    ],
)
def test_impact_takes_numbers_only(field: str, changed: dict[str, Any]) -> None:
    good = {"size": 1.0, "daily_volume": 1.0, "daily_volatility": 0.1}
    with pytest.raises(QuantityError) as refused:
        impact.square_root_impact(**{**good, **changed})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("liquidity", {"liquidity": np.int64(10**18)}),
        ("liquidity", {"liquidity": 1e18}),
        ("sqrt_price_x96", {"sqrt_price_x96": float(v3.Q96)}),
        ("net_liquidity", {"net_liquidity": {60: np.int64(5)}}),
        ("net_liquidity", {"net_liquidity": {60.0: 5}}),
        ("known_from", {"known_from": 60}),
        ("known_from", {"known_to": -1}),
    ],
)
def test_a_pool_of_floats_of_wrapping_integers_or_out_of_sight_is_refused(
    field: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(QuantityError) as refused:
        pool(**changed)
    assert refused.value.field == field


def test_an_amount_that_could_wrap_around_is_refused() -> None:
    with pytest.raises(QuantityError, match="amount"):
        impact.swap(pool(), np.int64(10**15), zero_for_one=True)  # type: ignore[arg-type]


def test_the_end_of_what_is_known_may_be_where_the_price_is() -> None:
    stopped = impact.swap(pool(known_to=30), 10**18, zero_for_one=False).after
    again = impact.swap(stopped, 10**18, zero_for_one=False)
    assert (again.amount_in, again.complete) == (0, False)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("size", {"size": "1"}),
        ("size", {"price": 1e200}),
        ("size", {"size": 1e200}),
        ("size", {"risk_aversion": 1e308, "temporary_impact": 1e-300}),
        ("slices", {"slices": "4"}),
        ("permanent_impact", {"permanent_impact": np.nan}),
    ],
)
def test_a_schedule_without_a_finite_cost_is_refused(field: str, changed: dict[str, Any]) -> None:
    with pytest.raises(QuantityError) as refused:
        almgren_chriss(**{**SCHEDULE, **changed})
    assert refused.value.field == field


def test_a_schedule_takes_numpys_integers() -> None:
    one, other = (almgren_chriss(**{**SCHEDULE, "slices": n}) for n in (4, np.int64(4)))
    assert (one.trades == other.trades).all()


@pytest.mark.parametrize(
    ("changed", "fate"),
    [
        ({"years": 2.6e6}, Fate.ABSURD),  # seconds
        ({"years": 1e-300}, Fate.EXPIRED),
        ({"years": np.inf}, Fate.NOT_A_NUMBER),
        ({"bid": 1e-9, "ask": 1.1e-9}, Fate.ABSURD),
    ],
)
def test_quotes_in_other_units_are_dropped_and_reported(
    changed: dict[str, float], fate: Fate
) -> None:
    quotes = make_quotes(make_surface())
    columns = {name: getattr(quotes, name).copy() for name in ("years", "bid", "ask")}
    for name, wrong in changed.items():
        columns[name][7] = wrong
    fit = fit_surface(Quotes.of(strike=quotes.strike, forward=2_000, **columns))
    assert fit.fate[7] == fate
    assert fit_report(fit).dropped == tally(fit.fate) == {fate.words: 1}


def test_an_empty_chain_is_empty_and_cannot_be_fitted() -> None:
    empty = Quotes.of([], [], 2_000.0, [], [])
    assert len(empty) == len(Quotes.of_prices([], [], [], [], [], sign=1)) == 0
    with pytest.raises(QuantityError, match="none given"):
        fit_surface(empty)


@pytest.mark.parametrize(
    ("k", "years"), [(1e200, 0.1), (-1e200, 0.1), (0.0, 1e308), ([0.0, np.nan], 0.1)]
)
def test_a_surface_has_nothing_to_say_out_of_the_range_of_doubles(k: Any, years: float) -> None:
    with pytest.raises(QuantityError):
        make_surface().volatility(k, years)
    with pytest.raises(QuantityError):
        make_surface().local(k, years)


def test_one_smile_is_at_one_time() -> None:
    with pytest.raises(QuantityError, match="years"):
        make_surface().smile_at([0.1, 0.2])  # type: ignore[arg-type]


def test_marks_of_numpys_integers_do_not_wrap_around() -> None:
    """Their conditions need up to 150 bits."""
    steep = Mark(np.int64(4_000_000), np.int64(7_000), np.int64(20_000))  # type: ignore[arg-type]
    tenors = tuple(np.array([63_072_000 // 2, 63_072_000]))
    faults = MarkSurface(tenors, (steep, steep)).faults()
    plain = Mark(4_000_000, 7_000, 20_000)
    assert faults == MarkSurface((31_536_000, 63_072_000), (plain, plain)).faults()
    assert "mark 0: butterfly arbitrage" in faults
    fitted = marks_of(make_surface(), tuple(np.array([86_400 * 5, 86_400 * 40], dtype=np.int32)))
    assert fitted == marks_of(make_surface(), (86_400 * 5, 86_400 * 40))


@pytest.mark.parametrize("wrong", [6e5, "600000", None])
def test_a_mark_is_made_of_integers(wrong: Any) -> None:
    with pytest.raises(QuantityError, match="level_ppm"):
        Mark(wrong, 0, 9_000)
