// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdapter, ISwapAdapter} from "../interfaces/IAdapters.sol";
import {IVault} from "../interfaces/IVault.sol";
import {IUniswapV3Pool, IUniswapV3SwapCallback} from "../interfaces/external/IUniswapV3Pool.sol";

/// @title UniswapV3Adapter
/// @notice Exact-input swaps of one vault in one Uniswap v3 pool. The pool pays the vault directly and, in the callback, takes
/// what it is owed directly from the vault: this contract never holds a token, and a partial fill leaves the rest in the vault.
///
/// What holds: the callback pays only the bound pool, only during a swap the vault asked for, only the token sold, and never
/// more than the amount asked for (V-15). The vault approves that amount for the one swap, so nothing else could be taken.
contract UniswapV3Adapter is ISwapAdapter, IUniswapV3SwapCallback {
    using SafeCast for int256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Just inside the price range a pool has (ticks ±887272): the bound on price is the vault's, not the pool's.
    uint160 private constant MIN_SQRT_PRICE = 4_295_128_740;
    uint160 private constant MAX_SQRT_PRICE =
        1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc ISwapAdapter
    address public immutable pool;
    address public immutable asset;
    address public immutable base;
    bool public immutable baseIsToken0;

    /// @dev The swap in progress; empty again when it ends.
    address private transient _sold;
    uint256 private transient _payable;

    error OutputTooLow(uint256 amountOut, uint256 minOut);
    error PoolMismatch(address pool, address token0, address token1);
    error UnexpectedCallback(address caller);
    error UnexpectedPayment(int256 amount0Delta, int256 amount1Delta, address sold, uint256 most);

    /// @param vault_ the one vault this adapter will ever serve
    /// @param pool_ Uniswap v3 pool of the vault's asset and base, in either order
    constructor(address vault_, address pool_) {
        (vault, pool) = (vault_, pool_);
        address asset_ = IVault(vault_).asset();
        address base_ = IVault(vault_).base();
        (asset, base) = (asset_, base_);
        address token0 = IUniswapV3Pool(pool_).token0();
        address token1 = IUniswapV3Pool(pool_).token1();
        baseIsToken0 = token0 == base_;
        bool matches = baseIsToken0 ? token1 == asset_ : token0 == asset_ && token1 == base_;
        if (!matches) revert PoolMismatch(pool_, token0, token1);
    }

    // ---------------------------------------------------------------- vault

    /// @inheritdoc ISwapAdapter
    function swap(address tokenIn, uint256 amountIn, uint256 minOut) external returns (uint256 amountOut) {
        if (msg.sender != vault) revert NotVault(msg.sender);
        if (tokenIn != asset && tokenIn != base) revert TokenNotSupported(tokenIn);
        bool zeroForOne = (tokenIn == base) == baseIsToken0;
        (_sold, _payable) = (tokenIn, amountIn);
        (int256 amount0, int256 amount1) = IUniswapV3Pool(pool)
            .swap(vault, zeroForOne, amountIn.toInt256(), zeroForOne ? MIN_SQRT_PRICE : MAX_SQRT_PRICE, "");
        (_sold, _payable) = (address(0), 0);
        int256 received = -(zeroForOne ? amount1 : amount0);
        amountOut = received.toUint256();
        if (amountOut < minOut) revert OutputTooLow(amountOut, minOut);
    }

    // ---------------------------------------------------------------- pool

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        (address sold, uint256 most) = (_sold, _payable);
        if (msg.sender != pool || sold == address(0)) revert UnexpectedCallback(msg.sender);
        int256 owed = (sold == base) == baseIsToken0 ? amount0Delta : amount1Delta;
        int256 other = (sold == base) == baseIsToken0 ? amount1Delta : amount0Delta;
        if (owed <= 0 || other > 0 || owed.toUint256() > most) {
            revert UnexpectedPayment(amount0Delta, amount1Delta, sold, most);
        }
        (_sold, _payable) = (address(0), 0); // one payment a swap
        IERC20(sold).safeTransferFrom(vault, pool, owed.toUint256());
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAdapter
    function venue() external view returns (address) {
        return pool;
    }

    /// @inheritdoc ISwapAdapter
    function poolState() external view returns (PoolState memory state) {
        state.pool = pool;
        state.feePips = IUniswapV3Pool(pool).fee();
        (state.sqrtPriceX96, state.tick,,,,,) = IUniswapV3Pool(pool).slot0();
        state.liquidity = IUniswapV3Pool(pool).liquidity();
        state.baseIsToken0 = baseIsToken0;
    }
}
