"""A keeper that ticks on made-up readings and journals what it decides, as the live one does."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keeper.app import Keeper, VaultTerms
from keeper.errors import EndpointError, SimulationReverted
from keeper.journal.store import open_journal
from keeper.loop import TickRules
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.market import Readings
from keeper.model.policy import Policies
from keeper.model.risk_report import ModuleResult, Standing
from strategies.collateral_guard import CollateralGuard
from tests.builders import (
    CHAIN_ID,
    KEEPER,
    NOW,
    VAULT,
    guard_policy,
    make_readings,
    market_policy,
    planning_policy,
)

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

    def agreed_batch(self, calls: Any) -> Any:
        raise EndpointError("made up", "", "knows no blocks")

    def begin(self, intent: Any, threads: Any) -> None:
        """Nothing is asked ahead."""

    def begin_round(self) -> None:
        """Nothing is remembered from the last one."""

    def join(self, reader: Any) -> Any:
        """As a fleet of one vault."""
        return self

    def lanes(self, *_: Any) -> Any:
        """As accounts."""
        return self

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


def terms_of(
    world: MadeUp,
    *,
    strategy: Any = None,
    modules: bool = False,
    policies: Policies = POLICIES,
    **more: Any,
) -> VaultTerms:
    """The vault of a made-up world, and how it is kept."""
    ends: Any = world
    return VaultTerms(
        vault=world.readings.vault,
        lens=VAULT,
        account=KEEPER,
        strategy=strategy or CollateralGuard(),
        policies=policies,
        rules=TickRules(),
        modules=ends if modules else None,
        **more,
    )


def keeper_of(place: str | Path, world: MadeUp, **terms: Any) -> Keeper:
    """The live keeper's own class around a made-up world and a real journal."""
    ends: Any = world
    return Keeper(
        ends,
        ends,
        [terms_of(world, **terms)],
        chain_id=CHAIN_ID,
        journal=open_journal(place),
        clock=lambda: float(NOW),
        fleet=ends,
    )


def tick(keeper: Keeper, world: MadeUp, readings: Readings, number: int) -> None:
    """One tick on a block of its own."""
    stamp = replace(readings.block, number=number, hash=f"0x{number:064x}")
    world.readings = replace(readings, block=stamp)
    keeper.tick(stamp)
