// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Roles} from "../../contracts/libraries/Roles.sol";
import {MandateMeasures} from "./MandateMeasures.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice What counts as reducing every risk, to the unit (V-08), what a rescue may cost (V-16), and what nobody may change by the
/// way.
contract MandateRisksTest is MandateMeasures {
    MockDesk private desk;

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function _raised(IValuation.Measure memory before, IValuation.Measure memory afterwards)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IMandate.PausedRiskRaised.selector,
            before.healthWad,
            afterwards.healthWad,
            before.debt,
            afterwards.debt
        );
    }

    // ---------------------------------------------------------------- every risk

    /// In a paused vault one unit more of any one risk is refused, whatever the others do.
    function testFuzz_one_unit_more_of_any_risk_is_no_reduction(uint8 which, bool othersFall) external {
        _pause();
        IValuation.Measure memory afterwards = _calm();
        _passes(_calm(), afterwards); // as it was
        if (othersFall) {
            afterwards.healthWad += 1e9;
            (afterwards.debtAsset, afterwards.debtBase) = (299_000e6, 99e18);
            (afterwards.notional, afterwards.vega) = (99_000e6, 49_000e6);
            (afterwards.optionCollateral, afterwards.deltaBase) = (199_000e6, 499e18);
            _passes(_calm(), afterwards);
        }
        which = uint8(bound(which, 0, 6));
        if (which == 0) afterwards.healthWad = 2e18 - 1;
        if (which == 1) afterwards.debtAsset = 300_000e6 + 1;
        if (which == 2) afterwards.debtBase = 100e18 + 1;
        if (which == 3) afterwards.notional = 100_000e6 + 1;
        if (which == 4) afterwards.vega = 50_000e6 + 1;
        if (which == 5) afterwards.optionCollateral = 200_000e6 + 1;
        if (which == 6) afterwards.deltaBase = 500e18 + 1;
        _refuses(_calm(), afterwards, _raised(_calm(), afterwards));
    }

    /// Delta may grow by the dust, on either side of zero.
    function testFuzz_delta_may_grow_by_the_dust(uint256 dust, bool short) external {
        _pause();
        dust = bound(dust, 1, 1e6);
        int256 sign = short ? -1 : int256(1);
        IValuation.Measure memory before = _calm();
        IValuation.Measure memory afterwards = _calm();
        before.deltaBase = sign * 500e18;
        afterwards.deltaBase = sign * int256(500e18 + dust);
        _passes(before, afterwards, _nothing(), ALL, dust);
        afterwards.deltaBase += sign;
        _refuses(before, afterwards, _nothing(), ALL, dust, _raised(before, afterwards));
    }

    /// More at the venue reduces a risk if it raises health, up to four times the minimum, and that included.
    function test_more_collateral_protects_up_to_four_times_the_minimum() external {
        _pause();
        IValuation.Measure memory afterwards = _calm();
        ++afterwards.lent;
        afterwards.healthWad = 4 * MIN_HEALTH + 3; // a quarter of which, rounded down, is the minimum
        _passes(_calm(), afterwards);
        ++afterwards.healthWad;
        _refuses(_calm(), afterwards, _raised(_calm(), afterwards));
        afterwards.healthWad = 2e18;
        _refuses(_calm(), afterwards, _raised(_calm(), afterwards));
    }

    // ---------------------------------------------------------------- swaps

    /// @dev `traded` and one unit more of what it bought, in a paused vault, with `repaid` of debt.
    function _boughtAtMost(
        IValuation.Measure memory afterwards,
        IMandate.Traded memory traded,
        IMandate.Traded memory more
    ) private {
        _passes(_calm(), afterwards, traded, ALL, 0);
        bytes memory reason = abi.encodeWithSelector(
            IMandate.PausedSwapTooLarge.selector,
            more.boughtAsset + more.boughtBase,
            _calm().debt - afterwards.debt
        );
        _refuses(_calm(), afterwards, more, ALL, 0, reason);
    }

    /// Base is bought for what was repaid of it and a hundredth more: a debt's value is rounded up, the hundredth down.
    function testFuzz_base_is_bought_for_what_was_repaid_of_it(uint256 repaid) external {
        _pause();
        repaid = bound(repaid, 1, 99e18);
        IValuation.Measure memory afterwards = _calm();
        afterwards.debtBase -= repaid;
        uint256 worth = Math.mulDiv(repaid, PRICE_WAD, 1e30, Math.Rounding.Ceil);
        (afterwards.debt, afterwards.gross) = (500_000e6 - worth, 1_500_000e6 - worth);
        uint256 most = worth * 101 / 100;
        _boughtAtMost(afterwards, IMandate.Traded(most, 0, most), IMandate.Traded(most, 0, most + 1));
    }

    /// A unit of base in part, or of the hundredth in part: both roundings at once.
    function test_a_fraction_repaid_counts_as_a_unit_and_a_fraction_on_top_as_none() external {
        _pause();
        IValuation.Measure memory afterwards = _calm();
        afterwards.debtBase -= 1e8; // worth a fifth of a unit
        _boughtAtMost(afterwards, IMandate.Traded(1, 0, 1), IMandate.Traded(2, 0, 2));
    }

    /// While base is owed dollars are bought for what was repaid of them; while none is, base is sold freely.
    function testFuzz_dollars_are_bought_for_what_was_repaid_of_them(uint256 repaid) external {
        _pause();
        repaid = bound(repaid, 1, 300_000e6);
        IValuation.Measure memory afterwards = _calm();
        afterwards.debtAsset -= repaid;
        (afterwards.debt, afterwards.gross) = (500_000e6 - repaid, 1_500_000e6 - repaid);
        uint256 most = repaid * 101 / 100;
        _boughtAtMost(afterwards, IMandate.Traded(most, most, 0), IMandate.Traded(most, most + 1, 0));
        IValuation.Measure memory free = _calm();
        (free.debtBase, afterwards.debtBase) = (0, 0);
        _passes(free, afterwards, IMandate.Traded(ALL, ALL, 0), ALL, 0);
    }

    /// One way only: a single unit the other way makes a wash trade, however much was repaid of both.
    function testFuzz_a_unit_the_other_way_is_a_wash_trade(bool unitOfAsset) external {
        _pause();
        IValuation.Measure memory afterwards = _calm();
        (afterwards.debtAsset, afterwards.debtBase) = (200_000e6, 50e18);
        (afterwards.debt, afterwards.gross) = (300_000e6, 1_300_000e6);
        IMandate.Traded memory traded = IMandate.Traded(1001, 1000, 0);
        IMandate.Traded memory more = IMandate.Traded(1001, 1000, 1);
        if (unitOfAsset) (traded, more) = (IMandate.Traded(1001, 0, 1000), IMandate.Traded(1001, 1, 1000));
        _boughtAtMost(afterwards, traded, more);
        traded = IMandate.Traded(1, unitOfAsset ? 1 : 0, unitOfAsset ? 0 : 1);
        _boughtAtMost(afterwards, traded, IMandate.Traded(2, 1, 1));
    }

    // ---------------------------------------------------------------- before a rebalance

    /// A vault owes if it owes one unit of either token.
    function testFuzz_the_brief_says_what_was_measured(uint256 asset, uint256 base, bool known) external {
        IValuation.Measure memory m = _calm();
        (m.debtAsset, m.debtBase) = (bound(asset, 0, 2), bound(base, 0, 2));
        m.optionsKnown = known;
        bytes memory question = abi.encodePacked(IValuation.measure.selector);
        vm.mockCall(address(valuation), question, abi.encode(m));
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(address(vault));
        (IMandate.Brief memory brief, bytes memory measured) = mandate.open(keeper, intent);
        IMandate.Brief memory expected =
            IMandate.Brief(true, known, m.debtAsset + m.debtBase > 0, false, PRICE_WAD, 100);
        assertEq(abi.encode(brief), abi.encode(expected));
        assertEq(measured, abi.encode(m));
    }

    // ---------------------------------------------------------------- rescues

    function _answers(bytes4 question, bytes memory answer) private {
        vm.mockCall(address(valuation), abi.encodePacked(question), answer);
    }

    function _openRescue() private returns (IMandate.Rescue memory) {
        vm.prank(address(vault));
        return mandate.openRescue();
    }

    /// What is reserved for a bounty is rounded down twice: the slice of the debt, and the bounty on it, up to its maximum.
    function testFuzz_the_reserve_is_rounded_down(uint256 debt) external {
        debt = bound(debt, 0, 1e13) / 800 * 800 + 799; // a quarter of it is three quarters short of a multiple of 200
        _answers(IValuation.tryHealth.selector, abi.encode(true, 1e18));
        _answers(IValuation.debtAt.selector, abi.encode(debt));
        IMandate.Rescue memory rescue = _openRescue();
        assertEq(rescue.debt, debt);
        assertEq(rescue.healthWad, 1e18);
        assertEq(rescue.reserve, Math.min(debt / 800, 1000e6));
        assertEq(
            abi.encode(rescue.priceWad, rescue.sliceBps, rescue.swapLossBps, rescue.bountyBps),
            abi.encode(oracle.priceWad(), 2500, 100, 50)
        );
        _makeStale();
        assertEq(_openRescue().priceWad, 0);
    }

    /// The bounty is for what was repaid at the price of the beginning, and never more than is idle; the event says all of it.
    function testFuzz_a_bounty_is_for_what_was_repaid(uint256 repaid, uint256 idle, bool sold) external {
        IMandate.Rescue memory rescue;
        (rescue.debt, rescue.healthWad) = (bound(repaid, 0, 1e13), 1e18);
        repaid = bound(idle, 0, rescue.debt);
        IValuation.Holdings memory held;
        held.idleAsset = bound(idle, 0, 2000e6);
        _answers(IValuation.tryHealth.selector, abi.encode(true, 1e18 + 1));
        _answers(IValuation.debtAt.selector, abi.encode(rescue.debt - repaid));
        _answers(IValuation.holdings.selector, abi.encode(held));
        uint256 bounty = Math.min(Math.min(repaid / 200, 1000e6), held.idleAsset);
        vm.expectEmit(address(mandate));
        emit IMandate.Protected(mallory, repaid, 1e18, 1e18 + 1, bounty);
        vm.prank(address(vault));
        assertEq(mandate.closeRescue(rescue, sold, mallory), bounty);
        _answers(IValuation.tryHealth.selector, abi.encode(true, 1e18));
        uint256 until = block.timestamp + 1 minutes;
        if (sold) {
            vm.expectRevert(abi.encodeWithSelector(IMandate.RescueTooSoon.selector, until, until - 60));
        }
        _openRescue();
        _wait(1 minutes);
        _openRescue(); // at that second
    }

    /// A health nobody knows is no danger, and the keeper's silence ends to the second.
    function test_who_may_be_rescued_when() external {
        _answers(IValuation.tryHealth.selector, abi.encode(false, 0));
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotEndangered.selector, 0, 1.045e18));
        _openRescue();
        vm.prank(keeper);
        mandate.beat();
        _answers(IValuation.tryHealth.selector, abi.encode(true, 1.045e18 - 1));
        _wait(10 minutes - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.HeartBeats.selector, mandate.lastBeat(), uint256(10 minutes))
        );
        _openRescue();
        _wait(1);
        _openRescue();
    }

    // ---------------------------------------------------------------- fills

    /// While the vault is in the middle of something its NAV is in pieces, and no fill is charged against it.
    function test_no_fill_is_charged_while_the_vault_is_locked() external {
        _deposit(alice, 1_000_000e6);
        vm.mockCall(address(vault), abi.encodeWithSignature("locked()"), abi.encode(true));
        vm.expectRevert(IValuation.Reentered.selector);
        desk.fill(1e6);
    }

    /// A fill that loses waits for a volatility as it does for a price.
    function test_a_fill_that_loses_waits_for_a_volatility() external {
        _deposit(alice, 1_000_000e6);
        desk.setVolatilityKnown(false);
        vm.expectRevert(abi.encodeWithSelector(IMandate.LossTooLarge.selector, 1, 0));
        desk.fill(1);
        desk.setVolatilityKnown(true);
        desk.fill(1);
    }

    // ---------------------------------------------------------------- terms and roles

    /// Terms that change in the middle of a refill take nothing of what was refilled, from any bucket.
    function testFuzz_a_change_of_terms_keeps_what_was_refilled(uint256 time) external {
        IValuation.Measure memory afterwards = _calm();
        afterwards.gross -= 10_000e6;
        _passes(_calm(), afterwards); // protective
        ++afterwards.vega;
        _passes(_calm(), afterwards, IMandate.Traded(5_000_000e6, 0, 0), ALL, 0); // routine, and turnover
        time = bound(time, 1 hours, 2 days);
        _wait(time);
        bytes memory left = _buckets();
        IMandate.Terms memory terms = mandate.terms();
        terms.caps.maxOracleAge = 3600;
        _tighten(terms);
        assertEq(_buckets(), left);
        uint256 refilled = Math.min(time * 0.02e18 / 1 days, 0.01e18);
        assertEq(_left(IMandate.Bucket.Protective), 0.01e18 + refilled);
    }

    function _buckets() private view returns (bytes memory) {
        (uint256 turnover,) = mandate.turnoverLeft();
        return abi.encode(_left(IMandate.Bucket.Routine), _left(IMandate.Bucket.Protective), turnover);
    }

    /// A keeper acts at once: only becoming one takes time.
    function test_a_keeper_waits_for_nothing() external {
        _asCurator(abi.encodeCall(mandate.addKeeper, (mallory)));
        (bool member, uint32 delay) = manager.hasRole(Roles.KEEPER, mallory);
        assertTrue(member);
        assertEq(delay, 0);
    }

    /// A vault is as old as its mandate: a keeper who never came is gone fourteen days after it.
    function test_silence_is_counted_from_the_beginning() external view {
        assertEq(mandate.lastBeat(), 1_700_000_000);
    }

    /// A price as old as the mandate allows is young enough.
    function test_a_price_may_be_as_old_as_allowed() external {
        IValuation.Measure memory afterwards = _calm();
        ++afterwards.vega;
        IValuation.Measure memory before = _calm();
        before.priceAt = block.timestamp - 3900;
        _passes(before, afterwards);
        --before.priceAt;
        _refuses(before, afterwards, abi.encodeWithSelector(IMandate.OracleTooOld.selector, 3901, 3900));
    }

    /// A venue that holds what it was left with is not found short because there is no price.
    function test_a_missing_price_is_no_missing_collateral() external {
        _lever(1_000_000e6, 6000, 5000);
        _makeStale();
        _run(_one(_repayMove(address(usdc), 1e6)));
        assertFalse(vault.unhedged());
    }

    /// What a curator has resolved stays resolved as long as everything is where it was left.
    function test_a_curator_resolves_what_was_found_unhedged() external {
        desk.setMatchesBook(false);
        assertTrue(vault.checkHedge());
        desk.setMatchesBook(true);
        assertTrue(vault.checkHedge()); // not by itself
        _asCurator(abi.encodeCall(mandate.resolveUnhedged, ()));
        assertFalse(vault.unhedged());
        assertFalse(vault.checkHedge());
    }

    /// A guardian who lowers the cap to what it is is not refused.
    function test_a_cap_may_be_set_to_itself() external {
        uint128 cap = vault.depositPolicy().cap;
        vm.startPrank(guardian);
        mandate.lowerCap(cap);
        vm.expectRevert(IMandate.NotTighter.selector);
        mandate.lowerCap(cap + 1);
        vm.stopPrank();
        assertEq(vault.depositPolicy().cap, cap);
    }
}
