// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SettlementMath} from "../../contracts/libraries/SettlementMath.sol";
import {DecimalsFixture} from "./DecimalsFixture.sol";

/// @notice The largest amounts, the smallest supply, and nothing at all.
contract VaultSharesEdgeTest is DecimalsFixture {
    uint256 private constant MOST = type(uint128).max;

    address private bob = makeAddr("bob");

    function _assetDecimals() internal pure override returns (uint8) {
        return 18;
    }

    // ---------------------------------------------------------------- large

    /// Five billion of an asset of 18 decimals go in and come out of one account, in pieces too, less a unit or two.
    function testFuzz_the_largest_amounts_go_in_and_come_out(uint256 assets, uint256 piece) external {
        assets = bound(assets, 1e24, 5e27);
        uint256 shares;
        _request(alice, assets);
        _settle();
        piece = bound(piece, 1, assets - 1);
        vm.startPrank(alice);
        shares = vault.deposit(piece, alice);
        shares += vault.deposit(assets - piece, alice);
        vault.requestRedeem(shares, alice, alice);
        vm.stopPrank();
        _settle();
        vm.startPrank(alice);
        uint256 got = vault.redeem(shares / 3, alice, alice);
        got += vault.redeem(shares - shares / 3, alice, alice);
        vm.stopPrank();
        assertLe(got, assets);
        assertGe(got + 2 + assets / 1e15, assets);
    }

    /// More than a slot holds is refused by the cap, which is not above it, and nothing is truncated.
    function testFuzz_more_than_128_bits_are_refused(uint256 assets) external {
        assets = bound(assets, MOST + 1, type(uint256).max - 1e60);
        usdc.mint(alice, assets);
        vm.startPrank(alice);
        usdc.approve(address(vault), assets);
        vm.expectRevert();
        vault.requestDeposit(assets, alice, alice);
        vm.stopPrank();
        assertEq(vault.pendingDepositRequest(0, alice), 0);
    }

    /// More shares than one account holds (2^112) wait in the vault, stop no settlement, and are claimed by several.
    function testFuzz_more_than_an_account_holds_is_claimed_by_several(uint256 assets) external {
        assets = bound(assets, 6e27, 10e27);
        _request(alice, assets);
        _settle();
        uint256 shares = vault.maxMint(alice);
        assertEq(vault.balanceOf(address(vault)), shares);
        vm.startPrank(alice);
        vm.expectPartialRevert(SafeCast.SafeCastOverflowedUintDowncast.selector);
        vault.mint(shares, alice);
        vault.mint(shares / 2, alice);
        vault.mint(shares - shares / 2, bob);
        vm.expectPartialRevert(SafeCast.SafeCastOverflowedUintDowncast.selector);
        vault.transfer(bob, shares / 2);
        vm.stopPrank();
        assertEq(vault.balanceOf(alice) + vault.balanceOf(bob), shares);
        assertEq(vault.totalSupply(), shares + oneShare);
    }

    /// A high-water mark that no longer fits stays at the most that fits; neither the settlement nor its numbers break.
    function testFuzz_a_mark_that_does_not_fit_saturates(uint256 nav, uint256 supply, uint256 mark)
        external
        pure
    {
        SettlementMath.Input memory input;
        input.supply = bound(supply, 1, 1e30);
        (input.virtualShares, input.wholeShare) = (1e6, 1e24);
        input.mark = bound(mark, 0, MOST);
        input.performanceBps = 3000;
        input.managementBps = 300;
        input.elapsed = 365 days;
        nav = bound(nav, 0, MOST);
        SettlementMath.Output memory out = SettlementMath.compute(input, nav, nav, true);
        assertLe(out.mark, MOST);
        assertGe(out.mark, input.mark);
        uint256 taken = out.managementShares + out.performanceShares;
        uint256 whole = input.supply + taken + 1e6;
        // V-13 even there: a year's management and the ceiling of the gain.
        assertLe(taken, whole * 3300 / 10_000 + 1);
    }

    // ---------------------------------------------------------------- small

    /// With no shares but the seed's a settlement is like any other, and the seed is nobody's.
    function testFuzz_a_vault_of_the_seed_alone_settles(uint8 times, uint256 assets) external {
        for (uint256 i; i < times % 5; ++i) {
            _settle();
        }
        assertEq(vault.totalSupply(), oneShare);
        assertEq(vault.totalAssets(), one);
        assets = bound(assets, 1, 1e27);
        assertEq(_deposit(alice, assets), assets * 1e6);
    }

    /// Everybody out, and in again at the same price.
    function testFuzz_an_emptied_vault_opens_again(uint256 first, uint256 second) external {
        first = bound(first, 1e6, 1e27);
        second = bound(second, 1e6, 1e27);
        uint256 got = _redeem(alice, _deposit(alice, first));
        assertLe(got, first);
        assertEq(vault.totalSupply(), oneShare);
        uint256 shares = _deposit(bob, second);
        assertLe(shares, second * 1e6);
        assertApproxEqRel(shares, second * 1e6, 1e6 + first / 1e6);
        assertLe(_redeem(bob, shares), second);
    }

    /// The seed's shares move for nobody.
    function testFuzz_the_seed_is_nobodys(address thief) external {
        vm.assume(thief != address(0xdEaD));
        vm.startPrank(thief);
        vm.expectRevert();
        vault.requestRedeem(1, thief, address(0xdEaD));
        vm.expectRevert();
        vault.transferFrom(address(0xdEaD), alice, 1);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- nothing

    /// Of nothing nothing is paid: redemptions wait, may be taken back, and are paid when there is something again.
    function testFuzz_nothing_left_pays_nothing_and_loses_nobodys_place(uint256 assets, uint256 back)
        external
    {
        assets = bound(assets, 1e18, 1e27);
        back = bound(back, 1e18, 1e27);
        uint256 shares = _deposit(alice, assets);
        deal(address(usdc), address(vault), 0);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        assertEq(vault.totalAssets(), 0);
        assertEq(vault.pendingRedeemRequest(0, alice), shares);
        assertEq(vault.maxWithdraw(alice), 0);
        usdc.mint(address(vault), back);
        uint256 expected = shares * (back + 1) / (vault.totalSupply() + 1e6);
        _settle();
        // A price is kept to 10^-15 of a unit a share unit: the lower the price, the fewer digits are left of it.
        assertApproxEqAbs(vault.maxWithdraw(alice), expected, 3 + assets / 1e15);
        assertLe(vault.maxWithdraw(alice), expected);
    }

    /// Nearly everything lost, joiners get their part at the new price, and those who were there before lose nothing more.
    function testFuzz_joining_after_a_great_loss_is_fair(uint256 left, uint256 assets) external {
        uint256 shares = _deposit(alice, 1e24);
        left = bound(left, 1e18, 1e23);
        assets = bound(assets, 1, left * 4000); // of shares at a millionth, what one account holds
        deal(address(usdc), address(vault), left);
        _request(bob, assets);
        _settle();
        uint256 bought = vault.maxMint(bob);
        vm.prank(bob);
        vault.mint(bought, bob);
        assertLe(_redeem(bob, bought), assets);
        assertGe(_redeem(alice, shares) + 3 + 2e9, left * 1e24 / (1e24 + 1e18));
    }
}
