"""The steps by which a position is opened, without a chain."""

from dataclasses import replace

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.position import CHUNK_USD, PositionState, next_steps, wanted_collateral
from keeper.model.decision import MoveKind
from keeper.model.units import WAD

USDC, WETH = "0x" + "aa" * 20, "0x" + "bb" * 20
USD = 10**8
HEALTH = 16 * WAD // 10
FRESH = PositionState(
    collateral=0, debt=0, room=0, idle_usdc=2_000_000 * 10**6, usdc_price=USD, threshold_bps=8_300
)


def test_the_wanted_collateral_gives_the_wanted_health() -> None:
    equity = 1_000_000 * USD
    collateral = wanted_collateral(equity, 8_300, HEALTH)
    assert collateral * 0.83 / (collateral - equity) == pytest.approx(1.6, rel=1e-9)


def test_a_health_under_the_threshold_cannot_be_opened() -> None:
    with pytest.raises(LocalnetError, match="above"):
        wanted_collateral(1, 8_300, 83 * WAD // 100)


def test_the_first_step_buys_and_supplies_from_idle_alone() -> None:
    steps = next_steps(FRESH, HEALTH, 0, usdc=USDC, weth=WETH)
    assert [kind for kind, _, _ in steps] == [MoveKind.SWAP, MoveKind.SUPPLY]
    assert steps[0] == (MoveKind.SWAP, USDC, CHUNK_USD * 10**6)


def test_when_idle_is_spent_the_rest_is_borrowed() -> None:
    state = replace(FRESH, collateral=2_000_000 * USD, room=1_500_000 * USD, idle_usdc=0)
    steps = next_steps(state, HEALTH, 0, usdc=USDC, weth=WETH)
    assert [kind for kind, _, _ in steps] == [MoveKind.BORROW, MoveKind.SWAP, MoveKind.SUPPLY]
    assert steps[0][2] == steps[1][2] == CHUNK_USD * 10**6


def test_the_reserve_is_never_spent() -> None:
    state = replace(FRESH, idle_usdc=300_000 * 10**6)
    steps = next_steps(state, HEALTH, 200_000 * 10**6, usdc=USDC, weth=WETH)
    assert steps[0] == (MoveKind.SWAP, USDC, 100_000 * 10**6)


@pytest.mark.parametrize(("debt_off", "kind"), [(-1, MoveKind.BORROW), (1, MoveKind.REPAY)])
def test_the_last_step_brings_the_debt_to_the_health(debt_off: int, kind: MoveKind) -> None:
    collateral = 2_000_000 * USD
    debt = int(collateral * 0.83 / 1.6)
    idle = 1_000 * 10**6
    state = replace(FRESH, collateral=collateral, debt=debt + debt_off * 100 * USD, idle_usdc=idle)
    steps = next_steps(state, HEALTH, idle, usdc=USDC, weth=WETH)
    assert [step[0] for step in steps] == [kind]
    assert steps[0][2] == pytest.approx(100 * 10**6, rel=1e-6)
    assert not next_steps(replace(state, debt=debt), HEALTH, idle, usdc=USDC, weth=WETH)


def test_a_deposit_under_the_reserve_is_refused() -> None:
    with pytest.raises(LocalnetError, match="deposit more"):
        next_steps(FRESH, HEALTH, FRESH.idle_usdc, usdc=USDC, weth=WETH)


def test_a_health_the_venue_does_not_lend_for_is_refused() -> None:
    state = replace(FRESH, collateral=2_000_000 * USD, room=0, idle_usdc=0)
    with pytest.raises(LocalnetError, match="lends no more"):
        next_steps(state, HEALTH, 0, usdc=USDC, weth=WETH)


def test_without_reserve_nothing_is_repaid_that_is_not_idle() -> None:
    """Purchases that cost their fee lead to the health from below; the vault can never be asked for more."""
    state, fee_bps = FRESH, 30
    for _ in range(60):
        steps = next_steps(state, HEALTH, 0, usdc=USDC, weth=WETH)
        if not steps:
            break
        for kind, _, amount in steps:
            usd = amount * USD // 10**6
            if kind is MoveKind.SUPPLY:
                continue
            if kind is not MoveKind.BORROW:
                assert amount <= state.idle_usdc
                state = replace(state, idle_usdc=state.idle_usdc - amount)
            if kind is MoveKind.SWAP:
                gained = usd * (10_000 - fee_bps) // 10_000
                state = replace(state, collateral=state.collateral + gained)
            else:
                sign = 1 if kind is MoveKind.BORROW else -1
                state = replace(state, debt=state.debt + sign * usd)
            if kind is MoveKind.BORROW:
                state = replace(state, idle_usdc=state.idle_usdc + amount)
        state = replace(state, room=state.collateral * 8 // 10 - state.debt)
    else:
        raise AssertionError("no end")
    assert state.collateral * 0.83 / state.debt == pytest.approx(1.6, rel=0.005)
