// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {BookValue, IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {BlackScholes} from "../../contracts/libraries/BlackScholes.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @notice What the options sold are worth, before expiry and after, against a second way to compute it.
contract OptionMeasureTest is OptionVenueFixture {
    struct Mark {
        uint256 low;
        uint256 mid;
        uint256 high;
        int256 delta;
        int256 vega;
    }

    /// One option by the model, at the volatilities as read one by one.
    function _leg(bool isCall, uint256 spot, uint256 strike) private view returns (Mark memory mark) {
        (uint256 low, uint256 mid, uint256 high) = vols.volWad(strike, spot, expiry);
        uint256 time = expiry - block.timestamp;
        (uint256 call, uint256 put) = BlackScholes.price(spot, strike, time, low, 0);
        mark.low = isCall ? call : put;
        (call, put) = BlackScholes.price(spot, strike, time, high, 0);
        mark.high = isCall ? call : put;
        uint256 delta;
        uint256 vega;
        (call, put, delta, vega) = BlackScholes.priceDeltaVega(spot, strike, time, mid, 0);
        mark.mid = isCall ? call : put;
        mark.delta = isCall ? int256(delta) : int256(delta) - 1e18;
        mark.vega = int256(vega);
    }

    // ---------------------------------------------------------------- live

    function testFuzz_what_is_sold_is_a_liability_and_nothing_else(
        uint256 spot,
        uint256 soldPart,
        bool isCall
    ) external {
        spot = bound(spot, 500e18, 8000e18);
        uint256 strike = isCall ? K : 1800e18;
        uint256 id = _create(isCall, uint128(strike), 0);
        uint256 auctionId = _sale(id, 100 * ONE);
        uint256 sold = bound(soldPart, ONE, 50 * ONE);
        _bid(alice, auctionId, sold);
        Mark memory mark = _leg(isCall, spot, strike);
        BookValue memory value = desk.measure(spot);
        assertEq(value.liabilityLow, sold * mark.low / 1e30);
        assertEq(value.liabilityMid, Math.ceilDiv(sold * mark.mid, 1e30));
        assertEq(value.liabilityHigh, Math.ceilDiv(sold * mark.high, 1e30));
        assertEq(value.deltaBase, -int256(sold) * mark.delta / 1e18);
        assertEq(value.vegaAsset, Math.ceilDiv(sold * uint256(mark.vega), 1e30));
        assertEq(value.notionalBase, sold);
        assertEq(isCall ? value.collateralBase : value.collateralAsset, book.collateralUp(id, 100 * ONE));
        assertLe(value.deltaBase * (isCall ? int256(1) : -1), 0, "short call negative, short put positive");
        assertFalse(value.awaiting);
    }

    function testFuzz_a_spread_is_long_less_short(uint256 spot, bool isCall) external {
        spot = bound(spot, 500e18, 8000e18);
        (uint128 first, uint128 second) =
            isCall ? (K, uint128(2500e18)) : (uint128(1800e18), uint128(1500e18));
        _sold(_create(isCall, first, second), 10 * ONE);
        Mark memory near = _leg(isCall, spot, first);
        Mark memory far = _leg(isCall, spot, second);
        BookValue memory value = desk.measure(spot);
        uint256 width = isCall ? second - first : first - second;
        uint256 low = Math.min(Math.saturatingSub(near.low, far.low), width);
        uint256 mid = Math.min(Math.saturatingSub(near.mid, far.mid), width);
        uint256 high = Math.min(Math.saturatingSub(near.high, far.high), width);
        assertEq(value.liabilityLow, 10 * ONE * Math.min(low, Math.min(mid, high)) / 1e30);
        assertEq(value.liabilityMid, Math.ceilDiv(10 * ONE * mid, 1e30));
        assertEq(value.liabilityHigh, Math.ceilDiv(10 * ONE * Math.max(low, Math.max(mid, high)), 1e30));
        assertEq(value.deltaBase, -int256(10 * ONE) * (near.delta - far.delta) / 1e18);
        int256 vega = near.vega - far.vega;
        assertEq(value.vegaAsset, Math.ceilDiv(10 * ONE * uint256(vega < 0 ? -vega : vega), 1e30));
        assertLe(value.liabilityLow, value.liabilityMid);
        assertLe(value.liabilityMid, value.liabilityHigh);
        assertLe(value.liabilityHigh, 10 * width / 1e12 + 1, "no more than it can pay");
    }

    /// A book is the sum of its series, in whatever order they came and went.
    function testFuzz_a_book_is_the_sum_of_its_series(uint256 spot, uint256 gone) external {
        spot = bound(spot, 1000e18, 4000e18);
        uint256[5] memory ids = [
            _create(true, K, 0),
            _create(false, 1800e18, 0),
            _create(true, 2100e18, 2400e18),
            _create(false, 1900e18, 1700e18),
            _create(true, 2300e18, 0)
        ];
        for (uint256 i; i < 5; ++i) {
            _sold(ids[i], (i + 1) * ONE);
        }
        uint256 auctionId = _purchase(ids[gone % 5], (gone % 5 + 1) * ONE, 1e30, _cash(10_000));
        _offer(alice, auctionId, (gone % 5 + 1) * ONE / 2);
        _offer(bob, auctionId, (gone % 5 + 1) * ONE / 2);
        assertEq(desk.openSeries().length, 4);
        BookValue memory value = desk.measure(spot);
        IOptionDesk.Position[] memory list = desk.positions(spot);
        assertEq(list.length, 4);
        uint256[5] memory sums;
        int256 delta;
        for (uint256 i; i < 4; ++i) {
            assertEq(list[i].written, book.writtenOf(list[i].id, address(desk)));
            assertEq(abi.encode(list[i].series), abi.encode(book.seriesOf(list[i].id)));
            sums[0] += list[i].markLow;
            sums[1] += list[i].markMid;
            sums[2] += list[i].markHigh;
            sums[3] += list[i].sold;
            sums[4] += uint256(list[i].vegaAsset < 0 ? -list[i].vegaAsset : list[i].vegaAsset);
            delta += list[i].deltaBase;
        }
        assertApproxEqAbs(value.liabilityLow, sums[0], 4);
        assertApproxEqAbs(value.liabilityMid, sums[1], 4);
        assertApproxEqAbs(value.liabilityHigh, sums[2], 4);
        assertEq(value.notionalBase, sums[3]);
        assertApproxEqAbs(value.vegaAsset, sums[4], 4);
        assertApproxEqAbs(value.deltaBase, delta, 4);
        assertTrue(desk.matchesBook());
        uint256 written; // by the book's own word, series by series: none is missing and none is left over
        for (uint256 i; i < 5; ++i) {
            written += book.writtenOf(ids[i], address(desk));
        }
        assertEq(value.notionalBase, written);
    }

    /// The cheaper measure is the same but for the range.
    function testFuzz_the_mid_alone_is_the_mid_of_the_measure(uint256 spot, bool expired) external {
        spot = bound(spot, 1000e18, 4000e18);
        _sold(_create(true, K, 0), 3 * ONE);
        _sold(_create(false, 1900e18, 1700e18), 5 * ONE);
        uint256 auctionId = vault.buyBack(desk.openSeries()[0], ONE, 1e18, _cash(10));
        assertGt(auctionId, 0);
        if (expired) vm.warp(expiry);
        BookValue memory value = desk.measure(spot);
        BookValue memory mid = desk.measureMid(spot);
        if (!expired) {
            assertApproxEqAbs(mid.liabilityLow, value.liabilityMid, 1);
            assertEq(mid.liabilityHigh, value.liabilityMid);
            (mid.liabilityLow, mid.liabilityHigh) = (value.liabilityLow, value.liabilityHigh);
        }
        assertEq(abi.encode(mid), abi.encode(value));
    }

    /// What a cap is asked before a sale is what will be there after it; only what is owed waits for the sale.
    function testFuzz_caps_are_asked_for_what_is_written(uint256 spot, uint256 amount, bool isCall) external {
        spot = bound(spot, 1000e18, 4000e18);
        amount = bound(amount, 2, 100 * ONE) / 2 * 2;
        uint256 id = _create(isCall, isCall ? K : uint128(1900e18), 0);
        uint256 auctionId = _sale(id, amount);
        assertEq(desk.measure(spot).notionalBase, 0);
        BookValue memory before = desk.measureMid(spot);
        assertEq(before.notionalBase, amount);
        assertEq(before.liabilityMid, 0);
        assertEq(before.deltaBase, 0);
        _bid(alice, auctionId, amount / 2);
        assertEq(desk.measureMid(spot).notionalBase, amount);
        assertEq(desk.measureMid(spot).vegaAsset, before.vegaAsset);
        _bid(bob, auctionId, amount / 2);
        BookValue memory sold = desk.measureMid(spot);
        assertEq(sold.notionalBase, before.notionalBase);
        assertEq(sold.vegaAsset, before.vegaAsset);
        assertEq(sold.liabilityMid, desk.measure(spot).liabilityMid);
    }

    /// Tests are one transaction: whatever changes the desk is counted, and nothing else is.
    function test_every_change_is_counted() external {
        uint256 id = _call();
        uint256 before = desk.changes();
        uint256 auctionId = _sale(id, 10 * ONE);
        assertEq(desk.changes(), before + 1, "write");
        _bid(alice, auctionId, ONE);
        assertEq(desk.changes(), before + 2, "fill");
        vault.cancel(auctionId);
        assertEq(desk.changes(), before + 3, "cancel");
        vault.buyBack(id, ONE, 1e18, 1);
        assertEq(desk.changes(), before + 4, "buyBack");
        desk.measure(FORWARD);
        vm.warp(expiry);
        settlement.set(ISettlementOracle.Status.Settled, FORWARD);
        assertEq(desk.changes(), before + 4, "reading, time");
        desk.collect(id);
        assertEq(desk.changes(), before + 5, "collect");
    }

    /// Delta is how value moves with spot, gamma how delta does.
    function testFuzz_greeks_are_slopes(uint256 spot, bool isCall) external {
        spot = bound(spot, 1500e18, 3000e18);
        _sold(_create(isCall, isCall ? K : uint128(1800e18), 0), 1000 * ONE);
        uint256 step = 1e17;
        // At the volatility of one spot: the smile moves with the forward, the model's delta does not.
        (uint256 low, uint256 mid, uint256 high) = vols.volWad(isCall ? K : 1800e18, spot, expiry);
        vm.mockCall(
            address(vols),
            abi.encodePacked(vols.volsWad.selector),
            abi.encode(_one(low), _one(mid), _one(high))
        );
        IVolatilityOracle.Reading memory reading = vols.read(isCall ? K : 1800e18, spot, expiry);
        vm.mockCall(address(vols), abi.encodePacked(vols.read.selector), abi.encode(reading));
        int256 slope =
            (int256(desk.measure(spot - step).liabilityMid) - int256(desk.measure(spot + step).liabilityMid))
                * 1e30 / int256(2 * step);
        assertApproxEqAbs(desk.measure(spot).deltaBase, slope, 0.01e18);
        int256 curve = (desk.measure(spot + step).deltaBase - desk.measure(spot - step).deltaBase) * 1e18
            / int256(2 * step);
        IOptionDesk.Position memory position = desk.positions(spot)[0];
        assertApproxEqAbs(position.gammaBase, curve, 1e13);
        assertLe(position.gammaBase, 0, "short options are short gamma");
        assertLt(position.vegaAsset, 0, "and short volatility");
    }

    function _one(uint256 value) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    // ---------------------------------------------------------------- volatility

    function test_volatility_is_not_read_while_nothing_is_sold() external {
        uint256 id = _call();
        vault.write(id, ONE, START);
        vm.warp(block.timestamp + 3 days); // marks are too old
        BookValue memory value = _measure();
        assertEq(value.liabilityHigh, 0);
        assertEq(value.openSeries, 1);
        assertEq(value.collateralBase, ONE);
    }

    function test_a_book_with_options_sold_is_not_measured_without_volatility() external {
        _sold(_call(), ONE);
        vm.warp(block.timestamp + 3 days);
        vm.expectPartialRevert(IVolatilityOracle.MarkUnusable.selector);
        desk.measure(FORWARD);
        IOptionDesk.Position[] memory list = desk.positions(FORWARD);
        assertEq(uint8(list[0].fault), uint8(IVolatilityOracle.Fault.FloorUnknown), "a field for the lens");
        assertEq(list[0].markHigh, 0);
        assertEq(list[0].sold, ONE);
    }

    // ---------------------------------------------------------------- expired

    /// While nobody knows the price anything from nothing to all is possible.
    function testFuzz_an_unsettled_series_is_worth_anything_it_may_pay(uint256 spot, bool isCall) external {
        spot = bound(spot, 1e18, 20_000e18);
        uint128 strike = isCall ? K : 1800e18;
        uint256 id = _create(isCall, strike, 0);
        _sold(id, 10 * ONE);
        vm.warp(expiry);
        BookValue memory value = desk.measure(spot);
        assertTrue(value.awaiting);
        assertEq(value.liabilityLow, 0);
        uint256 payoff = book.payoffDown(id, 10 * ONE, spot);
        uint256 most = book.collateralUp(id, 10 * ONE);
        assertEq(value.liabilityMid, isCall ? Math.mulDiv(payoff, spot, 1e30, Math.Rounding.Ceil) : payoff);
        assertEq(value.liabilityHigh, isCall ? Math.mulDiv(most, spot, 1e30, Math.Rounding.Ceil) : most);
        assertEq(value.deltaBase, isCall ? -int256(payoff) : int256(0));
        assertEq(value.vegaAsset, 0);
        assertEq(value.notionalBase, 10 * ONE);
    }

    /// V-09 in NAV's terms: what is measured after the price is known is what is left after collecting, within two
    /// units a mark.
    function testFuzz_a_settled_series_is_worth_what_it_pays(
        uint256 price,
        uint256 unsold,
        bool isCall,
        bool bookKnows,
        bool void
    ) external {
        uint256 id = _create(isCall, isCall ? K : uint128(1800e18), 0);
        _sold(id, 10 * ONE + 7);
        vault.write(id, bound(unsold, 1, 10 * ONE), START);
        vm.warp(expiry);
        price = bound(price, 1, 20_000e18);
        settlement.set(
            void ? ISettlementOracle.Status.Void : ISettlementOracle.Status.Settled, void ? 0 : price
        );
        if (bookKnows) book.settle(id);
        BookValue memory value = desk.measure(FORWARD);
        IOptionDesk.Position memory position = desk.positions(FORWARD)[0];
        assertEq(position.markLow, value.liabilityLow);
        assertEq(position.markHigh, value.liabilityHigh);
        assertEq(position.deltaBase, value.deltaBase);
        uint256 before = (isCall ? base : quote).balanceOf(address(vault));
        desk.collect(id);
        uint256 got = (isCall ? base : quote).balanceOf(address(vault)) - before;
        uint256 collateral = isCall ? value.collateralBase : value.collateralAsset;
        uint256 borne = collateral - got;
        if (isCall) {
            assertGe(uint256(-value.deltaBase), borne, "high is at least what is borne");
            assertLe(uint256(-value.deltaBase), borne + 3);
            assertGe(value.liabilityHigh * 1e30, borne * FORWARD);
        } else {
            assertGe(value.liabilityHigh, borne);
            assertLe(value.liabilityHigh, borne + 3);
        }
        assertLe(value.liabilityLow, value.liabilityMid);
    }

    function test_a_series_of_which_nothing_is_sold_awaits_without_a_liability() external {
        vault.write(_call(), ONE, START);
        vm.warp(expiry);
        BookValue memory value = _measure();
        assertTrue(value.awaiting);
        assertEq(value.liabilityHigh, 0);
        assertEq(value.notionalBase, 0);
    }

    /// Expired and live series stand side by side.
    function test_an_expired_series_does_not_hide_a_live_one() external {
        uint256 near = _call();
        _sold(near, ONE);
        expiry = uint64(expiry + 20 days);
        _sold(_create(true, 2300e18, 0), ONE);
        vm.warp(expiry - 19 days);
        for (uint256 i; i < 50; ++i) {
            _toSlot(1);
            vols.observe();
        }
        _refresh();
        Mark memory mark = _leg(true, FORWARD, 2300e18);
        BookValue memory value = _measure();
        assertTrue(value.awaiting);
        assertEq(value.liabilityLow, mark.low / 1e12);
        assertEq(value.liabilityHigh, Math.ceilDiv(mark.high, 1e12) + FORWARD / 1e12);
        assertEq(value.openSeries, 2);
    }
}
