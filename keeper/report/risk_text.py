"""The risk report in words: rows that table and page share."""

from collections.abc import Iterable
from typing import NamedTuple

from keeper.model.risk_report import FullReport, LiquidationRisk, Standing


class Section(NamedTuple):
    """A titled table of text; the first column is what the row is about."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[Standing | None, ...] = ()
    """How each row stands, where rows do."""


MOST_ROWS = 40


def sections(report: FullReport, asset: str = "asset", base: str = "base") -> tuple[Section, ...]:
    """Everything worth reading, most pressing first; empty parts are left out."""
    parts = (
        _limits(report),
        _summary(report, asset, base),
        _venues(report, asset),
        _scenarios(report),
        _attribution(report),
        _contagion(report),
        _positions(report, base),
        _modules(report),
    )
    return tuple(part for part in parts if part.rows)


def money(value: float | None, places: int = 0) -> str:
    """Thousands separated, or unknown."""
    return "unknown" if value is None else f"{value:,.{places}f}"


def figure(value: float) -> str:
    """As many places as its size leaves worth reading; 0 is 0."""
    size = abs(value)
    places = 0 if size >= 1_000.0 else 2 if size >= 1.0 else 4
    return f"{value:,.{places}f}" if value else "0"


def share(value: float | None, places: int = 1) -> str:
    """As a percentage, or unknown."""
    return "unknown" if value is None else f"{value:.{places}%}"


def chance(value: float | None) -> str:
    """A probability with two digits; what no double tells from 0 is said to be under 1e-300."""
    if value is None:
        return "unknown"
    return "< 1e-300" if value == 0.0 else f"{value:.2g}"


def years(value: float | None) -> str:
    """A time in the unit that reads best."""
    if value is None:
        return "never or unknown"
    for name, size in (("years", 1.0), ("days", 365.0), ("hours", 8_760.0), ("minutes", 525_600.0)):
        if value * size >= 1.0:
            return f"{value * size:,.1f} {name}"
    return f"{value * 31_536_000:,.1f} s"


def days(value: float) -> str:
    """A number of days."""
    return "1 day" if value == 1.0 else f"{value:g} days"


def _limits(report: FullReport) -> Section:
    rows = tuple(
        (
            v.limit,
            v.standing.value,
            "unknown" if v.value is None else f"{v.value:.6g}",
            f"{v.bound:.6g}",
            share(v.headroom) if v.headroom is not None else "",
        )
        for v in report.limits
    )
    marks = tuple(v.standing for v in report.limits)
    return Section("Limits", ("limit", "stands", "now", "bound", "headroom"), rows, marks)


def _summary(report: FullReport, asset: str, base: str) -> Section:
    found: list[tuple[str, str]] = []
    if report.greeks is not None and report.price is not None:
        g = report.greeks
        found += [
            ("NAV", f"{money(g.value, 2)} {asset}"),
            ("delta", f"{g.delta:,.4f} {base} ({money(g.delta * report.price)} {asset})"),
            ("gamma, vega", f"{g.gamma:,.6g} {base} per {asset}, {money(g.vega)} {asset}"),
            ("theta, rho", f"{money(g.theta / 365, 2)} {asset} a day, {money(g.rho)} {asset}"),
            ("vanna, volga", f"{g.vanna:,.4g} {base}, {money(g.volga)} {asset}"),
        ]
    if report.greeks_after_requests != report.greeks and report.greeks_after_requests:
        after = report.greeks_after_requests
        found.append(("after requests", f"{money(after.value)} {asset}, delta {after.delta:,.4f}"))
    found.append(("volatility", share(report.volatility) + _jumps(report)))
    found += _tail(report, asset)
    w = report.wait
    pays = "" if w.keeper_can_pay else "; the keeper's account CANNOT PAY for protection"
    text = f"{w.seconds:,.0f} s (price {w.price_age_s:,.0f} s old, congestion {w.congestion:.1f}){pays}"
    found.append(("until it can act", text))
    if report.collateral is not None:
        c = report.collateral
        cut = ", cut by the highest allowed" if c.bounded else ""
        found.append(("health to keep", f"{c.low:.3f} / {c.target:.3f} / {c.high:.3f}{cut}"))
    return Section("Vault", ("what", "value"), tuple(found))


def _jumps(report: FullReport) -> str:
    j = report.jumps
    if j.intensity == 0.0:
        return ""
    return (
        f", of it {j.intensity:.1f} jumps a year of {j.mean:+.1%} on average (+-{j.deviation:.1%})"
    )


def _tail(report: FullReport, asset: str) -> Iterable[tuple[str, str]]:
    if (t := report.tail) is not None:
        over = f"{t.confidence:.1%}, {days(t.horizon_days)}, {t.method}"
        yield ("value at risk", f"{money(t.value_at_risk)} {asset} ({over})")
        yield ("expected shortfall", f"{money(t.expected_shortfall)} {asset}")
    if (m := report.margin) is not None:
        parts = ", ".join(f"{c.name} {money(c.amount)}" for c in m.contingencies if c.amount)
        yield ("margin", f"{money(m.required)} {asset}: {m.worst} {money(m.scan)}; {parts}")
        yield ("margin's headroom", f"{money(m.headroom)} {asset}")
    if (q := report.liquidity) is not None:
        until = "not within budgets" if q.horizon_days is None else years(q.horizon_days / 365)
        yield (
            "exit",
            f"{money(q.exit_cost)} {asset} at once ({q.exit_cost_share:.2%}), "
            f"{money(q.sliced_cost)} in {q.slices} slices over {until} (bound by {q.bound_by})",
        )
    for c in report.concentration:
        yield (f"largest {c.by}", f"{c.largest}: {c.share:.1%} of gross (index {c.herfindahl:.2f})")


def _venues(report: FullReport, asset: str) -> Section:
    columns = ("venue", "health", "if", "at", "away", "sigmas", "median time", "before we act")
    rows: list[tuple[str, ...]] = []
    for venue in report.venues:
        health = "unreadable" if not venue.readable else "no debt"
        if venue.health is not None:
            health = f"{venue.health:.4f}"
        if not venue.liquidations:
            rows.append((venue.id, health, *("",) * 6))
        rows += [(venue.id, health, *_liquidation(x, asset)) for x in venue.liquidations]
    return Section("Liquidation", columns, tuple(rows))


def _liquidation(x: LiquidationRisk, asset: str) -> tuple[str, ...]:
    at = f"{x.price:.4f} of par" if x.underlying == "asset" else f"{money(x.price, 2)} {asset}"
    verb = "falls" if x.direction == "fall" else "rises"
    return (
        f"{x.underlying} {verb}",
        at,
        share(x.move),
        "unknown" if x.sigmas is None else f"{x.sigmas:.1f}",
        years(x.median_time),
        chance(x.probability),
    )


def _scenarios(report: FullReport) -> Section:
    rows = tuple(
        (
            s.name + (" (extreme)" if s.extreme else ""),
            money(s.pnl),
            share(s.pnl / report.nav) if report.nav else "",
            "" if s.health is None else f"{s.health:.3f}",
        )
        for s in sorted(report.scenarios, key=lambda s: s.pnl)
    )
    return Section("Scenarios, worst first", ("scenario", "change", "of NAV", "health"), rows)


def _attribution(report: FullReport) -> Section:
    if report.margin is None:
        return Section("", (), ())
    rows = tuple((a.name, money(a.amount)) for a in report.margin.attribution[:MOST_ROWS])
    return Section(f"Where '{report.margin.worst}' hurts", ("position", "change"), rows)


def _contagion(report: FullReport) -> Section:
    rows = tuple(
        (f.node, money(f.direct), money(f.total), share(f.share_of_nav), " > ".join(f.chain))
        for f in report.contagion
    )
    return Section("What fails", ("failure", "alone", "in all", "of NAV", "by"), rows)


def _positions(report: FullReport, base: str) -> Section:
    """As wide as a plain terminal: what is said of none has no column."""
    columns = ("position", "venue", "value", f"delta, {base}", "vega", "theta a day", "note")
    ordered = sorted(report.positions, key=lambda p: -abs(p.greeks.value))[:MOST_ROWS]
    rows = [
        (
            p.id,
            p.venue,
            figure(p.greeks.value),
            figure(p.greeks.delta),
            figure(p.greeks.vega),
            figure(p.greeks.theta / 365),
            p.problem or ("" if p.in_nav else "not in NAV yet"),
        )
        for p in ordered
    ]
    kept = len(columns) if any(row[-1] for row in rows) else len(columns) - 1
    left = len(report.positions) - len(rows)
    title = "Positions" + (f", the largest {len(rows)} of {len(rows) + left}" if left else "")
    return Section(title, columns[:kept], tuple(row[:kept] for row in rows))


def _modules(report: FullReport) -> Section:
    rows = tuple(
        (
            m.module,
            m.standing.value,
            m.veto or m.problem,
            ", ".join(f"{x.name} {x.value:g} {x.unit}".rstrip() for x in m.measures),
        )
        for m in report.modules
    )
    marks = tuple(m.standing for m in report.modules)
    return Section("Third-party modules", ("module", "stands", "says", "measures"), rows, marks)
