// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Settlements: what they price (V-03), what they reserve (V-01), whom they serve and when.
contract VaultSharesTest is Fixture {
    address internal bob = makeAddr("bob");

    function test_a_share_starts_at_a_dollar_with_eighteen_decimals() external {
        assertEq(vault.decimals(), 18);
        assertEq(_deposit(alice, 1e6), 1e18);
    }

    /// @dev Half dollars, half base, nothing owed.
    function _invest(uint256 assets) private {
        _deposit(alice, assets);
        _run(_one(_swapMove(address(usdc), assets / 2)));
    }

    // ---------------------------------------------------------------- V-01

    /// V-01: assets that wait, and assets that are settled, are no part of NAV and of idle.
    function testFuzz_what_waits_and_what_is_reserved_is_not_the_vaults(uint256 a, uint256 b, uint256 part)
        external
    {
        (a, b) = (bound(a, 2, 1e15), bound(b, 1, 1e15));
        uint256 shares = _deposit(alice, a);
        part = bound(part, 1e12, shares);
        uint256 before = vault.nav();
        _request(bob, b);
        assertEq(vault.nav(), before);
        assertEq(vault.idle(address(usdc)), before);
        vm.prank(alice);
        vault.requestRedeem(part, alice, alice);
        assertEq(vault.nav(), before); // shares that wait still run every risk
        _settle();
        uint256 owed = vault.epochState().reserved;
        assertLe(vault.maxWithdraw(alice), owed);
        assertApproxEqAbs(vault.maxWithdraw(alice), owed, 1);
        assertEq(vault.nav(), before + b - owed);
        assertEq(vault.idle(address(usdc)), before + b - owed);
        assertEq(vault.totalAssets(), before + b - owed);
        assertEq(usdc.balanceOf(address(vault)), before + b);
    }

    /// V-01: no move touches them, and a claim is payable after the keeper has moved all it may.
    function testFuzz_no_move_reaches_what_is_owed(uint256 a, uint256 b, uint256 part, uint256 excess)
        external
    {
        (a, b) = (bound(a, 1e6, 1e14), bound(b, 1, 1e14));
        uint256 shares = _deposit(alice, a);
        part = bound(part, 1e12, shares);
        vm.prank(alice);
        vault.requestRedeem(part, alice, alice);
        _settle();
        _request(bob, b);
        uint256 idle = vault.idle(address(usdc));
        excess = bound(excess, 1, usdc.balanceOf(address(vault)) - idle);
        _expectRefused(
            _one(_swapMove(address(usdc), idle + excess)),
            abi.encodeWithSelector(IVault.IdleTooLow.selector, address(usdc), idle + excess, idle)
        );
        _expectRefused(_one(_supplyMove(address(usdc), idle + excess)), IVault.IdleTooLow.selector);
        _run(_one(_supplyMove(address(usdc), ALL)));
        assertEq(vault.idle(address(usdc)), 0);
        uint256 owed = vault.maxWithdraw(alice);
        assertApproxEqAbs(usdc.balanceOf(address(vault)), owed + b, 1);
        vm.prank(alice);
        vault.redeem(part, alice, alice);
        vm.prank(bob);
        vault.cancelDepositRequest(bob, bob);
        assertEq(usdc.balanceOf(alice), owed);
        assertEq(usdc.balanceOf(bob), b);
    }

    // ---------------------------------------------------------------- V-03

    /// V-03: a request is priced by the settlement after it, at the price of then, not of when it was made.
    function testFuzz_a_request_gets_the_price_of_its_settlement(uint256 cents) external {
        _invest(1_000_000e6);
        _request(bob, 100_000e6);
        vm.prank(alice);
        vault.requestRedeem(100_000e18, alice, alice);
        cents = bound(cents, 100_000, 400_000);
        _wait(EPOCH);
        _setPrice(cents);
        (uint256 low, uint256 high) = (valuation.marks().low, valuation.marks().high);
        uint256 whole = vault.totalSupply() + 1e12;
        vault.settle();
        uint256 exact = 100_000e6 * whole / (high + 1);
        assertLe(vault.maxMint(bob), exact);
        assertApproxEqAbs(vault.maxMint(bob), exact, 1e6); // of 10^23: a millionth of a unit of asset
        assertApproxEqAbs(vault.maxWithdraw(alice), 100_000e18 * (low + 1) / whole, 1);
    }

    /// V-03: joiners pay the high mark and leavers get the low one, whichever source is above the other.
    function testFuzz_joiners_pay_the_high_mark_and_leavers_get_the_low(uint256 cents) external {
        _invest(1_000_000e6);
        _request(bob, 100_000e6);
        vm.prank(alice);
        vault.requestRedeem(100_000e18, alice, alice);
        cents = bound(cents, 196_500, 203_500);
        _wait(EPOCH);
        pool.setPrice(cents * 1e4, 1e18);
        uint256 nav = vault.nav();
        (uint256 low, uint256 high) = (valuation.marks().low, valuation.marks().high);
        assertLe(low, nav);
        assertGe(high, nav);
        uint256 whole = vault.totalSupply() + 1e12;
        vault.settle();
        assertLe(vault.maxMint(bob), 100_000e6 * whole / (nav + 1));
        assertLe(vault.maxWithdraw(alice), 100_000e18 * (nav + 1) / whole);
    }

    /// V-03: once settled a price never changes, whatever the market, later requests and later settlements do.
    function testFuzz_a_settled_price_never_changes(uint256 seed, uint8 epochs) external {
        _invest(1_000_000e6);
        _request(bob, 100_000e6);
        vm.prank(alice);
        vault.requestRedeem(100_000e18, alice, alice);
        _settle();
        uint256 shares = vault.maxMint(bob);
        uint256 assets = vault.maxWithdraw(alice);
        for (uint256 i; i < epochs % 6; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _wait(EPOCH);
            _setPrice(150_000 + seed % 100_000);
            _request(mallory, seed % 1e12 + 1);
            vault.settle();
            assertEq(vault.maxMint(bob), shares);
            assertEq(vault.maxWithdraw(alice), assets);
        }
        vm.prank(bob);
        assertEq(vault.deposit(100_000e6, bob), shares);
        uint256 settled = vault.maxRedeem(alice);
        vm.prank(alice);
        assertEq(vault.redeem(settled, alice, alice), assets);
    }

    /// V-03: whoever asks after a settlement has no part in it, and takes none from those who were in it.
    function testFuzz_a_latecomer_waits_for_the_next(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        _request(alice, 1000e6);
        _settle();
        _request(bob, assets);
        assertEq(vault.claimableDepositRequest(0, bob), 0);
        assertEq(vault.claimableDepositRequest(0, alice), 1000e6);
        assertEq(vault.maxMint(alice), 1000e18);
        vm.expectPartialRevert(IVaultShares.NotDue.selector);
        vault.settle();
    }

    // ---------------------------------------------------------------- when, and who

    function testFuzz_a_settlement_is_anybodys_and_not_before_it_is_due(address anybody, uint256 early)
        external
    {
        vm.assume(anybody.code.length == 0);
        _request(alice, 1e6);
        uint256 dueAt = vault.epochState().dueAt;
        early = bound(early, 1, EPOCH);
        uint256 epoch = vault.epochState().epoch;
        vm.warp(dueAt - early);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotDue.selector, dueAt, dueAt - early));
        vm.prank(anybody);
        vault.settle();
        vm.warp(dueAt);
        vm.prank(anybody);
        vault.settle();
        assertEq(vault.epochState().epoch, epoch + 1);
        assertEq(vault.epochState().dueAt, dueAt + EPOCH);
        assertEq(vault.maxDeposit(alice), 1e6);
    }

    /// A settlement with nothing to settle changes no claim and no share.
    function testFuzz_an_empty_settlement_changes_nothing(uint8 times) external {
        uint256 shares = _deposit(alice, 1e12);
        uint256 supply = vault.totalSupply();
        for (uint256 i; i < times % 8; ++i) {
            _settle();
        }
        assertEq(vault.totalSupply(), supply);
        assertEq(vault.balanceOf(alice), shares);
        assertEq(vault.totalAssets(), 1e12 + 1e6);
    }

    // ---------------------------------------------------------------- policy

    /// What waits counts against the cap, and what is taken back frees it.
    function testFuzz_the_cap_holds_with_what_waits(uint256 cap, uint256 first, uint256 second) external {
        cap = bound(cap, 2e6, 1e15);
        first = bound(first, 1, cap - 1e6);
        _setPolicy(uint128(cap), 1, false);
        _request(alice, first);
        uint256 room = cap - 1e6 - first;
        second = bound(second, room + 1, 1e16);
        usdc.mint(bob, second);
        vm.startPrank(bob);
        usdc.approve(address(vault), second);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.CapExceeded.selector, second, room));
        vault.requestDeposit(second, bob, bob);
        vm.stopPrank();
        vm.prank(alice);
        vault.cancelDepositRequest(alice, alice);
        _request(bob, cap - 1e6);
        _settle();
        vm.prank(guardian);
        mandate.lowerCap(0); // at once (V-14), and takes nothing from anybody
        assertEq(vault.maxDeposit(bob), cap - 1e6);
    }

    function testFuzz_less_than_the_minimum_is_refused(uint88 minimum, uint256 assets) external {
        minimum = uint88(bound(minimum, 2, 1e15));
        assets = bound(assets, 0, minimum - 1);
        _setPolicy(1e30, minimum, false);
        usdc.mint(alice, minimum);
        vm.startPrank(alice);
        usdc.approve(address(vault), ALL);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.DepositTooSmall.selector, assets, minimum));
        vault.requestDeposit(assets, alice, alice);
        vault.requestDeposit(minimum, alice, alice);
        vm.stopPrank();
    }

    /// Who is not on the list asks for nothing; who was taken off keeps what he has, waits for, and may leave.
    function test_the_allow_list_is_of_controllers_and_locks_nobody_in() external {
        uint256 shares = _deposit(mallory, 1000e6);
        _setPolicy(1e30, 1, true);
        usdc.mint(bob, 10e6);
        vm.startPrank(bob);
        usdc.approve(address(vault), 10e6);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotAllowed.selector, bob));
        vault.requestDeposit(1e6, bob, bob);
        vm.stopPrank();
        _asCurator(abi.encodeCall(IMandate.allow, (bob)));
        vm.prank(bob);
        vault.requestDeposit(4e6, bob, bob);
        _settle();
        vm.prank(bob);
        vault.requestDeposit(6e6, bob, bob);
        vm.prank(guardian);
        mandate.disallow(bob);
        vm.startPrank(bob);
        assertEq(vault.deposit(4e6, bob), 4e18);
        assertEq(vault.cancelDepositRequest(bob, bob), 6e6);
        vault.requestRedeem(4e18, bob, bob);
        vm.stopPrank();
        assertEq(_redeem(mallory, shares), 1000e6);
        assertEq(vault.maxWithdraw(bob), 4e6);
    }

    function _setPolicy(uint128 cap, uint88 minimum, bool listed) private {
        IVaultShares.DepositPolicy memory policy = IVaultShares.DepositPolicy(cap, minimum, listed);
        _asCurator(abi.encodeCall(IMandate.setDepositPolicy, (policy)));
    }

    // ---------------------------------------------------------------- halted

    /// Paused, winding down or unhedged: no deposit is taken or settled; everything on the way out goes on.
    function testFuzz_halted_deposits_wait_and_exits_go_on(uint8 how, uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        uint256 shares = _deposit(alice, 1000e6);
        _request(bob, 500e6);
        _settle();
        _request(bob, assets);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _halt(how % 3);
        usdc.mint(mallory, 1e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), 1e6);
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        vault.requestDeposit(1e6, mallory, mallory);
        vm.stopPrank();
        _settle();
        assertEq(vault.pendingDepositRequest(0, bob), assets);
        assertEq(vault.maxWithdraw(alice), 1000e6);
        vm.prank(alice);
        vault.redeem(shares, alice, alice);
        vm.startPrank(bob);
        assertEq(vault.deposit(500e6, bob), 500e18);
        assertEq(vault.cancelDepositRequest(bob, bob), assets);
        vault.requestRedeem(500e18, bob, bob);
        assertEq(vault.cancelRedeemRequest(bob, bob), 500e18);
        vm.stopPrank();
    }

    function _halt(uint256 how) private {
        if (how == 0) {
            vm.prank(guardian);
            mandate.pause();
        } else if (how == 1) {
            vm.prank(guardian);
            mandate.windDown();
        } else {
            vm.prank(address(mandate));
            vault.setUnhedged(true);
        }
        assertTrue(vault.depositsHalted());
    }

    // ---------------------------------------------------------------- gifts

    /// A gift before a victim's first settlement never pays its giver, and takes no more from the victim than from the giver.
    function testFuzz_a_first_depositor_cannot_gain_from_a_donation(
        uint256 first,
        uint256 gift,
        uint256 victim
    ) external {
        (first, gift) = (bound(first, 1, 1e12), bound(gift, 0, 1e15));
        victim = bound(victim, 1, 1e15);
        uint256 shares = _deposit(mallory, first);
        usdc.mint(address(vault), gift);
        _request(alice, victim);
        _settle();
        uint256 bought = vault.maxMint(alice);
        if (bought != 0) {
            vm.prank(alice);
            vault.mint(bought, alice);
        } else {
            vm.prank(alice);
            assertEq(vault.cancelDepositRequest(alice, alice), victim); // what buys nothing goes on waiting
        }
        assertLe(_redeem(mallory, shares), first + gift);
        // What rounding takes is less than one part in 10^12 of what was given away, and a unit.
        if (bought != 0) assertGe(_redeem(alice, bought) + gift / 1e12 + 2, victim);
    }

    /// A gift right before a settlement is the holders', and what waits has no part in it.
    function testFuzz_a_donation_goes_to_holders_and_not_to_who_waits(uint256 gift) external {
        gift = bound(gift, 1e6, 1e15);
        uint256 shares = _deposit(alice, 1000e6);
        _request(mallory, 1000e6);
        usdc.mint(address(vault), gift);
        _settle();
        uint256 bought = vault.maxMint(mallory);
        vm.prank(mallory);
        vault.mint(bought, mallory);
        assertLe(_redeem(mallory, bought), 1000e6);
        assertGe(_redeem(alice, shares), 1000e6 + gift * 99 / 100 - gift / 1000);
    }
}
