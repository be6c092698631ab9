// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";

/// @notice What the parametrisation promises, for any three numbers it admits.
contract VolatilityOracleSmileTest is VolatilityFixture {
    uint256 private constant YEAR = 365 days;

    function requireNoButterfly(VolatilitySmile.Mark memory mark, uint256 tenor) external pure {
        VolatilitySmile.requireNoButterfly(mark, tenor);
    }

    function requireNoCalendar(
        VolatilitySmile.Mark memory mark,
        uint256 tenor,
        VolatilitySmile.Mark memory next,
        uint256 nextTenor
    ) external pure {
        VolatilitySmile.requireNoCalendar(mark, tenor, next, nextTenor);
    }

    function _mark(uint256 seed) private pure returns (VolatilitySmile.Mark memory) {
        return VolatilitySmile.Mark({
            levelPpm: uint32(bound(uint256(keccak256(abi.encode(seed, 1))), 50_000, 4_000_000)),
            skewBps: int16(bound(int256(uint256(keccak256(abi.encode(seed, 2)))), -7000, 7000)),
            convexityBps: uint16(bound(uint256(keccak256(abi.encode(seed, 3))), 500, 20_000))
        });
    }

    function _vol(VolatilitySmile.Mark memory mark, uint256 tenor, uint256 strike)
        private
        pure
        returns (uint256)
    {
        int256 k = VolatilitySmile.logMoneyness(strike, FORWARD);
        return VolatilitySmile.volatilityWadDown(VolatilitySmile.totalVariance(mark, tenor, k), tenor);
    }

    /// The textbook form theta / 2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)), phi = convexity / sqrt(theta), in 1e18 to
    /// 1e36 and with another logarithm.
    function testFuzz_root_is_openzeppelins(uint256 a, uint8 bits) external pure {
        a >>= bits;
        assertEq(VolatilitySmile.rootDown(a), Math.sqrt(a));
        uint256 square = (a >> 128) * (a >> 128); // at a square and one under
        assertEq(VolatilitySmile.rootDown(square), a >> 128);
        if (square != 0) assertEq(VolatilitySmile.rootDown(square - 1), (a >> 128) - 1);
    }

    function test_small_roots_are_exact() external pure {
        for (uint256 a; a < 1000; ++a) {
            assertEq(VolatilitySmile.rootDown(a), Math.sqrt(a));
        }
        assertEq(VolatilitySmile.rootDown(type(uint256).max), type(uint128).max);
    }

    /// The short way and the wide one divide alike on either side of where they part.
    function testFuzz_volatility_is_the_root_of_variance_over_time(uint256 variance, uint256 time)
        external
        pure
    {
        time = bound(time, 1, 2 ** 52);
        variance = bound(variance, 0, time << 174);
        uint256 wide = Math.mulDiv(variance, 1e24, time << 80);
        assertEq(VolatilitySmile.volatilityWadDown(variance, time), Math.sqrt(wide));
    }

    function testFuzz_volatility_is_that_of_the_textbook_form(uint256 seed, uint256 tenor, uint256 strike)
        external
        pure
    {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 hours, 730 days);
        strike = bound(strike, FORWARD / 10, FORWARD * 10);
        uint256 theta = uint256(mark.levelPpm) ** 2 * tenor * 1e24 / YEAR; // 1e36
        int256 phi = int256(uint256(mark.convexityBps) * 1e32 / Math.sqrt(theta)); // 1e18
        int256 phiK = phi * _lnWad(strike, FORWARD) / 1e18;
        int256 rho = int256(mark.skewBps) * 1e14;
        uint256 root = Math.sqrt(uint256((phiK + rho) ** 2 + 1e36 - rho ** 2));
        uint256 f = uint256(1e18 + rho * phiK / 1e18 + int256(root)) / 2;
        uint256 expected = Math.sqrt(uint256(mark.levelPpm) ** 2 * 1e6 * f); // 1e18
        assertApproxEqRel(_vol(mark, tenor, strike), expected, 1e4); // 1e-14
    }

    function testFuzz_at_the_money_it_is_the_level(uint256 seed, uint256 tenor) external pure {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 hours, 730 days);
        assertEq(_vol(mark, tenor, FORWARD), uint256(mark.levelPpm) * 1e12);
    }

    /// Positive whatever the strike: w >= theta (1 - rho^2).
    function testFuzz_variance_stays_above_its_least(uint256 seed, uint256 tenor, uint256 strike)
        external
        pure
    {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 hours, 730 days);
        strike = bound(strike, 1, VolatilitySmile.MAX_PRICE);
        uint256 theta = uint256(mark.levelPpm) ** 2 * tenor;
        uint256 least = theta * uint256(1e8 - int256(mark.skewBps) ** 2) / 1e8;
        int256 k = VolatilitySmile.logMoneyness(strike, FORWARD);
        assertGe((VolatilitySmile.totalVariance(mark, tenor, k) >> 80) + 2, least);
    }

    /// Lee: far out, w / |k| is below 2 for every smile that passes.
    function testFuzz_wings_stay_within_lees_bound(uint256 seed, uint256 tenor, bool right) external view {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 hours, 730 days);
        try this.requireNoButterfly(mark, tenor) {}
        catch {
            return;
        }
        int256 near = right ? int256(35 << 80) : -int256(35 << 80);
        uint256 w1 = VolatilitySmile.totalVariance(mark, tenor, near);
        uint256 w2 = VolatilitySmile.totalVariance(mark, tenor, 2 * near);
        // The slope is at its steepest at infinity, as w is convex.
        if (w2 > w1) assertLt((w2 - w1) >> 80, 2 * 35 * 1e12 * YEAR);
    }

    function test_a_wing_steeper_than_lees_bound_is_refused() external {
        VolatilitySmile.Mark memory steep = VolatilitySmile.Mark(4_000_000, 0, 10_000);
        // convexity x level x sqrt(T) is exactly 4 after a year, and just below it a second earlier.
        this.requireNoButterfly(steep, YEAR - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                VolatilitySmile.ButterflyArbitrage.selector, YEAR, uint32(4_000_000), int16(0), uint16(10_000)
            )
        );
        this.requireNoButterfly(steep, YEAR);
    }

    function test_curvature_is_admitted_up_to_its_bound_and_not_beyond() external {
        this.requireNoButterfly(VolatilitySmile.Mark(500_000, 0, 20_000), 1 days);
        vm.expectPartialRevert(VolatilitySmile.ButterflyArbitrage.selector);
        this.requireNoButterfly(VolatilitySmile.Mark(500_000, 1, 20_000), 1 days);
    }

    /// The density of a smile that passes is not negative (Gatheral and Jacquier's g), by differences of w.
    function testFuzz_density_is_not_negative(uint256 seed, uint256 tenor, int256 k) external view {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 days, 365 days);
        try this.requireNoButterfly(mark, tenor) {}
        catch {
            return;
        }
        k = bound(k, -2e18, 2e18);
        int256 unit = int256(1e12 * YEAR);
        int256 h = 1e14;
        // w, its slope and its curvature in 1e18, from three points in 1e18 of k.
        int256 below = int256(VolatilitySmile.totalVariance(mark, tenor, ((k - h) << 80) / 1e18));
        int256 at = int256(VolatilitySmile.totalVariance(mark, tenor, (k << 80) / 1e18));
        int256 above = int256(VolatilitySmile.totalVariance(mark, tenor, ((k + h) << 80) / 1e18));
        int256 w = at * 1e18 / unit >> 80;
        int256 slope = ((above - below) * 1e22 / unit >> 80) / 2;
        int256 curvature = (above - 2 * at + below) * 1e26 / unit >> 80;
        int256 a = 1e18 - k * slope / (2 * w);
        int256 g = a * a / 1e18 - slope * slope / 1e18 * (1e18 * 1e18 / w + 0.25e18) / 4e18 + curvature / 2;
        assertGe(g, -1e12); // what the differences leave out
    }

    /// The rules of two tenors do what they are there for, tested where they are tightest.
    function testFuzz_total_variance_does_not_fall_between_tenors_that_pass(
        uint256 seed,
        uint256 tenor,
        uint256 growth,
        uint256 tilt,
        uint256 strike
    ) external view {
        VolatilitySmile.Mark memory mark = _mark(seed);
        tenor = bound(tenor, 1 hours, 300 days);
        uint256 nextTenor = tenor * bound(growth, 10_001, 24_000) / 10_000 + 1;
        VolatilitySmile.Mark memory next;
        next.levelPpm = uint32(bound(uint256(keccak256(abi.encode(seed, 4))), mark.levelPpm, 4_000_000));
        uint256 ratio = uint256(next.levelPpm) ** 2 * nextTenor * 1e18 / (uint256(mark.levelPpm) ** 2 * tenor);
        uint256 convexity = Math.sqrt(uint256(mark.convexityBps) ** 2 * ratio / 1e18);
        next.convexityBps = uint16(Math.min(convexity, 20_000));
        uint256 room = uint256(next.convexityBps) * Math.sqrt(ratio) * 1e9 / mark.convexityBps; // psi2 / psi1
        int256 lowest = int256(uint256(int256(10_000) + mark.skewBps) * 1e18 / room) - 9999;
        int256 highest = 9999 - int256(uint256(int256(10_000) - mark.skewBps) * 1e18 / room);
        next.skewBps = int16(tilt % 2 == 0 ? lowest : highest);
        if (tilt % 3 == 0) next.skewBps = int16((lowest + highest) / 2);
        if (lowest > highest) return; // the bound on convexity leaves no room
        this.requireNoCalendar(mark, tenor, next, nextTenor);
        int256 k = VolatilitySmile.logMoneyness(bound(strike, FORWARD / 50, FORWARD * 50), FORWARD);
        uint256 w = VolatilitySmile.totalVariance(mark, tenor, k);
        assertGe(VolatilitySmile.totalVariance(next, nextTenor, k), w - w / 1e14);
    }

    function test_each_rule_of_two_tenors_refuses_what_breaks_it_alone() external {
        VolatilitySmile.Mark memory mark = VolatilitySmile.Mark(600_000, 0, 10_000);
        _expectCalendar(mark, VolatilitySmile.Mark(424_264, 0, 10_000), 0); // 0.6 / sqrt 2 and a little less
        this.requireNoCalendar(mark, 1 days, VolatilitySmile.Mark(424_265, 0, 10_000), 2 days);
        _expectCalendar(mark, VolatilitySmile.Mark(600_000, -3000, 10_000), 1); // 0.7 sqrt 2 < 1
        _expectCalendar(mark, VolatilitySmile.Mark(600_000, 3000, 10_000), 2);
        _expectCalendar(mark, VolatilitySmile.Mark(600_000, 0, 14_143), 3);
        this.requireNoCalendar(mark, 1 days, VolatilitySmile.Mark(600_000, 0, 14_142), 2 days);
    }

    function _expectCalendar(VolatilitySmile.Mark memory mark, VolatilitySmile.Mark memory next, uint8 rule)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(VolatilitySmile.CalendarArbitrage.selector, 1 days, 2 days, rule)
        );
        this.requireNoCalendar(mark, 1 days, next, 2 days);
    }

    /// What a post is charged bounds what it does to any strike.
    function testFuzz_no_strike_moves_by_more_than_is_charged(
        uint256 seed,
        uint256 tenor,
        uint256 strike,
        uint256 size
    ) external pure {
        VolatilitySmile.Mark memory mark = _mark(seed);
        VolatilitySmile.Mark memory far = _mark(seed ^ 1);
        size = bound(size, 1, 10_000);
        tenor = bound(tenor, 1 hours, 730 days);
        strike = bound(strike, FORWARD / 1000, FORWARD * 1000);
        VolatilitySmile.Mark memory next = VolatilitySmile.Mark({
            levelPpm: uint32((mark.levelPpm * (10_000 - size) + far.levelPpm * size) / 10_000),
            skewBps: int16((mark.skewBps * int256(10_000 - size) + far.skewBps * int256(size)) / 10_000),
            convexityBps: uint16((mark.convexityBps * (10_000 - size) + far.convexityBps * size) / 10_000)
        });
        int256 moved = _lnWad(_vol(next, tenor, strike), _vol(mark, tenor, strike));
        assertLe(uint256(moved < 0 ? -moved : moved), VolatilitySmile.moveWadUp(mark, next) + 1e4);
    }
}
