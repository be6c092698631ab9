// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {IUniswapV3Pool} from "../../contracts/interfaces/external/IUniswapV3Pool.sol";
import {MockToken} from "./mocks/MockToken.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

interface IUniswapFactory {
    function createPool(address a, address b, uint24 fee) external returns (address);
}

interface IObservedPool is IUniswapV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address to, int24 lower, int24 upper, uint128 amount, bytes calldata data)
        external
        returns (uint256, uint256);
    function increaseObservationCardinalityNext(uint16 next) external;
}

/// @notice The recorded mean against the published bytecode of Uniswap v3.
contract RealSettlementTest is SettlementFixture {
    string private constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
    uint160 private constant LEAST_SQRT = 4295128740;

    IObservedPool private real;

    function setUp() public override {
        super.setUp();
        bytes memory code = vm.parseJsonBytes(vm.readFile(FACTORY), ".bytecode");
        address factory;
        assembly {
            factory := create(0, add(code, 32), mload(code))
        }
        real = IObservedPool(IUniswapFactory(factory).createPool(address(weth), address(usdc), 500));
        bool wethFirst = address(weth) < address(usdc);
        uint256 ratioX192 =
            wethFirst ? Math.mulDiv(2000e6, 1 << 192, 1e18) : Math.mulDiv(1e18, 1 << 192, 2000e6);
        real.initialize(uint160(Math.sqrt(ratioX192)));
        real.increaseObservationCardinalityNext(201);
        real.mint(address(this), -887_270, 887_270, 1e18, "");
        vm.warp(block.timestamp + 1);
        _push(1e19); // an observation that makes the room
        SettlementOracle.Config memory config = _config();
        config.pool = address(real);
        oracle = new SettlementOracle(config);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        MockToken(real.token0()).mint(msg.sender, amount0);
        MockToken(real.token1()).mint(msg.sender, amount1);
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        if (amount0 > 0) MockToken(real.token0()).mint(msg.sender, uint256(amount0));
        if (amount1 > 0) MockToken(real.token1()).mint(msg.sender, uint256(amount1));
    }

    function _push(uint256 amount) private {
        bool zeroForOne = address(weth) < address(usdc); // WETH is sold
        uint160 limit = zeroForOne ? LEAST_SQRT : 1461446703485210103287273052203988822378723970341;
        real.swap(address(this), zeroForOne, int256(amount), limit, "");
    }

    function test_a_quiet_pool_records_its_price_and_settles_with_the_feeds() external {
        _rounds(2000);
        _record();
        assertApproxEqRel(oracle.settlementOf(EXPIRY).twapWad, 2000e18, 1.5e15);
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Settled));
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_what_is_recorded_does_not_depend_on_when(uint256 before, uint256 during, uint256 delay)
        external
    {
        vm.warp(EXPIRY - 10 minutes);
        _push(bound(before, 1e18, 1e21));
        vm.warp(EXPIRY + bound(delay, 1, HALF - 1));
        _push(bound(during, 1e18, 1e21));
        vm.warp(EXPIRY + HALF);
        uint256 snapshot = vm.snapshotState();
        uint256 first = oracle.record(EXPIRY);
        vm.revertToState(snapshot);
        _push(1e20); // in the block of the earliest record, and in some after it
        for (uint256 i; i < 4; ++i) {
            vm.warp(block.timestamp + bound(delay, 1, HALF));
            _push(1e20);
        }
        assertEq(oracle.record(EXPIRY), first);
    }

    /// Too few observations: nothing is recorded, and the price waits in quarantine for Chainlink alone.
    function test_observations_that_were_overwritten_leave_one_source() external {
        _rounds(2000);
        for (uint256 i; i < 230; ++i) {
            vm.warp(EXPIRY + i * 3);
            _push(1e19);
        }
        vm.warp(EXPIRY + HALF);
        vm.expectPartialRevert(ISettlementOracle.TwapUnreadable.selector);
        oracle.record(EXPIRY);
        vm.warp(EXPIRY + HALF + 1 hours + 1);
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Quarantined));
    }
}
