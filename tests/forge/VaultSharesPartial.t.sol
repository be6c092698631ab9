// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "./Fixture.sol";

/// @notice Redemptions that liquid assets do not cover: settled pro rata, the rest rolls over, whatever the number of epochs,
/// generations and requests.
contract VaultSharesPartialTest is Fixture {
    address private bob = makeAddr("bob");

    function _free(uint256 assets) private {
        if (assets != 0) _run(_one(_withdrawMove(address(usdc), assets)));
    }

    function _lendAll() private {
        if (vault.idle(address(usdc)) != 0) _run(_one(_supplyMove(address(usdc), ALL)));
    }

    /// Everybody gets the same part of what he asked for, in every epoch, at the same price.
    function testFuzz_what_is_there_is_shared_pro_rata(uint256 a, uint256 b, uint256 seed, uint8 epochs)
        external
    {
        (a, b) = (bound(a, 100e6, 1e13), bound(b, 100e6, 1e13));
        uint256 sharesA = _deposit(alice, a);
        uint256 sharesB = _deposit(bob, b);
        _lendAll();
        vm.prank(alice);
        vault.requestRedeem(sharesA, alice, alice);
        vm.prank(bob);
        vault.requestRedeem(sharesB, bob, bob);
        uint256 last = epochs % 20 + 1;
        for (uint256 i; i < last; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _free(seed % ((a + b) / last));
            _settle();
            uint256 gotA = vault.maxWithdraw(alice);
            uint256 gotB = vault.maxWithdraw(bob);
            assertLe(gotA + gotB, vault.epochState().reserved);
            assertApproxEqAbs(gotA * b, gotB * a, (a + b) * (i + 2) + gotA * b / 1e9);
            assertEq(vault.claimableRedeemRequest(0, alice) + vault.pendingRedeemRequest(0, alice), sharesA);
        }
        _free(ALL);
        _settle();
        // In the end all of it: a unit an epoch is what rounding may keep.
        assertLe(vault.pendingRedeemRequest(0, alice), 1e12);
        assertApproxEqAbs(vault.maxWithdraw(alice), a, 2 * last + 3);
        assertApproxEqAbs(vault.maxWithdraw(bob), b, 2 * last + 3);
        assertLe(vault.maxWithdraw(alice), a);
        assertLe(vault.maxWithdraw(bob), b);
    }

    /// What rolls over runs every risk until it is settled: each part gets the price of its own settlement (V-03).
    function testFuzz_each_part_gets_the_price_of_its_settlement(uint256 first, uint256 lost) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        _deposit(bob, 1_000_000e6);
        first = bound(first, 100e6, 500_000e6);
        lost = bound(lost, 1e6, 900_000e6);
        _lendAll();
        _free(first);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        assertApproxEqAbs(vault.maxWithdraw(alice), first, 2);
        uint256 settled = vault.maxRedeem(alice);
        _free(ALL);
        deal(address(usdc), address(vault), usdc.balanceOf(address(vault)) - lost); // a loss, wherever from
        uint256 expected = (shares - settled) * (vault.nav() + 1) / (vault.totalSupply() + 1e12);
        _settle();
        assertEq(vault.maxRedeem(alice), shares);
        uint256 second = vault.maxWithdraw(alice) - first;
        assertApproxEqAbs(second, expected, 3);
        assertLt(second, shares / 1e12 - first);
    }

    /// Who comes later shares what is freed later, and has no part in what was settled before him.
    function testFuzz_latecomers_share_from_then_on(uint256 first, uint256 second) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        assertEq(_deposit(bob, 1_000_000e6), shares);
        _lendAll();
        first = bound(first, 1e6, 900_000e6);
        second = bound(second, 1e6, 900_000e6);
        _free(first);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        vm.prank(bob);
        vault.requestRedeem(shares, bob, bob);
        assertEq(vault.claimableRedeemRequest(0, bob), 0);
        uint256 waits = vault.pendingRedeemRequest(0, alice);
        _free(second);
        _settle();
        uint256 toBob = vault.maxWithdraw(bob);
        uint256 toAlice = vault.maxWithdraw(alice) - first;
        assertApproxEqAbs(toBob + toAlice, second, 4);
        assertApproxEqAbs(toBob * waits, toAlice * shares, 3 * shares);
    }

    /// A request that outlives many whole settlements of others is what it was, to the unit.
    function testFuzz_an_old_claim_outlives_generations(uint8 times, uint256 assets) external {
        assets = bound(assets, 1e6, 1e12);
        _request(alice, assets);
        _settle();
        uint256 shares = vault.maxMint(alice);
        for (uint256 i; i < times % 40; ++i) {
            _request(bob, 1e6 + i);
            _settle();
            assertEq(vault.maxMint(alice), shares);
        }
        vm.prank(alice);
        assertEq(vault.deposit(assets, alice), shares);
        uint256 bobs = vault.maxDeposit(bob);
        vm.prank(bob);
        if (bobs != 0) assertEq(vault.deposit(bobs, bob), bobs * 1e12);
    }

    /// One and the same controller through many generations without a claim: all of it is there in the end.
    function testFuzz_one_request_joins_through_generations(uint8 times, uint256 seed) external {
        uint256 asked;
        uint256 rounds = times % 30 + 2;
        for (uint256 i; i < rounds; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 assets = seed % 1e10 + 1;
            asked += assets;
            _request(alice, assets);
            if (seed >> 255 == 0) _settle();
        }
        _settle();
        assertEq(vault.maxDeposit(alice), asked);
        assertEq(vault.maxMint(alice), asked * 1e12);
    }

    /// Nearly all of it, then nearly all of the rest, and so on: what is left is carried into new generations and still paid.
    function testFuzz_what_is_nearly_settled_again_and_again_is_paid_in_the_end(uint256 seed) external {
        uint256 shares = _deposit(alice, 1e15);
        _deposit(bob, 1e15);
        _lendAll();
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        for (uint256 i; i < 5; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 waits = vault.convertToAssets(vault.pendingRedeemRequest(0, alice));
            if (waits < 1e3) break;
            _free(waits - waits / (1000 + seed % 1e6) - 1);
            _settle();
        }
        _free(ALL);
        _settle();
        assertApproxEqAbs(vault.maxWithdraw(alice), 1e15, 12);
        assertLe(vault.maxWithdraw(alice), 1e15);
        assertLe(vault.pendingRedeemRequest(0, alice), 1e13);
    }

    /// Cancelled in the middle: the rest comes back as shares, the settled part stays to be claimed.
    function testFuzz_a_cancellation_between_two_settlements_keeps_what_is_settled(uint256 first) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        _lendAll();
        first = bound(first, 1e6, 999_000e6);
        _free(first);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        uint256 settled = vault.maxRedeem(alice);
        uint256 owed = vault.maxWithdraw(alice);
        vm.startPrank(alice);
        assertEq(vault.cancelRedeemRequest(alice, alice), shares - settled);
        assertEq(vault.maxWithdraw(alice), owed);
        assertEq(vault.redeem(settled, alice, alice), owed);
        vm.stopPrank();
        assertApproxEqAbs(owed, first, 1);
        assertLe(owed, first);
    }

    /// What would be paid nothing goes on waiting, and is settled when it is worth a unit.
    function testFuzz_a_redemption_that_pays_nothing_waits(uint256 dust) external {
        _deposit(alice, 1000e6);
        dust = bound(dust, 1, 1e12 - 1);
        vm.startPrank(alice);
        vault.requestRedeem(dust, alice, alice);
        vm.stopPrank();
        _settle();
        assertEq(vault.pendingRedeemRequest(0, alice), dust);
        assertEq(vault.maxRedeem(alice), 0);
        vm.prank(alice);
        vault.requestRedeem(2e12, alice, alice);
        _settle();
        assertEq(vault.pendingRedeemRequest(0, alice), 0);
        assertGe(vault.maxWithdraw(alice), 1); // of two units rounding may keep one
    }
}
