// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {
    IUniswapV3Pool,
    IUniswapV3SwapCallback
} from "../../../contracts/interfaces/external/IUniswapV3Pool.sol";
import {MockToken} from "../mocks/MockToken.sol";

/// @notice A pool with a constant product, a fee, a real price impact and a tick that is remembered: what a position over the whole
/// range is in Uniswap v3. Whoever provided takes everything out again.
contract CurvePool is IUniswapV3Pool {
    struct Change {
        uint256 at;
        int256 cumulative;
        int24 tick;
    }

    address public immutable token0; // the dollar
    address public immutable token1; // base
    uint24 public immutable fee;
    uint128 public constant liquidity = 1e18;
    uint256 public reserve0;
    uint256 public reserve1;
    address public provider;
    Change[] private _changes;

    constructor(address token0_, address token1_, uint24 fee_, uint256 reserve0_, uint256 reserve1_) {
        (token0, token1, fee, provider) = (token0_, token1_, fee_, msg.sender);
        (reserve0, reserve1) = (reserve0_, reserve1_);
        MockToken(token0_).mint(address(this), reserve0_);
        MockToken(token1_).mint(address(this), reserve1_);
        _changes.push(Change(0, 0, _tick()));
    }

    /// @notice Hand the position over.
    function give(address to) external {
        require(msg.sender == provider, "provider only");
        provider = to;
    }

    /// @notice The whole position to its provider.
    function withdraw() external returns (uint256 amount0, uint256 amount1) {
        require(msg.sender == provider, "provider only");
        (amount0, amount1) = (reserve0, reserve1);
        (reserve0, reserve1) = (0, 0);
        IERC20(token0).transfer(provider, amount0);
        IERC20(token1).transfer(provider, amount1);
    }

    /// @notice Arbitrage from outside takes the pool to `amount0` raw dollars for `amount1` raw base.
    function setPrice(uint256 amount0, uint256 amount1) external {
        uint256 next1 = Math.sqrt(Math.mulDiv(reserve0 * reserve1, amount1, amount0));
        uint256 next0 = reserve0 * reserve1 / next1;
        _adjust(token0, reserve0, next0);
        _adjust(token1, reserve1, next1);
        (reserve0, reserve1) = (next0, next1);
        _note();
    }

    function swap(address recipient, bool zeroForOne, int256 amountSpecified, uint160, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        require(amountSpecified > 0, "exact input only");
        uint256 paid = uint256(amountSpecified);
        uint256 net = paid * (1e6 - fee) / 1e6;
        (uint256 into, uint256 from) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        uint256 out = Math.mulDiv(from, net, into + net);
        IERC20(zeroForOne ? token1 : token0).transfer(recipient, out);
        (amount0, amount1) = zeroForOne ? (int256(paid), -int256(out)) : (-int256(out), int256(paid));
        IERC20 tokenIn = IERC20(zeroForOne ? token0 : token1);
        uint256 before = tokenIn.balanceOf(address(this));
        IUniswapV3SwapCallback(msg.sender).uniswapV3SwapCallback(amount0, amount1, data);
        require(tokenIn.balanceOf(address(this)) >= before + paid, "IIA");
        (reserve0, reserve1) = zeroForOne ? (into + paid, from - out) : (from - out, into + paid);
        _note();
    }

    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory cumulatives, uint160[] memory)
    {
        cumulatives = new int56[](secondsAgos.length);
        for (uint256 i; i < secondsAgos.length; ++i) {
            cumulatives[i] = int56(_cumulativeAt(block.timestamp - secondsAgos[i]));
        }
        return (cumulatives, new uint160[](secondsAgos.length));
    }

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (_sqrtPriceX96(), _tick(), 0, 1000, 1000, 0, true);
    }

    function _adjust(address token, uint256 was, uint256 next) private {
        if (next > was) MockToken(token).mint(address(this), next - was);
        else IERC20(token).transfer(address(0xA4B), was - next);
    }

    function _note() private {
        uint256 last = _changes.length - 1;
        if (_changes[last].at == block.timestamp) _changes[last].tick = _tick();
        else _changes.push(Change(block.timestamp, _cumulativeAt(block.timestamp), _tick()));
    }

    function _cumulativeAt(uint256 at) private view returns (int256) {
        uint256 i = _changes.length - 1;
        while (_changes[i].at > at) --i;
        return _changes[i].cumulative + int256(_changes[i].tick) * int256(at - _changes[i].at);
    }

    function _tick() private view returns (int24) {
        return TickMath.getTickAtSqrtPrice(_sqrtPriceX96());
    }

    function _sqrtPriceX96() private view returns (uint160) {
        return uint160(Math.sqrt(Math.mulDiv(reserve1, 1 << 192, reserve0)));
    }
}
