"""A real chain: Deribit's ETH options of 2024-01-08."""

import numpy as np
import pytest

from keeper.history.chain import read_chain
from keeper.quant.surface import Fate, Fit, fit_report, fit_surface, marks_of
from tests.unit.quant.surface.chains import REAL_CHAIN, real_file


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_surface(read_chain(real_file(REAL_CHAIN)).quotes())


def test_every_expiry_is_there_and_no_arbitrage_is(fit: Fit) -> None:
    report = fit_report(fit)
    assert len(report.expiries) == 11
    assert report.faults == ()
    assert report.least_g >= 0
    assert report.calendar_gap is not None
    assert report.calendar_gap >= 0


def test_lies_inside_two_thirds_of_the_quotes_and_near_the_rest(fit: Fit) -> None:
    report = fit_report(fit)
    assert report.inside > 0.65
    assert max(expiry.rms_core for expiry in report.expiries) < 0.025


def test_the_level_of_thirty_days_is_the_exchanges_index(fit: Fit) -> None:
    """The exchange's 30-day volatility index closed at 69.84 that day; it averages the smile, so it is above the
    money."""
    assert float(fit.surface.volatility(0.0, 30 / 365)) == pytest.approx(0.69, abs=0.02)


def test_what_is_dropped_is_what_has_no_two_sides_or_no_volatility(fit: Fit) -> None:
    counts = np.bincount(fit.fate, minlength=len(Fate))
    assert counts[Fate.EMPTY] == 276
    assert counts[Fate.OUTLIER] <= 8
    assert counts[[Fate.CROSSED, Fate.DUPLICATE, Fate.STALE, Fate.ABSURD]].sum() == 0


def test_its_marks_are_taken_by_the_oracle(fit: Fit) -> None:
    days = (1, 3, 7, 14, 30, 60, 90, 180)
    assert marks_of(fit.surface, tuple(86_400 * day for day in days)).faults() == ()
