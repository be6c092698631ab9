// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {
    IUniswapV3Pool,
    IUniswapV3SwapCallback
} from "../../../contracts/interfaces/external/IUniswapV3Pool.sol";

/// @notice A pool that trades any amount at one price with a fee, pays first and is paid in the callback, as Uniswap v3 does.
/// The mean tick is what it is told. Faults: it may stop short, demand more than agreed, or call back twice.
contract MockPool is IUniswapV3Pool {
    enum Fault {
        None,
        Overcharges,
        CallsTwice,
        AsksTheOtherToken,
        AsksNothing
    }

    address public immutable token0;
    address public immutable token1;
    uint24 public fee = 500;
    uint128 public liquidity = 1e18;
    uint256 public priceX96; // raw token1 per raw token0
    uint256 public haircutBps; // taken from the output on top of the fee
    uint256 public fillBps = 10_000; // part of the input that is filled
    Fault public fault;
    bool public observeReverts;
    int24 public meanTick;
    uint16 public cardinality = 301; // an observation a block for an hour
    address public hook; // called in the middle of a swap

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
    }

    /// @notice Price as raw `amount1` for raw `amount0`; the mean tick follows.
    function setPrice(uint256 amount0, uint256 amount1) external {
        priceX96 = Math.mulDiv(amount1, 1 << 96, amount0);
        meanTick = TickMath.getTickAtSqrtPrice(uint160(_sqrtPriceX96()));
    }

    /// @notice The pool is pushed; the mean does not follow yet.
    function setSpot(uint256 amount0, uint256 amount1) external {
        priceX96 = Math.mulDiv(amount1, 1 << 96, amount0);
    }

    function setMeanTick(int24 newTick) external {
        meanTick = newTick;
    }

    function setCardinality(uint16 newCardinality) external {
        cardinality = newCardinality;
    }

    function setFee(uint24 newFee) external {
        fee = newFee;
    }

    function setHaircut(uint256 newBps) external {
        haircutBps = newBps;
    }

    function setFill(uint256 newBps) external {
        fillBps = newBps;
    }

    function setFault(Fault newFault) external {
        fault = newFault;
    }

    function setObserveReverts(bool reverts) external {
        observeReverts = reverts;
    }

    function setHook(address newHook) external {
        hook = newHook;
    }

    function swap(address recipient, bool zeroForOne, int256 amountSpecified, uint160, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        require(amountSpecified > 0, "exact input only");
        uint256 paid = Math.mulDiv(uint256(amountSpecified), fillBps, 10_000);
        uint256 net = Math.mulDiv(paid, 1e6 - fee, 1e6);
        uint256 out = zeroForOne ? Math.mulDiv(net, priceX96, 1 << 96) : Math.mulDiv(net, 1 << 96, priceX96);
        out = Math.mulDiv(out, 10_000 - haircutBps, 10_000);
        IERC20(zeroForOne ? token1 : token0).transfer(recipient, out);
        if (hook != address(0)) {
            (bool ok,) = hook.call("");
            require(ok, "hook");
        }
        (amount0, amount1) = zeroForOne ? (int256(paid), -int256(out)) : (-int256(out), int256(paid));
        _collect(zeroForOne, paid, amount0, amount1, data);
    }

    function _collect(bool zeroForOne, uint256 paid, int256 amount0, int256 amount1, bytes calldata data)
        private
    {
        IERC20 tokenIn = IERC20(zeroForOne ? token0 : token1);
        uint256 before = tokenIn.balanceOf(address(this));
        (int256 ask0, int256 ask1) = (amount0, amount1);
        if (fault == Fault.Overcharges) (ask0, ask1) = zeroForOne ? (ask0 + 1, ask1) : (ask0, ask1 + 1);
        if (fault == Fault.AsksTheOtherToken) (ask0, ask1) = (ask1, ask0);
        if (fault == Fault.AsksNothing) (ask0, ask1) = (int256(0), int256(0));
        IUniswapV3SwapCallback(msg.sender).uniswapV3SwapCallback(ask0, ask1, data);
        if (fault == Fault.CallsTwice) {
            IUniswapV3SwapCallback(msg.sender).uniswapV3SwapCallback(ask0, ask1, data);
        }
        require(tokenIn.balanceOf(address(this)) >= before + paid, "IIA");
    }

    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory ticks, uint160[] memory)
    {
        require(!observeReverts, "OLD");
        ticks = new int56[](secondsAgos.length);
        for (uint256 i; i < secondsAgos.length; ++i) {
            ticks[i] = int56(meanTick) * (int56(uint56(block.timestamp)) - int56(uint56(secondsAgos[i])));
        }
        return (ticks, new uint160[](secondsAgos.length));
    }

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        uint160 sqrtPrice = uint160(_sqrtPriceX96());
        return (sqrtPrice, TickMath.getTickAtSqrtPrice(sqrtPrice), 0, cardinality, cardinality, 0, true);
    }

    function _sqrtPriceX96() private view returns (uint256) {
        return Math.sqrt(priceX96 << 96);
    }
}
