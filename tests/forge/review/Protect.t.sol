// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {MockIndexed} from "../mocks/MockAave.sol";
import {Fixture} from "../Fixture.sol";

/// @notice Rescues that are farmed, starved and blocked.
contract ProtectTest is Fixture {
    uint256 private constant ASSETS = 1_000_000e6;

    /// A keeper borrows to the very minimum (which may be the emergency level), keeps the cash idle and its heart silent; ten
    /// minutes of interest later its accomplice is paid for giving a quarter back. No swap, no turnover, no bucket.
    function test_V04_a_stolen_keeper_farms_the_bounty() external {
        _deposit(alice, ASSETS);
        _run(_one(_supplyMove(address(usdc), ALL)));
        uint256 nav = vault.nav();
        uint256 start = vm.getBlockTimestamp();
        uint256 rescues;
        while (vm.getBlockTimestamp() < start + 1 days) {
            (uint256 supplied, uint256 debt) = lending.balances(address(usdc));
            _run(_one(_borrowMove(address(usdc), supplied * 8300 / 10_500 - debt - 1)));
            assertGe(lending.healthWad(), 1.05e18);
            _wait(10 minutes);
            MockIndexed(address(lending.assetDebtToken())).grow(7.6e20); // 4 % a year for ten minutes
            MockIndexed(address(lending.assetAToken())).grow(3.8e20);
            vm.prank(mallory);
            vault.protect();
            ++rescues;
        }
        emit log_named_uint("rescues in a day", rescues);
        emit log_named_decimal_uint("bounties", usdc.balanceOf(mallory), 6);
        emit log_named_decimal_uint("NAV before", nav, 6);
        emit log_named_decimal_uint("NAV after", vault.nav(), 6);
        (uint256 left, uint256 capacity) = mandate.budget(mandateBucket());
        emit log_named_decimal_uint("routine bucket left", left, 18);
        emit log_named_decimal_uint("of", capacity, 18);
        assertLe(usdc.balanceOf(mallory), nav * 800 / 10_000, "V-04: more than both buckets, twice, in a day");
    }

    function mandateBucket() private pure returns (IMandate.Bucket) {
        return IMandate.Bucket.Routine;
    }

    /// The pool is 1.5 % under the oracle (the oracle allows 2 %): idle could repay four fifths of the slice, and nothing is done.
    function test_V16_a_swap_that_fails_takes_the_idle_repayment_with_it() external {
        _lever(ASSETS, 6000, 7000);
        uint256 idle = vault.idle(address(usdc));
        uint256 shares = vault.balanceOf(alice);
        uint256 nav = vault.nav();
        vm.prank(alice);
        vault.requestRedeem(shares * (idle - 85_000e6) / nav, alice, alice);
        _settle();
        _setPrice(172_000);
        pool.setSpot(172_000 * 1e4 * 9850 / 10_000, 1e18);
        emit log_named_decimal_uint("idle", vault.idle(address(usdc)), 6);
        uint256 health = lending.healthWad();
        vault.protect(); // SwapLossTooLarge
        assertGt(lending.healthWad(), health);
    }

    /// Debt and collateral are dollars. A stranger's two dollars of WETH at the venue are what a rescue then withdraws, sells and
    /// repays with: nothing else.
    function test_V16_two_dollars_starve_a_rescue() external {
        uint256 shares = _deposit(alice, ASSETS);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _supplyMove(address(usdc), ALL);
        moves[1] = _borrowMove(address(usdc), 790_000e6);
        _run(moves);
        vm.prank(alice);
        vault.requestRedeem(shares * 789_990 / 1_000_000, alice, alice);
        _settle(); // what was borrowed has gone to a leaver
        MockIndexed(address(lending.assetDebtToken())).grow(2e24); // interest, 0.2 %
        assertLt(lending.healthWad(), 1.05e18);
        _wait(10 minutes);
        weth.mint(mallory, 0.001e18);
        vm.startPrank(mallory);
        weth.approve(address(aave), ALL);
        aave.supply(address(weth), 0.001e18, address(lending), 0);
        vm.stopPrank();
        (, uint256 debt) = lending.balances(address(usdc));
        vault.protect();
        (, uint256 debtAfter) = lending.balances(address(usdc));
        emit log_named_decimal_uint("slice", debt / 4, 6);
        emit log_named_decimal_uint("repaid", debt - debtAfter, 6);
        assertGt(debt - debtAfter, debt / 8, "V-16: the slice is not repaid");
    }

    /// An exit in kind records what is at the venue without looking at it first: a liquidation before it is never found.
    function test_an_exit_in_kind_hides_a_liquidation() external {
        _lever(ASSETS, 6000, 7000);
        vm.prank(guardian);
        mandate.windDown();
        _setPrice(165_000);
        aave.liquidate(address(weth), address(usdc), address(lending));
        usdc.mint(alice, 1e12);
        vm.startPrank(alice);
        usdc.approve(address(vault), ALL);
        vault.exitInKind(1e12, alice);
        vm.stopPrank();
        assertTrue(vault.checkHedge(), "the liquidation is forgotten");
    }

    /// One wei of a share, for nothing, before each of the keeper's transactions: none of its intents holds (V-08).
    function test_V08_an_exit_of_one_wei_voids_every_intent() external {
        _lever(ASSETS, 6000, 7000);
        vm.prank(guardian);
        mandate.windDown();
        usdc.mint(alice, 10);
        vm.prank(alice);
        usdc.approve(address(vault), 10);
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(alice);
        vault.exitInKind(1, alice);
        emit log_named_uint("cost, raw USDC", 10 - usdc.balanceOf(alice));
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6))); // StateChanged
    }
}
