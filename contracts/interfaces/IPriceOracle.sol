// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IPriceOracle
/// @notice The price of the vault's volatile asset (base, WETH) in the vault's asset (quote, USDC).
/// Two Chainlink feeds (base/USD and quote/USD) give the price; a Uniswap v3 TWAP is the second source that
/// must agree within `maxDeviationBps`.
interface IPriceOracle {
    /// @notice Why a price cannot be used. `None` means usable.
    enum Fault {
        None,
        Unreadable, // the feed or the pool reverted or answered nonsense
        NotPositive, // answer <= 0
        Incomplete, // updatedAt == 0 or answeredInRound < roundId
        Stale, // older than the feed's maxAge, or from the future
        Deviates // Chainlink and the TWAP differ by more than maxDeviationBps
    }

    /// @notice One Chainlink feed as read now.
    struct FeedReading {
        address feed;
        string description;
        uint8 decimals;
        uint80 roundId;
        uint80 answeredInRound;
        int256 answer;
        uint256 updatedAt;
        uint256 maxAge; // seconds
        Fault fault;
    }

    /// @notice Both sources together, never reverting: what the lens shows the keeper.
    struct Reading {
        uint256 priceWad; // quote per one whole base, WAD, rounded down; 0 unless both feeds are readable and positive
        uint256 twapWad; // the same from the pool's TWAP; 0 if unreadable
        uint256 deviationBps; // |priceWad - twapWad| / priceWad, rounded up
        uint256 maxDeviationBps;
        uint32 twapWindow; // seconds
        Fault fault; // first fault found: base feed, quote feed, pool
        FeedReading base;
        FeedReading quote;
    }

    error PriceUnusable(Fault fault, address source, uint256 observed, uint256 bound);

    /// @notice Quote per whole base, WAD; reverts with `PriceUnusable` on any fault.
    function priceWad() external view returns (uint256);

    /// @notice Everything known about the price now. Never reverts.
    function read() external view returns (Reading memory);

    function marks() external view returns (Fault fault, uint256 priceWad, uint256 twapWad, uint256 updatedAt);

    function base() external view returns (address);
    function quote() external view returns (address);
    function pool() external view returns (address);
}
