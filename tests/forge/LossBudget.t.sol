// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";

/// @notice V-04: over any window T, losses charged <= capacity + refill x T.
contract LossBudgetTest is Test {
    using LossBudget for LossBudget.Bucket;

    uint256 private constant NAV = 1e12;
    LossBudget.Bucket private bucket;

    function setUp() external {
        vm.warp(1_700_000_000);
    }

    function charge(uint256 capacityWad, uint256 loss, uint256 navBefore) external {
        bucket.charge(capacityWad, loss, navBefore);
    }

    function settle(uint256 capacityWad) external {
        bucket.settle(capacityWad);
    }

    function shrink(uint256 capacityWad, uint256 newCapacityWad) external {
        bucket.shrink(capacityWad, newCapacityWad);
    }

    /// Whatever the times and sizes, the sum charged since any start stays under the line (V-04).
    function testFuzz_charges_over_any_window_stay_under_capacity_and_refill(
        uint256 capacityWad,
        uint32[24] memory gaps,
        uint256[24] memory losses
    ) external {
        capacityWad = bound(capacityWad, 1e15, 2e17);
        uint256[24] memory times;
        uint256[24] memory charged;
        for (uint256 i; i < 24; ++i) {
            vm.warp(block.timestamp + bound(gaps[i], 0, 1 days));
            uint256 loss = bound(losses[i], 1, NAV / 20);
            times[i] = block.timestamp;
            try this.charge(capacityWad, loss, NAV) {
                charged[i] = loss * 1e18 / NAV;
            } catch {}
            uint256 sum;
            for (uint256 k = i + 1; k > 0; --k) {
                sum += charged[k - 1];
                uint256 window = block.timestamp - times[k - 1];
                assertLe(sum, capacityWad + capacityWad * window / 1 days + 1);
            }
        }
    }

    function testFuzz_one_charge_is_taken_exactly_up_to_what_is_left(uint256 capacityWad, uint256 loss)
        external
    {
        capacityWad = bound(capacityWad, 1e15, 2e17);
        uint256 most = capacityWad * NAV / 1e18;
        loss = bound(loss, 1, NAV);
        if (loss > most) vm.expectPartialRevert(LossBudget.BudgetExceeded.selector);
        this.charge(capacityWad, loss, NAV);
    }

    function testFuzz_a_full_day_refills_a_spent_bucket_and_no_less_does(uint256 capacityWad, uint256 elapsed)
        external
    {
        capacityWad = bound(capacityWad, 1e15, 2e17);
        elapsed = bound(elapsed, 0, 3 days);
        this.charge(capacityWad, capacityWad, 1e18);
        assertEq(bucket.leftWadDown(capacityWad), 0);
        vm.warp(block.timestamp + elapsed);
        uint256 expected = elapsed >= 1 days ? capacityWad : capacityWad * elapsed / 1 days;
        assertEq(bucket.leftWadDown(capacityWad), expected);
    }

    /// Settling often must not refill more than settling once.
    function testFuzz_settling_in_between_never_refills_faster(
        uint256 capacityWad,
        uint256 used,
        uint8 steps,
        uint16 gap
    ) external {
        capacityWad = bound(capacityWad, 1e15, 2e17);
        used = bound(used, 1, capacityWad);
        steps = uint8(bound(steps, 1, 50));
        this.charge(capacityWad, used, 1e18);
        LossBudget.Bucket memory untouched = bucket;
        for (uint256 i; i < steps; ++i) {
            vm.warp(block.timestamp + gap);
            this.settle(capacityWad);
        }
        assertLe(bucket.leftWadDown(capacityWad), untouched.leftWadDown(capacityWad));
    }

    /// What a looser capacity gives, it gives from now on: time already passed refills at the old one.
    function testFuzz_a_looser_capacity_is_not_looser_backwards(uint256 elapsed) external {
        elapsed = bound(elapsed, 0, 1 days);
        this.charge(1e16, 1e16, 1e18);
        vm.warp(block.timestamp + elapsed);
        this.settle(1e16);
        assertEq(bucket.usedWadUp(2e17), 1e16 - 1e16 * elapsed / 1 days);
    }

    /// A smaller bucket is as full as the larger one was, rounded in the vault's favour.
    function testFuzz_a_smaller_capacity_keeps_the_part_that_is_left(
        uint256 capacityWad,
        uint256 newCapacityWad,
        uint256 used
    ) external {
        capacityWad = bound(capacityWad, 1e16, 2e17);
        newCapacityWad = bound(newCapacityWad, 1e16, capacityWad);
        used = bound(used, 1, capacityWad);
        this.charge(capacityWad, used, 1e18);
        this.shrink(capacityWad, newCapacityWad);
        uint256 left = (capacityWad - used) * newCapacityWad / capacityWad;
        assertEq(bucket.leftWadDown(newCapacityWad), left);
    }

    /// Nothing is divided by a capacity of zero: what is set again as it was is not refused.
    function testFuzz_the_same_capacity_changes_nothing(uint256 capacityWad, uint256 used) external {
        this.shrink(0, 0);
        capacityWad = bound(capacityWad, 1, 2e17);
        used = bound(used, 1, capacityWad);
        this.charge(capacityWad, used, 1e18);
        this.shrink(capacityWad, capacityWad);
        assertEq(bucket.usedWadUp(capacityWad), used);
    }

    function testFuzz_a_larger_capacity_gives_back_nothing_that_was_used(uint256 used, uint256 newCapacityWad)
        external
    {
        used = bound(used, 1, 1e16);
        newCapacityWad = bound(newCapacityWad, 1e16, 2e17);
        this.charge(1e16, used, 1e18);
        this.shrink(1e16, newCapacityWad);
        assertEq(bucket.usedWadUp(newCapacityWad), used);
    }

    function testFuzz_a_loss_is_rounded_up_to_the_fraction_charged(uint256 loss, uint256 nav) external {
        nav = bound(nav, 1e6, 1e24);
        loss = bound(loss, 1, nav / 5);
        this.charge(2e17, loss, nav);
        uint256 used = bucket.usedWadUp(2e17);
        assertGe(used * nav, loss * 1e18);
        assertLt((used - 1) * nav, loss * 1e18);
    }
}
