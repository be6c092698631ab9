"""Drawings of a run: inline SVG in the page's colours, of a size that does not grow with the run."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from keeper.report.charts import STYLE, inline_svg
from keeper.report.performance import Floats, Ints, drawdown
from keeper.report.tearsheet import TearSheet, daily_losses, thinned, value_at_risk
from keeper.report.theme import LIGHT

TITLES = {
    "equity": "Value of a share",
    "drawdown": "Drawdown",
    "trades": "Trades on the price",
    "health": "Health",
    "greeks": "Greeks through time",
    "waterfall": "Where the change of NAV came from",
    "losses": "Losses of a day",
}
_DATES: Any = dates  # without types
_MOST_POINTS = 1_600
_MOST_TRADES = 600
_HIGHEST_HEALTH = 5.0


def sheet_plots(sheet: TearSheet) -> dict[str, str]:
    """One SVG by name; what the run does not have is not drawn."""
    found = {
        "equity": _svg("equity", 1, lambda a: _equity(a[0], sheet)),
        "drawdown": _svg("drawdown", 1, lambda a: _drawdown(a[0], sheet), height=1.9),
        "trades": _svg("trades", 1, lambda a: _trades(a[0], sheet)),
    }
    if np.isfinite(sheet.health).any():
        found["health"] = _svg("health", 1, lambda a: _health(a[0], sheet))
    shown = [(name, values) for name, values in sheet.greeks if np.any(values)]
    if shown:
        found["greeks"] = _svg("greeks", len(shown), lambda a: _greeks(a, sheet, shown), height=1.5)
    if any(amount for _, amount in sheet.parts):
        found["waterfall"] = _svg("waterfall", 1, lambda a: _waterfall(a[0], sheet))
    found["losses"] = _svg("losses", 1, lambda a: _losses(a[0], sheet))
    return found


def _equity(axes: Axes, sheet: TearSheet) -> None:
    axes.plot(*_line(sheet.times, sheet.equity), color=LIGHT["protected"], label="a share")
    held = sheet.price / sheet.price[0] * sheet.equity[0]
    axes.plot(
        *_line(sheet.times, held),
        color=LIGHT["market"],
        linewidth=0.9,
        label=f"the same in {sheet.base}",
    )
    axes.set_ylabel(sheet.asset)
    axes.legend(loc="upper left")
    _dates(axes)


def _drawdown(axes: Axes, sheet: TearSheet) -> None:
    x, y = _line(sheet.times, -drawdown(sheet.equity))
    axes.fill_between(x, y, color=LIGHT["danger"], alpha=0.25, linewidth=0)
    axes.plot(x, y, color=LIGHT["danger"], linewidth=0.9)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    _dates(axes)


def _trades(axes: Axes, sheet: TearSheet) -> None:
    axes.plot(*_line(sheet.times, sheet.price), color=LIGHT["market"], linewidth=0.9)
    largest = sorted(sheet.trades, key=lambda t: -abs(t.quantity * t.price))[:_MOST_TRADES]
    for bought, marker, colour in ((True, "^", "protected"), (False, "v", "unprotected")):
        marks = [t for t in largest if (t.quantity > 0) is bought]
        if marks:
            axes.scatter(
                [_date(t.time) for t in marks],
                [t.price for t in marks],
                marker=marker,
                s=[34 if t.protective else 16 for t in marks],
                color=LIGHT[colour],
                label=f"{'bought' if bought else 'sold'} {sheet.base}",
                zorder=3,
            )
    if sheet.trades:
        axes.legend(loc="upper left")
    axes.set_ylabel(f"{sheet.base} in {sheet.asset}")
    _dates(axes)


def _health(axes: Axes, sheet: TearSheet) -> None:
    if sheet.band is not None:
        low, high = sheet.band
        axes.axhspan(
            low, min(high, _HIGHEST_HEALTH), color=LIGHT["band"], alpha=0.12, label="left alone"
        )
    shown = np.where(np.isfinite(sheet.health), np.minimum(sheet.health, _HIGHEST_HEALTH), np.nan)
    axes.plot(*_line(sheet.times, shown), color=LIGHT["protected"])
    axes.axhline(1.0, color=LIGHT["danger"], linewidth=1.1, label="liquidation at 1")
    axes.legend(loc="upper left")
    _dates(axes)


def _greeks(axes: Sequence[Axes], sheet: TearSheet, shown: list[tuple[str, Floats]]) -> None:
    for one, (name, values) in zip(axes, shown, strict=True):
        one.plot(*_line(sheet.times, values), color=LIGHT["oracle"], linewidth=1.0)
        one.set_ylabel(name, fontsize=8)
        _dates(one)


def _waterfall(axes: Axes, sheet: TearSheet) -> None:
    parts = [(name, amount) for name, amount in sheet.parts if amount]
    names = [name for name, _ in parts] + ["sum"]
    amounts = np.array([amount for _, amount in parts])
    ends = np.cumsum(amounts)
    bottoms = np.concatenate([[0.0], ends[:-1]])
    colours = [LIGHT["protected"] if amount > 0 else LIGHT["danger"] for amount in amounts]
    axes.bar(range(amounts.size), amounts, bottom=bottoms, color=colours, width=0.7)
    axes.bar([amounts.size], [ends[-1]], color=LIGHT["oracle"], width=0.7)
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right")
    axes.set_ylabel(sheet.asset)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))


def _losses(axes: Axes, sheet: TearSheet) -> None:
    losses = daily_losses(sheet)
    axes.hist(losses, bins=min(60, max(8, losses.size // 6)), color=LIGHT["market"], alpha=0.8)
    for confidence, style in ((0.95, "--"), (0.99, "-")):
        at = value_at_risk(losses, confidence)
        axes.axvline(at, color=LIGHT["danger"], linestyle=style, label=f"VaR {confidence:.0%}")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylabel("days")
    axes.legend(loc="upper right")


def _line(times: Ints, values: Floats) -> tuple[list[float], Floats]:
    places = thinned(values, _MOST_POINTS)
    return [_date(int(t)) for t in times[places]], values[places]


def _date(seconds: int) -> float:
    return float(_DATES.date2num(datetime.fromtimestamp(seconds, UTC)))


def _dates(axes: Axes) -> None:
    locator = _DATES.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_DATES.ConciseDateFormatter(locator))


def _svg(
    name: str, panels: int, draw: Callable[[Sequence[Axes]], None], height: float = 2.9
) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, height * panels + 0.4), layout="constrained")
        figure.patch.set_alpha(0.0)
        draw([figure.add_subplot(panels, 1, n + 1) for n in range(panels)])
        out = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", metadata=nothing)
    return inline_svg(out.getvalue(), name)
