// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAggregatorProxy} from "../interfaces/external/IAggregatorProxy.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";

/// @title SourceReader
/// @notice Reads Chainlink feeds and Uniswap v3 pools that may vanish, revert, burn their gas or answer nonsense: each question is
/// asked with a gas limit, at most the expected words are taken back, and what does not decode is unreadable.
///
/// Nobody can make a sound source look broken by sending little gas: where a question failed for which the whole limit could not
/// be given, the reading reverts with `TooLittleGas` instead of calling the source unreadable.
/// @dev Questions are put together in assembly because a `try` of Solidity cannot catch an answer that does not decode, short of a
/// call to oneself; that would cost 2,500 gas a source and copies of everything.
library SourceReader {
    /// @notice A proxy's answer costs about 40k, an observation deep in a full ring about 120k.
    uint256 internal constant SOURCE_GAS = 500_000;
    /// @dev 64/63 of it, of which a call may take 63/64, and what the question itself costs.
    uint256 internal constant LEAST_GAS = 518_000;
    bytes4 private constant LATEST = IAggregatorV3.latestRoundData.selector;
    bytes4 private constant ROUND = IAggregatorProxy.getRoundData.selector;
    bytes4 private constant DECIMALS = IAggregatorV3.decimals.selector;
    bytes4 private constant OBSERVE = IUniswapV3Pool.observe.selector;

    /// @notice A round as a feed tells it; all zeros unless `readable`. Assembly below relies on the order.
    struct Round {
        bool readable;
        uint80 roundId;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    error TooLittleGas(uint256 left, uint256 needed);

    /// @notice The newest round of a feed.
    function latest(address feed) internal view returns (Round memory) {
        return _round(feed, LATEST, 0, 0x04);
    }

    /// @notice A past round of a feed.
    function roundOf(address feed, uint80 id) internal view returns (Round memory) {
        return _round(feed, ROUND, id, 0x24);
    }

    /// @notice Decimals of a feed; more than a byte where they cannot be read.
    function decimalsOf(address feed) internal view returns (uint256 decimals) {
        uint256 gasBefore = gasleft();
        bytes4 selector = DECIMALS;
        bool readable;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            readable := staticcall(SOURCE_GAS, feed, 0x00, 0x04, 0x00, 0x20)
            readable := and(readable, gt(returndatasize(), 0x1f))
            decimals := mload(0x00)
        }
        if (readable) return decimals;
        _requireGas(gasBefore);
        return type(uint256).max;
    }

    /// @notice The pool's time-weighted mean tick from `from` to `to` seconds ago, rounded towards negative infinity as Uniswap
    /// does.
    /// @param from more than `to`
    function meanTick(address pool, uint32 from, uint32 to)
        internal
        view
        returns (bool readable, int256 tick)
    {
        uint256 gasBefore = gasleft();
        bytes4 selector = OBSERVE;
        bool answered;
        int256 sum;
        assembly ("memory-safe") {
            let question := mload(0x40)
            let answer := add(question, 0xa0)
            mstore(question, selector)
            mstore(add(question, 0x04), 0x20)
            mstore(add(question, 0x24), 2)
            mstore(add(question, 0x44), from)
            mstore(add(question, 0x64), to)
            // Two arrays of two: two offsets, a length, two sums of ticks, a length, two sums that are not needed.
            answered := staticcall(SOURCE_GAS, pool, question, 0x84, answer, 0x100)
            answered := and(answered, gt(returndatasize(), 0xff))
            let first := mload(add(answer, 0x60))
            let last := mload(add(answer, 0x80))
            sum := sub(last, first)
            readable := and(answered, and(eq(mload(answer), 0x40), eq(mload(add(answer, 0x40)), 2)))
            readable := and(readable, and(eq(signextend(6, first), first), eq(signextend(6, last), last)))
        }
        if (!answered) _requireGas(gasBefore);
        if (!readable) return (false, 0);
        int256 window = int256(uint256(from - to));
        tick = sum / window;
        if (sum < 0 && sum % window != 0) --tick;
    }

    // ---------------------------------------------------------------- parts

    function _round(address feed, bytes4 selector, uint256 id, uint256 size)
        private
        view
        returns (Round memory round)
    {
        uint256 gasBefore = gasleft();
        bool answered;
        bool readable;
        assembly ("memory-safe") {
            let words := add(round, 0x20)
            mstore(0x00, selector)
            mstore(0x04, id) // over the end of the selector's word, inside the scratch space
            answered := staticcall(SOURCE_GAS, feed, 0x00, size, words, 0xa0)
            answered := and(answered, gt(returndatasize(), 0x9f))
            // Ids beyond 80 bits are nonsense.
            readable := and(answered, iszero(shr(80, or(mload(words), mload(add(words, 0x80))))))
            mstore(round, readable)
            if iszero(readable) { calldatacopy(words, calldatasize(), 0xa0) } // zeros
        }
        if (!answered) _requireGas(gasBefore);
    }

    function _requireGas(uint256 gasBefore) private pure {
        if (gasBefore < LEAST_GAS) revert TooLittleGas(gasBefore, LEAST_GAS);
    }
}
