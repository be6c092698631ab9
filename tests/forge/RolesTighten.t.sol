// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";

/// @notice V-14: what a guardian, even a stolen one, can do to the terms. They are 33 words; which way each is safer stands here
/// once more, by hand.
contract RolesTightenTest is Fixture {
    uint256 internal constant WORDS = 33;
    /// @dev Safer is more (+), less (-), or neither (=), in the order of IMandate.Terms.
    bytes internal constant SAFER = "+----" "=----+--" "=======" "+-+-----++---";

    function _limits() internal pure override returns (IMandate.Limits memory) {
        return IMandate.Limits(1.2e18, 200, 200, 200, 7500);
    }

    function _caps() internal pure override returns (IMandate.Caps memory) {
        return IMandate.Caps(10_000, 50_000, 9000, 5000, 100_000, 60, 3900, 500);
    }

    function _words() private view returns (uint256[WORDS] memory words) {
        bytes memory raw = abi.encode(mandate.terms());
        assertEq(raw.length, WORDS * 32);
        words = abi.decode(raw, (uint256[33]));
    }

    function _tighten(uint256[WORDS] memory words) private returns (bool passed, bytes memory output) {
        vm.prank(guardian);
        (passed, output) =
            address(mandate).call(abi.encodePacked(IMandate.tighten.selector, abi.encode(words)));
    }

    function _safer(uint256 i) private pure returns (bytes1) {
        return SAFER[i];
    }

    function test_V14_each_term_alone_is_tightened_at_once() external {
        for (uint256 i; i < WORDS; ++i) {
            if (_safer(i) == "=") continue;
            uint256[WORDS] memory words = _words();
            words[i] = _safer(i) == "+" ? words[i] + 1 : words[i] - 1;
            (bool passed,) = _tighten(words);
            assertTrue(passed, vm.toString(i));
            assertEq(_words()[i], words[i]);
        }
    }

    function test_V14_each_term_alone_is_loosened_by_no_guardian() external {
        for (uint256 i; i < WORDS; ++i) {
            for (uint256 up; up < 2; ++up) {
                if ((_safer(i) == "+" && up == 1) || (_safer(i) == "-" && up == 0)) continue;
                uint256[WORDS] memory words = _words();
                words[i] = up == 1 ? words[i] + 1 : words[i] - 1;
                (bool passed, bytes memory output) = _tighten(words);
                assertFalse(passed, vm.toString(i));
                assertEq(bytes4(output), IMandate.NotTighter.selector);
            }
        }
    }

    /// Any sequence of what `tighten` accepts leaves every term where it was or safer.
    function testFuzz_V14_whatever_a_stolen_guardian_gets_accepted_is_looser_in_nothing(uint256 seed)
        external
    {
        uint256[WORDS] memory first = _words();
        uint256 accepted;
        for (uint256 round; round < 8; ++round) {
            uint256[WORDS] memory words = _words();
            for (uint256 i; i < WORDS; ++i) {
                words[i] = _moved(words[i], i, uint256(keccak256(abi.encode(seed, round, i))));
            }
            (bool passed, bytes memory output) = _tighten(words);
            if (passed) ++accepted;
            else _assertKnown(output);
        }
        uint256[WORDS] memory last = _words();
        for (uint256 i; i < WORDS; ++i) {
            if (_safer(i) == "+") assertGe(last[i], first[i]);
            else if (_safer(i) == "-") assertLe(last[i], first[i]);
            else assertEq(last[i], first[i]);
        }
        vm.assume(accepted > 0);
    }

    /// @dev Mostly unchanged or safer; riskier one time in sixty-four, so that about half of the proposals have something in
    /// them that is.
    function _moved(uint256 word, uint256 i, uint256 random) private pure returns (uint256) {
        uint256 step = (random >> 8) % (word / 50 + 2);
        bool up = _safer(i) == "+";
        if (random % 64 == 0) return up ? word - step : word + step;
        if (_safer(i) == "=" || random % 4 != 1) return word;
        return up ? word + step : word - step;
    }

    function _assertKnown(bytes memory output) private pure {
        bytes4 reason = bytes4(output);
        assertTrue(
            reason == IMandate.NotTighter.selector || reason == Bounds.OutOfBounds.selector
                || reason == Bounds.SignedOutOfBounds.selector
        );
    }
}
