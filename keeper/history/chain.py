"""An option exchange's book summary: Deribit's, one row an instrument, prices in the underlying coin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from keeper.history.table import Floats, Ints, Table, read_table
from keeper.model.outlook import Smile
from keeper.quant.surface.quotes import Quotes

EXPIRY_HOUR = 8
"""Deribit's options expire at 08:00 UTC."""
YEAR_S = 365 * 86_400
MS = 1_000
NEEDED = (
    "instrument_name",
    "expire_date",
    "strike_price",
    "option_type",
    "underlying_price",
    "bid_price",
    "ask_price",
    "mark_price",
    "creation_timestamp",
)


@dataclass(frozen=True, slots=True)
class OptionChain:
    """Arrays (instruments,), as in the file. Prices of options are in units of the underlying; NaN: no such side."""

    names: tuple[str, ...]
    taken_at: int
    """Unix seconds of the latest row: `age_s` counts from it."""
    expiry: Ints
    """Unix seconds."""
    strike: Floats
    sign: Floats
    """+1 for a call, -1 for a put."""
    forward: Floats
    """Of the instrument's expiry, in the strike's unit."""
    bid: Floats
    ask: Floats
    mark: Floats
    age_s: Floats

    def __len__(self) -> int:
        return len(self.names)

    @property
    def years(self) -> Floats:
        """From `taken_at` to expiry, ACT/365."""
        return np.asarray((self.expiry - self.taken_at) / YEAR_S)

    def quotes(self) -> Quotes:
        """The same in volatility; sides without one are known by their `fate`."""
        return Quotes.of_prices(
            self.years,
            self.strike,
            self.forward,
            self.bid * self.forward,
            self.ask * self.forward,
            sign=self.sign,
            age_s=self.age_s,
        )

    def smiles(self) -> tuple[Smile, ...]:
        """By expiry: mid of bid and ask volatility at each strike, two-sided out-of-the-money options only."""
        quotes = self.quotes()
        bid, ask = np.asarray(quotes.bid), np.asarray(quotes.ask)
        k = np.log(self.strike / self.forward)
        good = ((k >= 0) == (self.sign > 0)) & (bid > 0) & (ask > bid)
        found = []
        for expiry in np.unique(self.expiry[good]):
            here = good & (self.expiry == expiry)
            order = np.argsort(k[here])
            points = zip(k[here][order], ((bid + ask) / 2)[here][order], strict=True)
            forward = float(self.forward[here][0])
            listed = tuple((float(x), float(y)) for x, y in points)
            found.append(Smile(int(expiry), forward, listed))
        return tuple(found)


def read_chain(path: Path | str) -> OptionChain:
    """Read a book summary; a gzipped or plain CSV.

    Errors: `MarketDataError` with row and column: missing columns, an instrument that stands twice, a date that is
    none, a type other than C and P, a strike or forward that is not positive, a negative price. Missing and crossed
    sides are what markets have: they are left to the fit, which drops them with a reason.
    """
    table = read_table(path, NEEDED)
    _check_names(table)
    positive = {name: table.numbers(name) for name in ("strike_price", "underlying_price")}
    for name, values in positive.items():
        table.require(values > 0, name, "is not a positive price", "correct or drop the row")
    prices = {
        name: table.numbers(name, empty=np.nan) for name in ("bid_price", "ask_price", "mark_price")
    }
    for name, values in prices.items():
        table.require(~(values < 0), name, "is a negative price", "correct or drop the row")
    kinds = np.array([cell.strip() for cell in table.columns["option_type"]])
    known = (kinds == "C") | (kinds == "P")
    table.require(known, "option_type", "is neither C nor P", "correct or drop the row")
    created = table.whole("creation_timestamp")
    latest = int(created.max())
    return OptionChain(
        names=tuple(table.columns["instrument_name"]),
        taken_at=latest // MS,
        expiry=_expiries(table),
        strike=positive["strike_price"],
        sign=np.where(kinds == "C", 1.0, -1.0),
        forward=positive["underlying_price"],
        bid=prices["bid_price"],
        ask=prices["ask_price"],
        mark=prices["mark_price"],
        age_s=(latest - created) / MS,
    )


def _check_names(table: Table) -> None:
    seen: set[str] = set()
    for row, name in enumerate(table.columns["instrument_name"]):
        if name in seen:
            problem = f"{name} stands twice"
            raise table.error(problem, "keep one of the rows", row, "instrument_name")
        seen.add(name)


def _expiries(table: Table) -> Ints:
    """`9JAN24` and so on, in unix seconds."""
    known: dict[str, int] = {}
    for row, cell in enumerate(table.columns["expire_date"]):
        if cell in known:
            continue
        try:
            day = datetime.strptime(cell.strip(), "%d%b%y").replace(tzinfo=UTC)
        except ValueError:
            problem = f"{cell!r} is not a date such as 9JAN24"
            raise table.error(problem, "correct or drop the row", row, "expire_date") from None
        known[cell] = int(day.timestamp()) + EXPIRY_HOUR * 3_600
    return np.array([known[cell] for cell in table.columns["expire_date"]], dtype=np.int64)
