// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {RealisedVariance} from "../../contracts/libraries/RealisedVariance.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";

/// @notice The floor: who observes when, what is measured, and where the window ends.
contract VolatilityOracleFloorTest is VolatilityFixture {
    uint256 private constant YEAR = 365 days;

    uint256[] private _times;
    uint256[] private _prices;

    function _observe(uint256 price) private {
        prices.set(price);
        vols.observe();
        _times.push(vm.getBlockTimestamp());
        _prices.push(price);
    }

    /// Everything from the start, over the whole list, with another logarithm.
    function _realisedByList() private view returns (uint256) {
        uint256 n = _times.length;
        uint256 lastSlot = _times[n - 1] / INTERVAL;
        uint256 first;
        while (_times[first] / INTERVAL < lastSlot - WINDOW) ++first;
        if (first == n - 1) return 0;
        uint256 sum; // 1e36
        for (uint256 i = first + 1; i < n; ++i) {
            int256 r = _lnWad(_prices[i], _prices[i - 1]);
            uint256 slots = _times[i] / INTERVAL - _times[i - 1] / INTERVAL;
            sum += Math.min(uint256(r * r), slots * 0.04e36);
        }
        return Math.sqrt(sum * YEAR / (_times[n - 1] - _times[first]));
    }

    function _realised() private view returns (uint256) {
        return _read(FORWARD, 7 days).realisedWad;
    }

    // ---------------------------------------------------------------- the estimate

    /// Gaps, late instants and jumps beyond what counts included, through more than one window.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_realised_volatility_is_that_of_the_whole_list(uint256 seed) external {
        uint256 price = FORWARD;
        for (uint256 i; i < 230; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _toSlot(seed % 16 == 0 ? 1 + (seed >> 8) % 30 : 1);
            skip((seed >> 16) % (SLACK + 1));
            int256 step = int256((seed >> 32) % 400) - 200;
            if (seed % 64 == 1) step *= 30;
            price = Math.max(price * uint256(10_000 + step) / 10_000, 1e12);
            _observe(price);
            if (i % 23 == 22) assertApproxEqRel(_realised(), _realisedByList(), 1e9); // 1e-9: squares in 1e-18
        }
    }

    function test_a_price_that_alternates_has_the_volatility_of_its_step() external {
        _observeHours(WINDOW + 1, 100);
        uint256 step = uint256(_lnWad(10_100, 10_000));
        assertApproxEqRel(_realised(), step * Math.sqrt(8760e18) / 1e9, 1e10);
        assertEq(vols.floorWad(), Math.ceilDiv(_realised() * 7, 10));
    }

    /// One return enters the window with its slot and leaves it windowSlots later, at neither edge an hour early or late.
    function test_a_move_leaves_the_window_after_exactly_its_slots() external {
        _toSlot(1);
        _observe(FORWARD);
        _toSlot(1);
        _observe(FORWARD * 11 / 10);
        assertGt(_realised(), 0);
        for (uint256 i = 1; i < WINDOW; ++i) {
            _toSlot(1);
            _observe(FORWARD * 11 / 10);
        }
        assertEq(_read(FORWARD, 1 days).returnsInWindow, WINDOW);
        assertGt(_realised(), 0);
        _toSlot(1);
        _observe(FORWARD * 11 / 10);
        assertEq(_read(FORWARD, 1 days).returnsInWindow, WINDOW);
        assertEq(_realised(), 0);
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_after_a_gap_the_window_reaches_back_its_slots_and_not_one_more(uint256 gap) external {
        gap = bound(gap, 1, 2 * WINDOW);
        _observeHours(100, 100);
        _toSlot(gap);
        _observe(FORWARD);
        // 100 observations at slots 1..100 before; the window holds those from 100 + gap - WINDOW on.
        uint256 expected = gap > WINDOW ? 0 : Math.min(100, WINDOW - gap + 1);
        assertEq(_read(FORWARD, 1 days).returnsInWindow, expected);
        if (expected == 0) assertEq(_realised(), 0);
    }

    /// An outage does not hide the move across it: as many slots, as many times the most that counts of one.
    function testFuzz_a_gap_counts_the_move_across_it(uint256 gap, uint256 bps) external {
        gap = bound(gap, 2, WINDOW);
        bps = bound(bps, 10, 9000);
        _toSlot(1);
        _observe(FORWARD);
        _toSlot(gap);
        _observe(FORWARD * (10_000 - bps) / 10_000);
        uint256 move = uint256(_lnWad(10_000, 10_000 - bps));
        move = Math.min(move, Math.sqrt(gap * 0.04e36));
        assertApproxEqRel(_realised(), move * Math.sqrt(YEAR * 1e18 / (gap * INTERVAL)) / 1e9, 1e9);
    }

    /// A wrong price in and out again adds no more than two returns at their most.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_one_outlier_adds_at_most_two_capped_returns(uint256 price) external {
        price = bound(price, 1, type(uint112).max);
        _observeHours(WINDOW / 2, 0);
        _toSlot(1);
        _observe(price);
        _toSlot(1);
        _observe(FORWARD);
        uint256 span = (WINDOW / 2 + 1) * INTERVAL;
        assertLe(_realised(), Math.sqrt(2 * 0.04e36 * YEAR / span) + 1);
    }

    function test_the_part_of_realised_volatility_is_at_most_the_highest_level() external {
        _observeHours(WINDOW, 9000);
        assertGt(_realised() * 7 / 10, 4e18);
        assertEq(vols.floorWad(), 4e18);
    }

    // ---------------------------------------------------------------- who chooses the instant

    function testFuzz_an_observation_is_in_its_slots_slack_or_refused(uint256 offset) external {
        offset = bound(offset, 0, INTERVAL - 1);
        _toSlot(1);
        skip(offset);
        if (offset > SLACK) {
            vm.expectRevert(abi.encodeWithSelector(RealisedVariance.ObservationLate.selector, offset, SLACK));
        }
        vols.observe();
    }

    function test_the_last_second_of_the_slack_counts_and_the_next_does_not() external {
        _toSlot(1);
        skip(SLACK);
        vols.observe();
        _toSlot(1);
        skip(SLACK + 1);
        vm.expectRevert(abi.encodeWithSelector(RealisedVariance.ObservationLate.selector, SLACK + 1, SLACK));
        vols.observe();
    }

    function testFuzz_a_slot_is_taken_by_the_first(uint256 first, uint256 second) external {
        first = bound(first, 0, SLACK);
        second = bound(second, first, SLACK);
        _toSlot(1);
        uint256 start = vm.getBlockTimestamp();
        skip(first);
        vols.observe();
        vm.warp(start + second);
        vm.expectRevert(
            abi.encodeWithSelector(RealisedVariance.SlotTaken.selector, start / INTERVAL, start + first)
        );
        vols.observe();
    }

    /// An observer who sees the whole slack ahead and picks the instant that lowers the estimate keeps within the stated
    /// bound: roots of sums of squares differ by at most twice the root of the sum of squared ranges.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_choosing_the_instant_lowers_the_estimate_within_the_bound(uint256 seed) external {
        uint256 price = FORWARD;
        uint256 last;
        uint256 lastHonest;
        uint256 honest;
        uint256 ranges;
        for (uint256 i; i < 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            price = price * (9900 + (seed >> 128) % 201) / 10_000; // the rest of the hour
            (uint256 start, uint256 best, uint256 bestAt, uint256 widest) = (price, price, 0, 0);
            for (uint256 minute = 1; minute <= 5; ++minute) {
                price = price * (99_800 + (seed >> (16 * minute)) % 401) / 100_000;
                widest = Math.max(widest, SignedMath.abs(_lnWad(price, start)));
                bool nearer =
                    i != 0 && SignedMath.abs(_lnWad(price, last)) < SignedMath.abs(_lnWad(best, last));
                if (nearer) (best, bestAt) = (price, minute);
            }
            _toSlot(1);
            skip(bestAt * 60);
            _observe(best);
            if (i != 0) honest += SignedMath.abs(_lnWad(start, lastHonest)) ** 2;
            ranges += widest ** 2;
            (last, lastHonest) = (best, start);
        }
        uint256 span = _times[59] - _times[0];
        uint256 chosen = Math.sqrt(_realised() ** 2 * span / YEAR);
        assertGe(chosen + 2 * Math.sqrt(ranges) + 1e9, Math.sqrt(honest));
    }

    // ---------------------------------------------------------------- known or not

    function test_the_floor_is_known_from_the_least_number_of_returns_on() external {
        _observeHours(MIN_RETURNS, 100);
        assertFalse(vols.floorKnown());
        vm.expectRevert(
            abi.encodeWithSelector(
                IVolatilityOracle.MarkUnusable.selector,
                IVolatilityOracle.Fault.FloorUnknown,
                MIN_RETURNS - 1,
                MIN_RETURNS
            )
        );
        vols.volWad(FORWARD, FORWARD, vm.getBlockTimestamp() + 1 days);
        _observeHours(1, 100);
        assertTrue(vols.floorKnown());
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_the_floor_is_known_until_the_last_observation_is_too_old(uint256 age) external {
        age = bound(age, 0, 2 * MAX_OBSERVATION_AGE);
        _observeHours(60, 100);
        skip(age);
        assertEq(vols.floorKnown(), age <= MAX_OBSERVATION_AGE);
        bool unknown = _read(FORWARD, 1 days).fault == IVolatilityOracle.Fault.FloorUnknown;
        assertEq(unknown, age > MAX_OBSERVATION_AGE);
    }

    function test_a_price_with_a_fault_is_not_observed() external {
        _toSlot(1);
        prices.setFault(IPriceOracle.Fault.Deviates);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vols.observe();
    }

    function testFuzz_a_price_out_of_range_is_refused(uint256 price) external {
        price = bound(price, uint256(type(uint112).max) + 1, type(uint256).max);
        _toSlot(1);
        prices.set(price);
        vm.expectRevert(
            abi.encodeWithSelector(RealisedVariance.PriceOutOfRange.selector, price, type(uint112).max)
        );
        vols.observe();
        prices.set(0);
        vm.expectPartialRevert(RealisedVariance.PriceOutOfRange.selector);
        vols.observe();
    }
}
