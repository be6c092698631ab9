// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementOracle} from "../interfaces/ISettlementOracle.sol";
import {IAggregatorProxy} from "../interfaces/external/IAggregatorProxy.sol";
import {SourceReader} from "./SourceReader.sol";

/// @title RoundProof
/// @notice Which Chainlink round was in force at an instant, proven by round ids.
///
/// The rule has one answer for a given instant and newest phase, whoever proves it and when:
/// - the phase is the newest one (not after `newestPhase`) whose first round is at or before the instant;
/// - the round is the last one of that phase at or before the instant: the following round of the phase is after it, or does not
///   exist while a later phase has a round after it.
/// A round that does not exist now cannot turn out to be older than the instant, as rounds carry the time of their block.
///
/// What the proxy does not tell is when it changed its aggregator. An aggregator that answered before the proxy turned to it
/// counts from its first answer.
library RoundProof {
    uint256 private constant PHASE_OFFSET = 64;

    /// @notice What is asked of a feed's rounds.
    /// @param feed Chainlink proxy
    /// @param decimals of the answers; the aggregator of the round's phase must still have as many
    /// @param minAnswer answers must be above
    /// @param maxAnswer and below, at most 2^127
    struct Terms {
        address feed;
        uint8 decimals;
        uint256 minAnswer;
        uint256 maxAnswer;
    }

    error DecimalsChanged(address feed, uint16 phase, uint256 decimals, uint8 pinned);
    error NewerPhase(address feed, uint16 phase, uint256 firstUpdatedAt, uint256 instant);
    error NextNotAfter(address feed, uint80 nextRoundId, uint256 updatedAt, uint256 instant);
    error NotNeighbours(address feed, uint80 roundId, uint80 nextRoundId);
    error PhaseBeyond(address feed, uint16 phase, uint16 newestPhase);
    error RoundAfter(address feed, uint80 roundId, uint256 updatedAt, uint256 instant);
    error RoundFromFuture(address feed, uint80 roundId, uint256 updatedAt, uint256 time);
    error RoundIncomplete(address feed, uint80 roundId, uint80 answeredInRound);
    error RoundMissing(address feed, uint80 roundId);
    error RoundOutOfRange(address feed, uint80 roundId, int256 answer);
    error RoundsReversed(address feed, uint80 roundId, uint256 updatedAt, uint256 laterUpdatedAt);

    /// @notice The answer in force at `instant` and when it was given; reverts unless `rounds` prove it.
    /// @param newestPhase phases after this one do not count
    /// @param instant unix seconds
    function verify(
        Terms memory terms,
        uint16 newestPhase,
        uint256 instant,
        ISettlementOracle.Straddle calldata rounds
    ) internal view returns (uint256 answer, uint256 updatedAt) {
        (address feed, uint80 id) = (terms.feed, rounds.roundId);
        uint16 phase = _phaseOf(id);
        if (phase > newestPhase) revert PhaseBeyond(feed, phase, newestPhase);
        _requireDecimals(feed, phase, terms.decimals);
        SourceReader.Round memory round = _requireRound(feed, id);
        if (round.updatedAt > instant) revert RoundAfter(feed, id, round.updatedAt, instant);
        if (round.answer <= 0) revert RoundOutOfRange(feed, id, round.answer);
        // forge-lint: disable-next-line(unsafe-typecast): positive, checked above
        answer = uint256(round.answer);
        if (answer <= terms.minAnswer || answer >= terms.maxAnswer) {
            revert RoundOutOfRange(feed, id, round.answer);
        }
        if (round.answeredInRound < id) revert RoundIncomplete(feed, id, round.answeredInRound);
        _requireOrderBefore(feed, id, round.updatedAt);
        _requireNext(feed, instant, rounds);
        _requireNoNewerPhase(feed, phase, newestPhase, instant);
        return (answer, round.updatedAt);
    }

    /// @dev The next round of the same phase; or, where the phase ended with this round, any later phase's round.
    function _requireNext(address feed, uint256 instant, ISettlementOracle.Straddle calldata rounds)
        private
        view
    {
        (uint80 id, uint80 nextId) = (rounds.roundId, rounds.nextRoundId);
        bool samePhase = _phaseOf(nextId) == _phaseOf(id);
        if (samePhase ? nextId != id + 1 : _phaseOf(nextId) < _phaseOf(id)) {
            revert NotNeighbours(feed, id, nextId);
        }
        // Two are asked for, so that one empty round in a phase cannot hide those after it.
        if (!samePhase && (_exists(feed, id + 1) || _exists(feed, id + 2))) {
            revert NotNeighbours(feed, id, nextId);
        }
        SourceReader.Round memory next = _requireRound(feed, nextId);
        if (next.updatedAt <= instant) revert NextNotAfter(feed, nextId, next.updatedAt, instant);
        if (next.updatedAt > block.timestamp) {
            revert RoundFromFuture(feed, nextId, next.updatedAt, block.timestamp);
        }
        (bool exists, SourceReader.Round memory afterNext) = _round(feed, nextId + 1);
        if (exists && afterNext.updatedAt < next.updatedAt) {
            revert RoundsReversed(feed, nextId, next.updatedAt, afterNext.updatedAt);
        }
    }

    /// @dev Times that run backwards would let two rounds of one phase pass: neither does.
    function _requireOrderBefore(address feed, uint80 id, uint256 updatedAt) private view {
        // forge-lint: disable-next-line(unsafe-typecast): the round's number is the lower 64 bits
        if (uint64(id) <= 1) return;
        (bool exists, SourceReader.Round memory before) = _round(feed, id - 1);
        if (exists && before.updatedAt > updatedAt) {
            revert RoundsReversed(feed, id - 1, before.updatedAt, updatedAt);
        }
    }

    function _requireNoNewerPhase(address feed, uint16 phase, uint16 newestPhase, uint256 instant)
        private
        view
    {
        for (uint256 later = uint256(phase) + 1; later <= newestPhase; ++later) {
            // forge-lint: disable-next-line(unsafe-typecast): a phase has 16 bits, at most newestPhase
            (bool exists, SourceReader.Round memory first) = _round(feed, uint80(later << PHASE_OFFSET | 1));
            if (exists && first.updatedAt <= instant) {
                // forge-lint: disable-next-line(unsafe-typecast): at most newestPhase
                revert NewerPhase(feed, uint16(later), first.updatedAt, instant);
            }
        }
    }

    /// @dev Of the phase's own aggregator: the proxy answers for the newest one only.
    function _requireDecimals(address feed, uint16 phase, uint8 pinned) private view {
        address aggregator = IAggregatorProxy(feed).phaseAggregators(phase);
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits above 64
        if (aggregator == address(0)) revert RoundMissing(feed, uint80(uint256(phase) << PHASE_OFFSET));
        uint256 decimals = SourceReader.decimalsOf(aggregator);
        if (decimals != pinned) revert DecimalsChanged(feed, phase, decimals, pinned);
    }

    function _requireRound(address feed, uint80 id) private view returns (SourceReader.Round memory round) {
        bool exists;
        (exists, round) = _round(feed, id);
        if (!exists) revert RoundMissing(feed, id);
    }

    function _exists(address feed, uint80 id) private view returns (bool exists) {
        (exists,) = _round(feed, id);
    }

    /// @dev A round that reverts, is all zeros, or answers for another id does not exist. Absence is evidence here: the reader
    /// reverts where a call failed for want of gas.
    function _round(address feed, uint80 id)
        private
        view
        returns (bool exists, SourceReader.Round memory round)
    {
        round = SourceReader.roundOf(feed, id);
        exists = round.readable && round.roundId == id && round.updatedAt != 0;
    }

    function _phaseOf(uint80 id) private pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits are left of 80
        return uint16(id >> PHASE_OFFSET);
    }
}
