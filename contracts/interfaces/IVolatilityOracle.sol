// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VolatilitySmile} from "../libraries/VolatilitySmile.sol";

/// @title IVolatilityOracle
/// @notice Implied volatility by strike and expiry: a keeper's marks, limited in how fast they move, over a floor of realised
/// volatility measured on chain. Annualised, WAD; a year of 365 days.
interface IVolatilityOracle {
    /// @notice What a mark suffers from. `None` is sound; `Stale` and `Frozen` are usable, wider; the rest is unusable.
    enum Fault {
        None,
        Stale, // marks older than maxAge: the spread widens with every second
        Frozen, // posting stopped by guardian or owner: the spread is at its widest
        Expired, // marks older than expireAge
        FloorUnknown, // too few returns in the window, or the last observation is too old
        OutOfRange // strike or forward 0 or too large, expiry not ahead or beyond the last tenor
    }

    /// @notice What is tunable, within hard bounds. One word.
    /// @param minPostInterval seconds between posts, at least
    /// @param maxAge age in seconds beyond which marks are stale
    /// @param expireAge age beyond which they are unusable
    /// @param floorPpm least volatility ever given, in millionths
    /// @param floorRatioBps part of the realised volatility that is a floor too
    /// @param maxStepBps most a post may move the log of any strike's volatility
    /// @param maxPerDayBps capacity of the bucket of such moves, refilled in a day
    /// @param halfSpreadBps low and high are the mid less and plus this part of it
    /// @param staleHalfSpreadBps the same at expireAge, and while frozen
    struct Limits {
        uint32 minPostInterval;
        uint32 maxAge;
        uint32 expireAge;
        uint32 floorPpm;
        uint16 floorRatioBps;
        uint16 maxStepBps;
        uint16 maxPerDayBps;
        uint16 halfSpreadBps;
        uint16 staleHalfSpreadBps;
    }

    /// @notice Everything known about one mark now; volatilities are 0 where the fault makes them unusable.
    struct Reading {
        uint256 lowWad;
        uint256 midWad;
        uint256 highWad;
        uint256 floorWad;
        uint256 realisedWad;
        uint256 halfSpreadBps;
        uint256 markedAt;
        uint256 observedAt;
        uint256 returnsInWindow;
        Fault fault;
    }

    event Frozen(address indexed by);
    event GuardianSet(address indexed guardian);
    event LimitsSet(Limits limits);
    event Observed(uint256 indexed slot, uint256 priceWad, uint256 realisedWad);
    event Posted(address indexed poster, VolatilitySmile.Mark[] marks, uint256 moveWad);
    event PosterSet(address indexed poster);
    event Unfrozen();

    error DeadlinePassed(uint256 deadline, uint256 timestamp);
    error LengthsDiffer(uint256 strikes, uint256 expiries);
    error MarkUnusable(Fault fault, uint256 observed, uint256 bound);
    error MarksFrozen();
    error NotGuardian(address caller);
    error NotPoster(address caller);
    error NotTighter(string parameter, uint256 value, uint256 current);
    error OwnerRequired();
    error PostTooSoon(uint256 timestamp, uint256 earliest);
    error StepTooLarge(uint256 tenor, uint256 moveWad, uint256 maxStepWad);
    error WrongNumberOfMarks(uint256 given, uint256 expected);
    error ZeroAddress();

    /// @notice Volatility of an option: `lowWad` <= `midWad` <= `highWad`, none under the floor. Reverts with `MarkUnusable` on
    /// an unusable fault. For a vault short of options low is the high NAV: deposits at low, redemptions at high; the
    /// other way round where it is long.
    /// @param strike WAD, in the unit of `forward`
    /// @param forward WAD, of the underlying at expiry
    /// @param expiry timestamp, ahead of now by at most the last tenor
    function volWad(uint256 strike, uint256 forward, uint256 expiry)
        external
        view
        returns (uint256 lowWad, uint256 midWad, uint256 highWad);

    /// @notice `volWad` of each pair, bit for bit, for the price of one reading and a few thousand gas a pair. Reverts as
    /// `volWad` does for the first pair that is unusable, and with `LengthsDiffer` unless there is an expiry for each strike.
    /// Strikes and expiries that repeat are cheaper.
    function volsWad(uint256 forward, uint256[] calldata strikes, uint256[] calldata expiries)
        external
        view
        returns (uint256[] memory lowWad, uint256[] memory midWad, uint256[] memory highWad);

    /// @notice The same as `volWad` and how it came about. Never reverts.
    function read(uint256 strike, uint256 forward, uint256 expiry) external view returns (Reading memory);

    /// @notice Greatest of the fixed floor and the part of realised volatility, WAD; meaningful while `floorKnown`.
    function floorWad() external view returns (uint256);

    /// @notice Whether the window holds enough returns and its end is recent.
    function floorKnown() external view returns (bool);

    /// @notice Append the price now to the ring. Open to all, once a slot, within the slack after its start.
    function observe() external;

    /// @notice Replace every tenor's mark, as one. By the poster, not frozen, not after `deadline`, within the step and the
    /// day.
    function post(VolatilitySmile.Mark[] calldata marks, uint256 deadline) external;

    /// @notice Raise the least volatility. Guardian or owner.
    function raiseFloor(uint32 floorPpm) external;

    /// @notice Widen the spreads. Guardian or owner.
    function widen(uint16 halfSpreadBps, uint16 staleHalfSpreadBps) external;

    /// @notice Stop posting and widen at once. Guardian or owner.
    function freeze() external;

    /// @notice Allow posting again. Owner.
    function unfreeze() external;

    /// @notice Replace the limits, within the hard bounds. Owner.
    function setLimits(Limits calldata limits) external;

    /// @notice Owner.
    function setPoster(address poster) external;

    /// @notice Owner.
    function setGuardian(address guardian) external;

    /// @notice The tenors in seconds, and their marks as posted, before the floor.
    function surface()
        external
        view
        returns (uint256[] memory tenors, VolatilitySmile.Mark[] memory marks, uint256 markedAt);

    /// @notice Log-move still allowed now and the capacity of a day, WAD.
    function moveBudget() external view returns (uint256 leftWad, uint256 capacityWad);

    function limits() external view returns (Limits memory);
    function poster() external view returns (address);
    function guardian() external view returns (address);
    function frozen() external view returns (bool);
}
