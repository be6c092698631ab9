// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Standards} from "./Standards.sol";

/// @notice ERC-7540, second half, and what it leaves of ERC-4626: from pending to claimable to claimed.
abstract contract ClaimFlow is Standards {
    // ---------------------------------------------------------------- previews

    /// ERC-7540: "previewDeposit and previewMint MUST revert for all callers and inputs"; so must the other two.
    function testFuzz_erc7540_previews_revert(uint256 amount, address caller) external {
        _settledDeposit(alice, 100 * one);
        _refuses(caller, abi.encodeCall(vault.previewDeposit, (amount)));
        _refuses(caller, abi.encodeCall(vault.previewMint, (amount)));
        _refuses(caller, abi.encodeCall(vault.previewRedeem, (amount)));
        _refuses(caller, abi.encodeCall(vault.previewWithdraw, (amount)));
    }

    // ---------------------------------------------------------------- from pending to claimable

    /// ERC-7540: pendingDepositRequest "MUST NOT include any assets in Claimable state"; "maxDeposit increases and decreases in
    /// sync with claimableDepositRequest".
    function testFuzz_erc7540_deposits_pass_from_pending_to_claimable_to_claimed(uint256 assets) external {
        assets = _amount(assets);
        _request(alice, assets);
        assertEq(vault.pendingDepositRequest(0, alice), assets);
        assertEq(vault.claimableDepositRequest(0, alice), 0);
        assertEq(vault.maxDeposit(alice) + vault.maxMint(alice), 0);
        _settle();
        assertEq(vault.pendingDepositRequest(0, alice), 0);
        assertEq(vault.claimableDepositRequest(0, alice), assets);
        assertEq(vault.maxDeposit(alice), assets);
        // "Vaults MUST NOT push tokens onto the user after a Request".
        assertEq(vault.balanceOf(alice), 0);
        vm.prank(alice);
        uint256 shares = vault.deposit(assets, alice);
        assertEq(vault.balanceOf(alice), shares);
        assertEq(vault.claimableDepositRequest(0, alice), 0);
    }

    /// ERC-7540: the same of redemptions; shares are "burned by the time the request is Claimed".
    function testFuzz_erc7540_redemptions_pass_from_pending_to_claimable_to_claimed(uint256 assets) external {
        assets = _amount(assets);
        uint256 shares = _deposit(alice, assets);
        uint256 supply = vault.totalSupply();
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        assertEq(vault.pendingRedeemRequest(0, alice), shares);
        assertEq(vault.claimableRedeemRequest(0, alice), 0);
        assertEq(vault.maxRedeem(alice) + vault.maxWithdraw(alice), 0);
        _settle();
        assertEq(vault.pendingRedeemRequest(0, alice), 0);
        assertEq(vault.claimableRedeemRequest(0, alice), shares);
        assertEq(vault.maxRedeem(alice), shares);
        assertEq(usdc.balanceOf(alice), 0);
        vm.prank(alice);
        uint256 paid = vault.redeem(shares, alice, alice);
        assertEq(usdc.balanceOf(alice), paid);
        assertEq(vault.totalSupply(), supply - shares);
    }

    /// ERC-7540: "Requests MUST NOT skip or otherwise short-circuit the Claim state": nothing is claimed before it is settled.
    function testFuzz_erc7540_nothing_pending_is_claimed(uint256 amount) external {
        uint256 shares = _deposit(alice, 100 * one);
        _request(alice, 100 * one);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        amount = bound(amount, 1, type(uint256).max);
        _refuses(alice, abi.encodeWithSignature("deposit(uint256,address)", amount, alice));
        _refuses(alice, abi.encodeWithSignature("mint(uint256,address)", amount, alice));
        _refuses(alice, abi.encodeCall(vault.redeem, (amount, alice, alice)));
        _refuses(alice, abi.encodeCall(vault.withdraw, (amount, alice, alice)));
    }

    // ---------------------------------------------------------------- claiming deposits

    /// ERC-7540: in `Deposit` "the first parameter MUST be the controller, and the second parameter MUST be the receiver"; "deposit
    /// and mint methods do not transfer assets to the Vault".
    function testFuzz_erc7540_deposit_claims_and_moves_no_asset(uint256 assets, uint256 part) external {
        _gain();
        assets = _amount(assets);
        _settledDeposit(alice, assets);
        part = bound(part, 1, assets);
        uint256 held = usdc.balanceOf(address(vault));
        uint256 shares = vault.maxMint(alice);
        uint256 expected = part == assets ? shares : shares * part / assets;
        vm.expectEmit(address(vault));
        emit Deposit(alice, bob, part, expected);
        vm.prank(alice);
        assertEq(vault.deposit(part, bob), expected);
        assertEq(vault.balanceOf(bob), expected);
        assertEq(vault.maxDeposit(alice), assets - part);
        assertEq(vault.maxMint(alice), shares - expected);
        assertEq(usdc.balanceOf(address(vault)), held);
    }

    /// ERC-4626: mint "Mints exactly shares Vault shares to receiver" and "MUST emit the Deposit event".
    function testFuzz_erc4626_mint_claims_exactly_the_shares(uint256 assets, uint256 part) external {
        _gain();
        assets = _amount(assets);
        _settledDeposit(alice, assets);
        uint256 shares = vault.maxMint(alice);
        part = bound(part, 1, shares);
        uint256 expected = (assets * part + shares - 1) / shares;
        vm.expectEmit(address(vault));
        emit Deposit(alice, bob, expected, part);
        vm.prank(alice);
        assertEq(vault.mint(part, bob), expected);
        assertEq(vault.balanceOf(bob), part);
        assertEq(vault.maxMint(alice), shares - part);
        assertEq(vault.maxDeposit(alice), assets - expected);
    }

    /// ERC-7540: the overloads claim for a controller; "Calls MUST revert unless msg.sender is either equal to controller or an
    /// operator approved by controller."
    function testFuzz_erc7540_claims_of_shares_are_the_controllers_or_its_operators(uint256 assets) external {
        assets = bound(assets, 2, 1e9 * one);
        _settledDeposit(alice, assets);
        vm.prank(alice);
        vault.approve(carol, ALL); // an allowance is no operator
        bytes memory deposit_ =
            abi.encodeWithSignature("deposit(uint256,address,address)", assets / 2, carol, alice);
        bytes memory mint_ = abi.encodeWithSignature("mint(uint256,address,address)", 1, carol, alice);
        _refuses(carol, deposit_);
        _refuses(carol, mint_);
        vm.prank(alice);
        vault.setOperator(carol, true);
        vm.expectEmit(true, true, false, false, address(vault));
        emit Deposit(alice, bob, 0, 0);
        vm.startPrank(carol);
        uint256 shares = vault.deposit(assets / 2, bob, alice);
        vault.mint(1, bob, alice);
        vm.stopPrank();
        assertEq(vault.balanceOf(bob), shares + 1);
        vm.prank(alice);
        vault.setOperator(carol, false);
        _refuses(carol, mint_);
    }

    /// ERC-4626: maxDeposit and maxMint "MUST return the maximum amount ... deposit would allow ... and not cause a revert, which MUST
    /// NOT be higher than the actual maximum".
    function testFuzz_erc4626_the_most_that_may_be_claimed_is_accepted_and_no_more(
        uint256 assets,
        bool byShares
    ) external {
        _gain();
        assets = _amount(assets);
        _settledDeposit(alice, assets);
        (uint256 most, uint256 shares) = (vault.maxDeposit(alice), vault.maxMint(alice));
        if (byShares) {
            _refuses(alice, abi.encodeWithSignature("mint(uint256,address)", shares + 1, alice));
            vm.prank(alice);
            assertEq(vault.mint(shares, alice), most);
        } else {
            _refuses(alice, abi.encodeWithSignature("deposit(uint256,address)", most + 1, alice));
            vm.prank(alice);
            assertEq(vault.deposit(most, alice), shares);
        }
        assertEq(vault.maxDeposit(alice) + vault.maxMint(alice), 0);
    }

    // ---------------------------------------------------------------- claiming redemptions

    /// ERC-4626: redeem "Burns exactly shares ... and sends assets of underlying tokens to receiver" and "MUST emit the Withdraw event".
    function testFuzz_erc4626_redeem_pays_and_says_so(uint256 assets, uint256 part) external {
        _gain();
        uint256 shares = _settledRedemption(alice, bound(assets, one, 1e9 * one));
        uint256 owed = vault.maxWithdraw(alice);
        part = bound(part, 1, shares);
        uint256 expected = owed * part / shares;
        vm.expectEmit(address(vault));
        emit Withdraw(alice, bob, alice, expected, part);
        vm.prank(alice);
        assertEq(vault.redeem(part, bob, alice), expected);
        assertEq(usdc.balanceOf(bob), expected);
        assertEq(vault.maxRedeem(alice), shares - part);
        assertEq(vault.maxWithdraw(alice), owed - expected);
    }

    /// ERC-4626: withdraw "sends exactly assets of underlying tokens to receiver" and "MUST emit the Withdraw event".
    function testFuzz_erc4626_withdraw_pays_exactly_the_assets(uint256 assets, uint256 part) external {
        _gain();
        uint256 shares = _settledRedemption(alice, bound(assets, one, 1e9 * one));
        uint256 owed = vault.maxWithdraw(alice);
        part = bound(part, 1, owed);
        uint256 expected = (shares * part + owed - 1) / owed;
        vm.expectEmit(address(vault));
        emit Withdraw(alice, bob, alice, part, expected);
        vm.prank(alice);
        assertEq(vault.withdraw(part, bob, alice), expected);
        assertEq(usdc.balanceOf(bob), part);
        assertEq(vault.maxWithdraw(alice), owed - part);
        assertEq(vault.maxRedeem(alice), shares - expected);
    }

    /// ERC-7540: "the controller MUST be msg.sender unless the controller has approved the msg.sender as an operator."
    function testFuzz_erc7540_claims_of_assets_are_the_controllers_or_its_operators(uint256 assets) external {
        uint256 shares = _settledRedemption(alice, bound(assets, 2 * one, 1e9 * one));
        vm.prank(alice);
        vault.approve(carol, ALL);
        _refuses(carol, abi.encodeCall(vault.redeem, (shares, carol, alice)));
        _refuses(carol, abi.encodeCall(vault.withdraw, (1, carol, alice)));
        vm.prank(alice);
        vault.setOperator(carol, true);
        vm.startPrank(carol);
        vm.expectEmit(true, true, true, false, address(vault));
        emit Withdraw(carol, bob, alice, 0, 0);
        vault.withdraw(1, bob, alice);
        vault.redeem(shares / 2, bob, alice);
        vm.stopPrank();
        assertGt(usdc.balanceOf(bob), 1);
    }

    /// ERC-4626: maxRedeem and maxWithdraw are accepted and not higher than what is.
    function testFuzz_erc4626_the_most_that_may_be_paid_is_accepted_and_no_more(uint256 assets, bool byShares)
        external
    {
        _gain();
        uint256 shares = _settledRedemption(alice, bound(assets, one, 1e9 * one));
        uint256 owed = vault.maxWithdraw(alice);
        assertEq(vault.maxRedeem(alice), shares);
        _refuses(alice, abi.encodeCall(vault.redeem, (shares + 1, alice, alice)));
        _refuses(alice, abi.encodeCall(vault.withdraw, (owed + 1, alice, alice)));
        vm.prank(alice);
        if (byShares) assertEq(vault.redeem(shares, alice, alice), owed);
        else assertEq(vault.withdraw(owed, alice, alice), shares);
        assertEq(usdc.balanceOf(alice), owed);
        assertEq(vault.maxRedeem(alice) + vault.maxWithdraw(alice), 0);
    }

    // ---------------------------------------------------------------- odd input

    /// An unknown controller has nothing, and nothing is claimed of it, by itself either.
    function testFuzz_an_unknown_controller_claims_nothing(uint256 amount) external {
        _settledRedemption(alice, 100 * one);
        _settledDeposit(alice, 100 * one);
        amount = bound(amount, 1, type(uint256).max);
        _refuses(bob, abi.encodeWithSignature("deposit(uint256,address,address)", amount, bob, bob));
        _refuses(bob, abi.encodeWithSignature("mint(uint256,address,address)", amount, bob, bob));
        _refuses(bob, abi.encodeCall(vault.redeem, (amount, bob, bob)));
        _refuses(bob, abi.encodeCall(vault.withdraw, (amount, bob, bob)));
    }

    /// Claims of nothing are refused, and so are claims to nobody: neither leaves a trace.
    function test_claims_of_nothing_or_for_nobody_are_refused() external {
        uint256 shares = _settledRedemption(alice, 100 * one);
        _settledDeposit(alice, 100 * one);
        bytes memory state = _stateOf(alice);
        _refuses(alice, abi.encodeWithSignature("deposit(uint256,address)", 0, alice));
        _refuses(alice, abi.encodeWithSignature("mint(uint256,address)", 0, alice));
        _refuses(alice, abi.encodeCall(vault.redeem, (0, alice, alice)));
        _refuses(alice, abi.encodeCall(vault.withdraw, (0, alice, alice)));
        _refuses(alice, abi.encodeWithSignature("deposit(uint256,address)", one, address(0)));
        _refuses(alice, abi.encodeCall(vault.redeem, (shares, address(0), alice)));
        assertEq(_stateOf(alice), state);
    }

    /// ERC-7540, by the definition of the controller: who paid, and who holds shares, claims nothing of it.
    function testFuzz_the_controller_claims_and_not_the_owner(uint256 assets) external {
        assets = _amount(assets);
        _fund(alice, assets);
        vm.prank(alice);
        vault.requestDeposit(assets, bob, alice);
        _settle();
        _refuses(alice, abi.encodeWithSignature("deposit(uint256,address)", assets, alice));
        _refuses(alice, abi.encodeWithSignature("deposit(uint256,address,address)", assets, alice, bob));
        vm.prank(bob);
        vault.deposit(assets, carol);
        assertEq(vault.balanceOf(carol), vault.totalSupply() - oneShare);
    }
}
