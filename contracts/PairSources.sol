// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IPair} from "./interfaces/IPair.sol";
import {IAggregatorV3} from "./interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Pool} from "./interfaces/external/IUniswapV3Pool.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {SourceReader} from "./libraries/SourceReader.sol";
import {TickMath} from "./libraries/TickMath.sol";

/// @title PairSources
/// @notice The sources of the price of one pair, pinned at construction under hard bounds, and what both oracles make of them:
/// the cross of two Chainlink answers, the price of a pool's mean tick, how far they differ, and how long the sequencer has been
/// up.
///
/// Decimals are pinned: a feed that later answers with other ones is not rescaled but refused. Answers at or outside their
/// bounds are refused too: an aggregator that clamps its answers says nothing at its clamp, and a factor of ten thousand is no
/// price.
abstract contract PairSources is IPair {
    /// @param base the volatile asset (WETH)
    /// @param quote the asset prices are in (USDC)
    /// @param baseFeed Chainlink proxy of base/USD
    /// @param quoteFeed Chainlink proxy of quote/USD
    /// @param baseMaxAge greatest age of a base answer, seconds (heartbeat and a margin)
    /// @param quoteMaxAge greatest age of a quote answer, seconds
    /// @param baseMinAnswer in the feed's decimals; answers must be above
    /// @param baseMaxAnswer in the feed's decimals; answers must be below
    /// @param quoteMinAnswer in the feed's decimals; answers must be above
    /// @param quoteMaxAnswer in the feed's decimals; answers must be below
    /// @param pool Uniswap v3 pool of base and quote, in either order
    /// @param span seconds of observations the pool must have room for
    /// @param blockTime least seconds between blocks
    /// @param maxDeviationBps greatest difference of TWAP and Chainlink, relative to Chainlink
    /// @param sequencerFeed Chainlink uptime feed of the rollup's sequencer; zero on a chain without one
    /// @param graceSeconds the sequencer must have been up for; 0 without one
    struct Sources {
        address base;
        address quote;
        address baseFeed;
        address quoteFeed;
        uint256 baseMaxAge;
        uint256 quoteMaxAge;
        uint256 baseMinAnswer;
        uint256 baseMaxAnswer;
        uint256 quoteMinAnswer;
        uint256 quoteMaxAnswer;
        address pool;
        uint256 span;
        uint256 blockTime;
        uint256 maxDeviationBps;
        address sequencerFeed;
        uint256 graceSeconds;
    }

    uint256 public constant MIN_MAX_AGE = 60 seconds;
    uint256 public constant MAX_MAX_AGE = 26 hours; // a heartbeat of a day and a margin
    uint256 public constant MIN_DEVIATION_BPS = 1;
    uint256 public constant MAX_DECIMALS = 18;
    /// @notice Bounds of an answer lie at least a fifth apart, so that they cannot shut a sound feed out, and at most this factor,
    /// so that they are bounds.
    uint256 public constant MAX_ANSWER_RATIO = 1e6;
    /// @notice A pool keeps one observation a second at most, however fast the blocks are.
    uint256 public constant MIN_BLOCK_TIME = 1 seconds;
    uint256 public constant MAX_BLOCK_TIME = 12 seconds;
    uint256 public constant MIN_GRACE = 5 minutes;
    uint256 public constant MAX_GRACE = 1 days;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant BPS = 10_000;
    /// @dev Answers and prices above are nonsense; below, no product overflows.
    uint256 internal constant MAX_ANSWER = uint256(uint128(type(int128).max));
    uint256 internal constant MAX_PRICE = type(uint128).max;

    /// @inheritdoc IPair
    address public immutable base;
    /// @inheritdoc IPair
    address public immutable quote;
    /// @inheritdoc IPair
    address public immutable pool;
    address public immutable baseFeed;
    address public immutable quoteFeed;
    address public immutable sequencerFeed;
    uint256 public immutable baseMaxAge;
    uint256 public immutable quoteMaxAge;
    uint256 public immutable baseMinAnswer;
    uint256 public immutable baseMaxAnswer;
    uint256 public immutable quoteMinAnswer;
    uint256 public immutable quoteMaxAnswer;
    uint256 public immutable maxDeviationBps;
    uint256 public immutable graceSeconds;
    /// @inheritdoc IPair
    uint8 public immutable baseDecimals;
    /// @inheritdoc IPair
    uint8 public immutable quoteDecimals;
    uint8 public immutable baseFeedDecimals;
    uint8 public immutable quoteFeedDecimals;
    bool public immutable baseIsToken0;

    constructor(Sources memory sources, uint256 maxMaxDeviationBps) {
        Bounds.requireWithin("baseMaxAge", sources.baseMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin("quoteMaxAge", sources.quoteMaxAge, MIN_MAX_AGE, MAX_MAX_AGE);
        Bounds.requireWithin(
            "maxDeviationBps", sources.maxDeviationBps, MIN_DEVIATION_BPS, maxMaxDeviationBps
        );
        _checkAnswers("baseMinAnswer", "baseMaxAnswer", sources.baseMinAnswer, sources.baseMaxAnswer);
        _checkAnswers("quoteMinAnswer", "quoteMaxAnswer", sources.quoteMinAnswer, sources.quoteMaxAnswer);
        (base, quote, pool) = (sources.base, sources.quote, sources.pool);
        (baseFeed, quoteFeed) = (sources.baseFeed, sources.quoteFeed);
        (baseMaxAge, quoteMaxAge) = (sources.baseMaxAge, sources.quoteMaxAge);
        (baseMinAnswer, baseMaxAnswer) = (sources.baseMinAnswer, sources.baseMaxAnswer);
        (quoteMinAnswer, quoteMaxAnswer) = (sources.quoteMinAnswer, sources.quoteMaxAnswer);
        maxDeviationBps = sources.maxDeviationBps;
        (sequencerFeed, graceSeconds) = (sources.sequencerFeed, sources.graceSeconds);

        address token0 = IUniswapV3Pool(sources.pool).token0();
        address token1 = IUniswapV3Pool(sources.pool).token1();
        baseIsToken0 = token0 == sources.base;
        bool matches =
            baseIsToken0 ? token1 == sources.quote : token0 == sources.quote && token1 == sources.base;
        if (!matches) revert PoolMismatch(sources.pool, token0, token1);
        _checkRoom(sources.pool, sources.span, sources.blockTime);
        _checkSequencer(sources.sequencerFeed, sources.graceSeconds);

        baseDecimals = _checkedDecimals("baseDecimals", IERC20Metadata(sources.base).decimals());
        quoteDecimals = _checkedDecimals("quoteDecimals", IERC20Metadata(sources.quote).decimals());
        baseFeedDecimals = _checkedDecimals("baseFeedDecimals", IAggregatorV3(sources.baseFeed).decimals());
        quoteFeedDecimals = _checkedDecimals("quoteFeedDecimals", IAggregatorV3(sources.quoteFeed).decimals());
    }

    // ---------------------------------------------------------------- prices

    /// @dev base/USD over quote/USD, WAD. Both answers are from 1 to `MAX_ANSWER`; products stay below 2^248, as the powers of ten
    /// are at most 10^36 together.
    function _crossWadDown(uint256 baseAnswer, uint256 quoteAnswer) internal view returns (uint256) {
        unchecked {
            uint256 numerator = baseAnswer * 10 ** uint256(quoteFeedDecimals) * WAD;
            return numerator / (quoteAnswer * 10 ** uint256(baseFeedDecimals));
        }
    }

    /// @dev Quote per whole base from the pool's mean tick between `from` and `to` seconds ago; 0 where it cannot be had or is out
    /// of range.
    function _twapWadDown(uint32 from, uint32 to) internal view returns (uint256) {
        (bool readable, int256 tick) = SourceReader.meanTick(pool, from, to);
        if (!readable || tick > TickMath.MAX_TICK || tick < -int256(TickMath.MAX_TICK)) return 0;
        uint256 twapWad = TickMath.priceWadDown(tick, baseIsToken0, baseDecimals, quoteDecimals);
        return twapWad > MAX_PRICE ? 0 : twapWad;
    }

    /// @dev Cannot overflow: both are at most `MAX_PRICE`. `price` is not 0.
    function _deviationBpsUp(uint256 price, uint256 other) internal pure returns (uint256) {
        return Math.ceilDiv((price > other ? price - other : other - price) * BPS, price);
    }

    // ---------------------------------------------------------------- sequencer

    /// @dev Whether the sequencer is up and since when that holds. Without an uptime feed it always was. The feed answers 0 for up
    /// and 1 for down; anything else, a start of 0 (a feed not yet told) or in the future is unreadable.
    function _sequencer() internal view returns (bool readable, bool up, uint256 since) {
        if (sequencerFeed == address(0)) return (true, true, 0);
        SourceReader.Round memory round = SourceReader.latest(sequencerFeed);
        readable = round.readable && (round.answer == 0 || round.answer == 1) && round.startedAt != 0
            && round.startedAt <= block.timestamp;
        return readable ? (true, round.answer == 0, round.startedAt) : (false, false, uint256(0));
    }

    // ---------------------------------------------------------------- construction

    function _checkAnswers(string memory minName, string memory maxName, uint256 minAnswer, uint256 maxAnswer)
        private
        pure
    {
        Bounds.requireWithin(minName, minAnswer, 1, MAX_ANSWER / MAX_ANSWER_RATIO);
        Bounds.requireWithin(
            maxName, maxAnswer, minAnswer + Math.ceilDiv(minAnswer, 5), minAnswer * MAX_ANSWER_RATIO
        );
    }

    /// @dev Room in use, not room promised: what `increaseObservationCardinalityNext` asked for counts once a swap has made it. An
    /// observation a block at most, so a span needs one for each and one before.
    function _checkRoom(address pool_, uint256 span, uint256 blockTime) private view {
        Bounds.requireWithin("blockTime", blockTime, MIN_BLOCK_TIME, MAX_BLOCK_TIME);
        (,,, uint16 cardinality,,,) = IUniswapV3Pool(pool_).slot0();
        uint256 least = Math.ceilDiv(span, blockTime) + 1;
        if (cardinality < least) revert CardinalityTooLow(pool_, cardinality, least);
    }

    /// @dev An uptime feed that cannot be read today would shut the oracle for ever.
    function _checkSequencer(address feed, uint256 grace) private view {
        if (feed == address(0)) {
            Bounds.requireWithin("graceSeconds", grace, 0, 0);
            return;
        }
        Bounds.requireWithin("graceSeconds", grace, MIN_GRACE, MAX_GRACE);
        if (!SourceReader.latest(feed).readable) revert SequencerUnreadable(feed);
    }

    function _checkedDecimals(string memory name, uint8 decimals) private pure returns (uint8) {
        Bounds.requireWithin(name, decimals, 0, MAX_DECIMALS);
        return decimals;
    }
}
