// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "./IVault.sol";

/// @title IMandate
/// @notice Who may change what a keeper can do. What makes the vault safer is immediate and open to the guardian; what makes it
/// riskier is the owner's alone (V-14; the owner is meant to be a timelock, the contract has none yet).
interface IMandate {
    error LimitsChanged(IVault.Limits current);
    error LooseningNeedsOwner(address caller);
    error NotGuardian(address caller);
    error OwnerRequired();
    error ZeroAddress();

    /// @notice Change all limits, within the hard bounds. Guardian or owner if none becomes looser, else owner only.
    /// It writes all five, whatever they were meanwhile: what waits before it is executed belongs into `setLimitsFrom`.
    function setLimits(IVault.Limits calldata newLimits) external;

    /// @notice The same for what waits in a timelock or a Safe: refused unless the limits are still `expected`, so that it never
    /// undoes what a guardian tightened meanwhile. Owner only.
    function setLimitsFrom(IVault.Limits calldata expected, IVault.Limits calldata newLimits) external;

    /// @notice Stop deposits and every keeper action that does not reduce risk. Guardian or owner.
    function pause() external;

    /// @notice Owner only.
    function unpause() external;

    /// @notice Take the role from a keeper, at once. Guardian or owner.
    function removeKeeper(address keeper) external;

    /// @notice Give an account the keeper's role. Owner only.
    function addKeeper(address keeper) external;

    /// @notice Replace the guardian; zero for none. Owner only.
    function setGuardian(address newGuardian) external;
}
