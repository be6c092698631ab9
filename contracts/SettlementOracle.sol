// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ISettlementOracle} from "./interfaces/ISettlementOracle.sol";
import {IAggregatorProxy} from "./interfaces/external/IAggregatorProxy.sol";
import {IUniswapV3Pool} from "./interfaces/external/IUniswapV3Pool.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {RoundProof} from "./libraries/RoundProof.sol";
import {TickMath} from "./libraries/TickMath.sol";

/// @title SettlementOracle
/// @notice Settlement prices of one pair of tokens, each proven once and fixed for ever (V-10).
///
/// What holds: tokens, feeds, pool, decimals, thresholds, windows and resolver are fixed at construction, under hard bounds.
/// Every step is open to anyone except `propose`, and a proposal can only name a proven price or the middle of two. Nobody can
/// enter a price, and nobody's silence keeps one from being settled.
///
/// Why the middle is the rule without a proposal: one of the two sources is wrong and the contract cannot know which. The middle
/// is wrong by half their difference at most, whichever it is, and whoever bends one source gains half of it at most.
///
/// What is assumed: feeds are Chainlink proxies with phases; their rounds carry the time of their block; the pool keeps
/// observations from expiry - twapWindow/2 until `record`: room for the window and `MIN_RECORD_WINDOW` at one a block is checked at
/// construction, and a pool's room never shrinks. If they are gone all the same, the instant goes to quarantine.
contract SettlementOracle is ISettlementOracle {
    using SafeCast for uint256;

    /// @param base the volatile asset (WETH)
    /// @param quote the asset prices are in (USDC)
    /// @param baseFeed Chainlink proxy of base/USD
    /// @param quoteFeed Chainlink proxy of quote/USD
    /// @param baseMaxAge greatest age of the base round at the instant, seconds
    /// @param quoteMaxAge greatest age of the quote round at the instant, seconds
    /// @param pool Uniswap v3 pool of base and quote, in either order
    /// @param twapWindow seconds, half of them before the instant
    /// @param recordWindow seconds in which the TWAP can be recorded, from expiry + twapWindow/2 on
    /// @param maxDeviationBps greatest difference of TWAP and Chainlink, relative to Chainlink
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
    }

    uint256 public constant MIN_MAX_AGE = 60 seconds;
    uint256 public constant MAX_MAX_AGE = 26 hours; // a heartbeat of a day and a margin
    uint256 public constant MIN_TWAP_WINDOW = 2 minutes;
    uint256 public constant MAX_TWAP_WINDOW = 1 hours;
    uint256 public constant MIN_RECORD_WINDOW = 10 minutes;
    uint256 public constant MAX_RECORD_WINDOW = 1 days;
    uint256 public constant MIN_DEVIATION_BPS = 1;
    uint256 public constant MAX_DEVIATION_BPS = 500;
    uint256 public constant MIN_DISPUTE_WINDOW = 1 days;
    uint256 public constant MAX_DISPUTE_WINDOW = 7 days;
    uint256 public constant MIN_CHOICE_DELAY = 1 days;
    uint256 public constant MAX_CHOICE_DELAY = 7 days;
    uint256 public constant MAX_DECIMALS = 18;
    /// @dev Seconds between blocks: an observation a block at most, so a span needs one for each and one before.
    uint256 public constant BLOCK_TIME = 12 seconds;
    /// @notice How long a proof is waited for before the TWAP alone is quarantined.
    uint256 public constant PROOF_WINDOW = 7 days;
    /// @notice How long anything is waited for where there is no TWAP either.
    uint256 public constant VOID_AFTER = 30 days;

    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_PRICE = type(uint128).max;

    /// @inheritdoc ISettlementOracle
    address public immutable base;
    /// @inheritdoc ISettlementOracle
    address public immutable quote;
    address public immutable baseFeed;
    address public immutable quoteFeed;
    address public immutable pool;
    address public immutable resolver;
    uint256 public immutable baseMaxAge;
    uint256 public immutable quoteMaxAge;
    uint256 public immutable halfTwapWindow;
    uint256 public immutable recordWindow;
    uint256 public immutable maxDeviationBps;
    uint256 public immutable disputeWindow;
    uint256 public immutable choiceDelay;
    /// @inheritdoc ISettlementOracle
    uint8 public immutable baseDecimals;
    /// @inheritdoc ISettlementOracle
    uint8 public immutable quoteDecimals;
    uint8 public immutable baseFeedDecimals;
    uint8 public immutable quoteFeedDecimals;
    bool public immutable baseIsToken0;

    mapping(uint64 expiry => Settlement) private _settlements;

    constructor(Config memory config) {
        _checkBounds(config);
        (base, quote, pool, resolver) = (config.base, config.quote, config.pool, config.resolver);
        (baseFeed, quoteFeed) = (config.baseFeed, config.quoteFeed);
        (baseMaxAge, quoteMaxAge) = (config.baseMaxAge, config.quoteMaxAge);
        (halfTwapWindow, recordWindow) = (config.twapWindow / 2, config.recordWindow);
        maxDeviationBps = config.maxDeviationBps;
        (disputeWindow, choiceDelay) = (config.disputeWindow, config.choiceDelay);

        address token0 = IUniswapV3Pool(config.pool).token0();
        address token1 = IUniswapV3Pool(config.pool).token1();
        baseIsToken0 = token0 == config.base;
        bool matches = baseIsToken0 ? token1 == config.quote : token0 == config.quote && token1 == config.base;
        if (!matches) revert PoolMismatch(config.pool, token0, token1);
        _checkCardinality(config.pool, config.twapWindow + MIN_RECORD_WINDOW);

        baseDecimals = _checkedDecimals("baseDecimals", IERC20Metadata(config.base).decimals());
        quoteDecimals = _checkedDecimals("quoteDecimals", IERC20Metadata(config.quote).decimals());
        baseFeedDecimals = _checkedDecimals("baseFeedDecimals", IAggregatorProxy(config.baseFeed).decimals());
        quoteFeedDecimals =
            _checkedDecimals("quoteFeedDecimals", IAggregatorProxy(config.quoteFeed).decimals());
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
        uint256 from = uint256(expiry) + halfTwapWindow;
        _requireNotBefore(from);
        if (block.timestamp > from + recordWindow) revert TooLate(block.timestamp, from + recordWindow);

        twapWad = _twapWadDown(expiry);
        settlement.twapWad = _checkedPrice(twapWad);
        settlement.recordedAt = block.timestamp.toUint64();
        (settlement.basePhase, settlement.quotePhase) = (_phase(baseFeed), _phase(quoteFeed));
        emit Recorded(expiry, twapWad, settlement.basePhase, settlement.quotePhase);
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
            baseFeed, baseFeedDecimals, recorded ? settlement.basePhase : _phase(baseFeed), expiry, baseRounds
        );
        (uint256 quoteAnswer, uint256 quoteAt) = RoundProof.verify(
            quoteFeed,
            quoteFeedDecimals,
            recorded ? settlement.quotePhase : _phase(quoteFeed),
            expiry,
            quoteRounds
        );
        uint128 chainlinkWad = _checkedPrice(_crossWadDown(baseAnswer, quoteAnswer));
        // Cannot underflow: a proven round is at or before the instant.
        bool stale = expiry - baseAt > baseMaxAge || expiry - quoteAt > quoteMaxAge;
        (settlement.chainlinkWad, settlement.stale) = (chainlinkWad, stale);
        emit Proven(expiry, chainlinkWad, stale, baseRounds, quoteRounds);

        if (recorded && !stale && _deviationBpsUp(chainlinkWad, settlement.twapWad) <= maxDeviationBps) {
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

    /// @dev The pool's ticks do not change between its observations, so the mean of a past window is the same whenever it is read.
    function _twapWadDown(uint64 expiry) private view returns (uint256) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = (block.timestamp + halfTwapWindow - expiry).toUint32();
        secondsAgos[1] = (block.timestamp - halfTwapWindow - expiry).toUint32();
        (int56[] memory cumulatives,) = IUniswapV3Pool(pool).observe(secondsAgos);
        int256 sum = int256(cumulatives[1]) - int256(cumulatives[0]);
        int256 window = (2 * halfTwapWindow).toInt256();
        int256 tick = sum / window;
        if (sum < 0 && sum % window != 0) --tick; // towards negative infinity
        return TickMath.priceWadDown(tick, baseIsToken0, baseDecimals, quoteDecimals);
    }

    /// @dev Products stay below 2^248: answers are below 2^127 and the powers of ten at most 10^36.
    function _crossWadDown(uint256 baseAnswer, uint256 quoteAnswer) private view returns (uint256) {
        uint256 numerator = baseAnswer * 10 ** uint256(quoteFeedDecimals) * WAD;
        return numerator / (quoteAnswer * 10 ** uint256(baseFeedDecimals));
    }

    /// @dev Cannot overflow: both are below 2^128.
    function _deviationBpsUp(uint256 price, uint256 other) private pure returns (uint256) {
        return Math.ceilDiv((price > other ? price - other : other - price) * BPS, price);
    }

    function _checkedPrice(uint256 priceWad) private pure returns (uint128) {
        if (priceWad == 0 || priceWad > MAX_PRICE) revert PriceOutOfRange(priceWad, MAX_PRICE);
        return priceWad.toUint128();
    }

    function _phase(address feed) private view returns (uint16) {
        return IAggregatorProxy(feed).phaseId();
    }

    // ---------------------------------------------------------------- construction

    function _checkBounds(Config memory config) private pure {
        Bounds.requireWithin("baseMaxAge", config.baseMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("quoteMaxAge", config.quoteMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("twapWindow", config.twapWindow, MIN_TWAP_WINDOW, MAX_TWAP_WINDOW);
        Bounds.requireWithin("recordWindow", config.recordWindow, MIN_RECORD_WINDOW, MAX_RECORD_WINDOW);
        Bounds.requireWithin("maxDeviationBps", config.maxDeviationBps, MIN_DEVIATION_BPS, MAX_DEVIATION_BPS);
        Bounds.requireWithin("disputeWindow", config.disputeWindow, MIN_DISPUTE_WINDOW, MAX_DISPUTE_WINDOW);
        Bounds.requireWithin("choiceDelay", config.choiceDelay, MIN_CHOICE_DELAY, MAX_CHOICE_DELAY);
    }

    /// @dev Room in use, not room promised: what `increaseObservationCardinalityNext` asked for counts once a swap has made it.
    function _checkCardinality(address pool_, uint256 span) private view {
        (,,, uint16 cardinality,,,) = IUniswapV3Pool(pool_).slot0();
        uint256 least = Math.ceilDiv(span, BLOCK_TIME) + 1;
        if (cardinality < least) revert CardinalityTooLow(pool_, cardinality, least);
    }

    function _checkedDecimals(string memory name, uint8 decimals) private pure returns (uint8) {
        Bounds.requireWithin(name, decimals, 0, MAX_DECIMALS);
        return decimals;
    }
}
