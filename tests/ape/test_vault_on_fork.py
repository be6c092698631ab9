"""The vault through its real venues. The fork is isolated per test by Ape."""

import ape
import pytest

from tests.ape.conftest import (
    ALL,
    BORROW,
    DOLLAR,
    ETHER,
    REPAY,
    SEED,
    SUPPLY,
    SWAP,
    WAD,
    WITHDRAW,
)


def test_swap_gives_what_the_real_pool_gives_and_within_the_oracle_bound(bench):
    bench.deposit(100_000)
    bench.rebalance((SWAP, bench.usdc, 50_000 * DOLLAR))
    weth = bench.weth.balanceOf(bench.vault)
    assert bench.usdc.balanceOf(bench.vault) == 50_000 * DOLLAR + SEED
    assert 24.75 * ETHER < weth < 25 * ETHER  # 25 less the pool's 0.05 % and impact
    assert bench.weth.balanceOf(bench.swapper) == 0


def test_supply_and_borrow_are_real_aave_positions(bench):
    bench.lever()
    account = bench.aave.getUserAccountData(bench.lending)
    supplied, _ = bench.lending.balances(bench.weth)
    _, debt = bench.lending.balances(bench.usdc)
    assert 24.9 * ETHER < supplied <= 25 * ETHER
    assert 25_000 * DOLLAR <= debt <= 25_001 * DOLLAR
    assert account.healthFactor == bench.lending.healthWad()
    assert account.healthFactor == pytest.approx(1.66 * WAD, rel=0.01)
    assert bench.usdc.balanceOf(bench.vault) == 75_000 * DOLLAR + SEED


def test_nav_counts_collateral_less_debt(bench):
    bench.lever()
    assert bench.vault.nav() == pytest.approx(100_000 * DOLLAR, rel=0.001)
    assert bench.vault.totalAssets() == 100_000 * DOLLAR + SEED  # as of the last settlement
    bench.settle()
    assert bench.vault.totalAssets() == pytest.approx(bench.vault.nav(), rel=1e-6)


def test_v05_borrowing_below_the_minimum_health_is_refused(bench):
    bench.lever()
    with ape.reverts(bench.mandate.HealthTooLow):
        bench.rebalance((BORROW, bench.usdc, 12_000 * DOLLAR))


def test_v05_below_the_minimum_a_rebalance_that_raises_health_passes(bench):
    bench.lever()
    bench.answer(1_330)  # health 1.10: under the minimum of 1.15, over liquidation
    low = bench.lending.healthWad()
    assert low < 1.15 * WAD
    bench.rebalance((REPAY, bench.usdc, 300 * DOLLAR))
    assert low < bench.lending.healthWad() < 1.15 * WAD


def test_deleverage_withdraws_swaps_and_repays_in_one_transaction(bench):
    bench.lever()
    before = bench.lending.healthWad()
    bench.rebalance(
        (WITHDRAW, bench.weth, 5 * ETHER),
        (SWAP, bench.weth, ALL),
        (REPAY, bench.usdc, 9_900 * DOLLAR),
    )
    assert bench.lending.healthWad() > before
    assert bench.weth.balanceOf(bench.vault) == 0


def test_an_unhealthy_vault_is_liquidated_by_the_real_pool(bench):
    bench.lever()
    bench.answer(1_100)  # health 0.91
    supplied, _ = bench.lending.balances(bench.weth)
    _, debt = bench.lending.balances(bench.usdc)
    assert bench.lending.healthWad() < WAD
    bench.usdc.approve(bench.aave, ALL, sender=bench.liquidator)
    bench.aave.liquidationCall(
        bench.weth, bench.usdc, bench.lending, 12_000 * DOLLAR, False, sender=bench.liquidator
    )
    supplied_after, _ = bench.lending.balances(bench.weth)
    _, debt_after = bench.lending.balances(bench.usdc)
    seized_value = (supplied - supplied_after) * 1_100 // 10**12
    assert debt - debt_after == pytest.approx(12_000 * DOLLAR, rel=1e-6)
    assert seized_value == pytest.approx(12_600 * DOLLAR, rel=1e-3)  # debt and the 5 % bonus


def test_v07_a_stale_answer_stops_swaps_but_not_repayment(bench, chain):
    bench.lever()
    chain.mine(timestamp=chain.pending_timestamp + 5_000)
    with ape.reverts(bench.vault.MoveNeedsPrice):
        bench.rebalance((SWAP, bench.usdc, 1_000 * DOLLAR))
    bench.rebalance((REPAY, bench.usdc, 1_000 * DOLLAR))
    _, debt = bench.lending.balances(bench.usdc)
    assert debt < 24_010 * DOLLAR


def test_v07_disagreeing_sources_stop_swaps_and_settlements(bench):
    bench.lever()
    bench.request(1_000)
    bench.answer(1_700)  # the pool still says 2,000
    with ape.reverts(bench.vault.MoveNeedsPrice):
        bench.rebalance((SWAP, bench.usdc, 1_000 * DOLLAR))
    with ape.reverts(bench.oracle.PriceUnusable):
        bench.settle()
    assert bench.snapshot().price.fault == 5
    assert not bench.snapshot().state.marksValid


def test_v12_an_intent_works_once(bench):
    bench.deposit(10_000)
    intent = bench.intent()
    move = (SUPPLY, bench.lending, bench.usdc, 1_000 * DOLLAR, 0, 0)
    bench.vault.rebalance(intent, [move], sender=bench.keeper)
    with ape.reverts(bench.mandate.StateChanged):
        bench.vault.rebalance(intent, [move], sender=bench.keeper)


def test_only_a_keeper_moves(bench):
    bench.deposit(10_000)
    with ape.reverts(bench.mandate.NotKeeper):
        bench.rebalance((SUPPLY, bench.usdc, 1_000 * DOLLAR), sender=bench.stranger)


def test_depositor_gets_idle_dollars_back(bench):
    bench.deposit(10_000)
    who = bench.depositor
    shares = bench.vault.balanceOf(who)
    before = bench.usdc.balanceOf(who)
    bench.vault.requestRedeem(shares, who, who, sender=who)
    bench.settle()
    assert bench.vault.claimableRedeemRequest(0, who) == shares
    bench.vault.redeem(shares, who, who, sender=who)
    assert bench.usdc.balanceOf(who) - before >= 10_000 * DOLLAR - 1
    assert bench.vault.nav() >= SEED


def test_the_lens_agrees_with_the_protocols(bench):
    bench.lever()
    seen = bench.snapshot()
    account = bench.aave.getUserAccountData(bench.lending)
    supplied, _ = bench.lending.balances(bench.weth)
    assert seen.venues.account.healthWad == account.healthFactor
    assert seen.venues.account.collateralBase == account.totalCollateralBase
    assert seen.venues.positions[1].supplied == supplied
    assert seen.state.nav == bench.vault.nav()
    assert seen.mandate.stateHash == bench.mandate.stateHash()
    assert seen.price.priceWad == bench.oracle.priceWad() == 2_000 * WAD
    assert seen.price.twapWad == pytest.approx(2_000 * WAD, rel=0.005)
    assert seen.mandate.callerIsKeeper
    assert seen.venues.positions[1].liquidationThresholdBps == 8_300
