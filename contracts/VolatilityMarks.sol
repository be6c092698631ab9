// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVolatilityOracle} from "./interfaces/IVolatilityOracle.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {RealisedVariance} from "./libraries/RealisedVariance.sol";
import {VolatilityLimits} from "./VolatilityLimits.sol";
import {VolatilitySmile} from "./libraries/VolatilitySmile.sol";
import {VolatilitySurface} from "./libraries/VolatilitySurface.sol";

/// @title VolatilityMarks
/// @notice The marks of an oracle and how they are read: over the floor, with a spread, by age.
///
/// Floor: greatest of `floorPpm` and a part of the realised volatility (`RealisedVariance`). It is applied on reading, so
/// that a rising floor cannot block a post, and marks once posted do not escape it. Too few returns or an old last one:
/// unusable, since a floor nobody measured protects nobody. The realised part is at most `MAX_LEVEL_PPM`.
///
/// Age: up to maxAge the half spread is halfSpread; from there to expireAge it grows linearly to staleHalfSpread; then
/// unusable. Frozen: staleHalfSpread at once, no posts, unusable at the same age. High is rounded up, low and mid down.
abstract contract VolatilityMarks is VolatilityLimits {
    using RealisedVariance for RealisedVariance.Ring;
    using VolatilitySurface for VolatilitySurface.Packed;
    using VolatilitySurface for VolatilitySurface.Surface;

    /// @dev What the options of one call share; the logarithm is that of the last strike over the forward, Q80.
    struct Book {
        Reading common;
        VolatilitySurface.Surface surface;
        uint256 forward;
        uint256 lastExpiry;
        uint256 strike;
        int256 logarithm;
    }

    uint256 public constant MAX_TENORS = VolatilitySurface.MAX_TENORS;
    uint256 public constant MIN_TENOR = 1 hours;
    uint256 public constant MAX_TENOR = 730 days;
    uint256 public constant MAX_LEVEL_PPM = 4_000_000; // 400 %
    uint256 internal constant BPS = 10_000;
    uint256 private constant WAD_PER_PPM = 1e12;

    uint256 public immutable minReturns;
    uint256 public immutable maxObservationAge;
    uint256 internal immutable _count;
    /// @dev Tenor i in bits 32 i to 32 i + 31: reading one costs no storage.
    uint256 private immutable _packedTenors;

    uint40 public markedAt;
    VolatilitySurface.Packed internal _marks;
    RealisedVariance.Ring internal _ring;

    constructor(uint32[] memory tenors_, uint256 minReturns_, uint256 maxObservationAge_) {
        (minReturns, maxObservationAge) = (minReturns_, maxObservationAge_);
        _count = tenors_.length;
        _packedTenors = _packed(tenors_);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVolatilityOracle
    function volWad(uint256 strike, uint256 forward, uint256 expiry)
        external
        view
        returns (uint256 lowWad, uint256 midWad, uint256 highWad)
    {
        Reading memory reading = read(strike, forward, expiry);
        if (reading.fault > Fault.Frozen) _refuse(reading, strike, forward, expiry);
        return (reading.lowWad, reading.midWad, reading.highWad);
    }

    /// @inheritdoc IVolatilityOracle
    function volsWad(uint256 forward, uint256[] calldata strikes, uint256[] calldata expiries)
        external
        view
        returns (uint256[] memory lowWad, uint256[] memory midWad, uint256[] memory highWad)
    {
        uint256 count = strikes.length;
        if (expiries.length != count) revert LengthsDiffer(count, expiries.length);
        (lowWad, midWad, highWad) = (new uint256[](count), new uint256[](count), new uint256[](count));
        Book memory book = Book(_common(), _surface(), forward, block.timestamp + _lastTenor(), 0, 0);
        for (uint256 i; i < count; ++i) {
            (lowWad[i], midWad[i], highWad[i]) = _ofBook(book, strikes[i], expiries[i]);
        }
    }

    /// @inheritdoc IVolatilityOracle
    function read(uint256 strike, uint256 forward, uint256 expiry)
        public
        view
        returns (Reading memory reading)
    {
        reading = _common();
        if (!_inRange(strike, forward, expiry)) reading.fault = Fault.OutOfRange;
        if (reading.fault > Fault.Frozen) {
            reading.halfSpreadBps = 0;
            return reading;
        }
        int256 k = VolatilitySmile.logMoneyness(strike, forward);
        uint256 markWad = _surface().volatilityWadDown(k, expiry - block.timestamp);
        (reading.lowWad, reading.midWad, reading.highWad) = _bracket(reading, markWad);
    }

    /// @inheritdoc IVolatilityOracle
    function floorWad() external view returns (uint256) {
        return _floorWadUp(_limits, _ring.realisedWad);
    }

    /// @inheritdoc IVolatilityOracle
    function floorKnown() external view returns (bool) {
        return _floorKnown(_ring.returns_(), _ring.observedAt);
    }

    /// @inheritdoc IVolatilityOracle
    function surface()
        external
        view
        returns (uint256[] memory tenors, VolatilitySmile.Mark[] memory marks, uint256 markedAt_)
    {
        tenors = new uint256[](_count);
        marks = new VolatilitySmile.Mark[](_count);
        VolatilitySurface.Packed memory packed = _marks;
        for (uint256 i; i < _count; ++i) {
            (tenors[i], marks[i]) = (_tenor(i), packed.markAt(i));
        }
        markedAt_ = markedAt;
    }

    // ---------------------------------------------------------------- reading

    /// @dev What all options have in common now. The fault is that of the marks and the floor.
    function _common() private view returns (Reading memory reading) {
        Limits memory limits_ = _limits;
        (reading.markedAt, reading.observedAt) = (markedAt, _ring.observedAt);
        (reading.realisedWad, reading.returnsInWindow) = (_ring.realisedWad, _ring.returns_());
        reading.floorWad = _floorWadUp(limits_, reading.realisedWad);
        uint256 age = block.timestamp - reading.markedAt;
        reading.fault = _fault(limits_, reading, age);
        if (reading.fault <= Fault.Frozen) {
            reading.halfSpreadBps = _halfSpreadBpsUp(limits_, reading.fault, age);
        }
    }

    /// @dev One pair. A strike that is given again, as of a call and its put or along expiries, costs no second logarithm.
    function _ofBook(Book memory book, uint256 strike, uint256 expiry)
        private
        view
        returns (uint256, uint256, uint256)
    {
        uint256 forward = book.forward;
        if (strike != book.strike || strike == 0) {
            if (!_priceInRange(strike) || !_priceInRange(forward)) {
                _refuse(book.common, strike, forward, expiry);
            }
            (book.strike, book.logarithm) = (strike, VolatilitySmile.logMoneyness(strike, forward));
        }
        if (book.common.fault > Fault.Frozen || expiry <= block.timestamp || expiry > book.lastExpiry) {
            _refuse(book.common, strike, forward, expiry);
        }
        unchecked {
            uint256 time = expiry - block.timestamp;
            return _bracket(book.common, book.surface.volatilityWadDown(book.logarithm, time));
        }
    }

    function _surface() private view returns (VolatilitySurface.Surface memory surface_) {
        (surface_.tenors, surface_.marks) = (_packedTenors, _marks);
    }

    /// @dev Low, mid and high of a posted mark: none under the floor. Volatilities are below 2^95 and the half spread is at most
    /// half: nothing overflows, and low is not negative.
    function _bracket(Reading memory common, uint256 markWad)
        private
        pure
        returns (uint256 lowWad, uint256 midWad, uint256 highWad)
    {
        uint256 least = common.floorWad;
        unchecked {
            midWad = markWad > least ? markWad : least;
            uint256 spreadWad = (midWad * common.halfSpreadBps + BPS - 1) / BPS;
            (lowWad, highWad) = (midWad - spreadWad, midWad + spreadWad);
        }
        if (lowWad < least) lowWad = least;
    }

    function _floorWadUp(Limits memory limits_, uint256 realisedWad) private pure returns (uint256) {
        uint256 part = Math.ceilDiv(realisedWad * limits_.floorRatioBps, BPS);
        return Math.max(limits_.floorPpm * WAD_PER_PPM, Math.min(part, MAX_LEVEL_PPM * WAD_PER_PPM));
    }

    function _floorKnown(uint256 returnsInWindow, uint256 observedAt) private view returns (bool) {
        return returnsInWindow >= minReturns && block.timestamp - observedAt <= maxObservationAge;
    }

    function _fault(Limits memory limits_, Reading memory reading, uint256 age) private view returns (Fault) {
        if (!_floorKnown(reading.returnsInWindow, reading.observedAt)) return Fault.FloorUnknown;
        if (age > limits_.expireAge) return Fault.Expired;
        if (frozen) return Fault.Frozen;
        return age > limits_.maxAge ? Fault.Stale : Fault.None;
    }

    function _inRange(uint256 strike, uint256 forward, uint256 expiry) private view returns (bool) {
        if (!_priceInRange(strike) || !_priceInRange(forward)) return false;
        return expiry > block.timestamp && expiry - block.timestamp <= _lastTenor();
    }

    function _halfSpreadBpsUp(Limits memory limits_, Fault fault, uint256 age)
        private
        pure
        returns (uint256)
    {
        if (fault == Fault.Frozen) return limits_.staleHalfSpreadBps;
        if (fault == Fault.None) return limits_.halfSpreadBps;
        uint256 wider = limits_.staleHalfSpreadBps - limits_.halfSpreadBps;
        return limits_.halfSpreadBps
            + Math.ceilDiv(wider * (age - limits_.maxAge), limits_.expireAge - limits_.maxAge);
    }

    /// @dev Reverts with what was observed and what it was held against.
    function _refuse(Reading memory reading, uint256 strike, uint256 forward, uint256 expiry) private view {
        if (!_priceInRange(strike)) revert MarkUnusable(Fault.OutOfRange, strike, VolatilitySmile.MAX_PRICE);
        if (!_priceInRange(forward)) {
            revert MarkUnusable(Fault.OutOfRange, forward, VolatilitySmile.MAX_PRICE);
        }
        if (!_inRange(strike, forward, expiry)) {
            revert MarkUnusable(Fault.OutOfRange, expiry, block.timestamp + _lastTenor());
        }
        if (reading.fault == Fault.Expired) {
            revert MarkUnusable(Fault.Expired, block.timestamp - reading.markedAt, _limits.expireAge);
        }
        if (reading.returnsInWindow < minReturns) {
            revert MarkUnusable(Fault.FloorUnknown, reading.returnsInWindow, minReturns);
        }
        revert MarkUnusable(Fault.FloorUnknown, block.timestamp - reading.observedAt, maxObservationAge);
    }

    function _priceInRange(uint256 price) private pure returns (bool) {
        return price != 0 && price <= VolatilitySmile.MAX_PRICE;
    }

    function _tenor(uint256 i) internal view returns (uint256) {
        return VolatilitySurface.tenorAt(_packedTenors, i);
    }

    function _lastTenor() private view returns (uint256) {
        return _tenor(_count - 1);
    }

    function _packed(uint32[] memory tenors) private pure returns (uint256 packed) {
        Bounds.requireWithin("tenors", tenors.length, 1, MAX_TENORS);
        uint256 least = MIN_TENOR;
        for (uint256 i; i < tenors.length; ++i) {
            Bounds.requireWithin("tenor", tenors[i], least, MAX_TENOR);
            packed |= uint256(tenors[i]) << (32 * i);
            least = uint256(tenors[i]) + 1;
        }
    }
}
