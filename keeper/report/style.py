"""The page's style: light or dark as the reader's system says, legible in print."""

from keeper.report.theme import DARK, LIGHT, css_variables

PAGE_CSS = f"""
:root{{color-scheme:light dark;{css_variables(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{css_variables(DARK)}}}}}
@media print{{:root{{{css_variables(LIGHT)}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}}
main{{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 4rem}}
h1{{font-size:2rem;line-height:1.15;margin:0 0 .75rem;overflow-wrap:anywhere}}
h2{{font-size:1.15rem;margin:2.25rem 0 .5rem}}
p{{margin:.5rem 0;max-width:46rem}}
.kicker{{color:var(--muted);letter-spacing:.08em;text-transform:uppercase;font-size:.8rem;margin:0}}
.period{{color:var(--muted);margin:-.5rem 0 1rem}}
.verdict{{font-size:1.2rem;font-weight:600;border-left:.3rem solid var(--muted);padding-left:.8rem}}
.verdict.good{{border-color:var(--protected)}}
.verdict.bad{{border-color:var(--danger);color:var(--danger)}}
figure{{margin:0}}
figure svg{{display:block;width:100%;height:auto}}
figcaption{{color:var(--muted);font-size:.9rem;max-width:46rem}}
table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}
th,td{{padding:.35rem .75rem .35rem 0;text-align:left;vertical-align:top}}
tr{{border-bottom:1px solid var(--grid)}}
th[scope=row]{{font-weight:400;color:var(--muted)}}
.results{{margin-top:1.5rem;min-width:min(100%,36rem)}}
.results td,.results thead th{{text-align:right}}
.results .protected{{color:var(--protected)}}
.results .unprotected{{color:var(--unprotected)}}
.wide{{overflow-x:auto}}
.actions{{font-size:.85rem;min-width:100%}}
.actions thead th{{color:var(--muted);font-weight:400}}
.actions .n{{text-align:right;white-space:nowrap}}
.actions .s{{white-space:nowrap}}
.actions .t{{min-width:14rem;overflow-wrap:anywhere}}
.liquidation td,.failed td{{color:var(--danger)}}
summary{{cursor:pointer;color:var(--muted);margin-top:2rem}}
code{{font:.9em ui-monospace,monospace}}
pre{{background:var(--grid);padding:.8rem 1rem;overflow-x:auto;border-radius:.3rem}}
"""
