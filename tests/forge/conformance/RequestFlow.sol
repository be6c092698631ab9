// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Standards} from "./Standards.sol";

/// @notice ERC-7540, first half: requests, operators, what waits, what is taken back.
abstract contract RequestFlow is Standards {
    // ---------------------------------------------------------------- requestDeposit

    /// ERC-7540: requestDeposit "Transfers assets from owner into the Vault", and "MUST emit the DepositRequest event".
    function testFuzz_erc7540_request_deposit_takes_the_assets_and_says_so(uint256 assets) external {
        assets = _amount(assets);
        _fund(alice, assets);
        uint256 before = usdc.balanceOf(address(vault));
        vm.expectEmit(address(vault));
        emit DepositRequest(carol, alice, 0, alice, assets);
        vm.prank(alice);
        assertEq(vault.requestDeposit(assets, carol, alice), 0);
        assertEq(usdc.balanceOf(address(vault)), before + assets);
        assertEq(usdc.balanceOf(alice), 0);
        assertEq(vault.pendingDepositRequest(0, carol), assets);
        assertEq(vault.pendingDepositRequest(0, alice), 0);
    }

    /// ERC-7540: "MUST support ERC-20 approve / transferFrom on asset as a deposit Request flow."
    function testFuzz_erc7540_request_deposit_spends_the_allowance(uint256 assets, uint256 rest) external {
        assets = _amount(assets);
        rest = bound(rest, 0, 1e9 * one);
        _fund(alice, assets + rest);
        vm.prank(alice);
        vault.requestDeposit(assets, alice, alice);
        assertEq(usdc.allowance(alice, address(vault)), rest);
    }

    /// ERC-7540: "MUST revert if all of assets cannot be requested (... the user not approving enough underlying tokens ...)".
    function testFuzz_erc7540_request_deposit_is_all_or_nothing(uint256 assets, uint256 missing) external {
        assets = bound(assets, 2, 1e9 * one);
        missing = bound(missing, 1, assets - 1);
        usdc.mint(alice, assets);
        vm.prank(alice);
        usdc.approve(address(vault), assets - missing);
        _refuses(alice, abi.encodeCall(vault.requestDeposit, (assets, alice, alice)));
        vm.prank(alice);
        usdc.approve(address(vault), ALL);
        _refuses(alice, abi.encodeCall(vault.requestDeposit, (assets + 1, alice, alice)));
        assertEq(vault.pendingDepositRequest(0, alice), 0);
        assertEq(usdc.balanceOf(alice), assets);
    }

    /// ERC-7540: "owner MUST equal msg.sender unless the owner has approved the msg.sender as an operator."
    function testFuzz_erc7540_request_deposit_is_the_owners_or_its_operators(uint256 assets) external {
        assets = _amount(assets);
        _fund(alice, assets);
        _refuses(bob, abi.encodeCall(vault.requestDeposit, (assets, bob, alice)));
        // The controller's own operators have no say over the owner's assets.
        vm.prank(bob);
        vault.setOperator(carol, true);
        _refuses(carol, abi.encodeCall(vault.requestDeposit, (assets, bob, alice)));
        vm.prank(alice);
        vault.setOperator(carol, true);
        vm.expectEmit(address(vault));
        emit DepositRequest(bob, alice, 0, carol, assets);
        vm.prank(carol);
        vault.requestDeposit(assets, bob, alice);
        assertEq(vault.pendingDepositRequest(0, bob), assets);
    }

    // ---------------------------------------------------------------- requestRedeem

    /// ERC-7540: "the shares MUST be removed from the custody of owner upon requestRedeem"; "MUST emit the RedeemRequest event".
    function testFuzz_erc7540_request_redeem_takes_the_shares_and_says_so(uint256 shares) external {
        uint256 has = _deposit(alice, 1000 * one);
        shares = bound(shares, 1, has);
        vm.expectEmit(address(vault));
        emit RedeemRequest(carol, alice, 0, alice, shares);
        vm.prank(alice);
        assertEq(vault.requestRedeem(shares, carol, alice), 0);
        assertEq(vault.balanceOf(alice), has - shares);
        assertEq(vault.pendingRedeemRequest(0, carol), shares);
        assertEq(vault.pendingRedeemRequest(0, alice), 0);
    }

    /// ERC-7540: "MUST revert if all of shares cannot be requested (... the owner not having enough shares ...)".
    function testFuzz_erc7540_request_redeem_is_all_or_nothing(uint256 excess) external {
        uint256 has = _deposit(alice, 1000 * one);
        excess = bound(excess, 1, type(uint256).max - has);
        _refuses(alice, abi.encodeCall(vault.requestRedeem, (has + excess, alice, alice)));
        assertEq(vault.pendingRedeemRequest(0, alice), 0);
        assertEq(vault.balanceOf(alice), has);
    }

    /// ERC-7540: "approval of shares for a msg.sender NOT equal to owner may come ... from ERC-20 approval over the shares"; by
    /// ERC-6909 "spenders with non-infinite approvals MUST have their balance deducted".
    function testFuzz_erc7540_request_redeem_spends_an_allowance(uint256 allowance, uint256 shares) external {
        uint256 has = _deposit(alice, 1000 * one);
        shares = bound(shares, 1, has);
        allowance = bound(allowance, shares, type(uint256).max - 1);
        _refuses(bob, abi.encodeCall(vault.requestRedeem, (shares, bob, alice)));
        vm.prank(alice);
        vault.approve(bob, allowance);
        vm.expectEmit(address(vault));
        emit RedeemRequest(carol, alice, 0, bob, shares);
        vm.prank(bob);
        vault.requestRedeem(shares, carol, alice);
        assertEq(vault.allowance(alice, bob), allowance - shares);
    }

    /// ERC-6909, by ERC-7540: more than the allowance is refused, one unit more too.
    function testFuzz_erc7540_request_redeem_stays_within_the_allowance(uint256 allowance) external {
        uint256 has = _deposit(alice, 1000 * one);
        allowance = bound(allowance, 0, has - 1);
        vm.prank(alice);
        vault.approve(bob, allowance);
        _refuses(bob, abi.encodeCall(vault.requestRedeem, (allowance + 1, bob, alice)));
        assertEq(vault.balanceOf(alice), has);
    }

    /// ERC-6909, by ERC-7540: "spenders with infinite approvals SHOULD NOT have their allowance deducted", and "spenders with
    /// operator permission are not subject to allowance restrictions".
    function testFuzz_erc7540_operators_and_infinite_allowances_are_not_spent(uint256 shares) external {
        uint256 has = _deposit(alice, 1000 * one);
        shares = bound(shares, 1, has / 2);
        vm.startPrank(alice);
        vault.approve(bob, type(uint256).max);
        vault.approve(carol, 7);
        vault.setOperator(carol, true);
        vm.stopPrank();
        vm.prank(bob);
        vault.requestRedeem(shares, bob, alice);
        vm.prank(carol);
        vault.requestRedeem(shares, carol, alice);
        assertEq(vault.allowance(alice, bob), type(uint256).max);
        assertEq(vault.allowance(alice, carol), 7);
    }

    // ---------------------------------------------------------------- request ids

    /// ERC-7540: "If a Vault returns 0 for the requestId of any request, it MUST return 0 for all requests."
    function test_erc7540_every_request_id_is_zero() external {
        _deposit(alice, 1000 * one);
        _fund(alice, 6 * one);
        for (uint256 i; i < 3; ++i) {
            vm.startPrank(alice);
            assertEq(vault.requestDeposit(one, alice, alice), 0);
            assertEq(vault.requestDeposit(one, bob, alice), 0);
            assertEq(vault.requestRedeem(oneShare, alice, alice), 0);
            assertEq(vault.requestRedeem(oneShare, bob, alice), 0);
            vm.stopPrank();
            if (i == 1) _settle();
        }
    }

    /// ERC-7540: "When requestId == 0, the Vault MUST use purely the controller to discriminate the request state ... aggregated."
    function testFuzz_erc7540_requests_of_one_controller_are_added_up(uint256 a, uint256 b, uint256 c)
        external
    {
        (a, b, c) = (_amount(a), _amount(b), _amount(c));
        _request(alice, a);
        _request(alice, b);
        _fund(bob, c);
        vm.prank(bob);
        vault.requestDeposit(c, alice, bob);
        assertEq(vault.pendingDepositRequest(0, alice), a + b + c);
        _settle();
        assertEq(vault.claimableDepositRequest(0, alice), a + b + c);
        _request(alice, b);
        assertEq(vault.pendingDepositRequest(0, alice), b);
        assertEq(vault.claimableDepositRequest(0, alice), a + b + c);
        _settle();
        assertEq(vault.claimableDepositRequest(0, alice), a + b + c + b);
    }

    /// ERC-7540: views are "for the controller with the given requestId": no other id has anything.
    function testFuzz_erc7540_other_ids_have_nothing(uint256 id) external {
        id = bound(id, 1, type(uint256).max);
        _settledRedemption(alice, 100 * one);
        _settledDeposit(alice, 100 * one);
        _request(alice, one);
        assertEq(vault.pendingDepositRequest(id, alice), 0);
        assertEq(vault.claimableDepositRequest(id, alice), 0);
        assertEq(vault.pendingRedeemRequest(id, alice), 0);
        assertEq(vault.claimableRedeemRequest(id, alice), 0);
    }

    /// ERC-7540: pending and claimable views "MUST NOT show any variations depending on the caller" and "MUST NOT revert".
    function testFuzz_erc7540_views_are_the_same_for_every_caller(address caller, address stranger) external {
        vm.assume(stranger != alice && stranger != address(vault) && stranger != address(0xdEaD));
        _settledRedemption(alice, 100 * one);
        _settledDeposit(alice, 100 * one);
        _request(alice, one);
        bytes memory state = _stateOf(alice);
        vm.startPrank(caller);
        assertEq(_stateOf(alice), state);
        assertEq(_stateOf(stranger), abi.encode(0, 0, 0, 0, 0, 0, 0, 0, 0));
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- operators

    /// ERC-7540: setOperator "MUST set the operator status to the approved value", "MUST log the OperatorSet event" and "MUST return
    /// True".
    function testFuzz_erc7540_set_operator_sets_says_and_returns(address operator, bool first, bool second)
        external
    {
        vm.startPrank(alice);
        vm.expectEmit(address(vault));
        emit OperatorSet(alice, operator, first);
        assertTrue(vault.setOperator(operator, first));
        assertEq(vault.isOperator(alice, operator), first);
        vm.expectEmit(address(vault));
        emit OperatorSet(alice, operator, second);
        assertTrue(vault.setOperator(operator, second));
        assertEq(vault.isOperator(alice, operator), second);
        vm.stopPrank();
        if (operator != alice) assertFalse(vault.isOperator(operator, alice));
    }

    // ---------------------------------------------------------------- zero, and taking back

    /// A request for nothing would be an event without a request: refused, as is one of nobody's.
    function test_requests_for_nothing_or_for_nobody_are_refused() external {
        _deposit(alice, one);
        _fund(alice, one);
        _refuses(alice, abi.encodeCall(vault.requestDeposit, (0, alice, alice)));
        _refuses(alice, abi.encodeCall(vault.requestRedeem, (0, alice, alice)));
        _refuses(alice, abi.encodeCall(vault.requestDeposit, (one, address(0), alice)));
        _refuses(alice, abi.encodeCall(vault.requestRedeem, (oneShare, address(0), alice)));
    }

    /// What waits can be taken back whole, once, to any receiver; what is settled stays.
    function testFuzz_what_waits_is_taken_back_whole(uint256 a, uint256 b) external {
        (a, b) = (_amount(a), _amount(b));
        _settledDeposit(alice, a);
        _request(alice, b);
        vm.prank(alice);
        assertEq(vault.cancelDepositRequest(alice, bob), b);
        assertEq(usdc.balanceOf(bob), b);
        assertEq(vault.pendingDepositRequest(0, alice), 0);
        assertEq(vault.claimableDepositRequest(0, alice), a);
        _refuses(alice, abi.encodeCall(vault.cancelDepositRequest, (alice, bob)));
        uint256 shares = vault.maxMint(alice);
        vm.startPrank(alice);
        vault.deposit(a, alice);
        vault.requestRedeem(shares, alice, alice);
        assertEq(vault.cancelRedeemRequest(alice, bob), shares);
        vm.stopPrank();
        assertEq(vault.balanceOf(bob), shares);
        assertEq(vault.pendingRedeemRequest(0, alice), 0);
        _refuses(alice, abi.encodeCall(vault.cancelRedeemRequest, (alice, bob)));
    }

    /// Only the controller and its operators take back: not the owner who paid, not the receiver, not an allowance.
    function test_what_waits_is_taken_back_by_the_controller_alone() external {
        uint256 shares = _deposit(alice, 100 * one);
        _fund(alice, one);
        vm.startPrank(alice);
        vault.requestDeposit(one, bob, alice);
        vault.requestRedeem(shares, bob, alice);
        vm.stopPrank();
        vm.prank(bob);
        vault.approve(carol, ALL);
        address[2] memory others = [alice, carol];
        for (uint256 i; i < others.length; ++i) {
            _refuses(others[i], abi.encodeCall(vault.cancelDepositRequest, (bob, others[i])));
            _refuses(others[i], abi.encodeCall(vault.cancelRedeemRequest, (bob, others[i])));
        }
        vm.prank(bob);
        vault.setOperator(carol, true);
        vm.startPrank(carol);
        assertEq(vault.cancelDepositRequest(bob, bob), one);
        assertEq(vault.cancelRedeemRequest(bob, bob), shares);
        vm.stopPrank();
    }
}
