"""The tear sheet: figures that agree with the arrays, a page that stands alone and does not grow with the run."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keeper.report.performance import Floats
from keeper.report.tearsheet import (
    TearSheet,
    Trade,
    daily_losses,
    performance_of,
    rows,
    sheet_json,
    thinned,
    value_at_risk,
)
from keeper.report.tearsheet_page import sheet_page
from keeper.report.tearsheet_plots import sheet_plots

HOURS = 24 * 40


def sheet(hours: int = HOURS) -> TearSheet:
    generator = np.random.default_rng(7)
    times = 1_600_041_600 + 3_600 * np.arange(hours, dtype=np.int64)
    price = 2_000 * np.exp(np.cumsum(generator.normal(0, 0.008, hours)))
    equity = 1 + 0.3 * (price / price[0] - 1)
    return TearSheet(
        title="<b>half</b> & half",
        asset="USDC",
        base="ETH",
        times=times,
        equity=equity,
        nav=equity * 1e6,
        price=price,
        health=np.where(np.arange(hours) < 5, np.inf, 1.6),
        band=(1.4, 1.9),
        greeks=(("delta [ETH]", 100 + 0 * price), ("vega [USDC]", 0 * price)),
        trades=(
            Trade(int(times[3]), float(price[3]), 1.5, 2.0),
            Trade(int(times[9]), float(price[9]), -0.5, 1.0, protective=True),
        ),
        parts=(("delta", 1_200.0), ("carry", -150.0), ("vega", 0.0), ("residual", 3.0)),
        turnover=2.5,
        facts=(("ticks", "960"),),
        notes=("made up",),
        command="keeper backtest --x <y>",
    )


def test_the_page_says_what_the_figures_say_and_escapes_what_it_is_given() -> None:
    shown = sheet()
    found = performance_of(shown, resamples=50)
    page = sheet_page(shown, found)
    assert "&lt;b&gt;half&lt;/b&gt; &amp; half" in page
    assert "<b>half" not in page
    for name, value, _ in rows(found, shown):
        assert f">{name}</th><td>{value}</td>" in page
    assert f"{found.total_return:+.2%}" in page
    assert "keeper backtest --x &lt;y&gt;" in page


def test_the_page_needs_nothing_else() -> None:
    page = sheet_page(sheet(), performance_of(sheet(), resamples=10))
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert "@import" not in page
    HTMLParser().feed(page)


def test_equal_runs_give_equal_pages() -> None:
    first, again = (sheet_page(sheet(), performance_of(sheet(), resamples=20)) for _ in range(2))
    assert first == again


def test_only_what_the_run_has_is_drawn() -> None:
    assert set(sheet_plots(sheet())) == {
        "equity", "drawdown", "trades", "health", "greeks", "waterfall", "losses",
    }  # fmt: skip
    bare = replace(
        sheet(), health=np.full(HOURS, np.inf), greeks=(), parts=(), trades=(), band=None
    )
    assert set(sheet_plots(bare)) == {"equity", "drawdown", "trades", "losses"}


def test_the_drawings_do_not_grow_with_the_run() -> None:
    short, long = (len("".join(sheet_plots(sheet(24 * days)).values())) for days in (100, 1_000))
    assert long < 1.6 * short


def test_json_holds_the_figures_and_no_infinity() -> None:
    shown = sheet()
    found = performance_of(shown, resamples=50)
    facts = json.loads(json.dumps(sheet_json(shown, found), allow_nan=False))
    assert facts["performance"]["sharpe"]["value"] == found.sharpe.value
    assert facts["attribution"] == {"delta": 1_200.0, "carry": -150.0, "vega": 0.0, "residual": 3.0}
    assert (facts["trades"], facts["trade_costs"], facts["lowest_health"]) == (2, 3.0, 1.6)
    calm = sheet_json(replace(shown, health=np.full(HOURS, np.inf)), found)
    assert calm["lowest_health"] is None


def test_value_at_risk_is_exceeded_on_no_more_than_its_part_of_days() -> None:
    losses = daily_losses(sheet())
    for confidence in (0.5, 0.95, 0.99):
        at = value_at_risk(losses, confidence)
        assert np.mean(losses > at) <= 1 - confidence + 1e-12
        assert at in losses
    assert value_at_risk(np.array([1.0, 2.0, 3.0, 4.0]), 0.5) == 2.0


@given(
    hnp.arrays(float, st.integers(1, 3_000), elements=st.floats(-1e6, 1e6)),
    st.integers(10, 400),
)
def test_a_thinned_line_keeps_its_ends_and_its_extremes(values: Floats, most: int) -> None:
    places = thinned(values, most)
    assert places[0] == 0
    assert places[-1] == values.size - 1
    assert places.size <= max(most, 0) + 2 or values.size <= most
    assert (np.diff(places) > 0).all()
    assert values[places].min() == values.min()
    assert values[places].max() == values.max()


def test_a_run_too_short_for_ratios_is_refused_by_name() -> None:
    from keeper.errors import QuantityError

    short = sheet(30)
    with pytest.raises(QuantityError, match="less than three days"):
        performance_of(short)
