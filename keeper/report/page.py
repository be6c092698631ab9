"""The report: one HTML page that needs no script, no network and no other file."""

from collections.abc import Iterable, Sequence
from html import escape

from keeper.report.charts import svg_charts
from keeper.report.format import (
    amount,
    bps_percent,
    clock,
    gwei,
    number,
    percent,
    short_hash,
    span,
    times,
)
from keeper.report.story import Mark, MarkKind, Story, Twin
from keeper.report.style import PAGE_CSS
from keeper.report.summary import Summary, TwinResult

_CAPTIONS = {
    "price": "Market price, the price the oracle published, and who acted on it.",
    "health": "Health is collateral times liquidation threshold over debt. Below 1 anyone may "
    "liquidate. The shaded band is where the keeper's strategy leaves the vault alone.",
    "delta": "Net exposure: base held and supplied, less base owed.",
    "nav": "Net asset value of each vault at the oracle's price. Gas is paid by the keeper's account "
    "and is not in it.",
}
_TITLES = {"price": "Price", "health": "Health", "delta": "Delta", "nav": "NAV"}


def render_page(story: Story, summary: Summary) -> str:
    """The whole page as text."""
    charts = svg_charts(story)
    body = "\n".join(
        (
            _header(story, summary),
            _results(story, summary),
            *(_figure(name, svg) for name, svg in charts.items()),
            _actions(story),
            _oracle_updates(story),
            _parameters(story, summary),
        )
    )
    title = escape(f"Gimbal demo: {story.scenario}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{PAGE_CSS}</style></head>\n<body><main>\n{body}\n"
        "</main></body></html>\n"
    )


def _header(story: Story, summary: Summary) -> str:
    left, kept = summary.unprotected.liquidations, summary.protected.liquidations
    if kept:
        verdict = (
            f'<p class="verdict bad">The vault with the keeper was liquidated {times(kept)}.</p>'
        )
    elif left:
        verdict = (
            f'<p class="verdict good">Left alone, the vault was liquidated {times(left)}. '
            "With the keeper, never.</p>"
        )
    else:
        verdict = '<p class="verdict">Neither vault was liquidated.</p>'
    period = f"<p class=period>{escape(story.period)}</p>" if story.period else ""
    return (
        f"<header><p class=kicker>Gimbal demo</p><h1>{escape(story.scenario)}</h1>{period}{verdict}"
        "<p>Two vaults opened the same leveraged position with the same deposit, on the same "
        f"chain. The price of {escape(story.base)} then went from {number(summary.price_start)} to "
        f"{number(summary.price_end)} {escape(story.asset)}, at its lowest "
        f"{number(summary.market_low)}, in {span(summary.simulated_s)} and {summary.blocks} "
        "blocks. One vault had a keeper.</p></header>"
    )


def _results(story: Story, summary: Summary) -> str:
    both = (summary.protected, summary.unprotected)
    gas = (summary.gas_value, 0.0)

    def row(name: str, cells: Iterable[str]) -> str:
        return f"<tr><th scope=row>{name}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"

    def money(raw: int) -> str:
        return f"{amount(raw, story.asset_decimals)} {escape(story.asset)}"

    def kept(result: TwinResult) -> str:
        return percent(result.nav_end / result.nav_start - 1) if result.nav_start else "none"

    rows = (
        row("liquidations", (str(r.liquidations) for r in both)),
        row(
            "lowest health",
            ("none" if r.min_health is None else f"{r.min_health:.3f}" for r in both),
        ),
        row("NAV at the start", (money(r.nav_start) for r in both)),
        row("NAV at the end", (money(r.nav_end) for r in both)),
        row("change", (kept(r) for r in both)),
        row("charged to the routine loss bucket", (bps_percent(r.routine_loss_bps) for r in both)),
        row("charged to the protective one", (bps_percent(r.protective_loss_bps) for r in both)),
        row("keeper transactions", (str(r.keeper_txs) for r in both)),
        row("gas paid by the keeper", (f"{amount(r.gas_spent_wei, 18, 5)} ETH" for r in both)),
        row("the same at market prices", (f"{g:,.2f} {escape(story.asset)}" for g in gas)),
    )
    head = (
        "<tr><td></td><th scope=col class=protected>with the keeper</th>"
        "<th scope=col class=unprotected>left alone</th></tr>"
    )
    return f"<section><table class=results><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></section>"


def _figure(name: str, svg: str) -> str:
    return f"<figure><h2>{_TITLES[name]}</h2>{svg}<figcaption>{escape(_CAPTIONS[name])}</figcaption></figure>"


def _actions(story: Story) -> str:
    marks = [m for m in story.marks if m.kind is not MarkKind.ORACLE]
    if not marks:
        return "<section><h2>Actions</h2><p>None: nothing had to be done.</p></section>"
    return f"<section><h2>Actions ({len(marks)})</h2>{_mark_table(marks)}</section>"


def _oracle_updates(story: Story) -> str:
    marks = [m for m in story.marks if m.kind is MarkKind.ORACLE]
    if not marks:
        return ""
    return (
        f"<section><details><summary>Oracle updates ({len(marks)})</summary>"
        f"{_mark_table(marks)}</details></section>"
    )


def _mark_table(marks: Sequence[Mark]) -> str:
    columns = ("block", "time", "who", "vault", "what", "why", "gas", "gwei", "transaction")
    head = "".join(f"<th scope=col>{c}</th>" for c in columns)
    return (
        f"<div class=wide><table class=actions><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(_mark_row(m) for m in marks)}</tbody></table></div>"
    )


def _mark_row(mark: Mark) -> str:
    vault = {Twin.PROTECTED: "with the keeper", Twin.UNPROTECTED: "left alone", None: ""}[mark.twin]
    digits = escape(short_hash(mark.tx_hash))
    cells = (
        ("n", str(mark.block)),
        ("n", clock(mark.elapsed_s)),
        ("s", escape(mark.who)),
        ("s", vault),
        ("t", escape(mark.what)),
        ("t", escape(mark.why)),
        ("n", f"{mark.gas_used:,}" if mark.gas_used else ""),
        ("n", gwei(mark.gas_price_wei) if mark.gas_price_wei else ""),
        ("s", f'<code title="{escape(mark.tx_hash)}">{digits}</code>'),
    )
    row = "".join(f"<td class={kind}>{text}</td>" for kind, text in cells)
    return f'<tr class="{mark.kind.value}">{row}</tr>'


def _parameters(story: Story, summary: Summary) -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in (*story.parameters, ("wall time", f"{summary.wall_s:.1f} s"))
    )
    return (
        f"<section><h2>How this was made</h2><table class=facts><tbody>{rows}</tbody></table>"
        f"<p>See it again with</p><pre><code>{escape(story.command)}</code></pre></section>"
    )
