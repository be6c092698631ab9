// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Vault} from "../../contracts/Vault.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Asymmetric power: safer at once and by many, riskier by the owner alone (V-14, without delays yet).
contract MandateTest is Fixture {
    function _bounded(IVault.Limits memory l) private pure returns (IVault.Limits memory) {
        l.minHealthWad = bound(l.minHealthWad, 1.01e18, 10e18);
        l.maxSwapLossBps = bound(l.maxSwapLossBps, 100, 300);
        l.maxLossBps = bound(l.maxLossBps, 100, 500);
        l.maxLossPerDayBps = bound(l.maxLossPerDayBps, 100, 2000);
        l.maxBorrowBps = bound(l.maxBorrowBps, 0, 9300);
        return l;
    }

    function _looser(IVault.Limits memory l) private view returns (bool) {
        IVault.Limits memory now_ = vault.limits();
        return l.minHealthWad < now_.minHealthWad || l.maxSwapLossBps > now_.maxSwapLossBps
            || l.maxLossBps > now_.maxLossBps || l.maxLossPerDayBps > now_.maxLossPerDayBps
            || l.maxBorrowBps > now_.maxBorrowBps;
    }

    function testFuzz_guardian_may_tighten_and_never_loosen(IVault.Limits memory l) external {
        l = _bounded(l);
        bool looser = _looser(l);
        if (looser) vm.expectRevert(abi.encodeWithSelector(IMandate.LooseningNeedsOwner.selector, guardian));
        vm.prank(guardian);
        vault.setLimits(l);
        assertEq(keccak256(abi.encode(vault.limits())) == keccak256(abi.encode(l)), !looser);
    }

    /// One limit looser is enough, however much tighter the others are.
    function testFuzz_guardian_loosens_no_single_limit(uint256 which, uint256 by) external {
        IVault.Limits memory l = IVault.Limits(2e18, 200, 300, 600, 5000);
        vm.prank(owner);
        vault.setLimits(l);
        l = IVault.Limits(3e18, 150, 200, 500, 4000);
        which = bound(which, 0, 4);
        if (which == 0) l.minHealthWad = 2e18 - bound(by, 1, 0.9e18);
        if (which == 1) l.maxSwapLossBps = 200 + bound(by, 1, 100);
        if (which == 2) l.maxLossBps = 300 + bound(by, 1, 200);
        if (which == 3) l.maxLossPerDayBps = 600 + bound(by, 1, 1400);
        if (which == 4) l.maxBorrowBps = 5000 + bound(by, 1, 4300);
        vm.expectRevert(abi.encodeWithSelector(IMandate.LooseningNeedsOwner.selector, guardian));
        vm.prank(guardian);
        vault.setLimits(l);
    }

    function testFuzz_guardian_tightens_any_one_limit(uint256 which, uint256 by) external {
        IVault.Limits memory l = IVault.Limits(1.05e18, 200, 300, 600, 7500);
        vm.prank(owner);
        vault.setLimits(l);
        which = bound(which, 0, 4);
        if (which == 0) l.minHealthWad += bound(by, 0, 8e18);
        if (which == 1) l.maxSwapLossBps -= bound(by, 0, 100);
        if (which == 2) l.maxLossBps -= bound(by, 0, 200);
        if (which == 3) l.maxLossPerDayBps -= bound(by, 0, 500);
        if (which == 4) l.maxBorrowBps -= bound(by, 0, 7500);
        vm.prank(guardian);
        vault.setLimits(l);
        assertEq(keccak256(abi.encode(vault.limits())), keccak256(abi.encode(l)));
    }

    function testFuzz_owner_sets_anything_within_the_hard_bounds(IVault.Limits memory l) external {
        l = _bounded(l);
        vm.prank(owner);
        vault.setLimits(l);
        assertEq(keccak256(abi.encode(vault.limits())), keccak256(abi.encode(l)));
    }

    function testFuzz_not_even_the_owner_leaves_the_hard_bounds(IVault.Limits memory wild, uint256 which)
        external
    {
        IVault.Limits memory l = vault.limits();
        which = bound(which, 0, 4);
        if (which == 0) l.minHealthWad = wild.minHealthWad;
        if (which == 1) l.maxSwapLossBps = wild.maxSwapLossBps;
        if (which == 2) l.maxLossBps = wild.maxLossBps;
        if (which == 3) l.maxLossPerDayBps = wild.maxLossPerDayBps;
        if (which == 4) l.maxBorrowBps = wild.maxBorrowBps;
        bool inside = l.minHealthWad >= 1.01e18 && l.minHealthWad <= 10e18 && l.maxSwapLossBps >= 100
            && l.maxSwapLossBps <= 300 && l.maxLossBps >= 100 && l.maxLossBps <= 500
            && l.maxLossPerDayBps >= 100 && l.maxLossPerDayBps <= 2000 && l.maxBorrowBps <= 9300;
        if (!inside) vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        vm.prank(owner);
        vault.setLimits(l);
    }

    function test_the_edges_of_the_hard_bounds_are_allowed_and_one_beyond_is_not() external {
        IVault.Limits memory l = IVault.Limits(1.01e18, 300, 500, 2000, 9300);
        vm.startPrank(owner);
        vault.setLimits(l);
        l.maxBorrowBps = 9301;
        vm.expectRevert(abi.encodeWithSelector(Bounds.OutOfBounds.selector, "maxBorrowBps", 9301, 0, 9300));
        vault.setLimits(l);
        (l.maxBorrowBps, l.minHealthWad) = (9300, 1.01e18 - 1);
        vm.expectPartialRevert(Bounds.OutOfBounds.selector);
        vault.setLimits(l);
        vault.setLimits(IVault.Limits(10e18, 100, 100, 100, 0));
        _expectOutOfBounds(IVault.Limits(10e18 + 1, 100, 100, 100, 0), "minHealthWad", 10e18 + 1);
        _expectOutOfBounds(IVault.Limits(10e18, 99, 100, 100, 0), "maxSwapLossBps", 99);
        _expectOutOfBounds(IVault.Limits(10e18, 301, 100, 100, 0), "maxSwapLossBps", 301);
        _expectOutOfBounds(IVault.Limits(10e18, 100, 99, 100, 0), "maxLossBps", 99);
        _expectOutOfBounds(IVault.Limits(10e18, 100, 501, 100, 0), "maxLossBps", 501);
        _expectOutOfBounds(IVault.Limits(10e18, 100, 100, 99, 0), "maxLossPerDayBps", 99);
        _expectOutOfBounds(IVault.Limits(10e18, 100, 100, 2001, 0), "maxLossPerDayBps", 2001);
        vm.stopPrank();
    }

    function _expectOutOfBounds(IVault.Limits memory l, string memory name, uint256 value) private {
        IVault.Limits memory held = vault.limits();
        (bool ok, bytes memory reason) = address(vault).call(abi.encodeCall(vault.setLimits, (l)));
        assertFalse(ok);
        assertEq(bytes4(reason), Bounds.OutOfBounds.selector);
        (string memory named, uint256 observed,,) = this.evidence(reason);
        assertEq(named, name);
        assertEq(observed, value);
        assertEq(keccak256(abi.encode(vault.limits())), keccak256(abi.encode(held)));
    }

    function evidence(bytes calldata reason)
        external
        pure
        returns (string memory, uint256, uint256, uint256)
    {
        return abi.decode(reason[4:], (string, uint256, uint256, uint256));
    }

    /// What waited in a timelock does not undo what the guardian tightened meanwhile.
    function testFuzz_limits_are_replaced_only_as_they_were_expected(IVault.Limits memory l, uint8 which)
        external
    {
        IVault.Limits memory expected = vault.limits();
        l = _bounded(l);
        IVault.Limits memory tighter = vault.limits();
        which = uint8(bound(which, 0, 2));
        if (which == 0) tighter.minHealthWad += 1;
        if (which == 1) tighter.maxLossPerDayBps -= 1;
        if (which == 2) tighter.maxBorrowBps -= 1;
        vm.prank(guardian);
        vault.setLimits(tighter);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IMandate.LimitsChanged.selector, tighter));
        vault.setLimitsFrom(expected, l);
        vault.setLimitsFrom(tighter, l);
        vm.stopPrank();
        assertEq(keccak256(abi.encode(vault.limits())), keccak256(abi.encode(l)));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, guardian));
        vm.prank(guardian);
        vault.setLimitsFrom(l, l);
    }

    function testFuzz_strangers_and_keepers_change_nothing(address who, IVault.Limits memory l) external {
        vm.assume(who != owner && who != guardian);
        bytes memory notGuardian = abi.encodeWithSelector(IMandate.NotGuardian.selector, who);
        bytes memory notOwner = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, who);
        vm.startPrank(who);
        vm.expectRevert(notGuardian);
        vault.setLimits(l);
        vm.expectRevert(notGuardian);
        vault.pause();
        vm.expectRevert(notGuardian);
        vault.removeKeeper(keeper);
        vm.expectRevert(notOwner);
        vault.addKeeper(who);
        vm.expectRevert(notOwner);
        vault.setGuardian(who);
        vm.expectRevert(notOwner);
        vault.unpause();
        vm.expectRevert(notOwner);
        vault.setVenues(lending, swapper);
        vm.expectRevert(notOwner);
        vault.transferOwnership(who);
        vm.stopPrank();
    }

    function test_guardian_removes_a_keeper_at_once_and_cannot_add_one() external {
        vm.startPrank(guardian);
        vault.removeKeeper(keeper);
        assertFalse(vault.isKeeper(keeper));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, guardian));
        vault.addKeeper(keeper);
        vm.stopPrank();
        _expectRefused(
            _one(_swapMove(address(usdc), 1)), abi.encodeWithSelector(IVault.NotKeeper.selector, keeper)
        );
    }

    function test_guardian_pauses_and_only_the_owner_unpauses() external {
        vm.startPrank(guardian);
        vault.pause();
        assertTrue(vault.paused());
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, guardian));
        vault.unpause();
        vm.stopPrank();
        vm.prank(owner);
        vault.unpause();
        assertFalse(vault.paused());
    }

    function test_without_a_guardian_nobody_is_one() external {
        vm.prank(owner);
        vault.setGuardian(address(0));
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotGuardian.selector, guardian));
        vm.prank(guardian);
        vault.pause();
    }

    function test_ownership_moves_in_two_steps_and_cannot_be_renounced() external {
        vm.startPrank(owner);
        vm.expectRevert(IMandate.OwnerRequired.selector);
        vault.renounceOwnership();
        vault.transferOwnership(alice);
        vm.stopPrank();
        assertEq(vault.owner(), owner);
        vm.prank(alice);
        vault.acceptOwnership();
        assertEq(vault.owner(), alice);
    }

    function test_venues_are_bound_once_and_only_to_adapters_of_this_vault() external {
        Vault other = new Vault(
            IERC20Metadata(address(usdc)),
            IERC20Metadata(address(weth)),
            oracle,
            owner,
            guardian,
            _limits(),
            "",
            ""
        );
        vm.startPrank(owner);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VenueMismatch.selector, address(lending), address(vault))
        );
        other.setVenues(lending, swapper);
        AaveV3Adapter otherLending = new AaveV3Adapter(address(other), aave);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VenueMismatch.selector, address(swapper), address(vault))
        );
        other.setVenues(otherLending, swapper);
        UniswapV3Adapter otherSwapper = new UniswapV3Adapter(address(other), address(pool));
        other.setVenues(otherLending, otherSwapper);
        vm.expectPartialRevert(IVault.VenuesAlreadySet.selector);
        other.setVenues(otherLending, otherSwapper);
        vm.stopPrank();
    }

    function test_nothing_is_deposited_before_the_venues_are_set() external {
        Vault fresh = new Vault(
            IERC20Metadata(address(usdc)),
            IERC20Metadata(address(weth)),
            oracle,
            owner,
            guardian,
            _limits(),
            "",
            ""
        );
        assertEq(fresh.maxDeposit(alice), 0);
        assertEq(fresh.maxMint(alice), 0);
        vm.expectRevert(IVault.VenuesNotSet.selector);
        fresh.deposit(1e6, alice);
    }
}
