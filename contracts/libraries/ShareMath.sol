// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ShareMath
/// @notice Shares and assets at one NAV, with virtual shares and one virtual unit of asset: a donation before the first deposit
/// costs its giver more than it takes from anybody. Every conversion rounds in favour of the vault (V-02).
library ShareMath {
    /// @param supply shares that exist
    /// @param nav asset units
    /// @param virtualShares 10 to the share's decimals above the asset's
    function toSharesDown(uint256 assets, uint256 supply, uint256 nav, uint256 virtualShares)
        internal
        pure
        returns (uint256)
    {
        return Math.mulDiv(assets, supply + virtualShares, nav + 1);
    }

    /// @notice As `toSharesDown`, the other way.
    function toAssetsDown(uint256 shares, uint256 supply, uint256 nav, uint256 virtualShares)
        internal
        pure
        returns (uint256)
    {
        return Math.mulDiv(shares, nav + 1, supply + virtualShares);
    }
}
