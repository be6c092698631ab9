"""Curves of the strategies study, one panel each, beside holding ether: build/study/strategies.svg and .png.

python -m scripts.study.plots      after scripts.study.strategies
"""

import argparse
import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from scripts.study.output import RESULTS
from scripts.study.walk import DEFAULT, choose

Floats = npt.NDArray[np.float64]
HELD = "hold ether"
ACROSS = 4
DAILY = "strategies_daily.json"


def curves(rows: list[dict[str, Any]]) -> dict[str, dict[str, tuple[list[int], list[Floats]]]]:
    """By strategy, the years and their daily returns of the defaults and, with several candidates, walk-forward."""
    runs: dict[str, dict[int, dict[int, Floats]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        runs[row["strategy"]][row["year"]][row["place"]] = np.array(row["daily"])
    found: dict[str, dict[str, tuple[list[int], list[Floats]]]] = {}
    for name, by_year in runs.items():
        years = sorted(by_year)
        found[name] = {"defaults": (years, [by_year[y][DEFAULT] for y in years])}
        if len(by_year[years[0]]) > 1:
            daily = {y: [by_year[y][place] for place in sorted(by_year[y])] for y in years}
            chosen = [daily[y][choose(daily, y)] for y in years]
            found[name]["walk-forward"] = (years, chosen)
    return found


def drawn(found: dict[str, dict[str, tuple[list[int], list[Floats]]]]) -> Figure:
    """Every strategy in a panel of its own, on a logarithmic scale."""
    names = [name for name in found if name != HELD]
    down = math.ceil(len(names) / ACROSS)
    figure = Figure(figsize=(4.0 * ACROSS, 2.4 * down), layout="constrained")
    panels = figure.subplots(down, ACROSS, squeeze=False, sharex=True)
    for place, axes in enumerate(panels.ravel()):
        if place >= len(names):
            axes.set_visible(False)
            continue
        name = names[place]
        _line(axes, found[HELD]["defaults"], color="0.7", label="ether held")
        for label, color in (("defaults", "C0"), ("walk-forward", "C1")):
            if label in found[name]:
                _line(axes, found[name][label], color=color, label=label)
        axes.set_yscale("log")
        axes.set_title(name, fontsize=9)
        axes.axhline(1.0, color="0.85", linewidth=0.6, zorder=0)
        axes.tick_params(labelsize=7)
        if place == 0:
            axes.legend(fontsize=7, frameon=False)
    return figure


def _line(axes: Any, curve: tuple[list[int], list[Floats]], **style: str) -> None:
    years, daily = curve
    returns = np.concatenate(daily)
    begin = datetime(years[0], 1, 1, tzinfo=UTC).timestamp()
    times = (begin + 86_400 * np.arange(returns.size + 1)).astype("datetime64[s]")
    # A vault that has lost everything is drawn at a thousandth: the scale has no zero.
    values = np.maximum(np.concatenate([[1.0], np.cumprod(1.0 + returns)]), 1e-3)
    axes.plot(times, values, linewidth=0.9, **style)


def main() -> None:
    """Draw what is there."""
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    file = RESULTS / DAILY
    if not file.is_file():
        print(f"skipped: {file} is not there; run scripts.study.strategies first")
        return
    mpl.rcParams["svg.hashsalt"] = "study"
    figure = drawn(curves(json.loads(file.read_text(encoding="utf-8"))))
    for kind in ("svg", "png"):
        figure.savefig(
            RESULTS / f"strategies.{kind}", metadata={"Date": None} if kind == "svg" else {}
        )
    print(f"wrote {RESULTS / 'strategies.svg'} and .png")


if __name__ == "__main__":
    main()
