// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title LossBudget
/// @notice A token bucket of losses (V-04). What is kept is the fraction of NAV lost, in WAD, never an amount: whoever deposits
/// to make an amount larger cannot make the fraction each share may lose any larger.
/// @dev The bucket refills linearly at one capacity per day. Over any window T the fractions charged sum to at most
/// capacity x (1 + T / 1 day): a full bucket and the refill, so 2 x capacity in 24 hours. So does the loss of a share that stays
/// throughout, at the oracle's prices: what the market moves before the oracle follows is on top, and not charged.
library LossBudget {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant REFILL_PERIOD = 1 days;

    /// @param usedWad fraction of NAV lost and not yet refilled, as of `updatedAt`
    struct Bucket {
        uint192 usedWad;
        uint64 updatedAt;
    }

    error BudgetExceeded(uint256 lossWad, uint256 leftWad);

    /// @notice Fraction still used now; the refill is rounded down, in favour of the vault.
    function usedWadUp(Bucket memory bucket, uint256 capacityWad) internal view returns (uint256) {
        uint256 refilled = (block.timestamp - bucket.updatedAt) * capacityWad / REFILL_PERIOD;
        return refilled >= bucket.usedWad ? 0 : bucket.usedWad - refilled;
    }

    /// @notice Fraction of NAV that may still be lost now.
    function leftWadDown(Bucket memory bucket, uint256 capacityWad) internal view returns (uint256) {
        return Math.saturatingSub(capacityWad, usedWadUp(bucket, capacityWad));
    }

    /// @notice Bring the bucket up to now under the capacity that held until now; called before a capacity changes.
    function settle(Bucket storage bucket, uint256 capacityWad) internal {
        bucket.usedWad = SafeCast.toUint192(usedWadUp(bucket, capacityWad));
        bucket.updatedAt = uint64(block.timestamp);
    }

    /// @notice After `settle`, when the capacity falls: the used part falls with it, so that the bucket stays as full as it was
    /// and not empty for days. When it rises, what was used stays used.
    function shrink(Bucket storage bucket, uint256 capacityWad, uint256 newCapacityWad) internal {
        if (newCapacityWad >= capacityWad) return;
        bucket.usedWad =
            SafeCast.toUint192(Math.mulDiv(bucket.usedWad, newCapacityWad, capacityWad, Math.Rounding.Ceil));
    }

    /// @notice Charge a loss against the bucket; reverts with `BudgetExceeded` if it does not fit. `loss` <= `navBefore`, not 0.
    function charge(Bucket storage bucket, uint256 capacityWad, uint256 loss, uint256 navBefore) internal {
        uint256 lossWad = Math.mulDiv(loss, WAD, navBefore, Math.Rounding.Ceil);
        uint256 used = usedWadUp(bucket, capacityWad);
        uint256 left = Math.saturatingSub(capacityWad, used);
        if (lossWad > left) revert BudgetExceeded(lossWad, left);
        bucket.usedWad = SafeCast.toUint192(used + lossWad);
        bucket.updatedAt = uint64(block.timestamp);
    }
}
