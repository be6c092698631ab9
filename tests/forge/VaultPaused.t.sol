// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice V-08: what reduces every measured risk is never blocked by the pause, and nothing else passes it.
contract VaultPausedTest is MandateFixture {
    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 8000, 6000);
        _pause();
    }

    function testFuzz_repaying_passes(uint256 amount, bool stale) external {
        if (stale) _makeStale();
        amount = bound(amount, 1, 480_000e6);
        uint256 before = lending.healthWad();
        _run(_one(_repayMove(address(usdc), amount)));
        assertGe(lending.healthWad(), before);
    }

    function testFuzz_withdraw_sell_repay_passes_whatever_the_price(uint256 cents, uint256 baseAmount)
        external
    {
        cents = bound(cents, 150_000, 300_000);
        _setPrice(cents);
        baseAmount = bound(baseAmount, 1e15, 4e18);
        uint256 before = lending.healthWad();
        IVault.Move[] memory moves = _deleverMoves(baseAmount);
        _run(moves);
        assertGt(lending.healthWad(), before);
    }

    function testFuzz_topping_up_collateral_passes(uint256 amount, bool stale) external {
        if (stale) _makeStale();
        amount = bound(amount, 1e6, 600_000e6);
        uint256 before = lending.healthWad();
        _run(_one(_supplyMove(address(usdc), amount)));
        assertGt(lending.healthWad(), before);
    }

    function testFuzz_borrowing_is_blocked(uint256 amount, bool ofBase, bool stale) external {
        if (stale) _makeStale();
        // As much as the venue would lend: the pause is what refuses it.
        amount = ofBase ? bound(amount, 1e6, 50e18) : bound(amount, 1, 100_000e6);
        bytes4 reason = stale ? IVault.MoveNeedsPrice.selector : IMandate.PausedRiskRaised.selector;
        _expectRefused(_one(_borrowMove(ofBase ? address(weth) : address(usdc), amount)), reason);
    }

    function testFuzz_lowering_health_is_blocked(uint256 baseAmount) external {
        baseAmount = bound(baseAmount, 1e13, 50e18);
        _expectRefused(_one(_withdrawMove(address(weth), baseAmount)), IMandate.PausedRiskRaised.selector);
    }

    function testFuzz_trading_is_blocked_with_or_without_a_small_repayment(uint256 amount, uint256 repaid)
        external
    {
        amount = bound(amount, 10e6, 500_000e6);
        _expectRefused(_one(_swapMove(address(usdc), amount)), IMandate.PausedSwapTooLarge.selector);
        repaid = bound(repaid, 2, amount * 8 / 10);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _swapMove(address(usdc), amount / 2);
        moves[1] = _repayMove(address(usdc), repaid / 2);
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
    }

    /// Idle base would be locked in with its depositors: it is sold for their exits, as long as none is owed.
    function testFuzz_base_is_sold_for_exits_and_none_is_bought_back(uint256 baseAmount, uint256 back)
        external
    {
        baseAmount = bound(baseAmount, 1e15, 300e18);
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _repayMove(address(usdc), ALL);
        moves[1] = _withdrawMove(address(weth), baseAmount);
        moves[2] = _swapMove(address(weth), ALL);
        uint256 before = vault.idle(address(usdc));
        _run(moves);
        assertGt(vault.idle(address(usdc)), before - 480_000e6);
        assertEq(weth.balanceOf(address(vault)), 0);
        back = bound(back, 1e6, vault.idle(address(usdc)));
        _expectRefused(_one(_swapMove(address(usdc), back)), IMandate.PausedSwapTooLarge.selector);
    }

    /// Repaying dollars is no licence to buy base, not even in the rebalance that sells some.
    function testFuzz_no_base_is_bought_while_none_is_owed(uint256 repaid, uint256 spent) external {
        repaid = bound(repaid, 1e6, 400_000e6);
        spent = bound(spent, 1e5, repaid / 5);
        IVault.Move[] memory moves = new IVault.Move[](4);
        moves[0] = _repayMove(address(usdc), repaid);
        moves[1] = _withdrawMove(address(weth), 1e12);
        moves[2] = _swapMove(address(weth), 1e12);
        moves[3] = _swapMove(address(usdc), spent);
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
    }

    function testFuzz_after_the_debt_is_gone_everything_can_come_home_and_nothing_go_out(uint256 amount)
        external
    {
        amount = bound(amount, 1, 300e18);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _repayMove(address(usdc), ALL);
        moves[1] = _withdrawMove(address(weth), amount);
        _run(moves);
        assertEq(weth.balanceOf(address(vault)), amount);
        if (amount > 1e12) {
            _expectRefused(_one(_supplyMove(address(weth), amount)), IMandate.PausedRiskRaised.selector);
        }
        _makeStale();
        _expectRefused(
            _one(_supplyMove(address(weth), amount)),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Supply)
        );
    }
}

/// @notice Base is owed: what a pause then lets swaps do.
contract VaultPausedShortTest is MandateFixture {
    uint256 private constant OWED = 100e18;
    uint256 private constant KEPT = 5e18;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _supplyMove(address(usdc), 600_000e6);
        moves[1] = _borrowMove(address(weth), OWED);
        moves[2] = _swapMove(address(weth), OWED - KEPT); // bought back, it brings delta nearer to none
        _run(moves);
        _pause();
    }

    function testFuzz_base_is_bought_to_repay_it(uint256 spent) external {
        spent = bound(spent, 10e6, 190_000e6);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _swapMove(address(usdc), spent);
        moves[1] = _repayMove(address(weth), spent * 1e12 / PRICE * 999 / 1000);
        uint256 before = lending.healthWad();
        _run(moves);
        assertGt(lending.healthWad(), before);
    }

    /// Base that was borrowed is not sold: that would be more of a short.
    function testFuzz_base_that_is_owed_is_not_sold(uint256 sold) external {
        sold = bound(sold, 1e13, KEPT);
        _expectRefused(_one(_swapMove(address(weth), sold)), IMandate.PausedSwapTooLarge.selector);
    }

    /// More than is repaid, and a hundredth of it, is not bought.
    function testFuzz_no_more_base_is_bought_than_is_repaid(uint256 repaid) external {
        repaid = bound(repaid, 1e18, 90e18);
        pool.setFee(0);
        uint256 spent = repaid * PRICE / 1e12 * 10_101 / 10_000;
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _swapMove(address(usdc), spent);
        moves[1] = _repayMove(address(weth), repaid);
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
        moves[0] = _swapMove(address(usdc), spent * 10_099 / 10_101);
        _run(moves);
    }
}
