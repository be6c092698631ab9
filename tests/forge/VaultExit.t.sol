// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Ways out that need no keeper (V-17): wind-down, exits in kind, an abandoned vault, and the unhedged flag.
contract VaultExitTest is Fixture {
    uint256 private constant ASSETS = 1_000_000e6;
    address private bob = makeAddr("bob");

    function _levered() private {
        _lever(ASSETS, 6000, 5000);
        _deposit(bob, 500_000e6);
    }

    function _windDown() private {
        vm.prank(guardian);
        mandate.windDown();
    }

    /// @dev Enough of both to pay any part of the debt.
    function _equip(address who) private {
        usdc.mint(who, 1e15);
        weth.mint(who, 1e24);
        vm.startPrank(who);
        usdc.approve(address(vault), ALL);
        weth.approve(address(vault), ALL);
        vm.stopPrank();
    }

    function _worth(address who) private view returns (uint256) {
        return usdc.balanceOf(who) + Math.mulDiv(weth.balanceOf(who), PRICE * 1e6, 1e18);
    }

    // ---------------------------------------------------------------- exits in kind

    function test_only_a_vault_that_winds_down_pays_in_kind() external {
        _levered();
        vm.expectRevert(IVault.NotWindingDown.selector);
        vm.prank(bob);
        vault.exitInKind(1, bob);
    }

    /// The leaver takes at most its part and loses at most rounding; those who stay lose nothing (V-02, V-17).
    function testFuzz_an_exit_in_kind_pays_its_part_and_no_more(uint256 shares, bool priced) external {
        _levered();
        _windDown();
        shares = bound(shares, 1, vault.balanceOf(bob));
        _equip(bob);
        uint256 whole = vault.totalSupply() + 1e12;
        uint256 nav = vault.nav();
        uint256 before = _worth(bob);
        if (!priced) _makeStale();
        vm.prank(bob);
        vault.exitInKind(shares, bob);
        if (!priced) _setPrice(PRICE * 100);
        uint256 part = Math.mulDiv(nav, shares, whole);
        assertLe(_worth(bob), before + part + 1, "more than its part");
        assertGe(_worth(bob) + 12, before + part, "less than its part");
        assertGe(vault.nav() + DUST, nav - part, "those who stay");
    }

    function test_everybody_can_leave_to_the_last_share() external {
        _levered();
        vm.prank(bob);
        vault.requestRedeem(1e20, bob, bob); // waits; taken back below
        _windDown();
        _equip(alice);
        _equip(bob);
        vm.startPrank(bob);
        vault.cancelRedeemRequest(bob, bob);
        vault.exitInKind(vault.balanceOf(bob), bob);
        vm.stopPrank();
        uint256 left = vault.balanceOf(alice);
        vm.prank(alice);
        vault.exitInKind(left, alice);
        assertEq(vault.balanceOf(alice) + vault.balanceOf(bob), 0);
        // What is left belongs to the seed, which is nobody's.
        assertLe(vault.nav(), 3e6);
    }

    function test_reserved_and_waiting_assets_are_not_shared_out() external {
        _levered();
        vm.prank(alice);
        vault.requestRedeem(1e22, alice, alice);
        _settle();
        _request(mallory, 50_000e6);
        uint256 reserved = vault.epochState().reserved;
        assertGt(reserved, 0);
        _windDown();
        _equip(bob);
        vm.startPrank(bob);
        vault.exitInKind(vault.balanceOf(bob), bob);
        vm.stopPrank();
        assertEq(vault.epochState().reserved, reserved);
        assertGe(usdc.balanceOf(address(vault)), reserved + 50_000e6);
        vm.prank(mallory);
        vault.cancelDepositRequest(mallory, mallory);
        uint256 claim = vault.maxWithdraw(alice);
        vm.prank(alice);
        vault.withdraw(claim, alice, alice);
    }

    function test_a_leaver_who_brings_nothing_for_the_debt_stays() external {
        _levered();
        _windDown();
        vm.expectRevert();
        vm.prank(bob);
        vault.exitInKind(1e20, bob);
        assertGt(vault.balanceOf(bob), 0);
    }

    function test_nobody_exits_with_shares_it_has_not() external {
        _levered();
        _windDown();
        _equip(mallory);
        vm.startPrank(mallory);
        vm.expectRevert();
        vault.exitInKind(1e20, mallory);
        vm.expectRevert(IVaultShares.ZeroAmount.selector);
        vault.exitInKind(0, mallory);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- wind-down

    function test_winding_down_takes_no_deposit_and_lets_only_risk_fall() external {
        _levered();
        _request(mallory, 1e9);
        _windDown();
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        vm.prank(bob);
        vault.requestDeposit(1e6, bob, bob);
        _settle();
        assertEq(vault.pendingDepositRequest(0, mallory), 1e9);
        _expectRefused(_one(_swapMove(address(usdc), 1e9)), IMandate.PausedSwapTooLarge.selector);
        _expectRefused(_one(_borrowMove(address(usdc), 1e9)), IMandate.PausedRiskRaised.selector);
        _run(_one(_repayMove(address(usdc), 1e9)));
        _run(_deleverMoves(1e18));
    }

    function test_the_guardian_winds_down_at_once_and_only_the_curator_resumes_after_its_delay() external {
        _levered();
        _windDown();
        vm.expectPartialRevert(IAccessManaged.AccessManagedUnauthorized.selector);
        vm.prank(guardian);
        mandate.resume();
        _asCurator(abi.encodeCall(IMandate.resume, ()));
        assertFalse(mandate.windingDown());
        assertFalse(vault.depositsHalted());
        vm.expectRevert(IVault.NotWindingDown.selector);
        vm.prank(bob);
        vault.exitInKind(1, bob);
    }

    function test_a_pause_outlives_a_wind_down() external {
        _levered();
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        _asCurator(abi.encodeCall(IMandate.resume, ()));
        assertTrue(vault.depositsHalted());
        _asCurator(abi.encodeCall(IMandate.unpause, ()));
        assertFalse(vault.depositsHalted());
    }

    // ---------------------------------------------------------------- abandoned

    function test_a_vault_whose_keeper_is_gone_is_wound_down_by_anybody() external {
        _levered();
        vm.prank(keeper);
        mandate.beat();
        uint256 until = block.timestamp + mandate.ABANDONED_AFTER();
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotAbandoned.selector, mandate.lastBeat(), until - 1));
        vm.prank(mallory);
        mandate.declareAbandoned();
        vm.warp(until);
        vm.prank(mallory);
        mandate.declareAbandoned();
        _equip(bob);
        uint256 shares = vault.balanceOf(bob);
        vm.prank(bob);
        vault.exitInKind(shares, bob);
    }

    function test_a_rebalance_is_a_beat() external {
        _levered();
        vm.warp(block.timestamp + 13 days);
        _setPrice(PRICE * 100);
        _run(_one(_repayMove(address(usdc), 1e6)));
        vm.warp(block.timestamp + 13 days);
        vm.expectPartialRevert(IMandate.NotAbandoned.selector);
        mandate.declareAbandoned();
    }

    /// Or anybody could declare it again in the same block, and the curator's word would be nothing.
    function test_resuming_counts_as_a_beat() external {
        _levered();
        vm.warp(block.timestamp + 20 days);
        mandate.declareAbandoned();
        _asCurator(abi.encodeCall(IMandate.resume, ()));
        vm.expectPartialRevert(IMandate.NotAbandoned.selector);
        mandate.declareAbandoned();
    }

    // ---------------------------------------------------------------- unhedged

    function test_a_liquidation_halts_deposits_until_it_is_resolved() external {
        _lever(ASSETS, 6000, 7000);
        _request(mallory, 1e9);
        assertFalse(vault.checkHedge());
        _liquidate();
        assertTrue(vault.checkHedge());
        assertTrue(vault.depositsHalted());
        _settle();
        assertEq(vault.pendingDepositRequest(0, mallory), 1e9, "not settled into an unhedged vault");
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        vm.prank(bob);
        vault.requestDeposit(1e6, bob, bob);
        _asCurator(abi.encodeCall(IMandate.resolveUnhedged, ()));
        assertFalse(vault.checkHedge());
        _settle();
        assertEq(vault.pendingDepositRequest(0, mallory), 0);
    }

    /// The next rebalance would write over what shows it: it is looked at first, with a price and without.
    function test_a_rebalance_does_not_hide_a_liquidation() external {
        _lever(ASSETS, 6000, 7000);
        _liquidate();
        uint256 snap = vm.snapshotState();
        _run(_one(_repayMove(address(usdc), 1e6)));
        assertTrue(vault.unhedged());
        vm.revertToState(snap);
        _makeStale();
        _run(_one(_repayMove(address(usdc), 1e6)));
        assertTrue(vault.unhedged());
    }

    function test_interest_and_gifts_are_no_sign_of_it() external {
        _lever(ASSETS, 6000, 5000);
        vm.warp(block.timestamp + 30 days);
        weth.mint(address(this), 1e18);
        weth.approve(address(aave), ALL);
        aave.supply(address(weth), 1e18, address(lending), 0);
        usdc.mint(address(this), 1e9);
        usdc.approve(address(aave), ALL);
        aave.repay(address(usdc), 1e9, 2, address(lending));
        assertFalse(vault.checkHedge());
    }

    /// @dev Collateral that the vault did not withdraw is gone: what a liquidation looks like from outside.
    function _liquidate() private {
        (uint256 supplied,) = lending.balances(address(weth));
        vm.prank(address(lending));
        aave.withdraw(address(weth), supplied / 100, mallory);
    }
}
