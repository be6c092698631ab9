"""Intents for tests."""

from dataclasses import replace

from eth_utils.address import to_checksum_address

from keeper.execution.intents import make_intent, rebalance_of
from keeper.execution.worth import NO_STAKE, Stake
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane, Move, MoveKind, Plan
from keeper.model.units import Raw, Wad
from tests.builders import make_readings


def make_plan(lane: Lane = Lane.PROTECTIVE, amount: int = 10**9) -> Plan:
    """Repay something."""
    readings = make_readings()
    move = Move(
        MoveKind.REPAY, readings.lending_adapter, readings.asset.address, Raw(amount), Raw(0)
    )
    return Plan(
        lane=lane,
        moves=(move,),
        reason="health is low",
        expected_health_wad=Wad(0),
        expected_net_delta=Raw(0),
        expected_loss=Raw(0),
        max_loss=Raw(1),
        gas_limit_estimate=500_000,
        trades_price=False,
    )


def make_test_intent(
    *,
    lane: Lane = Lane.PROTECTIVE,
    counter: int = 0,
    amount: int = 10**9,
    block: BlockStamp | None = None,
    life_s: int = 120,
    vault: str = "",
    stake: Stake = NO_STAKE,
) -> Intent:
    """An intent bound to a block."""
    readings = make_readings()
    vault = to_checksum_address(vault or readings.vault)
    readings = replace(readings, block=block or readings.block, vault=vault)
    payload = rebalance_of(make_plan(lane, amount), readings)
    return make_intent(payload, readings, counter, life_s, stake)
