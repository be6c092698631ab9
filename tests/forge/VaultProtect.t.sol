// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Protection without the keeper (V-16): when it may be called, what it does, what it costs.
contract VaultProtectTest is Fixture {
    uint256 private constant ASSETS = 1_000_000e6;
    address private rescuer = makeAddr("rescuer");

    /// @dev 600,000 of base supplied, 70 % of it owed: health 1.186 at 2,000.
    function _endangered(uint256 cents) private {
        _lever(ASSETS, 6000, 7000);
        _setPrice(cents);
    }

    function _silence() private {
        vm.warp(block.timestamp + _emergency().silence);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
    }

    // ---------------------------------------------------------------- when

    function test_a_healthy_vault_is_left_alone() external {
        _lever(ASSETS, 6000, 7000);
        _silence();
        uint256 health = lending.healthWad();
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotEndangered.selector, health, 1.045e18));
        vault.protect();
    }

    function test_a_vault_without_debt_is_left_alone() external {
        _deposit(alice, ASSETS);
        _silence();
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotEndangered.selector, ALL, 1.045e18));
        vault.protect();
    }

    function test_while_the_heart_beats_the_keeper_has_the_first_turn() external {
        _endangered(176_000);
        assertLt(lending.healthWad(), 1.045e18);
        assertGt(lending.healthWad(), 1.02e18);
        vm.prank(keeper);
        mandate.beat();
        uint256 beat = block.timestamp;
        vm.expectRevert(abi.encodeWithSelector(IMandate.HeartBeats.selector, beat, _emergency().silence));
        vault.protect();
        vm.warp(beat + _emergency().silence - 1);
        vm.expectRevert(abi.encodeWithSelector(IMandate.HeartBeats.selector, beat, _emergency().silence));
        vault.protect();
        vm.warp(beat + _emergency().silence);
        vault.protect();
    }

    function test_a_critical_vault_waits_for_no_silence() external {
        _endangered(172_000);
        assertLt(lending.healthWad(), 1.02e18);
        vm.prank(keeper);
        mandate.beat();
        vault.protect();
    }

    function test_only_a_keeper_beats() external {
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotKeeper.selector, rescuer));
        vm.prank(rescuer);
        mandate.beat();
    }

    function test_neither_pause_nor_wind_down_stops_a_rescue() external {
        _endangered(172_000);
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        vault.protect();
    }

    // ---------------------------------------------------------------- what

    /// Idle repays first: nothing is sold while it lasts, and the next call need not wait.
    function test_idle_repays_before_anything_is_sold() external {
        _endangered(172_000);
        uint256 supplied = lending.assetAToken().balanceOf(address(lending));
        (uint256 base,) = lending.balances(address(weth));
        vault.protect();
        (uint256 after_,) = lending.balances(address(weth));
        assertEq(after_, base);
        assertEq(lending.assetAToken().balanceOf(address(lending)), supplied);
    }

    /// Health rises strictly, at most the slice is repaid, the bounty is within its bound and comes on top of nothing (V-16).
    function testFuzz_a_rescue_raises_health_within_its_bounds(uint256 cents, uint256 drained, uint256 spread)
        external
    {
        cents = bound(cents, 169_500, 175_500);
        _lever(ASSETS, 6000, 7000);
        _drain(bound(drained, 0, vault.idle(address(usdc))));
        _setPrice(cents);
        // The pool is up to half a percent under the oracle, and its fee on top is the mock's.
        pool.setSpot(cents * 1e4 * (10_000 - bound(spread, 0, 50)) / 10_000, 1e18);
        _silence();
        _rescueAndCheck();
    }

    function _rescueAndCheck() private {
        uint256 health = lending.healthWad();
        (, uint256 debt) = lending.balances(address(usdc));
        uint256 nav = vault.nav();
        vm.prank(rescuer);
        uint256 bounty = vault.protect();
        assertGt(lending.healthWad(), health);
        (, uint256 debtAfter) = lending.balances(address(usdc));
        uint256 repaid = debt - debtAfter;
        uint256 slice = Math.mulDiv(debt, _emergency().sliceBps, 10_000, Math.Rounding.Ceil);
        // What a swap brings above its worst case is repaid too.
        assertLe(repaid, slice + slice * (_limits().maxSwapLossBps + 50) / 10_000 + 1e6);
        assertLe(bounty, repaid * _emergency().bountyBps / 10_000);
        assertLe(bounty, _emergency().maxBounty);
        assertEq(usdc.balanceOf(rescuer), bounty);
        uint256 cost = slice * _limits().maxSwapLossBps / 10_000 + bounty + DUST;
        assertGe(vault.nav() + cost, nav);
        assertEq(usdc.allowance(address(vault), address(lending)), 0);
        assertEq(weth.allowance(address(vault), address(swapper)), 0);
    }

    /// @dev Idle dollars are settled to a leaver and stay reserved, so that collateral must be sold.
    function _drain(uint256 amount) private {
        if (amount < 2e6) return;
        uint256 shares = vault.balanceOf(alice);
        uint256 nav = vault.nav();
        vm.startPrank(alice);
        vault.requestRedeem(Math.min(shares, Math.mulDiv(shares, amount, nav)), alice, alice);
        vm.stopPrank();
        _settle();
    }

    function test_with_all_idle_reserved_collateral_is_sold_and_reserves_stay() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        uint256 reserved = vault.epochState().reserved;
        _setPrice(172_000);
        vm.prank(rescuer);
        uint256 bounty = vault.protect();
        assertGt(bounty, 0);
        assertEq(vault.epochState().reserved, reserved);
        assertGe(usdc.balanceOf(address(vault)), reserved);
    }

    /// Near a health of 1 the venue lets little out at a time: rounds get through where one withdrawal would not.
    function test_very_near_liquidation_it_still_gets_through() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        _setPrice(169_000);
        assertLt(lending.healthWad(), 1.005e18);
        assertGt(lending.healthWad(), 1e18);
        _rescueAndCheck();
    }

    function test_called_again_and_again_it_ends_above_the_threshold() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        _setPrice(170_000);
        uint256 calls;
        while (lending.healthWad() < _emergency().criticalHealthWad) {
            vault.protect();
            _wait(_emergency().cooldown);
            assertLt(++calls, 20);
        }
        assertGe(lending.healthWad(), _emergency().criticalHealthWad);
    }

    /// After a call that sold, the next waits; who called once cannot sell the vault out in a block.
    function test_a_rescue_that_sold_is_followed_by_a_pause() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        _setPrice(168_900);
        vault.protect();
        if (lending.healthWad() >= _emergency().criticalHealthWad) _setPrice(168_000);
        uint256 until = block.timestamp + _emergency().cooldown;
        vm.expectRevert(abi.encodeWithSelector(IMandate.RescueTooSoon.selector, until, block.timestamp));
        vault.protect();
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IMandate.RescueTooSoon.selector, until, until - 1));
        vault.protect();
    }

    function test_a_strangers_dust_stops_no_rescue() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        usdc.mint(address(vault), 1);
        weth.mint(address(vault), 1);
        _setPrice(170_000);
        vault.protect();
    }

    /// Without a price only idle repays (V-07).
    function test_without_a_price_idle_alone_repays() external {
        _endangered(172_000);
        ethFeed.setRound(ethFeed.roundId(), ethFeed.answer(), block.timestamp - 2 days, ethFeed.roundId());
        (uint256 base,) = lending.balances(address(weth));
        uint256 health = lending.healthWad();
        vault.protect();
        (uint256 after_,) = lending.balances(address(weth));
        assertEq(after_, base);
        assertGt(lending.healthWad(), health);
    }

    function test_without_a_price_and_without_idle_there_is_nothing_to_do() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        _setPrice(172_000);
        ethFeed.setRound(ethFeed.roundId(), ethFeed.answer(), block.timestamp - 2 days, ethFeed.roundId());
        uint256 health = lending.healthWad();
        vm.expectRevert(abi.encodeWithSelector(IValuation.NothingToProtectWith.selector, health));
        vault.protect();
    }

    /// A pool far under the oracle is not sold into.
    function test_a_rescue_sells_within_the_mandates_swap_bound() external {
        _lever(ASSETS, 6000, 7000);
        _drain(ASSETS);
        _setPrice(172_000);
        pool.setSpot(172_000 * 1e4 * 98 / 100, 1e18);
        vm.expectPartialRevert(IVault.SwapLossTooLarge.selector);
        vault.protect();
    }

    /// Base owed against dollars: dollars are withdrawn, base bought, and repaid.
    function test_a_short_is_protected_too() external {
        _deposit(alice, ASSETS);
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _supplyMove(address(usdc), 990_000e6);
        moves[1] = _borrowMove(address(weth), 330e18);
        moves[2] = _swapMove(address(weth), ALL);
        _run(moves);
        _run(_one(_supplyMove(address(usdc), ALL)));
        _setPrice(399_800);
        uint256 health = lending.healthWad();
        assertLt(health, 1.045e18);
        _silence();
        (, uint256 debt) = lending.balances(address(weth));
        vm.prank(rescuer);
        uint256 bounty = vault.protect();
        assertGt(lending.healthWad(), health);
        (, uint256 debtAfter) = lending.balances(address(weth));
        assertLt(debtAfter, debt);
        assertGe(debtAfter, debt * 7400 / 10_000);
        assertEq(usdc.balanceOf(rescuer), bounty);
    }

    function test_a_rescue_voids_intents_made_before_it() external {
        _endangered(172_000);
        IVault.Intent memory intent = _intent(ALL);
        vault.protect();
        vm.expectPartialRevert(IMandate.StateChanged.selector);
        vm.prank(keeper);
        vault.rebalance(intent, new IVault.Move[](0));
    }

    /// A venue that tells no higher health afterwards, whatever it was paid, costs nobody anything (V-16).
    function testFuzz_a_rescue_that_raises_no_health_is_undone(uint256 health) external {
        _endangered(172_000);
        health = bound(health, 0.5e18, 1.02e18 - 1);
        vm.mockCall(address(lending), abi.encodePacked(lending.healthWad.selector), abi.encode(health));
        (, uint256 debt) = lending.balances(address(usdc));
        uint256 idle = vault.idle(address(usdc));
        vm.expectRevert(abi.encodeWithSelector(IMandate.ProtectionUseless.selector, health, health));
        vm.prank(rescuer);
        vault.protect();
        (, uint256 debtAfter) = lending.balances(address(usdc));
        assertEq(debtAfter, debt);
        assertEq(vault.idle(address(usdc)), idle);
        assertEq(usdc.balanceOf(rescuer), 0);
    }
}
