// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Roles} from "../../contracts/libraries/Roles.sol";
import {Fixture} from "./Fixture.sol";

/// @notice V-14: no riskier parameter takes effect before its delay; every safer one does at once. Every restricted function of the
/// mandate, called by everybody. That these are all of them is held by tests/unit/deployment/test_roles.py, from the source, and
/// by tests/ape/test_deploy.py, from the ABI.
contract RolesTest is Fixture {
    address internal fresh = makeAddr("fresh");
    address internal guest = makeAddr("guest");
    address internal second = makeAddr("second guardian");

    function setUp() public override {
        super.setUp();
        _lever(100_000e6, 5000, 5000);
    }

    // ---------------------------------------------------------------- the functions

    function _riskier() private view returns (bytes[] memory calls) {
        IMandate.Terms memory looser = mandate.terms();
        ++looser.limits.maxLossBps;
        calls = new bytes[](8);
        calls[0] = abi.encodeCall(IMandate.setTerms, (mandate.termsHash(), looser));
        calls[1] = abi.encodeCall(IMandate.addKeeper, (fresh));
        calls[2] = abi.encodeCall(IMandate.unpause, ());
        calls[3] = abi.encodeCall(IMandate.resume, ());
        calls[4] = abi.encodeCall(
            IMandate.setDepositPolicy,
            (IVaultShares.DepositPolicy({cap: 2e30, minimum: 1, allowListed: true}))
        );
        calls[5] = abi.encodeCall(
            IMandate.setFees,
            (IVaultShares.Fees({recipient: fresh, managementBps: 100, performanceBps: 1000}))
        );
        calls[6] = abi.encodeCall(IMandate.allow, (fresh));
        calls[7] = abi.encodeCall(IMandate.resolveUnhedged, ());
    }

    function _safer() private view returns (bytes[] memory calls) {
        IMandate.Terms memory tighter = mandate.terms();
        --tighter.limits.maxBorrowBps;
        calls = new bytes[](6);
        calls[0] = abi.encodeCall(IMandate.tighten, (tighter));
        calls[1] = abi.encodeCall(IMandate.removeKeeper, (keeper));
        calls[2] = abi.encodeCall(IMandate.pause, ());
        calls[3] = abi.encodeCall(IMandate.windDown, ());
        calls[4] = abi.encodeCall(IMandate.lowerCap, (1e29));
        calls[5] = abi.encodeCall(IMandate.disallow, (guest));
    }

    /// @dev Everything that any of them changes.
    function _print() private view returns (bytes32) {
        (IVaultShares.Fees memory current, IVaultShares.Fees memory next) = vault.fees();
        return keccak256(
            abi.encode(
                mandate.terms(),
                mandate.isKeeper(keeper),
                mandate.isKeeper(fresh),
                mandate.paused(),
                mandate.windingDown(),
                vault.depositPolicy(),
                abi.encode(current, next),
                vault.allowed(fresh),
                vault.allowed(guest),
                vault.unhedged()
            )
        );
    }

    /// @dev Paused, winding down and unhedged: each riskier function has something to change.
    function _harm() private {
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        _setPrice(115_000);
        aave.liquidate(address(weth), address(usdc), address(lending));
        assertTrue(vault.checkHedge());
    }

    function _call(address caller, bytes memory data) private returns (bool passed, bytes memory output) {
        vm.prank(caller);
        (passed, output) = address(mandate).call(data);
    }

    function _assertRefused(address caller, bytes memory data, bytes4 reason) private {
        bytes32 before = _print();
        (bool passed, bytes memory output) = _call(caller, data);
        assertFalse(passed);
        assertEq(bytes4(output), reason);
        assertEq(_print(), before);
    }

    function _strangers() private view returns (address[5] memory) {
        return [keeper, mallory, alice, address(vault), address(this)];
    }

    // ---------------------------------------------------------------- V-14: riskier

    function test_V14_a_riskier_change_takes_effect_when_its_delay_is_over_and_not_a_second_before()
        external
    {
        _harm();
        uint256 harmed = vm.snapshotState();
        uint256 count = _riskier().length;
        for (uint256 i; i < count; ++i) {
            bytes memory data = _riskier()[i];
            bytes32 before = _print();
            _assertRefused(curator, data, IAccessManager.AccessManagerNotScheduled.selector);
            vm.prank(curator);
            manager.schedule(address(mandate), data, 0);
            vm.warp(block.timestamp + CURATOR_DELAY - 1);
            _assertRefused(curator, data, IAccessManager.AccessManagerNotReady.selector);
            vm.warp(block.timestamp + 1);
            (bool passed,) = _call(curator, data);
            assertTrue(passed);
            assertNotEq(_print(), before);
            vm.revertToState(harmed);
        }
    }

    function test_V14_a_riskier_change_is_made_once_for_each_time_it_was_scheduled() external {
        bytes memory data = abi.encodeCall(IMandate.addKeeper, (fresh));
        _asCurator(data);
        assertTrue(mandate.isKeeper(fresh));
        vm.prank(guardian);
        mandate.removeKeeper(fresh);
        _assertRefused(curator, data, IAccessManager.AccessManagerNotScheduled.selector);
    }

    function test_V14_nobody_but_a_curator_makes_a_riskier_change_nor_schedules_one() external {
        _harm();
        bytes[] memory calls = _riskier();
        address[5] memory strangers = _strangers();
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < 7; ++j) {
                address caller = j == 0 ? guardian : j == 1 ? owner : strangers[j - 2];
                _assertRefused(caller, calls[i], IAccessManaged.AccessManagedUnauthorized.selector);
                vm.prank(caller);
                vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedCall.selector);
                manager.schedule(address(mandate), calls[i], 0);
            }
        }
    }

    function test_V14_a_stolen_curators_change_is_cancelled_in_time() external {
        _harm();
        uint256 harmed = vm.snapshotState();
        uint256 count = _riskier().length;
        for (uint256 i; i < count; ++i) {
            bytes memory data = _riskier()[i];
            vm.prank(curator);
            manager.schedule(address(mandate), data, 0);
            vm.warp(block.timestamp + CURATOR_DELAY);
            vm.prank(guardian);
            manager.cancel(curator, address(mandate), data);
            _assertRefused(curator, data, IAccessManager.AccessManagerNotScheduled.selector);
            vm.revertToState(harmed);
        }
    }

    function test_V14_terms_that_waited_do_not_undo_what_a_guardian_tightened_meanwhile() external {
        bytes memory data = _riskier()[0];
        vm.prank(curator);
        manager.schedule(address(mandate), data, 0);
        IMandate.Terms memory tighter = mandate.terms();
        --tighter.limits.maxBorrowBps;
        vm.prank(guardian);
        mandate.tighten(tighter);
        vm.warp(block.timestamp + CURATOR_DELAY);
        _assertRefused(curator, data, IMandate.TermsChanged.selector);
    }

    function test_V14_a_keeper_is_added_only_through_the_mandate_and_its_delay() external {
        address[4] memory powerful = [curator, guardian, owner, keeper];
        for (uint256 i; i < powerful.length; ++i) {
            vm.prank(powerful[i]);
            vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedAccount.selector);
            manager.grantRole(Roles.KEEPER, fresh, 0);
            vm.prank(powerful[i]);
            vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedCall.selector);
            manager.schedule(
                address(manager), abi.encodeCall(IAccessManager.grantRole, (Roles.KEEPER, fresh, 0)), 0
            );
        }
    }

    // ---------------------------------------------------------------- V-14: safer

    function test_V14_a_safer_change_takes_effect_at_once_whoever_may_make_it() external {
        _asCurator(abi.encodeCall(IMandate.allow, (guest)));
        uint256 sound = vm.snapshotState();
        uint256 count = _safer().length;
        address[3] memory may = [guardian, curator, owner];
        for (uint256 i; i < count; ++i) {
            for (uint256 j; j < may.length; ++j) {
                bytes memory data = _safer()[i];
                bytes32 before = _print();
                (bool passed,) = _call(may[j], data);
                assertTrue(passed);
                assertNotEq(_print(), before);
                vm.revertToState(sound);
            }
        }
    }

    function test_V14_nobody_else_makes_a_safer_change() external {
        bytes[] memory calls = _safer();
        address[5] memory strangers = _strangers();
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < strangers.length; ++j) {
                _assertRefused(strangers[j], calls[i], IAccessManaged.AccessManagedUnauthorized.selector);
            }
        }
    }

    function test_V14_a_guardian_does_not_raise_the_cap() external {
        uint128 cap = vault.depositPolicy().cap;
        _assertRefused(guardian, abi.encodeCall(IMandate.lowerCap, (cap + 1)), IMandate.NotTighter.selector);
    }

    // ---------------------------------------------------------------- V-14: the owner

    /// The owner could make itself a curator without a delay: that waits for its own delay, which is no shorter than the
    /// curator's.
    function test_V14_an_owner_reaches_no_riskier_change_sooner_than_a_curator() external {
        bytes memory grant = abi.encodeCall(IAccessManager.grantRole, (Roles.CURATOR, owner, 0));
        vm.prank(owner);
        manager.schedule(address(manager), grant, 0);
        vm.warp(block.timestamp + OWNER_DELAY - 1);
        vm.prank(owner);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotReady.selector);
        manager.execute(address(manager), grant);
        assertGe(OWNER_DELAY, CURATOR_DELAY);
        vm.warp(block.timestamp + 1);
        vm.startPrank(owner);
        manager.execute(address(manager), grant);
        mandate.addKeeper(fresh);
        vm.stopPrank();
        assertTrue(mandate.isKeeper(fresh));
    }

    function test_V14_a_curators_delay_is_shortened_only_after_the_owners_delay_and_the_difference()
        external
    {
        bytes memory shorten = abi.encodeCall(IAccessManager.grantRole, (Roles.CURATOR, curator, 0));
        vm.prank(owner);
        manager.schedule(address(manager), shorten, 0);
        vm.warp(block.timestamp + OWNER_DELAY);
        vm.prank(owner);
        manager.execute(address(manager), shorten);
        bytes memory data = abi.encodeCall(IMandate.addKeeper, (fresh));
        vm.warp(block.timestamp + CURATOR_DELAY - 1);
        _assertRefused(curator, data, IAccessManager.AccessManagerNotScheduled.selector);
        vm.warp(block.timestamp + 1);
        (bool passed,) = _call(curator, data);
        assertTrue(passed);
    }

    function test_V14_a_new_guardian_acts_once_the_owners_delay_is_over_and_the_old_one_until_it_is_dismissed()
        external
    {
        bytes memory grant = abi.encodeCall(IAccessManager.grantRole, (Roles.GUARDIAN, second, 0));
        bytes memory dismiss = abi.encodeCall(IAccessManager.revokeRole, (Roles.GUARDIAN, guardian));
        vm.startPrank(owner);
        manager.schedule(address(manager), grant, 0);
        manager.schedule(address(manager), dismiss, 0);
        vm.warp(block.timestamp + OWNER_DELAY);
        manager.execute(address(manager), grant);
        manager.execute(address(manager), dismiss);
        vm.stopPrank();
        _assertRefused(
            guardian, abi.encodeCall(IMandate.pause, ()), IAccessManaged.AccessManagedUnauthorized.selector
        );
        vm.prank(second);
        mandate.pause();
        assertTrue(mandate.paused());
    }
}
