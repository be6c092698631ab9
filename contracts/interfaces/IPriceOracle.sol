// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPair} from "./IPair.sol";

/// @title IPriceOracle
/// @notice The price of the vault's volatile asset (base, WETH) in the vault's asset (quote, USDC).
/// Two Chainlink feeds (base/USD and quote/USD) give the price; a Uniswap v3 TWAP is the second source that
/// must agree within `maxDeviationBps`. On a rollup the sequencer must have been up for a while.
interface IPriceOracle is IPair {
    /// @notice Why a price cannot be used. `None` means usable.
    enum Fault {
        None,
        Unreadable, // the feed, the pool or the sequencer's feed reverted or answered nonsense
        NotPositive, // answer <= 0
        Incomplete, // updatedAt == 0 or answeredInRound < roundId
        Stale, // older than the feed's maxAge, or from the future
        Deviates, // Chainlink and the TWAP differ by more than maxDeviationBps
        OutOfBounds, // answer at or outside the feed's bounds
        SequencerDown, // the rollup's sequencer is down: nobody can trade, and feeds stand still
        SequencerGrace // it is up again, for less than graceSeconds: feeds may not have caught up
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
        uint256 minAnswer; // answers must be above
        uint256 maxAnswer; // and below
    }

    /// @notice The rollup's sequencer as its uptime feed tells it now; no fault where there is none.
    struct SequencerReading {
        address feed; // zero on a chain without one
        bool up;
        uint256 since; // when it went up or down; 0 if unknown
        uint256 graceSeconds;
        Fault fault;
    }

    /// @notice All sources together, never reverting but for want of gas: what the lens shows the keeper.
    struct Reading {
        uint256 priceWad; // quote per one whole base, WAD, rounded down; 0 unless both feeds are readable and positive
        uint256 twapWad; // the same from the pool's TWAP; 0 if unreadable
        uint256 deviationBps; // |priceWad - twapWad| / priceWad, rounded up
        uint256 maxDeviationBps;
        uint32 twapWindow; // seconds
        Fault fault; // first fault found: sequencer, base feed, quote feed, pool
        FeedReading base;
        FeedReading quote;
        SequencerReading sequencer;
    }

    error PriceUnusable(Fault fault, address source, uint256 observed, uint256 bound);

    /// @notice Quote per whole base, WAD; reverts with `PriceUnusable` on any fault.
    function priceWad() external view returns (uint256);

    /// @notice What `read` says, in numbers alone and for little gas: its fault, price and TWAP, and when the base feed last
    /// answered. The price is to be used only without a fault.
    function marks() external view returns (Fault fault, uint256 priceWad, uint256 twapWad, uint256 updatedAt);

    /// @notice Everything known about the price now. Reverts with `TooLittleGas` where a source failed that was not given its
    /// whole gas limit, so that a caller cannot make a sound source look broken; otherwise never.
    function read() external view returns (Reading memory);
}
