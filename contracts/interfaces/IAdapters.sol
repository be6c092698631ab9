// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IAdapter
/// @notice One venue, bound for life to one vault. Only the vault may move anything; whatever leaves the venue goes to
/// the vault and nowhere else.
interface IAdapter {
    error NotVault(address caller);
    error TokenNotSupported(address token);

    function vault() external view returns (address);
    /// @notice The external contract behind this adapter (Aave pool, Uniswap router).
    function venue() external view returns (address);
}

/// @title ILendingAdapter
interface ILendingAdapter is IAdapter {
    /// @notice One token's position at the venue and the terms it lends under.
    struct TokenPosition {
        address token;
        uint256 supplied; // token units, interest included
        uint256 debt; // token units, interest included
        uint256 ltvBps;
        uint256 liquidationThresholdBps;
        uint256 liquidationBonusBps; // e.g. 10500
        uint256 supplyRateRay; // per year, linear
        uint256 borrowRateRay; // per year, variable
        uint256 available; // liquidity that can be borrowed or withdrawn now, token units
        bool frozenOrPaused;
    }

    /// @notice The whole account as the venue itself values it.
    struct Account {
        uint256 collateralBase; // venue's base currency (USD, 8 decimals for Aave v3)
        uint256 debtBase;
        uint256 healthWad; // type(uint256).max without debt
    }

    /// @notice Pull `amount` of `token` from the vault and supply it as collateral.
    function supply(address token, uint256 amount) external;
    /// @notice Withdraw to the vault; type(uint256).max for all. Returns what the vault received.
    function withdraw(address token, uint256 amount) external returns (uint256 received);
    /// @notice Borrow at the variable rate and send to the vault.
    function borrow(address token, uint256 amount) external returns (uint256 received);
    /// @notice Pull from the vault and repay; at most the debt is taken. Returns what was repaid.
    function repay(address token, uint256 amount) external returns (uint256 repaid);

    function healthWad() external view returns (uint256);
    function account() external view returns (Account memory);
    function positions() external view returns (TokenPosition[] memory);
    /// @notice Supplied and debt of one token, for NAV.
    function balances(address token) external view returns (uint256 supplied, uint256 debt);
    /// @notice How often this adapter has acted on the account in this transaction. While it stays the same, no move has changed
    /// the account: who has measured need not measure again.
    function changes() external view returns (uint256);
}

/// @title ISwapAdapter
interface ISwapAdapter is IAdapter {
    struct PoolState {
        address pool;
        uint24 feePips; // 1e-6
        int24 tick;
        uint160 sqrtPriceX96;
        uint128 liquidity; // in range
        bool baseIsToken0;
    }

    /// @notice Pull `amountIn` of `tokenIn` from the vault, swap in the one bound pool, send the output to the vault.
    function swap(address tokenIn, uint256 amountIn, uint256 minOut) external returns (uint256 amountOut);
    function pool() external view returns (address);
    function poolState() external view returns (PoolState memory);
}
