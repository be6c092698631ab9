"""The keeper itself: lens, risk, strategy, planning, guard, journal, simulation, signing, sending.

Only the strategy is made for the bench: real ones do not send at every head. It asks for a little more health each
time, so that every head of our turn carries a protective plan that the vault accepts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from keeper.app import Keeper, build_heads, build_keeper_for
from keeper.chain.heads import Heads
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Wad
from scripts.bench.latency.turns import Task, given, ready

_STEP_BPS = 3
"""Of health, at a time: a position of two millions repays some hundred dollars."""


@dataclass(frozen=True, slots=True)
class ALittleMore:
    """Health a little over the present one, always."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """As a strategy."""
        del market
        wanted = Wad(risk.health_wad * (10_000 + _STEP_BPS) // 10_000)
        return Target(Lane.PROTECTIVE, wanted, None, "a little more health")


class OurTurn:
    """The keeper's own heads. Those of others' turns are seen, as every head is, and not acted on."""

    def __init__(self, heads: Heads, keeper: Keeper, task: Task) -> None:
        self._heads, self._keeper, self._task = heads, keeper, task

    def next(self) -> BlockStamp | None:
        """As `Heads.next`."""
        head = self._heads.next()
        if head is None or self._task.acts_on(head.number):
            return head
        self._keeper.see(head)
        return None


def main() -> None:
    """Run until the node goes away or a signal comes."""
    task = given()
    settings = load(Path(task.extra["settings"]), {}).settings
    keeper = build_keeper_for(
        rpc_url=task.http_url,
        chain_id=settings.chain_id,
        vault=settings.vault,
        lens=settings.lens,
        strategy=ALittleMore(),
        policies=policies(settings, 6),
        journal_path=Path(task.extra["journal"]),
        private_key=task.private_key,
        rules=tick_rules(settings, dry_run=False),
        gas=gas_policy(settings),
        follow=follow_policy(settings),
    )
    with keeper:
        keeper.verify()
        heads = build_heads(settings, keeper)
        heads.next()
        ready()
        keeper.run(OurTurn(heads, keeper, task), threading.Event())  # type: ignore[arg-type] # only next() is used


if __name__ == "__main__":
    main()
