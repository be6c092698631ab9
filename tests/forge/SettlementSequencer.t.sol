// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @notice V-10 on a rollup: two sources that stood still together do not agree, they are silent; and answers at their bounds.
contract SettlementSequencerTest is SettlementFixture {
    uint256 private constant GRACE = 1 hours;

    MockFeed private uptime;

    function setUp() public override {
        super.setUp();
        uptime = new MockFeed(0, "L2 Sequencer Uptime Status Feed", 0);
        _status(0, EXPIRY - 10 days);
        SettlementOracle.Config memory config = _config();
        (config.sequencerFeed, config.graceSeconds) = (address(uptime), GRACE);
        oracle = new SettlementOracle(config);
        _rounds(2000);
    }

    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(SettlementOracle.Config calldata config) external returns (SettlementOracle) {
        return new SettlementOracle(config);
    }

    function _status(int256 answer, uint256 since) private {
        uptime.setRound(7, answer, since, 7);
    }

    function _assertInterrupted(bool expected) private {
        assertEq(oracle.settlementOf(EXPIRY).interrupted, expected);
        ISettlementOracle.Status status =
            expected ? ISettlementOracle.Status.Quarantined : ISettlementOracle.Status.Settled;
        assertEq(uint8(_prove()), uint8(status));
    }

    function testFuzz_sources_that_agree_settle_only_if_the_sequencer_was_up_all_the_while(uint256 since)
        external
    {
        since = bound(since, EXPIRY - HALF - 2 * GRACE, EXPIRY + HALF);
        _status(0, since);
        _record();
        _assertInterrupted(since > EXPIRY - HALF - GRACE);
    }

    function test_the_edge_of_the_grace() external {
        _status(0, EXPIRY - HALF - GRACE);
        uint256 snapshot = vm.snapshotState();
        _record();
        _assertInterrupted(false);
        vm.revertToState(snapshot);
        _status(0, EXPIRY - HALF - GRACE + 1);
        _record();
        _assertInterrupted(true);
    }

    function testFuzz_a_sequencer_that_is_down_or_unknown_when_it_is_recorded_quarantines(uint8 way)
        external
    {
        way = uint8(bound(way, 0, 9));
        if (way == 0) _status(1, EXPIRY - 10 days);
        if (way == 1) _status(2, EXPIRY - 10 days);
        if (way == 2) _status(0, 0);
        if (way == 3) _status(0, EXPIRY + 1 days);
        if (way >= 4) uptime.setMode(MockFeed.Mode(way - 3));
        _record();
        _assertInterrupted(true);
    }

    /// What the sequencer does between record and proof says nothing of the instant.
    function test_an_outage_after_the_record_changes_nothing() external {
        _record();
        _status(1, EXPIRY + HALF + 1);
        _assertInterrupted(false);
    }

    function test_an_interrupted_instant_takes_no_price_but_the_proven_ones() external {
        _status(1, EXPIRY);
        _record();
        _prove();
        ISettlementOracle.Settlement memory known = oracle.settlementOf(EXPIRY);
        vm.warp(known.quarantinedAt + 3 days - 1);
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        oracle.resolve(EXPIRY);
        vm.warp(known.quarantinedAt + 3 days);
        assertEq(oracle.resolve(EXPIRY), (uint256(known.chainlinkWad) + known.twapWad) / 2);
    }

    /// Whoever records cannot make an outage by giving little gas.
    function testFuzz_little_gas_never_interrupts(uint256 given) external {
        vm.warp(EXPIRY + HALF);
        try oracle.record{gas: bound(given, 20_000, 900_000)}(EXPIRY) {
            assertFalse(oracle.settlementOf(EXPIRY).interrupted);
        } catch {}
    }

    function testFuzz_the_grace_has_hard_bounds(uint256 grace, bool rollup) external {
        if (grace & 1 == 0) grace = bound(grace, 0, 1 days + 1);
        SettlementOracle.Config memory config = _config();
        (config.sequencerFeed, config.graceSeconds) = (rollup ? address(uptime) : address(0), grace);
        bool allowed = rollup ? grace >= 5 minutes && grace <= 1 days : grace == 0;
        if (!allowed) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(config);
    }

    // ---------------------------------------------------------------- answers at their bounds

    /// An aggregator that clamps says nothing at its clamp (2022, a token at a hundredth of its feed's floor): such a round is not
    /// proven, and after a week the TWAP goes to quarantine alone.
    function testFuzz_a_round_at_its_bound_is_no_price(uint256 answer, bool above) external {
        answer = above ? bound(answer, 1e14, uint256(type(int256).max)) : bound(answer, 0, 100e8);
        ethPhase1.setRound(1, int256(answer), EXPIRY - 10 minutes, 1);
        _record();
        vm.expectRevert();
        _prove();
        vm.warp(EXPIRY + 7 days);
        oracle.giveUp(EXPIRY);
        vm.startPrank(resolver);
        vm.expectPartialRevert(ISettlementOracle.ChoiceUnavailable.selector);
        oracle.propose(EXPIRY, ISettlementOracle.Choice.Chainlink);
        vm.stopPrank();
        vm.warp(block.timestamp + 3 days);
        assertEq(oracle.resolve(EXPIRY), oracle.settlementOf(EXPIRY).twapWad);
    }

    function test_the_quote_round_has_bounds_of_its_own() external {
        usdPhase1.setRound(1, 0.1e8, EXPIRY - 10 hours, 1);
        _record();
        vm.expectRevert();
        _prove();
        usdPhase1.setRound(1, 0.1e8 + 1, EXPIRY - 10 hours, 1);
        assertEq(uint8(_prove()), uint8(ISettlementOracle.Status.Quarantined)); // differs, but is an answer
    }

    // ---------------------------------------------------------------- quarantine has an end

    /// Whatever the parameters, a quarantine lasts from two days to a fortnight, and nobody's silence makes it longer.
    function testFuzz_a_quarantine_ends_within_its_hard_bounds(uint256 dispute, uint256 delay) external {
        SettlementOracle.Config memory config = _config();
        config.disputeWindow = bound(dispute, 1 days, 7 days);
        config.choiceDelay = bound(delay, 1 days, 7 days);
        config.resolver = address(0);
        oracle = new SettlementOracle(config);
        ethPhase1.setRound(1, 2500e8, EXPIRY - 10 minutes, 1);
        _record();
        _prove();
        uint256 from = block.timestamp;
        vm.warp(from + 2 days - 1);
        vm.expectPartialRevert(ISettlementOracle.TooEarly.selector);
        oracle.resolve(EXPIRY);
        vm.warp(from + 14 days);
        assertGt(oracle.resolve(EXPIRY), 0);
    }
}
