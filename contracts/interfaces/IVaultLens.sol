// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ILendingAdapter, ISwapAdapter} from "./IAdapters.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {IVault} from "./IVault.sol";

/// @title IVaultLens
/// @notice Everything the keeper needs of a vault, in one eth_call.
interface IVaultLens {
    struct Snapshot {
        uint256 version; // of this struct: 1
        uint256 chainId;
        uint256 blockNumber;
        uint256 timestamp;
        uint256 baseFee; // wei
        address vault;
        address asset; // USDC
        uint8 assetDecimals;
        address base; // WETH
        uint8 baseDecimals;
        uint256 totalShares;
        bool navValid; // false while the price is unusable
        uint256 nav; // asset units, 0 if not valid
        uint256 idleAsset; // asset units held by the vault
        uint256 idleBase;
        bool paused;
        IVault.Limits limits;
        uint256 lossBudgetLeft; // asset units
        uint256 lossBudgetCapacity;
        bool venueReadable; // false if the lending venue reverted
        address lendingAdapter;
        ILendingAdapter.Account account;
        ILendingAdapter.TokenPosition[] positions; // [asset, base]
        bool poolReadable;
        address swapAdapter;
        ISwapAdapter.PoolState pool;
        IPriceOracle.Reading price;
        bool callerIsKeeper;
    }

    /// @notice Never reverts for a real vault: faults are fields. `keeper` is checked against the vault's keepers.
    function snapshot(address vault, address keeper) external view returns (Snapshot memory);
}
