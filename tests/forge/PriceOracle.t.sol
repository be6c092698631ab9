// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {IPair} from "../../contracts/interfaces/IPair.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice The price and its faults one by one: what is refused here moves nothing (V-07).
contract PriceOracleTest is Fixture {
    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(PriceOracle.Config calldata config) external returns (PriceOracle) {
        return new PriceOracle(config);
    }

    function _fault() private view returns (IPriceOracle.Fault) {
        return oracle.read().fault;
    }

    function _expectUnusable(IPriceOracle.Fault fault, address source, uint256 observed, uint256 bound)
        private
    {
        assertEq(uint8(_fault()), uint8(fault));
        vm.expectRevert(
            abi.encodeWithSelector(IPriceOracle.PriceUnusable.selector, fault, source, observed, bound)
        );
        oracle.priceWad();
    }

    // ---------------------------------------------------------------- price

    /// quote per whole base, rounded down, whatever the decimals of the feeds.
    function testFuzz_price_is_the_quotient_of_the_answers_rounded_down(
        uint256 baseAnswer,
        uint256 quoteAnswer,
        uint8 baseFeedDecimals,
        uint8 quoteFeedDecimals
    ) external {
        baseFeedDecimals = uint8(bound(baseFeedDecimals, 6, 18));
        quoteFeedDecimals = uint8(bound(quoteFeedDecimals, 6, 18));
        baseAnswer = bound(baseAnswer, 10 ** baseFeedDecimals, 10 ** baseFeedDecimals * 1e6);
        quoteAnswer = bound(quoteAnswer, 10 ** quoteFeedDecimals / 2, 10 ** quoteFeedDecimals * 2);
        ethFeed = new MockFeed(baseFeedDecimals, "B", int256(baseAnswer));
        usdcFeed = new MockFeed(quoteFeedDecimals, "Q", int256(quoteAnswer));
        PriceOracle fresh = new PriceOracle(_oracleConfig());
        uint256 numerator = baseAnswer * 10 ** quoteFeedDecimals * WAD;
        assertEq(fresh.read().priceWad, numerator / (quoteAnswer * 10 ** baseFeedDecimals));
    }

    /// The TWAP agrees with Chainlink for tokens of any decimals in either order of the pool.
    function testFuzz_twap_agrees_in_both_token_orders(
        uint256 cents,
        uint8 baseDecimals,
        uint8 quoteDecimals,
        bool flip
    ) external {
        cents = bound(cents, 101, 1e8 - 1);
        weth = new MockToken("B", uint8(bound(baseDecimals, 6, 18)));
        usdc = new MockToken("Q", uint8(bound(quoteDecimals, 6, 18)));
        uint256 baseUnit = 10 ** weth.decimals();
        uint256 quoteAmount = cents * 10 ** usdc.decimals() / 100;
        (address t0, address t1) = flip ? (address(weth), address(usdc)) : (address(usdc), address(weth));
        pool = new MockPool(t0, t1);
        if (flip) pool.setPrice(baseUnit, quoteAmount);
        else pool.setPrice(quoteAmount, baseUnit);
        ethFeed.set(int256(cents * 1e6));
        IPriceOracle.Reading memory reading = new PriceOracle(_oracleConfig()).read();
        assertEq(uint8(reading.fault), uint8(IPriceOracle.Fault.None));
        assertLe(reading.deviationBps, 2); // one tick is one basis point
    }

    /// A cumulative that is not a multiple of the window rounds the mean towards negative infinity.
    function testFuzz_mean_tick_is_rounded_towards_negative_infinity(int24 tick, uint256 part) external {
        tick = int24(bound(tick, -300_000, 300_000));
        part = bound(part, 0, 299);
        int56[] memory cumulatives = new int56[](2);
        cumulatives[1] = int56(tick) * 300 + int56(uint56(part));
        vm.mockCall(
            address(pool),
            abi.encodeWithSelector(pool.observe.selector),
            abi.encode(cumulatives, new uint160[](2))
        );
        uint256 mean = oracle.read().twapWad;
        vm.clearMockedCalls();
        pool.setMeanTick(tick);
        assertEq(mean, oracle.read().twapWad);
    }

    // ---------------------------------------------------------------- faults (V-07)

    function testFuzz_not_positive_answers_are_refused(int256 answer, bool ofQuote) external {
        answer = bound(answer, type(int256).min, 0);
        MockFeed feed = ofQuote ? usdcFeed : ethFeed;
        feed.set(answer);
        _expectUnusable(IPriceOracle.Fault.NotPositive, address(feed), 0, type(uint128).max);
        assertEq(oracle.read().priceWad, 0);
    }

    function testFuzz_answers_older_than_their_age_are_refused(uint256 age, bool ofQuote) external {
        MockFeed feed = ofQuote ? usdcFeed : ethFeed;
        uint256 most = ofQuote ? 1 days : 3900;
        age = bound(age, 0, 30 days);
        vm.warp(block.timestamp + age);
        (ofQuote ? ethFeed : usdcFeed).set(ofQuote ? int256(PRICE * 1e8) : int256(1e8));
        if (age <= most) {
            assertEq(oracle.priceWad(), PRICE * WAD);
        } else {
            _expectUnusable(IPriceOracle.Fault.Stale, address(feed), age, most);
        }
    }

    function testFuzz_answers_from_the_future_are_refused(uint256 ahead) external {
        uint256 updatedAt = bound(ahead, block.timestamp + 1, type(uint256).max);
        ethFeed.setRound(9, int256(PRICE * 1e8), updatedAt, 9);
        _expectUnusable(IPriceOracle.Fault.Stale, address(ethFeed), updatedAt, block.timestamp);
    }

    function testFuzz_incomplete_rounds_are_refused(uint80 roundId, uint80 answeredIn) external {
        roundId = uint80(bound(roundId, 1, type(uint80).max));
        answeredIn = uint80(bound(answeredIn, 0, roundId - 1));
        ethFeed.setRound(roundId, int256(PRICE * 1e8), block.timestamp, answeredIn);
        _expectUnusable(IPriceOracle.Fault.Incomplete, address(ethFeed), answeredIn, roundId);
        ethFeed.setRound(roundId, int256(PRICE * 1e8), 0, roundId);
        _expectUnusable(IPriceOracle.Fault.Incomplete, address(ethFeed), 0, block.timestamp);
    }

    function testFuzz_a_twap_further_off_than_the_threshold_is_refused(uint256 cents) external {
        cents = bound(cents, 100_000, 400_000);
        pool.setPrice(cents * 1e4, 1e18);
        IPriceOracle.Reading memory reading = oracle.read();
        uint256 gap = reading.twapWad > reading.priceWad
            ? reading.twapWad - reading.priceWad
            : reading.priceWad - reading.twapWad;
        assertEq(reading.deviationBps, Math.ceilDiv(gap * 10_000, reading.priceWad));
        if (gap * 10_000 <= 200 * reading.priceWad) {
            assertEq(oracle.priceWad(), PRICE * WAD);
        } else {
            _expectUnusable(IPriceOracle.Fault.Deviates, address(pool), reading.deviationBps, 200);
        }
    }

    /// Pinned: an aggregator that changes its decimals is a fault, not a price ten billion times too large.
    function testFuzz_changed_decimals_are_unreadable(uint8 decimals) external {
        vm.assume(decimals != 8);
        ethFeed.setDecimals(decimals);
        assertEq(uint8(_fault()), uint8(IPriceOracle.Fault.Unreadable));
    }

    function testFuzz_read_never_reverts_whatever_the_feeds_do(
        uint256 baseMode,
        uint256 quoteMode,
        int256 answer,
        uint80 roundId,
        uint256 updatedAt,
        uint80 answeredIn,
        bool poolReverts
    ) external {
        ethFeed.setRound(roundId, answer, updatedAt, answeredIn);
        ethFeed.setMode(MockFeed.Mode(bound(baseMode, 0, 6)));
        usdcFeed.setMode(MockFeed.Mode(bound(quoteMode, 0, 6)));
        pool.setObserveReverts(poolReverts);
        IPriceOracle.Reading memory reading = oracle.read();
        if (reading.fault == IPriceOracle.Fault.None) {
            assertEq(oracle.priceWad(), reading.priceWad);
        } else {
            assertTrue(ethFeed.mode() != MockFeed.Mode.Answers || reading.fault != IPriceOracle.Fault.None);
        }
        if (usdcFeed.mode() != MockFeed.Mode.Answers) assertEq(reading.priceWad, 0);
    }

    function test_misbehaving_sources_are_unreadable_and_cost_bounded_gas() external {
        for (uint256 mode = 1; mode <= 6; ++mode) {
            ethFeed.setMode(MockFeed.Mode(mode));
            uint256 gasBefore = gasleft();
            assertEq(uint8(oracle.read().base.fault), uint8(IPriceOracle.Fault.Unreadable));
            assertLt(gasBefore - gasleft(), 900_000);
        }
        ethFeed.setMode(MockFeed.Mode.Answers);
        pool.setObserveReverts(true);
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(pool), 0, type(uint128).max);
    }

    function test_a_feed_or_pool_without_code_is_unreadable() external {
        vm.etch(address(pool), "");
        assertEq(uint8(_fault()), uint8(IPriceOracle.Fault.Unreadable));
        vm.etch(address(usdcFeed), "");
        assertEq(uint8(oracle.read().quote.fault), uint8(IPriceOracle.Fault.Unreadable));
    }

    function testFuzz_nonsense_from_the_pool_is_unreadable(bytes memory answer) external {
        vm.assume(answer.length < 256);
        vm.mockCall(address(pool), abi.encodeWithSelector(pool.observe.selector), answer);
        assertEq(uint8(_fault()), uint8(IPriceOracle.Fault.Unreadable));
    }

    // ---------------------------------------------------------------- construction

    function testFuzz_every_parameter_has_a_hard_bound(
        uint256 maxAge,
        uint256 window,
        uint256 deviation,
        uint8 wild
    ) external {
        if (wild & 1 == 0) maxAge = bound(maxAge, 59, 26 hours + 1);
        if (wild & 2 == 0) window = bound(window, 29, 1 hours + 1);
        if (wild & 4 == 0) deviation = bound(deviation, 0, 2001);
        PriceOracle.Config memory config = _oracleConfig();
        (config.baseMaxAge, config.twapWindow, config.maxDeviationBps) = (maxAge, window, deviation);
        bool allowed = maxAge >= 60 && maxAge <= 26 hours && window >= 30 && window <= 1 hours
            && deviation >= 1 && deviation <= 2000;
        if (!allowed) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    function testFuzz_bounds_hold_at_their_edges(uint256 value) external {
        PriceOracle.Config memory config = _oracleConfig();
        config.quoteMaxAge = bound(value, 26 hours + 1, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(
                Bounds.OutOfBounds.selector, "quoteMaxAge", config.quoteMaxAge, 60, 26 hours
            )
        );
        this.build(config);
        config.quoteMaxAge = bound(value, 60, 26 hours);
        new PriceOracle(config);
    }

    /// One observation a block over the window and one before it: else a busy hour overwrites what the mean is made of.
    function testFuzz_a_pool_without_room_for_the_window_is_refused(uint256 window, uint16 cardinality)
        external
    {
        PriceOracle.Config memory config = _oracleConfig();
        config.twapWindow = bound(window, 30, 1 hours);
        uint256 least = (config.twapWindow + 11) / 12 + 1;
        if (cardinality & 3 == 0) cardinality = uint16(least - (cardinality >> 2 & 1)); // at the edge and one under
        else cardinality = uint16(bound(cardinality, 1, 400));
        pool.setCardinality(cardinality);
        if (cardinality < least) {
            vm.expectRevert(
                abi.encodeWithSelector(IPair.CardinalityTooLow.selector, address(pool), cardinality, least)
            );
        }
        this.build(config);
    }

    function test_a_pool_of_other_tokens_is_refused() external {
        PriceOracle.Config memory config = _oracleConfig();
        config.pool = address(new MockPool(address(usdc), address(ethFeed)));
        vm.expectPartialRevert(IPair.PoolMismatch.selector);
        this.build(config);
    }

    function test_a_long_description_is_shortened_and_a_short_one_kept() external {
        assertEq(oracle.read().base.description, "ETH / USD");
        ethFeed = new MockFeed(8, "a description that is far too long for one word", int256(PRICE * 1e8));
        assertEq(new PriceOracle(_oracleConfig()).read().base.description, "a description that is far too l");
    }
}
