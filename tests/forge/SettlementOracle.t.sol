// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {IPair} from "../../contracts/interfaces/IPair.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {MockObservations} from "./mocks/MockObservations.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @notice The life of an instant: record, prove, quarantine, propose, resolve, give up.
contract SettlementOracleTest is SettlementFixture {
    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(SettlementOracle.Config calldata config) external returns (SettlementOracle) {
        return new SettlementOracle(config);
    }

    // ---------------------------------------------------------------- agreement

    function test_two_agreeing_sources_settle_at_chainlink_for_ever() external {
        _rounds(2000);
        _record();
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Settled));
        assertEq(oracle.settlementPriceWad(EXPIRY), 2000e18);
        (, uint256 price) = oracle.outcome(EXPIRY);
        assertEq(price, 2000e18);
    }

    function testFuzz_deviation_decides_between_settled_and_quarantined(uint256 dollars, int24 tick)
        external
    {
        dollars = bound(dollars, 1000, 4000);
        tick = int24(bound(tick, TICK_2000 - 7000, TICK_2000 + 7000));
        vm.warp(EXPIRY - 2 hours);
        pool.setTick(tick);
        _rounds(int256(dollars));
        _record();
        uint256 twap = oracle.settlementOf(EXPIRY).twapWad;
        uint256 price = dollars * 1e18;
        uint256 gap = price > twap ? price - twap : twap - price;
        bool agrees = gap * 10_000 <= price * 100;
        ISettlementOracle.Status expected =
            agrees ? ISettlementOracle.Status.Settled : ISettlementOracle.Status.Quarantined;
        assertEq(uint8(_prove()), uint8(expected));
        if (agrees) assertEq(oracle.settlementPriceWad(EXPIRY), price);
        else assertEq(oracle.settlementOf(EXPIRY).priceWad, 0);
    }

    function testFuzz_price_is_the_cross_of_both_feeds_rounded_down(int256 eth, int256 usd) external {
        eth = bound(eth, 100e8 + 1, 1e14 - 1);
        usd = bound(usd, 0.5e8, 2e8);
        ethPhase1.transmit(eth, EXPIRY);
        ethPhase1.transmit(1, EXPIRY + 1);
        usdPhase1.transmit(usd, EXPIRY);
        usdPhase1.transmit(1, EXPIRY + 1);
        _record();
        _prove();
        assertEq(oracle.settlementOf(EXPIRY).chainlinkWad, uint256(eth) * 1e18 / uint256(usd));
    }

    // ---------------------------------------------------------------- record

    function testFuzz_twap_does_not_depend_on_when_it_is_recorded(uint256 delay, int24 later, uint256 change)
        external
    {
        vm.warp(EXPIRY - 5 minutes);
        pool.setTick(TICK_2000 + 200);
        vm.warp(EXPIRY + bound(change, 1, HALF));
        pool.setTick(TICK_2000 - 300);
        vm.warp(EXPIRY + HALF);
        uint256 snapshot = vm.snapshotState();
        uint256 first = oracle.record(EXPIRY);
        vm.revertToState(snapshot);
        pool.setTick(int24(bound(later, TICK_2000 - 5000, TICK_2000 + 5000)));
        vm.warp(EXPIRY + HALF + bound(delay, 0, 1 hours));
        assertEq(oracle.record(EXPIRY), first);
    }

    function test_twap_is_the_price_of_the_mean_tick_around_expiry() external {
        vm.warp(EXPIRY);
        pool.setTick(TICK_2000 + 200); // half the window at each
        _record();
        assertApproxEqRel(oracle.settlementOf(EXPIRY).twapWad, 2000.04e18 * 1.01005, 1e13);
    }

    function testFuzz_record_only_inside_its_window(uint256 time) external {
        time = bound(time, EXPIRY - 1 days, EXPIRY + 2 days);
        vm.warp(time);
        uint256 from = EXPIRY + HALF;
        if (time < from) {
            vm.expectRevert(abi.encodeWithSelector(ISettlementOracle.TooEarly.selector, time, from));
        } else if (time > from + 1 hours) {
            vm.expectRevert(abi.encodeWithSelector(ISettlementOracle.TooLate.selector, time, from + 1 hours));
        }
        oracle.record(EXPIRY);
    }

    function test_record_works_once_and_reverts_when_observations_are_gone() external {
        vm.warp(EXPIRY + HALF);
        pool.setMemory(2 * HALF - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementOracle.TwapUnreadable.selector, address(pool), 2 * HALF, 0)
        );
        oracle.record(EXPIRY);
        pool.setMemory(2 * HALF);
        oracle.record(EXPIRY);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementOracle.AlreadyRecorded.selector, EXPIRY, block.timestamp)
        );
        oracle.record(EXPIRY);
    }

    // ---------------------------------------------------------------- quarantine

    function test_a_proof_waits_for_the_record_or_the_end_of_its_window() external {
        _rounds(2000);
        vm.warp(EXPIRY + HALF + 1 hours);
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        _prove();
        vm.warp(EXPIRY + HALF + 1 hours + 1);
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Quarantined));
    }

    function test_one_source_alone_is_never_settled_without_quarantine() external {
        _rounds(2000);
        vm.warp(EXPIRY + 3 hours);
        _prove();
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        oracle.resolve(EXPIRY);
        vm.warp(block.timestamp + 3 days);
        assertEq(oracle.resolve(EXPIRY), 2000e18);
    }

    function testFuzz_a_stale_round_is_quarantined_though_it_agrees(uint256 age) external {
        age = bound(age, 0, 3 hours);
        ethPhase1.transmit(2000e8, EXPIRY - age);
        ethPhase1.transmit(2000e8, EXPIRY + 1);
        usdPhase1.transmit(1e8, EXPIRY - 10 hours);
        usdPhase1.transmit(1e8, EXPIRY + 1);
        _record();
        bool fresh = age <= 1 hours + 5 minutes;
        assertEq(
            uint8(_prove()),
            uint8(fresh ? ISettlementOracle.Status.Settled : ISettlementOracle.Status.Quarantined)
        );
        assertEq(oracle.settlementOf(EXPIRY).stale, !fresh);
    }

    /// Each feed by its own age, to the second.
    function test_rounds_are_stale_one_second_after_their_age() external {
        uint256[2] memory most = [uint256(1 hours + 5 minutes), 25 hours];
        for (uint256 i; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            ethPhase1.transmit(2000e8, EXPIRY - (i < 2 ? most[0] + i : 0));
            usdPhase1.transmit(1e8, EXPIRY - (i < 2 ? 0 : most[1] + i - 2));
            ethPhase1.transmit(2000e8, EXPIRY + 1);
            usdPhase1.transmit(1e8, EXPIRY + 1);
            _record();
            _prove();
            assertEq(oracle.settlementOf(EXPIRY).stale, i % 2 == 1);
            assertEq(
                uint8(_status()),
                uint8(i % 2 == 1 ? ISettlementOracle.Status.Quarantined : ISettlementOracle.Status.Settled)
            );
            vm.revertToState(snapshot);
        }
    }

    function test_sources_may_differ_by_exactly_the_threshold() external {
        _record();
        uint256 twap = oracle.settlementOf(EXPIRY).twapWad;
        uint256 edge = twap * 10_000 / 9900 / 1e10; // of it the TWAP is 1 % away
        for (uint256 i; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            ethPhase1.transmit(int256(edge + i), EXPIRY);
            ethPhase1.transmit(2000e8, EXPIRY + 1);
            usdPhase1.transmit(1e8, EXPIRY);
            usdPhase1.transmit(1e8, EXPIRY + 1);
            assertEq(
                uint8(_prove()),
                uint8(i == 0 ? ISettlementOracle.Status.Settled : ISettlementOracle.Status.Quarantined)
            );
            vm.revertToState(snapshot);
        }
    }

    function test_the_last_second_of_each_window() external {
        _rounds(2500);
        vm.warp(EXPIRY + HALF + 1 hours);
        oracle.record(EXPIRY);
        _prove();
        uint256 quarantinedAt = block.timestamp;
        vm.startPrank(resolver);
        vm.warp(quarantinedAt + 2 days - 1);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
        vm.warp(quarantinedAt + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementOracle.TooLate.selector, quarantinedAt + 2 days, quarantinedAt + 2 days - 1
            )
        );
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Chainlink);
        assertEq(uint8(oracle.settlementOf(EXPIRY).choice), uint8(ISettlementOracle.Choice.Twap));
    }

    function test_a_feed_without_phases_is_refused() external {
        SettlementOracle.Config memory config = _config();
        vm.mockCall(address(usdFeed), abi.encodeWithSelector(usdFeed.phaseId.selector), abi.encode(0));
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
        vm.clearMockedCalls();
        vm.mockCall(address(ethFeed), abi.encodeWithSelector(ethFeed.phaseId.selector), abi.encode(0));
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    function testFuzz_without_a_proposal_the_middle_settles(uint256 dollars) external {
        dollars = bound(dollars, 2100, 100_000);
        _rounds(int256(dollars));
        _record();
        _prove();
        vm.warp(block.timestamp + 3 days);
        uint256 twap = oracle.settlementOf(EXPIRY).twapWad;
        assertEq(oracle.resolve(EXPIRY), (dollars * 1e18 + twap) / 2);
        assertEq(oracle.settlementPriceWad(EXPIRY), (dollars * 1e18 + twap) / 2);
    }

    function testFuzz_resolver_chooses_only_among_what_is_proven(uint8 raw, uint256 wait) external {
        ISettlementOracle.Choice choice = ISettlementOracle.Choice(bound(raw, 0, 3));
        _rounds(2500);
        _record();
        _prove();
        ISettlementOracle.Settlement memory known = oracle.settlementOf(EXPIRY);
        uint256[4] memory prices =
            [0, known.chainlinkWad, known.twapWad, (uint256(known.chainlinkWad) + known.twapWad) / 2];
        vm.warp(block.timestamp + bound(wait, 0, 2 days - 1));
        vm.prank(resolver);
        if (choice == ISettlementOracle.Choice.None) {
            vm.expectPartialRevert(ISettlementOracle.ChoiceUnavailable.selector);
        }
        oracle.propose(EXPIRY, choice);
        vm.warp(known.quarantinedAt + 3 days - 1);
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        oracle.resolve(EXPIRY);
        vm.warp(known.quarantinedAt + 3 days);
        assertEq(
            oracle.resolve(EXPIRY),
            choice == ISettlementOracle.Choice.None ? prices[3] : prices[uint8(choice)]
        );
    }

    function test_a_missing_source_cannot_be_chosen() external {
        _rounds(2000);
        vm.warp(EXPIRY + 3 hours);
        _prove();
        vm.startPrank(resolver);
        for (uint8 i = 2; i <= 3; ++i) {
            vm.expectPartialRevert(ISettlementOracle.ChoiceUnavailable.selector);
            oracle.propose(EXPIRY, ISettlementOracle.Choice(i));
        }
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Chainlink);
    }

    function testFuzz_nobody_else_proposes_and_nobody_after_the_window(address caller, uint256 late)
        external
    {
        vm.assume(caller != resolver);
        _rounds(2500);
        _record();
        _prove();
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(ISettlementOracle.NotResolver.selector, caller, resolver));
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
        vm.warp(block.timestamp + bound(late, 2 days, 400 days));
        vm.prank(resolver);
        vm.expectPartialRevert(ISettlementOracle.TooLate.selector);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
    }

    function test_resolver_has_no_say_over_agreeing_sources() external {
        _rounds(2000);
        _record();
        vm.startPrank(resolver);
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
        _prove();
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
    }

    // ---------------------------------------------------------------- V-10

    function testFuzz_a_settled_price_never_changes(uint256 wait, bool quarantined) external {
        _rounds(quarantined ? int256(2500) : int256(2000));
        _record();
        _prove();
        if (quarantined) {
            vm.warp(block.timestamp + 3 days);
            oracle.resolve(EXPIRY);
        }
        bytes32 before = keccak256(abi.encode(oracle.settlementOf(EXPIRY)));
        ethPhase1.setRound(1, 9999e8, EXPIRY - 1, 1); // a feed that rewrites its past
        vm.warp(block.timestamp + bound(wait, 0, 400 days));
        vm.expectRevert();
        oracle.record(EXPIRY);
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        _prove();
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        oracle.resolve(EXPIRY);
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        oracle.giveUp(EXPIRY);
        assertEq(keccak256(abi.encode(oracle.settlementOf(EXPIRY))), before);
    }

    // ---------------------------------------------------------------- giving up

    function test_twap_alone_is_quarantined_after_a_week_and_a_late_proof_still_settles() external {
        _rounds(2000);
        _record();
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        oracle.giveUp(EXPIRY);
        vm.warp(EXPIRY + 7 days);
        assertEq(uint8(oracle.giveUp(EXPIRY)), uint8(ISettlementOracle.Status.Quarantined));
        uint256 snapshot = vm.snapshotState();
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Settled));
        vm.revertToState(snapshot);
        vm.warp(block.timestamp + 3 days);
        assertEq(oracle.resolve(EXPIRY), oracle.settlementOf(EXPIRY).twapWad);
    }

    function test_a_late_proof_that_differs_begins_the_dispute_anew_and_only_once() external {
        _rounds(2500);
        _record();
        vm.warp(EXPIRY + 7 days);
        oracle.giveUp(EXPIRY);
        vm.prank(resolver);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Twap);
        vm.warp(block.timestamp + 3 days - 1);
        _prove();
        assertEq(uint8(oracle.settlementOf(EXPIRY).choice), uint8(ISettlementOracle.Choice.None));
        assertEq(oracle.settlementOf(EXPIRY).quarantinedAt, block.timestamp);
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        _prove();
    }

    function testFuzz_without_any_source_there_is_no_price_after_a_month(uint256 wait) external {
        wait = bound(wait, 0, 60 days);
        vm.warp(EXPIRY + wait);
        if (wait < 30 days) {
            vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
            oracle.giveUp(EXPIRY);
            return;
        }
        assertEq(uint8(oracle.giveUp(EXPIRY)), uint8(ISettlementOracle.Status.Void));
        vm.expectPartialRevert(ISettlementOracle.NotSettled.selector);
        oracle.settlementPriceWad(EXPIRY);
        vm.expectPartialRevert(ISettlementOracle.WrongStatus.selector);
        _prove();
    }

    // ---------------------------------------------------------------- construction

    function testFuzz_every_parameter_has_a_hard_bound(uint256 which, uint256 value) external {
        SettlementOracle.Config memory config = _config();
        uint256[2][7] memory bounds = [
            [uint256(60), 26 hours],
            [uint256(60), 26 hours],
            [uint256(2 minutes), 1 hours],
            [uint256(10 minutes), 1 days],
            [uint256(1), 500],
            [uint256(1 days), 7 days],
            [uint256(1 days), 7 days]
        ];
        which = bound(which, 0, 6);
        value = bound(value, 0, 2 * bounds[which][1]);
        if (which == 0) config.baseMaxAge = value;
        if (which == 1) config.quoteMaxAge = value;
        if (which == 2) config.twapWindow = value;
        if (which == 3) config.recordWindow = value;
        if (which == 4) config.maxDeviationBps = value;
        if (which == 5) config.disputeWindow = value;
        if (which == 6) config.choiceDelay = value;
        if (value < bounds[which][0] || value > bounds[which][1]) {
            vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        }
        this.build(config);
    }

    function testFuzz_a_pool_with_too_little_room_is_refused(uint16 cardinality) external {
        pool.setCardinality(cardinality);
        SettlementOracle.Config memory config = _config();
        if (cardinality < 201) {
            vm.expectRevert(
                abi.encodeWithSelector(IPair.CardinalityTooLow.selector, address(pool), cardinality, 201)
            );
        }
        this.build(config); // 30 minutes of mean and 10 to record it
    }

    function test_a_pool_of_other_tokens_is_refused() external {
        SettlementOracle.Config memory config = _config();
        config.pool = address(new MockObservations(address(weth), address(ethFeed), 0));
        vm.expectPartialRevert(IPair.PoolMismatch.selector);
        this.build(config);
    }

    function test_a_pool_in_the_other_order_gives_the_same_price() external {
        SettlementOracle.Config memory config = _config();
        config.pool = address(new MockObservations(address(usdc), address(weth), -TICK_2000));
        SettlementOracle mirrored = new SettlementOracle(config);
        _record();
        assertApproxEqRel(mirrored.record(EXPIRY), oracle.settlementOf(EXPIRY).twapWad, 1e10);
    }

    /// Answers within their bounds may still cross to nothing, or to more than a price can hold: neither settles anything.
    function testFuzz_a_cross_that_is_no_price_is_refused(bool huge, uint256 size) external {
        SettlementOracle.Config memory config = _config();
        (config.baseMinAnswer, config.baseMaxAnswer) = (huge ? 1e31 : 1, huge ? 1e37 : 10);
        (config.quoteMinAnswer, config.quoteMaxAnswer) = (huge ? 1 : 1e31, huge ? 10 : 1e37);
        oracle = new SettlementOracle(config);
        size = bound(size, 1e31 + 1, 1e37 - 1);
        (uint256 base, uint256 quote) = huge ? (size, uint256(2)) : (uint256(2), size);
        ethPhase1.transmit(int256(base), EXPIRY - 10 minutes);
        ethPhase1.transmit(int256(base), EXPIRY + 5 minutes);
        usdPhase1.transmit(int256(quote), EXPIRY - 10 hours);
        usdPhase1.transmit(int256(quote), EXPIRY + 10 minutes);
        vm.warp(EXPIRY + HALF + 1 hours + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementOracle.PriceOutOfRange.selector, base * 1e18 / quote, type(uint128).max
            )
        );
        _prove();
        assertEq(uint8(_status()), uint8(ISettlementOracle.Status.Open));
    }
}
