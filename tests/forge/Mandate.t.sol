// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice Asymmetric power: safer at once and by many, riskier by the curator alone and after its delay (V-14).
contract MandateTest is MandateFixture {
    function _bounded(IMandate.Limits memory l) private pure returns (IMandate.Limits memory) {
        l.minHealthWad = uint64(bound(l.minHealthWad, 1.05e18, 10e18));
        l.maxSwapLossBps = uint16(bound(l.maxSwapLossBps, 100, 300));
        l.maxLossBps = uint16(bound(l.maxLossBps, 100, 500));
        l.maxLossPerDayBps = uint16(bound(l.maxLossPerDayBps, 10, 1000));
        l.maxBorrowBps = uint16(bound(l.maxBorrowBps, 0, 9300));
        return l;
    }

    function _with(IMandate.Limits memory l) private view returns (IMandate.Terms memory terms) {
        terms = mandate.terms();
        terms.limits = l;
    }

    function _hash(IMandate.Terms memory terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function _looser(IMandate.Limits memory l) private view returns (bool) {
        IMandate.Limits memory now_ = mandate.terms().limits;
        return l.minHealthWad < now_.minHealthWad || l.maxSwapLossBps > now_.maxSwapLossBps
            || l.maxLossBps > now_.maxLossBps || l.maxLossPerDayBps > now_.maxLossPerDayBps
            || l.maxBorrowBps > now_.maxBorrowBps;
    }

    // ---------------------------------------------------------------- terms

    function testFuzz_guardian_may_tighten_and_never_loosen(IMandate.Limits memory l) external {
        l = _bounded(l);
        bool looser = _looser(l);
        IMandate.Terms memory terms = _with(l);
        if (looser) vm.expectRevert(IMandate.NotTighter.selector);
        vm.prank(guardian);
        mandate.tighten(terms);
        assertEq(mandate.termsHash() == _hash(terms), !looser);
    }

    function testFuzz_curator_sets_anything_within_the_hard_bounds_after_its_delay(IMandate.Limits memory l)
        external
    {
        IMandate.Terms memory terms = _with(_bounded(l));
        _setTerms(terms);
        assertEq(mandate.termsHash(), _hash(terms));
    }

    /// Not a second before: neither straight nor through the manager.
    function testFuzz_nothing_riskier_takes_effect_before_its_delay(uint256 early) external {
        IMandate.Terms memory terms = _with(IMandate.Limits(1.05e18, 300, 500, 1000, 9300));
        bytes32 held = mandate.termsHash();
        bytes memory call_ = abi.encodeCall(mandate.setTerms, (held, terms));
        vm.startPrank(curator);
        vm.expectRevert();
        mandate.setTerms(held, terms);
        manager.schedule(address(mandate), call_, 0);
        _wait(bound(early, 0, CURATOR_DELAY - 1));
        vm.expectRevert();
        manager.execute(address(mandate), call_);
        assertEq(mandate.termsHash(), held);
        vm.warp(block.timestamp + CURATOR_DELAY);
        manager.execute(address(mandate), call_);
        vm.stopPrank();
        assertEq(mandate.termsHash(), _hash(terms));
    }

    function test_a_guardian_cancels_what_waits() external {
        bytes memory call_ = abi.encodeCall(mandate.addKeeper, (mallory));
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        vm.prank(guardian);
        manager.cancel(curator, address(mandate), call_);
        _wait(CURATOR_DELAY);
        vm.expectRevert();
        vm.prank(curator);
        manager.execute(address(mandate), call_);
        assertFalse(mandate.isKeeper(mallory));
    }

    /// What waited for its delay does not undo what the guardian tightened meanwhile.
    function testFuzz_terms_are_replaced_only_as_they_were_expected(IMandate.Limits memory l, uint8 which)
        external
    {
        IMandate.Terms memory terms = _with(_bounded(l));
        bytes32 expected = mandate.termsHash();
        bytes memory call_ = abi.encodeCall(mandate.setTerms, (expected, terms));
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        IMandate.Terms memory tighter = mandate.terms();
        which = uint8(bound(which, 0, 3));
        if (which == 0) tighter.limits.minHealthWad += 1;
        if (which == 1) tighter.limits.maxLossPerDayBps -= 1;
        if (which == 2) tighter.caps.maxVenueBps -= 1;
        if (which == 3) tighter.options.maxSeries -= 1;
        _tighten(tighter);
        _wait(CURATOR_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IMandate.TermsChanged.selector, expected, mandate.termsHash()));
        vm.prank(curator);
        manager.execute(address(mandate), call_);
        assertEq(mandate.termsHash(), _hash(tighter));
        _setTerms(terms);
        assertEq(mandate.termsHash(), _hash(terms));
    }

    // ---------------------------------------------------------------- who

    /// @dev Every function of the curator, then of the guardian.
    function _calls() private view returns (bytes[] memory calls) {
        IVaultShares.DepositPolicy memory policy;
        IVaultShares.Fees memory fees;
        calls = new bytes[](14);
        calls[0] = abi.encodeCall(mandate.setTerms, (mandate.termsHash(), mandate.terms()));
        calls[1] = abi.encodeCall(mandate.addKeeper, (mallory));
        calls[2] = abi.encodeCall(mandate.unpause, ());
        calls[3] = abi.encodeCall(mandate.resume, ());
        calls[4] = abi.encodeCall(mandate.setDepositPolicy, (policy));
        calls[5] = abi.encodeCall(mandate.setFees, (fees));
        calls[6] = abi.encodeCall(mandate.allow, (mallory));
        calls[7] = abi.encodeCall(mandate.resolveUnhedged, ());
        calls[8] = abi.encodeCall(mandate.tighten, (mandate.terms()));
        calls[9] = abi.encodeCall(mandate.removeKeeper, (keeper));
        calls[10] = abi.encodeCall(mandate.pause, ());
        calls[11] = abi.encodeCall(mandate.windDown, ());
        calls[12] = abi.encodeCall(mandate.lowerCap, (0));
        calls[13] = abi.encodeCall(mandate.disallow, (alice));
    }

    function testFuzz_strangers_and_keepers_change_nothing(address who, bool isKeeper) external {
        if (isKeeper) who = keeper;
        vm.assume(who != owner && who != guardian && who != curator && who != address(manager));
        bytes[] memory calls = _calls();
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(who);
            (bool ok, bytes memory reason) = address(mandate).call(calls[i]);
            assertFalse(ok);
            bytes memory refusal =
                abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, who);
            assertEq(keccak256(reason), keccak256(refusal));
        }
    }

    /// A guardian's six are open to it at once; none of the curator's eight ever.
    function test_a_guardian_does_what_is_safer_and_nothing_else() external {
        bytes[] memory calls = _calls();
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(guardian);
            (bool ok,) = address(mandate).call(calls[i]);
            assertEq(ok, i >= 8);
        }
    }

    function testFuzz_what_only_the_vault_may_call_nobody_else_calls(address who) external {
        vm.assume(who != address(vault));
        IVault.Intent memory intent;
        IMandate.Traded memory traded;
        IMandate.Rescue memory rescue;
        bytes[] memory calls = new bytes[](7);
        calls[0] = abi.encodeCall(mandate.open, (keeper, intent));
        calls[1] = abi.encodeCall(mandate.close, ("", traded, 0, 0));
        calls[2] = abi.encodeCall(mandate.openRescue, ());
        calls[3] = abi.encodeCall(mandate.closeRescue, (rescue, true, who));
        calls[4] = abi.encodeCall(mandate.inspect, ());
        calls[5] = abi.encodeCall(mandate.record, ());
        calls[6] = abi.encodeCall(mandate.setVenues, (who, who, who));
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(who);
            (bool ok, bytes memory reason) = address(mandate).call(calls[i]);
            assertFalse(ok);
            assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(IMandate.NotVault.selector, who)));
        }
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotDesk.selector, who));
        vm.prank(who);
        mandate.chargeFill(1);
    }

    // ---------------------------------------------------------------- keepers

    function test_guardian_removes_a_keeper_at_once_and_cannot_add_one() external {
        vm.startPrank(guardian);
        mandate.removeKeeper(keeper);
        assertFalse(mandate.isKeeper(keeper));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        mandate.addKeeper(keeper);
        vm.stopPrank();
        _expectRefused(
            _one(_swapMove(address(usdc), 1)), abi.encodeWithSelector(IMandate.NotKeeper.selector, keeper)
        );
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotKeeper.selector, keeper));
        vm.prank(keeper);
        mandate.beat();
    }

    function testFuzz_a_curator_adds_a_keeper_after_its_delay(address another) external {
        vm.assume(another != address(0) && another != keeper);
        _asCurator(abi.encodeCall(mandate.addKeeper, (another)));
        assertTrue(mandate.isKeeper(another));
        vm.prank(another);
        mandate.beat();
        assertEq(mandate.lastBeat(), block.timestamp);
    }

    function test_nobody_is_no_keeper() external {
        bytes memory call_ = abi.encodeCall(mandate.addKeeper, (address(0)));
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        _wait(CURATOR_DELAY);
        vm.expectRevert(IMandate.ZeroAddress.selector);
        vm.prank(curator);
        manager.execute(address(mandate), call_);
    }

    /// A keeper that gives its own role back is no keeper; nobody can take part in the manager's own administration.
    function test_a_keeper_may_resign() external {
        vm.prank(keeper);
        manager.renounceRole(2, keeper);
        assertFalse(mandate.isKeeper(keeper));
    }

    // ---------------------------------------------------------------- pause and wind-down

    function test_guardian_pauses_and_only_the_curator_unpauses_after_its_delay() external {
        vm.startPrank(guardian);
        mandate.pause();
        assertTrue(mandate.paused());
        assertTrue(vault.depositsHalted());
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        mandate.unpause();
        vm.stopPrank();
        _asCurator(abi.encodeCall(mandate.unpause, ()));
        assertFalse(mandate.paused());
        assertFalse(vault.depositsHalted());
    }

    function test_unpausing_does_not_end_a_wind_down_nor_resuming_a_pause() external {
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        _asCurator(abi.encodeCall(mandate.unpause, ()));
        assertTrue(vault.depositsHalted());
        _pause();
        _asCurator(abi.encodeCall(mandate.resume, ()));
        assertTrue(mandate.paused());
        assertTrue(vault.depositsHalted());
        _asCurator(abi.encodeCall(mandate.unpause, ()));
        assertFalse(vault.depositsHalted());
    }

    /// Anybody, but only after the keeper was silent for two weeks; a beat or a rebalance is a sign of life.
    function testFuzz_a_silent_vault_is_wound_down_by_anybody(address who, uint256 silent, bool moves)
        external
    {
        _deposit(alice, 1_000_000e6);
        _wait(1 days);
        if (moves) {
            _run(_one(_supplyMove(address(usdc), 1e6)));
        } else {
            vm.prank(keeper);
            mandate.beat();
        }
        uint256 beatAt = block.timestamp;
        vm.warp(beatAt + bound(silent, 0, 20 days));
        bool gone = block.timestamp >= beatAt + 14 days;
        if (!gone) {
            vm.expectRevert(abi.encodeWithSelector(IMandate.NotAbandoned.selector, beatAt, block.timestamp));
        }
        vm.prank(who);
        mandate.declareAbandoned();
        assertEq(mandate.windingDown(), gone);
    }

    function test_a_vault_that_was_resumed_is_not_abandoned_in_the_same_block() external {
        _wait(14 days);
        mandate.declareAbandoned();
        _asCurator(abi.encodeCall(mandate.resume, ()));
        assertFalse(mandate.windingDown());
        vm.expectPartialRevert(IMandate.NotAbandoned.selector);
        mandate.declareAbandoned();
    }

    // ---------------------------------------------------------------- depositors' side

    function testFuzz_the_cap_falls_at_once_and_rises_after_the_delay(uint128 cap, uint128 higher) external {
        cap = uint128(bound(cap, 0, 1e30));
        vm.prank(guardian);
        mandate.lowerCap(cap);
        assertEq(vault.depositPolicy().cap, cap);
        higher = uint128(bound(higher, uint256(cap) + 1, type(uint128).max));
        vm.expectRevert(IMandate.NotTighter.selector);
        vm.prank(guardian);
        mandate.lowerCap(higher);
        IVaultShares.DepositPolicy memory policy = vault.depositPolicy();
        policy.cap = higher;
        _asCurator(abi.encodeCall(mandate.setDepositPolicy, (policy)));
        assertEq(vault.depositPolicy().cap, higher);
    }

    function testFuzz_an_account_is_let_in_after_the_delay_and_out_at_once(address account) external {
        _asCurator(abi.encodeCall(mandate.allow, (account)));
        assertTrue(vault.allowed(account));
        vm.prank(guardian);
        mandate.disallow(account);
        assertFalse(vault.allowed(account));
    }
}
