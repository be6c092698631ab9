// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {BlackScholes} from "../../contracts/libraries/BlackScholes.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @notice Sales: one test or more for each branch of opening, bidding and pricing.
contract OptionAuctionTest is OptionVenueFixture {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _call();
    }

    // ---------------------------------------------------------------- opening

    function testFuzz_the_start_is_drawn_within_its_window(bytes32 randao, uint256 window) external {
        vm.prevrandao(randao);
        IOptionAuction.Order memory order = _order(id, 1e18);
        order.startWindow = uint32(bound(window, 0, 6 hours));
        IOptionAuction.Auction memory opened = auction.auctionOf(auction.sell(order));
        assertGe(opened.startAt, block.timestamp);
        assertLe(opened.startAt, block.timestamp + order.startWindow);
        assertEq(opened.endAt, opened.startAt + order.duration);
    }

    function test_the_start_is_not_always_the_same() external {
        uint256 different;
        uint256 first;
        for (uint256 i; i < 10; ++i) {
            vm.prevrandao(bytes32(i));
            uint256 startAt = auction.auctionOf(auction.sell(_order(id, 1e18))).startAt;
            if (i == 0) first = startAt;
            else if (startAt != first) ++different;
        }
        assertGt(different, 5);
    }

    function test_orders_outside_the_hard_bounds_are_refused() external {
        IOptionAuction.Order memory order = _order(id, 1e18);
        order.marginBps = 2001;
        vm.expectRevert(abi.encodeWithSelector(Bounds.OutOfBounds.selector, "marginBps", 2001, 0, 2000));
        auction.sell(order);
        order = _order(id, 1e18);
        order.duration = 5 minutes - 1;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.sell(order);
        order.duration = 1 days + 1;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.sell(order);
        order = _order(id, 1e18);
        order.startWindow = 6 hours + 1;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.sell(order);
        order = _order(id, 1e18);
        order.maxBidBps = 10_001;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.sell(order);
        order = _order(id, 1e18);
        order.minBidBps = 5001;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.sell(order);
        order = _order(id, 0);
        vm.expectRevert(IOptionAuction.ZeroAmount.selector);
        auction.purchase(order);
    }

    function test_a_series_of_another_pair_or_none_is_refused() external {
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.OtherPair.selector, 7, address(0), address(0)));
        auction.sell(_order(7, 1e18));
    }

    function test_an_expired_series_is_refused() external {
        vm.warp(expiry);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.AlreadyExpired.selector, id, expiry));
        auction.sell(_order(id, 1e18));
    }

    /// A book that says it moved nothing: the bidder pays nothing.
    function test_a_bid_whose_options_do_not_come_is_refused() external {
        uint256 auctionId = _sale(id, ONE);
        uint256 cash = quote.balanceOf(alice);
        vm.mockCall(address(book), abi.encodePacked(book.transferFrom.selector), abi.encode(false));
        vm.expectRevert(
            abi.encodeWithSelector(IOptionAuction.TransferMismatch.selector, address(book), ONE / 2, 0)
        );
        _bid(alice, auctionId, ONE / 2);
        vm.clearMockedCalls();
        assertEq(quote.balanceOf(alice), cash);
        assertEq(auction.auctionOf(auctionId).left, ONE);
        _bid(alice, auctionId, ONE / 2);
    }

    function test_only_its_seller_closes_an_auction() external {
        uint256 auctionId = _sale(id, ONE);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.NotSeller.selector, auctionId, address(this)));
        auction.close(auctionId);
        vm.expectPartialRevert(IOptionAuction.NotSeller.selector);
        auction.close(99);
    }

    // ---------------------------------------------------------------- price

    /// V-11, against the model itself.
    function testFuzz_V11_no_bid_is_below_the_reserve(
        uint256 startPrice,
        uint256 when,
        uint256 spot,
        uint256 amount
    ) external {
        uint256 auctionId = vault.write(id, 100 * ONE, bound(startPrice, START, 1e24));
        IOptionAuction.Auction memory opened = auction.auctionOf(auctionId);
        vm.warp(bound(when, opened.startAt, opened.endAt));
        spot = bound(spot, FORWARD / 2, FORWARD * 2);
        prices.set(spot);
        amount = bound(amount, ONE, 50 * ONE);
        (uint256 model,) = BlackScholes.price(spot, K, expiry - block.timestamp, vols.floorWad(), 0);
        uint256 before = quote.balanceOf(address(vault));
        uint256 price = auction.priceWad(auctionId);
        uint256 paid = _bid(alice, auctionId, amount);
        assertGe(price * 10_000, model * 9500, "V-11: price");
        assertGe(paid * 1e30, amount * price, "V-11: what is paid, rounded up");
        assertLt((paid - 1) * 1e30, amount * price, "by less than a unit");
        assertEq(quote.balanceOf(address(vault)) - before, paid, "V-15: all of it to the vault");
        assertEq(book.balanceOf(alice, id), amount);
    }

    function test_the_price_goes_from_the_first_to_the_reserve() external {
        uint256 auctionId = _sale(id, ONE);
        assertEq(auction.priceWad(auctionId), START);
        IOptionAuction.Auction memory opened = auction.auctionOf(auctionId);
        vm.warp(opened.startAt + 30 minutes);
        uint256 reserve = auction.reserveWad(id, 500);
        assertEq(auction.priceWad(auctionId), reserve + Math.ceilDiv(START - reserve, 2));
        vm.warp(opened.endAt);
        assertEq(auction.priceWad(auctionId), auction.reserveWad(id, 500));
    }

    function testFuzz_the_price_never_rises_while_nothing_moves(uint256 first, uint256 second) external {
        uint256 auctionId = _sale(id, ONE);
        IOptionAuction.Auction memory opened = auction.auctionOf(auctionId);
        first = bound(first, opened.startAt, opened.endAt);
        second = bound(second, first, opened.endAt);
        vm.warp(first);
        uint256 early = auction.priceWad(auctionId);
        vm.warp(second);
        assertLe(auction.priceWad(auctionId), early);
    }

    function test_a_first_price_below_the_reserve_is_the_reserve() external {
        IOptionAuction.Order memory order = _order(id, 1e18);
        order.limitPriceWad = 1;
        uint256 auctionId = auction.sell(order);
        vm.warp(auction.auctionOf(auctionId).startAt);
        assertEq(auction.priceWad(auctionId), auction.reserveWad(id, 500));
    }

    function testFuzz_the_reserve_is_the_model_at_the_floor_less_the_discount(
        uint256 discount,
        uint256 spot,
        bool isCall
    ) external {
        discount = bound(discount, 0, 2000);
        spot = bound(spot, 1000e18, 4000e18);
        prices.set(spot);
        uint256 other = isCall ? id : _create(false, K, 0);
        (uint256 call, uint256 put) =
            BlackScholes.price(spot, K, expiry - block.timestamp, vols.floorWad(), 0);
        uint256 model = isCall ? call : put;
        assertEq(
            auction.reserveWad(other, discount),
            Math.max(1, Math.ceilDiv(model * (10_000 - discount), 10_000))
        );
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        auction.reserveWad(other, 2001);
    }

    function test_a_worthless_option_still_costs_something() external {
        uint256 auctionId = _sale(id, ONE);
        _toEnd(auctionId);
        prices.set(1e18);
        assertEq(auction.priceWad(auctionId), 1);
        assertEq(_bid(alice, auctionId, ONE / 2), 1);
    }

    function testFuzz_a_spread_costs_the_difference(uint256 second) external {
        second = bound(second, K + 1, 6000e18);
        uint256 spread = _create(true, K, uint128(second));
        uint256 time = expiry - block.timestamp;
        (uint256 low,) = BlackScholes.price(FORWARD, K, time, vols.floorWad(), 0);
        (uint256 high,) = BlackScholes.price(FORWARD, second, time, vols.floorWad(), 0);
        uint256 value = Math.min(Math.saturatingSub(low, high), second - K);
        assertEq(auction.reserveWad(spread, 0), Math.max(1, value));
    }

    // ---------------------------------------------------------------- time

    function test_bids_are_taken_from_the_first_second_to_the_last() external {
        uint256 auctionId = vault.write(id, 100 * ONE, START);
        IOptionAuction.Auction memory opened = auction.auctionOf(auctionId);
        vm.warp(opened.startAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.NotStarted.selector, auctionId, opened.startAt));
        _bid(alice, auctionId, ONE);
        vm.warp(opened.startAt);
        _bid(alice, auctionId, ONE);
        vm.warp(opened.endAt);
        _bid(alice, auctionId, ONE);
        assertFalse(auction.over(auctionId));
        vm.warp(opened.endAt + 1);
        assertTrue(auction.over(auctionId));
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.AuctionOver.selector, auctionId, opened.endAt));
        _bid(alice, auctionId, ONE);
    }

    function test_no_bid_from_expiry_on() external {
        expiry = uint64(block.timestamp + 25 hours);
        uint256 near = _create(true, 2050e18, 0);
        uint256 auctionId = vault.write(near, 10 * ONE, START);
        vm.warp(block.timestamp + 24 hours + 50 minutes);
        _toSlot(0);
        vols.observe();
        _refresh();
        // Another sale of the same series that outlasts it.
        auctionId = auction.sell(_order(near, 1e18));
        vm.warp(expiry - 1);
        assertFalse(auction.over(auctionId));
        auction.priceWad(auctionId);
        vm.warp(expiry);
        assertLe(expiry, auction.auctionOf(auctionId).endAt);
        assertTrue(auction.over(auctionId));
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.AlreadyExpired.selector, near, expiry));
        _bid(alice, auctionId, ONE / 2);
    }

    // ---------------------------------------------------------------- size

    function test_bounds_of_a_bid_by_size() external {
        uint256 auctionId = _sale(id, 100 * ONE);
        vm.expectRevert(IOptionAuction.ZeroAmount.selector);
        _bid(alice, auctionId, 0);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.BidTooSmall.selector, auctionId, ONE - 1, ONE));
        _bid(alice, auctionId, ONE - 1);
        _bid(alice, auctionId, ONE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOptionAuction.BidTooLarge.selector, auctionId, alice, 50 * ONE + 1, 50 * ONE
            )
        );
        _bid(alice, auctionId, 49 * ONE + 1);
        _bid(alice, auctionId, 49 * ONE);
        assertEq(auction.takenBy(auctionId, alice), 50 * ONE);
        _bid(bob, auctionId, 50 * ONE - 5);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.MoreThanLeft.selector, auctionId, 6, 5));
        _bid(carol, auctionId, 6);
        vm.expectPartialRevert(IOptionAuction.BidTooSmall.selector);
        _bid(carol, auctionId, 4);
        _bid(carol, auctionId, 5); // the last remainder
        vm.expectPartialRevert(IOptionAuction.AuctionOver.selector);
        _bid(carol, auctionId, 1);
        assertTrue(auction.over(auctionId));
        assertEq(book.balanceOf(alice, id) + book.balanceOf(bob, id) + book.balanceOf(carol, id), 100 * ONE);
        assertEq(book.balanceOf(address(desk), id), 0);
    }

    /// Rounding over sequences: many small fills never cost less than one.
    function testFuzz_splitting_a_bid_gains_nothing(uint256 seed) external {
        uint256 auctionId = _sale(id, 1000);
        vm.prank(address(vault));
        uint256 twin = desk.write(id, 1000, START);
        vm.warp(Math.max(auction.auctionOf(twin).startAt, block.timestamp));
        uint256 price = auction.priceWad(auctionId);
        uint256 paid;
        uint256 left = 500;
        while (left != 0) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 amount = Math.min(left, 10 + seed % 40);
            if (left - amount < 10) amount = left;
            paid += _bid(alice, auctionId, amount);
            left -= amount;
        }
        assertGe(paid, Math.mulDiv(500, price, 1e30, Math.Rounding.Ceil));
        assertEq(book.balanceOf(alice, id), 500);
    }

    function test_the_largest_amount_and_price_are_sold_exactly() external {
        uint256 most = type(uint96).max;
        base.mint(address(vault), most);
        quote.mint(alice, type(uint128).max);
        uint256 auctionId = vault.write(id, most, 5e33);
        vm.warp(auction.auctionOf(auctionId).startAt);
        uint256 amount = most / 2;
        assertEq(_bid(alice, auctionId, amount), Math.mulDiv(amount, 5e33, 1e30, Math.Rounding.Ceil));
    }

    // ---------------------------------------------------------------- what the bidder accepts

    function test_a_price_above_the_bidders_limit_is_refused() external {
        uint256 auctionId = _sale(id, ONE);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IOptionAuction.PriceMoved.selector, START, START - 1));
        auction.bid(auctionId, ONE / 2, START - 1, alice);
        vm.prank(alice);
        auction.bid(auctionId, ONE / 2, START, carol);
        assertEq(book.balanceOf(carol, id), ONE / 2);
    }

    function test_a_sale_takes_no_offers_and_what_is_not_there_nothing() external {
        uint256 auctionId = _sale(id, ONE);
        vm.expectRevert(
            abi.encodeWithSelector(IOptionAuction.WrongKind.selector, auctionId, IOptionAuction.Kind.Sale)
        );
        _offer(alice, auctionId, ONE / 2);
        vm.expectRevert(
            abi.encodeWithSelector(IOptionAuction.WrongKind.selector, 9, IOptionAuction.Kind.None)
        );
        _bid(alice, 9, 1);
        vm.expectPartialRevert(IOptionAuction.WrongKind.selector);
        auction.priceWad(9);
        assertTrue(auction.over(9));
    }

    // ---------------------------------------------------------------- what may fail

    function test_bids_stop_with_the_price_and_go_on_with_it() external {
        uint256 auctionId = _sale(id, ONE);
        prices.setFault(IPriceOracle.Fault.Stale);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        _bid(alice, auctionId, ONE / 2);
        prices.setFault(IPriceOracle.Fault.None);
        _bid(alice, auctionId, ONE / 2);
    }

    function test_bids_stop_with_the_volatility_floor() external {
        uint256 auctionId = _sale(id, ONE);
        vm.mockCall(address(vols), abi.encodeCall(vols.floorKnown, ()), abi.encode(false));
        vm.expectRevert(IOptionAuction.VolatilityFloorUnknown.selector);
        _bid(alice, auctionId, ONE / 2);
    }

    function test_bids_stop_when_marks_are_too_old_to_judge_a_fill() external {
        uint256 auctionId = vault.write(id, ONE, START);
        // Marks expire in the middle of the sale while the floor is still known.
        vm.warp(auction.auctionOf(auctionId).startAt);
        vm.mockCallRevert(
            address(vols),
            abi.encodePacked(vols.volWad.selector),
            abi.encodeWithSelector(
                IVolatilityOracle.MarkUnusable.selector, IVolatilityOracle.Fault.Expired, 2, 1
            )
        );
        vm.expectPartialRevert(IVolatilityOracle.MarkUnusable.selector);
        _bid(alice, auctionId, ONE / 2);
    }

    function test_a_token_that_lies_or_takes_a_fee_sells_nothing() external {
        uint256 auctionId = _sale(id, ONE);
        quote.setFault(MockOddToken.Fault.ReturnsFalse);
        vm.expectPartialRevert(SafeERC20.SafeERC20FailedOperation.selector);
        _bid(alice, auctionId, ONE / 2);
        quote.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.expectRevert(
            abi.encodeWithSelector(IOptionAuction.TransferMismatch.selector, address(quote), 200e6, 200e6 - 1)
        );
        _bid(alice, auctionId, ONE / 2);
        quote.setFault(MockOddToken.Fault.None);
        assertEq(_bid(alice, auctionId, ONE / 2), 200e6);
    }

    function test_a_seller_without_longs_sells_nothing() external {
        vm.prank(mallory);
        uint256 auctionId = auction.sell(_order(id, 1e18));
        vm.warp(auction.auctionOf(auctionId).startAt);
        vm.expectRevert();
        _bid(alice, auctionId, ONE / 2);
    }

    /// Operators and approvals given to the auction are used for their own auctions only.
    function test_a_stranger_cannot_sell_what_others_approved() external {
        _sold(id, 2 * ONE);
        vm.prank(mallory);
        uint256 auctionId = auction.sell(_order(id, 1e18));
        vm.warp(auction.auctionOf(auctionId).startAt);
        uint256 before = book.balanceOf(alice, id);
        vm.expectRevert();
        _bid(carol, auctionId, ONE / 2);
        assertEq(book.balanceOf(alice, id), before);
    }

    function test_reentry_in_the_middle_of_a_payment_is_refused() external {
        uint256 auctionId = _sale(id, ONE);
        Reenterer reenterer = new Reenterer();
        quote.setHook(address(reenterer));
        bytes[5] memory calls = [
            abi.encodeCall(auction.bid, (auctionId, ONE / 4, type(uint256).max, alice)),
            abi.encodeCall(auction.offer, (auctionId, ONE / 4, 0, alice)),
            abi.encodeCall(auction.sell, (_order(id, 1e18))),
            abi.encodeCall(auction.close, (auctionId)),
            abi.encodeCall(auction.requireIdle, ())
        ];
        for (uint256 i; i < calls.length; ++i) {
            uint256 state = vm.snapshotState();
            reenterer.prepare(address(auction), calls[i]);
            _bid(alice, auctionId, ONE / 2);
            assertFalse(reenterer.succeeded());
            assertEq(
                reenterer.answer(),
                abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
            vm.revertToState(state);
        }
        // V-18: nor can the desk be read meanwhile.
        reenterer.prepare(address(desk), abi.encodeCall(desk.measure, (FORWARD)));
        _bid(alice, auctionId, ONE / 2);
        assertFalse(reenterer.succeeded(), "V-18");
        assertEq(
            reenterer.answer(),
            abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }
}

/// @notice Calls back with one prepared call and remembers how that ended.
contract Reenterer {
    address private _target;
    bytes private _call;
    bytes public answer;
    bool public succeeded;

    function prepare(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
        (succeeded, answer) = (false, "");
    }

    fallback() external {
        (succeeded, answer) = _target.call(_call);
    }
}
