"""An exchange's chain of options."""

from pathlib import Path

import numpy as np
import pytest

from keeper.errors import MarketDataError
from keeper.history.chain import NEEDED, read_chain
from keeper.quant.surface import Fate
from tests.unit.quant.surface.chains import REAL_CHAIN, real_file

GOOD = {
    "instrument_name": "ETH-9JAN24-2200-C",
    "expire_date": "9JAN24",
    "strike_price": "2200",
    "option_type": "C",
    "underlying_price": "2222",
    "bid_price": "0.02",
    "ask_price": "0.021",
    "mark_price": "0.0205",
    "creation_timestamp": "1704712781414",
}
OTHER = {
    **GOOD,
    "instrument_name": "ETH-9JAN24-2200-P",
    "option_type": "P",
    "bid_price": "",
    "ask_price": "",
}


def write(tmp_path: Path, *rows: dict[str, str]) -> Path:
    file = tmp_path / "chain.csv"
    file.write_text(
        "\n".join([",".join(NEEDED), *(",".join(row[n] for n in NEEDED) for row in rows)])
    )
    return file


def test_reads_times_sides_and_signs(tmp_path: Path) -> None:
    chain = read_chain(write(tmp_path, GOOD, OTHER))
    assert chain.sign.tolist() == [1, -1]
    assert chain.taken_at == 1_704_712_781
    assert chain.expiry.tolist() == [1_704_787_200] * 2  # 2024-01-09 08:00 UTC
    assert np.isnan(chain.bid[1])
    assert chain.years[0] == pytest.approx(74_419 / (365 * 86_400))


def test_quotes_are_the_same_in_volatility(tmp_path: Path) -> None:
    quotes = read_chain(write(tmp_path, GOOD, OTHER)).quotes()
    assert quotes.fate.tolist() == [Fate.KEPT, Fate.EMPTY]
    assert 0 < quotes.bid[0] < quotes.ask[0] < 3


def test_a_side_below_intrinsic_value_has_no_volatility(tmp_path: Path) -> None:
    low = {**GOOD, "bid_price": "0.001"}
    assert read_chain(write(tmp_path, low)).quotes().fate.tolist() == [Fate.NO_VOLATILITY]


@pytest.mark.parametrize(
    ("changed", "column", "words"),
    [
        ({"expire_date": "9JUX24"}, "expire_date", "not a date"),
        ({"option_type": "X"}, "option_type", "neither C nor P"),
        ({"strike_price": "0"}, "strike_price", "not a positive price"),
        ({"underlying_price": "-1"}, "underlying_price", "not a positive price"),
        ({"bid_price": "-0.1"}, "bid_price", "negative price"),
        ({"ask_price": "x"}, "ask_price", "not a number"),
        ({"instrument_name": "ETH-9JAN24-2200-C"}, "instrument_name", "stands twice"),
    ],
)
def test_refuses_a_row_with_its_place(
    tmp_path: Path, changed: dict[str, str], column: str, words: str
) -> None:
    with pytest.raises(MarketDataError, match=words) as caught:
        read_chain(write(tmp_path, GOOD, {**OTHER, **changed}))
    assert (caught.value.row, caught.value.column) == (3, column)


def test_names_all_columns_that_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "chain.csv"
    file.write_text("strike_price\n1\n")
    with pytest.raises(MarketDataError, match="instrument_name, expire_date"):
        read_chain(file)


def test_reads_the_real_chain() -> None:
    chain = read_chain(real_file(REAL_CHAIN))
    assert len(chain) == 684
    assert np.unique(chain.expiry).size == 11
    assert int(np.sum(np.isfinite(chain.bid) & np.isfinite(chain.ask))) == 408
