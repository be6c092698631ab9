"""Estimates of tails against published figures, exact distributions and their own definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, stats  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant import tails
from keeper.quant.tails import Filter, ParetoFit, TailStatus

Floats = NDArray[np.float64]
LOSSES = st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=200).map(np.array)
LEVELS = st.floats(0.5, 0.995)


def normal_losses(count: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).standard_normal(count)


def test_the_historical_tail_of_a_hundred_losses_is_read_off() -> None:
    tail = tails.historical(np.arange(1.0, 101.0), 0.95)
    assert tail.value_at_risk == 95.0
    assert tail.expected_shortfall == pytest.approx(98.0)


def test_a_boundary_loss_counts_in_part() -> None:
    """2.5 of 50 losses are the tail: (50 + 49 + 48 / 2) / 2.5, the Acerbi-Tasche definition."""
    tail = tails.historical(np.arange(1.0, 51.0), 0.95)
    assert tail.expected_shortfall == pytest.approx((50 + 49 + 24) / 2.5)


@given(losses=LOSSES, low=LEVELS, high=LEVELS)
def test_value_at_risk_and_shortfall_rise_with_confidence(
    losses: Floats, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    less, more = tails.historical(losses, low), tails.historical(losses, high)
    slack = 1e-9 * float(np.abs(losses).max())
    assert less.value_at_risk <= more.value_at_risk
    assert less.expected_shortfall <= more.expected_shortfall + slack


@given(losses=LOSSES, level=LEVELS)
def test_no_figure_lies_outside_of_the_sample(losses: Floats, level: float) -> None:
    tail = tails.historical(losses, level)
    slack = 1e-9 * float(np.abs(losses).max())
    assert tail.value_at_risk <= tail.expected_shortfall <= losses.max() + slack
    assert tail.var_interval[0] <= tail.value_at_risk <= tail.var_interval[1]


@given(losses=LOSSES, level=LEVELS, scale=st.floats(0.001, 1e3), shift=st.floats(-1e4, 1e4))
def test_the_tail_moves_and_scales_with_the_losses(
    losses: Floats, level: float, scale: float, shift: float
) -> None:
    """Translation and homogeneity: two axioms of a coherent measure."""
    before, after = tails.historical(losses, level), tails.historical(losses * scale + shift, level)
    slack = 1e-9 * (float(np.abs(losses).max()) * scale + abs(shift) + 1)
    for name in ("value_at_risk", "expected_shortfall"):
        expected = getattr(before, name) * scale + shift
        assert getattr(after, name) == pytest.approx(expected, abs=slack)


@given(st.data())
def test_shortfall_is_subadditive(data: st.DataObject) -> None:
    count = data.draw(st.integers(30, 80))
    one, other = (
        np.array(data.draw(st.lists(st.floats(-1e3, 1e3), min_size=count, max_size=count)))
        for _ in range(2)
    )
    both = tails.historical(one + other, 0.9).expected_shortfall
    apart = sum(tails.historical(x, 0.9).expected_shortfall for x in (one, other))
    assert both <= apart + 1e-9


def test_a_sample_too_short_for_its_tail_says_so() -> None:
    tail = tails.historical(normal_losses(50), 0.99)
    assert tail.status is TailStatus.SHORT_SAMPLE
    assert tail.var_interval[1] == math.inf


def test_intervals_cover_as_often_as_they_say() -> None:
    """95 % intervals of 400 samples of 1,000: value at risk's by ranks is exact; the others are asymptotic and hold
    the truth some 90 % of the time. Both less three binomial standard errors.

    Cornish-Fisher is judged by its own figures at the moments of the logistic distribution: skew 0, kurtosis 1.2.
    """
    deviation = math.pi / math.sqrt(3.0)
    quantile = float(stats.norm.ppf(0.95))
    exact = (quantile, float(stats.norm.pdf(quantile)) / 0.05)
    expanded = tuple(deviation * figure for figure in tails.standard_tail(0.95, 0.0, 1.2))
    hits, used = np.zeros((2, 2)), np.zeros((2, 1))
    for seed in range(400):
        found = (
            (tails.historical(normal_losses(1_000, seed), 0.95), exact),
            (
                tails.cornish_fisher(np.random.default_rng(seed).logistic(size=1_000), 0.95),
                expanded,
            ),
        )
        for row, (tail, truth) in enumerate(found):
            used[row] += tail.usable
            hits[row, 0] += tail.var_interval[0] <= truth[0] <= tail.var_interval[1]
            hits[row, 1] += tail.es_interval[0] <= truth[1] <= tail.es_interval[1]
    rates = hits / used
    assert (used > 350).all()
    said = np.array([[0.95, 0.90], [0.90, 0.90]])
    assert (rates > said - 3 * np.sqrt(said * (1 - said) / used)).all(), rates
    assert (rates < 0.99).all(), rates


def test_filtered_history_answers_to_the_volatility_ahead_and_not_to_the_past() -> None:
    volatility = np.exp(np.sin(np.arange(2_000) / 50))
    losses = volatility * normal_losses(2_000)
    calm = tails.filtered_historical(losses, volatility, 0.5, 0.99)
    rough = tails.filtered_historical(losses, volatility, 2.0, 0.99)
    assert rough.value_at_risk == pytest.approx(4 * calm.value_at_risk)
    assert calm.value_at_risk == pytest.approx(0.5 * 2.326, rel=0.1)


def test_filtered_paths_of_one_step_are_the_filtered_sample() -> None:
    pool = normal_losses(500)
    rule = Filter(0.0, 0.06, 0.94)
    summed = tails.filtered_paths(pool, rule, 4.0, 1, 100_000, seed=3)
    assert summed.std() == pytest.approx(2.0 * pool.std(), rel=0.01)
    assert np.isin(summed, pool * 2.0).all()


def test_filtered_paths_have_the_variance_of_garch() -> None:
    """Mean variance over h steps from the long-run level is h times that level."""
    residuals = normal_losses(5_000)
    residuals = (residuals - residuals.mean()) / residuals.std()
    rule = Filter(0.05, 0.05, 0.90)
    summed = tails.filtered_paths(residuals, rule, 1.0, 10, 200_000, seed=3)
    assert summed.var() == pytest.approx(10.0, rel=0.03)


def test_the_volatility_filter_is_the_recursion_written_out() -> None:
    path = tails.filter_volatility([1.0, -2.0], Filter(0.1, 0.2, 0.7), 1.0)
    second = 0.1 + 0.2 * 1.0 + 0.7 * 1.0
    assert path**2 == pytest.approx([1.0, second, 0.1 + 0.2 * 4.0 + 0.7 * second])


def test_cornish_fisher_without_skew_or_kurtosis_is_the_normal_tail() -> None:
    var, es = tails.standard_tail(0.99, 0.0, 0.0)
    assert var == pytest.approx(stats.norm.ppf(0.99), rel=1e-14)
    assert es == pytest.approx(stats.norm.pdf(stats.norm.ppf(0.99)) / 0.01, rel=1e-13)


@given(skew=st.floats(-0.8, 0.8), kurtosis=st.floats(1.5, 5.0), level=st.floats(0.9, 0.999))
@settings(max_examples=40, deadline=None)
def test_cornish_fisher_shortfall_is_the_mean_of_its_quantiles(
    skew: float, kurtosis: float, level: float
) -> None:
    from scipy.integrate import quad  # type: ignore[import-untyped]

    var, es = tails.standard_tail(level, skew, kurtosis)
    if math.isnan(var):
        return
    integral, _ = quad(
        lambda p: tails.standard_tail(p, skew, kurtosis)[0], level, 1 - 1e-12, limit=400
    )
    assert es == pytest.approx(integral / (1 - level), rel=1e-5)


@given(skew=st.floats(-3, 3), kurtosis=st.floats(-2, 12))
def test_the_domain_is_where_the_expansion_is_monotone(skew: float, kurtosis: float) -> None:
    from keeper.quant.tails.cornish_fisher import expansion

    slopes = np.diff(expansion(np.linspace(-60, 60, 24_001), skew, kurtosis))
    inside = bool(tails.in_domain(skew, kurtosis))
    if inside:
        assert slopes.min() >= -1e-9
    edge = any(
        bool(tails.in_domain(skew + a, kurtosis + b)) != inside
        for a in (-0.02, 0, 0.02)
        for b in (-0.02, 0, 0.02)
    )
    if not inside and not edge:
        assert slopes.min() < 0


def test_the_domain_ends_where_maillard_says() -> None:
    """|S| <= 6 (sqrt 2 - 1) = 2.485, and 0 <= K <= 8 at S = 0 (Maillard, 2012)."""
    assert tails.in_domain(0.0, 0.0)
    assert tails.in_domain(0.0, 8.0)
    assert not tails.in_domain(0.0, 8.01)
    assert not tails.in_domain(0.0, -0.01)
    kurtosis = np.linspace(0, 40, 400_001)
    assert tails.in_domain(2.485, kurtosis).any()
    assert not tails.in_domain(2.486, kurtosis).any()


def test_outside_of_its_domain_cornish_fisher_gives_no_number() -> None:
    tail = tails.cornish_fisher(np.r_[np.zeros(500), 100.0], 0.99)
    assert tail.status is TailStatus.OUT_OF_DOMAIN
    assert math.isnan(tail.value_at_risk)
    assert not tail.usable


@pytest.mark.parametrize(
    ("fit", "var", "es", "slack"),
    [
        # McNeil (1999), "Extreme value theory for risk managers": Danish fire losses in millions,
        # 109 of 2,167 above 10: VaR 27.3, ES 58.2 at 99 %.
        (ParetoFit(10.0, 0.497, 6.98, (0.0, 0.0, 0.0), 109, 2_167, "ml"), 27.3, 58.2, 0.005),
        # McNeil, Frey and Embrechts (2005), example 7.25: AT&T weekly losses in percent, 102 of 521 above
        # 2.75, shape 0.22 and scale 2.1 as printed: VaR 11.7, ES 17.0 at 99 %.
        (ParetoFit(2.75, 0.22, 2.1, (0.0, 0.0, 0.0), 102, 521, "ml"), 11.7, 17.0, 0.02),
    ],
)
def test_published_pareto_tails(fit: ParetoFit, var: float, es: float, slack: float) -> None:
    tail = tails.pareto_tail(fit, 0.99)
    assert tail.value_at_risk == pytest.approx(var, rel=slack)
    assert tail.expected_shortfall == pytest.approx(es, rel=slack)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.25, 0.6])
def test_the_likelihood_found_is_no_smaller_than_scipys(shape: float) -> None:
    excess = stats.genpareto.rvs(shape, scale=2.0, size=800, random_state=5)
    fit = tails.fit_pareto(excess, 0.0)
    found_shape, _, found_scale = stats.genpareto.fit(excess, floc=0.0)
    ours = stats.genpareto.logpdf(excess, fit.shape, scale=fit.scale).sum()
    theirs = stats.genpareto.logpdf(excess, found_shape, scale=found_scale).sum()
    assert ours >= theirs - 1e-6


@pytest.mark.parametrize(
    ("method", "shape"),
    [("ml", -0.2), ("ml", 0.0), ("ml", 0.45), ("pwm", -0.2), ("pwm", 0.0), ("pwm", 0.1)],
)
def test_the_errors_of_a_fit_are_those_seen_in_repetition(method: str, shape: float) -> None:
    fits = [
        tails.fit_pareto(
            stats.genpareto.rvs(shape, scale=3.0, size=1_000, random_state=seed),
            0.0,
            method=method,  # type: ignore[arg-type]
        )
        for seed in range(300)
    ]
    shapes, scales = np.array([f.shape for f in fits]), np.array([f.scale for f in fits])
    said = np.mean([f.covariance for f in fits], axis=0)
    assert shapes.mean() == pytest.approx(shape, abs=0.01)
    assert scales.mean() == pytest.approx(3.0, rel=0.01)
    assert shapes.var() == pytest.approx(said[0], rel=0.25)
    assert scales.var() == pytest.approx(said[2], rel=0.25)
    assert np.cov(shapes, scales)[0, 1] == pytest.approx(said[1], rel=0.3)


def test_moments_are_matched_at_the_plotting_positions_of_the_paper() -> None:
    """Hosking and Wallis (1987), section 3: p = (i - 0.35) / n."""
    excess = np.sort(stats.genpareto.rvs(0.1, scale=2.0, size=60, random_state=8))
    fit = tails.fit_pareto(excess, 0.0, method="pwm")
    first = excess.mean()
    second = sum((1 - (i - 0.35) / 60) * y for i, y in enumerate(excess, start=1)) / 60
    assert fit.shape == pytest.approx(2 - first / (first - 2 * second), rel=1e-12)
    assert fit.scale == pytest.approx(2 * first * second / (first - 2 * second), rel=1e-12)


@pytest.mark.parametrize("shape", [-0.3, 0.2])
def test_the_covariance_of_matched_moments_is_the_integral_it_comes_from(shape: float) -> None:
    """Hosking (1986): n Cov of two weighted moments is an integral over both; then the delta method."""
    excess = stats.genpareto.rvs(shape, scale=2.0, size=4_000, random_state=4)
    fit = tails.fit_pareto(excess, 0.0, method="pwm")
    x, s = fit.shape, fit.scale

    def cov(r: int, t: int) -> float:
        def of(q: float, p: float) -> float:
            weights = (1 - p) ** r * (1 - q) ** t + (1 - p) ** t * (1 - q) ** r
            return float(weights * p * (1 - q) ** -x * (1 - p) ** (-x - 1))

        return float(s * s * integrate.dblquad(of, 0, 1, lambda p: p, 1, epsabs=1e-7)[0])

    of_moments = np.array([[cov(0, 0), cov(0, 1)], [cov(0, 1), cov(1, 1)]])
    at = np.array([s / (1 - x), s / (2 * (2 - x))])

    def figures(m: Floats) -> Floats:
        return np.array([2 - m[0] / (m[0] - 2 * m[1]), 2 * m[0] * m[1] / (m[0] - 2 * m[1])])

    steps = np.diag(1e-5 * at)
    slopes = np.array([(figures(at + h) - figures(at - h)) / (2 * h.max()) for h in steps])
    expected = slopes.T @ of_moments @ slopes / 4_000
    found = (fit.covariance[0], fit.covariance[1], fit.covariance[2])
    assert found == pytest.approx((expected[0, 0], expected[0, 1], expected[1, 1]), rel=1e-4)


def test_intervals_of_a_pareto_tail_cover() -> None:
    """Student-t losses: the 99 % figures of 200 samples of 2,000 are inside 95 % intervals about 90 % of the time."""
    quantile = float(stats.t.ppf(0.99, 4))
    shortfall = float(stats.t.expect(lambda x: x, args=(4,), lb=quantile)) / 0.01
    hits = np.zeros(2)
    for seed in range(200):
        losses = stats.t.rvs(4, size=2_000, random_state=seed)
        tail = tails.peaks_over_threshold(losses, 0.99)
        hits += (
            tail.var_interval[0] <= quantile <= tail.var_interval[1],
            tail.es_interval[0] <= shortfall <= tail.es_interval[1],
        )
    assert (hits / 200 > 0.90 - 3 * np.sqrt(0.90 * 0.10 / 200)).all(), hits


@pytest.mark.parametrize("shape", [-0.3, 0.0, 1e-6, 0.3, 0.8])
def test_intervals_of_a_pareto_tail_are_the_delta_method_by_differences(shape: float) -> None:
    """All four sources of error: shape, scale, both together, and the share above the threshold."""
    scale, excesses, count, level = 2.0, 50, 500, 0.99
    covariance = (0.04, -0.03, 0.16)
    tail = tails.pareto_tail(
        ParetoFit(1.0, shape, scale, covariance, excesses, count, "ml"), level, coverage=0.9
    )

    def figures(at: Floats) -> Floats:
        r = at[2] / (1 - level)
        grown = (r ** at[0] - 1) / at[0] if abs(at[0]) > 1e-12 else math.log(r)
        return np.array([at[1] * grown, math.log((at[1] * grown + at[1]) / (1 - at[0]))])

    here, share = np.array([shape, scale, excesses / count]), excesses / count
    steps = 1e-4 * np.array([1.0, 1.0, 0.1])
    slopes = np.array(
        [(figures(here + h) - figures(here - h)) / (2 * h.max()) for h in np.diag(steps)]
    )
    errors = np.array(
        [
            [covariance[0], covariance[1], 0.0],
            [covariance[1], covariance[2], 0.0],
            [0.0, 0.0, share * (1 - share) / count],
        ]
    )
    reach = stats.norm.ppf(0.95) * np.sqrt(np.diag(slopes.T @ errors @ slopes))
    half = (tail.var_interval[1] - tail.var_interval[0]) / 2
    assert half == pytest.approx(reach[0], rel=1e-5)
    low, high = (math.log(end - 1.0) for end in tail.es_interval)
    assert (high - low) / 2 == pytest.approx(reach[1], rel=1e-5)
    assert (high + low) / 2 == pytest.approx(figures(here)[1], rel=1e-6)


def test_the_threshold_keeps_what_the_rule_says() -> None:
    losses = np.arange(10_000.0)
    kept = int((losses > tails.choose_threshold(losses)).sum())
    assert kept == int(10_000 ** (2 / 3) / math.log(math.log(10_000)))
    assert int((losses[:250] > tails.choose_threshold(losses[:250])).sum()) == 23


def test_a_quantile_under_the_threshold_is_refused() -> None:
    tail = tails.peaks_over_threshold(normal_losses(1_000), 0.5)
    assert tail.status is TailStatus.ABOVE_THRESHOLD
    assert math.isnan(tail.expected_shortfall)


def test_a_tail_without_mean_has_an_infinite_shortfall() -> None:
    tail = tails.pareto_tail(ParetoFit(0.0, 1.2, 1.0, (0.01, 0.0, 0.01), 100, 1_000, "ml"), 0.99)
    assert tail.status is TailStatus.INFINITE_MEAN
    assert tail.expected_shortfall == math.inf
    assert math.isfinite(tail.value_at_risk)


def test_rolling_estimates_are_the_single_ones() -> None:
    losses = normal_losses(400)
    spread = 1 + np.abs(np.sin(np.arange(400) / 9))
    rolled = tails.rolling_filtered(losses, spread, 150, 0.97)
    for at in (150, 277, 399):
        one = tails.filtered_historical(
            losses[at - 150 : at], spread[at - 150 : at], spread[at], 0.97
        )
        assert rolled.value_at_risk[at - 150] == pytest.approx(one.value_at_risk)
        assert rolled.expected_shortfall[at - 150] == pytest.approx(one.expected_shortfall)


def test_a_rolling_estimate_never_looks_ahead() -> None:
    losses = normal_losses(600)
    other = losses.copy()
    other[400:] += 1e3
    pairs = (
        [tails.rolling_historical(x, 250, 0.99) for x in (losses, other)],
        [tails.rolling_pareto(x, 1.0, 250, 0.99, refit_every=1) for x in (losses, other)],
    )
    for one, two in pairs:
        assert (one.value_at_risk[:151] == two.value_at_risk[:151]).all()


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: tails.historical([], 0.99), "losses"),
        (lambda: tails.historical([1.0, math.nan], 0.99), r"losses\[1\]"),
        (lambda: tails.historical([[1.0]], 0.99), "losses"),
        (lambda: tails.historical(["a"], 0.99), "losses"),
        (lambda: tails.historical([1.0], 1.0), "confidence"),
        (lambda: tails.historical([1.0], math.nan), "confidence"),
        (lambda: tails.filtered_historical([1.0, 2.0], [1.0, 0.0], 1.0, 0.9), r"volatility\[1\]"),
        (lambda: tails.filtered_historical([1.0], 1.0, -1.0, 0.9), "forecast"),
        (lambda: tails.cornish_fisher(np.ones(9), 0.9), "losses"),
        (lambda: tails.fit_pareto(np.arange(100.0), 99.0), "threshold"),
        (lambda: tails.fit_pareto(np.ones(100), 0.0), "losses"),
        (lambda: tails.rolling_historical([1.0, 2.0], 2, 0.9), "window"),
        (lambda: tails.filtered_paths([1, 2], Filter(0, 0, 1), 1.0, 10**6, 10**6, seed=0), "paths"),
        (lambda: tails.filtered_paths([1, 2], Filter(0, -1, 1), 1.0, 1, 1, seed=0), "rule"),
    ],
)
def test_what_cannot_be_used_is_named(call: object, field: str) -> None:
    with pytest.raises(QuantityError, match=field):
        call()  # type: ignore[operator]


def test_integers_and_single_floats_are_numbers_too() -> None:
    whole = np.arange(1, 101)
    exact = tails.historical(whole.astype(np.float64), 0.95)
    assert tails.historical(whole, 0.95) == exact
    assert tails.historical(whole.astype(np.float32), 0.95) == exact
