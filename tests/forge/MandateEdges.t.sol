// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice The mandate's limits to the unit and to the second: what is just allowed passes, one more does not.
contract MandateEdgesTest is MandateFixture {
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0);
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    /// Below the minimum, to leave the health as it is is not to raise it (V-05).
    function testFuzz_below_the_minimum_an_unchanged_health_is_refused(uint256 amount) external {
        _lever(1_000_000e6, 8000, 7000);
        _setPrice(174_000);
        (uint256 health, uint256 least) = (lending.healthWad(), mandate.terms().limits.minHealthWad);
        assertLt(health, least);
        amount = bound(amount, 1e6, 100_000e6);
        _expectRefused(
            _one(_swapMove(address(usdc), amount)),
            abi.encodeWithSelector(IMandate.HealthTooLow.selector, health, health, least)
        );
    }

    /// At the minimum itself a rebalance may end.
    function test_the_minimum_health_is_allowed() external {
        _lever(1_000_000e6, 6000, 7000);
        _reportHealth(mandate.terms().limits.minHealthWad);
        _run(_one(_swapMove(address(usdc), 1e6)));
    }

    /// What a vault in debt loses is charged whole: debt is on both sides of the difference (V-04).
    function testFuzz_a_loss_in_debt_is_charged_whole(uint256 amount) external {
        _lever(1_000_000e6, 6000, 5000);
        pool.setHaircut(50);
        amount = bound(amount, 1000e6, 400_000e6);
        uint256 nav = vault.nav();
        _run(_one(_swapMove(address(usdc), amount)));
        uint256 lossWad = Math.mulDiv(nav - vault.nav(), 1e18, nav, Math.Rounding.Ceil);
        assertGt(lossWad, 0);
        assertEq(_left(IMandate.Bucket.Routine), 0.02e18 - lossWad);
    }

    /// A rescue is followed by one day in which risk may only fall, to the second.
    function test_a_day_after_a_rescue_the_keeper_leads_again() external {
        _lever(1_000_000e6, 6000, 7000);
        _setPrice(172_000);
        vault.protect();
        _setPrice(PRICE * 100);
        uint256 until = block.timestamp + 1 days;
        assertEq(mandate.AFTER_RESCUE(), 1 days);
        _wait(1 days - 1);
        _expectRefused(
            _one(_swapMove(address(usdc), 1000e6)),
            abi.encodeWithSelector(IMandate.CooldownActive.selector, until, until - 1)
        );
        _wait(1);
        _run(_one(_swapMove(address(usdc), 1000e6)));
    }

    function _reportHealth(uint256 health) private {
        vm.mockCall(address(lending), abi.encodeWithSignature("healthWad()"), abi.encode(health));
    }

    /// At the critical health itself the keeper still has the first turn; at the emergency's nobody has one.
    function test_a_threshold_of_health_belongs_to_the_safer_side() external {
        _lever(1_000_000e6, 6000, 7000);
        vm.prank(keeper);
        mandate.beat();
        IMandate.Emergency memory emergency = mandate.terms().emergency;
        _reportHealth(emergency.criticalHealthWad);
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.HeartBeats.selector, block.timestamp, emergency.silence)
        );
        vault.protect();
        _wait(emergency.silence);
        uint256 health = emergency.emergencyHealthWad;
        _reportHealth(health);
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotEndangered.selector, health, health));
        vault.protect();
    }

    /// More at the venue that makes what is owed there no safer, to the last digit of health, reduces nothing (V-08).
    function test_more_at_the_venue_at_the_same_health_is_no_reduction() external {
        _lever(1_000_000e6, 6000, 7000);
        uint256 health = lending.healthWad();
        _pause();
        _reportHealth(health);
        (, uint256 owed) = lending.balances(address(usdc));
        _expectRefused(
            _one(_supplyMove(address(usdc), 1e6)),
            abi.encodeWithSelector(IMandate.PausedRiskRaised.selector, health, health, owed, owed)
        );
        vm.clearMockedCalls();
        _run(_one(_supplyMove(address(usdc), 1e6)));
    }

    /// Without a price collateral is topped up to four times the minimum health, and that included.
    function test_without_a_price_collateral_is_topped_up_to_four_times_the_minimum() external {
        _lever(1_000_000e6, 6000, 7000);
        uint256 most = 4 * uint256(mandate.terms().limits.minHealthWad);
        _makeStale();
        _reportHealth(most + 1);
        _expectRefused(
            _one(_supplyMove(address(usdc), 1e6)),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Supply)
        );
        _reportHealth(most);
        _run(_one(_supplyMove(address(usdc), 1e6)));
    }

    /// A keeper is gone after fourteen days, to the second.
    function test_abandoned_is_after_fourteen_days() external {
        vm.prank(keeper);
        mandate.beat();
        uint256 beat = block.timestamp;
        vm.warp(beat + 14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotAbandoned.selector, beat, beat + 14 days - 1));
        mandate.declareAbandoned();
        vm.warp(beat + 14 days);
        mandate.declareAbandoned();
        assertTrue(mandate.windingDown());
    }

    /// A venue may report five units and a hundred millionths less than it was left with, and not one unit more.
    function testFuzz_what_a_venue_may_miss(uint256 supplied, bool ofBase) external {
        _deposit(alice, 1_000_000e6);
        if (ofBase) _run(_one(_swapMove(address(usdc), 900_000e6)));
        address token = address(ofBase ? weth : usdc);
        supplied = ofBase ? bound(supplied, 1e18, 440e18) : bound(supplied, 1e6, 900_000e6);
        _run(_one(_supplyMove(token, supplied)));
        (uint256 left,) = lending.balances(token);
        uint256 missing = 5 + Math.mulDiv(left, 100, 1e6); // what stands: reported + missing >= left
        _report(token, left - missing);
        assertFalse(vault.checkHedge());
        _report(token, left - missing - 1);
        assertTrue(vault.checkHedge());
    }

    function _report(address token, uint256 balance) private {
        bytes memory question = abi.encodeWithSignature("balanceOf(address)", address(lending));
        vm.mockCall(_aToken(token), question, abi.encode(balance));
    }

    /// The band is a part of NAV, rounded down; both gaps are told.
    function testFuzz_the_band_is_rounded_down(uint32 band, uint96 assets) external {
        uint256 deposited = bound(assets, 500_000e6, 2_000_000e6);
        _deposit(alice, deposited);
        IMandate.Caps memory caps = mandate.terms().caps;
        (caps.deltaTargetBps, caps.deltaBandBps) = (0, uint32(bound(band, 100, 1000)));
        _setCaps(caps);
        uint256 nav = vault.nav();
        assertEq(nav, deposited + 1e6);
        IVault.Move[] memory moves = _one(_swapMove(address(usdc), deposited / 2));
        uint256 gap = deposited / 2;
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {
            fail();
        } catch (bytes memory reason) {
            (uint256 before, uint256 after_, uint256 told) = _gaps(reason);
            assertEq(before, 0);
            assertApproxEqAbs(after_, gap, 2);
            assertEq(told, nav * caps.deltaBandBps / 10_000);
        }
    }

    function _gaps(bytes memory reason) private pure returns (uint256, uint256, uint256) {
        assertEq(bytes4(reason), IMandate.DeltaOutsideBand.selector);
        bytes memory values = new bytes(96);
        for (uint256 i; i < 96; ++i) {
            values[i] = reason[4 + i];
        }
        return abi.decode(values, (uint256, uint256, uint256));
    }

    /// A fill may lose all that one rebalance may: the hundredth part of what was there before it.
    function testFuzz_a_fill_may_lose_all_that_is_allowed(uint96 assets) external {
        _deposit(alice, bound(assets, 1000e6, 1_000_000e6));
        uint256 nav = vault.nav();
        uint256 most = nav / 99;
        assertEq(most, (nav + most) / 100);
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.LossTooLarge.selector, most + 1, (nav + most + 1) / 100)
        );
        desk.fill(most + 1);
        desk.fill(most);
    }

    /// A guardian who makes a bucket smaller leaves it as full as it was, in proportion; the other buckets as they were.
    function testFuzz_a_smaller_bucket_is_as_full_as_it_was(uint16 smaller, uint256 spent) external {
        _deposit(alice, 1_000_000e6);
        desk.fill(bound(spent, 1e6, vault.nav() / 100));
        (uint256 left, uint256 capacity) = mandate.budget(IMandate.Bucket.Routine);
        assertEq(capacity, 0.02e18);
        IMandate.Limits memory limits = mandate.terms().limits;
        limits.maxLossPerDayBps = uint16(bound(smaller, 100, 200));
        _tightenLimits(limits);
        (uint256 leftNow, uint256 capacityNow) = mandate.budget(IMandate.Bucket.Routine);
        assertEq(capacityNow, uint256(limits.maxLossPerDayBps) * 1e14);
        uint256 used = Math.mulDiv(capacity - left, capacityNow, capacity, Math.Rounding.Ceil);
        assertEq(leftNow, capacityNow - used);
    }

    /// Who looks at the events alone knows what holds.
    function test_events_say_what_was_done_and_by_whom() external {
        vm.expectEmit(address(mandate));
        emit IMandate.PausedSet(true, guardian);
        vm.prank(guardian);
        mandate.pause();
        bytes memory unpause = abi.encodeCall(mandate.unpause, ());
        _scheduled(unpause);
        vm.expectEmit(address(mandate));
        emit IMandate.PausedSet(false, address(manager));
        _execute(unpause);
        vm.expectEmit(address(mandate));
        emit IMandate.WindDownSet(true, guardian);
        vm.prank(guardian);
        mandate.windDown();
        bytes memory resume = abi.encodeCall(mandate.resume, ());
        _scheduled(resume);
        vm.expectEmit(address(mandate));
        emit IMandate.WindDownSet(false, address(manager));
        _execute(resume);
        vm.expectEmit(address(mandate));
        emit IMandate.KeeperSet(keeper, false);
        vm.prank(guardian);
        mandate.removeKeeper(keeper);
        bytes memory add = abi.encodeCall(mandate.addKeeper, (keeper));
        _scheduled(add);
        vm.expectEmit(address(mandate));
        emit IMandate.KeeperSet(keeper, true);
        _execute(add);
    }

    function _scheduled(bytes memory call_) private {
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        _wait(CURATOR_DELAY);
    }

    function _execute(bytes memory call_) private {
        vm.prank(curator);
        manager.execute(address(mandate), call_);
    }
}
