// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {AccessSetup} from "../../contracts/AccessSetup.sol";
import {IAccessSetup} from "../../contracts/interfaces/IAccessSetup.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Roles} from "../../contracts/libraries/Roles.sol";
import {MockManaged, MockMarks} from "./mocks/MockManaged.sol";

/// @notice The set-up: what it wires, what it refuses, and that it keeps nothing (V-14).
contract AccessSetupTest is Test {
    uint32 internal constant CURATOR_DELAY = 1 days;
    uint32 internal constant OWNER_DELAY = 3 days;

    address internal owner = makeAddr("owner");
    address internal curator = makeAddr("curator");
    address internal guardian = makeAddr("guardian");
    address internal keeper = makeAddr("keeper");
    address internal mallory = makeAddr("mallory");

    AccessSetup internal setup;
    AccessManager internal manager;
    MockManaged internal mandate;
    MockMarks internal marks;

    function setUp() public {
        vm.warp(1_700_000_000);
        setup = new AccessSetup();
        manager = setup.manager();
        mandate = new MockManaged(address(manager), makeAddr("vault"));
        marks = new MockMarks(address(manager), address(manager));
    }

    function _holders() private view returns (IAccessSetup.Holders memory) {
        address[] memory keepers = new address[](1);
        keepers[0] = keeper;
        return IAccessSetup.Holders(owner, curator, guardian, keepers, OWNER_DELAY, CURATOR_DELAY);
    }

    function _finish(IAccessSetup.Holders memory holders) private {
        setup.finish(address(mandate), address(marks), holders);
    }

    function _assertHas(uint64 role, address account, bool has, uint32 delay) private view {
        (bool isMember, uint32 executionDelay) = manager.hasRole(role, account);
        assertEq(isMember, has);
        if (has) assertEq(executionDelay, delay);
    }

    // ---------------------------------------------------------------- what holds afterwards

    function test_every_role_is_held_by_whom_it_was_given_to_with_its_delay_and_by_nobody_else() external {
        _finish(_holders());
        address[5] memory accounts = [owner, curator, guardian, keeper, address(mandate)];
        for (uint64 role; role <= Roles.KEEPER_ADMIN; ++role) {
            for (uint256 i; i < accounts.length; ++i) {
                bool has = (role == Roles.OWNER && i == 0) || (role == Roles.CURATOR && i == 1)
                    || (role == Roles.GUARDIAN && i <= 2) || (role == Roles.KEEPER && i == 3)
                    || (role == Roles.KEEPER_ADMIN && i == 4);
                uint32 delay = role == Roles.OWNER ? OWNER_DELAY : role == Roles.CURATOR ? CURATOR_DELAY : 0;
                _assertHas(role, accounts[i], has, delay);
            }
            _assertHas(role, address(setup), false, 0);
            _assertHas(role, address(this), false, 0);
            _assertHas(role, address(manager), false, 0);
        }
    }

    function test_roles_are_administered_by_the_owner_and_keepers_by_the_mandate_alone() external {
        _finish(_holders());
        assertEq(manager.getRoleAdmin(Roles.CURATOR), Roles.OWNER);
        assertEq(manager.getRoleAdmin(Roles.GUARDIAN), Roles.OWNER);
        assertEq(manager.getRoleAdmin(Roles.KEEPER_ADMIN), Roles.OWNER);
        assertEq(manager.getRoleAdmin(Roles.KEEPER), Roles.KEEPER_ADMIN);
        assertEq(manager.getRoleGuardian(Roles.CURATOR), Roles.GUARDIAN);
        vm.prank(address(mandate));
        manager.grantRole(Roles.KEEPER, mallory, 0);
        _assertHas(Roles.KEEPER, mallory, true, 0);
        // The owner cannot add a keeper past the curator's delay: it is not KEEPER's admin.
        vm.prank(owner);
        vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedAccount.selector);
        manager.grantRole(Roles.KEEPER, owner, 0);
    }

    function test_every_function_listed_has_its_role_and_no_function_has_two() external {
        _finish(_holders());
        bytes4[][3] memory lists =
            [setup.curatorFunctions(), setup.guardianFunctions(), setup.keeperFunctions()];
        uint64[3] memory roles = [Roles.CURATOR, Roles.GUARDIAN, Roles.KEEPER];
        uint256 count;
        for (uint256 i; i < lists.length; ++i) {
            count += lists[i].length;
            for (uint256 j; j < lists[i].length; ++j) {
                assertEq(manager.getTargetFunctionRole(address(mandate), lists[i][j]), roles[i]);
            }
        }
        assertEq(count, 15);
        bytes4[] memory riskier = setup.markCuratorFunctions();
        for (uint256 j; j < riskier.length; ++j) {
            assertEq(manager.getTargetFunctionRole(address(marks), riskier[j]), Roles.CURATOR);
        }
        bytes4[] memory safer = setup.markGuardianFunctions();
        for (uint256 j; j < safer.length; ++j) {
            assertEq(manager.getTargetFunctionRole(address(marks), safer[j]), Roles.GUARDIAN);
        }
        // Not named: the owner's, after its delay.
        assertEq(
            manager.getTargetFunctionRole(address(marks), IVolatilityOracle.setGuardian.selector), Roles.OWNER
        );
    }

    function test_the_targets_are_open_and_their_own_delay_follows_the_set_back() external {
        _finish(_holders());
        assertFalse(manager.isTargetClosed(address(mandate)));
        vm.warp(block.timestamp + manager.minSetback());
        assertEq(manager.getTargetAdminDelay(address(mandate)), OWNER_DELAY);
        assertEq(manager.getTargetAdminDelay(address(marks)), OWNER_DELAY);
    }

    function test_without_options_there_is_nothing_to_wire_but_the_mandate() external {
        setup.finish(address(mandate), address(0), _holders());
        assertTrue(setup.finished());
        assertEq(manager.getTargetFunctionRole(address(0), IVolatilityOracle.freeze.selector), Roles.OWNER);
    }

    function test_the_owner_may_be_the_curator() external {
        IAccessSetup.Holders memory holders = _holders();
        holders.curator = owner;
        _finish(holders);
        _assertHas(Roles.OWNER, owner, true, OWNER_DELAY);
        _assertHas(Roles.CURATOR, owner, true, CURATOR_DELAY);
        _assertHas(Roles.GUARDIAN, owner, true, 0);
    }

    function test_a_vault_may_start_without_keepers() external {
        IAccessSetup.Holders memory holders = _holders();
        holders.keepers = new address[](0);
        _finish(holders);
        _assertHas(Roles.KEEPER, keeper, false, 0);
    }

    function test_marks_are_loosened_by_the_curator_after_its_delay_and_tightened_by_the_guardian_at_once()
        external
    {
        _finish(_holders());
        bytes memory freeze = abi.encodeCall(IVolatilityOracle.freeze, ());
        bytes memory unfreeze = abi.encodeCall(IVolatilityOracle.unfreeze, ());
        vm.prank(guardian);
        manager.execute(address(marks), freeze);
        assertEq(marks.calls(), 1);
        vm.startPrank(curator);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        manager.execute(address(marks), unfreeze);
        manager.schedule(address(marks), unfreeze, 0);
        vm.warp(block.timestamp + CURATOR_DELAY - 1);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotReady.selector);
        manager.execute(address(marks), unfreeze);
        vm.warp(block.timestamp + 1);
        manager.execute(address(marks), unfreeze);
        assertEq(marks.calls(), 2);
        vm.stopPrank();
        vm.prank(guardian);
        vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedCall.selector);
        manager.execute(address(marks), unfreeze);
    }

    // ---------------------------------------------------------------- before, and who

    function test_before_the_end_nobody_can_call_anything() external view {
        bytes4[][3] memory lists =
            [setup.curatorFunctions(), setup.guardianFunctions(), setup.keeperFunctions()];
        address[5] memory callers = [owner, curator, guardian, keeper, address(this)];
        for (uint256 i; i < lists.length; ++i) {
            for (uint256 j; j < lists[i].length; ++j) {
                for (uint256 k; k < callers.length; ++k) {
                    (bool at, uint32 delay) = manager.canCall(callers[k], address(mandate), lists[i][j]);
                    assertFalse(at || delay > 0);
                }
            }
        }
    }

    function testFuzz_only_the_deployer_finishes(address caller) external {
        vm.assume(caller != address(this));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAccessSetup.NotDeployer.selector, caller));
        setup.finish(address(mandate), address(marks), _holders());
    }

    function test_it_finishes_once() external {
        _finish(_holders());
        vm.expectRevert(IAccessSetup.AlreadyFinished.selector);
        _finish(_holders());
    }

    // ---------------------------------------------------------------- refusals

    function testFuzz_delays_outside_the_hard_bounds_are_refused(uint32 curatorDelay, uint32 ownerDelay)
        external
    {
        IAccessSetup.Holders memory holders = _holders();
        curatorDelay = uint32(bound(curatorDelay, 0, 31 days));
        ownerDelay = uint32(bound(ownerDelay, 0, 31 days));
        (holders.curatorDelay, holders.ownerDelay) = (curatorDelay, ownerDelay);
        bool fit = curatorDelay >= 1 hours && curatorDelay <= 30 days && ownerDelay >= 1 days
            && ownerDelay <= 30 days && ownerDelay >= curatorDelay;
        if (!fit) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        _finish(holders);
        assertEq(setup.finished(), fit);
    }

    /// Ends of the bounds, which a fuzzer seldom meets.
    function test_the_bounds_of_the_delays_are_exact() external {
        uint32[2][8] memory delays = [
            [uint32(1 hours), 1 days],
            [uint32(1 hours - 1), 1 days],
            [uint32(1 hours), 1 days - 1],
            [uint32(30 days), 30 days],
            [uint32(30 days), 30 days + 1],
            [uint32(30 days + 1), 30 days + 1],
            [uint32(2 days), 2 days],
            [uint32(2 days), 2 days - 1]
        ];
        bool[8] memory fit = [true, false, false, true, false, false, true, false];
        uint256 fresh = vm.snapshotState();
        for (uint256 i; i < delays.length; ++i) {
            IAccessSetup.Holders memory holders = _holders();
            (holders.curatorDelay, holders.ownerDelay) = (delays[i][0], delays[i][1]);
            if (!fit[i]) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
            _finish(holders);
            vm.revertToState(fresh);
        }
    }

    function test_accounts_that_cannot_hold_a_role_are_refused() external {
        address[4] memory unfit = [address(0), address(setup), address(manager), address(mandate)];
        for (uint256 i; i < unfit.length; ++i) {
            for (uint256 part; part < 4; ++part) {
                IAccessSetup.Holders memory holders = _holders();
                if (part == 0) holders.owner = unfit[i];
                if (part == 1) holders.curator = unfit[i];
                if (part == 2) holders.guardian = unfit[i];
                if (part == 3) holders.keepers[0] = unfit[i];
                vm.expectRevert(abi.encodeWithSelector(IAccessSetup.UnfitAccount.selector, unfit[i]));
                _finish(holders);
            }
        }
    }

    function test_a_guardian_that_is_owner_or_curator_is_refused() external {
        IAccessSetup.Holders memory holders = _holders();
        holders.guardian = owner;
        _expectSame(holders, owner);
        holders.guardian = curator;
        _expectSame(holders, curator);
    }

    function test_a_keeper_that_is_somebody_else_or_twice_there_is_refused() external {
        address[3] memory others = [owner, curator, guardian];
        for (uint256 i; i < others.length; ++i) {
            IAccessSetup.Holders memory holders = _holders();
            holders.keepers[0] = others[i];
            _expectSame(holders, others[i]);
        }
        IAccessSetup.Holders memory twice = _holders();
        twice.keepers = new address[](3);
        (twice.keepers[0], twice.keepers[1], twice.keepers[2]) = (keeper, mallory, keeper);
        _expectSame(twice, keeper);
    }

    function _expectSame(IAccessSetup.Holders memory holders, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessSetup.SameAccount.selector, account));
        _finish(holders);
    }

    function test_a_mandate_under_another_manager_or_without_a_vault_is_refused() external {
        MockManaged foreign = new MockManaged(address(new AccessManager(mallory)), makeAddr("vault"));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessSetup.NotManaged.selector, address(foreign), foreign.authority())
        );
        setup.finish(address(foreign), address(marks), _holders());
        MockManaged unbound = new MockManaged(address(manager), address(0));
        vm.expectRevert(abi.encodeWithSelector(IAccessSetup.NotBound.selector, address(unbound)));
        setup.finish(address(unbound), address(marks), _holders());
    }

    function test_marks_with_another_owner_or_guardian_are_refused() external {
        address own = address(manager);
        address[2] memory wrong = [address(new MockMarks(mallory, own)), address(new MockMarks(own, mallory))];
        for (uint256 i; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccessSetup.NotManaged.selector, wrong[i], mallory));
            setup.finish(address(mandate), wrong[i], _holders());
        }
    }

    // ---------------------------------------------------------------- the owner's own delay (V-14)

    function test_an_owner_cannot_shorten_its_delay_without_waiting_it() external {
        _finish(_holders());
        bytes memory shorten = abi.encodeCall(IAccessManager.grantRole, (Roles.OWNER, owner, 1 hours));
        vm.startPrank(owner);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        manager.grantRole(Roles.OWNER, owner, 1 hours);
        manager.schedule(address(manager), shorten, 0);
        vm.warp(block.timestamp + OWNER_DELAY - 1);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotReady.selector);
        manager.execute(address(manager), shorten);
        vm.warp(block.timestamp + 1);
        manager.execute(address(manager), shorten);
        // Even then the difference is waited for.
        _assertHas(Roles.OWNER, owner, true, OWNER_DELAY);
        vm.warp(block.timestamp + OWNER_DELAY - 1 hours);
        _assertHas(Roles.OWNER, owner, true, 1 hours);
    }

    /// Whatever the owner may ask of the manager, nothing passes at once.
    function test_an_owner_can_do_nothing_at_once_but_what_guardians_do() external {
        _finish(_holders());
        bytes4[] memory pauses = new bytes4[](1);
        pauses[0] = IMandate.pause.selector;
        bytes[9] memory asks = [
            abi.encodeCall(IAccessManager.grantRole, (Roles.CURATOR, owner, 0)),
            abi.encodeCall(IAccessManager.grantRole, (Roles.KEEPER_ADMIN, owner, 0)),
            abi.encodeCall(IAccessManager.revokeRole, (Roles.GUARDIAN, guardian)),
            abi.encodeCall(IAccessManager.setRoleAdmin, (Roles.KEEPER, Roles.OWNER)),
            abi.encodeCall(IAccessManager.setRoleGuardian, (Roles.CURATOR, Roles.KEEPER)),
            abi.encodeCall(IAccessManager.setTargetFunctionRole, (address(mandate), pauses, Roles.OWNER)),
            abi.encodeCall(IAccessManager.setTargetClosed, (address(mandate), true)),
            abi.encodeCall(IAccessManager.setTargetAdminDelay, (address(mandate), 0)),
            abi.encodeCall(IAccessManager.updateAuthority, (address(mandate), address(setup)))
        ];
        for (uint256 i; i < asks.length; ++i) {
            vm.prank(owner);
            (bool passed,) = address(manager).call(asks[i]);
            assertFalse(passed);
            vm.prank(owner);
            manager.schedule(address(manager), asks[i], 0);
            vm.warp(block.timestamp + OWNER_DELAY - 1);
            vm.prank(owner);
            (passed,) = address(manager).call(asks[i]);
            assertFalse(passed);
        }
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, owner));
        mandate.setAuthority(address(setup));
    }

    function test_a_guardian_cannot_keep_itself_in_office() external {
        _finish(_holders());
        bytes memory dismiss = abi.encodeCall(IAccessManager.revokeRole, (Roles.GUARDIAN, guardian));
        vm.prank(owner);
        manager.schedule(address(manager), dismiss, 0);
        vm.prank(guardian);
        vm.expectPartialRevert(IAccessManager.AccessManagerUnauthorizedCancel.selector);
        manager.cancel(owner, address(manager), dismiss);
        vm.warp(block.timestamp + OWNER_DELAY);
        vm.prank(owner);
        manager.execute(address(manager), dismiss);
        _assertHas(Roles.GUARDIAN, guardian, false, 0);
    }

    function test_what_was_scheduled_lapses_after_a_week() external {
        _finish(_holders());
        bytes memory unpause = abi.encodeCall(IMandate.unpause, ());
        vm.prank(curator);
        manager.schedule(address(mandate), unpause, 0);
        vm.warp(block.timestamp + CURATOR_DELAY + 7 days);
        vm.prank(curator);
        vm.expectPartialRevert(IAccessManager.AccessManagerExpired.selector);
        IMandate(address(mandate)).unpause();
        assertEq(mandate.calls(), 0);
    }

    /// Whatever a manager did with the roles: a set-up that were still somebody afterwards would not end.
    function testFuzz_it_does_not_end_while_it_holds_a_role(uint64 role) external {
        role = uint64(bound(role, Roles.OWNER, Roles.KEEPER_ADMIN));
        vm.mockCall(
            address(manager),
            abi.encodeCall(IAccessManager.hasRole, (role, address(setup))),
            abi.encode(true, uint32(0))
        );
        vm.expectRevert(abi.encodeWithSelector(IAccessSetup.StillHolds.selector, role));
        _finish(_holders());
        assertFalse(setup.finished());
        vm.clearMockedCalls();
        _finish(_holders());
    }
}
