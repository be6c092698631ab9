// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAggregatorProxy} from "../../../contracts/interfaces/external/IAggregatorProxy.sol";

/// @notice One phase of a feed: rounds numbered from 1; unknown rounds answer zeros (off-chain reporting) or revert (flux).
contract MockAggregator {
    struct Round {
        int256 answer;
        uint256 updatedAt;
        uint64 answeredInRound;
    }

    uint8 public decimals;
    bool public revertsOnUnknown;
    uint256 public burns; // gas, on each reading of a round
    uint64 public latestRound;
    mapping(uint64 => Round) public rounds;

    constructor(uint8 decimals_, bool revertsOnUnknown_) {
        (decimals, revertsOnUnknown) = (decimals_, revertsOnUnknown_);
    }

    function transmit(int256 answer, uint256 updatedAt) external returns (uint64 id) {
        id = ++latestRound;
        rounds[id] = Round(answer, updatedAt, id);
    }

    function setRound(uint64 id, int256 answer, uint256 updatedAt, uint64 answeredInRound) external {
        rounds[id] = Round(answer, updatedAt, answeredInRound);
        if (id > latestRound) latestRound = id;
    }

    function setDecimals(uint8 newDecimals) external {
        decimals = newDecimals;
    }

    function setBurns(uint256 newGas) external {
        burns = newGas;
    }

    function getRoundData(uint80 id) external view returns (uint80, int256, uint256, uint256, uint80) {
        if (burns != 0) {
            uint256 until = gasleft() > burns ? gasleft() - burns : 0;
            while (gasleft() > until) {}
        }
        Round memory round = rounds[uint64(id)];
        require(!revertsOnUnknown || round.updatedAt != 0, "No data present");
        return (id, round.answer, round.updatedAt, round.updatedAt, round.answeredInRound);
    }
}

/// @notice EACAggregatorProxy's way with phases: ids are `phase << 64 | round`, each phase keeps its aggregator, the newest one
/// answers for decimals and the latest round, an unknown phase reverts.
contract MockAggregatorProxy is IAggregatorProxy {
    string public constant description = "mock";
    uint16 public phaseId;
    mapping(uint16 => address) public phaseAggregators;

    constructor(MockAggregator first) {
        confirmAggregator(first);
    }

    function confirmAggregator(MockAggregator next) public {
        phaseAggregators[++phaseId] = address(next);
    }

    function decimals() external view returns (uint8) {
        return MockAggregator(phaseAggregators[phaseId]).decimals();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        uint64 latest = MockAggregator(phaseAggregators[phaseId]).latestRound();
        return getRoundData(uint80(uint256(phaseId) << 64 | latest));
    }

    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answered)
    {
        uint16 phase = uint16(id >> 64);
        (roundId, answer, startedAt, updatedAt, answered) =
            MockAggregator(phaseAggregators[phase]).getRoundData(uint64(id));
        uint80 offset = uint80(uint256(phase) << 64);
        return (offset | roundId, answer, startedAt, updatedAt, offset | answered);
    }
}
