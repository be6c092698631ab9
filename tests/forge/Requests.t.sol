// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Requests} from "../../contracts/libraries/Requests.sol";

/// @notice One queue of redemptions: shares of 18 decimals in, dollars of 6 out.
contract Desk {
    using Requests for Requests.Queue;

    uint256 internal constant SCALE = 1e27;
    Requests.Queue private _queue;
    mapping(uint256 who => Requests.Request) private _requests;

    function join(uint256 who, uint256 amount) external {
        _queue.join(_requests[who], amount, SCALE);
    }

    function leave(uint256 who) external returns (uint256) {
        return _queue.leave(_requests[who], SCALE);
    }

    function claimIn(uint256 who, uint256 amount) external returns (uint256) {
        return _queue.claimIn(_requests[who], amount, SCALE);
    }

    function claimOut(uint256 who, uint256 amount) external returns (uint256) {
        return _queue.claimOut(_requests[who], amount, SCALE);
    }

    function settle(uint256 amountIn, uint256 amountOut) external {
        _queue.settle(amountIn, amountOut, SCALE);
    }

    function stateOf(uint256 who)
        external
        view
        returns (uint256 waiting, uint256 amountIn, uint256 amountOut)
    {
        return _queue.split(_requests[who], SCALE);
    }

    function pending() external view returns (uint256) {
        return _queue.pending;
    }

    function generation() external view returns (uint256) {
        return _queue.generation;
    }
}

contract RequestsTest is Test {
    Desk private desk = new Desk();

    function _out(uint256 who) private view returns (uint256 out) {
        (,, out) = desk.stateOf(who);
    }

    function _settled(uint256 who) private view returns (uint256 amountIn) {
        (, amountIn,) = desk.stateOf(who);
    }

    function _waiting(uint256 who) private view returns (uint256 waiting) {
        (waiting,,) = desk.stateOf(who);
    }

    function testFuzz_settled_whole_everybody_gets_the_same_price(uint96 a, uint96 b, uint64 price) external {
        (a, b) = (uint96(bound(a, 1, 1e27)), uint96(bound(b, 1, 1e27)));
        desk.join(1, a);
        desk.join(2, b);
        uint256 paid = (uint256(a) + b) * price / 1e18;
        desk.settle(uint256(a) + b, paid);
        assertEq(_waiting(1) + _waiting(2) + desk.pending(), 0);
        assertLe(_out(1) + _out(2), paid);
        // Within one unit and 1e-15 of the exact share.
        assertApproxEqAbs(_out(1), paid * a / (uint256(a) + b), 1 + paid / 1e15);
    }

    function testFuzz_settled_in_part_everybody_gets_the_same_part(uint96 a, uint96 b, uint256 part)
        external
    {
        (a, b) = (uint96(bound(a, 1e18, 1e27)), uint96(bound(b, 1e18, 1e27)));
        uint256 total = uint256(a) + b;
        part = bound(part, 1e12, total - 1e12);
        desk.join(1, a);
        desk.join(2, b);
        desk.settle(part, part / 1e12);
        (uint256 waiting, uint256 amountIn, uint256 out) = desk.stateOf(1);
        assertEq(waiting + amountIn, a);
        assertApproxEqRel(amountIn + 1e6, uint256(a) * part / total + 1e6, 1e12);
        assertApproxEqAbs(out, uint256(a) * part / total / 1e12, 2 + part / 1e27);
        assertLe(_waiting(1) + _waiting(2), desk.pending());
    }

    /// V-03: what was settled keeps its price, whatever is settled later.
    function testFuzz_a_settled_price_never_changes(uint96 a, uint96 b, uint256 first, uint256 second)
        external
    {
        (a, b) = (uint96(bound(a, 1e18, 1e27)), uint96(bound(b, 1e18, 1e27)));
        (first, second) = (bound(first, 0, 1e16), bound(second, 0, 1e16));
        desk.join(1, a);
        desk.settle(a, first);
        uint256 before = _out(1);
        desk.join(2, b);
        desk.settle(uint256(b) / 2 + 1, second);
        assertEq(_out(1), before);
        assertEq(desk.claimIn(1, a), before);
    }

    /// V-03: whoever joins after a settlement has no part in it.
    function testFuzz_a_latecomer_gets_nothing_of_what_was_before(uint96 a, uint96 b, uint256 part) external {
        (a, b) = (uint96(bound(a, 1e18, 1e27)), uint96(bound(b, 1, 1e27)));
        part = bound(part, 1, uint256(a) * 9 / 10);
        desk.join(1, a);
        desk.settle(part, 1e15);
        desk.join(2, b);
        (uint256 waiting, uint256 amountIn, uint256 out) = desk.stateOf(2);
        assertEq(waiting, b);
        assertEq(amountIn + out, 0);
    }

    function testFuzz_leaving_takes_what_waits_and_leaves_what_is_settled(uint96 a, uint256 part) external {
        a = uint96(bound(a, 1e18, 1e27));
        part = bound(part, 1, uint256(a) - 1);
        desk.join(1, a);
        desk.settle(part, part / 1e12);
        (uint256 waiting, uint256 amountIn, uint256 out) = desk.stateOf(1);
        assertEq(desk.leave(1), waiting);
        (uint256 waits, uint256 inAfter, uint256 outAfter) = desk.stateOf(1);
        assertEq(waits, 0);
        assertEq(inAfter, amountIn);
        assertEq(outAfter, out);
        assertEq(desk.leave(1), 0);
    }

    function testFuzz_claims_in_pieces_never_sum_to_more(uint96 a, uint256 paid, uint256 piece, bool byOut)
        external
    {
        a = uint96(bound(a, 1e18, 1e27));
        paid = bound(paid, 1e6, 1e16);
        desk.join(1, a);
        desk.settle(a, paid);
        uint256 whole = _out(1);
        uint256 got;
        if (byOut) {
            got = bound(piece, 0, whole);
            desk.claimOut(1, got);
        } else {
            got = desk.claimIn(1, bound(piece, 0, a));
        }
        (, uint256 left,) = desk.stateOf(1);
        got += desk.claimIn(1, left);
        assertLe(got, whole);
        assertGe(got + 1, whole);
        assertEq(_out(1), whole - got);
    }

    function testFuzz_more_than_is_claimable_is_refused(uint96 a, uint256 excess) external {
        a = uint96(bound(a, 1, 1e27));
        excess = bound(excess, 1, 1e27);
        desk.join(1, a);
        vm.expectRevert(abi.encodeWithSelector(Requests.ClaimTooLarge.selector, excess, 0));
        desk.claimIn(1, excess);
        desk.settle(a, 1e6);
        uint256 out = _out(1);
        vm.expectRevert(abi.encodeWithSelector(Requests.ClaimTooLarge.selector, uint256(a) + excess, a));
        desk.claimIn(1, uint256(a) + excess);
        vm.expectRevert(abi.encodeWithSelector(Requests.ClaimTooLarge.selector, out + excess, out));
        desk.claimOut(1, out + excess);
    }

    /// V-02 over sequences: whatever four people do, parts never sum to more than the whole, and little is lost to rounding.
    function testFuzz_nothing_is_made_out_of_any_sequence(uint256 seed, uint8 steps) external {
        uint256 paid;
        uint256 claimed;
        uint256 settlements;
        steps = uint8(bound(steps, 1, 60));
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 who = seed % 4;
            uint256 amount = (seed >> 8) % 1e24 + 1;
            uint256 action = (seed >> 160) % 5;
            if (action < 2) desk.join(who, amount);
            if (action == 2) desk.leave(who);
            if (action == 3) {
                (, uint256 amountIn,) = desk.stateOf(who);
                if (amountIn != 0) claimed += desk.claimIn(who, amount % amountIn + 1);
            }
            if (action == 4 && desk.pending() != 0) {
                uint256 part = seed & 1 << 200 == 0 ? desk.pending() : amount % desk.pending() + 1;
                paid += part / 1e12;
                desk.settle(part, part / 1e12);
                ++settlements;
            }
            _assertConserved(paid, claimed, 4 * settlements + steps);
        }
    }

    function _assertConserved(uint256 paid, uint256 claimed, uint256 units) private view {
        uint256 waiting;
        uint256 out = claimed;
        for (uint256 who; who < 4; ++who) {
            (uint256 waits,, uint256 amountOut) = desk.stateOf(who);
            waiting += waits;
            out += amountOut;
        }
        assertLe(waiting, desk.pending());
        assertLe(out, paid);
        assertApproxEqAbs(out, paid, units + paid / 1e10);
    }

    /// Far below a millionth of a millionth the rest is carried into the next generation, and is still its owner's.
    function testFuzz_what_is_carried_over_generations_is_settled_in_the_end(uint256 left) external {
        uint256 a = 1e27;
        left = bound(left, 1e13, 1e14);
        desk.join(1, a);
        desk.settle(a - left, 1e15);
        assertEq(desk.generation(), 1);
        assertApproxEqAbs(_waiting(1), left, 1);
        desk.settle(desk.pending(), 1e6);
        assertEq(_waiting(1), 0);
        assertApproxEqAbs(_out(1), 1e15 + 1e6, 3);
        desk.claimIn(1, a);
        assertEq(_out(1), 0);
    }

    function test_settling_costs_the_same_for_one_request_and_for_a_hundred() external {
        uint256 one = _gasOfSettling(1);
        desk = new Desk();
        uint256 hundred = _gasOfSettling(100);
        assertApproxEqAbs(one, hundred, 2_500);
    }

    function _gasOfSettling(uint256 count) private returns (uint256 spent) {
        for (uint256 who; who < count; ++who) {
            desk.join(who, 1e18);
        }
        uint256 before = gasleft();
        desk.settle(count * 1e18, count * 1e6);
        spent = before - gasleft();
    }

    /// Neither pays nor takes, whatever is settled, and even where nothing is.
    function testFuzz_a_claim_of_nothing_changes_nothing(uint96 amount, uint64 paid, bool settled) external {
        amount = uint96(bound(amount, 1e18, 1e27));
        desk.join(1, amount);
        if (settled) desk.settle(amount, paid);
        bytes memory before = abi.encode(_waiting(1), _settled(1), _out(1), desk.pending());
        assertEq(desk.claimIn(1, 0), 0);
        assertEq(desk.claimOut(1, 0), 0);
        assertEq(desk.claimIn(2, 0), 0);
        assertEq(abi.encode(_waiting(1), _settled(1), _out(1), desk.pending()), before);
    }

    /// Rounding may leave something to claim for which nothing is held any more: it is claimed by what comes out.
    function test_what_rounding_left_is_not_paid_for_a_claim_of_nothing() external {
        desk.join(1, 1);
        desk.settle(1, 10);
        uint256 out = _out(1);
        assertEq(desk.claimOut(1, out / 2), 1);
        assertEq(_settled(1), 0);
        assertEq(desk.claimIn(1, 0), 0);
        assertEq(_out(1), out - out / 2);
        assertEq(desk.claimOut(1, out - out / 2), 0);
        assertEq(_out(1), 0);
    }
}
