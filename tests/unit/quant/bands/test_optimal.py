"""The tabulated optimum against the dynamic program and against simulation."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from keeper.errors import QuantityError
from keeper.quant import bands
from keeper.quant.bands import dynamic, optimal
from keeper.quant.bands import fixed as fixed_table
from scripts.bands import compare, policy, tabulate, tabulate_fixed

SPOTS = np.array([70.0, 85.0, 95.0, 100.0, 107.0, 120.0, 140.0])
TERMS = bands.Terms(cost_rate=0.002, aversion=0.2)


def written(
    spots: ArrayLike = SPOTS, years: float = 0.25, quantity: float = -1.0, sign: float = 1.0
) -> bands.Exposure:
    return bands.Exposure.of_options(spots, 100.0, years, 0.6, quantity, sign)


@pytest.mark.parametrize(("cost", "aversion", "side"), [(1e-2, 10.0, 0), (3e-2, 100.0, 1)])
def test_recomputed_cells_are_the_committed_ones(cost: float, aversion: float, side: int) -> None:
    problem = dynamic.Problem(cost, aversion, written=side == 0)
    again = tabulate.filled(tabulate.cell(problem))
    table = optimal.load()
    c = tabulate.COST_RATES.index(cost)
    a = int(np.argmin(np.abs(np.asarray(tabulate.AVERSIONS) - aversion)))
    for part, stored in zip(again, (table.middle, table.half), strict=True):
        np.testing.assert_allclose(stored[side, c, a], part, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(("side", "c", "a", "f", "v"), [(0, 3, 2, 2, 4), (1, 1, 1, 3, 5)])
def test_recomputed_differences_of_a_fixed_cost_are_the_committed_ones(
    side: int, c: int, a: int, f: int, v: int
) -> None:
    cost, aversion = tabulate_fixed.COST_RATES[c], tabulate_fixed.AVERSIONS[a]
    problem = dynamic.Problem(cost, aversion, written=side == 0)
    again = tabulate_fixed.cell(problem, tabulate_fixed.FIXED_COSTS[f], tabulate_fixed.VARIANCES[v])
    stored = fixed_table.load().differences[side, c, a, f, v]
    seen = np.isfinite(again)
    assert seen.mean() > 0.5
    np.testing.assert_allclose(stored[seen], again[seen], atol=2e-3)


def test_the_tables_are_small() -> None:
    assert tabulate.TABLE.stat().st_size < 300_000
    assert tabulate_fixed.TABLE.stat().st_size < 300_000


@pytest.mark.parametrize(("cost", "aversion"), compare.CELLS)
def test_at_least_half_of_the_best_closed_forms_gap_is_gone(cost: float, aversion: float) -> None:
    """Certainty equivalents along common paths, within two standard errors of the gap.

    Steps are short against the narrowest band: the optimum is that of trading at any time.
    """
    size = compare.Size(paths=3_000, steps=2_000)
    outcomes, promised = compare.compare(cost, aversion, size, leland=False)
    ours = outcomes.pop("hodges_neuberger")
    best = outcomes.pop("optimum").equivalent
    closed = min(one.gap for one in outcomes.values())
    assert ours.gap <= 0.5 * max(closed, 0.0) + 2 * ours.gap_error
    assert best == pytest.approx(promised, rel=0.02)


def test_with_a_fixed_cost_the_four_edges_are_near_the_programs() -> None:
    """The closed approximation used online, against the dynamic program with interventions."""
    cost, aversion, fixed = 0.01, 1.0, 0.2
    rule, _ = compare.impulse_rule(cost, aversion, fixed)
    spots = np.array([85.0, 100.0, 115.0])
    band = bands.hodges_neuberger(
        compare.option(spots, compare.YEARS), bands.Terms(cost, aversion, fixed)
    )
    ours = np.array([band.lower, band.lower_target, band.upper_target, band.upper])
    np.testing.assert_allclose(ours, rule(spots, compare.YEARS), atol=0.015)


@pytest.mark.parametrize(("cost", "aversion", "gas"), policy.CELLS)
def test_with_a_fixed_cost_too_at_least_half_of_the_best_closed_forms_gap_is_gone(
    cost: float, aversion: float, gas: float
) -> None:
    """By the value of each rule on a grid, where there is no sampling noise to allow for."""
    found = policy.gaps(cost, aversion, gas, cells_per_sd=14, cells_per_band=8.0)
    ours = found.pop("hodges_neuberger")
    assert 0.0 < ours <= 0.5 * min(found.values())


def test_with_a_fixed_cost_and_high_aversion_the_gap_is_gone_on_simulated_paths() -> None:
    size = compare.Size(paths=4_000, steps=500)
    outcomes, promised = compare.compare(0.01, 1.0, size, 0.2, leland=False)
    closed = min(outcomes[name].gap for name in ("zakamouline", "whalley_wilmott"))
    ours = outcomes["hodges_neuberger"]
    assert ours.gap <= 0.5 * closed
    assert outcomes["optimum"].equivalent == pytest.approx(promised, rel=0.03)


def test_a_rules_value_on_the_grid_is_its_simulations() -> None:
    """Two implementations: the value function of a rule and the mean over paths that follow it."""
    cost, aversion, gas = 0.01, 0.1, 0.2
    rule = compare.closed_rule(bands.zakamouline, bands.Terms(cost, aversion, gas))
    loss = compare.losses(rule, cost, compare.Size(8_000, 500), gas)
    found, influence = compare.equivalent(loss, aversion)
    error = np.std(influence) / np.sqrt(influence.size)
    assert policy.equivalent(rule, cost, aversion, gas) == pytest.approx(found, abs=4 * error)


def test_the_program_promises_what_the_simulation_finds() -> None:
    """Two implementations of one problem: the value of the program, the mean over paths."""
    rule, promised = compare.optimal_rule(0.01, 0.1, dynamic.Resolution(reach=1.5))
    found, influence = compare.equivalent(compare.losses(rule, 0.01, compare.Size(8_000, 500)), 0.1)
    error = 0.1 * np.std(influence) / np.sqrt(influence.size) / 0.1
    assert abs(found - promised) < 3 * error + 0.005 * promised


def test_written_options_are_hedged_closer_than_held_ones() -> None:
    """What is owed has convex risk, so its delta is watched more closely (Zakamouline 2006)."""
    owed = bands.hodges_neuberger(written(), TERMS)
    held = bands.hodges_neuberger(written(quantity=1.0), TERMS)
    at_the_money = SPOTS.tolist().index(100.0)
    width = owed.upper - owed.lower
    assert width[at_the_money] < (held.upper - held.lower)[at_the_money]


def test_a_put_is_hedged_as_its_call_less_the_underlying() -> None:
    call = bands.hodges_neuberger(written(), TERMS)
    put = bands.hodges_neuberger(written(sign=-1.0), TERMS)
    np.testing.assert_allclose(put.lower, call.lower - 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(put.upper, call.upper - 1.0, rtol=0, atol=1e-12)


def test_without_cost_there_is_no_band() -> None:
    band = bands.hodges_neuberger(written(), bands.Terms(0.0, 0.2))
    np.testing.assert_allclose(band.lower, -written().delta, atol=1e-15)
    np.testing.assert_array_equal(band.lower, band.upper)


def test_nothing_is_hedged_at_expiry() -> None:
    band = bands.hodges_neuberger(written(years=0.0), TERMS)
    assert np.all(band.lower == -np.inf)
    assert np.all(band.trade(5.0) == 0.0)


def test_a_book_of_one_option_is_that_option() -> None:
    exposure = written()
    root = 0.6 * np.sqrt(0.25)
    d1 = np.log(SPOTS / 100.0) / root + root / 2
    density = np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
    book = bands.Exposure.of_book(
        SPOTS,
        exposure.delta,
        exposure.gamma,
        -SPOTS * density * 0.5,
        density * (d1 - root) / 0.6,
        0.6,
        1.0,
    )
    np.testing.assert_allclose(book.strike, 100.0)
    np.testing.assert_allclose(book.quantity, -1.0)
    one, other = (bands.hodges_neuberger(e, TERMS) for e in (exposure, book))
    np.testing.assert_allclose(one.lower, other.lower)
    np.testing.assert_allclose(one.upper, other.upper)


def test_a_book_without_gamma_keeps_what_is_not_worth_trading() -> None:
    """Half width = cost / (aversion S variance): the risk to the end of the last unit equals its cost."""
    book = bands.Exposure.of_book(100.0, 3.0, 0.0, 0.0, 0.0, 0.6, 0.25)
    band = bands.hodges_neuberger(book, bands.Terms(0.002, 0.2))
    idle = 0.002 / (0.2 * 100.0 * 0.09)
    assert float(band.upper) > -3.0 > float(band.lower)
    assert float(band.upper - band.lower) == pytest.approx(2 * idle, rel=0.6)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("spot", {"spot": [100.0, -1.0]}),
        ("strike", {"strike": 0.0}),
        ("years", {"years": -0.1}),
        ("volatility", {"volatility": np.nan}),
        ("sign", {"sign": 0.5}),
        ("quantity", {"quantity": "many"}),
    ],
)
def test_a_bad_option_is_named(field: str, change: dict[str, object]) -> None:
    good = {"spot": 100.0, "strike": 100.0, "years": 0.1, "volatility": 0.5}
    with pytest.raises(QuantityError) as caught:
        bands.Exposure.of_options(**{**good, **change})  # type: ignore[arg-type]
    assert caught.value.field == field
    assert caught.value.index == (1 if field == "spot" else None)


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("cost_rate", bands.Terms(-0.1, 1.0)),
        ("aversion", bands.Terms(0.1, [1.0, 0.0])),
        ("fixed_cost", bands.Terms(0.1, 1.0, -1.0)),
    ],
)
def test_bad_terms_are_named(field: str, terms: bands.Terms) -> None:
    with pytest.raises(QuantityError, match=field):
        bands.hodges_neuberger(written(100.0), terms)


def test_the_program_refuses_variances_that_do_not_increase() -> None:
    with pytest.raises(QuantityError, match=r"variances\[1\]"):
        dynamic.solve(dynamic.Problem(0.01, 1.0, written=True), [0.2, 0.1], dynamic.Resolution())
