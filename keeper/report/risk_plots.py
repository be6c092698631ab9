"""Drawings of a risk report: payoff, Greeks, heat map, loss distribution; inline SVG in the page's colours."""

import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from keeper.model.risk_report import FullReport, HeatMap, Profile, TailRisk
from keeper.report.charts import STYLE, inline_svg
from keeper.report.risk_text import days
from keeper.report.theme import LIGHT

TITLES = {
    "payoff": "Value of the vault by price",
    "greeks": "Greeks by price",
    "heat": "Change of NAV by price and volatility",
    "losses": "Losses over the horizon",
}


def risk_plots(report: FullReport, asset: str = "asset", base: str = "base") -> dict[str, str]:
    """One SVG by name; what the report does not hold is not drawn."""
    found: dict[str, str] = {}
    profile = report.profile
    if profile is not None and report.price is not None:
        found["payoff"] = _svg("payoff", 1, lambda a: _payoff(a[0], report, profile, asset, base))
        greeks = [("delta", profile.delta), ("gamma", profile.gamma), ("vega", profile.vega)]
        shown = [g for g in greeks if g[0] == "delta" or any(g[1])]
        found["greeks"] = _svg(
            "greeks", len(shown), lambda a: _greeks(a, report.price or 0.0, profile, shown, base)
        )
    if (heat := report.heat_map) is not None and report.nav:
        nav = report.nav
        found["heat"] = _svg("heat", 1, lambda a: _heat(a[0], heat, nav))
    if (tail := report.tail) is not None:
        found["losses"] = _svg("losses", 1, lambda a: _losses(a[0], tail, asset))
    return found


def _payoff(axes: Axes, report: FullReport, profile: Profile, asset: str, base: str) -> None:
    axes.plot(profile.spots, profile.value_now, color=LIGHT["protected"], label="now")
    later = f"in {days(report.tail.horizon_days)}" if report.tail else "at the horizon"
    axes.plot(
        profile.spots, profile.value_horizon, color=LIGHT["oracle"], linestyle="--", label=later
    )
    if profile.value_expiry != profile.value_now:
        axes.plot(
            profile.spots,
            profile.value_expiry,
            color=LIGHT["unprotected"],
            linewidth=1.0,
            label="options at intrinsic value",
        )
    _today(axes, report.price or 0.0)
    low, high = profile.spots[0], profile.spots[-1]
    for venue in report.venues:
        for x in venue.liquidations:
            if x.underlying == "base" and low <= x.price <= high:
                axes.axvline(x.price, color=LIGHT["danger"], linewidth=1.1)
                axes.annotate(
                    f"{venue.id} liquidates", (x.price, 0.02), rotation=90, fontsize=8,
                    xycoords=("data", "axes fraction"), xytext=(-10, 0),
                    textcoords="offset points", color=LIGHT["danger"],
                )  # fmt: skip
    axes.set_xlabel(f"price of {base} in {asset}")
    axes.set_ylabel(f"NAV, {asset}")
    _thousands(axes)


def _greeks(
    panels: Sequence[Axes],
    price: float,
    profile: Profile,
    shown: list[tuple[str, tuple[float, ...]]],
    base: str,
) -> None:
    for axes, (name, values) in zip(panels, shown, strict=True):
        axes.plot(profile.spots, values, color=LIGHT["protected"], label=name)
        _today(axes, price)
        axes.set_ylabel(name)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.6g}"))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    panels[-1].set_xlabel(f"price of {base}")


def _heat(axes: Axes, heat: HeatMap, nav: float) -> None:
    values = np.array(heat.pnl) / abs(nav)
    largest = float(np.abs(values).max()) or 1.0
    for (row, column), value in np.ndenumerate(values):
        colour = LIGHT["danger"] if value < 0 else LIGHT["protected"]
        strength = 0.55 * abs(value) / largest  # darker, and the figures could not be read
        axes.add_patch(
            Rectangle((column, row), 1, 1, facecolor=colour, alpha=strength, linewidth=0)
        )
        axes.text(
            column + 0.5, row + 0.5, f"{value:+.0%}" if abs(value) >= 0.1 else f"{value:+.1%}",
            ha="center", va="center", fontsize=8,
        )  # fmt: skip
    axes.set_xlim(0, len(heat.spots))
    axes.set_ylim(0, len(heat.volatilities))
    axes.set_xticks(np.arange(len(heat.spots)) + 0.5, [f"{s:+.0%}" for s in heat.spots])
    axes.set_yticks(
        np.arange(len(heat.volatilities)) + 0.5, [f"{v:+.0%}" for v in heat.volatilities]
    )
    axes.grid(visible=False)
    axes.set_xlabel("change of the price")
    axes.set_ylabel("change of volatility")


def _losses(axes: Axes, tail: TailRisk, asset: str) -> None:
    losses = np.array(tail.losses)
    weights = np.full(losses.size, 1 / losses.size)
    axes.hist(losses, bins=40, color=LIGHT["market"], alpha=0.6, weights=weights)
    for value, name, colour in (
        (tail.value_at_risk, f"value at risk {tail.confidence:.1%}", "unprotected"),
        (tail.expected_shortfall, "expected shortfall", "danger"),
    ):
        axes.axvline(value, color=LIGHT[colour], label=f"{name}: {value:,.0f}")
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xlabel(f"loss over {days(tail.horizon_days)}, {asset} ({tail.method})")
    axes.set_ylabel("probability")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))


def _today(axes: Axes, price: float) -> None:
    axes.axvline(price, color=LIGHT["muted"], linewidth=0.9, linestyle=(0, (3, 3)), label="today")


def _thousands(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))


def _svg(name: str, rows: int, draw: Callable[[Sequence[Axes]], None]) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.6 if rows == 1 else 2.1 * rows), layout="constrained")
        figure.patch.set_alpha(0)
        panels = np.atleast_1d(figure.subplots(rows, 1, sharex=True))
        draw(list(panels))
        for axes in panels:
            axes.tick_params(length=0)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=6, borderaxespad=0.2)
        out = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", metadata=nothing)
    return inline_svg(out.getvalue(), name)
