"""Protection through crashes: a leveraged vault with this keeper, with simpler ones, and alone.

The paths are those of `scripts.study.crashes`, the same for every keeper; the parameters are defaults or fixed
beforehand.

    python -m scripts.study.protection [--paths 1000] [--jobs 2] [--bars FILE] [--seed 0] [--quick]

A liquidation was

- avoidable, if in the stretch of blocks before it in which the keeper asked for protection there is one from which a
  transaction of the path's inclusion time is in before the liquidation, and at which as well as at its landing the
  vault's own rules let collateral be sold (the two price sources not in dispute, V-07; the pool near enough to the
  oracle for the mandate's limit on a swap's loss; the venue, at whose health 1.01 a hundredth of the collateral can be
  withdrawn to be sold), and at the first such block the keeper neither sent anything nor
  had anything in flight: it waited although protection was possible;
- in vain, if it acted at that first block, and the fall went on past what it could sell;
- forbidden, if there was time but no such block: oracle and pool were too far apart for the vault's own rules, or
  the venue let no more be withdrawn;
- too fast otherwise.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.events import PriceEvent
from keeper.backtest.spec import ChainSpec, OracleSpec, PoolSpec
from keeper.backtest.watch import Watch
from keeper.backtest.world import World
from keeper.history.bars import read_bars
from keeper.localnet.paths.build import build_path
from keeper.loop import TickRecord
from keeper.model.decision import Lane, Target
from keeper.model.exposure import RiskInputs
from keeper.model.market import MarketState, PriceFault
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD, Raw
from scripts.study.crashes import Case, bootstrapped, events_of, generated, history
from scripts.study.output import HOURLY, Table, data_or_skip, save
from strategies.collateral_guard import CollateralGuard


@dataclass(frozen=True, slots=True)
class Still:
    """No keeper at all."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Nothing, ever."""
        del market, risk
        return Target(Lane.ROUTINE, None, None, "nobody is there")


KEEPERS: dict[str, Strategy] = {
    "this keeper": CollateralGuard(),
    "fixed, 1.25 to 1.45": CollateralGuard(relever=False, volatility_adjusted=False),
    "fixed, 1.10 to 1.25": CollateralGuard(1.10, 1.25, relever=False, volatility_adjusted=False),
    "nobody": Still(),
}
"""The fixed ones act on health alone, at this keeper's numbers and at lower ones, and never raise debt."""


class Verdict(StrEnum):
    """Of one liquidation."""

    AVOIDABLE = "avoidable"
    IN_VAIN = "in vain"
    FORBIDDEN = "forbidden"
    TOO_FAST = "too fast"


LEAST_HEALTH_BPS = 10_100
"""Under it a venue lets less than a hundredth of the collateral out, and nothing that is sold helps."""
SHOWN = (Verdict.TOO_FAST, Verdict.FORBIDDEN, Verdict.IN_VAIN, Verdict.AVOIDABLE)


@dataclass(frozen=True, slots=True)
class Look:
    """The world after one step, and what the keeper wanted in it."""

    time: int
    asks: bool
    """The strategy asks for protection; while a transaction is in flight, as before it."""
    sellable: bool
    """The vault's and the venue's rules let collateral be sold: see above."""


@dataclass(slots=True)
class Looks:
    """Written down while a backtest runs."""

    found: list[Look] = field(default_factory=list)
    asks: bool = False

    def ticked(self, record: TickRecord) -> None:
        """What the strategy said, if it was asked."""
        if record.target is not None:
            self.asks = record.target.lane is Lane.PROTECTIVE and not record.target.hold

    def stepped(self, world: World) -> None:
        """What the vault would say of a sale."""
        pool = world.pool
        most = world.spec.terms.limits.max_swap_loss_bps - pool.spec.fee_pips // 100
        least = pool.root_of(world.oracle.price_wad * (BPS - most) // BPS)
        root = pool.sqrt_price_x96
        near = root >= least if pool.spec.base_is_token0 else root <= least
        usable = world.fault() is PriceFault.NONE
        health = world.lending.account(*world.oracle.answers).health_wad
        room = health * BPS > LEAST_HEALTH_BPS * WAD or world.idle_asset > 0
        self.found.append(Look(world.time, self.asks, usable and near and room))


def judge(looks: Sequence[Look], sent: Sequence[int], at: int, wait_s: int) -> Verdict:
    """What a liquidation at `at` was: looks in order of time, sent: when protective transactions were, each of which
    takes `wait_s` to land.

    A liquidation and a transaction of one moment: the liquidation is first.
    """
    before = [look for look in looks if look.time < at]
    stretch: list[Look] = []
    for look in reversed(before):
        if not look.asks:
            break
        stretch.append(look)
    in_time = [look for look in stretch if look.time + wait_s < at]
    if not in_time:
        return Verdict.TOO_FAST
    for look in reversed(in_time):
        landing = next(x for x in reversed(before) if x.time <= look.time + wait_s)
        if look.sellable and landing.sellable:
            acted = any(look.time - wait_s < began <= look.time for began in sent)
            return Verdict.IN_VAIN if acted else Verdict.AVOIDABLE
    return Verdict.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Ending:
    """What one keeper made of one path; amounts as parts of the opening NAV."""

    verdicts: tuple[Verdict, ...]
    """Of each liquidation; of nobody's there are none that could be avoided."""
    liquidated: float
    kept: float
    cost: float
    transactions: int
    reverted: int
    liquidations: int


def play(case: Case) -> tuple[str, dict[str, Ending]]:
    """One path for all keepers."""
    events = events_of(build_path(case.scenario))
    first = next(e.price_wad for e in events if isinstance(e, PriceEvent))
    spec = BacktestSpec(
        chain=ChainSpec(latency_blocks=case.latency_blocks),
        oracle=OracleSpec(latency_s=case.oracle_latency_s),
        pool=PoolSpec(depth=round(case.depth_usd) * 10**6),
    )
    spec = levered(spec, case.health, first)
    policies = default_policies(spec.asset.decimals)
    policies = replace(
        policies,
        planning=replace(policies.planning, max_swap=Raw(5_000_000 * 10**6)),
        risk=RiskInputs(volatility=case.forecast),
    )
    endings = {}
    for name, strategy in KEEPERS.items():
        looks = Looks()
        watch = Watch(ticked=looks.ticked, stepped=looks.stepped)
        result = run_backtest(spec, iter(events), strategy, policies, name=name, watch=watch)
        endings[name] = ending(result, looks.found, case)
    return case.kind, endings


def ending(result: BacktestResult, looks: Sequence[Look], case: Case) -> Ending:
    """Of one run."""
    nav = result.attribution.opening
    costs = sum(s.fee + s.impact + s.basis for s in result.swaps)
    wait_s = case.latency_blocks * ChainSpec().block_s
    sent = [t.sent_at for t in result.transactions if t.lane is Lane.PROTECTIVE]
    return Ending(
        verdicts=tuple(judge(looks, sent, done.time, wait_s) for done in result.liquidations),
        liquidated=sum(done.loss for done in result.liquidations) / nav,
        kept=result.attribution.closing / nav,
        cost=(costs + result.attribution.gas) / nav,
        transactions=len(result.transactions),
        reverted=sum(bool(t.reverted) for t in result.transactions),
        liquidations=len(result.liquidations),
    )


def tables(found: list[tuple[str, dict[str, Ending]]]) -> list[Table]:
    """By kind of path and by keeper."""
    table = Table(
        "protection",
        f"{len(found)} paths, each with {len(KEEPERS)} vaults of 1,000,000",
        (
            "paths", "number", "keeper", "vaults liquidated", "liquidations", "too fast", "forbidden",
            "in vain", "avoidable", "lost to liquidators, mean of NAV", "NAV kept, mean",
            "cost of protection, mean of NAV", "transactions", "reverted",
        ),
    )  # fmt: skip
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    for kind in (*kinds, "all"):
        those = [endings for k, endings in found if kind in {k, "all"}]
        for name in KEEPERS:
            ends = [endings[name] for endings in those]
            verdicts = [verdict for e in ends for verdict in e.verdicts]
            counts = [str(verdicts.count(v)) if name != "nobody" else "-" for v in SHOWN]
            table.add(
                kind, str(len(ends)), name, str(sum(e.liquidations > 0 for e in ends)),
                str(sum(e.liquidations for e in ends)), *counts,
                f"{np.mean([e.liquidated for e in ends]):.2%}",
                f"{np.mean([e.kept for e in ends]):.1%}",
                f"{np.mean([e.cost for e in ends]):.3%}",
                str(sum(e.transactions for e in ends)), str(sum(e.reverted for e in ends)),
            )  # fmt: skip
    return [table]


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--paths", type=int, default=1_000, help="bootstrapped and generated ones")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--quick", action="store_true", help="a tenth of the paths")
    options = asked.parse_args()
    paths = options.paths // 10 if options.quick else options.paths
    begun = time.monotonic()
    bars = read_bars(options.bars or data_or_skip(HOURLY), max_missing=48)
    draw = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.jobs) as pool:
        cases = list(history(bars, Path(folder), draw))
        cases += bootstrapped(bars, Path(folder), paths // 3, draw)
        cases += generated(bars, paths - paths // 3, draw)
        found = list(pool.map(play, cases, chunksize=4))
    command = f"python -m scripts.study.protection --paths {paths} --seed {options.seed}"
    save(tables(found), command, time.monotonic() - begun)


if __name__ == "__main__":
    main()
