// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FeeMath} from "../../contracts/libraries/FeeMath.sol";
import {Proof} from "./Proof.sol";

/// @title FeeLemmas
/// @notice V-13: new shares for fees stay under the ceilings, and none are made for a gain below the high-water mark.
contract FeeLemmas is Proof {
    uint256 private constant BPS = FeeMath.BPS;
    uint256 private constant YEAR = FeeMath.YEAR;
    uint256 private constant SMALL = 4;
    uint256 private constant TINY = 2;

    /// @notice The manager's part of all shares is at most the rate times the time, a year at most.
    /// @dev At the ceiling's rate; the function knows the rate and the time by their product alone.
    function check_the_management_fee_stays_under_its_rate(uint256 supply, uint256 elapsed) external pure {
        _fits(supply, SMALL);
        _fits(elapsed, 26); // two years in seconds
        uint256 bps = FeeMath.MANAGEMENT_CEILING_BPS;
        uint256 shares = FeeMath.managementSharesDown(supply, bps, elapsed);
        uint256 part = bps * (elapsed < YEAR ? elapsed : YEAR);
        unchecked {
            assert(shares * (BPS * YEAR) <= (supply + shares) * part);
        }
    }

    /// @notice The rate times the time, however long nobody settles.
    function check_the_managements_part_stays_under_the_ceiling(uint16 bps, uint32 elapsed) external pure {
        VM.assume(bps <= FeeMath.MANAGEMENT_CEILING_BPS);
        uint256 part = uint256(bps) * (elapsed < YEAR ? elapsed : YEAR);
        assert(part <= FeeMath.MANAGEMENT_CEILING_BPS * YEAR);
    }

    /// @dev Marks are multiples of 10^10 and a whole share is one unit, so that words stay small.
    function check_no_performance_fee_at_or_below_the_mark(uint8 supply, uint8 nav, uint8 mark, uint16 bps)
        external
        pure
    {
        VM.assume(bps <= FeeMath.PERFORMANCE_CEILING_BPS);
        _small(supply, nav, mark);
        uint256 high = uint256(mark) * 1e10;
        uint256 shares = FeeMath.performanceSharesDown(supply, nav, 1, high, bps);
        if (uint256(nav) * FeeMath.MARK <= high * supply) assert(shares == 0);
    }

    /// @notice The new shares' part of NAV is at most the ceiling's part of the gain over the mark.
    function check_the_performance_fee_stays_under_the_ceiling(uint8 supply, uint8 nav, uint8 mark)
        external
        pure
    {
        _small(supply, nav, mark);
        _fits(supply | nav | mark, TINY);
        uint256 high = uint256(mark) * 1e10;
        uint256 bps = FeeMath.PERFORMANCE_CEILING_BPS;
        uint256 shares = FeeMath.performanceSharesDown(supply, nav, 1, high, bps);
        if (shares == 0) return;
        unchecked {
            uint256 gain = uint256(nav) * 100 - uint256(mark) * supply; // in hundredths, as the mark is
            assert(shares * nav * BPS * 100 <= (supply + shares) * gain * bps);
        }
    }

    /// @notice False: a gain over the mark pays no fee.
    function check_no_gain_pays_a_fee_must_fail(uint8 supply, uint8 nav, uint8 mark) external pure {
        _small(supply, nav, mark);
        uint256 high = uint256(mark) * 1e10;
        uint256 bps = FeeMath.PERFORMANCE_CEILING_BPS;
        assert(FeeMath.performanceSharesDown(supply, nav, 1, high, bps) == 0);
    }

    function _small(uint256 supply, uint256 nav, uint256 mark) private pure {
        _fits(supply, SMALL);
        _fits(nav, SMALL);
        _fits(mark, SMALL);
        VM.assume(supply != 0);
    }
}
