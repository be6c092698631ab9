"""The risk report as one HTML page that needs no script, no network and no other file."""

from html import escape

from keeper.model.risk_report import FullReport, Standing
from keeper.report.risk_plots import TITLES, risk_plots
from keeper.report.risk_text import Section, money, sections
from keeper.report.style import PAGE_CSS

_CSS = """
.risk{font-size:.9rem;min-width:min(100%,40rem)}
.risk thead th{color:var(--muted);font-weight:400;white-space:nowrap}
.risk td:not(:first-child){font-variant-numeric:tabular-nums}
.risk td:first-child{overflow-wrap:anywhere}
.breach td{color:var(--danger);font-weight:600}
.warn td{color:var(--unprotected)}
.unknown td{color:var(--muted)}
.problems{border-left:.3rem solid var(--unprotected);padding:.2rem 0 .2rem 1.6rem;margin:1rem 0}
"""
_CAPTIONS = {
    "payoff": "NAV if the price were another: now, after the horizon, and with every option at its intrinsic value.",
    "greeks": "Delta, and where options are held gamma and vega, if the price were another.",
    "heat": "Every change of the price with every change of volatility, after the horizon, as a part of NAV.",
    "losses": "Every position revalued under the distribution of price and volatility. Gains are negative losses.",
}
_STANDS = {
    Standing.OK: ("good", "Every limit holds."),
    Standing.WARN: ("", "Every limit holds; some are near."),
    Standing.BREACH: ("bad", "A limit is broken."),
    Standing.UNKNOWN: ("", "Not everything can be known."),
}
_FOLDED = ("Scenarios", "Positions")


def risk_page(report: FullReport, asset: str = "asset", base: str = "base") -> str:
    """The whole page as text; equal reports give equal pages."""
    parts = sections(report, asset, base)
    plots = risk_plots(report, asset, base)
    figures = [
        f"<figure><h2>{TITLES[name]}</h2>{svg}<figcaption>{escape(_CAPTIONS[name])}</figcaption></figure>"
        for name, svg in plots.items()
    ]
    tables = [_table(part) for part in parts]
    body = "\n".join((_header(report, asset), *tables[:3], *figures, *tables[3:]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Risk of {escape(report.vault)}</title><style>{PAGE_CSS}{_CSS}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _header(report: FullReport, asset: str) -> str:
    kind, text = _STANDS[report.standing]
    nav = "NAV is not known" if report.nav is None else f"NAV {money(report.nav)} {asset}"
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in report.problems)
    vetoes = "".join(f"<li>veto by {escape(veto)}</li>" for veto in report.vetoes)
    noted = f"<ul class=problems>{problems}{vetoes}</ul>" if problems or vetoes else ""
    return (
        f"<header><p class=kicker>Gimbal risk</p><h1>{escape(nav)}</h1>"
        f"<p class=period>Vault {escape(report.vault)}, block {report.block_number} of chain "
        f"{report.chain_id}</p><p class='verdict {kind}'>{escape(text)}</p>{noted}</header>"
    )


def _table(part: Section) -> str:
    head = "".join(f"<th scope=col>{escape(c)}</th>" for c in part.columns)
    marks = part.marks or (None,) * len(part.rows)
    rows = "".join(
        f'<tr class="{mark.value if mark else ""}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row, mark in zip(part.rows, marks, strict=True)
    )
    table = (
        f"<div class=wide><table class=risk><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    title = escape(part.title)
    if part.title.startswith(_FOLDED):
        return f"<section><details><summary>{title} ({len(part.rows)})</summary>{table}</details></section>"
    return f"<section><h2>{title}</h2>{table}</section>"
