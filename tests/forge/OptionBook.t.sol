// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IERC6909, IERC6909TokenSupply} from "@openzeppelin/contracts/interfaces/IERC6909.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {OptionFixture} from "./OptionFixture.sol";

/// @notice Re-enters the book with one prepared call and remembers how that ended.
contract Reenterer {
    address private immutable _book;
    bytes private _call;
    bytes public answer;
    bool public succeeded;

    constructor(address book_) {
        _book = book_;
    }

    function prepare(bytes calldata call_) external {
        _call = call_;
    }

    fallback() external {
        (succeeded, answer) = _book.call(_call);
    }
}

/// @notice One test or more for each branch of each entry of the book.
contract OptionBookTest is OptionFixture {
    uint128 private constant K = 2000e18;

    // ---------------------------------------------------------------- create

    function testFuzz_a_series_is_its_terms(bool isCall, uint128 strike, uint128 second) external {
        IOptionBook.Series memory series = _series(isCall, strike, second);
        bool valid = strike != 0 && (second == 0 || (isCall ? second > strike : second < strike));
        if (!valid) {
            vm.expectRevert(abi.encodeWithSelector(IOptionBook.StrikesInvalid.selector, strike, second));
            book.create(series);
            return;
        }
        uint256 id = book.create(series);
        assertEq(id, uint256(keccak256(abi.encode(series))));
        assertEq(book.idOf(series), id, "known before it is created");
        assertEq(abi.encode(book.seriesOf(id)), abi.encode(series));
        assertEq(book.collateralToken(id), isCall ? address(base) : address(quote));
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.SeriesExists.selector, id));
        book.create(series);
    }

    function test_an_oracle_of_other_tokens_or_decimals_is_refused() external {
        IOptionBook.Series memory series = _series(true, K, 0);
        series.quote = address(base);
        vm.expectPartialRevert(IOptionBook.OracleMismatch.selector);
        book.create(series);
        MockOddToken six = base;
        _market(18, 6);
        series = _series(true, K, 0);
        series.base = address(six);
        vm.expectPartialRevert(IOptionBook.OracleMismatch.selector);
        book.create(series);
    }

    /// 2025, $2.7M: 18 and 8 decimals mixed. The oracle's decimals must be the tokens', and are pinned with the series.
    function testFuzz_replay_mixed_decimals_are_refused(uint8 token, uint8 pinned) external {
        vm.assume(token != pinned);
        vm.mockCall(address(oracle), abi.encodeWithSignature("baseDecimals()"), abi.encode(pinned));
        vm.mockCall(address(base), abi.encodeWithSignature("decimals()"), abi.encode(token));
        vm.expectRevert(
            abi.encodeWithSelector(IOptionBook.DecimalsMismatch.selector, address(base), token, pinned)
        );
        book.create(_series(true, K, 0));
    }

    function testFuzz_nothing_is_created_or_written_from_expiry_on(uint256 late) external {
        uint256 id = _create(true, K, 0);
        IOptionBook.Series memory series = _series(false, K, 0);
        vm.warp(EXPIRY + bound(late, 0, 1000 days));
        vm.expectPartialRevert(IOptionBook.SeriesExpired.selector);
        book.create(series);
        vm.prank(writer);
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.SeriesExpired.selector, id, EXPIRY));
        book.write(id, 1, holder);
    }

    // ---------------------------------------------------------------- write and buy back

    function testFuzz_collateral_is_the_greatest_payoff(uint256 amount) external {
        amount = bound(amount, 1, 1e30);
        assertEq(_write(writer, _create(true, K, 0), amount), amount); // call: the underlying
        assertEq(_write(writer, _create(false, K, 0), amount), Math.ceilDiv(amount * 2000e6, 1e18)); // put: the strike
        uint256 spread = _write(writer, _create(true, K, 2500e18), amount);
        assertEq(spread, Math.ceilDiv(amount * 500, 2500)); // (K2 - K1) / K2 of the underlying
        spread = _write(writer, _create(false, K, 1500e18), amount);
        assertEq(spread, Math.ceilDiv(amount * 500e6, 1e18)); // K1 - K2
    }

    function testFuzz_writing_in_parts_takes_as_much_as_at_once(uint96 a, uint96 b, uint128 strike) external {
        vm.assume(a != 0 && b != 0 && strike != 0);
        uint256 id = _create(false, strike, 0);
        uint256 parts = _write(writer, id, a) + _write(writer, id, b);
        assertEq(parts, _write(other, id, uint256(a) + b));
        assertEq(book.stateOf(id).collateral, 2 * parts);
    }

    function testFuzz_buying_back_returns_what_was_taken(uint96 amount, uint96 part, uint128 strike)
        external
    {
        amount = uint96(bound(amount, 2, type(uint96).max));
        part = uint96(bound(part, 1, amount - 1));
        vm.assume(strike != 0);
        uint256 id = _create(false, strike, 0);
        uint256 before = quote.balanceOf(writer);
        vm.startPrank(writer);
        book.write(id, amount, writer);
        book.buyBack(id, part, writer);
        assertEq(book.stateOf(id).collateral, book.collateralUp(id, amount - part));
        vm.warp(EXPIRY + 1 days); // still possible until settled
        book.buyBack(id, amount - part, writer);
        assertEq(quote.balanceOf(writer), before);
        assertEq(book.totalSupply(id), 0);
    }

    function test_only_a_writer_with_longs_buys_back() external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 10);
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.WrittenTooLittle.selector, id, holder, 0, 1));
        book.buyBack(id, 1, holder);
        vm.prank(writer);
        vm.expectPartialRevert(
            bytes4(keccak256("ERC6909InsufficientBalance(address,uint256,uint256,uint256)"))
        );
        book.buyBack(id, 1, writer);
    }

    function test_zero_amounts_and_useless_receivers_are_refused() external {
        uint256 id = _create(true, K, 0);
        vm.startPrank(writer);
        vm.expectRevert(IOptionBook.ZeroAmount.selector);
        book.write(id, 0, writer);
        book.write(id, 10, writer);
        vm.expectRevert(IOptionBook.ZeroAmount.selector);
        book.buyBack(id, 0, writer);
        address[2] memory nobodies = [address(0), address(book)];
        for (uint256 i; i < 2; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IOptionBook.InvalidReceiver.selector, nobodies[i]);
            vm.expectRevert(refusal);
            book.write(id, 1, nobodies[i]);
            vm.expectRevert(refusal);
            book.buyBack(id, 1, nobodies[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.InvalidReceiver.selector, address(book)));
        book.transfer(address(book), id, 1);
        _settleAt(id, 1e18);
        for (uint256 i; i < 2; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IOptionBook.InvalidReceiver.selector, nobodies[i]);
            vm.expectRevert(refusal);
            book.redeem(id, 1, nobodies[i]);
            vm.expectRevert(refusal);
            book.reclaim(id, nobodies[i]);
        }
        vm.expectRevert(IOptionBook.ZeroAmount.selector);
        book.redeem(id, 0, writer);
    }

    function testFuzz_amounts_beyond_128_bits_are_refused(uint256 amount) external {
        amount = bound(amount, uint256(type(uint128).max) + 1, type(uint192).max);
        uint256 id = _create(false, 1, 0); // a put that needs next to no collateral
        vm.prank(writer);
        vm.expectRevert();
        book.write(id, amount, writer);
    }

    // ---------------------------------------------------------------- settle

    function testFuzz_only_a_final_outcome_after_expiry_settles(uint8 raw, uint256 price, uint256 time)
        external
    {
        uint256 id = _create(true, K, 0);
        ISettlementOracle.Status status = ISettlementOracle.Status(bound(raw, 0, 3));
        price = bound(price, 0, type(uint128).max);
        time = bound(time, EXPIRY - 1 days, EXPIRY + 1 days);
        vm.warp(time);
        oracle.set(status, price);
        bool final_ = status == ISettlementOracle.Status.Void
            || (status == ISettlementOracle.Status.Settled && price != 0);
        if (time < EXPIRY || !final_) {
            vm.expectRevert(abi.encodeWithSelector(IOptionBook.NotSettleable.selector, id, status));
            book.settle(id);
            return;
        }
        book.settle(id);
        vm.expectPartialRevert(IOptionBook.WrongStatus.selector);
        book.settle(id);
    }

    function testFuzz_a_settled_series_ignores_its_oracle_and_takes_no_more_writing(uint256 later) external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 10e18);
        uint256 payoff = _settleAt(id, 2500e18);
        assertEq(payoff, 2e18);
        oracle.set(ISettlementOracle.Status.Settled, later);
        vm.startPrank(writer);
        vm.expectPartialRevert(IOptionBook.WrongStatus.selector);
        book.write(id, 1, writer);
        vm.expectPartialRevert(IOptionBook.WrongStatus.selector);
        book.buyBack(id, 1, writer);
        vm.stopPrank();
        assertEq(_redeemAll(id), 2e18);
        assertEq(book.stateOf(id).priceWad, 2500e18);
    }

    function test_an_unknown_series_does_nothing() external {
        bytes memory refusal =
            abi.encodeWithSelector(IOptionBook.WrongStatus.selector, 7, IOptionBook.Status.Unknown);
        vm.expectRevert(refusal);
        book.write(7, 1, holder);
        vm.expectRevert(refusal);
        book.buyBack(7, 1, holder);
        vm.expectRevert(refusal);
        book.settle(7);
        vm.expectRevert(refusal);
        book.redeem(7, 1, holder);
        vm.expectRevert(refusal);
        book.redeemFor(7, holder);
        vm.expectRevert(refusal);
        book.reclaim(7, holder);
    }

    // ---------------------------------------------------------------- payoffs

    function test_payoffs_by_hand() external {
        uint256 call = _create(true, K, 0);
        uint256 put = _create(false, K, 0);
        uint256 callSpread = _create(true, K, 2500e18);
        uint256 putSpread = _create(false, K, 1500e18);
        assertEq(book.payoffDown(call, 1e18, 2000e18), 0);
        assertEq(book.payoffDown(call, 1e18, 2500e18), 0.2e18);
        assertEq(book.payoffDown(call, 1e18, 4000e18), 0.5e18);
        assertEq(book.payoffDown(put, 1e18, 2000e18), 0);
        assertEq(book.payoffDown(put, 1e18, 500e18), 1500e6);
        assertEq(book.payoffDown(callSpread, 1e18, 2500e18), 0.2e18);
        assertEq(book.payoffDown(callSpread, 1e18, 5000e18), 0.1e18); // 500 dollars at 5000
        assertEq(book.payoffDown(putSpread, 1e18, 1700e18), 300e6);
        assertEq(book.payoffDown(putSpread, 1e18, 1e18), 500e6);
    }

    function testFuzz_no_price_pays_more_than_the_collateral(
        bool isCall,
        uint128 strike,
        uint128 second,
        uint128 amount,
        uint128 price
    ) external {
        strike = uint128(bound(strike, 2, type(uint128).max - 1));
        if (second != 0) {
            second = uint128(
                isCall ? bound(second, uint256(strike) + 1, type(uint128).max) : bound(second, 1, strike - 1)
            );
        }
        price = uint128(bound(price, 1, type(uint128).max));
        uint256 id = _create(isCall, strike, second);
        assertLe(book.payoffDown(id, amount, price), book.collateralUp(id, amount));
    }

    function testFuzz_a_spread_is_the_difference_of_two_options(bool isCall, uint256 price, uint256 width)
        external
    {
        price = bound(price, 1e18, 10_000e18);
        width = bound(width, 1e18, 1900e18);
        uint128 second = uint128(isCall ? K + width : K - width);
        uint256 spread = book.payoffDown(_create(isCall, K, second), 1e24, price);
        uint256 bought = book.payoffDown(_create(isCall, K, 0), 1e24, price);
        uint256 sold = book.payoffDown(_create(isCall, second, 0), 1e24, price);
        assertApproxEqAbs(spread, bought - sold, 1);
    }

    function testFuzz_void_splits_the_greatest_payoff(bool isCall, uint96 amount) external {
        amount = uint96(bound(amount, 2, type(uint96).max));
        uint256 id = _create(isCall, K, 0);
        uint256 collateral = _write(writer, id, amount);
        vm.warp(EXPIRY + 30 days);
        oracle.set(ISettlementOracle.Status.Void, 0);
        book.settle(id);
        uint256 payoff = _redeemAll(id);
        assertApproxEqAbs(payoff, collateral / 2, 1);
        assertEq(payoff + _reclaim(writer, id), collateral);
    }

    // ---------------------------------------------------------------- redeem and reclaim

    function testFuzz_redeem_for_pays_the_holder_and_nobody_else(address anyone, uint256 price) external {
        vm.assume(anyone != address(book) && anyone != holder && anyone != writer);
        uint256 id = _create(false, K, 0);
        _write(writer, id, 3e18);
        uint256 due = _settleAt(id, bound(price, 1, 1999e18));
        uint256 before = quote.balanceOf(anyone);
        vm.prank(anyone);
        assertEq(book.redeemFor(id, holder), due);
        assertEq(quote.balanceOf(holder), due);
        assertEq(quote.balanceOf(anyone), before);
    }

    /// 2020, $371k: options were exercised twice.
    function testFuzz_replay_nothing_is_redeemed_or_reclaimed_twice(uint96 amount, uint256 price) external {
        vm.assume(amount != 0);
        uint256 id = _create(true, K, 0);
        _write(writer, id, amount);
        _write(other, id, 5e18); // somebody else's collateral to be had
        _settleAt(id, bound(price, 1, 1e24));
        _redeemAll(id);
        vm.startPrank(holder);
        vm.expectPartialRevert(
            bytes4(keccak256("ERC6909InsufficientBalance(address,uint256,uint256,uint256)"))
        );
        book.redeem(id, 1, holder);
        vm.expectRevert(IOptionBook.ZeroAmount.selector);
        book.redeemFor(id, holder);
        vm.stopPrank();
        _reclaim(writer, id);
        vm.prank(writer);
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.NothingWritten.selector, id, writer));
        book.reclaim(id, writer);
    }

    function test_before_settlement_nothing_is_redeemed_or_reclaimed() external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 1e18);
        vm.warp(EXPIRY + 1);
        vm.prank(holder);
        vm.expectPartialRevert(IOptionBook.WrongStatus.selector);
        book.redeem(id, 1e18, holder);
        vm.prank(writer);
        vm.expectPartialRevert(IOptionBook.WrongStatus.selector);
        book.reclaim(id, writer);
    }

    function test_it_is_an_erc6909() external view {
        assertTrue(book.supportsInterface(type(IERC6909).interfaceId));
        assertTrue(book.supportsInterface(type(IERC6909TokenSupply).interfaceId));
    }

    // ---------------------------------------------------------------- tokens

    function testFuzz_a_token_that_delivers_less_is_refused(uint96 amount) external {
        vm.assume(amount != 0);
        uint256 id = _create(true, K, 0);
        base.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.prank(writer);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOptionBook.TransferMismatch.selector, address(base), amount, uint256(amount) - 1
            )
        );
        book.write(id, amount, writer);
    }

    function test_a_token_that_takes_more_on_the_way_out_is_refused() external {
        uint256 id = _create(true, K, 0);
        uint256 second = _create(true, K + 1, 0);
        _write(writer, id, 1e18);
        _write(other, second, 1e18);
        _settleAt(id, 1);
        base.setFault(MockOddToken.Fault.TakesFromSender);
        vm.prank(writer);
        vm.expectRevert(
            abi.encodeWithSelector(IOptionBook.TransferMismatch.selector, address(base), 1e18, 1e18 + 1)
        );
        book.reclaim(id, writer);
    }

    function test_a_token_that_returns_false_or_refuses_loses_nobody_anything() external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 1e18);
        _settleAt(id, 4000e18);
        for (uint8 fault = 3; fault <= 4; ++fault) {
            base.setFault(MockOddToken.Fault(fault));
            vm.prank(holder);
            vm.expectRevert();
            book.redeem(id, 1e18, holder);
            vm.prank(writer);
            vm.expectRevert();
            book.reclaim(id, writer);
        }
        base.setFault(MockOddToken.Fault.None);
        assertEq(_redeemAll(id) + _reclaim(writer, id), 1e18);
    }

    function testFuzz_no_entry_can_be_entered_from_a_transfer(uint8 which) external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 2e18);
        Reenterer reenterer = new Reenterer(address(book));
        bytes[7] memory calls = [
            abi.encodeCall(book.write, (id, 1, holder)),
            abi.encodeCall(book.buyBack, (id, 1, holder)),
            abi.encodeCall(book.settle, (id)),
            abi.encodeCall(book.redeem, (id, 1, holder)),
            abi.encodeCall(book.redeemFor, (id, holder)),
            abi.encodeCall(book.reclaim, (id, holder)),
            abi.encodeCall(book.stateOf, (id)) // V-18
        ];
        reenterer.prepare(calls[which % 7]);
        base.setHook(address(reenterer));
        _write(writer, id, 1e18);
        assertFalse(reenterer.succeeded());
        assertEq(bytes4(reenterer.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        base.setHook(address(0));
        _settleAt(id, 4000e18);
        base.setHook(address(reenterer));
        _redeemAll(id);
        assertFalse(reenterer.succeeded());
        _reclaim(writer, id);
        assertFalse(reenterer.succeeded());
    }
}
