"""Files of other shapes as bars: the same prices, times and lines, under the names the readers know."""

import math
from pathlib import Path

import pytest

from keeper.errors import MarketDataError
from keeper.history.bars import bars_of
from keeper.history.foreign import as_bars
from keeper.history.table import read_table

SLOTS = "time_period_start,price_open,price_high,price_low,price_close,volume_traded\n"
POOL = "timestamp,netAmount0,closeTick,openTick,lowestTick,highestTick\n"


def test_slots_of_an_archive_keep_their_prices_and_begin_when_they_say(tmp_path: Path) -> None:
    file = tmp_path / "slots.csv"
    lines = [f"2020-03-12T00:{m:02d}:00.0000000Z,1{m},1{m}.5,9,1{m},3\n" for m in (0, 10, 20)]
    file.write_text(SLOTS + "".join(lines))
    table = as_bars(read_table(file, ()))
    assert table is not None
    bars = bars_of(table, 600)
    assert bars.times.tolist() == [1_583_971_200 + 600 * i for i in range(3)]
    assert bars.close.tolist() == [10, 110, 120]
    assert bars.high.tolist() == [10.5, 110.5, 120.5]


def test_pool_minutes_are_dollars_of_base_and_span_all_their_ticks(tmp_path: Path) -> None:
    """token0 is the dollar, so the price falls as the tick rises; a close outside the extremes is real."""
    file = tmp_path / "pool.csv"
    file.write_text(POOL + "2023-08-17 21:39:00,0,203000,202000,202100,202500\n")
    table = as_bars(read_table(file, ()))
    assert table is not None
    bars = bars_of(table, 60)
    first, last = (1e12 / math.exp(t * math.log(1.0001)) for t in (202_000, 203_000))
    assert bars.times.tolist() == [1_692_308_340]
    assert bars.open[0] == pytest.approx(first)
    assert bars.close[0] == pytest.approx(last)
    assert (bars.high[0], bars.low[0]) == (bars.open[0], bars.close[0])


def test_what_has_neither_shape_is_left_to_others(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text("t,open,high,low,close\n1,2,2,2,2\n")
    assert as_bars(read_table(file, ())) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (POOL + "soon,0,1,1,1,1\n", "is not a date or time"),
        (POOL + "2023-08-17,0,1,1,1,900000\n", "is no tick of Uniswap v3"),
        (SLOTS + "12 March,1,1,1,1,1\n", "is not a date or time"),
    ],
)
def test_a_time_or_tick_that_is_none_is_refused_with_its_cell(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(MarketDataError, match=said):
        as_bars(read_table(file, ()))
