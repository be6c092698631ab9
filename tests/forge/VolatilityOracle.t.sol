// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";

/// @dev A cheat code this forge-std does not name: storage reads cost what they cost in a transaction of their own.
interface ICool {
    function cool(address target) external;
}

/// @notice Posting, reading and the roles.
contract VolatilityOracleTest is VolatilityFixture {
    uint256 private constant CAPACITY = 0.2e18;
    uint256 private constant STEP = 0.05e18;

    function setUp() public override {
        super.setUp();
        _observeHours(60, 20); // realised near 19 %, a floor of 20 %
        skip(10 minutes);
        _post(_marks());
    }

    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(
        VolatilityOracle.Setup calldata setup,
        uint32[] calldata tenors,
        VolatilitySmile.Mark[] calldata marks,
        IVolatilityOracle.Limits calldata limits
    ) external returns (VolatilityOracle) {
        return new VolatilityOracle(setup, tenors, marks, limits);
    }

    function _expectUnusable(IVolatilityOracle.Fault fault, uint256 observed, uint256 bound_) private {
        vm.expectRevert(
            abi.encodeWithSelector(IVolatilityOracle.MarkUnusable.selector, fault, observed, bound_)
        );
    }

    // ---------------------------------------------------------------- reading

    function testFuzz_low_mid_high_are_in_order_and_none_under_the_floor(
        uint256 strike,
        uint256 time,
        uint256 age,
        uint256 floorPpm
    ) external {
        floorPpm = bound(floorPpm, 200_000, 2_000_000);
        age = bound(age, 0, MAX_OBSERVATION_AGE - 30 minutes);
        strike = bound(strike, 1, type(uint112).max);
        time = bound(time, 1, 180 days);
        vm.prank(guardian);
        vols.raiseFloor(uint32(floorPpm));
        skip(age);
        (uint256 low, uint256 mid, uint256 high) = vols.volWad(strike, FORWARD, vm.getBlockTimestamp() + time);
        assertGe(low, floorPpm * 1e12);
        assertLe(low, mid);
        assertLt(mid, high);
    }

    /// The half spread is a part of the mid: high up, low down, unless the floor is in the way.
    function test_fresh_marks_are_read_with_the_half_spread() external view {
        (uint256 low, uint256 mid, uint256 high) =
            vols.volWad(FORWARD, FORWARD, vm.getBlockTimestamp() + 7 days);
        assertEq(mid, 0.62e18);
        assertEq(low, 0.62e18 * 98 / 100);
        assertEq(high, 0.62e18 * 102 / 100);
    }

    /// At a tenor it is that tenor's smile, whichever side it is reached from; before the first, the first's.
    function testFuzz_between_tenors_total_variance_is_on_the_line(uint256 strike, uint256 time)
        external
        view
    {
        strike = bound(strike, FORWARD / 5, FORWARD * 5);
        time = bound(time, 1, 180 days);
        uint32[] memory tenors = _tenors();
        uint256 i;
        while (tenors[i] < time) ++i;
        uint256 vol = _read(strike, tenors[i]).midWad;
        uint256 expected = vol;
        if (i != 0) {
            uint256 before = _read(strike, tenors[i - 1]).midWad ** 2 * tenors[i - 1];
            uint256 span = tenors[i] - tenors[i - 1];
            uint256 part = (vol ** 2 * tenors[i] - before) / span * (time - tenors[i - 1]);
            expected = Math.sqrt((before + part) / time);
        }
        assertApproxEqAbs(_read(strike, time).midWad, expected, 2);
    }

    function testFuzz_total_variance_does_not_fall_with_expiry(uint256 strike, uint256 time, uint256 later)
        external
        view
    {
        strike = bound(strike, 1e15, 1e30);
        time = bound(time, 1, 180 days);
        later = bound(later, time, 180 days);
        // A volatility is rounded down to 1e-18 of itself.
        uint256 next = _read(strike, later).midWad + 1;
        assertGe(next ** 2 * later, _read(strike, time).midWad ** 2 * time);
    }

    function test_expiry_is_ahead_and_not_beyond_the_last_tenor() external {
        uint256 time = vm.getBlockTimestamp();
        vols.volWad(FORWARD, FORWARD, time + 1);
        vols.volWad(FORWARD, FORWARD, time + 180 days);
        _expectUnusable(IVolatilityOracle.Fault.OutOfRange, time, time + 180 days);
        vols.volWad(FORWARD, FORWARD, time);
        _expectUnusable(IVolatilityOracle.Fault.OutOfRange, time + 180 days + 1, time + 180 days);
        vols.volWad(FORWARD, FORWARD, time + 180 days + 1);
    }

    /// @dev `read` is what the lens calls: whatever it is asked, it answers.
    function testFuzz_reading_never_reverts(uint256 strike, uint256 forward, uint256 expiry, uint256 age)
        external
    {
        skip(bound(age, 0, 400 days));
        vols.read(strike, forward, expiry);
        vols.read(bound(strike, 1, type(uint112).max), bound(forward, 1, type(uint112).max), expiry);
    }

    function test_a_strike_or_forward_of_nothing_or_too_much_is_refused() external {
        uint256 expiry = vm.getBlockTimestamp() + 1 days;
        uint256 most = type(uint112).max;
        _expectUnusable(IVolatilityOracle.Fault.OutOfRange, 0, most);
        vols.volWad(0, FORWARD, expiry);
        _expectUnusable(IVolatilityOracle.Fault.OutOfRange, most + 1, most);
        vols.volWad(FORWARD, most + 1, expiry);
        vols.volWad(most, 1, expiry);
        vols.volWad(1, most, expiry);
    }

    // ---------------------------------------------------------------- age

    /// Halfway from maxAge to expireAge the spread is halfway between; beyond, nothing.
    function testFuzz_the_spread_widens_with_age_and_ends(uint256 age) external {
        age = bound(age, 0, 30 hours);
        uint256 marked = vols.markedAt();
        for (uint256 i; i < 30; ++i) {
            _toSlot(1);
            if (vm.getBlockTimestamp() <= marked + age) vols.observe();
        }
        vm.warp(marked + age);
        IVolatilityOracle.Reading memory reading = _read(FORWARD, 1 days);
        uint256 half = 200;
        IVolatilityOracle.Fault fault = IVolatilityOracle.Fault.None;
        if (age > 2 hours) {
            fault = IVolatilityOracle.Fault.Stale;
            half += Math.ceilDiv(1300 * (age - 2 hours), 22 hours);
        }
        if (age > 24 hours) (fault, half) = (IVolatilityOracle.Fault.Expired, 0);
        assertEq(uint8(reading.fault), uint8(fault));
        assertEq(reading.halfSpreadBps, half);
        if (age > 24 hours) {
            assertEq(reading.midWad, 0);
            _expectUnusable(IVolatilityOracle.Fault.Expired, age, 24 hours);
            vols.volWad(FORWARD, FORWARD, vm.getBlockTimestamp() + 1 days);
        }
    }

    function test_marks_turn_stale_a_second_after_their_greatest_age() external {
        uint256 marked = vols.markedAt();
        vm.warp(marked + 2 hours);
        assertEq(uint8(_read(FORWARD, 1 days).fault), uint8(IVolatilityOracle.Fault.None));
        skip(1);
        assertEq(uint8(_read(FORWARD, 1 days).fault), uint8(IVolatilityOracle.Fault.Stale));
    }

    function test_frozen_marks_are_as_wide_as_it_gets_and_cannot_be_posted() external {
        vm.prank(guardian);
        vols.freeze();
        IVolatilityOracle.Reading memory reading = _read(FORWARD, 7 days);
        assertEq(uint8(reading.fault), uint8(IVolatilityOracle.Fault.Frozen));
        assertEq(reading.highWad, 0.62e18 * 115 / 100);
        skip(1 hours);
        vm.prank(poster);
        vm.expectRevert(IVolatilityOracle.MarksFrozen.selector);
        vols.post(_marks(), type(uint256).max);
        vm.prank(owner);
        vols.unfreeze();
        _post(_marks());
    }

    // ---------------------------------------------------------------- posting

    function testFuzz_only_the_poster_posts(address caller) external {
        vm.assume(caller != poster);
        skip(1 hours);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IVolatilityOracle.NotPoster.selector, caller));
        vols.post(_marks(), type(uint256).max);
    }

    function testFuzz_a_post_after_its_deadline_is_refused(uint256 late) external {
        late = bound(late, 1, 1000 days);
        uint256 deadline = vm.getBlockTimestamp() + 1 hours;
        vm.warp(deadline + late);
        vm.prank(poster);
        vm.expectRevert(
            abi.encodeWithSelector(IVolatilityOracle.DeadlinePassed.selector, deadline, deadline + late)
        );
        vols.post(_marks(), deadline);
        vm.warp(deadline);
        vm.prank(poster);
        vols.post(_marks(), deadline);
    }

    function testFuzz_posts_are_the_least_interval_apart(uint256 gap) external {
        gap = bound(gap, 0, 20 minutes);
        uint256 earliest = vols.markedAt() + 10 minutes;
        skip(gap);
        if (gap < 10 minutes) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IVolatilityOracle.PostTooSoon.selector, vm.getBlockTimestamp(), earliest
                )
            );
        }
        vm.prank(poster);
        vols.post(_marks(), type(uint256).max);
    }

    /// A level that moves by p is charged three halves of it: 3.3 % is within a step of 5 %, 3.4 % is not.
    function testFuzz_a_step_is_taken_up_to_its_limit(uint256 bps) external {
        bps = bound(bps, 10_000, 12_000);
        VolatilitySmile.Mark[] memory next = _scaled(_marks(), bps);
        uint256 worst;
        uint256 tenor;
        for (uint256 i; i < TENORS; ++i) {
            worst = VolatilitySmile.moveWadUp(_marks()[i], next[i]);
            tenor = _tenors()[i];
            if (worst > STEP) break;
        }
        skip(10 minutes);
        if (worst > STEP) {
            vm.expectRevert(
                abi.encodeWithSelector(IVolatilityOracle.StepTooLarge.selector, tenor, worst, STEP)
            );
        }
        _post(next);
        assertEq(worst > STEP, bps > 10_333);
    }

    function test_the_day_is_spent_in_steps_and_refills_with_time() external {
        VolatilitySmile.Mark[] memory marks = _marks();
        skip(1 days);
        for (uint256 i; i < 4; ++i) {
            skip(10 minutes);
            marks = _scaled(marks, 10_330);
            _post(marks);
        }
        skip(10 minutes);
        (uint256 left, uint256 capacity) = vols.moveBudget();
        assertEq(capacity, CAPACITY);
        assertLt(left, STEP / 4);
        marks = _scaled(marks, 10_330);
        vm.expectPartialRevert(LossBudget.BudgetExceeded.selector);
        _post(marks);
        skip(6 hours);
        _post(marks);
    }

    function testFuzz_marks_outside_the_hard_bounds_are_refused(uint256 which, uint256 value) external {
        VolatilitySmile.Mark[] memory marks = _marks();
        which = bound(which, 0, 3);
        string[4] memory names = ["levelPpm", "levelPpm", "convexityBps", "|skewBps|"];
        uint256[4] memory least = [uint256(0), 4_000_001, 20_001, 7001];
        uint256[4] memory most = [uint256(49_999), type(uint32).max, type(uint16).max, 32_767];
        value = bound(value, least[which], most[which]);
        if (which < 2) marks[0].levelPpm = uint32(value);
        else if (which == 2) marks[0].convexityBps = uint16(value);
        else marks[0].skewBps = value % 2 == 0 ? int16(int256(value)) : -int16(int256(value));
        skip(1 hours);
        vm.prank(poster);
        uint256[4] memory low = [uint256(50_000), 50_000, 500, 0];
        uint256[4] memory high = [uint256(4_000_000), 4_000_000, 20_000, 7000];
        vm.expectRevert(
            abi.encodeWithSelector(Bounds.OutOfBounds.selector, names[which], value, low[which], high[which])
        );
        vols.post(marks, type(uint256).max);
    }

    function test_the_number_of_marks_is_that_of_the_tenors() external {
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IVolatilityOracle.WrongNumberOfMarks.selector, 4, 5));
        _post(new VolatilitySmile.Mark[](4));
    }

    function test_a_post_whose_total_variance_falls_is_refused() external {
        VolatilitySmile.Mark[] memory marks = _marks();
        marks[3].levelPpm = 300_000;
        skip(1 hours);
        vm.expectRevert(
            abi.encodeWithSelector(VolatilitySmile.CalendarArbitrage.selector, 30 days, 90 days, 0)
        );
        _post(marks);
    }

    /// The most a stolen key can do in 24 hours, either way: at no strike and expiry more than e^(2 x 0.2) = 1.49, and with the
    /// level alone it comes to e^(2 x 0.2 / 1.5) = 1.31 or nearly.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_a_stolen_key_moves_no_strike_beyond_the_published_bound(
        bool up,
        uint256 strike,
        uint256 time
    ) external {
        strike = bound(strike, FORWARD / 5, FORWARD * 5);
        time = bound(time, 1, 180 days);
        skip(1 days); // a full bucket
        _observeHours(60, 20);
        skip(10 minutes);
        _post(_marks());
        uint256 before = _read(strike, time).midWad;
        uint256 atTheMoney = _read(FORWARD, 7 days).midWad;
        VolatilitySmile.Mark[] memory marks = _marks();
        uint256 end = vm.getBlockTimestamp() + 24 hours;
        for (skip(10 minutes); vm.getBlockTimestamp() < end; skip(10 minutes)) {
            (uint256 left,) = vols.moveBudget();
            uint256 part = Math.min(left, STEP) * 2 / 3 / 1e12;
            for (uint256 i; i < TENORS; ++i) {
                uint256 level = marks[i].levelPpm;
                level = up ? level * (1e6 + part) / 1e6 : Math.ceilDiv(level * 1e6, 1e6 + part);
                marks[i].levelPpm = uint32(level);
            }
            vm.prank(poster);
            try vols.post(marks, type(uint256).max) {} catch {}
            (, marks,) = vols.surface();
        }
        (uint256 moved, uint256 movedAtTheMoney) = _movedSince(before, atTheMoney, strike, time);
        assertLe(moved, 2 * CAPACITY);
        assertLe(movedAtTheMoney, 2 * CAPACITY * 2 / 3);
        assertGe(movedAtTheMoney, 2 * CAPACITY * 2 / 3 * 9 / 10, "the attack is not idle");
    }

    /// Marks as posted, whatever the floor's measurement is at the moment.
    function _movedSince(uint256 before, uint256 atTheMoney, uint256 strike, uint256 time)
        private
        returns (uint256, uint256)
    {
        for (uint256 i; i < MIN_RETURNS; ++i) {
            _toSlot(1);
            vols.observe();
            _post(_surfaceMarks());
        }
        uint256 now_ = _read(strike, time).midWad;
        uint256 atTheMoneyNow = _read(FORWARD, 7 days).midWad;
        return (SignedMath.abs(_lnWad(now_, before)), SignedMath.abs(_lnWad(atTheMoneyNow, atTheMoney)));
    }

    function _surfaceMarks() private view returns (VolatilitySmile.Mark[] memory marks) {
        (, marks,) = vols.surface();
    }

    // ---------------------------------------------------------------- guardian and owner

    function testFuzz_the_guardian_raises_the_floor_and_cannot_lower_it(uint256 floorPpm) external {
        floorPpm = bound(floorPpm, 50_000, 2_000_000);
        if (floorPpm < 200_000) {
            vm.expectRevert(
                abi.encodeWithSelector(IVolatilityOracle.NotTighter.selector, "floorPpm", floorPpm, 200_000)
            );
        }
        vm.prank(guardian);
        vols.raiseFloor(uint32(floorPpm));
        assertGe(vols.floorWad(), 200_000e12);
    }

    function testFuzz_the_guardian_widens_and_cannot_narrow(uint16 half, uint16 stale) external {
        half = uint16(bound(half, 10, 2500));
        stale = uint16(bound(stale, half, 5000));
        if (half < 200 || stale < 1500) vm.expectPartialRevert(IVolatilityOracle.NotTighter.selector);
        vm.prank(guardian);
        vols.widen(half, stale);
        assertGe(vols.limits().halfSpreadBps, 200);
        assertGe(vols.limits().staleHalfSpreadBps, 1500);
    }

    function testFuzz_strangers_and_the_poster_change_nothing(address caller) external {
        vm.assume(caller != owner && caller != guardian);
        bytes memory notGuardian = abi.encodeWithSelector(IVolatilityOracle.NotGuardian.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(notGuardian);
        vols.raiseFloor(300_000);
        vm.expectRevert(notGuardian);
        vols.widen(300, 2000);
        vm.expectRevert(notGuardian);
        vols.freeze();
        vm.stopPrank();
        _ownersAreRefused(caller);
        _ownersAreRefused(guardian);
    }

    function _ownersAreRefused(address caller) private {
        bytes memory notOwner = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(notOwner);
        vols.setLimits(_limits());
        vm.expectRevert(notOwner);
        vols.setPoster(caller);
        vm.expectRevert(notOwner);
        vols.setGuardian(caller);
        vm.expectRevert(notOwner);
        vols.unfreeze();
        vm.stopPrank();
    }

    function test_the_owner_names_poster_and_guardian_and_stays() external {
        vm.startPrank(owner);
        vols.setPoster(mallory);
        vols.setGuardian(mallory);
        vm.expectRevert(IVolatilityOracle.OwnerRequired.selector);
        vols.renounceOwnership();
        vm.stopPrank();
        assertEq(vols.poster(), mallory);
        assertEq(vols.guardian(), mallory);
    }

    /// Not even the owner: each limit one beyond its bound, on either side.
    function test_limits_beyond_the_hard_bounds_are_refused() external {
        uint256[2][9] memory beyond = [
            [uint256(59), 1 days + 1],
            [uint256(10 minutes - 1), 2 days + 1],
            [uint256(2 hours), 7 days + 1],
            [uint256(49_999), 2_000_001],
            [uint256(2499), 12_501],
            [uint256(9), 2501],
            [uint256(99), 5001],
            [uint256(9), 2501],
            [uint256(199), 5001]
        ];
        for (uint256 i; i < 18; ++i) {
            uint256 value = beyond[i / 2][i % 2];
            IVolatilityOracle.Limits memory limits = _limits();
            if (i / 2 == 0) limits.minPostInterval = uint32(value);
            if (i / 2 == 1) limits.maxAge = uint32(value);
            if (i / 2 == 2) limits.expireAge = uint32(value);
            if (i / 2 == 3) limits.floorPpm = uint32(value);
            if (i / 2 == 4) limits.floorRatioBps = uint16(value);
            if (i / 2 == 5) limits.maxStepBps = uint16(value);
            if (i / 2 == 6) limits.maxPerDayBps = uint16(value);
            if (i / 2 == 7) limits.halfSpreadBps = uint16(value);
            if (i / 2 == 8) limits.staleHalfSpreadBps = uint16(value);
            vm.prank(owner);
            vm.expectPartialRevert(Bounds.OutOfBounds.selector);
            vols.setLimits(limits);
        }
    }

    /// A guardian who acts again and again does not hand the poster a fuller bucket.
    function testFuzz_tightening_never_refills_the_bucket(uint256 times, uint256 gap) external {
        times = bound(times, 1, 20);
        gap = bound(gap, 0, 3600);
        skip(1 days);
        _post(_scaled(_marks(), 10_330));
        (uint256 left,) = vols.moveBudget();
        for (uint256 i; i < times; ++i) {
            skip(gap);
            vm.prank(guardian);
            vols.raiseFloor(200_000);
        }
        (uint256 leftNow,) = vols.moveBudget();
        assertLe(leftNow, left + CAPACITY * times * gap / 1 days);
    }

    // ---------------------------------------------------------------- construction

    function testFuzz_a_setup_outside_the_hard_bounds_is_refused(uint256 which) external {
        VolatilityOracle.Setup memory setup = _setup();
        which = bound(which, 0, 10);
        if (which == 0) setup.interval = 299;
        if (which == 1) setup.interval = 1 days + 1;
        if (which == 2) setup.slack = INTERVAL / 4 + 1;
        if (which == 3) setup.windowSlots = 11;
        if (which == 4) setup.windowSlots = 1441;
        if (which == 5) setup.minReturns = WINDOW / 4 - 1;
        if (which == 6) setup.minReturns = WINDOW + 1;
        if (which == 7) setup.maxReturnBps = 5001;
        if (which == 8) setup.maxObservationAge = INTERVAL + SLACK - 1;
        if (which == 10) setup.slack = 59;
        if (which == 9) setup.maxObservationAge = 2 days + 1;
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        this.build(setup, _tenors(), _marks(), _limits());
    }

    function test_tenors_rise_within_bounds_and_each_has_a_mark() external {
        uint32[] memory tenors = _tenors();
        tenors[2] = tenors[1];
        vm.expectRevert(
            abi.encodeWithSelector(Bounds.OutOfBounds.selector, "tenor", 7 days, 7 days + 1, 730 days)
        );
        this.build(_setup(), tenors, _marks(), _limits());
        tenors = new uint32[](9);
        vm.expectRevert(abi.encodeWithSelector(Bounds.OutOfBounds.selector, "tenors", 9, 1, 8));
        this.build(_setup(), tenors, _marks(), _limits());
        vm.expectRevert(abi.encodeWithSelector(IVolatilityOracle.WrongNumberOfMarks.selector, 0, 5));
        this.build(_setup(), _tenors(), new VolatilitySmile.Mark[](0), _limits());
    }

    // ---------------------------------------------------------------- gas

    function test_gas_of_the_entry_points() external {
        skip(1 days);
        _observeHours(WINDOW + 10, 20);
        _toSlot(1);
        vm.startPrank(poster);
        VolatilitySmile.Mark[] memory next = _scaled(_marks(), 10_100);
        ICool(address(vm)).cool(address(vols));
        uint256 gas = gasleft();
        vols.observe();
        emit log_named_uint("observe, full ring", gas - gasleft());
        ICool(address(vm)).cool(address(vols));
        gas = gasleft();
        vols.post(next, type(uint256).max);
        emit log_named_uint("post, 5 tenors", gas - gasleft());
        uint256 expiry = vm.getBlockTimestamp() + 14 days;
        ICool(address(vm)).cool(address(vols));
        gas = gasleft();
        vols.volWad(FORWARD * 11 / 10, FORWARD, expiry);
        emit log_named_uint("volWad, between tenors, cold", gas - gasleft());
        gas = gasleft();
        vols.volWad(FORWARD * 11 / 10, FORWARD, expiry);
        emit log_named_uint("volWad, between tenors, warm", gas - gasleft());
        vm.stopPrank();
    }

    function test_marks_are_of_a_price() external {
        VolatilityOracle.Setup memory setup = _setup();
        setup.oracle = IPriceOracle(address(0));
        vm.expectRevert(IVolatilityOracle.ZeroAddress.selector);
        this.build(setup, _tenors(), _marks(), _limits());
    }
}
