// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Roles
/// @notice Role ids in the AccessManager of a vault. The owner is the manager's own admin (role 0).
library Roles {
    uint64 internal constant OWNER = 0;
    /// @dev Makes riskier what the mandate allows, after a delay.
    uint64 internal constant CURATOR = 1;
    /// @dev Moves within the mandate and beats the heart.
    uint64 internal constant KEEPER = 2;
    /// @dev Makes safer, at once, and nothing else.
    uint64 internal constant GUARDIAN = 3;
    /// @dev Held by the Mandate alone: grants and revokes KEEPER, so that a curator's delay cannot be gone around.
    uint64 internal constant KEEPER_ADMIN = 4;
}
