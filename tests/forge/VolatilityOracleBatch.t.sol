// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";

interface ICool {
    function cool(address target) external;
}

/// @notice `volsWad` is `volWad` of each pair, and cheap. What it marks enters NAV, so it is as bounded as V-07 asks of prices.
contract VolatilityOracleBatchTest is VolatilityFixture {
    function setUp() public override {
        super.setUp();
        _observeHours(MIN_RETURNS + 1, 50);
        _post(_marks());
    }

    /// Eight tenors, so that every place of both words of marks is used.
    function _eightTenors() private {
        uint32[8] memory days_ = [uint32(1), 3, 7, 14, 30, 60, 90, 180];
        uint32[] memory tenors = new uint32[](8);
        VolatilitySmile.Mark[] memory marks = new VolatilitySmile.Mark[](8);
        for (uint256 i; i < 8; ++i) {
            tenors[i] = days_[i] * 1 days;
            marks[i] =
                VolatilitySmile.Mark(uint32(600_000 + 10_000 * i), int16(-1000 - 50 * int256(i)), 10_000);
        }
        vols = new VolatilityOracle(_setup(), tenors, marks, _limits());
        _observeHours(MIN_RETURNS + 1, 50);
        _post(marks);
    }

    function _strike(uint256 seed, uint256 i) private pure returns (uint256) {
        uint256 draw = uint256(keccak256(abi.encode(seed, i)));
        // A few strikes that repeat, and any strike at all.
        return draw & 1 == 0 ? FORWARD * (50 + (draw >> 8) % 8 * 25) / 100 : bound(draw, 1, type(uint112).max);
    }

    function _expiry(uint256 seed, uint256 i) private view returns (uint256) {
        uint256 draw = uint256(keccak256(abi.encode(seed, i, "expiry")));
        if (draw & 1 == 0) return block.timestamp + bound(draw >> 8, 1, 180 days);
        (uint256[] memory tenors,,) = vols.surface();
        return block.timestamp + tenors[(draw >> 8) % tenors.length];
    }

    // ---------------------------------------------------------------- the same

    function testFuzz_each_value_is_that_of_the_pair_alone(
        uint256 seed,
        uint256 count,
        uint256 forward,
        uint256 age,
        bool eight,
        bool frozen
    ) external {
        if (eight) _eightTenors();
        count = bound(count, 0, 24);
        forward =
            seed % 4 == 0 ? bound(forward, 1, type(uint112).max) : bound(forward, FORWARD / 2, FORWARD * 2);
        vm.warp(block.timestamp + bound(age, 0, MAX_OBSERVATION_AGE));
        if (frozen) {
            vm.prank(guardian);
            vols.freeze();
        }
        (uint256[] memory strikes, uint256[] memory expiries) = (new uint256[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            (strikes[i], expiries[i]) = (_strike(seed, i), _expiry(seed, i));
        }
        (uint256[] memory low, uint256[] memory mid, uint256[] memory high) =
            vols.volsWad(forward, strikes, expiries);
        assertEq(low.length, count);
        assertEq(mid.length, count);
        assertEq(high.length, count);
        for (uint256 i; i < count; ++i) {
            (uint256 l, uint256 m, uint256 h) = vols.volWad(strikes[i], forward, expiries[i]);
            assertEq(low[i], l);
            assertEq(mid[i], m);
            assertEq(high[i], h);
        }
    }

    /// One bad pair among good ones: the error is the one it gives alone.
    function testFuzz_one_unusable_pair_refuses_all_with_its_own_error(
        uint256 seed,
        uint256 place,
        uint256 kind
    ) external {
        uint256 count = 5;
        (uint256[] memory strikes, uint256[] memory expiries) = (new uint256[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            (strikes[i], expiries[i]) = (_strike(seed, i), _expiry(seed, i));
        }
        uint256 forward = FORWARD;
        place = bound(place, 0, count - 1);
        kind = bound(kind, 0, 7);
        if (kind == 0) strikes[place] = 0;
        if (kind == 1) strikes[place] = bound(seed, uint256(type(uint112).max) + 1, type(uint256).max);
        if (kind == 2) expiries[place] = bound(seed, 0, block.timestamp);
        if (kind == 3) expiries[place] = bound(seed, block.timestamp + 180 days + 1, type(uint256).max);
        if (kind == 4) (forward, place) = (0, 0);
        if (kind == 5) (forward, place) = (uint256(type(uint112).max) + 1, 0);
        if (kind == 6) {
            // Too old an observation.
            vm.warp(block.timestamp + MAX_OBSERVATION_AGE + 1);
            place = 0;
        }
        if (kind == 7) {
            // Too old marks over a floor that is known.
            _observeHours(25, 50);
            place = 0;
        }
        for (uint256 i; i < count && kind > 5; ++i) {
            expiries[i] = _expiry(seed, i);
        }
        bytes memory alone;
        try vols.volWad(strikes[place], forward, expiries[place]) {}
        catch (bytes memory reason) {
            alone = reason;
        }
        assertEq(bytes4(alone), IVolatilityOracle.MarkUnusable.selector);
        vm.expectRevert(alone);
        vols.volsWad(forward, strikes, expiries);
    }

    function testFuzz_lengths_that_differ_are_refused(uint8 strikes, uint8 expiries) external {
        vm.assume(strikes != expiries);
        vm.expectRevert(abi.encodeWithSelector(IVolatilityOracle.LengthsDiffer.selector, strikes, expiries));
        vols.volsWad(FORWARD, new uint256[](strikes), new uint256[](expiries));
    }

    function testFuzz_marks_come_back_as_they_were_posted(uint256 scaleBps) external {
        _eightTenors();
        (, VolatilitySmile.Mark[] memory marks,) = vols.surface();
        marks = _scaled(marks, bound(scaleBps, 9800, 10_200));
        vm.warp(block.timestamp + 1 hours);
        _post(marks);
        (, VolatilitySmile.Mark[] memory kept,) = vols.surface();
        assertEq(abi.encode(kept), abi.encode(marks));
    }

    // ---------------------------------------------------------------- gas

    function _gasOf(uint256 expiriesCount, uint256 strikesCount) private returns (uint256 used) {
        uint256 count = expiriesCount * strikesCount;
        (uint256[] memory strikes, uint256[] memory expiries) = (new uint256[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            strikes[i] = FORWARD * (70 + i % strikesCount * 60 / strikesCount) / 100;
            expiries[i] = block.timestamp + (i / strikesCount + 1) * 20 days; // all between tenors: two smiles each
        }
        ICool(address(vm)).cool(address(vols));
        uint256 left = gasleft();
        vols.volsWad(FORWARD, strikes, expiries);
        used = left - gasleft();
        console.log(count, "options, gas each and together", used / count, used);
    }

    /// Cold storage and the caller's encoding and decoding included.
    function test_gas_of_a_book_stays_small() external {
        _eightTenors();
        assertLe(_gasOf(8, 8), 64 * 6500);
        assertLe(_gasOf(4, 1), 45_000);
        assertLe(_gasOf(1, 1), 30_000);
    }
}
