// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IPair
/// @notice What an oracle pins of the pair it prices: quote per whole base.
interface IPair {
    error CardinalityTooLow(address pool, uint256 cardinality, uint256 least);
    error PoolMismatch(address pool, address token0, address token1);
    error SequencerUnreadable(address sequencerFeed);

    function base() external view returns (address);
    function quote() external view returns (address);
    /// @notice Uniswap v3 pool of base and quote.
    function pool() external view returns (address);
    /// @notice Decimals of the base token, pinned at construction.
    function baseDecimals() external view returns (uint8);
    /// @notice Decimals of the quote token, pinned at construction.
    function quoteDecimals() external view returns (uint8);
}
