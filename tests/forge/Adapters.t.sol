// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IAdapter, ILendingAdapter} from "../../contracts/interfaces/IAdapters.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockAave} from "./mocks/MockAave.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice V-15 at the adapters: only the vault commands, only the venue is paid, everything that leaves goes to the vault.
contract AdaptersTest is MandateFixture {
    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
    }

    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function buildSwapper(address pool_) external returns (UniswapV3Adapter) {
        return new UniswapV3Adapter(address(vault), pool_);
    }

    function buildLending(MockAave aave_) external returns (AaveV3Adapter) {
        return new AaveV3Adapter(address(vault), aave_);
    }

    // ---------------------------------------------------------------- both

    function testFuzz_only_the_vault_commands_an_adapter(address who, address token, uint256 amount)
        external
    {
        vm.assume(who != address(vault));
        bytes memory refusal = abi.encodeWithSelector(IAdapter.NotVault.selector, who);
        vm.startPrank(who);
        vm.expectRevert(refusal);
        lending.supply(token, amount);
        vm.expectRevert(refusal);
        lending.withdraw(token, amount);
        vm.expectRevert(refusal);
        lending.borrow(token, amount);
        vm.expectRevert(refusal);
        lending.repay(token, amount);
        vm.expectRevert(refusal);
        swapper.swap(token, amount, 0);
        vm.stopPrank();
    }

    function testFuzz_only_asset_and_base_pass_an_adapter(address token, uint256 amount) external {
        vm.assume(token != address(usdc) && token != address(weth));
        bytes memory refusal = abi.encodeWithSelector(IAdapter.TokenNotSupported.selector, token);
        vm.startPrank(address(vault));
        vm.expectRevert(refusal);
        lending.supply(token, amount);
        vm.expectRevert(refusal);
        lending.withdraw(token, amount);
        vm.expectRevert(refusal);
        lending.borrow(token, amount);
        vm.expectRevert(refusal);
        lending.repay(token, amount);
        vm.expectRevert(refusal);
        lending.balances(token);
        vm.expectRevert(refusal);
        swapper.swap(token, amount, 0);
        vm.stopPrank();
    }

    function test_adapters_name_their_vault_and_venue() external view {
        assertEq(lending.vault(), address(vault));
        assertEq(lending.venue(), address(aave));
        assertEq(swapper.vault(), address(vault));
        assertEq(swapper.venue(), address(pool));
        assertEq(swapper.pool(), address(pool));
    }

    /// Whatever the adapter does to the account is counted, so that no measure of before stands for after.
    function test_everything_that_acts_on_the_account_counts_as_a_change() external {
        uint256 changes = lending.changes();
        vm.startPrank(address(vault));
        usdc.approve(address(lending), 2e6);
        lending.supply(address(usdc), 1e6);
        assertEq(lending.changes(), ++changes);
        lending.withdraw(address(usdc), 1e6);
        assertEq(lending.changes(), ++changes);
        lending.borrow(address(usdc), 1e6);
        assertEq(lending.changes(), ++changes);
        lending.repay(address(usdc), 1e6);
        assertEq(lending.changes(), ++changes);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- Uniswap

    /// Nobody makes the adapter pay: no swap is running when a stranger, or even the pool, calls back.
    function testFuzz_a_spoofed_callback_pays_nobody(address who, int256 a, int256 b, bytes calldata data)
        external
    {
        vm.prank(address(vault));
        usdc.approve(address(swapper), ALL); // even if an approval were left
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Adapter.UnexpectedCallback.selector, who));
        vm.prank(who);
        swapper.uniswapV3SwapCallback(a, b, data);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Adapter.UnexpectedCallback.selector, address(pool)));
        vm.prank(address(pool));
        swapper.uniswapV3SwapCallback(a, b, data);
    }

    /// In the middle of a running swap a stranger is still a stranger.
    function testFuzz_a_callback_from_a_stranger_during_a_swap_is_refused(int256 a, int256 b) external {
        CallbackSpoofer spoofer = new CallbackSpoofer(swapper, a, b);
        pool.setHook(address(spoofer));
        _run(_one(_swapMove(address(usdc), 1000e6)));
        assertTrue(spoofer.refused());
    }

    function testFuzz_a_lying_pool_is_paid_once_and_no_more_than_agreed(
        uint8 fault,
        uint256 amount,
        bool ofBase
    ) external {
        weth.mint(address(vault), 100e18);
        fault = uint8(bound(fault, 1, 4));
        pool.setFault(MockPool.Fault(fault));
        amount = ofBase ? bound(amount, 1e15, 50e18) : bound(amount, 1e6, 100_000e6);
        _expectRefused(
            _one(_swapMove(ofBase ? address(weth) : address(usdc), amount)),
            fault == 2
                ? UniswapV3Adapter.UnexpectedCallback.selector
                : UniswapV3Adapter.UnexpectedPayment.selector
        );
    }

    /// Both orders of the pool's tokens.
    function testFuzz_swaps_go_both_ways_in_both_orders(uint256 amount, bool flip, bool sellsBase) external {
        MockPool other =
            flip ? new MockPool(address(weth), address(usdc)) : new MockPool(address(usdc), address(weth));
        if (flip) other.setPrice(1e18, PRICE * 1e6);
        else other.setPrice(PRICE * 1e6, 1e18);
        usdc.mint(address(other), 1e24);
        weth.mint(address(other), 1e36);
        UniswapV3Adapter fresh = new UniswapV3Adapter(address(vault), address(other));
        MockToken sold = sellsBase ? weth : usdc;
        MockToken bought = sellsBase ? usdc : weth;
        amount = sellsBase ? bound(amount, 1e13, 1e24) : bound(amount, 1e4, 1e15);
        sold.mint(address(vault), amount);
        (uint256 soldBefore, uint256 boughtBefore) =
            (sold.balanceOf(address(vault)), bought.balanceOf(address(vault)));
        vm.startPrank(address(vault));
        sold.approve(address(fresh), amount);
        uint256 out = fresh.swap(address(sold), amount, 0);
        vm.stopPrank();
        assertEq(soldBefore - sold.balanceOf(address(vault)), amount);
        assertEq(bought.balanceOf(address(vault)) - boughtBefore, out);
        uint256 fair = sellsBase ? amount * PRICE / 1e12 : amount * 1e12 / PRICE;
        assertApproxEqAbs(out, fair * 9995 / 10_000, sellsBase ? fair / 1e6 + 2 : fair / 1e6 + 1e9);
        assertEq(fresh.poolState().baseIsToken0, flip);
    }

    function testFuzz_output_under_the_minimum_is_refused(uint256 minOut) external {
        usdc.mint(address(vault), 2000e6);
        minOut = bound(minOut, 1e18, ALL);
        vm.startPrank(address(vault));
        usdc.approve(address(swapper), 2000e6);
        vm.expectPartialRevert(UniswapV3Adapter.OutputTooLow.selector);
        swapper.swap(address(usdc), 2000e6, minOut);
        vm.stopPrank();
    }

    function test_a_pool_of_other_tokens_is_refused() external {
        MockPool other = new MockPool(address(usdc), address(aave));
        vm.expectPartialRevert(UniswapV3Adapter.PoolMismatch.selector);
        this.buildSwapper(address(other));
    }

    // ---------------------------------------------------------------- Aave

    function testFuzz_lending_round_trip_brings_everything_home(uint256 amount) external {
        amount = bound(amount, 1, 700_000e6);
        uint256 before = vault.idle(address(usdc));
        _run(_one(_supplyMove(address(usdc), amount)));
        (uint256 supplied,) = lending.balances(address(usdc));
        assertEq(supplied, amount);
        _run(_one(_withdrawMove(address(usdc), ALL)));
        assertEq(vault.idle(address(usdc)), before);
    }

    /// A pool that takes less than the debt keeps no allowance, and what it leaves is the vault's again.
    function testFuzz_what_a_repayment_leaves_comes_back(uint256 amount) external {
        amount = bound(amount, 1, 100_000e6);
        uint256 idle = usdc.balanceOf(address(vault));
        vm.mockCall(address(aave), abi.encodePacked(aave.repay.selector), abi.encode(uint256(0)));
        vm.startPrank(address(vault));
        usdc.approve(address(lending), amount);
        assertEq(lending.repay(address(usdc), amount), 0);
        vm.stopPrank();
        assertEq(usdc.balanceOf(address(vault)), idle);
        assertEq(usdc.balanceOf(address(lending)), 0);
        assertEq(usdc.allowance(address(lending), address(aave)), 0);
    }

    /// More than the debt is never pulled, so there is nothing to return.
    function testFuzz_a_repayment_above_the_debt_takes_the_debt(uint256 extra) external {
        extra = bound(extra, 0, 400_000e6);
        usdc.mint(address(vault), 100_000e6);
        uint256 before = vault.idle(address(usdc));
        vm.expectCall(
            address(usdc), abi.encodeCall(usdc.transferFrom, (address(vault), address(lending), 250_000e6))
        );
        _run(_one(_repayMove(address(usdc), 250_000e6 + extra)));
        assertEq(before - vault.idle(address(usdc)), 250_000e6);
        (, uint256 debt) = lending.balances(address(usdc));
        assertEq(debt, 0);
        assertEq(usdc.balanceOf(address(lending)), 0);
    }

    /// What strangers leave at the adapter goes to the vault with the next loan, not to a keeper.
    function testFuzz_tokens_sent_to_the_adapter_end_in_the_vault(uint256 gift) external {
        gift = bound(gift, 1, 1e15);
        usdc.mint(address(lending), gift);
        uint256 before = vault.idle(address(usdc));
        _run(_one(_borrowMove(address(usdc), 1e6)));
        assertEq(vault.idle(address(usdc)), before + 1e6 + gift);
    }

    function test_a_supply_refused_as_collateral_is_still_a_supply() external {
        MockToken fresh = usdc;
        aave.setRefusesCollateral(true);
        _run(_one(_supplyMove(address(fresh), 1000e6)));
        (uint256 supplied,) = lending.balances(address(usdc));
        assertEq(supplied, 1000e6);
        aave.setRefusesCollateral(false);
        uint256 before = lending.healthWad();
        _run(_one(_supplyMove(address(usdc), 1)));
        assertGt(lending.healthWad(), before); // used as collateral from now on
    }

    function test_positions_are_asset_and_base_with_their_terms() external view {
        ILendingAdapter.TokenPosition[] memory positions = lending.positions();
        assertEq(positions.length, 2);
        assertEq(positions[0].token, address(usdc));
        assertEq(positions[1].token, address(weth));
        assertEq(positions[0].debt, 250_000e6);
        assertEq(positions[0].available, usdc.balanceOf(aave.getReserveData(address(usdc)).aTokenAddress));
        assertEq(positions[1].ltvBps, 8000);
        assertEq(positions[1].liquidationThresholdBps, 8300);
        assertEq(positions[1].liquidationBonusBps, 10_500);
        assertEq(positions[1].supplyRateRay, 0.02e27);
        assertEq(positions[1].borrowRateRay, 0.04e27);
        assertFalse(positions[1].frozenOrPaused);
        ILendingAdapter.Account memory account = lending.account();
        assertEq(account.healthWad, lending.healthWad());
        assertEq(account.debtBase, 250_000e8);
    }

    function test_a_market_without_the_token_is_refused() external {
        MockAave empty = new MockAave();
        vm.expectRevert(abi.encodeWithSelector(AaveV3Adapter.ReserveMissing.selector, address(usdc)));
        this.buildLending(empty);
    }
}

/// @notice Calls the adapter's callback while the pool is in the middle of a swap.
contract CallbackSpoofer {
    UniswapV3Adapter private immutable _swapper;
    int256 private immutable _a;
    int256 private immutable _b;
    bool public refused;

    constructor(UniswapV3Adapter swapper, int256 a, int256 b) {
        (_swapper, _a, _b) = (swapper, a, b);
    }

    fallback() external {
        try _swapper.uniswapV3SwapCallback(_a, _b, "") {}
        catch (bytes memory reason) {
            refused = bytes4(reason) == UniswapV3Adapter.UnexpectedCallback.selector;
        }
    }
}
