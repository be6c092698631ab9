// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {Proof} from "./Proof.sol";

/// @title LossLemmas
/// @notice V-04: what a bucket lets through. By `check_a_charge_is_paid_by_the_level_or_the_refill` the charges of a window sum to
/// at most the rise of the level and the refill; by `check_the_level_never_passes_the_capacity` the rise is at most the capacity.
contract LossLemmas is Proof {
    using LossBudget for LossBudget.Bucket;

    uint256 private constant DAY = LossBudget.REFILL_PERIOD;
    uint256 private constant WAD = LossBudget.WAD;
    uint256 private constant START = 1 << 31;
    uint256 private constant SMALL = 3;
    uint256 private constant TIME = 17; // a day and a half in seconds

    LossBudget.Bucket private _bucket;

    function check_the_level_never_passes_the_capacity(
        uint256 capacity,
        uint256 used,
        uint256 elapsed,
        uint256 loss
    ) external {
        _at(capacity, used, elapsed);
        _fits(loss, SMALL);
        _bucket.charge(capacity, loss, WAD); // of a NAV of one WAD: the fraction is the loss
        assert(_bucket.usedWad <= capacity);
    }

    function check_a_charge_is_paid_by_the_level_or_the_refill(
        uint256 capacity,
        uint256 used,
        uint256 elapsed,
        uint256 loss
    ) external {
        _at(capacity, used, elapsed);
        _fits(loss, SMALL);
        _bucket.charge(capacity, loss, WAD);
        unchecked {
            assert((loss + used) * DAY <= _bucket.usedWad * DAY + elapsed * capacity);
        }
    }

    function check_the_refill_is_never_more_than_its_rate(uint256 capacity, uint256 used, uint256 elapsed)
        external
    {
        _at(capacity, used, elapsed);
        uint256 level = LossBudget.usedWadUp(_bucket, capacity);
        assert(level <= used);
        unchecked {
            assert((used - level) * DAY <= elapsed * capacity);
        }
    }

    function check_a_lower_capacity_leaves_no_more_room(uint256 capacity, uint256 used, uint256 lower)
        external
    {
        _at(capacity, used, 0);
        VM.assume(lower < capacity);
        uint256 left = LossBudget.leftWadDown(_bucket, capacity);
        _bucket.shrink(capacity, lower);
        assert(LossBudget.leftWadDown(_bucket, lower) <= left);
    }

    /// @notice The fraction charged is never below the fraction lost.
    function check_a_loss_is_never_charged_low(uint256 loss, uint256 nav) external {
        _fits(nav, SMALL);
        VM.assume(nav != 0 && loss <= nav);
        _bucket.charge(WAD, loss, nav);
        unchecked {
            assert(_bucket.usedWad * nav >= uint256(loss) * WAD);
        }
    }

    /// @notice False: a full bucket and its refill let through more than the capacity.
    function check_two_charges_stay_below_the_capacity_must_fail(
        uint256 capacity,
        uint256 first,
        uint256 second
    ) external {
        _at(capacity, 0, 0);
        _fits(first, SMALL);
        _fits(second, SMALL);
        _bucket.charge(capacity, first, WAD);
        VM.warp(START + DAY);
        _bucket.charge(capacity, second, WAD);
        assert(uint256(first) + second <= capacity);
    }

    function _at(uint256 capacity, uint256 used, uint256 elapsed) private {
        _fits(capacity, SMALL);
        _fits(elapsed, TIME);
        VM.assume(used <= capacity);
        VM.warp(START);
        _bucket = LossBudget.Bucket(uint192(used), uint64(START));
        VM.warp(START + elapsed);
    }
}
