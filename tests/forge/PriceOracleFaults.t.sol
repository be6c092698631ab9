// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {IPair} from "../../contracts/interfaces/IPair.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {SourceReader} from "../../contracts/libraries/SourceReader.sol";
import {Fixture} from "./Fixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice Answers a round for nothing and burns what it has when asked for its decimals.
contract DecimalsBurner {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (9, 2000e8, block.timestamp, block.timestamp, 9);
    }

    function decimals() external pure returns (uint8) {
        while (true) {}
        return 8;
    }
}

/// @notice V-07: bounds, sequencer, phases and starved calls; and the cheap reading says what the full one says.
contract PriceOracleFaultsTest is Fixture {
    uint256 private constant GRACE = 1 hours;
    uint256 private constant MIN = 1e8;
    uint256 private constant MAX = 1e14;

    MockFeed private uptime;

    function setUp() public override {
        super.setUp();
        vm.warp(block.timestamp + 30 days);
        _setPrice(PRICE * 100);
    }

    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(PriceOracle.Config calldata config) external returns (PriceOracle) {
        return new PriceOracle(config);
    }

    function _onRollup() private {
        uptime = new MockFeed(0, "L2 Sequencer Uptime Status Feed", 0);
        _status(0, block.timestamp - 10 days);
        PriceOracle.Config memory config = _oracleConfig();
        (config.sequencerFeed, config.graceSeconds) = (address(uptime), GRACE);
        oracle = new PriceOracle(config);
    }

    /// The uptime feed's answer and since when it holds.
    function _status(int256 answer, uint256 since) private {
        uptime.setRound(7, answer, since, 7);
    }

    function _expectUnusable(IPriceOracle.Fault fault, address source, uint256 observed, uint256 bound_)
        private
    {
        assertEq(uint8(oracle.read().fault), uint8(fault));
        (IPriceOracle.Fault cheap,,,) = oracle.marks();
        assertEq(uint8(cheap), uint8(fault));
        vm.expectRevert(
            abi.encodeWithSelector(IPriceOracle.PriceUnusable.selector, fault, source, observed, bound_)
        );
        oracle.priceWad();
    }

    function _expectUsable() private view {
        assertEq(oracle.priceWad(), PRICE * WAD);
        assertEq(uint8(oracle.read().fault), uint8(IPriceOracle.Fault.None));
    }

    // ---------------------------------------------------------------- bounds

    function testFuzz_answers_at_or_outside_their_bounds_are_refused(uint256 answer, uint256 way) external {
        way = bound(way, 0, 5);
        if (way == 0) answer = MIN - bound(answer, 0, 1);
        if (way == 1) answer = MAX + bound(answer, 0, 1);
        if (way == 2) answer = bound(answer, 1, MIN);
        if (way == 3) answer = bound(answer, MAX, uint256(uint128(type(int128).max)));
        if (way >= 4) answer = bound(answer, MIN + 1, MAX - 1);
        if (way == 4) answer = answer & 1 == 0 ? MIN + 1 : MAX - 1;
        ethFeed.set(int256(answer));
        if (answer <= MIN) {
            _expectUnusable(IPriceOracle.Fault.OutOfBounds, address(ethFeed), answer, MIN);
        } else if (answer >= MAX) {
            _expectUnusable(IPriceOracle.Fault.OutOfBounds, address(ethFeed), answer, MAX);
        } else {
            assertEq(uint8(oracle.read().base.fault), uint8(IPriceOracle.Fault.None));
        }
    }

    /// The threshold itself is allowed, the next answer beyond it is not, on either side of the TWAP.
    function test_sources_may_differ_by_exactly_the_threshold() external {
        uint256 twap = oracle.read().twapWad;
        uint256 above = twap * 10_000 / 9800 / 1e10; // of it the TWAP is 2 % away
        uint256 below = (twap * 10_000 + 10_200e10 - 1) / 10_200e10;
        for (uint256 i; i < 2; ++i) {
            ethFeed.set(int256(i == 0 ? above : below));
            assertEq(oracle.read().deviationBps, 200);
            assertGt(oracle.priceWad(), 0);
            ethFeed.set(int256(i == 0 ? above + 1 : below - 1));
            _expectUnusable(IPriceOracle.Fault.Deviates, address(pool), 201, 200);
        }
    }

    function test_the_quote_feed_has_bounds_of_its_own() external {
        usdcFeed.set(0.1e8);
        _expectUnusable(IPriceOracle.Fault.OutOfBounds, address(usdcFeed), 0.1e8, 0.1e8);
        usdcFeed.set(10e8);
        _expectUnusable(IPriceOracle.Fault.OutOfBounds, address(usdcFeed), 10e8, 10e8);
        usdcFeed.set(1e8);
        _expectUsable();
    }

    function test_bounds_and_their_answers_are_shown() external view {
        IPriceOracle.Reading memory reading = oracle.read();
        assertEq(reading.base.minAnswer, MIN);
        assertEq(reading.base.maxAnswer, MAX);
        assertEq(reading.quote.minAnswer, 0.1e8);
        assertEq(reading.quote.maxAnswer, 10e8);
    }

    /// At least a fifth apart, at most a factor of a million, and nothing near where products overflow.
    function testFuzz_bounds_of_answers_are_bounded(uint256 least, uint256 most, bool ofQuote, uint8 wild)
        external
    {
        uint256 highest = uint256(uint128(type(int128).max)) / 1e6;
        if (wild & 1 == 0) least = bound(least, 0, highest + 1);
        if (wild & 2 == 0 && least <= highest) {
            most = bound(most, least, least * 1e6 + 1);
            if (wild & 4 == 0) most = least + (least + 4) / 5 + 1 - (wild >> 3 & 3) % 3; // around the edge
            if (wild & 6 == 4) most = least * 1e6 + (wild >> 3 & 1);
        }
        PriceOracle.Config memory config = _oracleConfig();
        if (ofQuote) (config.quoteMinAnswer, config.quoteMaxAnswer) = (least, most);
        else (config.baseMinAnswer, config.baseMaxAnswer) = (least, most);
        bool allowed =
            least >= 1 && least <= highest && most >= least + (least + 4) / 5 && most <= least * 1e6;
        if (!allowed) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    // ---------------------------------------------------------------- sequencer

    function testFuzz_a_price_waits_for_the_end_of_the_grace(uint256 up) external {
        _onRollup();
        up = bound(up, 0, 2 * GRACE);
        _status(0, block.timestamp - up);
        if (up < GRACE) _expectUnusable(IPriceOracle.Fault.SequencerGrace, address(uptime), up, GRACE);
        else _expectUsable();
    }

    function test_the_grace_ends_at_its_last_second() external {
        _onRollup();
        _status(0, block.timestamp - GRACE + 1);
        _expectUnusable(IPriceOracle.Fault.SequencerGrace, address(uptime), GRACE - 1, GRACE);
        vm.warp(block.timestamp + 1);
        _expectUsable();
    }

    function testFuzz_no_price_while_the_sequencer_is_down(uint256 down) external {
        _onRollup();
        down = bound(down, 0, 30 days);
        _status(1, block.timestamp - down);
        _expectUnusable(IPriceOracle.Fault.SequencerDown, address(uptime), down, GRACE);
        assertFalse(oracle.read().sequencer.up);
    }

    function testFuzz_an_uptime_feed_that_says_nothing_sound_fails_shut(int256 answer, uint256 since)
        external
    {
        _onRollup();
        vm.assume(answer != 0 && answer != 1);
        _status(answer, block.timestamp - 2 * GRACE);
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(uptime), 0, GRACE);
        _status(0, 0); // a feed not yet told
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(uptime), 0, GRACE);
        _status(0, bound(since, block.timestamp + 1, type(uint256).max));
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(uptime), 0, GRACE);
        _status(0, block.timestamp - 2 * GRACE);
        _expectUsable();
    }

    function test_an_uptime_feed_that_misbehaves_fails_shut_and_costs_bounded_gas() external {
        _onRollup();
        for (uint256 mode = 1; mode <= 6; ++mode) {
            uptime.setMode(MockFeed.Mode(mode));
            uint256 before = gasleft();
            _expectUnusable(IPriceOracle.Fault.Unreadable, address(uptime), 0, GRACE);
            assertLt(before - gasleft(), 4 * 600_000);
        }
        vm.etch(address(uptime), "");
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(uptime), 0, GRACE);
    }

    /// The first fault is the sequencer's: what feeds say meanwhile is of before.
    function test_the_sequencer_is_named_before_the_feeds() external {
        _onRollup();
        ethFeed.set(0);
        _status(1, block.timestamp - 5);
        _expectUnusable(IPriceOracle.Fault.SequencerDown, address(uptime), 5, GRACE);
    }

    function testFuzz_the_grace_has_hard_bounds_and_needs_a_sequencer(uint256 grace, bool rollup) external {
        if (grace & 1 == 0) grace = bound(grace, 0, 1 days + 1);
        _onRollup();
        PriceOracle.Config memory config = _oracleConfig();
        (config.sequencerFeed, config.graceSeconds) = (rollup ? address(uptime) : address(0), grace);
        bool allowed = rollup ? grace >= 5 minutes && grace <= 1 days : grace == 0;
        if (!allowed) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    function test_an_uptime_feed_that_cannot_be_read_is_refused_at_construction() external {
        _onRollup();
        PriceOracle.Config memory config = _oracleConfig();
        (config.sequencerFeed, config.graceSeconds) = (address(uptime), GRACE);
        uptime.setMode(MockFeed.Mode.Reverts);
        vm.expectRevert(abi.encodeWithSelector(IPair.SequencerUnreadable.selector, address(uptime)));
        this.build(config);
    }

    function test_without_a_sequencer_there_is_nothing_to_wait_for() external view {
        IPriceOracle.SequencerReading memory sequencer = oracle.read().sequencer;
        assertEq(sequencer.feed, address(0));
        assertTrue(sequencer.up);
        assertEq(uint8(sequencer.fault), uint8(IPriceOracle.Fault.None));
    }

    // ---------------------------------------------------------------- room for the mean, by the chain's block time

    function testFuzz_faster_blocks_need_more_room(uint256 window, uint256 blockTime, uint256 room) external {
        PriceOracle.Config memory config = _oracleConfig();
        config.twapWindow = bound(window, 30, 1 hours);
        config.blockTime = bound(blockTime, 0, 13);
        bool allowed = config.blockTime >= 1 && config.blockTime <= 12;
        uint256 least = allowed ? (config.twapWindow + config.blockTime - 1) / config.blockTime + 1 : 0;
        uint16 cardinality = uint16(allowed ? bound(room, least - 1, least) : 4000);
        pool.setCardinality(cardinality);
        if (!allowed) {
            vm.expectRevert(
                abi.encodeWithSelector(Bounds.OutOfBounds.selector, "blockTime", config.blockTime, 1, 12)
            );
        } else if (cardinality < least) {
            vm.expectRevert(
                abi.encodeWithSelector(IPair.CardinalityTooLow.selector, address(pool), cardinality, least)
            );
        }
        this.build(config);
    }

    // ---------------------------------------------------------------- phases

    /// A proxy that turns to its next aggregator answers with ids of the next phase: the price goes on, whatever the ids.
    function testFuzz_a_new_phase_is_a_price_like_any_other(uint16 phase, uint64 round) external {
        uint80 id = uint80(uint256(phase) << 64 | round);
        ethFeed.setRound(id, int256(PRICE * 1e8), block.timestamp, id);
        _expectUsable();
        assertEq(oracle.read().base.roundId, id);
    }

    /// An aggregator of the new phase that has not answered yet.
    function test_a_new_phase_without_an_answer_is_refused() external {
        ethFeed.setRound(uint80(2 << 64), int256(PRICE * 1e8), 0, uint80(2 << 64));
        _expectUnusable(IPriceOracle.Fault.Incomplete, address(ethFeed), 0, block.timestamp);
        ethFeed.setRound(uint80(2 << 64 | 1), int256(PRICE * 1e8), block.timestamp, uint80(1 << 64 | 900));
        _expectUnusable(
            IPriceOracle.Fault.Incomplete, address(ethFeed), uint80(1 << 64 | 900), uint80(2 << 64 | 1)
        );
    }

    // ---------------------------------------------------------------- nonsense

    /// Ids that do not fit are nonsense, on either end of the answer, and so is an answer beyond 127 bits.
    function testFuzz_words_that_do_not_fit_are_unreadable(uint256 wide, uint256 which) external {
        which = bound(which, 0, 2);
        uint256[5] memory words = [uint256(9), PRICE * 1e8, block.timestamp, block.timestamp, 9];
        if (which == 0) words[0] = bound(wide, 1 << 80, type(uint256).max);
        if (which == 1) words[4] = bound(wide, 1 << 80, type(uint256).max);
        if (which == 2) words[1] = bound(wide, 1 << 127, uint256(type(int256).max));
        vm.mockCall(
            address(ethFeed), abi.encodeWithSelector(ethFeed.latestRoundData.selector), abi.encode(words)
        );
        assertEq(uint8(oracle.read().base.fault), uint8(IPriceOracle.Fault.Unreadable));
        (IPriceOracle.Fault fault, uint256 price,,) = oracle.marks();
        assertEq(uint8(fault), uint8(IPriceOracle.Fault.Unreadable));
        assertEq(price, 0);
    }

    /// Longer answers than expected are read as far as they are known; a word too few is nonsense.
    function testFuzz_the_length_of_an_answer_matters_from_below(uint256 length) external {
        length = bound(length, 0, 320);
        bytes memory full =
            abi.encodePacked(abi.encode(9, PRICE * 1e8, block.timestamp, block.timestamp, 9), new bytes(160));
        bytes memory answer = new bytes(length);
        for (uint256 i; i < length; ++i) {
            answer[i] = full[i];
        }
        vm.mockCall(address(ethFeed), abi.encodeWithSelector(ethFeed.latestRoundData.selector), answer);
        bool sound = oracle.read().base.fault == IPriceOracle.Fault.None;
        assertEq(sound, length >= 160);
    }

    function testFuzz_sums_of_ticks_that_do_not_fit_are_unreadable(int256 first, uint256 shape) external {
        first = first < 0
            ? bound(first, type(int256).min, -2 ** 55 - 1)
            : bound(first, 2 ** 55, type(int256).max);
        int256[2] memory sums = shape & 1 == 0 ? [first, first] : [int256(0), first];
        if (shape & 2 == 0) sums = [first, int256(0)];
        bytes memory answer =
            abi.encode(uint256(0x40), uint256(0xa0), uint256(2), sums[0], sums[1], uint256(2), 0, 0);
        vm.mockCall(address(pool), abi.encodeWithSelector(pool.observe.selector), answer);
        assertEq(oracle.read().twapWad, 0);
    }

    /// 56 bits with a sign: the last number that fits, and the first that does not, on either end of the sum.
    function test_sums_of_ticks_are_read_up_to_their_last_bit() external {
        int256 edge = 2 ** 55;
        assertNotEq(_twapOf(0x40, 2, edge - 1, edge - 1, 256), 0);
        assertNotEq(_twapOf(0x40, 2, -edge, -edge, 256), 0);
        assertEq(_twapOf(0x40, 2, edge, edge - 1, 256), 0);
        assertEq(_twapOf(0x40, 2, edge - 1, edge, 256), 0);
        assertEq(_twapOf(0x40, 2, -edge - 1, -edge, 256), 0);
        assertEq(_twapOf(0x40, 2, -edge, -edge - 1, 256), 0);
    }

    function test_another_shape_of_the_pools_answer_is_unreadable() external {
        assertNotEq(_twapOf(0x40, 2, 0, 0, 256), 0);
        assertEq(_twapOf(0x20, 2, 0, 0, 256), 0);
        assertEq(_twapOf(0x40, 3, 0, 0, 256), 0);
        assertEq(_twapOf(0x40, 1, 0, 0, 256), 0);
        assertEq(_twapOf(0x40, 2, 0, 0, 255), 0);
    }

    function _twapOf(uint256 offset, uint256 count, int256 first, int256 last, uint256 length)
        private
        returns (uint256)
    {
        bytes memory full = abi.encode(offset, uint256(0xa0), count, first, last, uint256(2), 0, 0);
        bytes memory answer = new bytes(length);
        for (uint256 i; i < length; ++i) {
            answer[i] = full[i];
        }
        vm.mockCall(address(pool), abi.encodeWithSelector(pool.observe.selector), answer);
        return oracle.read().twapWad;
    }

    /// WETH is worth 2^64 raw USDC a raw unit at the last tick: beyond what a price may be, though it is a tick.
    function test_a_mean_beyond_128_bits_is_unreadable() external {
        bool wethFirst = pool.token0() == address(weth);
        pool.setMeanTick(wethFirst ? int24(443_636) : int24(-443_636));
        assertEq(oracle.read().twapWad, 0);
        pool.setMeanTick(wethFirst ? int24(150_000) : int24(-150_000));
        assertNotEq(oracle.read().twapWad, 0);
    }

    /// Nothing of an answer that cannot be read is shown as one.
    function test_an_unreadable_answer_leaves_no_numbers() external {
        ethFeed.setMode(MockFeed.Mode.DirtyData);
        IPriceOracle.FeedReading memory feed = oracle.read().base;
        assertEq(feed.answer, 0);
        assertEq(feed.updatedAt, 0);
        assertEq(feed.roundId, 0);
        assertEq(feed.answeredInRound, 0);
        (,,, uint256 updatedAt) = oracle.marks();
        assertEq(updatedAt, 0);
    }

    /// A mean tick beyond what a price can be made of.
    function testFuzz_ticks_out_of_range_are_unreadable(int24 tick) external {
        tick = tick < 0 ? int24(bound(tick, -887_272, -443_637)) : int24(bound(tick, 443_637, 887_272));
        pool.setMeanTick(tick);
        assertEq(oracle.read().twapWad, 0);
        _expectUnusable(IPriceOracle.Fault.Unreadable, address(pool), 0, type(uint128).max);
    }

    // ---------------------------------------------------------------- starved

    /// Whatever gas is given, the answer is the true one or none: nobody makes a sound source look broken.
    function testFuzz_little_gas_never_makes_a_fault(uint256 given, bool cheap) external {
        _onRollup();
        given = bound(given, 5000, 700_000);
        IPriceOracle.Fault fault;
        if (cheap) {
            try oracle.marks{gas: given}() returns (IPriceOracle.Fault f, uint256, uint256, uint256) {
                fault = f;
            } catch {}
        } else {
            try oracle.read{gas: given}() returns (IPriceOracle.Reading memory reading) {
                fault = reading.fault;
            } catch {}
        }
        assertEq(uint8(fault), uint8(IPriceOracle.Fault.None));
    }

    /// A source that burns its limit is a fault once it had the whole limit, and before that nothing is said of it: a feed's
    /// round, a feed's decimals, the pool.
    function test_a_failure_on_little_gas_is_named_and_one_on_enough_is_a_fault() external {
        uint256 snapshot = vm.snapshotState();
        ethFeed.setMode(MockFeed.Mode.BurnsGas);
        _assertStarvedOrFaulty();
        vm.revertToState(snapshot);
        vm.etch(address(ethFeed), address(new DecimalsBurner()).code);
        _assertStarvedOrFaulty();
        vm.revertToState(snapshot);
        vm.etch(address(pool), hex"5b600056"); // jumps to itself
        _assertStarvedOrFaulty();
    }

    function _assertStarvedOrFaulty() private view {
        (uint256 faults, uint256 starved) = (0, 0);
        for (uint256 given = 400_000; given < 800_000; given += 8000) {
            try oracle.marks{gas: given}() returns (IPriceOracle.Fault fault, uint256, uint256, uint256) {
                assertEq(uint8(fault), uint8(IPriceOracle.Fault.Unreadable));
                assertGe(given, 518_000);
                ++faults;
            } catch (bytes memory reason) {
                if (bytes4(reason) == SourceReader.TooLittleGas.selector) ++starved;
            }
        }
        assertGt(faults, 10);
        assertGt(starved, 10);
    }

    // ---------------------------------------------------------------- the cheap reading

    function testFuzz_marks_are_what_read_says(
        uint256 modes,
        int256 answer,
        int256 quoteAnswer,
        uint256 age,
        uint80 answeredIn,
        int24 tick,
        int256 status,
        bool wild
    ) external {
        _onRollup();
        if (!wild) (answer, quoteAnswer) = (bound(answer, 1900e8, 2100e8), bound(quoteAnswer, 0.9e8, 1.1e8));
        uint256 at = block.timestamp - bound(age, 0, wild ? 2 days : 2 hours);
        ethFeed.setRound(9, answer, at, uint80(bound(answeredIn, 8, 10)));
        usdcFeed.setRound(9, quoteAnswer, at, 9);
        if (modes & 3 == 0) ethFeed.setMode(MockFeed.Mode(modes >> 2 & 3));
        if (modes & 0x30 == 0) usdcFeed.setMode(MockFeed.Mode(modes >> 6 & 3));
        if (modes & 0x700 == 0) pool.setObserveReverts(true);
        if (modes & 0x1800 == 0) pool.setMeanTick(int24(bound(tick, -887_272, 887_272)));
        if (modes & 0x6000 == 0) _status(bound(status, -1, 2), block.timestamp - bound(age, 0, 2 hours));
        IPriceOracle.Reading memory reading = oracle.read();
        (IPriceOracle.Fault fault, uint256 price, uint256 twap, uint256 updatedAt) = oracle.marks();
        assertEq(uint8(fault), uint8(reading.fault));
        assertEq(price, reading.priceWad);
        assertEq(twap, reading.twapWad);
        assertEq(updatedAt, reading.base.updatedAt);
        try oracle.priceWad() returns (uint256 only) {
            assertEq(uint8(fault), uint8(IPriceOracle.Fault.None));
            assertEq(only, price);
        } catch {
            assertNotEq(uint8(fault), uint8(IPriceOracle.Fault.None));
        }
    }

    /// Warm: what the vault's moves pay beyond what feeds and pool take themselves. The sources are etched to answer for next to
    /// nothing: one answer for every question, whose first word is the decimals and the round at once.
    function test_gas_of_marks_is_small() external {
        bytes memory round = abi.encode(8, PRICE * 1e8, block.timestamp, block.timestamp, 8);
        vm.etch(address(ethFeed), _answering(round));
        round = abi.encode(8, 1e8, block.timestamp, block.timestamp, 8);
        vm.etch(address(usdcFeed), _answering(round));
        int256 tick = pool.meanTick();
        bytes memory means = abi.encode(0x40, 0xa0, 2, int256(0), tick * 300, 2, 0, 0);
        vm.etch(address(pool), _answering(means));
        _expectUsable();
        uint256 left = gasleft();
        oracle.marks();
        uint256 ofMarks = left - gasleft();
        left = gasleft();
        oracle.priceWad();
        uint256 ofPrice = left - gasleft();
        left = gasleft();
        oracle.read();
        uint256 ofRead = left - gasleft();
        console.log("gas of marks, priceWad, read without the sources' own", ofMarks, ofPrice, ofRead);
        assertLe(ofMarks, 11_500);
        assertLe(ofPrice, 11_500);
    }

    /// Code that returns these bytes.
    function _answering(bytes memory answer) private pure returns (bytes memory) {
        return abi.encodePacked(hex"61", uint16(answer.length), hex"80600c6000396000f3", answer);
    }
}
