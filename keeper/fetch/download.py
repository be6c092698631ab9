"""One download from its beginning to a checked file: bars, funding or a chain of options."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keeper.errors import FetchError
from keeper.fetch.exchange import Exchange
from keeper.fetch.pages import Ask, Walk, pages
from keeper.fetch.parts import Asked, Parts, write_once

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
FUNDING_COLUMNS = ("funding_rate",)
_LIMIT = 500
"""Rows a page: what the large exchanges all give."""
_EXPIRY_HOUR = 8
_CHAIN_PRICES = ("underlying_price", "bid_price", "ask_price", "mark_price")


@dataclass(frozen=True, slots=True)
class Span:
    """What is wanted: from `begin_s` to before `end_s`, and nothing that has not ended by `now_s`; unix seconds."""

    begin_s: int
    end_s: int
    now_s: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    rows: int
    reached_s: int


def fetch_bars(
    exchange: Exchange,
    symbol: str,
    timeframe: str,
    span: Span,
    *,
    path: Path,
    told: Callable[[Progress], None],
) -> int:
    """Bars into a parquet file `t, open, high, low, close, volume`; returns its rows. A bar under way is left out."""
    step_s = exchange.step_s(timeframe)
    asked = Asked("bars", exchange.name, symbol, step_s, BAR_COLUMNS)
    ended = (span.now_s // step_s) * step_s
    whole = Span(span.begin_s, min(span.end_s, ended), span.now_s)
    return _series(exchange.bars(symbol, timeframe), asked, whole, path, told)


def fetch_funding(
    exchange: Exchange,
    symbol: str,
    step_s: int,
    span: Span,
    *,
    path: Path,
    told: Callable[[Progress], None],
) -> int:
    """Funding rates into a parquet file `t, funding_rate`; returns its rows."""
    asked = Asked("funding", exchange.name, symbol, step_s, FUNDING_COLUMNS)
    past = Span(span.begin_s, min(span.end_s, span.now_s), span.now_s)
    return _series(exchange.funding(symbol), asked, past, path, told)


def fetch_chain(exchange: Exchange, currency: str, path: Path) -> int:
    """The options of a currency as they are quoted now, in the columns that the surface reads; returns their number."""
    rows = exchange.chain(currency)
    if not rows:
        raise FetchError(exchange.name, f"lists no options of {currency}", "ask for another coin")
    columns: dict[str, list[Any]] = {
        name: [row[name] for row in rows]
        for name in ("instrument_name", "strike_price", "option_type")
    }
    columns["expire_date"] = [_expire_date(exchange, row) for row in rows]
    for name in _CHAIN_PRICES:
        columns[name] = [None if row[name] is None else float(row[name]) for row in rows]
    if None in columns["underlying_price"] or any(not r["creation_timestamp"] for r in rows):
        problem = "gives options without a time or the price of their underlying"
        raise FetchError(exchange.name, problem, "ask another exchange")
    columns["creation_timestamp"] = [int(row["creation_timestamp"]) for row in rows]
    write_once(path, columns, Asked("chain", exchange.name, currency, 0, tuple(columns)))
    return len(rows)


def _series(
    ask: Ask, asked: Asked, span: Span, path: Path, told: Callable[[Progress], None]
) -> int:
    parts = Parts(path, asked)
    last_s = parts.last_s()
    begin_s = span.begin_s if last_s is None else max(span.begin_s, last_s + 1)
    rows = 0
    walk = Walk(begin_s, span.end_s, asked.step_s, _LIMIT, f"{asked.exchange} {asked.symbol}")
    for page in pages(ask, walk):
        parts.add(page)
        rows += len(page)
        told(Progress(rows, int(page[-1][0])))
    return parts.finish()


def _expire_date(exchange: Exchange, row: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(row["expiry_ms"] / 1_000, UTC)
    if (at.hour, at.minute, at.second) != (_EXPIRY_HOUR, 0, 0):
        problem = f"lets {row['instrument_name']} expire at {at:%H:%M} UTC"
        raise FetchError(exchange.name, problem, "only options that expire at 08:00 UTC are read")
    return f"{at.day}{at:%b%y}".upper()
