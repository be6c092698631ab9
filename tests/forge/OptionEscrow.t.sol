// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice Cash in a purchase whose series is gone is in nobody's NAV.
contract EscrowTest is OptionVaultFixture {
    uint256 private constant ASSETS = 1_000_000e6;

    /// No key stolen: a purchase that was not filled outlives its series; whoever deposits then takes a part of its cash.
    function test_V02_a_depositor_takes_the_cash_of_an_expired_purchase() external {
        _deposit(alice, ASSETS);
        _hour();
        uint64 expiry = uint64(vm.getBlockTimestamp() + 25 hours);
        uint256 id = _series(false, 1950e18, 0, expiry);
        _run(_one(_writeMove(false, id, 100e18, 400e18))); // 195,000 USDC of collateral
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), 100e18);
        while (vm.getBlockTimestamp() + 2 hours < expiry) _hour();
        _run(_one(_buyBackMove(id, 100e18, 500e18))); // 50,000 USDC, nobody offers
        uint256 purchase = _lastAuction();
        assertGt(desk.escrowAsset(), 0); // at most twice what it can cost
        assertLt(desk.escrowAsset(), 50_000e6);
        vm.warp(expiry);
        settlement.set(ISettlementOracle.Status.Settled, 2000e18);
        _setPrice(200_000);

        uint256 fair = vault.nav();
        usdc.mint(mallory, 10_000_000e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), ALL);
        vault.requestDeposit(10_000_000e6, mallory, mallory);
        vm.stopPrank();
        _wait(EPOCH);
        desk.collect(id);
        emit log_named_decimal_uint("NAV with escrow", fair, 6);
        emit log_named_decimal_uint("NAV at settlement", vault.nav(), 6);
        vault.settle();
        if (auction.over(purchase)) {
            desk.cancel(purchase);
        } else {
            vm.warp(auction.auctionOf(purchase).endAt + 1);
            desk.cancel(purchase);
        }
        _setPrice(200_000);
        vm.startPrank(mallory);
        uint256 shares = vault.deposit(10_000_000e6, mallory);
        vault.requestRedeem(shares, mallory, mallory);
        vm.stopPrank();
        _settle();
        uint256 settled = vault.maxRedeem(mallory);
        vm.prank(mallory);
        uint256 got = vault.redeem(settled, mallory, mallory);
        emit log_named_decimal_int("mallory's profit", int256(got) - 10_000_000e6, 6);
        assertLe(got, 10_000_000e6, "V-02: a depositor profits at constant prices");
    }

    /// A stolen keeper hides nearly all of NAV in the second of two purchases.
    function test_V04_a_stolen_keeper_and_a_depositor_take_most_of_the_vault() external {
        _deposit(alice, ASSETS);
        _hour();
        uint256 id = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 30 days));
        uint256 amount = 1e12; // a millionth of an option
        _run(_one(_writeMove(false, id, amount, 400e18)));
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), amount);
        // Two purchases of the same options: the first will be filled, the second holds the vault's cash.
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _buyBackMove(id, amount, 1e24);
        moves[1] = _buyBackMove(id, amount, 9.9e29); // 990,000 USDC
        _run(moves);
        uint256 second = _lastAuction();
        _toStart(second - 1);
        _offerAll(second - 1, amount);
        assertEq(desk.openSeries().length, 0);
        emit log_named_decimal_uint("escrow", desk.escrowAsset(), 6);
        emit log_named_decimal_uint("NAV as the vault sees it", vault.nav(), 6);

        usdc.mint(mallory, ASSETS);
        vm.startPrank(mallory);
        usdc.approve(address(vault), ALL);
        vault.requestDeposit(ASSETS, mallory, mallory);
        vm.stopPrank();
        _settle();
        vm.prank(mallory);
        uint256 shares = vault.deposit(ASSETS, mallory);
        vm.warp(auction.auctionOf(second).endAt + 1);
        desk.cancel(second);
        _setPrice(200_000);
        vm.prank(mallory);
        vault.requestRedeem(shares, mallory, mallory);
        _settle();
        uint256 settled = vault.maxRedeem(mallory);
        vm.prank(mallory);
        uint256 got = vault.redeem(settled, mallory, mallory);
        emit log_named_decimal_int("mallory's profit", int256(got) - int256(ASSETS), 6);
        emit log_named_decimal_uint("left to alice", vault.nav(), 6);
        assertLe(got, ASSETS + 80_000e6, "V-04: more than twice both buckets in a day");
    }

    /// Parking cash in a purchase counts as reducing: it passes a pause, and leavers find nothing.
    function test_V17_a_stolen_keeper_parks_all_cash_while_paused() external {
        uint256 shares = _deposit(alice, ASSETS);
        _hour();
        uint256 id = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 30 days));
        uint256 amount = 1e12;
        _run(_one(_writeMove(false, id, amount, 400e18)));
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), amount);
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        uint256 idle = vault.idle(address(usdc));
        _run(_one(_buyBackMove(id, amount, (idle - 1e6) * 1e18)));
        emit log_named_decimal_uint("idle before", idle, 6);
        emit log_named_decimal_uint("idle after", vault.idle(address(usdc)), 6);
        _settle();
        assertGt(vault.maxWithdraw(alice), ASSETS / 2, "V-17: a leaver waits for the keeper");
    }
}
