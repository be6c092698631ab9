// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {BookValue, IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {BlackScholes} from "../../contracts/libraries/BlackScholes.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockOptionVault} from "./mocks/MockOptionVault.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @notice Buying back: the mirror of a sale.
contract OptionPurchaseTest is OptionVenueFixture {
    uint256 private constant ANY = 1e30;
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _call();
        _sold(id, 100 * ONE);
    }

    // ---------------------------------------------------------------- price

    function _bounds() private view returns (uint256 low, uint256 high) {
        (uint256 lowVol,, uint256 highVol) = vols.volWad(K, FORWARD, expiry);
        (low,) = BlackScholes.price(FORWARD, K, expiry - block.timestamp, lowVol, 0);
        (high,) = BlackScholes.price(FORWARD, K, expiry - block.timestamp, highVol, 0);
    }

    /// The mirror of V-11.
    function testFuzz_no_offer_is_paid_above_the_cap(uint256 when, uint256 amount, uint256 maxPrice)
        external
    {
        maxPrice = bound(maxPrice, 1e18, 500e18);
        uint256 auctionId = _purchase(id, 100 * ONE, maxPrice, _cash(50_000));
        vm.warp(bound(when, block.timestamp, auction.auctionOf(auctionId).endAt));
        amount = bound(amount, ONE, 50 * ONE);
        (, uint256 high) = _bounds();
        uint256 price = auction.priceWad(auctionId);
        uint256 before = quote.balanceOf(alice);
        uint256 paid = _offer(alice, auctionId, amount);
        assertLe(price, Math.min(maxPrice, high * 10_500 / 10_000));
        assertLe(paid * 1e30, amount * price, "rounded down");
        assertEq(quote.balanceOf(alice) - before, paid);
    }

    function test_the_price_goes_from_the_low_mark_to_the_cap() external {
        uint256 auctionId = _purchase(id, ONE, ANY, _cash(1000));
        (uint256 low, uint256 high) = _bounds();
        assertEq(auction.priceWad(auctionId), low);
        IOptionAuction.Auction memory opened = auction.auctionOf(auctionId);
        vm.warp(opened.endAt);
        (low, high) = _bounds();
        assertEq(auction.priceWad(auctionId), high * 10_500 / 10_000);
        vm.warp((opened.startAt + opened.endAt) / 2);
        (low, high) = _bounds();
        assertEq(auction.priceWad(auctionId), low + (high * 10_500 / 10_000 - low) / 2);
    }

    function test_a_maximum_below_the_low_mark_is_the_price() external {
        uint256 auctionId = _purchase(id, ONE, 1e18, _cash(1000));
        assertEq(auction.priceWad(auctionId), 1e18);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.PriceMoved.selector, 1e18, 1e18 + 1));
        auction.offer(auctionId, ONE / 2, 1e18 + 1, alice);
        _toEnd(auctionId);
        assertEq(auction.priceWad(auctionId), 1e18);
    }

    function test_a_spreads_bounds_are_in_order_at_any_spot() external {
        uint256 spread = _create(true, K, 2400e18);
        uint256[4] memory spots = [uint256(1500e18), 2300e18, 2900e18, 4000e18];
        for (uint256 i; i < 4; ++i) {
            prices.set(spots[i]);
            (uint256 low, uint256 cap) = auction.purchaseBoundsWad(spread, 0);
            assertLe(low, cap);
            assertLe(cap, 200e18);
        }
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.purchaseBoundsWad(spread, 2001);
    }

    // ---------------------------------------------------------------- what a fill does

    function test_longs_bought_are_burned_and_their_collateral_freed() external {
        uint256 auctionId = _purchase(id, 40 * ONE, ANY, _cash(10_000));
        uint256 cash = desk.escrowAsset(); // at most twice what it can cost
        uint256 baseBefore = base.balanceOf(address(vault));
        uint256 paid = _offer(alice, auctionId, 10 * ONE);
        assertEq(base.balanceOf(address(vault)) - baseBefore, 10 * ONE, "V-15");
        assertEq(book.totalSupply(id), 90 * ONE);
        assertEq(book.writtenOf(id, address(desk)), 90 * ONE);
        BookValue memory value = _measure();
        assertEq(value.notionalBase, 90 * ONE);
        assertEq(value.collateralBase, 90 * ONE);
        assertEq(value.escrowAsset, cash - paid);
        assertEq(quote.balanceOf(address(desk)), cash - paid);
        assertEq(quote.allowance(address(desk), address(auction)), cash - paid);
        assertTrue(desk.matchesBook());
    }

    /// Cash that waits is out of the vault's reach: no keeper parks more there than twice what the purchase can cost.
    function testFuzz_a_purchase_takes_no_more_cash_than_it_may_need(uint256 amount, uint256 asked) external {
        amount = bound(amount, 1e12, 100 * ONE);
        asked = bound(asked, 1, _cash(1_000_000));
        (, uint256 cap) = auction.purchaseBoundsWad(id, _optionLimits().buyBackPremiumBps);
        vault.buyBack(id, amount, ANY, asked);
        uint256 most = Math.mulDiv(amount, 2 * cap, 10 ** (18 + 18 - quote.decimals()), Math.Rounding.Ceil);
        assertEq(desk.escrowAsset(), Math.min(asked, most));
    }

    function test_a_filled_purchase_gives_back_its_change_at_once() external {
        uint256 auctionId = _purchase(id, 2 * ONE, ANY, _cash(10_000));
        uint256 cash = desk.escrowAsset();
        uint256 before = quote.balanceOf(address(vault));
        uint256 paid = _offer(alice, auctionId, ONE);
        paid += _offer(bob, auctionId, ONE);
        assertEq(quote.balanceOf(address(vault)) - before, cash - paid);
        assertEq(quote.balanceOf(address(desk)), 0);
        assertEq(quote.allowance(address(desk), address(auction)), 0);
        assertEq(abi.encode(desk.ticketOf(auctionId)), abi.encode(desk.ticketOf(999)));
    }

    function test_buying_back_everything_forgets_the_series() external {
        uint256 auctionId = _purchase(id, 100 * ONE, ANY, _cash(100_000));
        _offer(alice, auctionId, 50 * ONE);
        _offer(bob, auctionId, 50 * ONE);
        assertEq(desk.openSeries().length, 0);
        assertEq(_measure().liabilityHigh, 0);
        assertEq(base.balanceOf(address(vault)), 1_000_000 * ONE);
    }

    function testFuzz_a_fill_charges_what_it_pays_above_the_mid_mark(uint256 when) external {
        uint256 auctionId = _purchase(id, 100 * ONE, ANY, _cash(100_000));
        vm.warp(bound(when, block.timestamp, auction.auctionOf(auctionId).endAt));
        uint256 before = vault.charged();
        uint256 midBefore = _measure().liabilityMid;
        uint256 paid = _offer(alice, auctionId, 50 * ONE);
        uint256 fair = midBefore - _measure().liabilityMid; // within 2 units of rounding
        uint256 charged = vault.charged() - before;
        assertApproxEqAbs(charged, paid > fair ? paid - fair : 0, 2);
        // A thief as holder: at the end the cap is above the mid mark, and it is the budget that stops him.
        _toEnd(auctionId);
        vault.setBudget(1);
        vm.expectPartialRevert(MockOptionVault.BudgetExceeded.selector);
        _offer(bob, auctionId, 50 * ONE);
    }

    function test_V18_the_vault_measures_what_the_fill_has_left() external {
        uint256 auctionId = _purchase(id, 100 * ONE, ANY, _cash(100_000));
        _toEnd(auctionId);
        _offer(alice, auctionId, 20 * ONE);
        assertEq(abi.encode(vault.measured()), abi.encode(_measure()));
        assertEq(vault.measured().notionalBase, 80 * ONE);
    }

    // ---------------------------------------------------------------- limits

    function test_no_more_is_bought_than_is_sold_or_paid_than_is_there() external {
        vm.expectRevert(
            abi.encodeWithSelector(IOptionDesk.MoreThanSold.selector, id, 100 * ONE + 1, 100 * ONE)
        );
        vault.buyBack(id, 100 * ONE + 1, ANY, _cash(1));
        vm.expectRevert(IOptionDesk.ZeroAmount.selector);
        vault.buyBack(id, 0, ANY, _cash(1));
        vm.expectRevert(IOptionDesk.ZeroAmount.selector);
        vault.buyBack(id, ONE, ANY, 0);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.SeriesNotOpen.selector, 7));
        vault.buyBack(7, ONE, ANY, 1);
        uint256 auctionId = _purchase(id, 100 * ONE, ANY, _cash(10));
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        _offer(alice, auctionId, ONE);
    }

    /// One purchase never spends what another has put aside.
    function test_two_purchases_do_not_share_cash() external {
        uint256 first = vault.buyBack(id, 50 * ONE, ANY, _cash(10));
        uint256 second = _purchase(id, 50 * ONE, ANY, _cash(10_000));
        vm.warp(block.timestamp + 20 minutes);
        vm.expectPartialRevert(IOptionDesk.CashTooLow.selector);
        _offer(alice, first, ONE);
        _offer(alice, second, ONE);
        vault.cancel(second);
        assertEq(quote.balanceOf(address(desk)), _cash(10));
        assertEq(quote.allowance(address(desk), address(auction)), _cash(10));
    }

    function test_two_purchases_of_everything_buy_it_once() external {
        uint256 first = vault.buyBack(id, 100 * ONE, ANY, _cash(20_000));
        uint256 second = _purchase(id, 100 * ONE, ANY, _cash(20_000));
        vm.warp(block.timestamp + 20 minutes);
        _offer(alice, first, 50 * ONE);
        vm.prank(bob);
        book.transfer(alice, id, 10 * ONE);
        _offer(alice, second, 10 * ONE);
        _offer(bob, first, 40 * ONE);
        assertEq(desk.openSeries().length, 0);
        // Somebody else's longs are not the vault's to buy.
        base.mint(carol, ONE);
        vm.startPrank(carol);
        base.approve(address(book), ONE);
        book.write(id, ONE, carol);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.SeriesNotOpen.selector, id));
        auction.offer(second, ONE, 0, carol);
        vm.stopPrank();
        vault.cancel(first);
        vault.cancel(second);
        assertEq(quote.balanceOf(address(desk)), 0);
    }

    /// What is unsold cannot be bought back from a stranger who wrote the same series.
    function test_unsold_longs_are_not_bought_back() external {
        uint256 first = vault.buyBack(id, 100 * ONE, ANY, _cash(20_000));
        uint256 second = vault.buyBack(id, 60 * ONE, ANY, _cash(20_000));
        vault.write(id, 30 * ONE, START); // unsold
        vm.warp(block.timestamp + 20 minutes);
        _offer(alice, first, 50 * ONE);
        _offer(bob, first, 49 * ONE);
        vm.startPrank(bob);
        base.mint(bob, 10 * ONE);
        base.approve(address(book), 10 * ONE);
        book.write(id, 10 * ONE, bob);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.MoreThanSold.selector, id, 2 * ONE, ONE));
        auction.offer(second, 2 * ONE, 0, bob);
        vm.stopPrank();
    }

    function test_the_least_and_greatest_offer_are_by_bidder() external {
        uint256 auctionId = _purchase(id, 80 * ONE, ANY, _cash(50_000));
        vm.expectPartialRevert(IOptionAuction.BidTooSmall.selector);
        _offer(alice, auctionId, ONE / 2);
        vm.expectPartialRevert(IOptionAuction.BidTooLarge.selector);
        _offer(alice, auctionId, 41 * ONE);
        _offer(alice, auctionId, 40 * ONE);
    }

    function test_cash_does_not_go_back_to_the_desk_or_the_auction() external {
        uint256 auctionId = _purchase(id, 80 * ONE, ANY, _cash(50_000));
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.InvalidReceiver.selector, address(desk)));
        auction.offer(auctionId, ONE, 0, address(desk));
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.InvalidReceiver.selector, address(auction)));
        auction.offer(auctionId, ONE, 0, address(auction));
        vm.stopPrank();
        vm.expectPartialRevert(IOptionAuction.WrongKind.selector);
        _bid(carol, auctionId, ONE);
    }

    function test_offers_stop_with_the_price_and_at_expiry() external {
        uint256 auctionId = _purchase(id, ONE, ANY, _cash(1000));
        prices.setFault(IPriceOracle.Fault.Stale);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        _offer(alice, auctionId, ONE / 2);
        prices.setFault(IPriceOracle.Fault.None);
        vm.warp(expiry);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.AlreadyExpired.selector, id, expiry));
        auction.purchaseBoundsWad(id, 0);
    }

    // ---------------------------------------------------------------- cancel

    function test_cancelling_gives_back_the_cash_whatever_the_oracles_say() external {
        uint256 auctionId = _purchase(id, 10 * ONE, ANY, _cash(5000));
        uint256 cash = desk.escrowAsset();
        uint256 paid = _offer(alice, auctionId, ONE);
        prices.setFault(IPriceOracle.Fault.Stale);
        uint256 before = quote.balanceOf(address(vault));
        vm.prank(mallory);
        vm.expectPartialRevert(IOptionDesk.AuctionRunning.selector);
        desk.cancel(auctionId);
        vault.cancel(auctionId);
        assertEq(quote.balanceOf(address(vault)) - before, cash - paid);
        assertEq(desk.escrowAsset(), 0);
    }

    function test_a_collected_put_leaves_the_cash_of_a_purchase() external {
        uint256 put = _create(false, 1800e18, 0);
        _sold(put, 10 * ONE);
        uint256 auctionId = vault.buyBack(put, ONE, ANY, _cash(500));
        uint256 cash = desk.escrowAsset();
        assertGt(cash, 0);
        vm.warp(expiry);
        settlement.set(ISettlementOracle.Status.Settled, 1900e18);
        desk.collect(put);
        assertEq(quote.balanceOf(address(desk)), cash);
        vm.prank(mallory);
        desk.cancel(auctionId);
        assertEq(quote.balanceOf(address(desk)), 0);
    }

    function test_a_token_that_lies_buys_nothing_back() external {
        quote.setFault(MockOddToken.Fault.ReturnsFalse);
        vm.expectPartialRevert(SafeERC20.SafeERC20FailedOperation.selector);
        vault.buyBack(id, ONE, ANY, _cash(10));
        quote.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.expectPartialRevert(IOptionDesk.TransferMismatch.selector);
        vault.buyBack(id, ONE, ANY, _cash(10));
    }
}
