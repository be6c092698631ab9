// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Vault} from "../../contracts/Vault.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice Which tokens and oracles a vault can be made of.
contract VaultConstructionTest is Fixture {
    function _vaultOf(MockToken asset, MockToken base, PriceOracle oracle_) private returns (Vault) {
        return new Vault(
            IERC20Metadata(address(asset)),
            IERC20Metadata(address(base)),
            oracle_,
            owner,
            guardian,
            _limits(),
            "",
            ""
        );
    }

    function _oracleOf(MockToken base, MockToken quote) private returns (PriceOracle) {
        MockPool itsPool = new MockPool(address(base), address(quote));
        itsPool.setPrice(1e18, 1e18);
        PriceOracle.Config memory config = _oracleConfig();
        (config.base, config.quote, config.pool) = (address(base), address(quote), address(itsPool));
        return new PriceOracle(config);
    }

    /// Fewer decimals would make the rounding that is forgiven worth something.
    function testFuzz_both_tokens_have_six_to_eighteen_decimals(uint8 assetDecimals, uint8 baseDecimals)
        external
    {
        assetDecimals = uint8(bound(assetDecimals, 0, 18));
        baseDecimals = uint8(bound(baseDecimals, 0, 18));
        MockToken asset = new MockToken("A", assetDecimals);
        MockToken base = new MockToken("B", baseDecimals);
        PriceOracle itsOracle = _oracleOf(base, asset);
        bytes4 outOfBounds = Bounds.OutOfBounds.selector;
        bool allowed = assetDecimals >= 6 && baseDecimals >= 6;
        if (!allowed) vm.expectPartialRevert(outOfBounds);
        _vaultOf(asset, base, itsOracle);
    }

    function test_the_oracle_must_price_this_base_in_this_asset() external {
        MockToken other = new MockToken("OTHER", 18);
        vm.expectRevert(abi.encodeWithSelector(IVault.TokenNotAllowed.selector, address(weth)));
        _vaultOf(usdc, other, oracle);
        vm.expectRevert(abi.encodeWithSelector(IVault.TokenNotAllowed.selector, address(usdc)));
        _vaultOf(other, weth, oracle);
        PriceOracle same = _oracleOf(other, other);
        vm.expectRevert(abi.encodeWithSelector(IVault.TokenNotAllowed.selector, address(other)));
        _vaultOf(other, other, same);
    }
}
