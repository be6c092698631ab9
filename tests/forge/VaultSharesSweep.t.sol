// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "./Fixture.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice What is not the vault's goes to the fee recipient, whoever sends it there; what is, never goes.
contract VaultSharesSweepTest is Fixture {
    MockToken private foreign;
    address private recipient = makeAddr("recipient");

    function setUp() public override {
        super.setUp();
        foreign = new MockToken("LOST", 18);
    }

    function _name(address its) private {
        IVaultShares.Fees memory fees;
        fees.recipient = its;
        _asCurator(abi.encodeCall(mandate.setFees, (fees)));
    }

    function testFuzz_all_of_a_foreign_token_goes_to_the_recipient(address anyone, uint256 amount) external {
        vm.assume(anyone != address(0));
        _name(recipient);
        foreign.mint(address(vault), amount);
        vm.expectEmit(address(vault));
        emit IVaultShares.Swept(address(foreign), recipient, amount);
        vm.prank(anyone);
        assertEq(vault.sweep(address(foreign)), amount);
        assertEq(foreign.balanceOf(recipient), amount);
        assertEq(foreign.balanceOf(address(vault)), 0);
    }

    function testFuzz_asset_base_and_shares_are_never_swept(uint64 amount) external {
        _name(recipient);
        _deposit(alice, uint256(amount) + 1);
        vm.prank(alice);
        assertTrue(vault.transfer(address(vault), 1));
        weth.mint(address(vault), amount);
        address[3] memory ours = [address(usdc), address(weth), address(vault)];
        for (uint256 i; i < ours.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotSweepable.selector, ours[i]));
            vault.sweep(ours[i]);
        }
    }

    function test_without_a_recipient_nothing_is_swept() external {
        foreign.mint(address(vault), 1);
        vm.expectRevert(IVaultShares.ZeroAddress.selector);
        vault.sweep(address(foreign));
        assertEq(foreign.balanceOf(address(vault)), 1);
    }
}
