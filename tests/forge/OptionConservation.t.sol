// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {OptionFixture} from "./OptionFixture.sol";

/// @notice V-09 over whole lives of a series: tokens of 6, 8 and 18 decimals, several writers, any cutting of the redemptions.
contract OptionConservationTest is OptionFixture {
    struct Case {
        bool isCall;
        uint256 strike;
        uint256 second;
        uint256 price;
        uint256 a;
        uint256 b;
    }

    function _bounded(Case memory c, uint8 baseDecimals) private pure returns (Case memory) {
        c.strike = bound(c.strike, 2, 1e30);
        if (c.second != 0) {
            c.second = c.isCall ? bound(c.second, c.strike + 1, 2e30) : bound(c.second, 1, c.strike - 1);
        }
        c.price = bound(c.price, 1, 1e31);
        c.a = bound(c.a, 1, 10 ** (7 + uint256(baseDecimals))); // ten million whole options
        c.b = bound(c.b, 1, 10 ** (7 + uint256(baseDecimals)));
        return c;
    }

    /// @dev What went in comes out: to the holder in cuts, to two writers, with nothing left in the book.
    function _lives(Case memory c, uint8 baseDecimals, uint8 quoteDecimals, uint256 cuts) private {
        c = _bounded(c, baseDecimals);
        _market(baseDecimals, quoteDecimals);
        uint256 id = _create(c.isCall, uint128(c.strike), uint128(c.second));
        uint256 paidIn = _write(writer, id, c.a) + _write(other, id, c.b);
        assertEq(book.stateOf(id).collateral, paidIn);
        uint256 payoff = _settleAt(id, c.price);
        assertEq(payoff, book.payoffDown(id, c.a + c.b, c.price));

        uint256 early = _reclaim(writer, id);
        uint256 burden = Math.mulDiv(payoff, c.a, c.a + c.b, Math.Rounding.Ceil);
        assertEq(early, book.collateralUp(id, c.a) - burden, "a writer's burden is rounded up");
        assertEq(_redeemInCuts(id, cuts, c.price), payoff, "payoffs");
        uint256 late = _reclaim(other, id);
        assertEq(payoff + early + late, paidIn, "payoffs + reclaims = collateral");
        assertEq(book.stateOf(id).collateral, 0);
        assertEq(base.balanceOf(address(book)) + quote.balanceOf(address(book)), 0);
        assertEq(book.totalSupply(id), 0);
    }

    function _redeemInCuts(uint256 id, uint256 cuts, uint256 price) private returns (uint256 out) {
        for (uint256 i; i < cuts % 6; ++i) {
            uint256 amount = bound(uint256(keccak256(abi.encode(cuts, i))), 0, book.balanceOf(holder, id));
            if (amount == 0) continue;
            vm.prank(holder);
            uint256 part = book.redeem(id, amount, holder);
            assertLe(part, book.payoffDown(id, amount, price) + 6, "above the fair share by more than dust");
            out += part;
        }
        if (book.balanceOf(holder, id) != 0) out += _redeemAll(id);
    }

    function testFuzz_conservation_18_6(Case memory c, uint256 cuts) external {
        _lives(c, 18, 6, cuts);
    }

    function testFuzz_conservation_8_6(Case memory c, uint256 cuts) external {
        _lives(c, 8, 6, cuts);
    }

    function testFuzz_conservation_6_18(Case memory c, uint256 cuts) external {
        _lives(c, 6, 18, cuts);
    }

    function testFuzz_conservation_18_18(Case memory c, uint256 cuts) external {
        _lives(c, 18, 18, cuts);
    }

    function testFuzz_conservation_0_8(Case memory c, uint256 cuts) external {
        _lives(c, 0, 8, cuts);
    }

    /// Dust at its worst: many writers of one unit each, whose collateral is rounded up each time.
    function testFuzz_many_writers_of_one_unit(uint256 strike, uint256 price, uint256 writers) external {
        strike = bound(strike, 1, 3e30);
        writers = bound(writers, 1, 20);
        uint256 id = _create(false, uint128(strike), 0);
        uint256 paidIn;
        for (uint256 i = 1; i <= writers; ++i) {
            quote.mint(address(uint160(i)), 1e30);
            vm.startPrank(address(uint160(i)));
            quote.approve(address(book), type(uint256).max);
            paidIn += book.write(id, 1, holder);
            vm.stopPrank();
        }
        _settleAt(id, bound(price, 1, 3e30));
        uint256 out = _redeemAll(id);
        for (uint256 i = writers; i != 0; --i) {
            out += _reclaim(address(uint160(i)), id);
        }
        assertEq(out, paidIn);
        assertEq(quote.balanceOf(address(book)), 0);
    }

    /// Splitting a redemption gains nothing over redeeming at once.
    function testFuzz_splitting_gains_nothing(uint256 price, uint96 total, uint96 mine, uint256 parts)
        external
    {
        total = uint96(bound(total, 2, type(uint96).max));
        mine = uint96(bound(mine, 1, total - 1));
        parts = bound(parts, 1, 8);
        uint256 id = _create(false, 2000e18, 0);
        vm.startPrank(writer);
        book.write(id, mine, other);
        book.write(id, total - mine, holder);
        vm.stopPrank();
        _settleAt(id, bound(price, 1, 2000e18));
        uint256 snapshot = vm.snapshotState();
        vm.prank(other);
        uint256 atOnce = book.redeem(id, mine, other);
        vm.revertToState(snapshot);
        uint256 split;
        for (uint256 i; i < parts; ++i) {
            uint256 left = book.balanceOf(other, id);
            uint256 amount = i + 1 == parts ? left : left / 2;
            if (amount == 0) continue;
            vm.prank(other);
            split += book.redeem(id, amount, other);
        }
        assertLe(split, atOnce);
    }
}
