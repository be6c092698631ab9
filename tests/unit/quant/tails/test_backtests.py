"""Tests of estimates against published examples, and their size and power by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from keeper.errors import QuantityError
from keeper.quant import tails
from keeper.quant.tails import Zone
from keeper.quant.tails.shortfall import Simulator

Floats = NDArray[np.float64]


def hits_with(n01: int, n11: int, total: int) -> NDArray[np.bool_]:
    """`n01` runs of exceptions holding `n11` extra ones, starting and ending quiet."""
    runs = [[False, True]] * (n01 - 1) + [[False] + [True] * (n11 + 1)]
    body = [x for run in runs for x in run]
    return np.array(body + [False] * (total - len(body)))


def test_mathworks_normal95_example() -> None:
    """MathWorks Risk Management Toolbox, `cc`: EquityIndex, Normal95, 57 of 1,043, N00 932, N01 53, N11 4."""
    found = tails.coverage_tests(hits_with(53, 4, 1_043), 0.95)
    assert (found.observations, found.exceptions) == (1_043, 57)
    assert found.transitions == (932, 53, 53, 4)
    assert found.unconditional.statistic == pytest.approx(0.46147, abs=5e-6)
    assert found.unconditional.p_value == pytest.approx(0.49694, abs=5e-6)
    assert found.independence.statistic == pytest.approx(0.25866, abs=5e-6)
    assert found.independence.p_value == pytest.approx(0.61104, abs=5e-6)
    assert found.conditional.statistic == pytest.approx(0.72013, abs=5e-6)
    assert found.conditional.p_value == pytest.approx(0.69763, abs=5e-6)


@pytest.mark.parametrize(
    ("observations", "confidence", "lowest", "highest"),
    [
        # Kupiec (1995), table 3: exceptions not rejected at 5 %. It prints no lower end for 255 at 99 %.
        (255, 0.99, None, 6),
        (510, 0.99, 2, 10),
        (1_000, 0.99, 5, 16),
        (255, 0.95, 7, 20),
        (1_000, 0.95, 38, 64),
    ],
)
def test_kupiecs_own_table(
    observations: int, confidence: float, lowest: int | None, highest: int
) -> None:
    found = [
        x
        for x in range(observations // 5)
        if tails.kupiec(observations, x, confidence).p_value > 0.05
    ]
    assert lowest in {None, found[0]}
    assert found[-1] == highest


@pytest.mark.parametrize(
    ("exceeded", "zone", "probability", "increase"),
    [
        # Basel Committee (1996), table 2: cumulative probabilities and increases at 250 days, 99 %.
        (4, Zone.GREEN, 0.8922, 0.0),
        (5, Zone.YELLOW, 0.9588, 0.40),
        (6, Zone.YELLOW, 0.9863, 0.50),
        (7, Zone.YELLOW, 0.9960, 0.65),
        (8, Zone.YELLOW, 0.9989, 0.75),
        (9, Zone.YELLOW, 0.9997, 0.85),
        (10, Zone.RED, 0.9999, 1.0),
    ],
)
def test_the_committees_traffic_light(
    exceeded: int, zone: Zone, probability: float, increase: float
) -> None:
    light = tails.traffic_light(exceeded)
    assert light.zone is zone
    assert light.probability == pytest.approx(probability, abs=5e-5)
    assert light.increase == increase


@given(st.integers(1, 3_000), st.floats(0.9, 0.999), st.data())
def test_more_exceptions_never_improve_the_light(
    count: int, level: float, data: st.DataObject
) -> None:
    fewer = data.draw(st.integers(0, count - 1))
    less, more = (
        tails.traffic_light(x, observations=count, confidence=level) for x in (fewer, fewer + 1)
    )
    order = [Zone.GREEN, Zone.YELLOW, Zone.RED]
    assert order.index(less.zone) <= order.index(more.zone)
    assert less.increase <= more.increase


def test_mathworks_traffic_light_example() -> None:
    """`varbacktest.tl`: 57 of 1,043 at 95 % is green, probability 0.77913."""
    light = tails.traffic_light(57, observations=1_043, confidence=0.95)
    assert light.zone is Zone.GREEN
    assert light.probability == pytest.approx(0.77913, abs=5e-6)


def test_mathworks_critical_value_of_the_unconditional_test() -> None:
    """`esbacktest.unconditionalNormal`: -0.34639 for 1,966 normal returns at 97.5 %, test level 99 %."""
    test = tails.acerbi_szekely(
        np.zeros(1_966),
        *normal_es(0.975),
        0.975,
        lambda g, paths: g.standard_normal((paths, 1_966)),
        paths=20_000,
        level_of_test=0.01,
        seed=3,
    )
    # The 1 % point of 20,000: its standard error is 0.004.
    assert test.z2.critical == pytest.approx(-0.34639, abs=0.012)


def test_nothing_to_compare_is_no_evidence() -> None:
    found = tails.coverage_tests(np.zeros(250, dtype=bool), 0.99)
    assert found.independence.p_value == 1.0
    assert found.unconditional.p_value == pytest.approx(stats.chi2.sf(-500 * np.log(0.99), 1))


def test_clusters_are_found_and_chance_is_not() -> None:
    generator = np.random.default_rng(4)
    accepted = 0
    for _ in range(300):
        accepted += tails.christoffersen(generator.random(1_000) < 0.05)[0].p_value > 0.05
    assert accepted / 300 > 0.9
    clustered = np.repeat(generator.random(250) < 0.05, 4)
    assert tails.christoffersen(clustered)[0].p_value < 1e-6


def test_time_to_first_failure_of_one_in_a_hundred() -> None:
    """Most likely at exactly 1 / rate, where the statistic is 0; Kupiec (1995) rejects at 6 and 439."""
    assert tails.time_to_first(100, 0.99).statistic == pytest.approx(0.0, abs=1e-12)
    assert tails.time_to_first(6, 0.99).p_value < 0.05 < tails.time_to_first(7, 0.99).p_value
    assert tails.time_to_first(438, 0.99).p_value > 0.05 > tails.time_to_first(439, 0.99).p_value


def normal_es(confidence: float) -> tuple[float, float]:
    quantile = float(stats.norm.ppf(confidence))
    return quantile, float(stats.norm.pdf(quantile)) / (1 - confidence)


def simulator(draw: object) -> Simulator:
    def simulate(generator: np.random.Generator, paths: int) -> Floats:
        return draw(generator, (paths, 250))  # type: ignore[operator, no-any-return]

    return simulate


@pytest.mark.parametrize(("degrees", "critical"), [(100, -0.70), (3, -0.82)])
def test_acerbi_and_szekelys_critical_values(degrees: int, critical: float) -> None:
    """Acerbi and Szekely (2014), table 1: Z2 at 97.5 %, T = 250, 5 %: -0.70 near normal, -0.82 for t(3)."""
    quantile = float(stats.t.ppf(0.975, degrees))
    shortfall = float(stats.t.expect(lambda x: x, args=(degrees,), lb=quantile)) / 0.025
    simulate = simulator(lambda g, shape: g.standard_t(degrees, shape))
    losses = np.random.default_rng(0).standard_t(degrees, 250)
    test = tails.acerbi_szekely(
        losses, quantile, shortfall, 0.975, simulate, paths=40_000, seed=7
    )  # fmt: skip
    assert test.z2.critical == pytest.approx(critical, abs=0.025)


def test_right_estimates_are_rejected_as_often_as_the_level_says() -> None:
    quantile, shortfall = normal_es(0.975)
    simulate = simulator(lambda g, shape: g.standard_normal(shape))
    generator = np.random.default_rng(11)
    p_values = [
        tails.acerbi_szekely(
            generator.standard_normal(250), quantile, shortfall, 0.975, simulate, paths=400
        )
        for _ in range(200)
    ]
    assert np.mean([p.z2.p_value < 0.1 for p in p_values]) == pytest.approx(0.1, abs=0.06)
    assert np.mean([p.z1.p_value < 0.1 for p in p_values]) == pytest.approx(0.1, abs=0.06)


def test_a_shortfall_too_small_is_found_out() -> None:
    quantile, shortfall = normal_es(0.975)
    simulate = simulator(lambda g, shape: g.standard_normal(shape))
    losses = stats.t.rvs(3, size=250, random_state=2) * 1.2
    test = tails.acerbi_szekely(losses, quantile, shortfall, 0.975, simulate)
    assert test.z2.statistic < 0
    assert test.z2.p_value < 0.01


def test_both_statistics_by_hand() -> None:
    """Losses of 3 and 6 beyond 2 in 10 at 90 %, shortfall 4: depths of 0.75 and 1.5."""
    losses = np.array([3.0, 6.0, 2.0, *np.zeros(7)])
    test = tails.acerbi_szekely(
        losses, 2.0, 4.0, 0.9, lambda g, paths: g.standard_normal((paths, 10)), paths=100
    )
    assert test.exceptions == 2  # the loss equal to its estimate is none
    assert test.z1.statistic == pytest.approx(1 - 2.25 / 2, rel=1e-14)
    assert test.z2.p_value >= 1 / 101  # never 0
    assert test.z2.statistic == pytest.approx(1 - 2.25 / (10 * 0.1), rel=1e-13)


def test_a_p_value_counts_the_observation_itself() -> None:
    """Nothing simulated is as bad: p is 1 in 101."""
    test = tails.acerbi_szekely(
        np.full(10, 9.0), 2.0, 4.0, 0.9, lambda g, paths: np.zeros((paths, 10)), paths=100
    )
    assert test.z2.p_value == pytest.approx(1 / 101)


def test_a_loss_equal_to_its_estimate_is_no_exception() -> None:
    assert tails.exceptions([1.0, 2.0, 3.0], 2.0).tolist() == [False, False, True]


def test_without_exceptions_z1_is_unknown_and_z2_is_one() -> None:
    test = tails.acerbi_szekely(
        np.zeros(250), *normal_es(0.975), 0.975, simulator(lambda g, s: g.standard_normal(s))
    )
    assert np.isnan(test.z1.statistic)
    assert (test.z1.p_value, test.z2.statistic) == (1.0, 1.0)


def test_the_null_of_filtered_history_draws_its_residuals() -> None:
    volatility = np.array([1.0, 2.0, 4.0])
    drawn = tails.location_scale([-1.0, 3.0], volatility)(np.random.default_rng(1), 50)
    assert drawn.shape == (50, 3)
    assert np.isin(drawn / volatility, (-1.0, 3.0)).all()


def test_the_null_of_a_rolling_estimate_draws_from_each_steps_own_window() -> None:
    drawn = tails.location_scale(np.arange(5.0), [1.0, 1.0, 1.0], window=2)(
        np.random.default_rng(1), 200
    )
    assert [sorted(set(column)) for column in drawn.T] == [[0, 1], [1, 2], [2, 3]]


def test_p_values_do_not_depend_on_how_many_are_simulated_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from keeper.quant.tails import shortfall

    losses = np.random.default_rng(1).standard_normal(250)

    def p_value() -> float:
        found = tails.acerbi_szekely(
            losses, *normal_es(0.975), 0.975, simulator(lambda g, s: g.standard_normal(s)),
            paths=1_000,
        )  # fmt: skip
        return found.z2.p_value

    at_once = p_value()
    monkeypatch.setattr(shortfall, "MOST_NUMBERS", 250 * 7)
    assert p_value() == at_once


def test_the_better_quantile_scores_lower() -> None:
    losses = np.random.default_rng(5).standard_normal(20_000)
    truth = float(stats.norm.ppf(0.99))
    score = tails.quantile_score(losses, truth, 0.99)
    assert score < tails.quantile_score(losses, truth * 0.7, 0.99)
    assert score < tails.quantile_score(losses, truth * 1.5, 0.99)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: tails.kupiec(10, 11, 0.99), "exceeded"),
        (lambda: tails.kupiec(0, 0, 0.99), "exceeded"),
        (lambda: tails.christoffersen([0.5, 0.2]), "exceeded"),
        (lambda: tails.traffic_light(-1), "exceeded"),
        (lambda: tails.exceptions([1.0, 2.0], [1.0, 2.0, 3.0]), "value_at_risk"),
        (lambda: tails.time_to_first(0, 0.99), "first"),
        (
            lambda: tails.acerbi_szekely([1.0], 2.0, 1.0, 0.9, lambda g, n: np.zeros((n, 1))),
            "shortfall",
        ),
        (
            lambda: tails.acerbi_szekely([1.0], 1.0, 2.0, 0.9, lambda g, n: np.zeros((n, 9))),
            "simulate",
        ),
    ],
)
def test_what_cannot_be_tested_is_named(call: object, field: str) -> None:
    with pytest.raises(QuantityError, match=field):
        call()  # type: ignore[operator]
