// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {TermBounds} from "../../contracts/libraries/TermBounds.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice The bounds alone.
contract Bounded {
    function check(IMandate.Terms calldata terms) external pure {
        TermBounds.requireWithinHardBounds(terms);
    }

    function evidence(bytes calldata reason)
        external
        pure
        returns (string memory, uint256, uint256, uint256)
    {
        return abi.decode(reason[4:], (string, uint256, uint256, uint256));
    }
}

/// @notice Every parameter of a mandate, one row each: its hard bounds from both sides, and which way is tighter (V-14).
contract TermBoundsTest is MandateFixture {
    /// What a guardian may do with a parameter.
    enum Way {
        Lower,
        Raise,
        Neither
    }

    /// @param word of the terms' encoding
    struct Row {
        uint256 word;
        string name;
        int256 least;
        int256 most;
        Way tighter;
    }

    uint256 private constant ROWS = 32;

    /// @dev In the order of `Terms`; bounds where the other parameters are the fixture's.
    function _row(uint256 i) private pure returns (Row memory) {
        if (i < 13) return i < 5 ? _limitsRow(i) : _capsRow(i);
        return i < 19 ? _emergencyRow(i) : i < 25 ? _writingRow(i) : _auctionRow(i);
    }

    function _limitsRow(uint256 i) private pure returns (Row memory) {
        if (i == 0) return Row(0, "minHealthWad", 1.05e18, 10e18, Way.Raise); // emergency is under it by a margin
        if (i == 1) return Row(1, "maxSwapLossBps", 100, 300, Way.Lower);
        if (i == 2) return Row(2, "maxLossBps", 100, 500, Way.Lower);
        if (i == 3) return Row(3, "maxLossPerDayBps", 10, 1000, Way.Lower);
        return Row(4, "maxBorrowBps", 0, 9300, Way.Lower);
    }

    function _capsRow(uint256 i) private pure returns (Row memory) {
        if (i == 5) return Row(5, "deltaTargetBps", -50_000, 100_000, Way.Neither);
        if (i == 6) return Row(6, "deltaBandBps", 100, 100_000, Way.Lower);
        if (i == 7) return Row(7, "maxVenueBps", 0, 10_000, Way.Lower);
        if (i == 8) return Row(8, "maxOptionBps", 0, 10_000, Way.Lower);
        if (i == 9) return Row(9, "turnoverPerDayBps", 0, 200_000, Way.Lower);
        if (i == 10) return Row(10, "cooldown", 0, 1 days, Way.Raise);
        if (i == 11) return Row(11, "maxOracleAge", 1 minutes, 26 hours, Way.Lower);
        return Row(12, "protectiveLossPerDayBps", 100, 2000, Way.Lower);
    }

    function _emergencyRow(uint256 i) private pure returns (Row memory) {
        if (i == 13) return Row(13, "emergencyHealthWad", 1.02e18, 1.045e18, Way.Neither);
        if (i == 14) return Row(14, "criticalHealthWad", 1.005e18, 1.045e18, Way.Neither);
        if (i == 15) return Row(15, "silence", 1 minutes, 1 days, Way.Neither);
        if (i == 16) return Row(16, "sliceBps", 100, 5000, Way.Neither);
        if (i == 17) return Row(17, "rescueCooldown", 0, 10 minutes, Way.Neither);
        return Row(18, "bountyBps", 0, 200, Way.Neither);
    }

    function _writingRow(uint256 i) private pure returns (Row memory) {
        if (i == 19) return Row(20, "minTenor", 1 hours, 60 days, Way.Raise);
        if (i == 20) return Row(21, "maxTenor", 1 days, 365 days, Way.Lower);
        if (i == 21) return Row(22, "minDeltaBps", 100, 5000, Way.Raise);
        if (i == 22) return Row(23, "maxDeltaBps", 500, 7500, Way.Lower);
        if (i == 23) return Row(24, "maxNotionalBps", 0, 15_000, Way.Lower);
        return Row(25, "maxVegaBps", 0, 10_000, Way.Lower);
    }

    function _auctionRow(uint256 i) private pure returns (Row memory) {
        if (i == 25) return Row(26, "reserveDiscountBps", 0, 2000, Way.Lower);
        if (i == 26) return Row(27, "buyBackPremiumBps", 0, 2000, Way.Lower);
        if (i == 27) return Row(28, "auctionDuration", 5 minutes, 1 days, Way.Raise);
        if (i == 28) return Row(29, "startWindow", 1 minutes, 6 hours, Way.Raise);
        if (i == 29) return Row(30, "minBidBps", 0, 5000, Way.Lower);
        if (i == 30) return Row(31, "maxBidBps", 500, 10_000, Way.Lower);
        return Row(32, "maxSeries", 0, 64, Way.Lower);
    }

    // ---------------------------------------------------------------- the table reads and writes terms by their encoding

    function _get(uint256 word) private view returns (int256 value) {
        bytes memory data = abi.encode(mandate.terms());
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), mul(word, 32)))
        }
    }

    function _with(uint256 word, int256 value) private view returns (IMandate.Terms memory) {
        bytes memory data = abi.encode(mandate.terms());
        assembly ("memory-safe") {
            mstore(add(add(data, 32), mul(word, 32)), value)
        }
        return abi.decode(data, (IMandate.Terms));
    }

    function _size(uint256 word) private pure returns (int256) {
        if (word == 0 || word == 13 || word == 14) return int256(uint256(type(uint64).max));
        bool isLong = word == 6 || word == 9 || word == 10 || word == 11 || word == 15 || word == 17
            || word == 20 || word == 21 || word == 25 || word == 28 || word == 29;
        if (word == 5) return type(int32).max;
        if (isLong) return int256(uint256(type(uint32).max));
        return word == 32 ? int256(uint256(type(uint8).max)) : int256(uint256(type(uint16).max));
    }

    // ---------------------------------------------------------------- hard bounds

    /// Both edges of every row are allowed, and one beyond either is not, whoever sets it.
    function test_each_parameter_is_bounded_from_both_sides_at_its_very_edge() external {
        for (uint256 i; i < ROWS; ++i) {
            Row memory row = _row(i);
            Bounded probe = new Bounded();
            probe.check(_with(row.word, row.least));
            probe.check(_with(row.word, row.most));
            IMandate.Terms memory beyond = _with(row.word, row.most + 1);
            vm.expectPartialRevert(_reasonOf(row.word));
            probe.check(beyond);
            if (row.word != 5 && row.least == 0) continue; // there is nothing below
            beyond = _with(row.word, row.least - 1);
            vm.expectPartialRevert(_reasonOf(row.word));
            probe.check(beyond);
        }
    }

    function testFuzz_a_value_is_accepted_exactly_within_its_bounds(uint256 which, int256 value) external {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        int256 size = _size(row.word);
        value = bound(value, row.word == 5 ? -size : int256(0), size);
        bool inside = value >= row.least && value <= row.most;
        Bounded probe = new Bounded();
        IMandate.Terms memory terms = _with(row.word, value);
        if (!inside) vm.expectPartialRevert(_reasonOf(row.word));
        probe.check(terms);
    }

    /// Values near the edges, where a comparison that is off by one shows.
    function testFuzz_edges_are_where_the_table_says(uint256 which, bool upper, int8 off) external {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        int256 value = (upper ? row.most : row.least) + off;
        if (value < 0 && row.word != 5) return;
        if (value > _size(row.word)) return;
        bool inside = value >= row.least && value <= row.most;
        Bounded probe = new Bounded();
        IMandate.Terms memory terms = _with(row.word, value);
        if (!inside) vm.expectPartialRevert(_reasonOf(row.word));
        probe.check(terms);
    }

    /// The error names the parameter, the value and the bound that was passed.
    function testFuzz_a_refusal_names_the_parameter(uint256 which, uint256 over) external {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        // Beside what is above or below it a second parameter of the same pair may be named.
        if (row.word == 5 || row.word == 13 || row.word == 20 || row.word == 22 || row.word == 30) return;
        int256 value = bound(int256(over >> 1), row.most + 1, _size(row.word));
        Bounded probe = new Bounded();
        (bool ok, bytes memory reason) =
            address(probe).call(abi.encodeCall(probe.check, (_with(row.word, value))));
        assertFalse(ok);
        (string memory named, uint256 given,, uint256 most) = probe.evidence(reason);
        assertEq(named, row.name);
        assertEq(given, uint256(value));
        assertEq(most, uint256(row.most));
    }

    function _reasonOf(uint256 word) private pure returns (bytes4) {
        return word == 5 ? Bounds.SignedOutOfBounds.selector : Bounds.OutOfBounds.selector;
    }

    /// Not the curator either, nor the owner's own delay: the mandate itself checks.
    function testFuzz_not_even_a_curator_leaves_the_hard_bounds(uint256 which, uint256 beyond) external {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        IMandate.Terms memory terms =
            _with(row.word, bound(int256(beyond >> 1), row.most + 1, _size(row.word)));
        bytes memory call_ = abi.encodeCall(mandate.setTerms, (mandate.termsHash(), terms));
        bytes32 held = mandate.termsHash();
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        _wait(CURATOR_DELAY);
        vm.expectPartialRevert(_reasonOf(row.word));
        vm.prank(curator);
        manager.execute(address(mandate), call_);
        assertEq(mandate.termsHash(), held);
    }

    // ---------------------------------------------------------------- tighter and looser

    /// One parameter at a time: a guardian's change passes exactly if it is on the tighter side of what holds.
    function testFuzz_tighten_accepts_exactly_what_loosens_nothing(uint256 which, int256 value, int8 near)
        external
    {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        int256 held = _get(row.word);
        value = near == 0 ? bound(value, row.least, row.most) : held + near;
        if (value < row.least || value > row.most) return;
        bool looser = row.tighter == Way.Neither
            ? value != held
            : row.tighter == Way.Lower ? value > held : value < held;
        IMandate.Terms memory terms = _with(row.word, value);
        if (looser) vm.expectRevert(IMandate.NotTighter.selector);
        vm.prank(guardian);
        mandate.tighten(terms);
        assertEq(_get(row.word), looser ? held : value);
    }

    /// However much tighter everything else is, one looser parameter is refused.
    function testFuzz_one_looser_parameter_is_enough(uint256 which, uint256 by) external {
        Row memory row = _row(bound(which, 0, ROWS - 1));
        int256 held = _get(row.word);
        bool up = row.tighter == Way.Lower || (row.tighter == Way.Neither && held < row.most);
        int256 room = up ? row.most - held : held - row.least;
        if (room == 0) return; // as loose as it gets
        int256 step = bound(int256(by >> 1), 1, room);
        IMandate.Terms memory terms = _with(row.word, up ? held + step : held - step);
        if (row.word != 1) terms.limits.maxSwapLossBps = 100;
        if (row.word != 6) terms.caps.deltaBandBps = 50_000;
        if (row.word != 10) terms.caps.cooldown = 1 hours;
        if (row.word != 24) terms.options.maxNotionalBps = 0;
        vm.expectRevert(IMandate.NotTighter.selector);
        vm.prank(guardian);
        mandate.tighten(terms);
    }

    /// The bounty's cap is the one parameter without a hard bound, and no guardian's to change.
    function testFuzz_no_guardian_changes_a_rescues_terms(uint96 bounty) external {
        IMandate.Terms memory terms = mandate.terms();
        vm.assume(bounty != terms.emergency.maxBounty);
        terms.emergency.maxBounty = bounty;
        vm.expectRevert(IMandate.NotTighter.selector);
        vm.prank(guardian);
        mandate.tighten(terms);
    }

    function testFuzz_tightening_in_steps_never_loosens_what_it_passed(uint256 seed) external {
        for (uint256 step; step < 12; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            Row memory row = _row(seed % ROWS);
            int256 before = _get(row.word);
            vm.prank(guardian);
            try mandate.tighten(_with(row.word, bound(int256(seed >> 9), row.least, row.most))) {} catch {}
            int256 now_ = _get(row.word);
            if (row.tighter == Way.Neither) assertEq(now_, before);
            if (row.tighter == Way.Lower) assertLe(now_, before);
            if (row.tighter == Way.Raise) assertGe(now_, before);
        }
    }
}
