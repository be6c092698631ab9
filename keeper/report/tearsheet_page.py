"""A run as one HTML page that needs no script, no network and no other file."""

from datetime import UTC, datetime
from html import escape

from keeper.report.performance import Performance
from keeper.report.style import PAGE_CSS
from keeper.report.tearsheet import TearSheet, rows
from keeper.report.tearsheet_plots import TITLES, sheet_plots

_CAPTIONS = {
    "equity": "After every cost, gas among them; the grey line is the same money in the base token.",
    "drawdown": "Below the highest value so far.",
    "trades": "Each swap and order that changed the exposure; protective ones are larger. The 600 largest are drawn.",
    "health": "Collateral times liquidation threshold over debt, drawn up to 5.",
    "greeks": "Of the whole vault.",
    "waterfall": "In assets, after gas. What Greeks do not explain is the residual; it is part of the sum.",
    "losses": "Fractions of a share's value, by UTC day, with the historical value at risk.",
}
_CSS = """
.figures td:nth-child(2){text-align:right;font-variant-numeric:tabular-nums}
.figures td:nth-child(3){color:var(--muted);font-size:.9rem}
.notes{border-left:.3rem solid var(--unprotected);padding:.2rem 0 .2rem 1.6rem;margin:1rem 0}
"""


def sheet_page(sheet: TearSheet, found: Performance) -> str:
    """The whole page as text; equal runs give equal pages."""
    plots = "\n".join(
        f"<figure><h2>{TITLES[name]}</h2>{svg}<figcaption>{escape(_CAPTIONS[name])}</figcaption></figure>"
        for name, svg in sheet_plots(sheet).items()
    )
    figures = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td><td>{escape(worth)}</td></tr>"
        for name, value, worth in rows(found, sheet)
    )
    facts = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in sheet.facts
    )
    command = f"<h2>Again</h2><pre>{escape(sheet.command)}</pre>" if sheet.command else ""
    body = "\n".join(
        (
            _header(sheet, found),
            f"<table class=figures><tbody>{figures}</tbody></table>",
            plots,
            f"<h2>The run</h2><table><tbody>{facts}</tbody></table>" if facts else "",
            command,
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(sheet.title)}</title><style>{PAGE_CSS}{_CSS}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _header(sheet: TearSheet, found: Performance) -> str:
    begin, end = (datetime.fromtimestamp(int(t), UTC) for t in (sheet.times[0], sheet.times[-1]))
    kind = "good" if found.total_return > 0 else "bad"
    notes = "".join(f"<li>{escape(note)}</li>" for note in sheet.notes)
    return (
        f"<header><p class=kicker>Gimbal</p><h1>{escape(sheet.title)}</h1>"
        f"<p class=period>{begin:%Y-%m-%d} to {end:%Y-%m-%d}, {sheet.times.size:,} steps</p>"
        f"<p class='verdict {kind}'>{found.total_return:+.2%} in {found.days} days, "
        f"at worst {found.max_drawdown:.2%} under a peak</p>"
        + (f"<ul class=notes>{notes}</ul>" if notes else "")
        + "</header>"
    )
