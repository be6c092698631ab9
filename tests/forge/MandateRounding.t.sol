// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Rounding, bands and caps stop no reducing move and open no door (V-06, V-08).
contract MandateRoundingTest is Fixture {
    function _growIndex(address indexed_, uint256 ray) internal {
        (bool ok,) = indexed_.call(abi.encodeWithSignature("grow(uint256)", ray));
        assertTrue(ok);
    }

    function _short() private {
        _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _supplyMove(address(usdc), 600_000e6);
        moves[1] = _borrowMove(address(weth), 100e18);
        _run(moves);
    }

    /// V-08, one unit of the venue's rounding in base makes a withdrawal "raise" delta.
    function testFuzz_base_is_withdrawn_while_paused(uint256 growth, uint256 amount) external {
        _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _swapMove(address(usdc), 500_000e6);
        moves[1] = _supplyMove(address(weth), ALL);
        _run(moves);
        _growIndex(aave.getReserveData(address(weth)).aTokenAddress, bound(growth, 1e24, 1e27));
        vm.prank(guardian);
        mandate.pause();
        _run(_one(_withdrawMove(address(weth), bound(amount, 1e15, 200e18))));
    }

    function testFuzz_base_tops_up_while_paused(uint256 growth, uint256 amount) external {
        _lever(1_000_000e6, 5000, 5000);
        weth.mint(address(vault), 10e18);
        _growIndex(aave.getReserveData(address(weth)).aTokenAddress, bound(growth, 1e24, 1e27));
        vm.prank(guardian);
        mandate.pause();
        _run(_one(_supplyMove(address(weth), bound(amount, 1e15, 10e18))));
    }

    function testFuzz_base_is_repaid_while_paused(uint256 growth, uint256 amount) external {
        _short();
        _growIndex(aave.getReserveData(address(weth)).variableDebtTokenAddress, bound(growth, 1e24, 1e26));
        vm.prank(guardian);
        mandate.pause();
        _run(_one(_repayMove(address(weth), bound(amount, 1e15, 50e18))));
    }

    /// V-08, out of the band (the price moved) a top-up is refused for the same unit.
    function testFuzz_base_tops_up_outside_the_band(uint256 growth, uint256 amount) external {
        _lever(1_000_000e6, 5000, 5000);
        weth.mint(address(vault), 10e18);
        IMandate.Terms memory t = mandate.terms();
        t.caps.deltaBandBps = 100;
        vm.prank(guardian);
        mandate.tighten(t);
        _growIndex(aave.getReserveData(address(weth)).aTokenAddress, bound(growth, 1e24, 1e26));
        _run(_one(_supplyMove(address(weth), bound(amount, 1e15, 10e18))));
    }

    /// the band blocks deleveraging of a vault that is at or under its delta target, at any health.
    function test_a_band_does_not_block_the_way_out() external {
        _lever(1_000_000e6, 10_000, 7000);
        IMandate.Terms memory t = mandate.terms();
        t.caps.deltaBandBps = 100;
        vm.prank(guardian);
        mandate.tighten(t);
        _setPrice(174_000);
        assertLt(lending.healthWad(), mandate.terms().limits.minHealthWad);
        _run(_deleverMoves(5e18));
    }

    function test_a_band_keeps_no_base_in_a_vault_that_winds_down() external {
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 990_000e6)));
        IMandate.Terms memory t = mandate.terms();
        t.caps.deltaBandBps = 500;
        vm.prank(guardian);
        mandate.tighten(t);
        vm.prank(guardian);
        mandate.windDown();
        _run(_one(_swapMove(address(weth), 300e18)));
    }

    /// the venue cap is no cap for who owes one unit.
    function test_one_unit_of_debt_does_not_open_the_venue_cap() external {
        IMandate.Terms memory t = mandate.terms();
        t.caps.maxVenueBps = 1000;
        vm.prank(guardian);
        mandate.tighten(t);
        _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _supplyMove(address(usdc), 1e6);
        moves[1] = _borrowMove(address(weth), 1e9);
        _run(moves);
        _expectRefused(_one(_supplyMove(address(usdc), 900_000e6)), IMandate.ShareTooLarge.selector);
    }

    function test_no_price_does_not_open_the_venue_cap() external {
        IMandate.Terms memory t = mandate.terms();
        t.caps.maxVenueBps = 1000;
        vm.prank(guardian);
        mandate.tighten(t);
        _deposit(alice, 1_000_000e6);
        _makeStale();
        IVault.Intent memory intent = _intent(ALL);
        vm.expectRevert();
        vm.prank(keeper);
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 900_000e6)));
    }

    /// what is repaid from idle pays for a wash trade, of any token, while base is owed.
    function test_a_wash_trade_does_not_count_as_reducing() external {
        _short();
        _run(_one(_swapMove(address(weth), 50e18)));
        _run(_one(_borrowMove(address(usdc), 100_000e6)));
        vm.prank(guardian);
        mandate.pause();
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _repayMove(address(usdc), 100_000e6);
        moves[1] = _swapMove(address(usdc), 50_000e6);
        moves[2] = _swapMove(address(weth), 24.9e18);
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
    }

    /// without a price a keeper covers up a loss at the venue before anybody looked.
    function test_a_rebalance_without_a_price_hides_no_unhedged_vault() external {
        _lever(1_000_000e6, 10_000, 7000);
        _setPrice(160_000);
        aave.liquidate(address(weth), address(usdc), address(lending));
        _makeStale();
        _run(_one(_repayMove(address(usdc), 1e6)));
        vault.checkHedge();
        assertTrue(vault.unhedged());
    }
}

/// @notice G: dust is counted in units of the asset, and base of 8 decimals is coarser.
contract PocCoarseBaseTest is Fixture {}
