"""The books and the ratios."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.attribution import attribute
from keeper.backtest.ledger import CashLedger, Cause
from keeper.backtest.result import after_gas
from keeper.backtest.statistics import drawdowns, statistics
from keeper.errors import AccountingError
from keeper.report.performance import Floats, measure

START, DAY = 1_600_000_000 // 86_400 * 86_400, 86_400
ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(list(Cause)),
        st.sampled_from(["pool", "lending"]),
        st.integers(-(10**15), 10**15),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(opening=st.integers(0, 10**15), entries=ENTRIES)
def test_sums_by_cause_venue_and_epoch_are_the_same_change(
    opening: int, entries: list[tuple[int, Cause, str, int]]
) -> None:
    ledger = CashLedger.opened(opening)
    for epoch, cause, venue, amount in entries:
        ledger.book(START, epoch, cause, venue, amount)
    change = sum(amount for *_, amount in entries)
    assert ledger.nav == opening + change
    found = attribute("s", ledger, ledger.nav, 7, {"gamma": 1.5})
    assert found.exact
    assert sum(found.by_venue.values()) + found.flows == change
    assert sum(sum(causes.values()) for causes in found.by_epoch.values()) == change
    assert sum(found.parts.values()) == pytest.approx(change - found.flows - 7, abs=1)


@settings(max_examples=60)
@given(entries=ENTRIES)
def test_every_part_is_the_sum_of_its_own_causes_and_greeks_leave_the_rest(
    entries: list[tuple[int, Cause, str, int]],
) -> None:
    ledger = CashLedger.opened(10**12)
    for epoch, cause, venue, amount in entries:
        ledger.book(START, epoch, cause, venue, amount)
    found = attribute("s", ledger, ledger.nav, 7, {"delta": 2.0, "gamma": 1.5})

    def of(*causes: Cause) -> int:
        return sum(amount for _, cause, _, amount in entries if cause in causes)

    parts = found.parts
    assert parts["gas"] == -7
    assert parts["delta"] == of(Cause.PRICE, Cause.PERPETUAL) + 2
    assert parts["carry"] == of(Cause.INTEREST_EARNED, Cause.INTEREST_PAID, Cause.FUNDING)
    assert parts["fees"] == of(Cause.POOL_FEE, Cause.VENUE_FEE)
    assert parts["slippage"] == of(Cause.IMPACT, Cause.BASIS, Cause.SPREAD)
    assert parts["settlement"] == of(Cause.SETTLEMENT)
    assert parts["liquidation"] == of(Cause.LIQUIDATION)
    assert found.flows == of(Cause.DEPOSIT, Cause.REDEMPTION)
    # options' marks and rounding are what is left, less what Greeks said of the marks
    assert parts["residual"] == pytest.approx(of(Cause.OPTIONS, Cause.ROUNDING) - 3.5, abs=4)


def test_books_by_strategy_must_have_every_cause_and_all_of_the_gas() -> None:
    ledger = CashLedger.opened(100)
    ledger.book(START, 0, Cause.PRICE, "vault", 9)
    found = attribute("s", ledger, 109, 7, {})
    split = {"a": {"price": 4}, "shared": {"price": 5}}
    assert replace(found, by_strategy=split, gas_by_strategy={"a": 7}).exact
    assert not replace(found, by_strategy=split, gas_by_strategy={"a": 6}).exact
    assert not replace(found, by_strategy={"a": {"price": 4}}, gas_by_strategy={"a": 7}).exact


@pytest.mark.parametrize("off", [-1, 1])
def test_books_that_are_a_unit_off_stop_the_run(off: int) -> None:
    ledger = CashLedger.opened(100)
    ledger.book(START, 0, Cause.PRICE, "vault", 5)
    ledger.check(START, 105)
    with pytest.raises(AccountingError, match="105 asset units are accounted for"):
        ledger.check(START, 105 + off)


def curve(returns: list[float]) -> Floats:
    return np.concatenate([[100.0], 100.0 * np.cumprod(1.0 + np.array(returns))])


def test_beta_is_of_base_and_alpha_is_the_rest() -> None:
    draw = np.random.default_rng(1)
    market = draw.normal(0.0, 0.03, 400)
    own = 0.5 * market + 0.0004
    times = START + DAY * np.arange(401)
    found = statistics(times, curve(list(own)), curve(list(market)))
    assert found.beta == pytest.approx(0.5)
    assert found.alpha == pytest.approx(0.0004 * 365)
    assert found.correlation == pytest.approx(1.0)
    assert found.volatility == pytest.approx(float(np.log1p(own).std(ddof=1)) * math.sqrt(365))
    assert found.expected_shortfall == pytest.approx(-float(np.sort(own)[:20].mean()))


def test_the_table_and_the_tear_sheet_state_the_same_ratios() -> None:
    draw = np.random.default_rng(2)
    times = START + 3_600 * np.arange(24 * 60)
    values, price = (100.0 * np.cumprod(1.0 + draw.normal(0.0, 0.01, times.size)) for _ in range(2))
    table, sheet = statistics(times, values, price), measure(times, values, price, resamples=2)
    same = (
        "total_return",
        "volatility",
        "sortino",
        "calmar",
        "max_drawdown",
        "expected_shortfall",
        "beta",
        "days",
    )
    assert [getattr(table, name) for name in same] == [getattr(sheet, name) for name in same]
    assert table.sharpe == sheet.sharpe.value
    assert table.alpha == sheet.alpha.value


def test_ratios_are_of_the_last_value_of_each_day() -> None:
    times = START + 3_600 * np.arange(24 * 40 + 1)
    values = np.where(np.arange(times.size) % 24 == 0, 100.0, 50.0)
    found = statistics(times, values, values + 1.0)
    assert found.volatility == 0.0
    assert found.sharpe is None
    assert found.max_drawdown == 0.5


def test_too_few_days_say_only_return_and_drawdown() -> None:
    found = statistics(START + DAY * np.arange(5), curve([0.1, -0.5, 0.0, 0.2]), curve([0.0] * 4))
    assert found.total_return == pytest.approx(1.1 * 0.5 * 1.2 - 1)
    assert found.max_drawdown == pytest.approx(0.5)
    assert found.sharpe is found.annual_return is found.beta is None


def test_a_drawdown_is_from_the_highest_so_far() -> None:
    assert drawdowns(np.array([1.0, 2.0, 1.5, 3.0, 0.0])).tolist() == [0, 0, 0.25, 0, 1]


def test_gas_is_borne_in_proportion_and_never_more_than_is_there() -> None:
    """Ten of a hundred, then nothing, then half of two: 0.9 and 0.45 of the share's value."""
    share, nav = np.array([1.0, 0.02, 0.02]), np.array([100.0, 2.0, 2.0])
    found = after_gas(share, nav, np.array([10.0, 10.0, 11.0]))
    assert found.tolist() == pytest.approx([0.9, 0.018, 0.009])
    assert after_gas(share, nav, np.array([500.0, 500.0, 500.0])).tolist() == [0, 0, 0]
    assert after_gas(np.zeros(1), np.zeros(1), np.ones(1)).tolist() == [0]
