// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "./interfaces/IVolatilityOracle.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {LossBudget} from "./libraries/LossBudget.sol";
import {RealisedVariance} from "./libraries/RealisedVariance.sol";
import {VolatilityLimits} from "./VolatilityLimits.sol";
import {VolatilitySmile} from "./libraries/VolatilitySmile.sol";
import {VolatilitySurface} from "./libraries/VolatilitySurface.sol";

/// @title VolatilityOracle
/// @notice A keeper's volatility marks for fixed tenors, limited in how fast they move, over a floor measured on chain.
///
/// Marks: one smile per tenor (`VolatilitySmile`), all replaced by one `post`, which refuses butterfly arbitrage, wings
/// beyond Lee's bound and total variance that falls with time. Tenors are fixed, so marks do not age into other ones. Between
/// tenors total variance is linear in time at the same strike; before the first, volatility is the first tenor's; beyond the
/// last there is no mark. So total variance never falls with expiry, at any strike; the floor keeps that, being the same for
/// all.
///
/// A stolen poster key: a move is measured as the greatest change of log-volatility at any strike and tenor that the change
/// of the three numbers can make. Over any window T the moves sum to at most maxPerDay x (1 + T / 1 day), so in 24 hours no
/// volatility is multiplied or divided by more than e^(2 maxPerDay), nor taken under the floor; a post moves it by at most
/// e^maxStep. A level change of p counts 3/2 p, what it may do at a strike where the smile dips. The thief may also keep
/// marks as they are, never stale. Not charged: at the same strike, time to expiry and the forward move an option along the
/// smile, whoever posts.
///
/// Floor: greatest of `floorPpm` and a part of the realised volatility (`RealisedVariance`). It is applied on reading, so
/// that a rising floor cannot block a post, and marks once posted do not escape it. Too few returns or an old last one:
/// unusable, since a floor nobody measured protects nobody. The realised part is at most `MAX_LEVEL_PPM`.
///
/// Age: up to maxAge the half spread is halfSpread; from there to expireAge it grows linearly to staleHalfSpread; then
/// unusable. Frozen: staleHalfSpread at once, no posts, unusable at the same age. High is rounded up, low and mid down.
///
/// Roles: owner (two-step, cannot be renounced), guardian (raise the floor, widen, freeze), poster. Everything that shapes
/// the floor's measurement and the tenors is fixed at construction. What is assumed: `oracle.priceWad` reverts rather than
/// lie.
contract VolatilityOracle is VolatilityLimits {
    using LossBudget for LossBudget.Bucket;
    using RealisedVariance for RealisedVariance.Ring;
    using VolatilitySurface for VolatilitySurface.Packed;
    using VolatilitySurface for VolatilitySurface.Surface;

    /// @param oracle the price observed
    /// @param interval seconds between observations
    /// @param slack seconds within which a slot may be observed; at most a quarter of the interval
    /// @param windowSlots length of the window of realised volatility, in slots
    /// @param minReturns returns the window must hold
    /// @param maxReturnBps log-return per slot that counts, at most
    /// @param maxObservationAge seconds since the last observation, at most
    struct Setup {
        IPriceOracle oracle;
        address owner;
        address guardian;
        address poster;
        uint256 interval;
        uint256 slack;
        uint256 windowSlots;
        uint256 minReturns;
        uint256 maxReturnBps;
        uint256 maxObservationAge;
    }

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
    uint256 public constant MIN_LEVEL_PPM = 50_000; // 5 %
    uint256 public constant MAX_LEVEL_PPM = 4_000_000; // 400 %
    /// @dev rho^2 < 1/2 is what bounds how far a change of level or convexity moves a strike.
    uint256 public constant MAX_SKEW_BPS = 7000;
    uint256 public constant MIN_CONVEXITY_BPS = 500;
    uint256 public constant MAX_CONVEXITY_BPS = 20_000;
    uint256 public constant MIN_INTERVAL = 5 minutes;
    uint256 public constant MAX_INTERVAL = 1 days;
    /// @dev A few blocks, so that a slot can be observed at all; at most this part of the interval.
    uint256 public constant MIN_SLACK = 1 minutes;
    uint256 public constant MAX_SLACK_PART = 4;
    uint256 public constant MIN_WINDOW_SLOTS = 12;
    uint256 public constant MAX_WINDOW_SLOTS = 1440;
    uint256 public constant MIN_RETURN_BPS = 100;
    uint256 public constant MAX_RETURN_BPS = 5000;
    uint256 public constant MAX_OBSERVATION_AGE = 2 days;
    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 10_000;
    uint256 private constant WAD_PER_PPM = 1e12;

    IPriceOracle public immutable oracle;
    uint256 public immutable interval;
    uint256 public immutable slack;
    uint256 public immutable windowSlots;
    uint256 public immutable minReturns;
    uint256 public immutable maxReturnWad;
    uint256 public immutable maxObservationAge;
    uint256 private immutable _count;
    /// @dev Tenor i in bits 32 i to 32 i + 31: reading one costs no storage.
    uint256 private immutable _packedTenors;

    uint40 public markedAt;
    VolatilitySurface.Packed private _marks;
    RealisedVariance.Ring private _ring;

    constructor(
        Setup memory setup,
        uint32[] memory tenors_,
        VolatilitySmile.Mark[] memory marks_,
        Limits memory limits_
    ) VolatilityLimits(setup.owner, setup.guardian, setup.poster, limits_) {
        if (address(setup.oracle) == address(0)) revert ZeroAddress();
        Bounds.requireWithin("interval", setup.interval, MIN_INTERVAL, MAX_INTERVAL);
        Bounds.requireWithin("slack", setup.slack, MIN_SLACK, setup.interval / MAX_SLACK_PART);
        Bounds.requireWithin("windowSlots", setup.windowSlots, MIN_WINDOW_SLOTS, MAX_WINDOW_SLOTS);
        Bounds.requireWithin("minReturns", setup.minReturns, setup.windowSlots / 4, setup.windowSlots);
        Bounds.requireWithin("maxReturnBps", setup.maxReturnBps, MIN_RETURN_BPS, MAX_RETURN_BPS);
        Bounds.requireWithin(
            "maxObservationAge", setup.maxObservationAge, setup.interval + setup.slack, MAX_OBSERVATION_AGE
        );
        oracle = setup.oracle;
        (interval, slack) = (setup.interval, setup.slack);
        (windowSlots, minReturns) = (setup.windowSlots, setup.minReturns);
        maxReturnWad = setup.maxReturnBps * WAD_PER_BPS;
        maxObservationAge = setup.maxObservationAge;
        _count = tenors_.length;
        _packedTenors = _packed(tenors_);
        if (marks_.length != tenors_.length) revert WrongNumberOfMarks(marks_.length, tenors_.length);
        for (uint256 i; i < marks_.length; ++i) {
            _checkMark(marks_, i);
        }
        _marks = VolatilitySurface.pack(marks_);
        markedAt = uint40(block.timestamp);
        emit Posted(address(0), marks_, 0);
    }

    // ---------------------------------------------------------------- poster

    /// @inheritdoc IVolatilityOracle
    function post(VolatilitySmile.Mark[] calldata marks, uint256 deadline) external {
        if (msg.sender != poster) revert NotPoster(msg.sender);
        if (frozen) revert MarksFrozen();
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        Limits memory limits_ = _limits;
        uint256 earliest = uint256(markedAt) + limits_.minPostInterval;
        if (block.timestamp < earliest) revert PostTooSoon(block.timestamp, earliest);
        if (marks.length != _count) revert WrongNumberOfMarks(marks.length, _count);
        VolatilitySmile.Mark[] memory next = marks;
        VolatilitySurface.Packed memory present = _marks;
        uint256 maxStepWad = uint256(limits_.maxStepBps) * WAD_PER_BPS;
        uint256 moveWad;
        for (uint256 i; i < next.length; ++i) {
            _checkMark(next, i);
            uint256 move = VolatilitySmile.moveWadUp(present.markAt(i), next[i]);
            if (move > maxStepWad) revert StepTooLarge(_tenor(i), move, maxStepWad);
            moveWad = Math.max(moveWad, move);
        }
        _marks = VolatilitySurface.pack(next);
        // The greatest of the tenors' moves bounds each of them, so one bucket serves all.
        _moves.charge(_capacityWad(), moveWad, WAD);
        markedAt = uint40(block.timestamp);
        emit Posted(msg.sender, next, moveWad);
    }

    // ---------------------------------------------------------------- anyone

    /// @inheritdoc IVolatilityOracle
    function observe() external {
        uint256 priceWad = oracle.priceWad();
        _ring.append(RealisedVariance.Grid(interval, slack, windowSlots, maxReturnWad), priceWad);
        emit Observed(block.timestamp / interval, priceWad, _ring.realisedWad);
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

    /// @inheritdoc IVolatilityOracle
    function moveBudget() external view returns (uint256 leftWad, uint256 capacityWad) {
        capacityWad = _capacityWad();
        leftWad = _moves.leftWadDown(capacityWad);
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

    function _tenor(uint256 i) private view returns (uint256) {
        return VolatilitySurface.tenorAt(_packedTenors, i);
    }

    function _lastTenor() private view returns (uint256) {
        return _tenor(_count - 1);
    }

    // ---------------------------------------------------------------- writing

    /// @dev Mark i by itself and against the tenor before it.
    function _checkMark(VolatilitySmile.Mark[] memory marks, uint256 i) private view {
        VolatilitySmile.Mark memory mark = marks[i];
        Bounds.requireWithin("levelPpm", mark.levelPpm, MIN_LEVEL_PPM, MAX_LEVEL_PPM);
        Bounds.requireWithin("convexityBps", mark.convexityBps, MIN_CONVEXITY_BPS, MAX_CONVEXITY_BPS);
        Bounds.requireWithin("|skewBps|", SignedMath.abs(mark.skewBps), 0, MAX_SKEW_BPS);
        VolatilitySmile.requireNoButterfly(mark, _tenor(i));
        if (i != 0) VolatilitySmile.requireNoCalendar(marks[i - 1], _tenor(i - 1), mark, _tenor(i));
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
