// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessSetup} from "./interfaces/IAccessSetup.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {IVolatilityOracle} from "./interfaces/IVolatilityOracle.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title AccessSetup
/// @notice Who may do what with one vault, and after what delay (V-14).
///
/// What holds after `finish`: riskier functions wait for the curator's delay, within which any guardian can cancel them; safer
/// ones are open at once to guardian, curator and owner; keepers are added and removed by the Mandate alone, so that the
/// curator's delay holds for them too; roles are changed by the owner alone, after its delay. This contract holds nothing.
///
/// Before `finish` nobody holds anything but this contract, and it can do nothing but `finish`.
///
/// What the owner can do, after its delay: everything, a manager without delays included. It cannot be cancelled by a guardian:
/// one that is stolen could keep itself in office for ever. Depositors have that delay to leave.
contract AccessSetup is IAccessSetup {
    uint256 public constant MIN_CURATOR_DELAY = 1 hours;
    uint256 public constant MIN_OWNER_DELAY = 1 days;
    uint256 public constant MAX_DELAY = 30 days;

    /// @inheritdoc IAccessSetup
    AccessManager public immutable manager;
    /// @inheritdoc IAccessSetup
    address public immutable deployer;
    /// @inheritdoc IAccessSetup
    bool public finished;

    constructor() {
        manager = new AccessManager(address(this));
        deployer = msg.sender;
    }

    // ---------------------------------------------------------------- deployer

    /// @inheritdoc IAccessSetup
    function finish(address mandate, address volatilityOracle, Holders calldata holders) external {
        if (msg.sender != deployer) revert NotDeployer(msg.sender);
        if (finished) revert AlreadyFinished();
        finished = true;
        _checkHolders(mandate, holders);
        _checkTargets(mandate, volatilityOracle);

        _labelRoles();
        _wireMandate(mandate, holders.ownerDelay);
        if (volatilityOracle != address(0)) _wireMarks(volatilityOracle, holders.ownerDelay);
        _grant(mandate, holders);
        _leave();
        emit Finished(mandate, volatilityOracle, holders);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAccessSetup
    function curatorFunctions() public pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](8);
        selectors[0] = IMandate.setTerms.selector;
        selectors[1] = IMandate.addKeeper.selector;
        selectors[2] = IMandate.unpause.selector;
        selectors[3] = IMandate.resume.selector;
        selectors[4] = IMandate.setDepositPolicy.selector;
        selectors[5] = IMandate.setFees.selector;
        selectors[6] = IMandate.allow.selector;
        selectors[7] = IMandate.resolveUnhedged.selector;
    }

    /// @inheritdoc IAccessSetup
    function guardianFunctions() public pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](6);
        selectors[0] = IMandate.tighten.selector;
        selectors[1] = IMandate.removeKeeper.selector;
        selectors[2] = IMandate.pause.selector;
        selectors[3] = IMandate.windDown.selector;
        selectors[4] = IMandate.lowerCap.selector;
        selectors[5] = IMandate.disallow.selector;
    }

    /// @inheritdoc IAccessSetup
    function keeperFunctions() public pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](1);
        selectors[0] = IMandate.beat.selector;
    }

    /// @inheritdoc IAccessSetup
    function markCuratorFunctions() public pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = IVolatilityOracle.setLimits.selector;
        selectors[1] = IVolatilityOracle.setPoster.selector;
        selectors[2] = IVolatilityOracle.unfreeze.selector;
    }

    /// @inheritdoc IAccessSetup
    function markGuardianFunctions() public pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = IVolatilityOracle.raiseFloor.selector;
        selectors[1] = IVolatilityOracle.widen.selector;
        selectors[2] = IVolatilityOracle.freeze.selector;
    }

    // ---------------------------------------------------------------- checks

    function _checkHolders(address mandate, Holders calldata holders) private view {
        Bounds.requireWithin("curatorDelay", holders.curatorDelay, MIN_CURATOR_DELAY, MAX_DELAY);
        Bounds.requireWithin(
            "ownerDelay",
            holders.ownerDelay,
            holders.curatorDelay > MIN_OWNER_DELAY ? holders.curatorDelay : MIN_OWNER_DELAY,
            MAX_DELAY
        );
        _requireFit(mandate, holders.owner);
        _requireFit(mandate, holders.curator);
        _requireFit(mandate, holders.guardian);
        // Stolen together, a curator and its guardian are a curator nobody can cancel.
        if (holders.guardian == holders.owner || holders.guardian == holders.curator) {
            revert SameAccount(holders.guardian);
        }
        for (uint256 i; i < holders.keepers.length; ++i) {
            address keeper = holders.keepers[i];
            _requireFit(mandate, keeper);
            // A keeper's key is online: what it holds besides would be online too.
            if (keeper == holders.owner || keeper == holders.curator || keeper == holders.guardian) {
                revert SameAccount(keeper);
            }
            for (uint256 j; j < i; ++j) {
                if (keeper == holders.keepers[j]) revert SameAccount(keeper);
            }
        }
    }

    function _requireFit(address mandate, address account) private view {
        bool unfit = account == address(0) || account == address(this) || account == address(manager)
            || account == mandate;
        if (unfit) revert UnfitAccount(account);
    }

    function _checkTargets(address mandate, address volatilityOracle) private view {
        address authority = IAccessManaged(mandate).authority();
        if (authority != address(manager)) revert NotManaged(mandate, authority);
        if (IMandate(mandate).vault() == address(0)) revert NotBound(mandate);
        if (volatilityOracle == address(0)) return;
        authority = Ownable(volatilityOracle).owner();
        if (authority != address(manager)) revert NotManaged(volatilityOracle, authority);
        authority = IVolatilityOracle(volatilityOracle).guardian();
        if (authority != address(manager)) revert NotManaged(volatilityOracle, authority);
    }

    // ---------------------------------------------------------------- wiring

    /// @dev Names for whoever reads the manager's events.
    function _labelRoles() private {
        manager.labelRole(Roles.CURATOR, "CURATOR");
        manager.labelRole(Roles.KEEPER, "KEEPER");
        manager.labelRole(Roles.GUARDIAN, "GUARDIAN");
        manager.labelRole(Roles.KEEPER_ADMIN, "KEEPER_ADMIN");
    }

    /// @dev The target's own delay comes into force after the manager's set-back (5 days). It is the second line: it holds
    /// rewiring up even if an owner has let in another admin without a delay.
    function _wireMandate(address mandate, uint32 ownerDelay) private {
        manager.setTargetFunctionRole(mandate, curatorFunctions(), Roles.CURATOR);
        manager.setTargetFunctionRole(mandate, guardianFunctions(), Roles.GUARDIAN);
        manager.setTargetFunctionRole(mandate, keeperFunctions(), Roles.KEEPER);
        manager.setTargetAdminDelay(mandate, ownerDelay);
        manager.setRoleGuardian(Roles.CURATOR, Roles.GUARDIAN);
    }

    /// @dev What is not named here (its guardian, its ownership) stays with the owner.
    function _wireMarks(address volatilityOracle, uint32 ownerDelay) private {
        manager.setTargetFunctionRole(volatilityOracle, markCuratorFunctions(), Roles.CURATOR);
        manager.setTargetFunctionRole(volatilityOracle, markGuardianFunctions(), Roles.GUARDIAN);
        manager.setTargetAdminDelay(volatilityOracle, ownerDelay);
    }

    function _grant(address mandate, Holders calldata holders) private {
        manager.grantRole(Roles.CURATOR, holders.curator, holders.curatorDelay);
        // What is safer never waits: whoever may loosen may tighten at once.
        manager.grantRole(Roles.GUARDIAN, holders.guardian, 0);
        manager.grantRole(Roles.GUARDIAN, holders.curator, 0);
        manager.grantRole(Roles.GUARDIAN, holders.owner, 0);
        for (uint256 i; i < holders.keepers.length; ++i) {
            manager.grantRole(Roles.KEEPER, holders.keepers[i], 0);
        }
        manager.grantRole(Roles.KEEPER_ADMIN, mandate, 0);
        manager.setRoleAdmin(Roles.KEEPER, Roles.KEEPER_ADMIN);
        manager.grantRole(Roles.OWNER, holders.owner, holders.ownerDelay);
    }

    function _leave() private {
        manager.renounceRole(Roles.OWNER, address(this));
        for (uint64 role = Roles.OWNER; role <= Roles.KEEPER_ADMIN; ++role) {
            (bool isMember,) = manager.hasRole(role, address(this));
            if (isMember) revert StillHolds(role);
        }
    }
}
