// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title IAccessSetup
/// @notice Makes the access manager of one vault, wires it, and keeps no power over it.
interface IAccessSetup {
    /// @notice Who holds which role when the set-up ends. The curator may be the owner; all others are different accounts.
    /// @param owner changes roles, after `ownerDelay`; to be a Safe
    /// @param curator makes riskier, after `curatorDelay`
    /// @param guardian makes safer, at once, and cancels what a curator has scheduled
    /// @param keepers move within the mandate; may be empty
    /// @param ownerDelay seconds, at least `curatorDelay`: else an owner could grant a curator without a delay sooner than a
    /// curator could act
    /// @param curatorDelay seconds
    struct Holders {
        address owner;
        address curator;
        address guardian;
        address[] keepers;
        uint32 ownerDelay;
        uint32 curatorDelay;
    }

    error AlreadyFinished();
    error NotBound(address mandate);
    error NotDeployer(address caller);
    error NotManaged(address target, address authority);
    error SameAccount(address account);
    error StillHolds(uint64 role);
    error UnfitAccount(address account);

    event Finished(address indexed mandate, address indexed volatilityOracle, Holders holders);

    /// @notice Wire every restricted function to its role, hand the roles out, and give up every right. Deployer only, once.
    /// @param mandate under this manager and bound to its vault
    /// @param volatilityOracle owned and guarded by this manager; zero for a vault without options
    function finish(address mandate, address volatilityOracle, Holders calldata holders) external;

    function manager() external view returns (AccessManager);
    function deployer() external view returns (address);
    function finished() external view returns (bool);

    /// @notice Selectors of the Mandate that wait for the curator's delay.
    function curatorFunctions() external pure returns (bytes4[] memory);
    /// @notice Selectors of the Mandate that take effect at once.
    function guardianFunctions() external pure returns (bytes4[] memory);
    function keeperFunctions() external pure returns (bytes4[] memory);
    /// @notice Selectors of the VolatilityOracle that wait for the curator's delay, by `AccessManager.execute`.
    function markCuratorFunctions() external pure returns (bytes4[] memory);
    /// @notice Selectors of the VolatilityOracle that take effect at once, by `AccessManager.execute`.
    function markGuardianFunctions() external pure returns (bytes4[] memory);
}
