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
import {VolatilityMarks} from "./VolatilityMarks.sol";
import {VolatilitySmile} from "./libraries/VolatilitySmile.sol";
import {VolatilitySurface} from "./libraries/VolatilitySurface.sol";

/// @title VolatilityOracle
/// @notice A keeper's volatility marks for fixed tenors, limited in how fast they move, over a floor measured on chain.
///
/// Marks: one smile per tenor (`VolatilitySmile`), all replaced by one `post`, which refuses butterfly arbitrage, wings
/// beyond Lee's bound and total variance that falls with time. Tenors are fixed, so marks do not age into other ones. Between
/// tenors total variance is linear in time at the same strike; before the first, volatility is the first tenor's; beyond the
/// last there is no mark. So total variance never falls with expiry, at any strike; the floor keeps that, being the same for
/// all. How they are read, over which floor and with which spread: `VolatilityMarks`.
///
/// A stolen poster key: a move is measured as the greatest change of log-volatility at any strike and tenor that the change
/// of the three numbers can make. Over any window T the moves sum to at most maxPerDay x (1 + T / 1 day), so in 24 hours no
/// volatility is multiplied or divided by more than e^(2 maxPerDay), nor taken under the floor; a post moves it by at most
/// e^maxStep. A level change of p counts 3/2 p, what it may do at a strike where the smile dips. The thief may also keep
/// marks as they are, never stale. Not charged: at the same strike, time to expiry and the forward move an option along the
/// smile, whoever posts.
///
/// Roles: owner (two-step, cannot be renounced), guardian (raise the floor, widen, freeze), poster. Everything that shapes
/// the floor's measurement and the tenors is fixed at construction. What is assumed: `oracle.priceWad` reverts rather than
/// lie.
contract VolatilityOracle is VolatilityMarks {
    using LossBudget for LossBudget.Bucket;
    using RealisedVariance for RealisedVariance.Ring;
    using VolatilitySurface for VolatilitySurface.Packed;

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

    uint256 public constant MIN_LEVEL_PPM = 50_000; // 5 %
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

    IPriceOracle public immutable oracle;
    uint256 public immutable interval;
    uint256 public immutable slack;
    uint256 public immutable windowSlots;
    uint256 public immutable maxReturnWad;

    constructor(
        Setup memory setup,
        uint32[] memory tenors_,
        VolatilitySmile.Mark[] memory marks_,
        Limits memory limits_
    )
        VolatilityLimits(setup.owner, setup.guardian, setup.poster, limits_)
        VolatilityMarks(tenors_, setup.minReturns, setup.maxObservationAge)
    {
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
        windowSlots = setup.windowSlots;
        maxReturnWad = setup.maxReturnBps * WAD_PER_BPS;
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
    function moveBudget() external view returns (uint256 leftWad, uint256 capacityWad) {
        capacityWad = _capacityWad();
        leftWad = _moves.leftWadDown(capacityWad);
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
}
