// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ShortString, ShortStrings} from "@openzeppelin/contracts/utils/ShortStrings.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IAggregatorV3} from "./interfaces/external/IAggregatorV3.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {SourceReader} from "./libraries/SourceReader.sol";
import {PairSources} from "./PairSources.sol";

/// @title PriceOracle
/// @notice Quote per whole base from two Chainlink feeds, believed only while a Uniswap v3 TWAP agrees (V-07).
///
/// What holds: everything is fixed at construction, under hard bounds; nobody can change a feed, an age, a bound or a threshold.
/// Decimals are pinned: a feed that later answers with other decimals is `Unreadable`, never rescaled.
///
/// What may fail: a feed or the pool may vanish, revert, burn its gas or answer nonsense. Each is read with a gas limit
/// (`SourceReader`), so `read` names the fault instead of reverting.
///
/// On a rollup: while the sequencer is down nobody can trade or answer, and feed and pool agree on a price of before; when it
/// comes back, whoever is first would trade at that price. So a price is unusable until the sequencer has been up for
/// `graceSeconds`. An uptime feed that cannot be read is a fault: it fails shut.
///
/// What is assumed: Chainlink answers are positive integers below 2^127; a pool with room for observations over `twapWindow` at
/// one a block (checked at construction, and a pool's room never shrinks) has filled it, or the price is `Unreadable`; its mean
/// tick is rounded towards negative infinity, as Uniswap does.
contract PriceOracle is IPriceOracle, PairSources {
    using ShortStrings for ShortString;

    /// @notice What `PairSources.Sources` says, of which `span` is the window here.
    /// @param twapWindow seconds
    struct Config {
        address base;
        address quote;
        address baseFeed;
        address quoteFeed;
        uint256 baseMaxAge;
        uint256 quoteMaxAge;
        address pool;
        uint256 twapWindow;
        uint256 maxDeviationBps;
        uint256 baseMinAnswer;
        uint256 baseMaxAnswer;
        uint256 quoteMinAnswer;
        uint256 quoteMaxAnswer;
        uint256 blockTime;
        address sequencerFeed;
        uint256 graceSeconds;
    }

    /// @dev What is asked of a feed: pinned at construction.
    struct Terms {
        address feed;
        uint8 decimals;
        uint256 maxAge;
        uint256 minAnswer;
        uint256 maxAnswer;
    }

    uint256 public constant MIN_TWAP_WINDOW = 30 seconds;
    uint256 public constant MAX_TWAP_WINDOW = 1 hours;
    uint256 public constant MAX_DEVIATION_BPS = 2000;

    uint32 public immutable twapWindow;
    ShortString private immutable _baseFeedDescription;
    ShortString private immutable _quoteFeedDescription;

    constructor(Config memory config) PairSources(_sourcesOf(config), MAX_DEVIATION_BPS) {
        // forge-lint: disable-next-line(unsafe-typecast): at most 3600, checked in `_sourcesOf`
        twapWindow = uint32(config.twapWindow);
        _baseFeedDescription = _shortened(IAggregatorV3(config.baseFeed).description());
        _quoteFeedDescription = _shortened(IAggregatorV3(config.quoteFeed).description());
    }

    // ---------------------------------------------------------------- price

    /// @inheritdoc IPriceOracle
    function priceWad() external view returns (uint256) {
        (Fault fault, uint256 price,,) = marks();
        if (fault == Fault.None) return price;
        Reading memory reading = read();
        (address source, uint256 observed, uint256 bound) = _evidence(reading);
        revert PriceUnusable(fault, source, observed, bound);
    }

    /// @inheritdoc IPriceOracle
    function marks() public view returns (Fault fault, uint256 price, uint256 twap, uint256 updatedAt) {
        (Fault baseFault, SourceReader.Round memory base_) = _ask(_baseTerms());
        (Fault quoteFault, SourceReader.Round memory quote_) = _ask(_quoteTerms());
        (fault,,) = _sequencerFault();
        if (fault == Fault.None) fault = baseFault == Fault.None ? quoteFault : baseFault;
        price = _priceWadDown(baseFault, base_.answer, quoteFault, quote_.answer);
        twap = _twapWadDown(twapWindow, 0);
        updatedAt = base_.updatedAt;
        if (fault == Fault.None) fault = _poolFault(price, twap);
    }

    /// @inheritdoc IPriceOracle
    function read() public view returns (Reading memory reading) {
        reading.maxDeviationBps = maxDeviationBps;
        reading.twapWindow = twapWindow;
        reading.base = _feedReading(_baseTerms(), _baseFeedDescription);
        reading.quote = _feedReading(_quoteTerms(), _quoteFeedDescription);
        reading.sequencer = _sequencerReading();
        reading.priceWad =
            _priceWadDown(reading.base.fault, reading.base.answer, reading.quote.fault, reading.quote.answer);
        reading.twapWad = _twapWadDown(twapWindow, 0);
        if (reading.priceWad != 0 && reading.twapWad != 0) {
            reading.deviationBps = _deviationBpsUp(reading.priceWad, reading.twapWad);
        }
        reading.fault = reading.sequencer.fault;
        if (reading.fault == Fault.None) reading.fault = reading.base.fault;
        if (reading.fault == Fault.None) reading.fault = reading.quote.fault;
        if (reading.fault == Fault.None) reading.fault = _poolFault(reading.priceWad, reading.twapWad);
    }

    // ---------------------------------------------------------------- reading

    function _baseTerms() private view returns (Terms memory) {
        return Terms(baseFeed, baseFeedDecimals, baseMaxAge, baseMinAnswer, baseMaxAnswer);
    }

    function _quoteTerms() private view returns (Terms memory) {
        return Terms(quoteFeed, quoteFeedDecimals, quoteMaxAge, quoteMinAnswer, quoteMaxAnswer);
    }

    /// @dev One feed's round and what is wrong with it.
    function _ask(Terms memory terms) private view returns (Fault fault, SourceReader.Round memory round) {
        round = SourceReader.latest(terms.feed);
        if (!round.readable || round.answer > type(int128).max) return (Fault.Unreadable, round);
        if (SourceReader.decimalsOf(terms.feed) != terms.decimals) return (Fault.Unreadable, round);
        if (round.answer <= 0) return (Fault.NotPositive, round);
        uint256 updatedAt = round.updatedAt;
        if (updatedAt == 0 || round.answeredInRound < round.roundId) return (Fault.Incomplete, round);
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > terms.maxAge) {
            return (Fault.Stale, round);
        }
        // forge-lint: disable-next-line(unsafe-typecast): positive, checked above
        uint256 answer = uint256(round.answer);
        if (answer <= terms.minAnswer || answer >= terms.maxAnswer) return (Fault.OutOfBounds, round);
    }

    function _feedReading(Terms memory terms, ShortString description)
        private
        view
        returns (FeedReading memory reading)
    {
        SourceReader.Round memory round;
        (reading.fault, round) = _ask(terms);
        (reading.feed, reading.description) = (terms.feed, description.toString());
        (reading.decimals, reading.maxAge) = (terms.decimals, terms.maxAge);
        (reading.minAnswer, reading.maxAnswer) = (terms.minAnswer, terms.maxAnswer);
        (reading.roundId, reading.answeredInRound) = (round.roundId, round.answeredInRound);
        (reading.answer, reading.updatedAt) = (round.answer, round.updatedAt);
    }

    /// @dev 0 unless both answers are readable and positive and their quotient is in range.
    function _priceWadDown(Fault baseFault, int256 baseAnswer, Fault quoteFault, int256 quoteAnswer)
        private
        view
        returns (uint256)
    {
        if (baseFault == Fault.Unreadable || quoteFault == Fault.Unreadable) return 0;
        if (baseAnswer <= 0 || quoteAnswer <= 0) return 0;
        // forge-lint: disable-next-line(unsafe-typecast): positive
        uint256 price = _crossWadDown(uint256(baseAnswer), uint256(quoteAnswer));
        return price > MAX_PRICE ? 0 : price;
    }

    function _poolFault(uint256 price, uint256 twap) private view returns (Fault) {
        if (price == 0 || twap == 0) return Fault.Unreadable;
        return _deviationBpsUp(price, twap) > maxDeviationBps ? Fault.Deviates : Fault.None;
    }

    /// @dev At exactly `graceSeconds` the grace is over.
    function _sequencerFault() private view returns (Fault fault, bool up, uint256 since) {
        bool readable;
        (readable, up, since) = _sequencer();
        if (!readable) return (Fault.Unreadable, up, since);
        if (!up) return (Fault.SequencerDown, up, since);
        if (block.timestamp - since < graceSeconds) return (Fault.SequencerGrace, up, since);
    }

    function _sequencerReading() private view returns (SequencerReading memory reading) {
        (reading.feed, reading.graceSeconds) = (sequencerFeed, graceSeconds);
        (reading.fault, reading.up, reading.since) = _sequencerFault();
    }

    // ---------------------------------------------------------------- evidence

    /// @dev What was observed and what it was held against, for `PriceUnusable`.
    function _evidence(Reading memory reading)
        private
        view
        returns (address source, uint256 observed, uint256 bound)
    {
        SequencerReading memory sequencer = reading.sequencer;
        if (sequencer.fault != Fault.None) {
            uint256 seconds_ = sequencer.since == 0 ? 0 : block.timestamp - sequencer.since;
            return (sequencer.feed, seconds_, sequencer.graceSeconds);
        }
        if (reading.base.fault != Fault.None) return _feedEvidence(reading.base);
        if (reading.quote.fault != Fault.None) return _feedEvidence(reading.quote);
        if (reading.fault == Fault.Deviates) return (pool, reading.deviationBps, reading.maxDeviationBps);
        return reading.priceWad == 0 ? (baseFeed, 0, MAX_PRICE) : (pool, reading.twapWad, MAX_PRICE);
    }

    function _feedEvidence(FeedReading memory reading) private view returns (address, uint256, uint256) {
        if (reading.fault == Fault.Incomplete) {
            if (reading.updatedAt == 0) return (reading.feed, 0, block.timestamp);
            return (reading.feed, reading.answeredInRound, reading.roundId);
        }
        if (reading.fault == Fault.Stale) {
            if (reading.updatedAt > block.timestamp) {
                return (reading.feed, reading.updatedAt, block.timestamp);
            }
            return (reading.feed, block.timestamp - reading.updatedAt, reading.maxAge);
        }
        // forge-lint: disable-next-line(unsafe-typecast): positive
        uint256 answer = reading.answer > 0 ? uint256(reading.answer) : 0;
        if (reading.fault == Fault.OutOfBounds) {
            return (reading.feed, answer, answer <= reading.minAnswer ? reading.minAnswer : reading.maxAnswer);
        }
        return (reading.feed, answer, MAX_PRICE);
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
            span: config.twapWindow,
            blockTime: config.blockTime,
            maxDeviationBps: config.maxDeviationBps,
            sequencerFeed: config.sequencerFeed,
            graceSeconds: config.graceSeconds
        });
    }

    /// @dev The first 31 bytes, which is what fits into an immutable.
    function _shortened(string memory text) private pure returns (ShortString) {
        bytes memory raw = bytes(text);
        if (raw.length <= 31) return ShortStrings.toShortString(text);
        bytes memory head = new bytes(31);
        for (uint256 i; i < 31; ++i) {
            head[i] = raw[i];
        }
        return ShortStrings.toShortString(string(head));
    }
}
