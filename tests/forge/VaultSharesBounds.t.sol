// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Mandate} from "../../contracts/Mandate.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {Vault} from "../../contracts/Vault.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice A vault's numbers at the edge: each bound on both sides, each rounding to the unit.
contract VaultSharesBoundsTest is Fixture {
    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(Vault.Config calldata config) external returns (Vault) {
        return new Vault(config);
    }

    function _refused(Vault.Config memory config, bytes memory reason) private {
        vm.expectRevert(reason);
        this.build(config);
    }

    function _outside(string memory what, uint256 value, uint256 least, uint256 most)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(Bounds.OutOfBounds.selector, what, value, least, most);
    }

    function _fresh() private returns (Vault.Config memory config) {
        config = _config();
        Valuation its = new Valuation(oracle);
        config.mandate = new Mandate(manager, its, _terms());
    }

    function test_an_epoch_of_ten_minutes_and_of_thirty_days_is_the_least_and_the_most() external {
        Vault.Config memory config = _fresh();
        config.epochLength = 10 minutes - 1;
        _refused(config, _outside("epochLength", 10 minutes - 1, 10 minutes, 30 days));
        config.epochLength = 30 days + 1;
        _refused(config, _outside("epochLength", 30 days + 1, 10 minutes, 30 days));
        config.epochLength = 10 minutes;
        assertEq(new Vault(config).epochState().dueAt, block.timestamp + 10 minutes);
        config = _fresh();
        config.epochLength = 30 days;
        assertEq(new Vault(config).epochState().dueAt, block.timestamp + 30 days);
    }

    function test_tokens_of_five_and_of_nineteen_decimals_are_refused_by_name() external {
        Vault.Config memory config = _fresh();
        uint8[2] memory wrong = [5, 19];
        for (uint256 i; i < 2; ++i) {
            IERC20Metadata token = IERC20Metadata(address(new MockToken("T", wrong[i])));
            config.asset = token;
            _refused(config, _outside("assetDecimals", wrong[i], 6, 18));
            (config.asset, config.base) = (IERC20Metadata(address(usdc)), token);
            _refused(config, _outside("baseDecimals", wrong[i], 6, 18));
            config.base = IERC20Metadata(address(weth));
        }
    }

    /// Shares have 18 decimals, or six more than the asset where that has many: the seed buys 10^offset shares a unit.
    function test_every_number_of_decimals_has_its_offset() external {
        for (uint8 decimals = 6; decimals <= 18; ++decimals) {
            Vault its = _vaultOf(new MockToken("A", decimals));
            uint8 offset = decimals <= 12 ? 18 - decimals : 6;
            assertEq(its.decimals(), decimals + offset);
            assertEq(its.totalSupply(), 10 ** (decimals + offset), "seed");
            assertEq(its.totalAssets(), 10 ** decimals, "a whole unit");
            assertEq(its.balanceOf(address(0xdEaD)), its.totalSupply(), "nobody's");
            assertEq(its.convertToShares(10 ** decimals), 10 ** (decimals + offset));
            assertEq(its.epochState().highWaterMark, 10 ** decimals * 1e12, "mark");
        }
    }

    function _vaultOf(MockToken asset) private returns (Vault its) {
        MockPool itsPool = new MockPool(address(asset), address(weth));
        itsPool.setPrice(PRICE * 10 ** asset.decimals(), 1e18);
        Vault.Config memory config = _config();
        config.asset = IERC20Metadata(address(asset));
        config.mandate = _mandateOver(asset, itsPool);
        its = new Vault(config);
        asset.mint(address(this), 10 ** asset.decimals());
        asset.approve(address(its), ALL);
        aave.list(asset, usdcFeed);
        AaveV3Adapter itsLending = new AaveV3Adapter(address(its), aave);
        UniswapV3Adapter itsSwapper = new UniswapV3Adapter(address(its), address(itsPool));
        its.setVenues(address(itsLending), address(itsSwapper), address(0));
    }

    function _mandateOver(MockToken asset, MockPool itsPool) private returns (Mandate) {
        PriceOracle.Config memory config = _oracleConfig();
        (config.quote, config.pool) = (address(asset), address(itsPool));
        PriceOracle itsOracle = new PriceOracle(config);
        Valuation itsValuation = new Valuation(itsOracle);
        return new Mandate(manager, itsValuation, _terms());
    }

    /// What the last settlement is said to be worth falls with an exit, and is rounded down.
    function testFuzz_an_exit_takes_its_part_of_the_settled_value(uint96 assets, uint256 shares) external {
        assets = uint96(bound(assets, 1e6, 1e15));
        uint256 held = _deposit(alice, assets);
        _settle();
        vm.prank(guardian);
        mandate.windDown();
        shares = bound(shares, 1, held);
        (uint256 whole, uint256 nav) = (vault.totalSupply() + 1e12, vault.totalAssets());
        vm.prank(alice);
        vault.exitInKind(shares, alice);
        assertEq(vault.totalAssets(), Math.mulDiv(nav, whole - shares, whole));
        assertEq(vault.totalSupply() + 1e12, whole - shares);
    }

    /// A request of everything the cap leaves is taken, and one unit more is not.
    function testFuzz_the_cap_is_reached_to_the_unit(uint96 cap, uint96 first) external {
        cap = uint96(bound(cap, 3e6, 1e20));
        first = uint96(bound(first, 1, cap - 1e6 - 1));
        IVaultShares.DepositPolicy memory policy;
        (policy.cap, policy.minimum) = (cap, 1);
        _asCurator(abi.encodeCall(mandate.setDepositPolicy, (policy)));
        _request(alice, first);
        uint256 room = cap - 1e6 - first; // the seed is in already
        usdc.mint(mallory, room + 1);
        vm.startPrank(mallory);
        usdc.approve(address(vault), ALL);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.CapExceeded.selector, room + 1, room));
        vault.requestDeposit(room + 1, mallory, mallory);
        vault.requestDeposit(room, mallory, mallory);
        vm.stopPrank();
        assertEq(vault.epochState().pendingDeposits, uint256(first) + room);
    }
}
