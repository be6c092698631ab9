// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Fixture} from "./Fixture.sol";
import {MockAave} from "./mocks/MockAave.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice The vault of `Fixture` over an asset of any number of decimals.
abstract contract DecimalsFixture is Fixture {
    /// @dev One whole unit of the asset, and of the shares.
    uint256 internal one;
    uint256 internal oneShare;

    function _assetDecimals() internal view virtual returns (uint8);

    /// @dev A plain one, unless a test wants another.
    function _newAsset() internal virtual returns (MockToken) {
        return new MockToken("USD", _assetDecimals());
    }

    function setUp() public virtual override {
        vm.warp(1_700_000_000);
        one = 10 ** _assetDecimals();
        usdc = _newAsset();
        weth = new MockToken("WETH", 18);
        ethFeed = new MockFeed(8, "ETH / USD", int256(PRICE * 1e8));
        usdcFeed = new MockFeed(8, "USD / USD", 1e8);
        pool = new MockPool(address(usdc), address(weth));
        pool.setPrice(PRICE * one, 1e18);
        aave = new MockAave();
        aave.list(usdc, usdcFeed);
        aave.list(weth, ethFeed);
        oracle = new PriceOracle(_oracleConfig());
        _deployVault();
        oneShare = 10 ** IERC20Metadata(address(vault)).decimals();
        usdc.mint(address(pool), 1e12 * one);
        weth.mint(address(pool), 1e42);
    }
}
