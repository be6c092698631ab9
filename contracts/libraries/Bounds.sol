// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Bounds
/// @notice Hard bounds on parameters: nobody, not even the owner, can set a value outside them.
library Bounds {
    error OutOfBounds(string parameter, uint256 value, uint256 least, uint256 most);
    error SignedOutOfBounds(string parameter, int256 value, int256 least, int256 most);

    /// @notice Reverts with `OutOfBounds` unless least <= value <= most.
    function requireWithin(string memory parameter, uint256 value, uint256 least, uint256 most)
        internal
        pure
    {
        if (value < least || value > most) revert OutOfBounds(parameter, value, least, most);
    }
}
