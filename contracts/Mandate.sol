// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {LossBudget} from "./libraries/LossBudget.sol";

/// @title Mandate
/// @notice The limits on any keeper and the roles that may change them.
///
/// What holds: every limit stays within the hard bounds below, whoever sets it. The upper ones cap what a curator's mistake or
/// a stolen owner key can allow a keeper; the lower ones stop a guardian from tightening until no protective swap is possible:
/// the market may be a feed's whole deviation threshold (0.5 %) below the oracle, and a pool takes up to 0.3 % on top.
///
/// Roles: `owner` (two-step transfer, cannot be renounced), `guardian` (can only make things safer), keepers.
abstract contract Mandate is Ownable2Step, IMandate, IVault {
    using LossBudget for LossBudget.Bucket;

    uint256 public constant MIN_HEALTH_FLOOR_WAD = 1.01e18;
    uint256 public constant MIN_HEALTH_CEILING_WAD = 10e18;
    uint256 public constant SWAP_LOSS_FLOOR_BPS = 100;
    uint256 public constant SWAP_LOSS_CEILING_BPS = 300;
    uint256 public constant LOSS_FLOOR_BPS = 100;
    uint256 public constant LOSS_CEILING_BPS = 500;
    uint256 public constant LOSS_PER_DAY_FLOOR_BPS = 100;
    uint256 public constant LOSS_PER_DAY_CEILING_BPS = 2000;
    uint256 public constant BORROW_CEILING_BPS = 9300;

    uint256 private constant WAD_PER_BPS = 1e14;

    Limits private _limits;
    LossBudget.Bucket internal _bucket;
    /// @inheritdoc IVault
    mapping(address account => bool) public isKeeper;
    /// @inheritdoc IVault
    address public guardian;
    /// @inheritdoc IVault
    bool public paused;

    modifier onlyGuardianOrOwner() {
        if (msg.sender != guardian && msg.sender != owner()) revert NotGuardian(msg.sender);
        _;
    }

    constructor(address owner_, address guardian_, Limits memory limits_) Ownable(owner_) {
        guardian = guardian_;
        emit GuardianSet(guardian_);
        _writeLimits(limits_);
    }

    // ---------------------------------------------------------------- guardian or owner: safer, at once

    /// @inheritdoc IMandate
    function pause() external onlyGuardianOrOwner {
        paused = true;
        emit PausedSet(true, msg.sender);
    }

    /// @inheritdoc IMandate
    function removeKeeper(address keeper) external onlyGuardianOrOwner {
        isKeeper[keeper] = false;
        emit KeeperSet(keeper, false);
    }

    /// @inheritdoc IMandate
    function setLimits(Limits calldata newLimits) external onlyGuardianOrOwner {
        if (msg.sender != owner() && _loosens(newLimits)) revert LooseningNeedsOwner(msg.sender);
        _writeLimits(newLimits);
    }

    /// @inheritdoc IMandate
    function setLimitsFrom(Limits calldata expected, Limits calldata newLimits) external onlyOwner {
        Limits memory current = _limits;
        if (keccak256(abi.encode(current)) != keccak256(abi.encode(expected))) revert LimitsChanged(current);
        _writeLimits(newLimits);
    }

    // ---------------------------------------------------------------- owner: riskier

    /// @inheritdoc IMandate
    function addKeeper(address keeper) external onlyOwner {
        if (keeper == address(0)) revert ZeroAddress();
        isKeeper[keeper] = true;
        emit KeeperSet(keeper, true);
    }

    /// @inheritdoc IMandate
    function setGuardian(address newGuardian) external onlyOwner {
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    /// @inheritdoc IMandate
    function unpause() external onlyOwner {
        paused = false;
        emit PausedSet(false, msg.sender);
    }

    /// @notice Refused: a paused vault without an owner could never be opened again.
    function renounceOwnership() public pure override {
        revert OwnerRequired();
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVault
    function limits() public view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc IVault
    function owner() public view override(IVault, Ownable) returns (address) {
        return Ownable.owner();
    }

    // ---------------------------------------------------------------- internal

    /// @dev Fraction of NAV the bucket holds when full.
    function _capacityWad() internal view returns (uint256) {
        return _limits.maxLossPerDayBps * WAD_PER_BPS;
    }

    function _loosens(Limits calldata newLimits) private view returns (bool) {
        return newLimits.minHealthWad < _limits.minHealthWad
            || newLimits.maxSwapLossBps > _limits.maxSwapLossBps || newLimits.maxLossBps > _limits.maxLossBps
            || newLimits.maxLossPerDayBps > _limits.maxLossPerDayBps
            || newLimits.maxBorrowBps > _limits.maxBorrowBps;
    }

    function _writeLimits(Limits memory newLimits) private {
        Bounds.requireWithin(
            "minHealthWad", newLimits.minHealthWad, MIN_HEALTH_FLOOR_WAD, MIN_HEALTH_CEILING_WAD
        );
        Bounds.requireWithin(
            "maxSwapLossBps", newLimits.maxSwapLossBps, SWAP_LOSS_FLOOR_BPS, SWAP_LOSS_CEILING_BPS
        );
        Bounds.requireWithin("maxLossBps", newLimits.maxLossBps, LOSS_FLOOR_BPS, LOSS_CEILING_BPS);
        Bounds.requireWithin(
            "maxLossPerDayBps", newLimits.maxLossPerDayBps, LOSS_PER_DAY_FLOOR_BPS, LOSS_PER_DAY_CEILING_BPS
        );
        Bounds.requireWithin("maxBorrowBps", newLimits.maxBorrowBps, 0, BORROW_CEILING_BPS);
        // Time that has passed refills at the capacity that held then, so that a looser limit is not looser backwards.
        uint256 capacityWad = _capacityWad();
        _bucket.settle(capacityWad);
        _limits = newLimits;
        _bucket.shrink(capacityWad, _capacityWad());
        emit LimitsSet(newLimits);
    }
}
