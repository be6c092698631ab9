"""Value at risk and shortfall on real hourly ETH returns, 2018 to 2023: run with -s to see the table."""

import csv
import gzip
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.quant import tails
from keeper.quant.tails import Filter, Rolling

Floats = NDArray[np.float64]
FILE = "spot_binance_{}USDT_1h_2017-08_2023-12.csv.gz"
WINDOW = 2_000
"""Hours: 20 losses beyond 99 %."""
EWMA = Filter(0.0, 0.03, 0.97)
"""Decay 0.97, the RiskMetrics (1996) value for its longer horizon; not fitted here."""


@cache
def hourly(asset: str = "ETH") -> tuple[Floats, Floats]:
    """(losses, ln(high / low)) of the hours that follow another without a gap."""
    where = Path(
        os.environ.get("GIMBAL_MARKET_DATA") or Path(__file__).parents[5] / "shared" / "data"
    )
    file = where / FILE.format(asset)
    if not file.is_file():
        pytest.skip(f"{file.name} is not in {where}; set GIMBAL_MARKET_DATA")
    with gzip.open(file, "rt", encoding="utf-8") as text:
        rows = [
            (int(r["t"]), *(float(r[name]) for name in ("close", "high", "low")))
            for r in csv.DictReader(text)
        ]
    times, prices = np.array([row[0] for row in rows]), np.log([row[1:] for row in rows])
    whole = np.diff(times) == 3_600
    return -np.diff(prices[:, 0])[whole], (prices[:, 1] - prices[:, 2])[1:][whole]


def hourly_losses() -> Floats:
    return hourly()[0]


@cache
def estimates(name: str, confidence: float) -> Rolling:
    losses = hourly_losses()
    first = float(losses[:500].std())
    volatility = tails.filter_volatility(losses, EWMA, first)[:-1]
    if name == "historical":
        return tails.rolling_historical(losses, WINDOW, confidence)
    if name == "filtered":
        return tails.rolling_filtered(losses, volatility, WINDOW, confidence)
    return tails.rolling_pareto(losses, volatility, WINDOW, confidence, refit_every=24)


def judged(name: str, confidence: float) -> tails.Coverage:
    rolled = estimates(name, confidence)
    losses = hourly_losses()[rolled.start :]
    found = tails.coverage_tests(tails.exceptions(losses, rolled.value_at_risk), confidence)
    rate = found.exceptions / found.observations
    ratio = losses[losses > rolled.value_at_risk] / rolled.expected_shortfall[
        losses > rolled.value_at_risk
    ]  # fmt: skip
    print(
        f"\n{name:>10} {confidence:.3f}: {found.exceptions:5d} of {found.observations} "
        f"({rate:.4%} for {1 - confidence:.2%}), Kupiec p {found.unconditional.p_value:.4f}, "
        f"Christoffersen p {found.independence.p_value:.2e}, loss / ES {ratio.mean():.3f}, "
        f"score {tails.quantile_score(losses, rolled.value_at_risk, confidence) * 1e4:.4f}",
        end="",
    )
    return found


@pytest.mark.parametrize("confidence", [0.95, 0.99, 0.995])
@pytest.mark.parametrize("name", ["filtered", "pareto"])
def test_filtered_estimates_are_exceeded_as_often_as_they_say(name: str, confidence: float) -> None:
    """Kupiec does not reject at 1 % over more than 50,000 hours."""
    assert judged(name, confidence).unconditional.p_value > 0.01


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_filtering_removes_clustering(confidence: float) -> None:
    plain, filtered = judged("historical", confidence), judged("filtered", confidence)
    assert filtered.independence.statistic < plain.independence.statistic


@pytest.mark.parametrize("name", ["filtered", "pareto"])
def test_losses_beyond_value_at_risk_are_as_deep_as_the_shortfall(name: str) -> None:
    rolled = estimates(name, 0.99)
    losses = hourly_losses()[rolled.start :]
    beyond = losses > rolled.value_at_risk
    assert (losses / rolled.expected_shortfall)[beyond].mean() == pytest.approx(1.0, abs=0.05)


def test_the_shortfall_of_the_last_year_is_not_rejected() -> None:
    """Acerbi and Szekely's tests against the filtered history itself, 2023."""
    rolled = estimates("filtered", 0.975)
    losses, hours = hourly_losses()[rolled.start :], 8_760
    volatility = tails.filter_volatility(hourly_losses(), EWMA, float(hourly_losses()[:500].std()))
    residuals = (hourly_losses() / volatility[:-1])[-hours - WINDOW :]
    simulate = tails.location_scale(residuals, volatility[-hours - 1 : -1], window=WINDOW)
    found = tails.acerbi_szekely(
        losses[-hours:],
        rolled.value_at_risk[-hours:],
        rolled.expected_shortfall[-hours:],
        0.975,
        simulate,
        paths=500,
    )
    print(f"\n2023: Z1 {found.z1.statistic:+.4f} p {found.z1.p_value:.3f}, ", end="")
    print(f"Z2 {found.z2.statistic:+.4f} p {found.z2.p_value:.3f}", end="")
    assert found.z1.p_value > 0.01
    assert found.z2.p_value > 0.01


@cache
def ranged(asset: str, confidence: float) -> tuple[Floats, Rolling]:
    """Losses after the first year's quarter, and filtered history by the ranges of bars."""
    losses, ranges = hourly(asset)
    ahead = tails.filter_ranges(losses, ranges)
    after = losses[ahead.start :]
    return after, tails.rolling_filtered(after, ahead.volatility[:-1], WINDOW, confidence)


@pytest.mark.parametrize("confidence", [0.95, 0.99, 0.995])
@pytest.mark.parametrize("asset", ["ETH", "BTC"])
def test_filtered_by_ranges_exceptions_neither_miscount_nor_cluster(
    asset: str, confidence: float
) -> None:
    """Neither Kupiec nor Christoffersen rejects at 1 %. The filter was shaped on ETH; BTC was looked at last."""
    after, rolled = ranged(asset, confidence)
    losses = after[rolled.start :]
    found = tails.coverage_tests(tails.exceptions(losses, rolled.value_at_risk), confidence)
    score = tails.quantile_score(losses, rolled.value_at_risk, confidence) * 1e4
    print(
        f"\n{asset} by ranges {confidence:.3f}: {found.exceptions} of {found.observations}, "
        f"Kupiec p {found.unconditional.p_value:.3f}, Christoffersen p "
        f"{found.independence.p_value:.3f} {found.transitions}, score {score:.4f}",
        end="",
    )
    assert found.unconditional.p_value > 0.01
    assert found.independence.p_value > 0.01


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_ranges_estimate_better_than_closes(confidence: float) -> None:
    """By the pinball loss over the same hours, by 2 % or more."""
    after, by_ranges = ranged("ETH", confidence)
    by_closes = estimates("filtered", confidence)
    losses = after[by_ranges.start :]
    rest = by_closes.value_at_risk[-losses.size :]
    better = tails.quantile_score(losses, by_ranges.value_at_risk, confidence)
    assert better < 0.98 * tails.quantile_score(losses, rest, confidence)
