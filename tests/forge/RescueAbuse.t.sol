// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MockIndexed} from "./mocks/MockAave.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Rescues are neither farmed, starved nor blocked (V-16).
contract ProtectTest is Fixture {
    uint256 private constant ASSETS = 1_000_000e6;

    /// A keeper who lets a rescue come, or makes it, cannot lead the vault there again the same day: what accomplices are paid for
    /// is one debt, once.
    function test_V04_bounties_cannot_be_farmed() external {
        _deposit(alice, ASSETS);
        _run(_one(_supplyMove(address(usdc), ALL)));
        uint256 nav = vault.nav();
        uint256 start = vm.getBlockTimestamp();
        uint256 rescues;
        uint256 refused;
        while (vm.getBlockTimestamp() < start + 1 days) {
            (uint256 supplied, uint256 debt) = lending.balances(address(usdc));
            uint256 most = supplied * 8300 / 10_500;
            IVault.Intent memory intent = _intent(ALL);
            vm.prank(keeper);
            try vault.rebalance(
                intent, _one(_borrowMove(address(usdc), most > debt ? most - debt - 1 : 1))
            ) {}
            catch {
                ++refused;
            }
            _wait(10 minutes);
            MockIndexed(address(lending.assetDebtToken())).grow(6e24); // far more than any interest
            vm.prank(mallory);
            try vault.protect() {
                ++rescues;
            } catch {}
        }
        assertGt(rescues, 0);
        assertGt(refused, 100);
        // Half a percent of the debt that was there, at most.
        assertLe(usdc.balanceOf(mallory), nav * 50 / 10_000);
    }

    /// The pool is 1.5 % under the oracle (the oracle allows 2 %): what is idle repays all the same.
    function test_V16_a_swap_that_would_fail_does_not_take_the_idle_repayment_along() external {
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
        vault.protect();
        assertGt(lending.healthWad(), health);
    }

    /// Debt and collateral are dollars. A stranger's two dollars of WETH at the venue are not what a rescue goes for.
    function test_V16_two_dollars_starve_no_rescue() external {
        uint256 shares = _deposit(alice, ASSETS);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _supplyMove(address(usdc), ALL);
        moves[1] = _borrowMove(address(usdc), 790_000e6);
        _run(moves);
        vm.prank(alice);
        vault.requestRedeem(shares * 789_990 / 1_000_000, alice, alice);
        _settle(); // what was borrowed has gone to a leaver
        MockIndexed(address(lending.assetDebtToken())).grow(6e24); // interest, 0.6 %
        assertLt(lending.healthWad(), 1.045e18);
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

    /// An exit in kind looks at the venue before it records what it left there.
    function test_an_exit_in_kind_hides_no_liquidation() external {
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

    /// One wei of a share, for nothing, before each of the keeper's transactions: its intents hold all the same (V-08).
    function test_V08_an_exit_of_one_wei_voids_no_intent() external {
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
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
    }
}
