"""keeper volatility: how well forecasts did, what they say now, and the surface of a chain of options."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from keeper.history.bars import Bars, Days
    from keeper.quant.surface import Fit, Report
    from keeper.quant.volatility import Comparison, Forecast

HOURLY = "spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz"
DAYS_PER_YEAR = 365
MONTH = 30
USUAL_DAYS = 365
"""The median volatility of a year is the usual one."""

app = typer.Typer(no_args_is_help=True, help="Volatility: forecasts compared, surfaces fitted.")
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("forecast")
def forecast(
    file: Annotated[
        Path | None, typer.Argument(help="Hourly bars: t, open, high, low, close; gzipped or not.")
    ] = None,
    first: Annotated[int, typer.Option(min=60, help="Days known before the first forecast.")] = 730,
    refit: Annotated[int, typer.Option(min=1, help="Days between refits.")] = 7,
    max_missing: Annotated[int, typer.Option(min=0, help="Largest gap allowed, in bars.")] = 48,
    json: Json = False,
) -> None:
    """Out-of-sample comparison by QLIKE, and the forecasts and regime at the end of the data.

    Without FILE: the hourly ETH bars of the market data (GIMBAL_MARKET_DATA).
    """
    import numpy as np

    from keeper.history.bars import daily, read_bars
    from keeper.history.table import found_data, market_data
    from keeper.quant.volatility import compare

    bars = read_bars(found_data(file) if file else market_data(HOURLY), max_missing=max_missing)
    days = daily(bars)
    hourly = np.diff(np.log(bars.close))
    known = np.searchsorted(bars.ends[1:], days.ends, side="right")
    result = compare(days.realised, days.returns, hourly, known, first=first, refit=refit)
    facts = _facts(bars, days, result) | _now(days)
    _show(facts, json, _comparison_table)


@app.command("surface")
def surface(
    file: Annotated[Path, typer.Argument(help="An exchange's book summary, CSV, gzipped or not.")],
    max_rho: Annotated[
        float, typer.Option(min=0.01, max=0.9999, help="Bound of |rho|; the oracle takes 0.7.")
    ] = 0.999,
    dropped: Annotated[bool, typer.Option("--dropped", help="Name each quote left out.")] = False,
    json: Json = False,
) -> None:
    """Fit the surface of a chain of options and report how good it is."""
    from keeper.history.chain import read_chain
    from keeper.history.table import found_data
    from keeper.quant.surface import FitSettings, fit_report, fit_surface

    chain = read_chain(found_data(file))
    fit = fit_surface(chain.quotes(), settings=FitSettings(max_rho=max_rho))
    facts = _report_facts(fit_report(fit))
    if dropped:
        facts["left_out"] = _left_out(chain.names, fit)
    _show(facts, json, _report_table)


def _show(facts: dict[str, Any], json: bool, table: Any) -> None:
    if json:
        from json import dumps

        typer.echo(dumps(facts, indent=2, allow_nan=False))
        return
    from rich.console import Console

    Console().print(*table(facts), sep="\n")


# ---------------------------------------------------------------- forecast


def _facts(bars: "Bars", days: "Days", result: "Comparison") -> dict[str, Any]:
    return {
        "bars": len(bars),
        "missing_bars": sum(gap.missing for gap in bars.gaps),
        "days": int(days.times.size),
        "first_forecast": _date(int(days.times[result.first])),
        "last_forecast": _date(int(days.times[-1])),
        "methods": [
            {
                "name": score.name,
                "qlike": score.qlike,
                "gain": score.gain,
                "diebold_mariano": _number(score.statistic),
                "bias": score.bias,
                "coverage_90": _number(score.coverage),
            }
            for score in result.scores
        ],
    }


def _now(days: "Days") -> dict[str, Any]:
    """Forecasts of the day and the month after the last, and the regime."""
    from keeper.quant.volatility import (
        Regime,
        ewma_variances,
        fit_garch,
        fit_har,
        forecast_garch,
        forecast_har,
        regimes,
        volatility_ratio,
    )

    garch = fit_garch(days.returns, asymmetric=True, student=True)
    outlooks = {
        "day, HAR-RV": forecast_har(fit_har(days.realised), days.realised, DAYS_PER_YEAR),
        "month, HAR-RV": forecast_har(
            fit_har(days.realised, horizon=MONTH), days.realised, DAYS_PER_YEAR
        ),
        "month, GJR-t": forecast_garch(garch, days.returns, MONTH, DAYS_PER_YEAR),
    }
    ratio = volatility_ratio(ewma_variances(days.realised)[1:], min(USUAL_DAYS, days.times.size))
    return {
        "forecasts": {name: _forecast_facts(outlook) for name, outlook in outlooks.items()},
        "regime": Regime(int(regimes(ratio)[-1])).name.lower(),
        "ratio_to_usual": float(ratio[-1]),
    }


def _forecast_facts(outlook: "Forecast") -> dict[str, Any]:
    return {
        "volatility": outlook.volatility,
        "low": outlook.low,
        "high": outlook.high,
        "level": outlook.level,
        "days": outlook.horizon,
    }


def _comparison_table(facts: dict[str, Any]) -> tuple[Any, ...]:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(
        title=f"Forecasts of the next day's realised variance, {facts['first_forecast']} to "
        f"{facts['last_forecast']}, each from the past alone",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
    )
    table.add_column("method")
    for name in ("QLIKE", "gain", "D-M", "bias", "in 90 %"):
        table.add_column(name, justify="right")
    for m in facts["methods"]:
        statistic = m["diebold_mariano"]
        table.add_row(
            m["name"],
            f"{m['qlike']:.4f}",
            f"{m['gain']:+.1%}",
            "" if statistic is None else f"{statistic:+.2f}",
            f"{m['bias']:.3f}",
            "" if m["coverage_90"] is None else f"{m['coverage_90']:.1%}",
        )
    outlooks = [
        f"{name}: {f['volatility']:.1%} a year, {f['low']:.1%} to {f['high']:.1%} with {f['level']:.0%}"
        for name, f in facts["forecasts"].items()
    ]
    gaps = f"{facts['bars']:,} bars ({facts['missing_bars']} missing), {facts['days']:,} whole days"
    state = f"regime after the last day: {facts['regime']}, {facts['ratio_to_usual']:.2f} of usual"
    meaning = (
        "gain: of the first's loss; D-M: Diebold and Mariano's statistic against the first, better below -1.96; bias: "
        "forecast over realised; in 90 %: realised within bounds drawn from the method's own earlier errors"
    )
    return (table, meaning, gaps, *outlooks, state)


# ---------------------------------------------------------------- surface


def _report_facts(report: "Report") -> dict[str, Any]:
    from dataclasses import asdict

    facts = asdict(report)
    facts["ending"] = report.ending.name.lower()
    facts["rms_core"] = _number(report.rms_core)
    facts["expiries"] = [
        asdict(expiry) | {"rms_core": _number(expiry.rms_core)} for expiry in report.expiries
    ]
    return facts


def _left_out(names: tuple[str, ...], fit: "Fit") -> dict[str, list[str]]:
    from keeper.quant.surface import Fate

    return {
        code.words: [name for name, fate in zip(names, fit.fate, strict=True) if fate == code]
        for code in Fate
        if code and (fit.fate == code).any()
    }


def _report_table(facts: dict[str, Any]) -> tuple[Any, ...]:
    from rich.box import SIMPLE
    from rich.table import Table

    reasons = ", ".join(f"{n} {reason}" for reason, n in facts["dropped"].items()) or "none"
    table = Table(
        title=f"eSSVI surface: {facts['quotes']} quotes kept, dropped: {reasons}",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in ("days", "level", "rho", "conv", "kept", "out", "rms", "core", "worst"):
        table.add_column(name, justify="right")
    for name in ("inside", "g", "gap"):
        table.add_column(name, justify="right")
    for e in facts["expiries"]:
        gap = e["calendar_gap"]
        table.add_row(
            f"{e['years'] * DAYS_PER_YEAR:.1f}",
            f"{e['level'] * 100:.1f}",
            f"{e['rho']:+.2f}",
            f"{e['convexity']:.2f}",
            str(e["quotes"]),
            str(e["dropped"]),
            f"{e['rms'] * 100:.2f}",
            _points(e["rms_core"]),
            f"{e['worst'] * 100:+.1f}",
            f"{e['inside']:.0%}",
            f"{e['least_g']:.2f}",
            "" if gap is None else f"{gap:.0e}",
        )
    state = "; ".join(facts["faults"]) or "no butterfly or calendar arbitrage, by construction"
    left_out = [f"{why}: {', '.join(names)}" for why, names in facts.get("left_out", {}).items()]
    return (
        table,
        "level: volatility at the money in %; out: dropped; rms, core, worst: residuals in volatility points, all, "
        "within 2 standard deviations of the money, the worst; inside: model between bid and ask; g: least of "
        "Durrleman's condition; gap: least rise of total variance from the expiry before",
        f"all: {facts['rms'] * 100:.2f} rms, {_points(facts['rms_core'])} "
        f"within 2 standard deviations; {facts['inside']:.0%} of the quotes hold the model inside",
        f"{state}; {facts['ending']} after {facts['iterations']} steps",
        *left_out,
    )


def _points(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.2f}"


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if value == value else None  # noqa: PLR0124 - NaN alone differs from itself


def _date(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
