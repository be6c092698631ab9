"""One case played and watched."""

import traceback
from dataclasses import dataclass

from keeper.backtest import BacktestResult
from tests.gauntlet.scenarios import Case, events_of, policies_of, strategy_of, vault_of
from tests.gauntlet.watch import Breach, watched

MOST_A_DAY, GRACE = 48, 36
"""Routine rebalances: more is thrash, whatever it earns. The grace is for building and unwinding, and for a crash in
which a hedge of a levered vault is all there is to do."""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case came to."""

    case: Case
    breaches: tuple[Breach, ...]
    ticks: int
    transactions: int
    orders: int
    reverted: int
    liquidations: int
    refusals: tuple[tuple[str, int], ...]
    change: float

    def line(self) -> str:
        """For a person."""
        c = self.case
        refused = ", ".join(f"{n} {rule}" for rule, n in self.refusals)
        return (
            f"{c.strategy:24s} {c.scenario:18s} {c.seed} ticks {self.ticks:5d} tx {self.transactions:4d} "
            f"orders {self.orders:4d} reverted {self.reverted:3d} liquidated {self.liquidations} "
            f"nav {self.change:+.2%} {'BREACH ' + str(len(self.breaches)) if self.breaches else 'ok'} {refused}"
        )


def play(case: Case) -> Outcome:
    """Run it; an exception is a breach as well."""
    events, first = events_of(case)
    spec = vault_of(case, first)
    try:
        result, watch = watched(
            spec, events, strategy_of(case), policies_of(spec), name=case.strategy
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the matrix looks for
        text = "".join(traceback.format_exception(error)[-3:])
        return Outcome(case, (Breach(0, "exception", text),), 0, 0, 0, 0, 0, (), 0.0)
    breaches = [*watch.breaches, *_thrash(result)]
    nav = result.steps["nav"]
    return Outcome(
        case,
        tuple(breaches),
        result.ticks,
        len(result.transactions),
        len(result.orders),
        sum(bool(t.reverted) for t in result.transactions),
        len(result.liquidations),
        tuple(result.refusals.items()),
        float(nav[-1] / nav[0] - 1),
    )


def _thrash(result: BacktestResult) -> list[Breach]:
    times = result.steps["time"]
    days = float(times[-1] - times[0]) / DAY
    made = [t for t in result.transactions if t.kind == "rebalance" and t.lane == "routine"]
    most = GRACE + MOST_A_DAY * days
    found = []
    if len(made) > most:
        found.append(Breach(int(times[-1]), "thrash", f"{len(made)} rebalances in {days:.2f} days"))
    traded = [o for o in result.orders if not o.refused]
    if len(traded) > most:
        found.append(Breach(int(times[-1]), "thrash", f"{len(traded)} orders in {days:.2f} days"))
    reverted = [t for t in result.transactions if t.reverted]
    if len(reverted) > 3 + len(result.transactions) // 5:
        names = {t.reverted.split("(")[0] for t in reverted}
        found.append(
            Breach(int(times[-1]), "reverts", f"{len(reverted)}: {', '.join(sorted(names))}")
        )
    return found
