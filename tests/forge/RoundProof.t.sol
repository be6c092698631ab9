// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {RoundProof} from "../../contracts/libraries/RoundProof.sol";
import {MockAggregator} from "./mocks/MockAggregatorProxy.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @notice The library behind an external call.
contract RoundProofHarness {
    function verify(
        RoundProof.Terms calldata terms,
        uint16 newestPhase,
        uint256 instant,
        ISettlementOracle.Straddle calldata rounds
    ) external view returns (uint256, uint256) {
        return RoundProof.verify(terms, newestPhase, instant, rounds);
    }
}

/// @notice One round is in force at an instant, and only that one can be proven: phases, gaps, reversed and forged rounds.
contract RoundProofTest is SettlementFixture {
    uint256 private constant MIN = 100e8;
    uint256 private constant MAX = 1e6 * 1e8;

    RoundProofHarness private harness;
    uint16 private newest = 1;

    function setUp() public override {
        super.setUp();
        harness = new RoundProofHarness();
        vm.warp(EXPIRY + 1 days);
    }

    function _terms() private view returns (RoundProof.Terms memory) {
        return RoundProof.Terms({feed: address(ethFeed), decimals: 8, minAnswer: MIN, maxAnswer: MAX});
    }

    function _verify(uint80 id, uint80 next) private view returns (uint256 answer, uint256 updatedAt) {
        return harness.verify(_terms(), newest, EXPIRY, _straddle(id, next));
    }

    function _refused(uint80 id, uint80 next) private view returns (bool) {
        try harness.verify(_terms(), newest, EXPIRY, _straddle(id, next)) {
            return false;
        } catch {
            return true;
        }
    }

    // ---------------------------------------------------------------- one phase

    function testFuzz_exactly_one_pair_of_neighbours_passes(uint256 seed, uint256 count) external {
        count = bound(count, 2, 12);
        uint256 at = EXPIRY - 6 hours;
        uint256 inForce;
        for (uint256 i = 1; i <= count; ++i) {
            at += uint256(keccak256(abi.encode(seed, i))) % 2 hours; // neighbours at the same time occur
            ethPhase1.transmit(int256(2000e8 + i), at);
            if (at <= EXPIRY) inForce = i;
        }
        for (uint256 id = 1; id <= count; ++id) {
            for (uint256 next = 1; next <= count + 1; ++next) {
                bool passes = inForce != 0 && inForce < count && id == inForce && next == id + 1;
                assertEq(_refused(_id(1, id), _id(1, next)), !passes);
            }
        }
    }

    function testFuzz_a_forged_pair_is_refused(uint80 id, uint80 next) external {
        _rounds(2000);
        vm.assume(id != _id(1, 1) || next != _id(1, 2));
        assertTrue(_refused(id, next));
    }

    function test_the_edges_of_the_instant() external {
        ethPhase1.transmit(2000e8, EXPIRY); // at the instant: in force
        ethPhase1.transmit(2001e8, EXPIRY + 1);
        (uint256 answer, uint256 at) = _verify(_id(1, 1), _id(1, 2));
        assertEq(answer, 2000e8);
        assertEq(at, EXPIRY);
        ethPhase1.setRound(2, 2001e8, EXPIRY, 2); // of two at the instant the later one is in force
        ethPhase1.transmit(2002e8, EXPIRY + 1);
        vm.expectPartialRevert(RoundProof.NextNotAfter.selector);
        _verify(_id(1, 1), _id(1, 2));
        (answer,) = _verify(_id(1, 2), _id(1, 3));
        assertEq(answer, 2001e8);
    }

    function test_a_round_after_the_instant_is_refused() external {
        _rounds(2000);
        ethPhase1.transmit(2200e8, EXPIRY + 1 hours);
        vm.expectPartialRevert(RoundProof.RoundAfter.selector);
        _verify(_id(1, 2), _id(1, 3));
    }

    function test_times_that_run_backwards_prove_nothing() external {
        uint256[4] memory times = [uint256(EXPIRY - 90), EXPIRY + 30, EXPIRY - 30, EXPIRY + 60];
        for (uint256 i; i < 4; ++i) {
            ethPhase1.transmit(int256(2000e8 + i), times[i]);
        }
        vm.expectPartialRevert(RoundProof.RoundsReversed.selector);
        _verify(_id(1, 1), _id(1, 2));
        vm.expectPartialRevert(RoundProof.RoundsReversed.selector);
        _verify(_id(1, 3), _id(1, 4));
    }

    function test_an_empty_round_proves_nothing_on_either_side() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        ethPhase1.transmit(0, 0);
        ethPhase1.transmit(2010e8, EXPIRY + 60);
        vm.expectRevert(abi.encodeWithSelector(RoundProof.RoundMissing.selector, address(ethFeed), _id(1, 2)));
        _verify(_id(1, 1), _id(1, 2));
        vm.expectPartialRevert(RoundProof.RoundMissing.selector);
        _verify(_id(1, 2), _id(1, 3));
    }

    function testFuzz_an_answer_that_is_no_price_is_refused(int256 answer) external {
        if (answer > 0 && answer & 3 == 0) answer = int256(bound(uint256(answer), 1, MIN));
        else if (answer > 0) answer = int256(bound(uint256(answer), MAX, uint256(type(int256).max)));
        ethPhase1.transmit(answer, EXPIRY - 60);
        ethPhase1.transmit(2010e8, EXPIRY + 60);
        vm.expectPartialRevert(RoundProof.RoundOutOfRange.selector);
        _verify(_id(1, 1), _id(1, 2));
    }

    /// The bounds themselves say nothing, as an aggregator clamps at them; what lies between does.
    function test_answers_are_taken_strictly_between_their_bounds() external {
        uint256[4] memory answers = [MIN, MIN + 1, MAX - 1, MAX];
        ethPhase1.transmit(2010e8, EXPIRY - 60);
        ethPhase1.transmit(2010e8, EXPIRY + 60);
        for (uint256 i; i < 4; ++i) {
            ethPhase1.setRound(1, int256(answers[i]), EXPIRY - 60, 1);
            assertEq(_refused(_id(1, 1), _id(1, 2)), i % 3 == 0);
        }
    }

    function test_a_carried_over_answer_and_a_round_from_the_future_are_refused() external {
        ethPhase1.transmit(1990e8, EXPIRY - 90);
        ethPhase1.setRound(2, 1990e8, EXPIRY - 60, 1);
        ethPhase1.transmit(2010e8, EXPIRY + 60);
        vm.expectPartialRevert(RoundProof.RoundIncomplete.selector);
        _verify(_id(1, 2), _id(1, 3));
        ethPhase1.setRound(2, 1990e8, EXPIRY - 60, 2);
        ethPhase1.setRound(3, 2010e8, block.timestamp + 1, 3);
        vm.expectPartialRevert(RoundProof.RoundFromFuture.selector);
        _verify(_id(1, 2), _id(1, 3));
    }

    // ---------------------------------------------------------------- phases

    function _nextPhase(uint8 decimals, bool flux) private returns (MockAggregator next) {
        next = new MockAggregator(decimals, flux);
        ethFeed.confirmAggregator(next);
        newest = ethFeed.phaseId();
    }

    function testFuzz_a_phase_that_ended_before_the_instant_is_followed_by_the_next(bool flux, uint256 gap)
        external
    {
        ethPhase1 = _nextPhase(8, flux); // phase 2
        ethPhase1.transmit(1990e8, EXPIRY - 90);
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        MockAggregator third = _nextPhase(8, flux);
        third.transmit(2020e8, EXPIRY + bound(gap, 1, 1 hours));
        third.transmit(2030e8, EXPIRY + 2 hours);
        (uint256 answer,) = _verify(_id(2, 2), _id(3, 1));
        assertEq(answer, 2000e8);
        assertTrue(_refused(_id(2, 1), _id(3, 1)));
        assertTrue(_refused(_id(2, 1), _id(2, 2)));
    }

    function test_the_newest_phase_with_a_round_before_the_instant_is_in_force() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        ethPhase1.transmit(2001e8, EXPIRY + 60); // the old aggregator goes on
        MockAggregator second = _nextPhase(8, false);
        second.transmit(2010e8, EXPIRY - 30);
        second.transmit(2011e8, EXPIRY + 30);
        vm.expectRevert(
            abi.encodeWithSelector(RoundProof.NewerPhase.selector, address(ethFeed), 2, EXPIRY - 30, EXPIRY)
        );
        _verify(_id(1, 1), _id(1, 2));
        (uint256 answer,) = _verify(_id(2, 1), _id(2, 2));
        assertEq(answer, 2010e8);
    }

    function test_a_later_phase_cannot_hide_rounds_of_the_phase_in_force() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        ethPhase1.transmit(2100e8, EXPIRY - 30);
        MockAggregator second = _nextPhase(8, false);
        second.transmit(2110e8, EXPIRY + 30);
        vm.expectPartialRevert(RoundProof.NotNeighbours.selector);
        _verify(_id(1, 1), _id(2, 1));
        (uint256 answer,) = _verify(_id(1, 2), _id(2, 1));
        assertEq(answer, 2100e8);
    }

    /// An empty round between must not make the round before it the last of its phase.
    function test_an_empty_round_does_not_end_a_phase() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        ethPhase1.transmit(0, 0);
        ethPhase1.transmit(2100e8, EXPIRY - 30);
        _nextPhase(8, false).transmit(2110e8, EXPIRY + 30);
        vm.expectPartialRevert(RoundProof.NotNeighbours.selector);
        _verify(_id(1, 1), _id(2, 1));
    }

    function test_a_phase_before_cannot_be_the_next() external {
        ethPhase1.transmit(2000e8, EXPIRY + 60);
        _nextPhase(8, false).transmit(2110e8, EXPIRY - 30);
        vm.expectPartialRevert(RoundProof.NotNeighbours.selector);
        _verify(_id(2, 1), _id(1, 1));
    }

    /// The aggregator that comes after the TWAP was recorded does not reach into the past, though it has rounds there.
    function test_phases_are_pinned_by_the_record() external {
        _rounds(2000);
        vm.warp(EXPIRY + HALF);
        oracle.record(EXPIRY);
        MockAggregator second = _nextPhase(8, false);
        second.transmit(2010e8, EXPIRY - 30);
        second.transmit(2011e8, EXPIRY + 30);
        vm.expectPartialRevert(RoundProof.PhaseBeyond.selector);
        oracle.prove(EXPIRY, _straddle(_id(2, 1), _id(2, 2)), _first());
        _prove();
        assertEq(oracle.settlementPriceWad(EXPIRY), 2000e18);
    }

    /// The same for the quote's feed.
    function test_phases_of_the_quote_are_pinned_by_the_record_too() external {
        _rounds(2000);
        vm.warp(EXPIRY + HALF);
        oracle.record(EXPIRY);
        MockAggregator second = new MockAggregator(8, false);
        usdFeed.confirmAggregator(second);
        second.transmit(1.005e8, EXPIRY - 30);
        second.transmit(1.005e8, EXPIRY + 30);
        vm.expectPartialRevert(RoundProof.PhaseBeyond.selector);
        oracle.prove(EXPIRY, _first(), _straddle(_id(2, 1), _id(2, 2)));
        _prove();
        assertEq(oracle.settlementPriceWad(EXPIRY), 2000e18);
    }

    function test_a_phase_that_begins_at_the_instant_is_in_force() external {
        _rounds(2000);
        MockAggregator second = _nextPhase(8, false);
        second.transmit(2010e8, EXPIRY);
        second.transmit(2011e8, EXPIRY + 30);
        assertTrue(_refused(_id(1, 1), _id(1, 2)));
        (uint256 answer,) = _verify(_id(2, 1), _id(2, 2));
        assertEq(answer, 2010e8);
    }

    // ---------------------------------------------------------------- what a feed may do

    /// A feed that answers for another round than it was asked for has not answered.
    function test_an_answer_for_another_round_is_none() external {
        _rounds(2000);
        vm.mockCall(
            address(ethFeed),
            abi.encodeWithSelector(ethFeed.getRoundData.selector, _id(1, 1)),
            abi.encode(_id(1, 9), 2000e8, EXPIRY - 60, EXPIRY - 60, _id(1, 9))
        );
        vm.expectRevert(abi.encodeWithSelector(RoundProof.RoundMissing.selector, address(ethFeed), _id(1, 1)));
        _verify(_id(1, 1), _id(1, 2));
    }

    function test_a_next_round_of_this_very_second_counts() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        ethPhase1.transmit(2010e8, block.timestamp);
        (uint256 answer,) = _verify(_id(1, 1), _id(1, 2));
        assertEq(answer, 2000e8);
    }

    function test_the_second_round_is_held_against_the_first() external {
        ethPhase1.transmit(2000e8, EXPIRY - 30);
        ethPhase1.transmit(2001e8, EXPIRY - 60);
        ethPhase1.transmit(2002e8, EXPIRY + 60);
        vm.expectPartialRevert(RoundProof.RoundsReversed.selector);
        _verify(_id(1, 2), _id(1, 3));
    }

    // ---------------------------------------------------------------- replays

    /// 2025, $2.7M: an upgrade mixed 18 and 8 decimals. Here the phase's own aggregator must still answer in the pinned ones.
    function testFuzz_replay_an_upgrade_with_other_decimals_is_refused(uint8 decimals) external {
        vm.assume(decimals != 8);
        MockAggregator second = _nextPhase(decimals, false);
        second.transmit(2000e8, EXPIRY - 60);
        second.transmit(2000e8, EXPIRY + 60);
        vm.expectRevert(
            abi.encodeWithSelector(RoundProof.DecimalsChanged.selector, address(ethFeed), 2, decimals, 8)
        );
        _verify(_id(2, 1), _id(2, 2));
    }

    /// The same upgrade after expiry does not touch an instant of the phase before.
    function test_replay_other_decimals_after_the_instant_do_not_matter() external {
        ethPhase1.transmit(2000e8, EXPIRY - 60);
        _nextPhase(18, false).transmit(2000e18, EXPIRY + 60);
        (uint256 answer,) = _verify(_id(1, 1), _id(2, 1));
        assertEq(answer, 2000e8);
    }

    /// 2025: expiry prices were forged. Whoever chooses the rounds cannot choose the price.
    function testFuzz_replay_a_forged_expiry_price_is_refused(uint256 pick, int256 wished) external {
        wished = bound(wished, 1, 1e16);
        _rounds(2000);
        for (uint256 i = 1; i <= 5; ++i) {
            ethPhase1.transmit(i == 3 ? wished : int256(2000e8), EXPIRY + i * 1 hours);
        }
        uint256 round = bound(pick, 2, 6);
        assertTrue(_refused(_id(1, round), _id(1, round + 1)));
    }

    /// Absence is evidence: a call starved of gas must not look like a missing round. The last thing read is the dearest here, so
    /// that little gas would be left to notice.
    function test_too_little_gas_never_proves() external {
        _rounds(2000);
        MockAggregator second = _nextPhase(8, false);
        second.transmit(2010e8, EXPIRY - 30); // in force, were it read
        second.setBurns(200_000);
        for (uint256 gasGiven = 50_000; gasGiven < 1_000_000; gasGiven += 4000) {
            try harness.verify{gas: gasGiven}(_terms(), 2, EXPIRY, _first()) {
                fail();
            } catch {}
        }
    }
}
