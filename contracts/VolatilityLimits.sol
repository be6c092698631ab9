// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IVolatilityOracle} from "./interfaces/IVolatilityOracle.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {LossBudget} from "./libraries/LossBudget.sol";

/// @title VolatilityLimits
/// @notice The limits on any poster of volatility marks and the roles that may change them.
///
/// What holds: every limit stays within the hard bounds below, whoever sets it. Roles: `owner` (two-step transfer, cannot be
/// renounced), `guardian` (can only raise the floor, widen and freeze), `poster`.
abstract contract VolatilityLimits is Ownable2Step, IVolatilityOracle {
    using LossBudget for LossBudget.Bucket;

    uint256 public constant MIN_POST_INTERVAL = 1 minutes;
    uint256 public constant MAX_POST_INTERVAL = 1 days;
    uint256 public constant MIN_MAX_AGE = 10 minutes;
    uint256 public constant MAX_MAX_AGE = 2 days;
    uint256 public constant MAX_EXPIRE_AGE = 7 days;
    uint256 public constant MIN_FLOOR_PPM = 50_000; // 5 %
    uint256 public constant MAX_FLOOR_PPM = 2_000_000; // 200 %
    uint256 public constant MIN_FLOOR_RATIO_BPS = 2500;
    uint256 public constant MAX_FLOOR_RATIO_BPS = 12_500;
    uint256 public constant MIN_STEP_BPS = 10;
    uint256 public constant MAX_STEP_BPS = 2500;
    uint256 public constant MIN_PER_DAY_BPS = 100;
    uint256 public constant MAX_PER_DAY_BPS = 5000;
    uint256 public constant MIN_HALF_SPREAD_BPS = 10;
    uint256 public constant MAX_HALF_SPREAD_BPS = 2500;
    uint256 public constant MAX_STALE_HALF_SPREAD_BPS = 5000;

    uint256 internal constant WAD_PER_BPS = 1e14;

    Limits internal _limits;
    LossBudget.Bucket internal _moves;
    /// @inheritdoc IVolatilityOracle
    address public guardian;
    /// @inheritdoc IVolatilityOracle
    address public poster;
    /// @inheritdoc IVolatilityOracle
    bool public frozen; // in one word with the poster and the time of the last post

    modifier onlyGuardianOrOwner() {
        _requireGuardianOrOwner();
        _;
    }

    constructor(address owner_, address guardian_, address poster_, Limits memory limits_) Ownable(owner_) {
        _setGuardian(guardian_);
        _setPoster(poster_);
        _writeLimits(limits_);
    }

    // ---------------------------------------------------------------- owner: riskier

    /// @inheritdoc IVolatilityOracle
    function setLimits(Limits calldata newLimits) external onlyOwner {
        _writeLimits(newLimits);
    }

    /// @inheritdoc IVolatilityOracle
    function setPoster(address newPoster) external onlyOwner {
        _setPoster(newPoster);
    }

    /// @inheritdoc IVolatilityOracle
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IVolatilityOracle
    function unfreeze() external onlyOwner {
        frozen = false;
        emit Unfrozen();
    }

    /// @notice Refused: frozen marks without an owner would stay frozen.
    function renounceOwnership() public pure override {
        revert OwnerRequired();
    }

    // ---------------------------------------------------------------- guardian or owner: safer, at once

    /// @inheritdoc IVolatilityOracle
    function raiseFloor(uint32 floorPpm) external onlyGuardianOrOwner {
        Limits memory newLimits = _limits;
        if (floorPpm < newLimits.floorPpm) revert NotTighter("floorPpm", floorPpm, newLimits.floorPpm);
        newLimits.floorPpm = floorPpm;
        _writeLimits(newLimits);
    }

    /// @inheritdoc IVolatilityOracle
    function widen(uint16 halfSpreadBps, uint16 staleHalfSpreadBps) external onlyGuardianOrOwner {
        Limits memory newLimits = _limits;
        if (halfSpreadBps < newLimits.halfSpreadBps) {
            revert NotTighter("halfSpreadBps", halfSpreadBps, newLimits.halfSpreadBps);
        }
        if (staleHalfSpreadBps < newLimits.staleHalfSpreadBps) {
            revert NotTighter("staleHalfSpreadBps", staleHalfSpreadBps, newLimits.staleHalfSpreadBps);
        }
        newLimits.halfSpreadBps = halfSpreadBps;
        newLimits.staleHalfSpreadBps = staleHalfSpreadBps;
        _writeLimits(newLimits);
    }

    /// @inheritdoc IVolatilityOracle
    function freeze() external onlyGuardianOrOwner {
        frozen = true;
        emit Frozen(msg.sender);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVolatilityOracle
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    // ---------------------------------------------------------------- internal

    /// @dev Log-moves the bucket holds when full.
    function _capacityWad() internal view returns (uint256) {
        return uint256(_limits.maxPerDayBps) * WAD_PER_BPS;
    }

    function _writeLimits(Limits memory to) private {
        Bounds.requireWithin("minPostInterval", to.minPostInterval, MIN_POST_INTERVAL, MAX_POST_INTERVAL);
        Bounds.requireWithin("maxAge", to.maxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("expireAge", to.expireAge, uint256(to.maxAge) + 1, MAX_EXPIRE_AGE);
        Bounds.requireWithin("floorPpm", to.floorPpm, MIN_FLOOR_PPM, MAX_FLOOR_PPM);
        Bounds.requireWithin("floorRatioBps", to.floorRatioBps, MIN_FLOOR_RATIO_BPS, MAX_FLOOR_RATIO_BPS);
        Bounds.requireWithin("maxStepBps", to.maxStepBps, MIN_STEP_BPS, MAX_STEP_BPS);
        Bounds.requireWithin("maxPerDayBps", to.maxPerDayBps, MIN_PER_DAY_BPS, MAX_PER_DAY_BPS);
        Bounds.requireWithin("halfSpreadBps", to.halfSpreadBps, MIN_HALF_SPREAD_BPS, MAX_HALF_SPREAD_BPS);
        Bounds.requireWithin(
            "staleHalfSpreadBps", to.staleHalfSpreadBps, to.halfSpreadBps, MAX_STALE_HALF_SPREAD_BPS
        );
        // Time that has passed refills at the capacity that held then, so that a looser limit is not looser backwards.
        uint256 capacityWad = _capacityWad();
        uint256 newCapacityWad = uint256(to.maxPerDayBps) * WAD_PER_BPS;
        _moves.settle(capacityWad);
        _moves.shrink(capacityWad, newCapacityWad);
        _limits = to;
        emit LimitsSet(to);
    }

    function _setGuardian(address newGuardian) private {
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    function _setPoster(address newPoster) private {
        poster = newPoster;
        emit PosterSet(newPoster);
    }

    function _requireGuardianOrOwner() private view {
        if (msg.sender != guardian && msg.sender != owner()) revert NotGuardian(msg.sender);
    }
}
