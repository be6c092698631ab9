// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ISettlementOracle} from "./interfaces/ISettlementOracle.sol";
import {IAggregatorProxy} from "./interfaces/external/IAggregatorProxy.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {RoundProof} from "./libraries/RoundProof.sol";
import {PairSources} from "./PairSources.sol";

/// @title SettlementOracle
/// @notice Settlement prices of one pair of tokens, each proven once and fixed for ever (V-10).
///
/// What holds: tokens, feeds, pool, decimals, bounds, thresholds, windows and resolver are fixed at construction, under hard
/// bounds; a quarantine lasts at least two days and at most fourteen, whoever is silent. Every step is open to anyone except `propose`, and a proposal can only name a proven price or the middle of two. Nobody can
/// enter a price, and nobody's silence keeps one from being settled.
///
/// Why the middle is the rule without a proposal: one of the two sources is wrong and the contract cannot know which. The middle
/// is wrong by half their difference at most, whichever it is, and whoever bends one source gains half of it at most.
///
/// The sequencer of a rollup matters though everything is proven afterwards: while it is down, feed and pool both stand still, so
/// both sources agree on the price of before the outage, and no age need be exceeded. So `record` asks whether it has been up
/// without a break since `graceSeconds` before the TWAP's window. If not, or if that cannot be read, the instant is
/// quarantined: nobody may enter another price, but people have time to see. An outage between the window and `record` is taken
/// for one inside it, which costs days and not money. `prove` does not ask again: rounds are proven by their times, and what
/// the sequencer does later does not change them.
///
/// What is assumed: feeds are Chainlink proxies with phases; their rounds carry the time of their block; the pool keeps
/// observations from expiry - twapWindow/2 until `record`: room for the window and `MIN_RECORD_WINDOW` at one a block is checked at
/// construction, and a pool's room never shrinks. If they are gone all the same, the instant goes to quarantine.
contract SettlementOracle is ISettlementOracle, PairSources {
    using SafeCast for uint256;

    /// @notice What `PairSources.Sources` says, of which `span` is `twapWindow` + `MIN_RECORD_WINDOW` here.
    /// @param twapWindow seconds, half of them before the instant
    /// @param recordWindow seconds in which the TWAP can be recorded, from expiry + twapWindow/2 on
    /// @param disputeWindow seconds of quarantine in which the resolver may propose
    /// @param choiceDelay seconds between the end of the dispute window and the settlement
    /// @param resolver may propose; zero for nobody
    struct Config {
        address base;
        address quote;
        address baseFeed;
        address quoteFeed;
        uint256 baseMaxAge;
        uint256 quoteMaxAge;
        address pool;
        uint256 twapWindow;
        uint256 recordWindow;
        uint256 maxDeviationBps;
        uint256 disputeWindow;
        uint256 choiceDelay;
        address resolver;
        uint256 baseMinAnswer;
        uint256 baseMaxAnswer;
        uint256 quoteMinAnswer;
        uint256 quoteMaxAnswer;
        uint256 blockTime;
        address sequencerFeed;
        uint256 graceSeconds;
    }

    uint256 public constant MIN_TWAP_WINDOW = 2 minutes;
    uint256 public constant MAX_TWAP_WINDOW = 1 hours;
    uint256 public constant MIN_RECORD_WINDOW = 10 minutes;
    uint256 public constant MAX_RECORD_WINDOW = 1 days;
    uint256 public constant MAX_DEVIATION_BPS = 500;
    uint256 public constant MIN_DISPUTE_WINDOW = 1 days;
    uint256 public constant MAX_DISPUTE_WINDOW = 7 days;
    uint256 public constant MIN_CHOICE_DELAY = 1 days;
    uint256 public constant MAX_CHOICE_DELAY = 7 days;
    /// @notice How long a proof is waited for before the TWAP alone is quarantined.
    uint256 public constant PROOF_WINDOW = 7 days;
    /// @notice How long anything is waited for where there is no TWAP either.
    uint256 public constant VOID_AFTER = 30 days;

    address public immutable resolver;
    uint256 public immutable halfTwapWindow;
    uint256 public immutable recordWindow;
    uint256 public immutable disputeWindow;
    uint256 public immutable choiceDelay;

    mapping(uint64 expiry => Settlement) private _settlements;

    constructor(Config memory config) PairSources(_sourcesOf(config), MAX_DEVIATION_BPS) {
        Bounds.requireWithin("recordWindow", config.recordWindow, MIN_RECORD_WINDOW, MAX_RECORD_WINDOW);
        Bounds.requireWithin("disputeWindow", config.disputeWindow, MIN_DISPUTE_WINDOW, MAX_DISPUTE_WINDOW);
        Bounds.requireWithin("choiceDelay", config.choiceDelay, MIN_CHOICE_DELAY, MAX_CHOICE_DELAY);
        resolver = config.resolver;
        (halfTwapWindow, recordWindow) = (config.twapWindow / 2, config.recordWindow);
        (disputeWindow, choiceDelay) = (config.disputeWindow, config.choiceDelay);
        // A feed without phases could never be proven.
        Bounds.requireWithin("baseFeedPhase", _phase(config.baseFeed), 1, type(uint16).max);
        Bounds.requireWithin("quoteFeedPhase", _phase(config.quoteFeed), 1, type(uint16).max);
    }

    // ---------------------------------------------------------------- anyone

    /// @inheritdoc ISettlementOracle
    function record(uint64 expiry) external returns (uint256 twapWad) {
        Settlement storage settlement = _settlements[expiry];
        if (settlement.recordedAt != 0) revert AlreadyRecorded(expiry, settlement.recordedAt);
        _requireStatus(expiry, Status.Open);
        uint256 earliest = uint256(expiry) + halfTwapWindow;
        _requireNotBefore(earliest);
        uint256 to = block.timestamp - earliest; // seconds since the window ended
        if (to > recordWindow) revert TooLate(block.timestamp, earliest + recordWindow);

        // The pool's ticks do not change between its observations, so the mean of a past window is the same whenever it is read.
        uint256 from = to + 2 * halfTwapWindow;
        twapWad = _twapWadDown(from.toUint32(), to.toUint32());
        if (twapWad == 0) revert TwapUnreadable(pool, from, to);
        settlement.twapWad = twapWad.toUint128();
        settlement.recordedAt = block.timestamp.toUint64();
        settlement.interrupted = _interrupted(expiry);
        (settlement.basePhase, settlement.quotePhase) = (_phase(baseFeed), _phase(quoteFeed));
        emit Recorded(expiry, twapWad, settlement.basePhase, settlement.quotePhase, settlement.interrupted);
    }

    /// @inheritdoc ISettlementOracle
    function prove(uint64 expiry, Straddle calldata baseRounds, Straddle calldata quoteRounds)
        external
        returns (Status)
    {
        Settlement storage settlement = _settlements[expiry];
        bool recorded = settlement.recordedAt != 0;
        bool late = settlement.status == Status.Quarantined && settlement.chainlinkWad == 0;
        if (!late) _requireStatus(expiry, Status.Open);
        if (!recorded) _requireNotBefore(uint256(expiry) + halfTwapWindow + recordWindow + 1);

        (uint256 baseAnswer, uint256 baseAt) = RoundProof.verify(
            _baseTerms(), recorded ? settlement.basePhase : _phase(baseFeed), expiry, baseRounds
        );
        (uint256 quoteAnswer, uint256 quoteAt) = RoundProof.verify(
            _quoteTerms(), recorded ? settlement.quotePhase : _phase(quoteFeed), expiry, quoteRounds
        );
        uint128 chainlinkWad = _checkedPrice(_crossWadDown(baseAnswer, quoteAnswer));
        // Cannot underflow: a proven round is at or before the instant.
        bool stale = expiry - baseAt > baseMaxAge || expiry - quoteAt > quoteMaxAge;
        (settlement.chainlinkWad, settlement.stale) = (chainlinkWad, stale);
        emit Proven(expiry, chainlinkWad, stale, baseRounds, quoteRounds);

        bool sound = recorded && !stale && !settlement.interrupted;
        if (sound && _deviationBpsUp(chainlinkWad, settlement.twapWad) <= maxDeviationBps) {
            _settle(expiry, chainlinkWad, Choice.Chainlink);
            return Status.Settled;
        }
        _quarantine(expiry);
        return Status.Quarantined;
    }

    /// @inheritdoc ISettlementOracle
    function resolve(uint64 expiry) external returns (uint256 priceWad) {
        _requireStatus(expiry, Status.Quarantined);
        Settlement storage settlement = _settlements[expiry];
        _requireNotBefore(settlement.quarantinedAt + disputeWindow + choiceDelay);
        Choice choice = settlement.choice;
        if (choice == Choice.None) {
            if (settlement.chainlinkWad == 0) choice = Choice.Twap;
            else if (settlement.twapWad == 0) choice = Choice.Chainlink;
            else choice = Choice.Midpoint;
        }
        priceWad = _priceOf(expiry, choice);
        _settle(expiry, priceWad, choice);
    }

    /// @inheritdoc ISettlementOracle
    function giveUp(uint64 expiry) external returns (Status) {
        _requireStatus(expiry, Status.Open);
        Settlement storage settlement = _settlements[expiry];
        if (settlement.recordedAt != 0) {
            _requireNotBefore(uint256(expiry) + PROOF_WINDOW);
            _quarantine(expiry);
            return Status.Quarantined;
        }
        _requireNotBefore(uint256(expiry) + VOID_AFTER);
        settlement.status = Status.Void;
        emit Voided(expiry);
        return Status.Void;
    }

    // ---------------------------------------------------------------- resolver

    /// @inheritdoc ISettlementOracle
    function propose(uint64 expiry, Choice choice) external {
        if (msg.sender != resolver) revert NotResolver(msg.sender, resolver);
        _requireStatus(expiry, Status.Quarantined);
        Settlement storage settlement = _settlements[expiry];
        uint256 disputeUntil = settlement.quarantinedAt + disputeWindow;
        if (block.timestamp >= disputeUntil) revert TooLate(block.timestamp, disputeUntil - 1);
        uint256 priceWad = _priceOf(expiry, choice);
        settlement.choice = choice;
        emit Proposed(expiry, choice, priceWad, disputeUntil + choiceDelay);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ISettlementOracle
    function settlementOf(uint64 expiry) external view returns (Settlement memory) {
        return _settlements[expiry];
    }

    /// @inheritdoc ISettlementOracle
    function outcome(uint64 expiry) external view returns (Status, uint256) {
        Settlement storage settlement = _settlements[expiry];
        return (settlement.status, settlement.priceWad);
    }

    /// @inheritdoc ISettlementOracle
    function settlementPriceWad(uint64 expiry) external view returns (uint256) {
        Settlement storage settlement = _settlements[expiry];
        if (settlement.status != Status.Settled) revert NotSettled(expiry, settlement.status);
        return settlement.priceWad;
    }

    // ---------------------------------------------------------------- state

    function _settle(uint64 expiry, uint256 priceWad, Choice choice) private {
        Settlement storage settlement = _settlements[expiry];
        (settlement.status, settlement.priceWad) = (Status.Settled, priceWad.toUint128());
        emit Settled(expiry, priceWad, choice);
    }

    /// @dev A proof that comes late begins the dispute anew, once: afterwards there is nothing left to prove.
    function _quarantine(uint64 expiry) private {
        Settlement storage settlement = _settlements[expiry];
        (settlement.status, settlement.choice) = (Status.Quarantined, Choice.None);
        settlement.quarantinedAt = block.timestamp.toUint64();
        emit Quarantined(expiry, settlement.chainlinkWad, settlement.twapWad, block.timestamp + disputeWindow);
    }

    function _priceOf(uint64 expiry, Choice choice) private view returns (uint256 priceWad) {
        (uint256 chainlinkWad, uint256 twapWad) =
            (_settlements[expiry].chainlinkWad, _settlements[expiry].twapWad);
        if (choice == Choice.Chainlink) priceWad = chainlinkWad;
        if (choice == Choice.Twap) priceWad = twapWad;
        if (choice == Choice.Midpoint && chainlinkWad != 0 && twapWad != 0) {
            priceWad = (chainlinkWad + twapWad) / 2;
        }
        if (priceWad == 0) revert ChoiceUnavailable(expiry, choice);
    }

    function _requireStatus(uint64 expiry, Status expected) private view {
        Status status = _settlements[expiry].status;
        if (status != expected) revert WrongStatus(expiry, status);
    }

    function _requireNotBefore(uint256 earliest) private view {
        if (block.timestamp < earliest) revert TooEarly(block.timestamp, earliest);
    }

    // ---------------------------------------------------------------- prices

    /// @dev Unless the sequencer is known to have been up since `graceSeconds` before the TWAP's window. Cannot underflow: the
    /// instant is hardly past.
    function _interrupted(uint64 expiry) private view returns (bool) {
        (bool readable, bool up, uint256 since) = _sequencer();
        return !readable || !up || since > expiry - halfTwapWindow - graceSeconds;
    }

    function _checkedPrice(uint256 priceWad) private pure returns (uint128) {
        if (priceWad == 0 || priceWad > MAX_PRICE) revert PriceOutOfRange(priceWad, MAX_PRICE);
        return priceWad.toUint128();
    }

    function _phase(address feed) private view returns (uint16) {
        return IAggregatorProxy(feed).phaseId();
    }

    function _baseTerms() private view returns (RoundProof.Terms memory) {
        return RoundProof.Terms(baseFeed, baseFeedDecimals, baseMinAnswer, baseMaxAnswer);
    }

    function _quoteTerms() private view returns (RoundProof.Terms memory) {
        return RoundProof.Terms(quoteFeed, quoteFeedDecimals, quoteMinAnswer, quoteMaxAnswer);
    }

    // ---------------------------------------------------------------- construction

    function _sourcesOf(Config memory config) private pure returns (Sources memory) {
        Bounds.requireWithin("twapWindow", config.twapWindow, MIN_TWAP_WINDOW, MAX_TWAP_WINDOW);
        return Sources({
            base: config.base,
            quote: config.quote,
            baseFeed: config.baseFeed,
            quoteFeed: config.quoteFeed,
            baseMaxAge: config.baseMaxAge,
            quoteMaxAge: config.quoteMaxAge,
            baseMinAnswer: config.baseMinAnswer,
            baseMaxAnswer: config.baseMaxAnswer,
            quoteMinAnswer: config.quoteMinAnswer,
            quoteMaxAnswer: config.quoteMaxAnswer,
            pool: config.pool,
            span: config.twapWindow + MIN_RECORD_WINDOW,
            blockTime: config.blockTime,
            maxDeviationBps: config.maxDeviationBps,
            sequencerFeed: config.sequencerFeed,
            graceSeconds: config.graceSeconds
        });
    }
}
