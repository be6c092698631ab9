// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ElementaryQ80} from "./ElementaryQ80.sol";

/// @title RealisedVariance
/// @notice A ring of prices on a fixed grid of times, and the realised volatility over a window of it.
///
/// Sampling: slot n is the time from n x interval; an observation counts for slot n only within `slack` seconds of its start,
/// the first one wins, and each slot has one. Whoever observes first chooses the instant within the slack and nothing else:
/// with D_n the most the log-price moves within the slack of slot n, it moves the root of the sum of squares by at most 2
/// sqrt(sum D_n^2). Anyone who observes at the start of a slot leaves no choice at all.
///
/// Estimator: sum of squared log-returns over the seconds from the first to the last observation of the window, annualised,
/// about a mean of 0. A slot nobody observed makes one return over several slots, which a random walk leaves unbiased: an
/// outage does not hide the move across it. A return over m slots counts for at most m x maxReturn^2, so one wrong price adds
/// at most twice that: in, and out again.
library RealisedVariance {
    using SafeCast for int256;
    using SafeCast for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant YEAR = 365 days;

    /// @param interval seconds between slots
    /// @param slack seconds into a slot in which it may be observed
    /// @param windowSlots slots from the first to the last observation of the window, at most
    /// @param maxReturnWad log-return that counts, at most, per slot
    struct Grid {
        uint256 interval;
        uint256 slack;
        uint256 windowSlots;
        uint256 maxReturnWad;
    }

    /// @param at time
    /// @param priceWad the oracle's price
    /// @param sumWad squares of all returns up to this one
    struct Observation {
        uint40 at;
        uint112 priceWad;
        uint104 sumWad;
    }

    /// @param written observations ever; the last is `written` - 1
    /// @param first the oldest one in the window
    /// @param observedAt time of the last one
    /// @param realisedWad annualised volatility over the window, WAD
    struct Ring {
        uint32 written;
        uint32 first;
        uint40 observedAt;
        uint128 realisedWad;
        mapping(uint256 position => Observation) kept;
    }

    error ObservationLate(uint256 secondsLate, uint256 slack);
    error PriceOutOfRange(uint256 priceWad, uint256 maximum);
    error SlotTaken(uint256 slot, uint256 observedAt);

    /// @notice Append the price now and bring the realised volatility up to date.
    /// @dev `windowSlots` + 1 positions suffice: what is overwritten is at least windowSlots + 1 slots old. The window is
    /// therefore moved before the position is written. It costs one read per slot that has passed, at most windowSlots.
    function append(Ring storage ring, Grid memory grid, uint256 priceWad) internal {
        if (priceWad == 0 || priceWad > type(uint112).max) {
            revert PriceOutOfRange(priceWad, type(uint112).max);
        }
        uint256 slot = block.timestamp / grid.interval;
        uint256 late = block.timestamp % grid.interval;
        if (late > grid.slack) revert ObservationLate(late, grid.slack);
        uint256 written = ring.written;
        uint256 positions = grid.windowSlots + 1;
        Observation memory next = Observation(uint40(block.timestamp), priceWad.toUint112(), 0);
        if (written != 0) {
            Observation memory last = ring.kept[(written - 1) % positions];
            uint256 lastSlot = last.at / grid.interval;
            if (slot <= lastSlot) revert SlotTaken(slot, last.at);
            next.sumWad =
                last.sumWad + _squareWadUp(priceWad, last.priceWad, slot - lastSlot, grid).toUint104();
            _measure(ring, grid, next, written, slot);
        }
        ring.kept[written % positions] = next;
        ring.written = (written + 1).toUint32();
        ring.observedAt = next.at;
    }

    /// @notice Returns in the window.
    function returns_(Ring storage ring) internal view returns (uint256) {
        return ring.written == 0 ? 0 : ring.written - 1 - ring.first;
    }

    /// @dev The window is every kept observation from slot - windowSlots on; its length is counted in seconds, not in slots.
    function _measure(
        Ring storage ring,
        Grid memory grid,
        Observation memory next,
        uint256 written,
        uint256 slot
    ) private {
        uint256 first = ring.first;
        uint256 positions = grid.windowSlots + 1;
        Observation memory start = ring.kept[first % positions];
        while (start.at / grid.interval + grid.windowSlots < slot && ++first < written) {
            start = ring.kept[first % positions];
        }
        ring.first = first.toUint32();
        // After a gap longer than the window nothing is left to measure from.
        ring.realisedWad = first == written
            ? 0
            : _annualisedWadUp(next.sumWad - start.sumWad, next.at - start.at).toUint128();
    }

    /// @dev Below sqrt(2^104 x 2^25 x 2^60) = 2^95; the span is positive as slots differ and the slack is below an interval.
    function _annualisedWadUp(uint256 sumWad, uint256 span) private pure returns (uint256) {
        return Math.sqrt(Math.ceilDiv(sumWad * YEAR * WAD, span), Math.Rounding.Ceil);
    }

    /// @dev ln(price / last)^2, WAD, rounded up, at most slots x maxReturn^2. |ln| < 2^87 in Q80, its square x WAD < 2^234.
    function _squareWadUp(uint256 priceWad, uint256 lastWad, uint256 slots, Grid memory grid)
        private
        pure
        returns (uint256)
    {
        int256 x = ElementaryQ80.lnRatio(priceWad, lastWad);
        uint256 square = Math.ceilDiv((x * x).toUint256() * WAD, 1 << 160);
        return Math.min(square, slots * grid.maxReturnWad * grid.maxReturnWad / WAD);
    }
}
