// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Mandate} from "../../contracts/Mandate.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {Vault} from "../../contracts/Vault.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {BookValue} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice Which tokens and oracles a vault can be made of.
contract VaultConstructionTest is Fixture {
    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(Vault.Config calldata config) external returns (Vault) {
        return new Vault(config);
    }

    function buildValuation(IPriceOracle oracle_) external returns (Valuation) {
        return new Valuation(oracle_);
    }

    function _mandateOf(PriceOracle oracle_) private returns (Mandate) {
        return new Mandate(manager, new Valuation(IPriceOracle(address(oracle_))), _terms());
    }

    function _configOf(MockToken asset, MockToken base, Mandate mandate_)
        private
        view
        returns (Vault.Config memory config)
    {
        config = _config();
        config.asset = IERC20Metadata(address(asset));
        config.base = IERC20Metadata(address(base));
        config.mandate = mandate_;
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
        // Its valuation refuses them first; a vault of another oracle's mandate, itself.
        bool fit = assetDecimals >= 6 && baseDecimals >= 6;
        if (!fit) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        Valuation itsValuation = this.buildValuation(itsOracle);
        Mandate its = fit ? new Mandate(manager, itsValuation, _terms()) : _mandateOf(oracle);
        Vault.Config memory config = _configOf(asset, base, its);
        if (!fit) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    function test_the_oracle_must_price_this_base_in_this_asset() external {
        MockToken other = new MockToken("OTHER", 18);
        Mandate its = _mandateOf(oracle);
        Vault.Config memory config = _configOf(usdc, other, its);
        vm.expectRevert(abi.encodeWithSelector(IValuation.TokenNotAllowed.selector, address(other)));
        this.build(config);
        config = _configOf(other, weth, its);
        vm.expectRevert(abi.encodeWithSelector(IValuation.TokenNotAllowed.selector, address(other)));
        this.build(config);
        config = _configOf(other, other, _mandateOf(_oracleOf(other, other)));
        vm.expectRevert(abi.encodeWithSelector(IVault.TokenNotAllowed.selector, address(other)));
        this.build(config);
    }

    /// A mandate is one vault's for ever: a second vault cannot be built on it.
    function test_a_mandate_and_a_valuation_serve_one_vault() external {
        Vault.Config memory config = _config();
        vm.expectRevert(abi.encodeWithSelector(IValuation.AlreadyBound.selector, address(vault)));
        this.build(config);
        config.mandate = new Mandate(manager, valuation, _terms());
        vm.expectRevert(abi.encodeWithSelector(IValuation.AlreadyBound.selector, address(vault)));
        this.build(config);
    }

    function testFuzz_an_epoch_is_neither_a_moment_nor_a_year(uint256 length) external {
        Vault.Config memory config = _config();
        config.mandate = _mandateOf(oracle);
        config.epochLength = bound(length, 0, 60 days);
        bool fit = config.epochLength >= 10 minutes && config.epochLength <= 30 days;
        if (!fit) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    // ---------------------------------------------------------------- venues

    function test_venues_are_bound_once_by_the_deployer_and_only_to_adapters_of_this_vault() external {
        Vault.Config memory config = _config();
        config.mandate = _mandateOf(oracle);
        Vault other = new Vault(config);
        usdc.mint(address(this), 1e6);
        usdc.approve(address(other), 1e6);
        vm.expectRevert(
            abi.encodeWithSelector(IValuation.VenueMismatch.selector, address(lending), address(vault))
        );
        other.setVenues(address(lending), address(swapper), address(0));
        address itsLending = address(new AaveV3Adapter(address(other), aave));
        vm.expectRevert(
            abi.encodeWithSelector(IValuation.VenueMismatch.selector, address(swapper), address(vault))
        );
        other.setVenues(itsLending, address(swapper), address(0));
        address itsSwapper = address(new UniswapV3Adapter(address(other), address(pool)));
        vm.expectRevert(
            abi.encodeWithSelector(IValuation.VenueMismatch.selector, address(lending), address(vault))
        );
        other.setVenues(itsLending, itsSwapper, address(lending)); // nor a desk of another's
        vm.expectRevert(abi.encodeWithSelector(IVault.NotDeployer.selector, owner));
        vm.prank(owner);
        other.setVenues(itsLending, itsSwapper, address(0));
        other.setVenues(itsLending, itsSwapper, address(0));
        vm.expectRevert(IVault.VenuesAlreadySet.selector);
        other.setVenues(itsLending, itsSwapper, address(0));
    }

    function test_nothing_happens_before_the_venues_are_set() external {
        Vault.Config memory config = _config();
        config.mandate = _mandateOf(oracle);
        Vault fresh = new Vault(config);
        assertTrue(fresh.depositsHalted());
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        fresh.requestDeposit(1e6, address(this), address(this));
        _wait(1 days);
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        fresh.settle();
        vm.expectRevert(IVault.VenuesNotSet.selector);
        fresh.protect();
        vm.expectRevert(IVault.VenuesNotSet.selector);
        fresh.rebalance(IVault.Intent(0, 0, 0, 0), new IVault.Move[](0));
        vm.expectRevert(IVault.VenuesNotSet.selector);
        fresh.checkHedge();
        vm.expectRevert(IVault.NotWindingDown.selector);
        fresh.exitInKind(1, address(this));
    }

    function testFuzz_only_its_mandate_gives_a_valuation_its_venues(address who) external {
        vm.assume(who != address(mandate));
        vm.expectRevert(abi.encodeWithSelector(IValuation.NotMandate.selector, who));
        vm.prank(who);
        valuation.setVenues(address(lending), address(swapper), address(0));
        assertEq(valuation.lending(), address(lending));
    }

    function testFuzz_without_a_desk_the_book_is_known_and_empty(uint256 priceWad) external view {
        BookValue memory nothing;
        (bool known, BookValue memory book) = valuation.bookAt(priceWad);
        assertTrue(known);
        assertEq(abi.encode(book), abi.encode(nothing));
    }
}
