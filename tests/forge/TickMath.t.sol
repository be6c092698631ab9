// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TickMath as Reference} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {TickMath} from "../../contracts/libraries/TickMath.sol";

contract TickMathTest is Test {
    uint256 private constant WAD = 1e18;

    function price(int256 tick, bool baseIsToken0, uint8 baseDecimals, uint8 quoteDecimals)
        external
        pure
        returns (uint256)
    {
        return TickMath.priceWadDown(tick, baseIsToken0, baseDecimals, quoteDecimals);
    }

    /// Uniswap's own square root, squared, is the reference; both token orders, all decimals from 6 to 18.
    function testFuzz_price_matches_uniswaps_own_tick_mathematics(
        int24 tick,
        bool baseIsToken0,
        uint8 baseDecimals,
        uint8 quoteDecimals
    ) external pure {
        tick = int24(bound(tick, -350_000, 350_000));
        baseDecimals = uint8(bound(baseDecimals, 6, 18));
        quoteDecimals = uint8(bound(quoteDecimals, 6, 18));
        uint256 root = Reference.getSqrtPriceAtTick(baseIsToken0 ? tick : -tick);
        uint256 ratioX128 = Math.mulDiv(root, root, 1 << 64); // raw quote per raw base
        uint256 scale = 10 ** (uint256(baseDecimals) + 18);
        uint256 expected = Math.mulDiv(ratioX128, scale, 10 ** uint256(quoteDecimals) << 128);
        uint256 actual = TickMath.priceWadDown(tick, baseIsToken0, baseDecimals, quoteDecimals);
        assertApproxEqAbs(actual, expected, expected / 1e12 + 1);
    }

    function testFuzz_price_rises_with_the_tick_when_base_is_token0(int24 tick) external pure {
        tick = int24(bound(tick, -TickMath.MAX_TICK, TickMath.MAX_TICK - 1));
        uint256 here = TickMath.priceWadDown(tick, true, 18, 6);
        assertLe(here, TickMath.priceWadDown(tick + 1, true, 18, 6));
        assertGe(TickMath.priceWadDown(tick, false, 18, 6), TickMath.priceWadDown(tick + 1, false, 18, 6));
    }

    function testFuzz_the_two_token_orders_mirror_each_other(int24 tick) external pure {
        tick = int24(bound(tick, -TickMath.MAX_TICK, TickMath.MAX_TICK));
        assertEq(TickMath.priceWadDown(tick, true, 18, 6), TickMath.priceWadDown(-tick, false, 18, 6));
    }

    function testFuzz_ticks_out_of_range_are_refused(int256 tick) external {
        vm.assume(tick > TickMath.MAX_TICK || tick < -int256(TickMath.MAX_TICK));
        vm.expectPartialRevert(TickMath.TickOutOfRange.selector);
        this.price(tick, true, 18, 18);
    }

    function test_known_prices() external pure {
        assertEq(TickMath.priceWadDown(0, true, 18, 18), WAD);
        assertEq(TickMath.priceWadDown(0, false, 18, 18), WAD);
        assertApproxEqRel(TickMath.priceWadDown(1, true, 18, 18), 1.0001e18, 1e3);
        assertApproxEqRel(TickMath.priceWadDown(-1, true, 18, 18), 0.999900009999000099e18, 1e3);
        // USDC (token0) / WETH: tick 200311 of the mainnet pool stands for about 2,000 dollars.
        assertApproxEqRel(TickMath.priceWadDown(200_311, false, 18, 6), 2000e18, 1e15);
    }
}
