// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ILendingAdapter, ISwapAdapter} from "./interfaces/IAdapters.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IVaultLens} from "./interfaces/IVaultLens.sol";

/// @title VaultLens
/// @notice Reads, decides nothing, holds nothing. What a venue or a feed cannot answer becomes a field that says so.
/// @dev The vault, its oracle and its adapters are trusted to answer in their own types or to revert, which is what they do.
contract VaultLens is IVaultLens {
    /// @inheritdoc IVaultLens
    function snapshot(address vault, address keeper) external view returns (Snapshot memory result) {
        IVault v = IVault(vault);
        result.version = 1;
        result.chainId = block.chainid;
        result.blockNumber = block.number;
        result.timestamp = block.timestamp;
        result.baseFee = block.basefee;
        result.callerIsKeeper = v.isKeeper(keeper);
        _readVault(result, v);
        _readNav(result, v);
        _readLending(result, v.lending());
        _readSwapper(result, v.swapper());
        result.price = IPriceOracle(v.oracle()).read();
    }

    function _readVault(Snapshot memory result, IVault v) private view {
        result.vault = address(v);
        result.asset = v.asset();
        result.base = v.base();
        result.assetDecimals = IERC20Metadata(result.asset).decimals();
        result.baseDecimals = IERC20Metadata(result.base).decimals();
        result.totalShares = v.totalSupply();
        result.idleAsset = IERC20(result.asset).balanceOf(address(v));
        result.idleBase = IERC20(result.base).balanceOf(address(v));
        result.paused = v.paused();
        result.limits = v.limits();
    }

    function _readNav(Snapshot memory result, IVault v) private view {
        try v.nav() returns (uint256 nav) {
            (result.navValid, result.nav) = (true, nav);
        } catch {
            return;
        }
        try v.lossBudget() returns (uint256 left, uint256 capacity) {
            (result.lossBudgetLeft, result.lossBudgetCapacity) = (left, capacity);
        } catch {}
    }

    /// @dev Readable only if both the account and the terms are; what did answer is given all the same.
    function _readLending(Snapshot memory result, address lending) private view {
        result.lendingAdapter = lending;
        result.positions = new ILendingAdapter.TokenPosition[](2);
        result.positions[0].token = result.asset;
        result.positions[1].token = result.base;
        if (lending == address(0)) return;
        bool accountRead;
        try ILendingAdapter(lending).account() returns (ILendingAdapter.Account memory account) {
            (result.account, accountRead) = (account, true);
        } catch {}
        try ILendingAdapter(lending).positions() returns (ILendingAdapter.TokenPosition[] memory positions) {
            (result.positions, result.venueReadable) = (positions, accountRead);
        } catch {}
    }

    function _readSwapper(Snapshot memory result, address swapper) private view {
        result.swapAdapter = swapper;
        if (swapper == address(0)) return;
        try ISwapAdapter(swapper).poolState() returns (ISwapAdapter.PoolState memory pool) {
            (result.pool, result.poolReadable) = (pool, true);
        } catch {}
    }
}
