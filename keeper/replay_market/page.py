"""A replay as one HTML page that needs no script, no network and no other file; in the style of the tear sheet."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure

from keeper.replay_market.gap import Done, Pair
from keeper.replay_market.run import Replayed
from keeper.replay_market.summary import MEANINGS, facts_of, stamp
from keeper.report.charts import STYLE, inline_svg
from keeper.report.style import PAGE_CSS
from keeper.report.theme import LIGHT

_DATES: Any = dates  # its classes have no types
_SHOWN = 200
"""Most rows of the table of transactions and of differences."""
_CSS = """
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
"""


def page_of(replayed: Replayed, command: str = "") -> str:
    """The whole page; amounts in whole assets."""
    gap, unit = replayed.gap, replayed.unit
    parts = [
        (str(part), f"{amount / unit:+,.2f}", MEANINGS.get(str(part), ""))
        for part, amount in gap.parts.items()
    ]
    parts.append(("execution gap", f"{gap.whole / unit:+,.2f}", "the sum, to the last unit"))
    title = f"{replayed.options.vault.strategy} on {replayed.segment.name}: replay and backtest"
    body = "\n".join(
        (
            f"<header><p class=kicker>Gimbal</p><h1>{escape(title)}</h1>{_verdict(replayed)}</header>",
            _table(("", ""), facts_of(replayed)),
            f"<figure><h2>NAV</h2>{_nav(replayed)}<figcaption>Of both runs at the oracle's price, and their "
            "difference below, in assets.</figcaption></figure>",
            "<h2>The execution gap</h2>",
            _table(("part", "assets", "what it is"), parts, numbers={1}),
            "<h2>Transactions</h2>",
            _transactions(replayed.pairs, unit),
            "<h2>Decisions that differed</h2>",
            _differences(replayed),
            f"<h2>Again</h2><pre>{escape(command)}</pre>" if command else "",
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{PAGE_CSS}{_CSS}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _verdict(replayed: Replayed) -> str:
    comparison, gap = replayed.comparison, replayed.gap
    good = comparison.equal == comparison.compared and not comparison.one_sided
    kind = "good" if good and gap.exact else "bad"
    return (
        f"<p class='verdict {kind}'>{comparison.equal:,} of {comparison.compared:,} decisions equal; "
        f"NAV {gap.whole / replayed.unit:+,.2f} against the backtest</p>"
    )


def _transactions(pairs: Sequence[Pair], unit: int) -> str:
    head = ("sent", "what", "landed", "sold", "fee", "impact", "basis", "gas")
    rows = [_cells(pair, unit) for pair in pairs[:_SHOWN]]
    more = f"<p>{len(pairs) - _SHOWN} more are in the JSON.</p>" if len(pairs) > _SHOWN else ""
    note = "<p>Each cell: replay, then backtest.</p>"
    table = _table(head, rows, numbers=set(range(2, 8)))
    return f"{note}<div class=wide>{table}</div>{more}"


def _cells(pair: Pair, unit: int) -> tuple[str, ...]:
    both = (pair.replay, pair.backtest)
    one = next(done for done in both if done is not None)

    def of(value: Any) -> str:
        return " | ".join("-" if done is None else value(done) for done in both)

    def landed(done: Done) -> str:
        if done.landed_at is None:
            return "never"
        return f"+{done.landed_at - done.sent_at} s" + (" reverted" if done.reverted else "")

    return (
        stamp(one.sent_at),
        f"{one.lane} {one.kind}",
        of(landed),
        of(lambda d: f"{d.sold / unit:,.2f}"),
        of(lambda d: f"{d.costs.fee / unit:,.2f}"),
        of(lambda d: f"{d.costs.impact / unit:,.2f}"),
        of(lambda d: f"{d.costs.basis / unit:,.2f}"),
        of(lambda d: f"{d.gas:,}"),
    )


def _differences(replayed: Replayed) -> str:
    found = replayed.comparison.differences
    if not found:
        return "<p>None.</p>"
    rows = [(stamp(d.time), d.what, "; ".join(d.why)) for d in found[:_SHOWN]]
    return _table(("block of", "replay against backtest", "inputs that differed"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    right = set(numbers)
    top = "".join(f"<th>{escape(name)}</th>" for name in head) if any(head) else ""
    lines = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' if place in right else ''}>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _nav(replayed: Replayed) -> str:
    """Both lines, and their difference."""
    unit = replayed.unit
    times = [datetime.fromtimestamp(step.time, UTC) for step in replayed.books.steps]
    mine = [step.nav / unit for step in replayed.books.steps]
    its = [float(nav) for nav in replayed.backtest.steps["nav"]]
    apart = [a - b for a, b in zip(mine, its, strict=True)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 5.0), layout="constrained")
        figure.patch.set_alpha(0.0)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot(times, its, color=LIGHT["market"], linewidth=2.6, label="backtest")
        upper.plot(times, mine, color=LIGHT["protected"], linewidth=1.0, label="replay")
        upper.legend(loc="best")
        lower.plot(times, apart, color=LIGHT["unprotected"], linewidth=1.0)
        locator = _DATES.AutoDateLocator()
        lower.xaxis.set_major_locator(locator)
        lower.xaxis.set_major_formatter(_DATES.ConciseDateFormatter(locator))
        out = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", metadata=nothing)
    return inline_svg(out.getvalue(), "nav")
