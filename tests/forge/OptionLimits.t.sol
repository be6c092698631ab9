// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {OptionLimits} from "../../contracts/libraries/OptionLimits.sol";

/// @notice Hard bounds and the order of risk (V-14), field by field.
contract OptionLimitsTest is Test {
    uint256 private constant FIELDS = 13;
    OptionLimits private stored;

    function _sound() private pure returns (OptionLimits memory) {
        return OptionLimits({
            minTenor: 1 days,
            maxTenor: 60 days,
            minDeltaBps: 500,
            maxDeltaBps: 6000,
            maxNotionalBps: 10_000,
            maxVegaBps: 5000,
            reserveDiscountBps: 500,
            buyBackPremiumBps: 500,
            auctionDuration: 1 hours,
            startWindow: 10 minutes,
            minBidBps: 100,
            maxBidBps: 5000,
            maxSeries: 32
        });
    }

    /// A struct of value types is its words, one a field.
    function _words(OptionLimits memory limits) private pure returns (uint256[FIELDS] memory) {
        return abi.decode(abi.encode(limits), (uint256[13]));
    }

    function _limits(uint256[FIELDS] memory words) private pure returns (OptionLimits memory) {
        return abi.decode(abi.encode(words), (OptionLimits));
    }

    function check(OptionLimits calldata limits) external pure {
        limits.requireWithinHardBounds();
    }

    /// Least and most of each field while the others are sound.
    function test_every_field_is_held_within_its_bounds() external {
        uint256[FIELDS] memory least =
            [uint256(1 hours), 1 days, 100, 500, 0, 0, 0, 0, 5 minutes, 1 minutes, 0, 500, 0];
        uint256[FIELDS] memory most = [
            uint256(60 days),
            365 days,
            6000,
            7500,
            15_000,
            10_000,
            2000,
            2000,
            1 days,
            6 hours,
            5000,
            10_000,
            64
        ];
        for (uint256 i; i < FIELDS; ++i) {
            uint256[FIELDS] memory words = _words(_sound());
            words[i] = least[i];
            this.check(_limits(words));
            if (least[i] != 0) {
                words[i] = least[i] - 1;
                vm.expectPartialRevert(Bounds.OutOfBounds.selector);
                this.check(_limits(words));
            }
            words[i] = most[i];
            this.check(_limits(words));
            words[i] = most[i] + 1;
            vm.expectPartialRevert(Bounds.OutOfBounds.selector);
            this.check(_limits(words));
        }
    }

    /// V-14: each field on its own, in its riskier direction.
    function testFuzz_V14_a_change_of_one_field_loosens_in_one_direction_only(uint256 field, bool up)
        external
        pure
    {
        field = field % FIELDS;
        uint256[FIELDS] memory words = _words(_sound());
        words[field] = up ? words[field] + 1 : words[field] - 1;
        bool riskierUp = field != 0 && field != 2 && field != 8 && field != 9;
        OptionLimits memory next = _limits(words);
        assertEq(_sound().loosens(next), riskierUp == up);
        assertEq(next.loosens(_sound()), riskierUp != up);
    }

    function testFuzz_V14_what_loosens_nothing_both_ways_is_the_same(uint256[13] memory a) external pure {
        OptionLimits memory first = _sound();
        uint256[FIELDS] memory words = _words(first);
        for (uint256 i; i < FIELDS; ++i) {
            words[i] = words[i] - 1 + a[i] % 3;
        }
        OptionLimits memory next = _limits(words);
        if (!first.loosens(next) && !next.loosens(first)) {
            assertEq(abi.encode(first), abi.encode(next));
        }
    }

    function test_limits_are_two_slots() external {
        stored = _sound();
        assertEq(abi.encode(stored), abi.encode(_sound()));
        uint256 slot;
        assembly {
            slot := stored.slot
        }
        assertNotEq(vm.load(address(this), bytes32(slot + 1)), 0);
        assertEq(vm.load(address(this), bytes32(slot + 2)), 0);
    }
}
