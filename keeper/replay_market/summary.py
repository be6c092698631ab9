"""What a replay came to, for programs: counts, the gap and its parts, every transaction of both runs."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from keeper.replay_market.gap import Done, Pair
from keeper.replay_market.run import Replayed

SCHEMA = 1


def summary_of(replayed: Replayed) -> dict[str, Any]:
    """Amounts in whole assets, times in unix seconds."""
    segment, played = replayed.segment, replayed.played
    comparison, gap, unit = replayed.comparison, replayed.gap, replayed.unit
    opening = replayed.books.steps[0].nav
    return {
        "schema": SCHEMA,
        "segment": {
            "name": segment.name,
            "from": segment.moments[0].time,
            "to": segment.moments[-1].time,
            "market_events": segment.events,
            "moments": len(segment.moments),
            "blocks": len(played.blocks),
            "block_s": segment.block_s,
            "blocks_of_a_whole_chain": segment.span_s // segment.block_s + 1,
            "rounds": "given" if segment.rounds_given else "by deviation and heartbeat",
        },
        "strategy": replayed.options.vault.strategy,
        "parameters": dict(replayed.options.vault.parameters),
        "opening_nav": opening / unit,
        "nav_replay": gap.nav_replay / unit,
        "nav_backtest": gap.nav_backtest / unit,
        "gap": {
            "whole": gap.whole / unit,
            "of_opening_bps": 10_000 * gap.whole / opening if opening else None,
            "exact": gap.exact,
            "parts": {str(part): amount / unit for part, amount in gap.parts.items()},
            "gas_replay": gap.gas_replay / unit,
            "gas_backtest": gap.gas_backtest / unit,
        },
        "decisions": {
            **{name: value for name, value in asdict(comparison).items() if name != "differences"},
            "differences": [asdict(each) for each in comparison.differences],
        },
        "decided_again": asdict(replayed.again),
        "transactions": [_pair(pair, unit) for pair in replayed.pairs],
        "liquidations": {
            "replay": replayed.liquidations,
            "backtest": len(replayed.backtest.liquidations),
        },
        "attribution": {
            "replay": {str(c): amount / unit for c, amount in replayed.books.by_cause().items()},
            "backtest": {
                str(c): amount / unit
                for c, amount in replayed.backtest.attribution.by_cause.items()
            },
        },
        "lowest_health": replayed.lowest_health,
        "actors_failed": len(played.failures),
        "wall_s": asdict(replayed.wall),
    }


def _pair(pair: Pair, unit: int) -> dict[str, Any]:
    return {
        "matched": pair.matched,
        "replay": _done(pair.replay, unit),
        "backtest": _done(pair.backtest, unit),
    }


def _done(done: Done | None, unit: int) -> dict[str, Any] | None:
    if done is None:
        return None
    costs = {name: amount / unit for name, amount in asdict(done.costs).items()}
    return {
        **asdict(done),
        "gas_cost": done.gas_cost / unit,
        "sold": done.sold / unit,
        "costs": costs,
    }


def stamp(seconds: int) -> str:
    """A moment for people, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def facts_of(replayed: Replayed) -> tuple[tuple[str, str], ...]:
    """The lines of the table."""
    segment, comparison, gap = replayed.segment, replayed.comparison, replayed.gap
    unit, again = replayed.unit, replayed.again
    opening = replayed.books.steps[0].nav
    whole = segment.span_s // segment.block_s + 1
    first, last = segment.moments[0].time, segment.moments[-1].time
    return (
        ("segment", f"{segment.name}, {stamp(first)} to {stamp(last)} UTC"),
        (
            "blocks made",
            f"{len(replayed.played.blocks):,} of the {whole:,} a chain would have had: "
            f"{len(segment.moments):,} moments, {segment.leads:,} of them before a bar's end",
        ),
        (
            "decisions",
            f"{comparison.equal:,} of {comparison.compared:,} equal; of {comparison.acted:,} that "
            f"acted {comparison.acted_equal:,}; {comparison.one_sided:,} of one run only",
        ),
        (
            "where readings were equal",
            f"{comparison.plans_equal_there:,} of {comparison.readings_equal:,} plans equal",
        ),
        (
            "the chain's readings decided again",
            f"{again.identical:,} of {again.decided:,} identical",
        ),
        ("NAV at the start", f"{opening / unit:,.2f}"),
        ("NAV at the end, replay", f"{gap.nav_replay / unit:,.2f}"),
        ("NAV at the end, backtest", f"{gap.nav_backtest / unit:,.2f}"),
        (
            "execution gap",
            f"{gap.whole / unit:+,.2f}"
            + (f" ({10_000 * gap.whole / opening:+.2f} bps of the start)" if opening else ""),
        ),
        (
            "gas, replay and backtest",
            f"{gap.gas_replay / unit:,.2f} and {gap.gas_backtest / unit:,.2f}",
        ),
        (
            "liquidations, replay and backtest",
            f"{replayed.liquidations} and {len(replayed.backtest.liquidations)}",
        ),
        ("lowest health", f"{replayed.lowest_health:.4f}" if replayed.lowest_health else "no debt"),
        (
            "wall time",
            f"set up {replayed.wall.set_up:.1f} s, replay {replayed.wall.replay:.1f} s, "
            f"backtest {replayed.wall.backtest:.1f} s",
        ),
    )


MEANINGS = {
    "opening": "the two vaults did not begin alike",
    "oracle rounds": "other rounds, or at other blocks, on what the backtest held",
    "timing of landing": "the price moved while a transaction was in for one run only",
    "decisions that differed": "transactions only one run sent: their cost, and the price on what they changed",
    "amounts held": "equal decisions left other amounts; the price moved on the difference",
    "pool fee": "on other amounts sold",
    "impact": "the pool moved otherwise while it filled",
    "basis": "the pool stood elsewhere against the oracle when it was traded with: noise inside its fee",
    "interest earned": "the venue touched at other times, on other amounts",
    "interest paid": "as earned",
    "liquidation": "somebody liquidated one run, or more of it",
    "rounding": "of venues, in units",
    "unexplained": "what the replay's own books could not explain",
}
"""Of the parts, in a line each."""
