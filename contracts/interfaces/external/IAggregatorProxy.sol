// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAggregatorV3} from "./IAggregatorV3.sol";

/// @title IAggregatorProxy
/// @notice The part of Chainlink's EACAggregatorProxy that reads the past. A round id is `phase << 64 | aggregator round`: the
/// phase counts the aggregators the proxy has pointed to, each of which numbers its rounds from 1.
interface IAggregatorProxy is IAggregatorV3 {
    /// @notice The phase whose aggregator answers now.
    function phaseId() external view returns (uint16);

    /// @notice The aggregator of a phase, zero if there was none.
    function phaseAggregators(uint16 phase) external view returns (address);

    /// @notice A past round. Unknown rounds revert or answer zeros, depending on the aggregator.
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
