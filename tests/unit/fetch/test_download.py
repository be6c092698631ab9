"""From an exchange to a file through ccxt's own parsing; only its network is replaced."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ccxt
import pytest
from tenacity import wait_none

from keeper.errors import FetchError
from keeper.fetch.download import Progress, Span, fetch_bars, fetch_chain, fetch_funding
from keeper.fetch.exchange import Exchange
from keeper.history.bars import read_bars
from keeper.history.chain import read_chain
from keeper.history.funding import read_funding

HOUR_S = 3_600
BEGIN_S = 1_700_000_000 // HOUR_S * HOUR_S
BARS = 1_300
PERPETUAL = {
    "instrument_name": "ETH-PERPETUAL",
    "kind": "future",
    "settlement_period": "perpetual",
    "base_currency": "ETH",
    "quote_currency": "USD",
    "settlement_currency": "ETH",
    "counter_currency": "USD",
    "instrument_type": "reversed",
    "is_active": True,
    "contract_size": 1,
    "tick_size": 0.05,
    "min_trade_amount": 1,
    "taker_commission": 0.0005,
    "maker_commission": 0.0,
    "expiration_timestamp": 32_503_708_800_000,
    "creation_timestamp": 1_500_000_000_000,
}
EXPIRY_MS = 1_704_787_200_000  # 2024-01-09 08:00
OPTION = {
    **PERPETUAL,
    "instrument_name": "ETH-9JAN24-2300-C",
    "kind": "option",
    "settlement_period": "day",
    "option_type": "call",
    "strike": 2300.0,
    "expiration_timestamp": EXPIRY_MS,
}
QUOTE = {
    "base_currency": "ETH",
    "instrument_name": "ETH-9JAN24-2300-C",
    "underlying_price": 2_250.5,
    "bid_price": None,
    "ask_price": 0.0105,
    "mark_price": 0.0098,
    "creation_timestamp": 1_704_700_000_000,
}


def close(t: int) -> float:
    return 2_000 + (t // HOUR_S) % 97 / 8


class Deribit(ccxt.deribit):  # type: ignore[misc]
    """The real class, over a network of ours: `fails` answers are errors before the first one that is not."""

    def __init__(self, begin_s: int = BEGIN_S, end_s: int = BEGIN_S + BARS * HOUR_S) -> None:
        super().__init__({"enableRateLimit": False})
        self.begin_s, self.end_s = begin_s, end_s
        self.asked: list[tuple[int, int]] = []
        self.failures: list[Exception] = []
        self.holes: set[int] = set()

    def fetch(self, url: str, *_: Any, **__: Any) -> Any:
        parts = urlsplit(url)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        method = re.sub(r".*/", "", parts.path)
        answer: Callable[[dict[str, str]], Any] = getattr(self, f"_{method}")
        return {"jsonrpc": "2.0", "result": json.loads(json.dumps(answer(query)))}

    def _get_currencies(self, _: dict[str, str]) -> Any:
        return [{"currency": "ETH", "currency_long": "Ethereum", "decimals": 6}]

    def _get_instruments(self, query: dict[str, str]) -> Any:
        del query
        return [PERPETUAL, OPTION]

    def _get_book_summary_by_currency(self, _: dict[str, str]) -> Any:
        return [QUOTE]

    def _span(self, query: dict[str, str], step_s: int) -> list[int]:
        begin, end = (int(query[k]) // 1_000 for k in ("start_timestamp", "end_timestamp"))
        self.asked.append((begin, end))
        if self.failures:
            raise self.failures.pop(0)
        times = range(self.begin_s, self.end_s, step_s)
        return [t for t in times if begin <= t <= end and t not in self.holes]

    def _get_tradingview_chart_data(self, query: dict[str, str]) -> Any:
        times = self._span(query, HOUR_S)
        prices = [close(t) for t in times]
        return {
            "ticks": [t * 1_000 for t in times],
            "open": prices,
            "high": [p + 1 for p in prices],
            "low": [p - 1 for p in prices],
            "close": prices,
            "volume": [10.0] * len(times),
            "status": "ok",
        }

    def _get_funding_rate_history(self, query: dict[str, str]) -> Any:
        times = self._span(query, HOUR_S)
        return [{"timestamp": t * 1_000, "interest_1h": 1e-5, "interest_8h": 8e-5} for t in times]


SPAN = Span(BEGIN_S, BEGIN_S + BARS * HOUR_S, BEGIN_S + 10**9)
SYMBOL = "ETH/USD:ETH"


def bars(client: Any, path: Path, span: Span = SPAN) -> list[Progress]:
    told: list[Progress] = []
    exchange = Exchange("deribit", client, wait=wait_none())
    fetch_bars(exchange, SYMBOL, "1h", span, path=path, told=told.append)
    return told


def test_bars_of_several_pages_come_out_as_the_exchange_has_them(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    told = bars(Deribit(), path)
    found = read_bars(path)
    assert (len(found), found.gaps) == (BARS, ())
    assert found.close.tolist() == [close(t) for t in found.times.tolist()]
    assert (told[-1].rows, told[-1].reached_s) == (BARS, BEGIN_S + (BARS - 1) * HOUR_S)
    assert not (tmp_path / "bars.parquet.parts").exists()


def test_a_bar_that_has_not_ended_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    now = BEGIN_S + 10 * HOUR_S + 1_800
    bars(Deribit(), path, Span(BEGIN_S, now, now))
    assert read_bars(path).times[-1] == BEGIN_S + 9 * HOUR_S


def test_a_hole_of_the_exchange_stays_a_hole(tmp_path: Path) -> None:
    client = Deribit()
    client.holes = {BEGIN_S + n * HOUR_S for n in range(100, 800)}
    bars(client, tmp_path / "bars.parquet")
    (gap,) = read_bars(tmp_path / "bars.parquet", max_missing=700).gaps
    assert (gap.after, gap.missing) == (BEGIN_S + 99 * HOUR_S, 700)


def test_what_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    client = Deribit()
    bars(client, tmp_path / "whole.parquet")
    pages = len(client.asked)
    cut = Deribit()
    good = cut._span

    def span(query: dict[str, str], step_s: int) -> list[int]:
        if len(cut.asked) == pages - 1:
            raise KeyboardInterrupt
        return good(query, step_s)

    cut._span = span  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        bars(cut, path)
    assert not path.exists()
    again = Deribit()
    bars(again, path)
    assert len(again.asked) < pages
    assert read_bars(path).close.tolist() == read_bars(tmp_path / "whole.parquet").close.tolist()
    later = Deribit(end_s=BEGIN_S + (BARS + 3) * HOUR_S)
    bars(later, path, Span(BEGIN_S, BEGIN_S + (BARS + 3) * HOUR_S, SPAN.now_s))
    assert len(read_bars(path)) == BARS + 3
    assert min(begin for begin, _ in later.asked) >= BEGIN_S + (BARS - 1) * HOUR_S


def test_a_failing_network_is_borne_for_a_while_and_then_named(tmp_path: Path) -> None:
    client = Deribit()
    client.failures = [ccxt.NetworkError("cut"), ccxt.RateLimitExceeded("slower")]
    bars(client, tmp_path / "bars.parquet")
    assert len(read_bars(tmp_path / "bars.parquet")) == BARS
    client.failures = [ccxt.NetworkError("cut")] * 6
    with pytest.raises(FetchError, match="not reached in 6 attempts: cut"):
        bars(client, tmp_path / "other.parquet")
    client.failures = [ccxt.BadRequest("no such thing")]
    with pytest.raises(FetchError, match="deribit refuses: no such thing"):
        bars(client, tmp_path / "other.parquet")


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    bars(Deribit(), path)
    before = path.read_bytes()
    exchange = Exchange("deribit", Deribit(), wait=wait_none())
    with pytest.raises(FetchError, match="holds something else"):
        fetch_funding(exchange, SYMBOL, HOUR_S, SPAN, path=path, told=lambda _: None)
    assert path.read_bytes() == before
    path.write_text("notes")
    with pytest.raises(FetchError, match="not a parquet file"):
        bars(Deribit(), path)
    assert path.read_text() == "notes"


def test_funding_is_read_back_by_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "funding.parquet"
    exchange = Exchange("deribit", Deribit(), wait=wait_none())
    fetch_funding(exchange, SYMBOL, HOUR_S, SPAN, path=path, told=lambda _: None)
    found = read_funding(path, step_s=HOUR_S)
    assert (found.rate.size, found.gaps, set(found.rate.tolist())) == (BARS, (), {1e-5})


def test_a_chain_is_read_back_by_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "chain.parquet"
    assert fetch_chain(Exchange("deribit", Deribit(), wait=wait_none()), "ETH", path) == 1
    found = read_chain(path)
    assert found.names == ("ETH-9JAN24-2300-C",)
    assert (found.expiry[0], found.strike[0], found.sign[0]) == (EXPIRY_MS // 1_000, 2_300, 1)
    assert (found.ask[0], found.mark[0]) == (0.0105, 0.0098)
    assert not found.bid[0] > 0
    assert found.taken_at == 1_704_700_000


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda e: e.bars("ETH/USD:ETC", "1h"), "does not list ETH/USD:ETC; it has ETH/USD:ETH"),
        (lambda e: e.step_s("7h"), "has no bars of 7h"),
        (lambda e: e.funding("ETH/USD:ETH-240109-2300-C"), "is not a perpetual"),
    ],
)
def test_what_the_exchange_has_not_is_said_with_what_it_has(
    ask: Callable[[Exchange], Any], words: str
) -> None:
    with pytest.raises(FetchError, match=words):
        ask(Exchange("deribit", Deribit(), wait=wait_none()))


def test_an_exchange_nobody_knows_is_named() -> None:
    with pytest.raises(
        FetchError, match="krakn is not an exchange that ccxt knows; near it: kraken"
    ):
        Exchange("krakn")
    with pytest.raises(FetchError, match="gives no history of funding"):
        Exchange("kraken").funding("ETH/USD")
