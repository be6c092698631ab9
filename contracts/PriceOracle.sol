// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ShortString, ShortStrings} from "@openzeppelin/contracts/utils/ShortStrings.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IAggregatorV3} from "./interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Pool} from "./interfaces/external/IUniswapV3Pool.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {TickMath} from "./libraries/TickMath.sol";

/// @title PriceOracle
/// @notice Quote per whole base from two Chainlink feeds, believed only while a Uniswap v3 TWAP agrees (V-07).
///
/// What holds: everything is fixed at construction, under hard bounds; nobody can change a feed, an age or a threshold.
/// Decimals are pinned: a feed that later answers with other decimals is `Unreadable`, never rescaled.
///
/// What may fail: a feed or the pool may vanish, revert, burn its gas or answer nonsense. Each is read in a call of its own
/// with a gas limit, so `read` names the fault instead of reverting. Too little gas makes a source unreadable: it fails shut.
///
/// What is assumed: Chainlink answers are positive integers below 2^127; a pool with room for observations over `twapWindow` at
/// one a block (checked at construction, and a pool's room never shrinks) has filled it, or the price is `Unreadable`; its mean tick is rounded towards negative infinity, as Uniswap does.
contract PriceOracle is IPriceOracle {
    using ShortStrings for ShortString;

    /// @param base the volatile asset (WETH)
    /// @param quote the vault's asset (USDC)
    /// @param baseFeed Chainlink proxy of base/USD
    /// @param quoteFeed Chainlink proxy of quote/USD
    /// @param baseMaxAge greatest age of a base answer, seconds (heartbeat and a margin)
    /// @param quoteMaxAge greatest age of a quote answer, seconds
    /// @param pool Uniswap v3 pool of base and quote, in either order
    /// @param twapWindow seconds
    /// @param maxDeviationBps greatest difference of TWAP and Chainlink, relative to Chainlink
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
    }

    uint256 public constant MIN_MAX_AGE = 60 seconds;
    uint256 public constant MAX_MAX_AGE = 26 hours; // a heartbeat of a day and a margin
    uint256 public constant MIN_TWAP_WINDOW = 30 seconds;
    uint256 public constant MAX_TWAP_WINDOW = 1 hours;
    uint256 public constant MIN_DEVIATION_BPS = 1;
    uint256 public constant MAX_DEVIATION_BPS = 2000;
    uint256 public constant MAX_DECIMALS = 18;
    /// @dev Seconds between blocks: an observation a block at most, so a window needs one for each and one before.
    uint256 public constant BLOCK_TIME = 12 seconds;

    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 10_000;
    /// @dev A proxy's answer costs about 40k, an observation deep in a full ring about 120k.
    uint256 private constant SOURCE_GAS = 500_000;
    uint256 private constant MAX_VALUE = type(uint128).max;

    /// @inheritdoc IPriceOracle
    address public immutable base;
    /// @inheritdoc IPriceOracle
    address public immutable quote;
    /// @inheritdoc IPriceOracle
    address public immutable pool;
    address public immutable baseFeed;
    address public immutable quoteFeed;
    uint256 public immutable baseMaxAge;
    uint256 public immutable quoteMaxAge;
    uint32 public immutable twapWindow;
    uint256 public immutable maxDeviationBps;
    uint8 public immutable baseFeedDecimals;
    uint8 public immutable quoteFeedDecimals;
    uint8 public immutable baseDecimals;
    uint8 public immutable quoteDecimals;
    bool public immutable baseIsToken0;
    ShortString private immutable _baseFeedDescription;
    ShortString private immutable _quoteFeedDescription;

    error CardinalityTooLow(address pool, uint256 cardinality, uint256 least);
    error PoolMismatch(address pool, address token0, address token1);

    constructor(Config memory config) {
        Bounds.requireWithin("baseMaxAge", config.baseMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("quoteMaxAge", config.quoteMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("twapWindow", config.twapWindow, MIN_TWAP_WINDOW, MAX_TWAP_WINDOW);
        Bounds.requireWithin("maxDeviationBps", config.maxDeviationBps, MIN_DEVIATION_BPS, MAX_DEVIATION_BPS);
        (base, quote, pool) = (config.base, config.quote, config.pool);
        (baseFeed, quoteFeed) = (config.baseFeed, config.quoteFeed);
        (baseMaxAge, quoteMaxAge) = (config.baseMaxAge, config.quoteMaxAge);
        twapWindow = uint32(config.twapWindow); // at most 3600, checked above
        maxDeviationBps = config.maxDeviationBps;

        address token0 = IUniswapV3Pool(config.pool).token0();
        address token1 = IUniswapV3Pool(config.pool).token1();
        baseIsToken0 = token0 == config.base;
        bool matches = baseIsToken0 ? token1 == config.quote : token0 == config.quote && token1 == config.base;
        if (!matches) revert PoolMismatch(config.pool, token0, token1);
        _checkCardinality(config.pool, config.twapWindow);

        baseDecimals = _checkedDecimals("baseDecimals", IERC20Metadata(config.base).decimals());
        quoteDecimals = _checkedDecimals("quoteDecimals", IERC20Metadata(config.quote).decimals());
        baseFeedDecimals = _checkedDecimals("baseFeedDecimals", IAggregatorV3(config.baseFeed).decimals());
        quoteFeedDecimals = _checkedDecimals("quoteFeedDecimals", IAggregatorV3(config.quoteFeed).decimals());
        _baseFeedDescription = _shortened(IAggregatorV3(config.baseFeed).description());
        _quoteFeedDescription = _shortened(IAggregatorV3(config.quoteFeed).description());
    }

    // ---------------------------------------------------------------- price

    /// @inheritdoc IPriceOracle
    function priceWad() external view returns (uint256) {
        Reading memory reading = read();
        if (reading.fault == Fault.None) return reading.priceWad;
        (address source, uint256 observed, uint256 bound) = _evidence(reading);
        revert PriceUnusable(reading.fault, source, observed, bound);
    }

    /// @inheritdoc IPriceOracle
    function read() public view returns (Reading memory reading) {
        reading.maxDeviationBps = maxDeviationBps;
        reading.twapWindow = twapWindow;
        reading.base = _readFeed(baseFeed, baseFeedDecimals, baseMaxAge);
        reading.base.description = _baseFeedDescription.toString();
        reading.quote = _readFeed(quoteFeed, quoteFeedDecimals, quoteMaxAge);
        reading.quote.description = _quoteFeedDescription.toString();
        reading.priceWad = _crossWadDown(reading.base, reading.quote);
        reading.twapWad = _twapWadDown();
        if (reading.priceWad != 0 && reading.twapWad != 0) {
            reading.deviationBps = _deviationBpsUp(reading.priceWad, reading.twapWad);
        }
        reading.fault = _firstFault(reading);
    }

    /// @notice One feed's answer and decimals, decoded; reverts on anything else. Called by `read` in a call of its own, so
    /// that a missing contract, a revert, short or dirty return data or burnt gas stay inside it.
    function feedAnswer(address feed)
        external
        view
        returns (uint8 decimals, uint80 roundId, int256 answer, uint256 updatedAt, uint80 answeredInRound)
    {
        decimals = IAggregatorV3(feed).decimals();
        (roundId, answer,, updatedAt, answeredInRound) = IAggregatorV3(feed).latestRoundData();
    }

    /// @notice Quote per whole base from the pool's time-weighted mean tick, WAD, rounded down; reverts if it cannot be had.
    function twapWadDown() external view returns (uint256) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = twapWindow;
        (int56[] memory cumulatives,) = IUniswapV3Pool(pool).observe(secondsAgos);
        int256 sum = int256(cumulatives[1]) - int256(cumulatives[0]);
        int256 window = int256(uint256(twapWindow));
        int256 tick = sum / window;
        if (sum < 0 && sum % window != 0) --tick; // towards negative infinity
        return TickMath.priceWadDown(tick, baseIsToken0, baseDecimals, quoteDecimals);
    }

    // ---------------------------------------------------------------- reading

    function _readFeed(address feed, uint8 decimals, uint256 maxAge)
        private
        view
        returns (FeedReading memory reading)
    {
        (reading.feed, reading.decimals, reading.maxAge) = (feed, decimals, maxAge);
        try this.feedAnswer{gas: SOURCE_GAS}(feed) returns (
            uint8 decimalsNow, uint80 roundId, int256 answer, uint256 updatedAt, uint80 answeredInRound
        ) {
            (reading.roundId, reading.answeredInRound) = (roundId, answeredInRound);
            (reading.answer, reading.updatedAt) = (answer, updatedAt);
            reading.fault = _feedFault(reading, decimalsNow);
        } catch {
            reading.fault = Fault.Unreadable;
        }
    }

    function _feedFault(FeedReading memory reading, uint8 decimalsNow) private view returns (Fault) {
        if (decimalsNow != reading.decimals || reading.answer > type(int128).max) return Fault.Unreadable;
        if (reading.answer <= 0) return Fault.NotPositive;
        if (reading.updatedAt == 0 || reading.answeredInRound < reading.roundId) return Fault.Incomplete;
        if (reading.updatedAt > block.timestamp) return Fault.Stale;
        if (block.timestamp - reading.updatedAt > reading.maxAge) return Fault.Stale;
        return Fault.None;
    }

    function _twapWadDown() private view returns (uint256) {
        try this.twapWadDown{gas: SOURCE_GAS}() returns (uint256 twapWad) {
            return twapWad > MAX_VALUE ? 0 : twapWad;
        } catch {
            return 0;
        }
    }

    /// @dev base/USD over quote/USD, WAD, rounded down; 0 unless both are readable and positive and the quotient is in range.
    /// Products stay below 2^248: answers are below 2^127 and the powers of ten at most 10^36.
    function _crossWadDown(FeedReading memory base_, FeedReading memory quote_)
        private
        pure
        returns (uint256)
    {
        if (base_.fault == Fault.Unreadable || base_.fault == Fault.NotPositive) return 0;
        if (quote_.fault == Fault.Unreadable || quote_.fault == Fault.NotPositive) return 0;
        uint256 numerator = uint256(base_.answer) * 10 ** uint256(quote_.decimals) * WAD;
        uint256 price = numerator / (uint256(quote_.answer) * 10 ** uint256(base_.decimals));
        return price > MAX_VALUE ? 0 : price;
    }

    /// @dev Cannot overflow: both are below 2^128.
    function _deviationBpsUp(uint256 price, uint256 twap) private pure returns (uint256) {
        return Math.ceilDiv((price > twap ? price - twap : twap - price) * BPS, price);
    }

    function _firstFault(Reading memory reading) private pure returns (Fault) {
        if (reading.base.fault != Fault.None) return reading.base.fault;
        if (reading.quote.fault != Fault.None) return reading.quote.fault;
        if (reading.priceWad == 0 || reading.twapWad == 0) return Fault.Unreadable;
        return reading.deviationBps > reading.maxDeviationBps ? Fault.Deviates : Fault.None;
    }

    // ---------------------------------------------------------------- evidence

    /// @dev What was observed and what it was held against, for `PriceUnusable`.
    function _evidence(Reading memory reading)
        private
        view
        returns (address source, uint256 observed, uint256 bound)
    {
        if (reading.base.fault != Fault.None) return _feedEvidence(reading.base);
        if (reading.quote.fault != Fault.None) return _feedEvidence(reading.quote);
        if (reading.fault == Fault.Deviates) return (pool, reading.deviationBps, reading.maxDeviationBps);
        return reading.priceWad == 0 ? (baseFeed, 0, MAX_VALUE) : (pool, reading.twapWad, MAX_VALUE);
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
        return (reading.feed, reading.answer > 0 ? uint256(reading.answer) : 0, MAX_VALUE);
    }

    // ---------------------------------------------------------------- construction

    /// @dev Room in use, not room promised: what `increaseObservationCardinalityNext` asked for counts once a swap has made it.
    function _checkCardinality(address pool_, uint256 window) private view {
        (,,, uint16 cardinality,,,) = IUniswapV3Pool(pool_).slot0();
        uint256 least = Math.ceilDiv(window, BLOCK_TIME) + 1;
        if (cardinality < least) revert CardinalityTooLow(pool_, cardinality, least);
    }

    function _checkedDecimals(string memory name, uint8 decimals) private pure returns (uint8) {
        Bounds.requireWithin(name, decimals, 0, MAX_DECIMALS);
        return decimals;
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
