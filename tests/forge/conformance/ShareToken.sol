// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Standards} from "./Standards.sol";

/// @notice ERC-20, ERC-165 and ERC-7575: the share and what the vault says of itself.
abstract contract ShareToken is Standards {
    function _id(string memory signature) private pure returns (bytes4) {
        return bytes4(keccak256(bytes(signature)));
    }

    // ---------------------------------------------------------------- ERC-20

    /// ERC-4626: "MUST implement ERC-20's optional metadata extensions."
    function test_erc4626_the_share_has_its_metadata() external view {
        assertGt(bytes(vault.name()).length, 0);
        assertGt(bytes(vault.symbol()).length, 0);
        assertGe(vault.decimals(), usdc.decimals());
    }

    /// ERC-20: transfer "MUST fire the Transfer event".
    function testFuzz_erc20_transfer_moves_and_fires(uint256 value) external {
        uint256 has = _deposit(alice, 100 * one);
        value = bound(value, 0, has);
        vm.expectEmit(address(vault));
        emit Transfer(alice, bob, value);
        vm.prank(alice);
        assertTrue(vault.transfer(bob, value));
        assertEq(vault.balanceOf(bob), value);
        assertEq(vault.balanceOf(alice), has - value);
    }

    /// ERC-20: "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event."
    function test_erc20_a_transfer_of_nothing_is_a_transfer() external {
        vm.expectEmit(address(vault));
        emit Transfer(alice, bob, 0);
        vm.prank(alice);
        assertTrue(vault.transfer(bob, 0));
        vm.expectEmit(address(vault));
        emit Transfer(alice, bob, 0);
        vm.prank(carol);
        assertTrue(vault.transferFrom(alice, bob, 0));
    }

    /// ERC-20: "The function SHOULD throw if the caller's account balance does not have enough tokens to spend."
    function testFuzz_erc20_more_than_the_balance_is_refused(uint256 excess) external {
        uint256 has = _deposit(alice, 100 * one);
        excess = bound(excess, 1, type(uint256).max - has);
        _refuses(alice, abi.encodeCall(vault.transfer, (bob, has + excess)));
        assertEq(vault.balanceOf(alice), has);
    }

    /// ERC-20: transferFrom "SHOULD throw unless the _from account has deliberately authorized the sender".
    function testFuzz_erc20_transfer_from_spends_the_allowance(uint256 allowance, uint256 value) external {
        uint256 has = _deposit(alice, 100 * one);
        allowance = bound(allowance, 0, has);
        value = bound(value, 0, allowance);
        vm.expectEmit(address(vault));
        emit Approval(alice, carol, allowance);
        vm.prank(alice);
        assertTrue(vault.approve(carol, allowance));
        assertEq(vault.allowance(alice, carol), allowance);
        vm.prank(carol);
        assertTrue(vault.transferFrom(alice, bob, value));
        assertEq(vault.allowance(alice, carol), allowance - value);
        _refuses(carol, abi.encodeCall(vault.transferFrom, (alice, bob, allowance - value + 1)));
    }

    /// ERC-20: a transfer to oneself is a normal transfer and makes nothing.
    function testFuzz_erc20_a_self_transfer_changes_nothing(uint256 value) external {
        uint256 has = _deposit(alice, 100 * one);
        value = bound(value, 0, has);
        vm.expectEmit(address(vault));
        emit Transfer(alice, alice, value);
        vm.prank(alice);
        assertTrue(vault.transfer(alice, value));
        assertEq(vault.balanceOf(alice), has);
    }

    /// ERC-20: "A token contract which creates new tokens SHOULD trigger a Transfer event with the _from address set to 0x0."
    function test_erc20_shares_come_from_and_go_to_nobody() external {
        _request(alice, 100 * one);
        _wait(EPOCH);
        vm.expectEmit(address(vault));
        emit Transfer(address(0), address(vault), 100 * oneShare);
        vault.settle();
        vm.startPrank(alice);
        vault.deposit(100 * one, alice);
        vault.requestRedeem(100 * oneShare, alice, alice);
        vm.stopPrank();
        _wait(EPOCH);
        vm.expectEmit(address(vault));
        emit Transfer(address(vault), address(0), 100 * oneShare);
        vault.settle();
    }

    /// ERC-20: totalSupply "Returns the total token supply": every share is somebody's.
    function testFuzz_erc20_the_supply_is_the_sum_of_the_balances(uint256 a, uint256 b) external {
        (a, b) = (_amount(a), _amount(b));
        uint256 half = _deposit(alice, a) / 2;
        _settledDeposit(bob, b);
        if (half != 0) {
            vm.prank(alice);
            vault.requestRedeem(half, carol, alice);
        }
        uint256 sum = vault.balanceOf(alice) + vault.balanceOf(bob) + vault.balanceOf(address(vault))
            + vault.balanceOf(address(0xdEaD));
        assertEq(vault.totalSupply(), sum);
        _settle();
        vm.prank(bob);
        vault.deposit(b, bob);
        sum = vault.balanceOf(alice) + vault.balanceOf(bob) + vault.balanceOf(address(vault))
            + vault.balanceOf(address(0xdEaD));
        assertEq(vault.totalSupply(), sum);
    }

    // ---------------------------------------------------------------- ERC-165

    /// ERC-165: "MUST return true if interfaceID is 0x01ffc9a7 and false if it is 0xffffffff", and use less than 30,000 gas.
    function test_erc165_detection_detects_itself() external view {
        assertEq(_id("supportsInterface(bytes4)"), bytes4(0x01ffc9a7));
        uint256 before = gasleft();
        assertTrue(vault.supportsInterface(0x01ffc9a7));
        assertLt(before - gasleft(), 30_000);
        assertFalse(vault.supportsInterface(0xffffffff));
    }

    /// ERC-165: false "for any other interfaceID".
    function testFuzz_erc165_nothing_else_is_claimed(bytes4 id) external view {
        bool known =
            id == 0x01ffc9a7 || id == 0x2f0a18c5 || id == 0xe3bc4e65 || id == 0xce3bbe50 || id == 0x620ee8e4;
        assertEq(vault.supportsInterface(id), known);
    }

    /// ERC-7540: "MUST return the constant value true if either 0xe3bc4e65 or 0x2f0a18c5 is passed".
    function test_erc7540_operators_are_announced() external view {
        bytes4 id = _id("setOperator(address,bool)") ^ _id("isOperator(address,address)");
        assertEq(id, bytes4(0xe3bc4e65));
        assertTrue(vault.supportsInterface(id));
    }

    /// ERC-7540: "Asynchronous deposit Vaults MUST return the constant value true if 0xce3bbe50 is passed".
    function test_erc7540_asynchronous_deposits_are_announced() external view {
        bytes4 id = _id("requestDeposit(uint256,address,address)")
            ^ _id("pendingDepositRequest(uint256,address)") ^ _id("claimableDepositRequest(uint256,address)")
            ^ _id("deposit(uint256,address,address)") ^ _id("mint(uint256,address,address)");
        assertEq(id, bytes4(0xce3bbe50));
        assertTrue(vault.supportsInterface(id));
    }

    /// ERC-7540: "Asynchronous redemption Vaults MUST return the constant value true if 0x620ee8e4 is passed".
    function test_erc7540_asynchronous_redemptions_are_announced() external view {
        bytes4 id = _id("requestRedeem(uint256,address,address)")
            ^ _id("pendingRedeemRequest(uint256,address)") ^ _id("claimableRedeemRequest(uint256,address)");
        assertEq(id, bytes4(0x620ee8e4));
        assertTrue(vault.supportsInterface(id));
    }

    // ---------------------------------------------------------------- ERC-7575

    /// ERC-7575: "The Vault contract MUST return the constant value true if 0x2f0a18c5 is passed".
    function test_erc7575_the_vault_is_announced() external view {
        bytes4 id = _id("asset()") ^ _id("share()") ^ _id("convertToAssets(uint256)")
            ^ _id("convertToShares(uint256)") ^ _id("totalAssets()") ^ _idOfEntries() ^ _idOfExits();
        assertEq(id, bytes4(0x2f0a18c5));
        assertTrue(vault.supportsInterface(id));
    }

    function _idOfEntries() private pure returns (bytes4) {
        return _id("maxDeposit(address)") ^ _id("previewDeposit(uint256)") ^ _id("deposit(uint256,address)")
            ^ _id("maxMint(address)") ^ _id("previewMint(uint256)") ^ _id("mint(uint256,address)");
    }

    function _idOfExits() private pure returns (bytes4) {
        return _id("maxWithdraw(address)") ^ _id("previewWithdraw(uint256)")
            ^ _id("withdraw(uint256,address,address)") ^ _id("maxRedeem(address)")
            ^ _id("previewRedeem(uint256)") ^ _id("redeem(uint256,address,address)");
    }

    /// ERC-7575: share "MUST return an address of an ERC-20 share representation of the Vault" and "MUST NOT revert".
    function test_erc7575_the_share_is_the_vault() external view {
        assertEq(vault.share(), address(vault));
    }

    // ---------------------------------------------------------------- ERC-4626, views

    /// ERC-4626: asset "MUST be an ERC-20 token contract" and "MUST NOT revert".
    function test_erc4626_the_asset_is_the_token() external view {
        assertEq(vault.asset(), address(usdc));
    }

    /// ERC-4626: totalAssets "MUST NOT revert": not for a dead feed either, nor while base is held.
    function test_erc4626_total_assets_outlives_its_feeds() external {
        _deposit(alice, 100 * one);
        _run(_one(_swapMove(address(usdc), 50 * one)));
        uint256 before = vault.totalAssets();
        vm.warp(block.timestamp + 365 days);
        assertEq(vault.totalAssets(), before);
        vault.convertToShares(one);
        vault.convertToAssets(oneShare);
    }

    /// ERC-4626: totalAssets "MUST be inclusive of any fees"; what waits is not managed yet, what is settled is gone.
    function testFuzz_erc4626_total_assets_are_what_is_managed(uint256 assets) external {
        assets = _amount(assets);
        uint256 before = vault.totalAssets();
        _request(alice, assets);
        assertEq(vault.totalAssets(), before);
        _settle();
        assertEq(vault.totalAssets(), before + assets);
    }

    /// ERC-4626: convertToShares "MUST round down towards 0", and "MUST NOT show any variations depending on the caller".
    function testFuzz_erc4626_conversions_round_down(uint256 assets, uint256 shares, address caller)
        external
    {
        _gain();
        (assets, shares) = (_amount(assets), bound(shares, 1, 1e9 * oneShare));
        uint256 toShares = vault.convertToShares(assets);
        uint256 toAssets = vault.convertToAssets(shares);
        assertLe(vault.convertToAssets(toShares), assets);
        assertLe(vault.convertToShares(toAssets), shares);
        vm.startPrank(caller);
        assertEq(vault.convertToShares(assets), toShares);
        assertEq(vault.convertToAssets(shares), toAssets);
        vm.stopPrank();
    }

    /// ERC-4626: conversions "MUST NOT reflect slippage or other on-chain conditions".
    function test_erc4626_conversions_do_not_follow_a_gift_before_it_is_settled() external {
        _deposit(alice, 100 * one);
        uint256 before = vault.convertToAssets(oneShare);
        usdc.mint(address(vault), 1000 * one);
        assertEq(vault.convertToAssets(oneShare), before);
    }
}
