"""A keeper that ticks on made-up readings and journals what it decides, as the live one does."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keeper.app.keeper import Keeper
from keeper.errors import SimulationReverted
from keeper.journal.store import SqlJournal, open_journal
from keeper.loop import TickRules
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.market import Readings
from keeper.model.policy import Policies
from keeper.model.risk_report import ModuleResult, Standing
from strategies.collateral_guard import CollateralGuard
from tests.builders import NOW, guard_policy, make_readings, market_policy, planning_policy

POLICIES = Policies(market_policy(), planning_policy(), guard_policy())


@dataclass
class MadeUp:
    """Chain, executor and risk modules in memory."""

    readings: Readings = field(default_factory=make_readings)
    waits_until: int = 0
    reverts: bool = False
    veto: str = ""
    busy: bool = False
    inclusion: float | None = None

    def head(self) -> BlockStamp:
        return self.readings.block

    def read(self, block: BlockStamp) -> Readings:
        return replace(self.readings, block=block)

    def follow(self, block: BlockStamp) -> tuple[Any, ...]:
        return ()

    def in_flight(self, lane: Lane | None = None) -> int:
        return int(lane is Lane.ROUTINE and self.busy)

    def unmined(self, lane: Lane) -> int:
        return 0

    def balance_wei(self, lane: Lane) -> int:
        return 10**18

    def account_of(self, lane: Lane) -> str:
        return f"0x{lane}"

    def inclusion_blocks(self) -> float | None:
        return self.inclusion

    def routine_waits_until(self) -> int:
        return self.waits_until

    def rehearse(self, intent: Any) -> str:
        return "would send"

    def submit(self, intent: Any) -> str:
        if self.reverts:
            raise SimulationReverted("no")
        return "0x" + "ab" * 32

    def ask(self, market: Any) -> tuple[ModuleResult, ...]:
        return (ModuleResult("third", Standing.OK, self.veto, (), ""),)

    def close(self) -> None:
        """Nothing is open."""


def keeper_of(
    place: str | Path,
    world: MadeUp,
    *,
    strategy: Any = None,
    modules: bool = False,
    policies: Policies = POLICIES,
) -> Keeper:
    """The live keeper's own class around a made-up world and a real journal."""
    ends: Any = world
    journal: SqlJournal = open_journal(place)
    return Keeper(
        ends,
        ends,
        ends,
        journal=journal,
        strategy=strategy or CollateralGuard(),
        policies=policies,
        rules=TickRules(),
        clock=lambda: float(NOW),
        address="0xkeeper",
        modules=ends if modules else None,
    )


def tick(keeper: Keeper, world: MadeUp, readings: Readings, number: int) -> None:
    """One tick on a block of its own."""
    stamp = replace(readings.block, number=number, hash=f"0x{number:064x}")
    world.readings = replace(readings, block=stamp)
    keeper.tick(stamp)
