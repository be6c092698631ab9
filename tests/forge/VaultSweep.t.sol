// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice V-15: what strangers leave in the vault goes to the fee recipient; what is depositors' is swept by nobody.
contract VaultSweepTest is MandateFixture {
    address private recipient = makeAddr("recipient");
    MockToken private foreign;

    function setUp() public override {
        super.setUp();
        foreign = new MockToken("FOREIGN", 18);
        _lever(1_000_000e6, 5000, 5000);
        vm.prank(alice);
        vault.requestRedeem(1e9, alice, alice); // shares of leavers lie in the vault
    }

    function _setRecipient() private {
        vm.prank(address(mandate));
        vault.setFees(IVaultShares.Fees({recipient: recipient, managementBps: 0, performanceBps: 0}));
    }

    function testFuzz_what_is_foreign_goes_to_the_fee_recipient_whoever_asks(address who, uint256 amount)
        external
    {
        vm.assume(who != address(vault) && who != recipient && who != address(0));
        foreign.mint(address(vault), amount);
        _setRecipient();
        vm.expectEmit(address(vault));
        emit IVaultShares.Swept(address(foreign), recipient, amount);
        vm.prank(who);
        assertEq(vault.sweep(address(foreign)), amount);
        assertEq(foreign.balanceOf(recipient), amount);
        assertEq(foreign.balanceOf(address(vault)), 0);
        assertEq(foreign.balanceOf(who), 0);
    }

    function testFuzz_what_is_depositors_is_not_swept(address who, uint256 gift) external {
        gift = bound(gift, 0, 1e24);
        usdc.mint(address(vault), gift);
        weth.mint(address(vault), gift);
        _setRecipient();
        address[3] memory ours = [address(usdc), address(weth), address(vault)];
        for (uint256 i; i < ours.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotSweepable.selector, ours[i]));
            vm.prank(who);
            vault.sweep(ours[i]);
        }
        assertEq(vault.balanceOf(address(vault)), 1e9);
        assertEq(usdc.balanceOf(recipient) + weth.balanceOf(recipient) + vault.balanceOf(recipient), 0);
    }

    /// Without a recipient it stays where it is, and can be swept once there is one.
    function testFuzz_nothing_is_swept_to_nobody(uint256 amount) external {
        foreign.mint(address(vault), amount);
        vm.expectRevert(IVaultShares.ZeroAddress.selector);
        vault.sweep(address(foreign));
        assertEq(foreign.balanceOf(address(vault)), amount);
        _setRecipient();
        assertEq(vault.sweep(address(foreign)), amount);
    }
}
