// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {MandateMeasures} from "./MandateMeasures.sol";

/// @notice Loss, health, debt, delta and shares, each to the unit: what is just allowed, and one more (V-04 to V-06).
contract MandateRulesTest is MandateMeasures {
    // ---------------------------------------------------------------- loss

    /// The venue's rounding is forgiven up to the dust in both tokens, a unit of base rounded up to what it is worth.
    function testFuzz_forgiven_is_the_dust_in_either_token(uint256 dust, uint256 price) external {
        dust = bound(dust, 1, 1e15);
        IValuation.Measure memory before = _cash();
        before.priceWad = bound(price, 1e18, 1e24);
        before.nav = before.gross = 1e24;
        before.deltaBase = 0;
        uint256 forgiven = dust + Math.mulDiv(dust, before.priceWad, 1e30, Math.Rounding.Ceil);
        IValuation.Measure memory afterwards = _with(before, before.gross - forgiven, 0);
        _passes(before, afterwards, _nothing(), 0, dust);
        assertEq(_left(IMandate.Bucket.Protective), 0.02e18);
        afterwards = _with(before, before.gross - forgiven - 1, 0);
        bytes memory reason = abi.encodeWithSelector(IMandate.LossTooLarge.selector, forgiven + 1, 0);
        _refuses(before, afterwards, _nothing(), 0, dust, reason);
    }

    /// @dev The same with other sums; a struct in memory is never shared between before and after.
    function _with(IValuation.Measure memory m, uint256 gross, uint256 debt)
        private
        pure
        returns (IValuation.Measure memory other)
    {
        other = abi.decode(abi.encode(m), (IValuation.Measure));
        (other.gross, other.debt, other.nav) = (gross, debt, gross - debt);
    }

    /// A part of NAV is rounded down, and may be lost to the unit; the intent may allow less and never more.
    function testFuzz_allowed_is_the_lesser_of_mandate_and_intent(uint256 nav, uint256 debt, uint256 most)
        external
    {
        nav = bound(nav, 1e6, 1e24);
        debt = bound(debt, 0, nav);
        most = bound(most, 1, nav);
        IValuation.Measure memory before = _with(_cash(), nav + debt, debt);
        before.deltaBase = 0;
        uint256 allowed = Math.min(most, nav / 100);
        IValuation.Measure memory afterwards = _with(before, nav + debt - allowed - 1, debt);
        bytes memory reason = abi.encodeWithSelector(IMandate.LossTooLarge.selector, allowed + 1, allowed);
        _refuses(before, afterwards, _nothing(), most, 0, reason);
        _passes(before, _with(before, nav + debt - allowed, debt), _nothing(), most, 0);
        uint256 lost = Math.mulDiv(allowed, 1e18, nav, Math.Rounding.Ceil);
        assertEq(_left(IMandate.Bucket.Protective), 0.02e18 - lost);
    }

    /// The event tells the fraction lost rounded up to its last digit, and what is left of that bucket.
    function test_the_event_tells_the_loss_to_its_last_digit() external {
        // Just over, and exactly, a whole number of 1e-18.
        _chargedIs(1e12 - 1, 1_000_001, 1_000_001_000_002);
        _chargedIs(1e12, 1e9, 1e15);
    }

    function _chargedIs(uint256 nav, uint256 loss, uint256 lossWad) private {
        uint256 left = _left(IMandate.Bucket.Protective);
        IValuation.Measure memory before = _with(_cash(), nav, 0);
        before.deltaBase = 0;
        assertEq(Math.mulDiv(loss, 1e18, nav, Math.Rounding.Ceil), lossWad);
        vm.expectEmit(address(mandate));
        emit IMandate.Charged(IMandate.Bucket.Protective, lossWad, left - lossWad);
        _passes(before, _with(before, nav - loss, 0));
    }

    /// What is told of a rebalance is what was measured before and after, whether there was a price or not.
    function testFuzz_the_outcome_is_what_was_measured(uint256 gain, uint256 health) external {
        IValuation.Measure memory before = _calm();
        before.healthWad = bound(health, 1.05e18, 3e18);
        IValuation.Measure memory afterwards = _with(before, before.gross + bound(gain, 1, 1e12), before.debt);
        afterwards.healthWad = before.healthWad + 7;
        IMandate.Outcome memory told = _passes(before, afterwards, _nothing(), ALL, 0);
        assertEq(told.navBefore, before.nav);
        assertEq(told.navAfter, afterwards.nav);
        assertEq(told.healthBefore, before.healthWad);
        assertEq(told.healthAfter, afterwards.healthWad);
        IValuation.Measure memory priceless;
        priceless.healthWad = before.healthWad;
        _knownHealth(true, before.healthWad + 9);
        told = _passes(priceless, afterwards, _nothing(), ALL, 0);
        assertEq(told.navBefore, 0);
        assertEq(told.navAfter, 0);
        assertEq(told.healthBefore, before.healthWad);
        assertEq(told.healthAfter, before.healthWad + 9);
    }

    function _knownHealth(bool known, uint256 health) private {
        bytes memory question = abi.encodePacked(IValuation.tryHealth.selector);
        vm.mockCall(address(valuation), question, abi.encode(known, health));
    }

    // ---------------------------------------------------------------- health and debt

    function testFuzz_below_the_minimum_health_rises_by_one_digit_or_not_at_all(uint256 health) external {
        IValuation.Measure memory before = _calm();
        before.healthWad = bound(health, 1e18, MIN_HEALTH - 2);
        IValuation.Measure memory afterwards = _calm();
        afterwards.healthWad = before.healthWad;
        bytes memory reason = abi.encodeWithSelector(
            IMandate.HealthTooLow.selector, before.healthWad, afterwards.healthWad, MIN_HEALTH
        );
        _refuses(before, afterwards, reason);
        afterwards.healthWad = before.healthWad + 1;
        _passes(before, afterwards);
        (before.healthWad, afterwards.healthWad) = (2e18, MIN_HEALTH);
        _passes(before, afterwards);
        afterwards.healthWad = MIN_HEALTH - 1;
        reason = abi.encodeWithSelector(IMandate.HealthTooLow.selector, 2e18, MIN_HEALTH - 1, MIN_HEALTH);
        _refuses(before, afterwards, reason);
    }

    /// Debt that rose in either token is held to the ratio, rounded up; debt that rose in neither is not.
    function testFuzz_new_debt_is_held_to_the_ratio(bool ofBase, uint256 gross) external {
        gross = bound(gross, 10_000e6, 1e18) / 10_000 * 10_000;
        uint256 most = gross / 10_000 * 7500;
        IValuation.Measure memory before = _with(_calm(), gross, most);
        before.deltaBase = int256(before.nav * 1e30 / PRICE_WAD);
        _withoutOptions(before);
        IValuation.Measure memory over = _with(before, gross + 1, most + 1);
        _passes(before, over); // owed is what was owed
        if (ofBase) ++over.debtBase;
        else ++over.debtAsset;
        over.gross = gross;
        over.nav = gross - over.debt;
        bytes memory reason = abi.encodeWithSelector(IMandate.BorrowRatioTooHigh.selector, 7501, 7500);
        _refuses(before, over, reason);
        over.debt = most;
        _passes(before, over);
    }

    function _withoutOptions(IValuation.Measure memory m) private pure {
        (m.lent, m.optionCollateral, m.notional, m.vega) = (0, 0, 0, 0);
    }

    /// Nothing of nothing is no part of it, and anything of nothing is all.
    function test_debt_of_a_vault_that_holds_nothing_is_over_every_ratio() external {
        IMandate.Limits memory limits = mandate.terms().limits;
        limits.maxBorrowBps = 0;
        _tightenLimits(limits);
        IValuation.Measure memory before = _with(_cash(), 0, 0);
        before.deltaBase = 0;
        IValuation.Measure memory afterwards = _with(before, 0, 0);
        afterwards.debtBase = 1;
        _passes(before, afterwards);
        (afterwards.debt, afterwards.healthWad) = (1, 2e18);
        _refuses(before, afterwards, abi.encodeWithSelector(IMandate.BorrowRatioTooHigh.selector, ALL, 0));
    }

    // ---------------------------------------------------------------- delta

    /// @dev Ten thousand dollars either side of a million.
    function _narrow() private {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.deltaBandBps = 100;
        _tightenCaps(caps);
    }

    /// The edge of the band belongs to it; the value of a fraction of a unit counts as a unit.
    function testFuzz_the_band_ends_at_its_edge(bool above) external {
        _narrow();
        IValuation.Measure memory before = _cash();
        IValuation.Measure memory afterwards = _cash();
        afterwards.deltaBase = above ? int256(505e18) : int256(495e18);
        _passes(before, afterwards);
        // Rounded up, half a unit more is over the upper edge and half a unit less is not under the lower one.
        afterwards.deltaBase = above ? int256(505e18 + 1) : int256(495e18 - 0.0005e12);
        bytes memory reason =
            abi.encodeWithSelector(IMandate.DeltaOutsideBand.selector, 0, 10_000e6 + 1, 10_000e6);
        _refuses(before, afterwards, reason);
    }

    /// A short as large as the target is as far from it as twice the target.
    function test_a_short_is_on_the_other_side_of_zero() external {
        _narrow();
        IValuation.Measure memory before = _cash();
        IValuation.Measure memory afterwards = _cash();
        afterwards.deltaBase = -500e18;
        bytes memory reason =
            abi.encodeWithSelector(IMandate.DeltaOutsideBand.selector, 0, 2_000_000e6, 10_000e6);
        _refuses(before, afterwards, reason);
    }

    /// Outside the band what raises a risk must end nearer by a unit; what reduces may leave delta where it is, within the dust.
    function testFuzz_outside_the_band_delta_stays_within_the_dust(uint256 dust, bool towardsTarget)
        external
    {
        _narrow();
        dust = bound(dust, 1, 1000);
        IValuation.Measure memory before = _cash();
        before.deltaBase = 400e18;
        IValuation.Measure memory afterwards = _cash();
        afterwards.deltaBase = 400e18 - int256(dust);
        _passes(before, afterwards, _nothing(), ALL, dust);
        --afterwards.deltaBase;
        bytes memory reason =
            abi.encodeWithSelector(IMandate.DeltaOutsideBand.selector, 200_000e6, 200_000e6, 10_000e6);
        _refuses(before, afterwards, _nothing(), ALL, dust, reason);
        // Unmoved and raising a risk: nearer or not at all.
        afterwards.deltaBase = 400e18;
        ++afterwards.lent;
        _refuses(before, afterwards, _nothing(), ALL, dust, reason);
        if (towardsTarget) afterwards.deltaBase += 1e12;
        if (towardsTarget) _passes(before, afterwards, _nothing(), ALL, dust);
    }

    /// The band binds what reduces at the minimum health itself, and not below it.
    function test_at_the_minimum_health_the_band_binds_what_reduces() external {
        _narrow();
        IValuation.Measure memory before = _calm();
        IValuation.Measure memory afterwards = _calm();
        (before.healthWad, afterwards.healthWad) = (MIN_HEALTH, MIN_HEALTH + 1);
        afterwards.deltaBase = 400e18;
        bytes memory reason =
            abi.encodeWithSelector(IMandate.DeltaOutsideBand.selector, 0, 200_000e6, 10_000e6);
        _refuses(before, afterwards, reason);
        before.healthWad = MIN_HEALTH - 1;
        _passes(before, afterwards);
        ++afterwards.vega; // below it too, unless it reduces
        _refuses(before, afterwards, reason);
    }

    // ---------------------------------------------------------------- shares and turnover

    /// Each share may be filled to its cap and not one unit further, of the sum it is a share of.
    function testFuzz_a_share_is_filled_to_its_cap(uint8 which, bool over) external {
        IMandate.Cap cap = IMandate.Cap(bound(which, 0, 3));
        IMandate.Terms memory terms = mandate.terms();
        terms.caps.maxVenueBps = 6100;
        _tighten(terms);
        // Of the gross: venue and collateral; of NAV: notional and vega.
        uint256 most = cap == IMandate.Cap.Venue
            ? 915_000e6
            : cap == IMandate.Cap.Options ? 750_000e6 : uint256(500_000e6);
        IValuation.Measure memory afterwards = _calm();
        uint256 value = over ? most + 1 : most;
        if (cap == IMandate.Cap.Venue) afterwards.lent = value;
        else if (cap == IMandate.Cap.Options) afterwards.optionCollateral = value;
        else if (cap == IMandate.Cap.Notional) afterwards.notional = value;
        else afterwards.vega = value;
        uint256 mostBps = cap == IMandate.Cap.Venue ? 6100 : 5000;
        if (!over) {
            _passes(_calm(), afterwards);
        } else {
            _refuses(
                _calm(),
                afterwards,
                abi.encodeWithSelector(IMandate.ShareTooLarge.selector, cap, mostBps + 1, mostBps)
            );
        }
    }

    /// The whole of one unit is a whole; any part of nothing is over every cap.
    function test_a_share_of_next_to_nothing() external {
        IValuation.Measure memory before = _with(_cash(), 1, 0);
        before.deltaBase = 0;
        IValuation.Measure memory afterwards = _with(before, 1, 0);
        afterwards.lent = 1;
        _passes(before, afterwards);
        before = _with(before, 0, 0);
        afterwards = _with(afterwards, 0, 0);
        bytes memory reason =
            abi.encodeWithSelector(IMandate.ShareTooLarge.selector, IMandate.Cap.Venue, ALL, 10_000);
        _refuses(before, afterwards, reason);
    }

    /// One unit is turnover as well; where nothing was, there is nothing to turn over.
    function test_turnover_counts_from_the_first_unit() external {
        IValuation.Measure memory before = _with(_cash(), 1, 0);
        before.deltaBase = 0;
        IValuation.Measure memory afterwards = _with(before, 1, 0);
        afterwards.lent = 1;
        _passes(before, afterwards, IMandate.Traded(1, 0, 0), ALL, 0);
        (uint256 left,) = mandate.turnoverLeft();
        assertEq(left, 19e18); // all of NAV, of twenty times NAV
        bytes memory reason = abi.encodeWithSelector(LossBudget.BudgetExceeded.selector, 20e18, 19e18);
        _refuses(before, afterwards, IMandate.Traded(20, 0, 0), ALL, 0, reason);
        before = _with(_cash(), 0, 0);
        before.deltaBase = 0;
        _passes(before, afterwards, IMandate.Traded(20, 0, 0), ALL, 0);
    }
}
