// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Fixture} from "./Fixture.sol";

/// @notice V-02: no sequence of deposits and withdrawals profits its caller at constant prices; rounding favours the vault.
contract VaultSharesTest is Fixture {
    function _redeemAll(address who) private returns (uint256 assets) {
        uint256 shares = vault.maxRedeem(who);
        vm.prank(who);
        assets = shares == 0 ? 0 : vault.redeem(shares, who, who);
    }

    function test_a_share_starts_at_a_dollar_with_eighteen_decimals() external {
        assertEq(vault.decimals(), 18);
        assertEq(_deposit(alice, 1e6), 1e18);
    }

    /// A donation before a victim's deposit never pays its giver, whatever the sizes (V-02).
    function testFuzz_a_first_depositor_cannot_gain_from_a_donation(
        uint256 first,
        uint256 gift,
        uint256 victim
    ) external {
        first = bound(first, 1, 1e12);
        gift = bound(gift, 0, 1e15);
        victim = bound(victim, 1, 1e15);
        _deposit(mallory, first);
        usdc.mint(address(vault), gift);
        usdc.mint(alice, victim);
        vm.startPrank(alice);
        usdc.approve(address(vault), victim);
        try vault.deposit(victim, alice) {} catch {} // ZeroShares: the victim keeps the money
        vm.stopPrank();
        assertLe(_redeemAll(mallory), first + gift);
        if (vault.balanceOf(alice) != 0) {
            // What the victim loses to rounding is less than one part in 10^12 of what the attacker gave away, and a unit.
            assertGe(_redeemAll(alice) + gift / 1e12 + 2, victim);
        }
    }

    function testFuzz_no_sequence_of_deposits_and_withdrawals_profits(uint256 seed, uint8 steps) external {
        _lever(1_000_000e6, 5000, 5000);
        uint256 spent;
        uint256 got;
        steps = uint8(bound(steps, 1, 12));
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 amount = seed % 1e11 + 1;
            uint256 action = seed >> 128 & 3;
            usdc.mint(mallory, 1e13);
            vm.startPrank(mallory);
            usdc.approve(address(vault), ALL);
            if (action == 0) {
                vault.deposit(amount, mallory);
                spent += amount;
            } else if (action == 1) {
                spent += vault.mint(amount * 1e12 + (seed >> 200), mallory);
            } else if (action == 2) {
                uint256 most = vault.maxWithdraw(mallory);
                if (most > 0) vault.withdraw(amount % most + 1, mallory, mallory);
                if (most > 0) got += amount % most + 1;
            } else {
                uint256 most = vault.maxRedeem(mallory);
                if (most > 0) got += vault.redeem(seed % most + 1, mallory, mallory);
            }
            vm.stopPrank();
        }
        got += _redeemAll(mallory);
        assertLe(got, spent);
    }

    function testFuzz_previews_are_what_happens(uint256 assets) external {
        _lever(1_000_000e6, 5000, 5000);
        assets = bound(assets, 1, 1e12);
        uint256 shares = vault.previewDeposit(assets);
        assertEq(_deposit(mallory, assets), shares);
        uint256 half = shares / 2 + 1;
        uint256 expected = vault.previewRedeem(half);
        vm.prank(mallory);
        assertEq(vault.redeem(half, mallory, mallory), expected);
        usdc.mint(mallory, 1e12);
        expected = vault.previewMint(half);
        vm.startPrank(mallory);
        usdc.approve(address(vault), ALL);
        assertEq(vault.mint(half, mallory), expected);
        uint256 part = vault.maxWithdraw(mallory) / 2;
        expected = vault.previewWithdraw(part);
        assertEq(vault.withdraw(part, mallory, mallory), expected);
        vm.stopPrank();
    }

    function testFuzz_a_deposit_does_not_change_what_others_own(uint256 assets) external {
        _lever(1_000_000e6, 5000, 5000);
        assets = bound(assets, 1, 1e15);
        uint256 before = vault.convertToAssets(vault.balanceOf(alice));
        _deposit(mallory, assets);
        uint256 afterwards = vault.convertToAssets(vault.balanceOf(alice));
        assertGe(afterwards, before);
        assertLe(afterwards, before + 2);
    }

    function testFuzz_withdrawals_reach_idle_and_no_further(uint256 exposureBps, uint256 ask) external {
        exposureBps = bound(exposureBps, 100, 9900);
        _lever(1_000_000e6, exposureBps, 1000);
        uint256 idle = usdc.balanceOf(address(vault));
        uint256 most = vault.maxWithdraw(alice);
        assertEq(most, idle < vault.nav() ? idle : most);
        assertLe(most, idle);
        ask = bound(ask, most + 1, 2e12);
        vm.expectRevert(abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxWithdraw.selector, alice, ask, most));
        vm.prank(alice);
        vault.withdraw(ask, alice, alice);
        uint256 shares = vault.maxRedeem(alice);
        vm.expectRevert(
            abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxRedeem.selector, alice, shares + 1, shares)
        );
        vm.prank(alice);
        vault.redeem(shares + 1, alice, alice);
        vm.startPrank(alice);
        vault.redeem(vault.maxRedeem(alice), alice, alice);
        vault.withdraw(vault.maxWithdraw(alice), alice, alice);
        vm.stopPrank();
    }

    function testFuzz_nobody_withdraws_anothers_shares(uint256 assets, address thief) external {
        vm.assume(thief != alice && thief != address(0));
        _deposit(alice, 1e12);
        assets = bound(assets, 1, 1e12);
        vm.expectRevert();
        vm.prank(thief);
        vault.withdraw(assets, thief, alice);
    }

    /// NAV is what is held less what is owed, at the oracle's price, rounded in favour of nobody inside.
    function testFuzz_total_assets_follow_the_price_with_debt_subtracted(uint256 cents) external {
        _lever(1_000_000e6, 8000, 5000);
        cents = bound(cents, 150_000, 300_000);
        _setPrice(cents);
        (uint256 supplied,) = lending.balances(address(weth));
        (, uint256 debt) = lending.balances(address(usdc));
        uint256 expected = usdc.balanceOf(address(vault)) + supplied * cents / 1e14 - debt;
        assertApproxEqAbs(vault.totalAssets(), expected, 1);
        assertEq(vault.totalAssets(), vault.nav());
    }

    function test_an_insolvent_vault_is_worth_nothing_and_takes_no_deposit() external {
        _lever(1_000_000e6, 10_000, 7000);
        uint256 idle = usdc.balanceOf(address(vault));
        vm.prank(alice);
        vault.withdraw(idle, alice, alice);
        _setPrice(100_000); // debt 700,000 against 500 WETH at 1,000
        assertEq(vault.nav(), 0);
        assertEq(vault.maxDeposit(mallory), 0);
        usdc.mint(mallory, 1e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), ALL);
        vm.expectPartialRevert(IVault.Insolvent.selector);
        vault.deposit(1e6, mallory);
        vm.stopPrank();
    }

    /// Shares that rounding left behind do not close the vault, and are worth no part of the next deposit but a unit.
    function testFuzz_an_emptied_vault_opens_again(uint256 traded, uint256 assets) external {
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), bound(traded, 1e6, 900_000e6))));
        _run(_one(_swapMove(address(weth), ALL)));
        uint256 all = vault.maxWithdraw(alice);
        vm.prank(alice);
        vault.withdraw(all, alice, alice);
        assertEq(vault.nav(), 0);
        assertEq(vault.maxDeposit(mallory), ALL);
        assertEq(vault.maxMint(mallory), ALL);
        assets = bound(assets, 2, 1e15);
        _deposit(mallory, assets);
        assertGe(_redeemAll(mallory) + 1, assets);
    }

    // ---------------------------------------------------------------- price unusable

    function testFuzz_an_unusable_price_closes_deposits(uint256 amount) external {
        _lever(1_000_000e6, 5000, 5000);
        amount = bound(amount, 1, 1e18);
        _makeStale();
        assertEq(vault.maxDeposit(alice), 0);
        assertEq(vault.maxMint(alice), 0);
        vm.startPrank(alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.deposit(amount, alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.mint(amount, alice);
        vm.stopPrank();
    }

    /// What is owed in base cannot be valued low without a price.
    function testFuzz_an_unusable_price_closes_everything_while_base_is_owed(uint256 amount) external {
        _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _supplyMove(address(usdc), 500_000e6);
        moves[1] = _borrowMove(address(weth), 1e18);
        _run(moves);
        amount = bound(amount, 1, 1e18);
        _makeStale();
        assertEq(vault.maxDeposit(alice), 0);
        assertEq(vault.maxMint(alice), 0);
        assertEq(vault.maxWithdraw(alice), 0);
        assertEq(vault.maxRedeem(alice), 0);
        vm.startPrank(alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.deposit(amount, alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.mint(amount, alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.withdraw(amount, alice, alice);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.redeem(amount, alice, alice);
        vm.stopPrank();
    }

    /// A gift of base of up to 1 % of the dollars closes no exit, and takes nothing from whoever leaves (V-17 in part).
    function testFuzz_donated_base_does_not_lock_depositors_in(uint256 gift, uint256 assets) external {
        _deposit(alice, 1_000_000e6);
        weth.mint(address(vault), bound(gift, 1, 1e18));
        _makeStale();
        assertEq(vault.maxWithdraw(alice), 1_000_000e6);
        assets = bound(assets, 1, 1_000_000e6);
        assertEq(vault.previewRedeem(vault.previewWithdraw(assets)), assets);
        vm.prank(alice);
        vault.withdraw(assets, alice, alice);
        assertEq(usdc.balanceOf(alice), assets);
    }

    /// Nobody who redeems while the price is unusable leaves a part of the base behind unawares: the exit waits instead.
    function testFuzz_without_a_price_exits_wait_while_base_is_held(uint256 shares, bool deviating) external {
        _lever(1_000_000e6, 2000, 5000);
        _deposit(mallory, 1_000_000e6);
        shares = bound(shares, 1e12, vault.balanceOf(mallory));
        if (deviating) ethFeed.set(int256(PRICE * 75e6));
        else _makeStale();
        assertEq(vault.maxRedeem(mallory), 0);
        assertEq(vault.maxWithdraw(mallory), 0);
        vm.startPrank(mallory);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.redeem(shares, mallory, mallory);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.withdraw(1e6, mallory, mallory);
        vm.stopPrank();
    }

    /// Without base held or owed its price does not matter, and nobody is locked in by a feed (V-17 in part).
    function testFuzz_without_base_an_unusable_price_closes_nothing(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        _makeStale();
        uint256 shares = _deposit(alice, assets);
        vm.prank(alice);
        assertEq(vault.redeem(shares, alice, alice), assets);
    }

    function testFuzz_a_pause_closes_deposits_and_never_withdrawals(uint256 assets) external {
        assets = bound(assets, 1, 1e12);
        _deposit(alice, 1e12);
        vm.prank(guardian);
        vault.pause();
        assertEq(vault.maxDeposit(alice), 0);
        vm.expectRevert(IVault.DepositsPaused.selector);
        vault.deposit(assets, alice);
        vm.prank(alice);
        vault.withdraw(assets, alice, alice);
        assertEq(usdc.balanceOf(alice), assets);
    }

    function test_dust_that_buys_no_share_is_refused() external {
        _deposit(alice, 1);
        usdc.mint(address(vault), 1e15);
        vm.expectRevert(abi.encodeWithSelector(IVault.ZeroShares.selector, 0));
        vault.deposit(0, alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.ZeroShares.selector, 0));
        vault.mint(0, alice);
    }
}
