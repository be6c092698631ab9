// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IUniswapV3Pool} from "../../contracts/interfaces/external/IUniswapV3Pool.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockToken} from "./mocks/MockToken.sol";

interface IFactory {
    function createPool(address a, address b, uint24 fee) external returns (address);
}

interface IRealPool is IUniswapV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address to, int24 lower, int24 upper, uint128 amount, bytes calldata data)
        external
        returns (uint256, uint256);
    function increaseObservationCardinalityNext(uint16 next) external;
}

/// @notice Stands where the vault stands, as far as an adapter asks.
contract Holder {
    address public immutable asset;
    address public immutable base;

    constructor(address asset_, address base_) {
        (asset, base) = (asset_, base_);
    }

    function sell(UniswapV3Adapter adapter, address token, uint256 amount, uint256 minOut)
        external
        returns (uint256)
    {
        IERC20(token).approve(address(adapter), amount);
        return adapter.swap(token, amount, minOut);
    }
}

/// @notice The adapter and the TWAP against the published bytecode of Uniswap v3, in both orders of the tokens.
contract RealUniswapV3Test is Test {
    string private constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
    uint256 private constant PRICE = 2000;

    MockToken private usdc;
    MockToken private weth;
    IRealPool private pool;
    Holder private holder;
    UniswapV3Adapter private adapter;
    PriceOracle private oracle;
    MockFeed private ethFeed;

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        MockToken(pool.token0()).mint(msg.sender, amount0);
        MockToken(pool.token1()).mint(msg.sender, amount1);
    }

    function _deploy(bool baseFirst, bool fullRange) private {
        vm.warp(1_700_000_000);
        usdc = new MockToken("USDC", 6);
        do {
            weth = new MockToken("WETH", 18);
        } while ((address(weth) < address(usdc)) != baseFirst);
        bytes memory code = vm.parseJsonBytes(vm.readFile(FACTORY), ".bytecode");
        address factory;
        assembly {
            factory := create(0, add(code, 32), mload(code))
        }
        pool = IRealPool(IFactory(factory).createPool(address(usdc), address(weth), 500));
        uint256 ratioX192 =
            baseFirst ? Math.mulDiv(PRICE * 1e6, 1 << 192, 1e18) : Math.mulDiv(1e18, 1 << 192, PRICE * 1e6);
        pool.initialize(uint160(Math.sqrt(ratioX192)));
        pool.increaseObservationCardinalityNext(50);
        vm.warp(block.timestamp + 1); // the next change of liquidity writes an observation, and makes the room
        (, int24 tick,,,,,) = pool.slot0();
        int24 centre = tick / 10 * 10;
        (int24 lower, int24 upper) =
            fullRange ? (int24(-887_270), int24(887_270)) : (centre - 1000, centre + 1000);
        pool.mint(address(this), lower, upper, 1e18, "");
        holder = new Holder(address(usdc), address(weth));
        adapter = new UniswapV3Adapter(address(holder), address(pool));
        ethFeed = new MockFeed(8, "ETH / USD", int256(PRICE * 1e8));
        oracle = new PriceOracle(
            PriceOracle.Config({
                base: address(weth),
                quote: address(usdc),
                baseFeed: address(ethFeed),
                quoteFeed: address(new MockFeed(8, "USDC / USD", 1e8)),
                baseMaxAge: 3900,
                quoteMaxAge: 1 days,
                pool: address(pool),
                twapWindow: 300,
                maxDeviationBps: 100,
                baseMinAnswer: 1e8,
                baseMaxAnswer: 1e14,
                quoteMinAnswer: 0.1e8,
                quoteMaxAnswer: 10e8,
                blockTime: 12,
                sequencerFeed: address(0),
                graceSeconds: 0
            })
        );
    }

    /// forge-config: default.fuzz.runs = 200
    function testFuzz_swaps_at_the_pools_price_less_its_fee(bool baseFirst, bool sellsBase, uint256 amount)
        external
    {
        _deploy(baseFirst, true);
        amount = sellsBase ? bound(amount, 1e14, 1e18) : bound(amount, 1e6, 1000e6);
        MockToken sold = sellsBase ? weth : usdc;
        MockToken bought = sellsBase ? usdc : weth;
        sold.mint(address(holder), amount);
        uint256 out = holder.sell(adapter, address(sold), amount, 0);
        assertEq(bought.balanceOf(address(holder)), out);
        assertEq(sold.balanceOf(address(holder)), 0);
        assertEq(usdc.balanceOf(address(adapter)) + weth.balanceOf(address(adapter)), 0);
        uint256 fair = sellsBase ? amount * PRICE / 1e12 : amount * 1e12 / PRICE;
        assertLe(out, fair * 9995 / 10_000 + 1);
        assertGe(out, fair * 9990 / 10_000 - 1); // and little impact
        assertEq(adapter.poolState().baseIsToken0, baseFirst);
        assertEq(adapter.poolState().feePips, 500);
    }

    /// When the pool has no more to give, what was not sold has never left the vault.
    /// forge-config: default.fuzz.runs = 50
    function testFuzz_an_exhausted_pool_leaves_the_rest_with_the_vault(bool baseFirst, bool sellsBase)
        external
    {
        _deploy(baseFirst, false);
        uint256 amount = sellsBase ? 1e30 : 1e18;
        MockToken sold = sellsBase ? weth : usdc;
        sold.mint(address(holder), amount);
        uint256 inPool = sold.balanceOf(address(pool));
        holder.sell(adapter, address(sold), amount, 0);
        uint256 spent = sold.balanceOf(address(pool)) - inPool;
        assertLt(spent, amount);
        assertEq(sold.balanceOf(address(holder)), amount - spent);
        assertEq(sold.balanceOf(address(adapter)), 0);
    }

    /// forge-config: default.fuzz.runs = 50
    function testFuzz_the_twap_is_the_pools_once_the_window_is_observed(bool baseFirst, uint256 wait)
        external
    {
        _deploy(baseFirst, true);
        assertEq(uint8(oracle.read().fault), uint8(IPriceOracle.Fault.Unreadable)); // nothing observed so long ago
        vm.warp(block.timestamp + bound(wait, 300, 3000));
        assertEq(uint8(oracle.read().fault), uint8(IPriceOracle.Fault.None));
        assertLe(oracle.read().deviationBps, 2);
    }

    /// One block's push of the spot does not move the mean within that block, and moves it slowly afterwards.
    /// forge-config: default.fuzz.runs = 50
    function testFuzz_a_push_within_a_block_does_not_reach_the_price(bool baseFirst, bool sellsBase)
        external
    {
        _deploy(baseFirst, true);
        vm.warp(block.timestamp + 600);
        uint256 before = oracle.read().twapWad;
        MockToken sold = sellsBase ? weth : usdc;
        uint256 amount = sellsBase ? 20_000e18 : 20_000_000e6;
        sold.mint(address(holder), amount);
        (, int24 tickBefore,,,,,) = pool.slot0();
        holder.sell(adapter, address(sold), amount, 0);
        (, int24 tickAfter,,,,,) = pool.slot0();
        assertNotEq(tickBefore, tickAfter);
        assertEq(oracle.read().twapWad, before);
        vm.warp(block.timestamp + 300);
        assertNotEq(oracle.read().twapWad, before);
    }

    function test_a_real_pool_pays_nobody_but_a_swap_of_the_vault() external {
        _deploy(true, true);
        weth.mint(address(holder), 1e18);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Adapter.UnexpectedCallback.selector, address(this)));
        adapter.uniswapV3SwapCallback(1, -1, "");
    }
}
