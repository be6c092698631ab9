// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";
import {OptionFixture} from "./OptionFixture.sol";

/// @notice What the book keeps of a series is what happened to it, number by number.
contract OptionBookStateTest is OptionFixture {
    uint128 private constant K = 2000e18;

    function testFuzz_written_left_is_the_supply_and_what_the_writers_still_owe(uint256[8] memory steps)
        external
    {
        uint256 id = _create(false, K, 0);
        uint256 left;
        uint256[2] memory owed;
        address[2] memory writers = [writer, other];
        for (uint256 i; i < steps.length; ++i) {
            uint256 by = steps[i] % 2;
            uint256 amount = bound(steps[i] / 4, 1, 1e24);
            bool back = steps[i] & 2 != 0 && owed[by] != 0;
            vm.startPrank(writers[by]);
            if (back) {
                amount = bound(amount, 1, owed[by]);
                book.buyBack(id, amount, writers[by]);
            } else {
                book.write(id, amount, writers[by]);
            }
            vm.stopPrank();
            owed[by] = back ? owed[by] - amount : owed[by] + amount;
            left = owed[0] + owed[1];
            _checkOpen(id, left, owed);
        }
    }

    function _checkOpen(uint256 id, uint256 left, uint256[2] memory owed) private view {
        IOptionBook.State memory state = book.stateOf(id);
        assertEq(state.writtenLeft, left, "written left");
        assertEq(book.totalSupply(id), left, "supply");
        assertEq(book.writtenOf(id, writer), owed[0]);
        assertEq(book.writtenOf(id, other), owed[1]);
        assertEq(state.collateral, quote.balanceOf(address(book)), "collateral");
        assertEq(state.collateral, book.collateralUp(id, owed[0]) + book.collateralUp(id, owed[1]));
        assertEq(state.payoffLeft + state.burdenLeft + state.priceWad, 0);
    }

    /// Who buys back before the expiry leaves the others' burden as it was.
    function testFuzz_a_buy_back_changes_no_other_writers_burden(uint96 kept, uint96 bought) external {
        kept = uint96(bound(kept, 1, 1e27));
        bought = uint96(bound(bought, 1, 1e27));
        uint256 id = _create(true, K, 0);
        uint256 collateral = _write(writer, id, kept);
        vm.startPrank(other);
        book.write(id, bought, other);
        book.buyBack(id, bought, other);
        vm.stopPrank();
        uint256 payoff = _settleAt(id, 2500e18);
        assertEq(_reclaim(writer, id), collateral - payoff);
        assertEq(book.stateOf(id).writtenLeft, 0);
        assertEq(book.stateOf(id).burdenLeft, 0);
    }

    function test_a_void_series_has_no_price() external {
        uint256 id = _create(true, K, 0);
        _write(writer, id, 10);
        vm.warp(EXPIRY);
        oracle.set(ISettlementOracle.Status.Void, 0);
        book.settle(id);
        assertEq(book.stateOf(id).priceWad, 0);
        assertEq(uint8(book.stateOf(id).status), uint8(IOptionBook.Status.Void));
        assertEq(book.stateOf(id).payoffLeft, 5);
        assertEq(book.stateOf(id).burdenLeft, 5);
    }

    function testFuzz_two_equal_strikes_are_no_spread(bool isCall, uint128 strike) external {
        vm.assume(strike != 0);
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.StrikesInvalid.selector, strike, strike));
        book.create(_series(isCall, strike, strike));
    }

    /// Each of the three ways in which an oracle can be another pair's, by itself.
    function test_an_oracle_of_another_base_or_quote_or_of_one_token_twice_is_refused() external {
        address stranger = makeAddr("stranger");
        _refused(address(base), address(quote), stranger, address(quote));
        _refused(address(base), address(quote), address(base), stranger);
        _refused(address(base), address(base), address(base), address(base));
    }

    function _refused(address base_, address quote_, address itsBase, address itsQuote) private {
        MockSettlementOracle its = new MockSettlementOracle(itsBase, itsQuote, 18, base_ == quote_ ? 18 : 6);
        IOptionBook.Series memory series = _series(true, K, 0);
        (series.base, series.quote, series.oracle) = (base_, quote_, ISettlementOracle(address(its)));
        vm.expectRevert(
            abi.encodeWithSelector(IOptionBook.OracleMismatch.selector, address(its), itsBase, itsQuote)
        );
        book.create(series);
    }

    /// More than 18 decimals are refused, however much token and oracle agree; 18 are not.
    function testFuzz_at_most_18_decimals(uint8 decimals, bool ofBase) external {
        decimals = uint8(bound(decimals, 17, 21));
        if (ofBase) _market(decimals, 6);
        else _market(6, decimals);
        address token = address(ofBase ? base : quote);
        if (decimals > 18) {
            vm.expectRevert(
                abi.encodeWithSelector(IOptionBook.DecimalsMismatch.selector, token, decimals, decimals)
            );
        }
        book.create(_series(true, K, 0));
    }
}
