// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "../Fixture.sol";

/// @notice Losses others had with shares, prices and time, tried on this vault.
contract AccountingReplays is Fixture {
    /// V-02. First-depositor donation, rate rounded to zero (2025, $9.6M): the first depositor gives a fortune away and the next one
    /// still gets his shares; virtual shares and the seed make the giver pay for it.
    function testFuzz_replay_first_depositor_donation(uint256 first, uint256 gift, uint256 next) external {
        first = bound(first, 1, 1e6);
        gift = bound(gift, 1, 1e13);
        next = bound(next, 1e6, 1e12);
        _deposit(mallory, first);
        usdc.mint(address(vault), gift);
        _deposit(alice, next);
        assertGt(vault.balanceOf(alice), 0, "no share rounds to nothing");
        uint256 back = _redeem(alice, vault.balanceOf(alice));
        assertGe(back + gift / 1e6 + 2, next, "the next depositor has what he brought");
        uint256 taken = _redeem(mallory, vault.balanceOf(mallory));
        assertLe(taken, first + gift, "the gift buys nothing");
        assertLe(taken, first + gift * first / (first + 1e6) + 2, "it is shared with the seed");
    }

    /// V-02, V-05. A donation that skips a check (2023, $197M): whatever a stranger gives, to the vault or to its account at the venue, he
    /// gains nothing, health does not fall, and the keeper's next move is judged as before.
    function testFuzz_replay_donation(uint256 gift, uint256 kind) external {
        _lever(1_000_000e6, 5000, 5000);
        _deposit(mallory, 10_000e6);
        gift = bound(gift, 1, 100_000e6);
        uint256 health = lending.healthWad();
        if (kind % 3 == 0) usdc.mint(address(vault), gift);
        if (kind % 3 == 1) weth.mint(address(vault), gift * 1e12 / PRICE);
        if (kind % 3 == 2) {
            usdc.mint(mallory, gift);
            vm.startPrank(mallory);
            usdc.approve(address(aave), gift);
            aave.supply(address(usdc), gift, address(lending), 0);
            vm.stopPrank();
        }
        assertGe(lending.healthWad(), health);
        assertFalse(vault.checkHedge(), "more than was left there is no loss");
        assertLt(_redeem(mallory, vault.balanceOf(mallory)), 10_000e6 + gift, "V-02");
        IVault.Intent memory intent = _intent(ALL);
        vm.expectRevert();
        vm.prank(keeper);
        vault.rebalance(intent, _one(_borrowMove(address(usdc), 1_000_000e6)));
    }

    /// V-07. Decimals mixed up by an oracle's upgrade (2025, $2.7M): they are pinned; a feed that changes them is no price at all.
    function test_replay_decimal_mix_up() external {
        _lever(1_000_000e6, 5000, 5000);
        ethFeed.setDecimals(18);
        (IPriceOracle.Fault fault,,,) = oracle.marks();
        assertEq(uint256(fault), uint256(IPriceOracle.Fault.Unreadable));
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.nav();
        _expectRefused(
            _one(_swapMove(address(usdc), 1e6)),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Swap)
        );
        _request(mallory, 1000e6);
        _wait(EPOCH);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.settle();
    }

    /// V-07. A stale price: nothing is priced by it, neither a move nor a request; the request waits, can be taken back, and is priced by
    /// the next good price.
    function test_replay_stale_price() external {
        _lever(1_000_000e6, 5000, 5000);
        _request(mallory, 1000e6);
        vm.warp(block.timestamp + EPOCH);
        _makeStale();
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.settle();
        _expectRefused(
            _one(_swapMove(address(weth), 1e18)),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Swap)
        );
        _run(_one(_repayMove(address(usdc), 1e6))); // safer, and needs no price
        vm.prank(mallory);
        assertEq(vault.cancelDepositRequest(mallory, mallory), 1000e6);
        _setPrice(PRICE * 100);
        vault.settle();
    }

    /// V-03. A bank run before losses are realised: who asks before a loss is priced after it, as everybody else.
    function test_replay_run_before_a_loss() external {
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        _deposit(mallory, 100_000e6);
        uint256 shares = vault.balanceOf(mallory);
        uint256 before = vault.convertToAssets(shares);
        vm.prank(mallory);
        vault.requestRedeem(shares, mallory, mallory);
        _setPrice(PRICE * 80); // a fifth of the price of half of the vault
        _settle();
        assertLt(vault.maxWithdraw(mallory), before * 92 / 100, "losses included");
        assertApproxEqRel(vault.maxWithdraw(mallory), before * 90 / 100, 0.02e18);
    }

    /// V-02. Rounding that compounds over a batch (2025, ~$128M): a settled claim taken in hundreds of pieces gives no more than at once.
    /// forge-config: default.fuzz.runs = 24
    function testFuzz_replay_rounding_over_batches(uint256 assets, uint256 gain, uint256 seed) external {
        _deposit(alice, 1_000_000e6);
        usdc.mint(address(vault), bound(gain, 1, 777_777e6)); // no round rate
        uint256 in_ = bound(assets, 200, 1e12);
        _request(mallory, in_);
        _settle();
        uint256 shares = vault.maxMint(mallory);
        vm.startPrank(mallory);
        for (uint256 i; i < 150 && vault.maxDeposit(mallory) != 0; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 most = vault.maxDeposit(mallory);
            vault.deposit(i == 149 ? most : bound(seed, 1, 1 + most / 8), mallory);
        }
        assertLe(vault.balanceOf(mallory), shares, "no share out of nothing");
        shares = vault.balanceOf(mallory);
        for (uint256 i; i < 20; ++i) {
            vault.requestRedeem(i == 19 ? vault.balanceOf(mallory) : shares / 20, mallory, mallory);
        }
        vm.stopPrank();
        _settle();
        uint256 settled = vault.maxWithdraw(mallory);
        vm.startPrank(mallory);
        for (uint256 i; i < 100 && vault.maxWithdraw(mallory) > 1; ++i) {
            vault.withdraw(1 + vault.maxWithdraw(mallory) / 9, mallory, mallory);
        }
        vm.stopPrank();
        assertLe(usdc.balanceOf(mallory), settled);
        assertLe(settled, in_, "V-02");
    }

    /// V-17. Requests as a weapon: strangers' dust neither blocks nor slows anybody, nor makes a settlement dearer.
    function test_replay_griefing_of_requests() external {
        _deposit(alice, 1_000_000e6);
        _request(alice, 500e6);
        uint256 one = _gasOfSettle();
        usdc.mint(mallory, 1e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), 1e6);
        for (uint256 i; i < 100; ++i) {
            vault.requestDeposit(1, address(uint160(1000 + i)), mallory);
            vault.requestDeposit(1, alice, mallory); // for her, unasked: it is hers
        }
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotOperator.selector, alice, mallory));
        vault.cancelDepositRequest(alice, mallory);
        vm.stopPrank();
        vm.prank(alice);
        assertEq(vault.cancelDepositRequest(alice, alice), 100, "dust given to her is hers to take");
        assertLe(_gasOfSettle(), one + one / 10, "settling does not depend on the number");
        vm.prank(alice);
        vault.deposit(500e6, alice);
    }

    function _gasOfSettle() private returns (uint256 gas) {
        _wait(EPOCH);
        gas = gasleft();
        vault.settle();
        gas -= gasleft();
    }

    /// V-04, V-03, V-12. Windows at their edges (a limit keyed on `timestamp % period` that never resets; a floor that passes everything
    /// after a year): one second before nothing is open, at the second it is, and a year gives no more than one full bucket.
    function test_replay_timestamp_window_edges() external {
        _deposit(alice, 1_000_000e6);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVaultShares.NotDue.selector, block.timestamp + EPOCH, block.timestamp + EPOCH - 1
            )
        );
        vm.warp(block.timestamp + EPOCH - 1);
        vault.settle();
        vm.warp(block.timestamp + 1);
        vault.settle();
        _wait(1);
        _drain();
        (uint256 left, uint256 capacity) = mandate.budget(IMandate.Bucket.Routine);
        assertLt(left, capacity / 20, "used up");
        vm.warp(block.timestamp + 1 days - 1 hours);
        (uint256 later,) = mandate.budget(IMandate.Bucket.Routine);
        assertApproxEqRel(later, left + capacity * 23 / 24, 0.001e18);
        vm.warp(block.timestamp + 365 days);
        (later,) = mandate.budget(IMandate.Bucket.Routine);
        assertEq(later, capacity, "a year refills once");
        _wait(0);
        IVault.Intent memory intent = _intent(ALL);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMandate.IntentExpired.selector, intent.id, intent.deadline, block.timestamp
            )
        );
        vm.prank(keeper);
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 1e6)));
        intent.deadline += 1;
        vm.prank(keeper);
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 1e6)));
    }

    function _drain() private {
        pool.setFee(0);
        for (uint256 i; i < 6; ++i) {
            pool.setHaircut(98);
            for (uint256 size = vault.idle(address(usdc)); size > 1000e6; size /= 2) {
                IVault.Intent memory intent = _intent(ALL);
                vm.prank(keeper);
                try vault.rebalance(intent, _one(_swapMove(address(usdc), size))) {} catch {}
            }
            pool.setHaircut(0);
            if (vault.idle(address(weth)) != 0) _run(_one(_swapMove(address(weth), ALL)));
        }
    }
}
