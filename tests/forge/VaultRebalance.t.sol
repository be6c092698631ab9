// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice What a keeper may do while the price is usable: V-05, V-12, V-15, the swap bound, the debt ratio, the loss bounds.
contract VaultRebalanceTest is MandateFixture {
    uint256 private constant SEED = 1e6;

    // ---------------------------------------------------------------- intents (V-12)

    function testFuzz_an_intent_takes_effect_once(bytes32 id, uint256 amount) external {
        _deposit(alice, 1e12);
        amount = bound(amount, 1e6, 4e11);
        IVault.Intent memory intent = IVault.Intent(id, uint64(block.timestamp), mandate.stateHash(), ALL);
        IVault.Move[] memory moves = _one(_supplyMove(address(usdc), amount));
        vm.startPrank(keeper);
        vault.rebalance(intent, moves);
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.StateChanged.selector, intent.stateHash, mandate.stateHash())
        );
        vault.rebalance(intent, moves);
        vm.stopPrank();
        assertEq(_idleUsdc(), SEED + 1e12 - amount);
    }

    function testFuzz_an_intent_ends_at_its_deadline(uint64 deadline, uint256 late) external {
        _deposit(alice, 1e12);
        deadline = uint64(bound(deadline, block.timestamp, block.timestamp + 1 hours));
        late = bound(late, 0, 1 hours);
        vm.warp(deadline + late);
        _setPrice(200_000);
        IVault.Intent memory intent = IVault.Intent("late", deadline, mandate.stateHash(), ALL);
        if (late > 0) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IMandate.IntentExpired.selector, bytes32("late"), deadline, block.timestamp
                )
            );
        }
        vm.prank(keeper);
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 1e6)));
    }

    function test_a_refused_rebalance_leaves_its_intent_unused() external {
        _deposit(alice, 1e12);
        IVault.Intent memory intent =
            IVault.Intent("again", uint64(block.timestamp), mandate.stateHash(), ALL);
        vm.startPrank(keeper);
        vm.expectRevert();
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 2e12)));
        assertEq(mandate.stateHash(), intent.stateHash);
        vault.rebalance(intent, _one(_supplyMove(address(usdc), 1e12)));
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- nothing arbitrary (V-15)

    function testFuzz_only_a_keeper_rebalances(address who) external {
        vm.assume(who != keeper && who != address(manager));
        IVault.Intent memory intent = _intent(0);
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotKeeper.selector, who));
        vm.prank(who);
        vault.rebalance(intent, new IVault.Move[](0));
    }

    function testFuzz_only_the_bound_adapter_of_a_kind_is_accepted(uint8 kind, address adapter) external {
        _deposit(alice, 1e12);
        IVault.MoveKind move = IVault.MoveKind(bound(kind, 0, 4));
        if (move == IVault.MoveKind.Swap ? adapter == address(swapper) : adapter == address(lending)) return;
        _expectRefused(
            _one(IVault.Move(move, adapter, address(usdc), 1e6, 0, 0)),
            abi.encodeWithSelector(IVault.AdapterNotAllowed.selector, move, adapter)
        );
    }

    function test_adapters_cannot_stand_in_for_each_other() external {
        _deposit(alice, 1e12);
        IVault.Move memory move = _swapMove(address(usdc), 1e6);
        move.adapter = address(lending);
        _expectRefused(_one(move), IVault.AdapterNotAllowed.selector);
        move = _supplyMove(address(usdc), 1e6);
        move.adapter = address(swapper);
        _expectRefused(_one(move), IVault.AdapterNotAllowed.selector);
    }

    function testFuzz_only_asset_and_base_are_moved(uint8 kind, address token) external {
        vm.assume(token != address(usdc) && token != address(weth));
        IVault.MoveKind move = IVault.MoveKind(bound(kind, 0, 4));
        address adapter = move == IVault.MoveKind.Swap ? address(swapper) : address(lending);
        _expectRefused(
            _one(IVault.Move(move, adapter, token, 1, 0, 0)),
            abi.encodeWithSelector(IVault.TokenNotAllowed.selector, token)
        );
    }

    /// Whatever moves a keeper makes up, the tokens are with the vault, its adapter's account, the pool or nowhere (V-15).
    function testFuzz_no_moves_send_anything_anywhere_else(uint256 seed, uint8 count) external {
        _lever(1_000_000e6, 6000, 4000);
        count = uint8(bound(count, 1, 8));
        IVault.Move[] memory moves = new IVault.Move[](count);
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            address token = seed & 1 == 0 ? address(usdc) : address(weth);
            uint256 amount = (seed >> 8) % (token == address(usdc) ? 1e11 : 5e19) + 1;
            IVault.MoveKind kind = IVault.MoveKind((seed >> 128) % 5);
            address adapter = kind == IVault.MoveKind.Swap ? address(swapper) : address(lending);
            moves[i] = IVault.Move(kind, adapter, token, amount, 0, 0);
        }
        (uint256 a, uint256 b) = (_accountedFor(usdc), _accountedFor(weth));
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {} catch {}
        assertEq(_accountedFor(usdc), a);
        assertEq(_accountedFor(weth), b);
        assertEq(
            usdc.balanceOf(address(lending)) + usdc.balanceOf(address(swapper)) + usdc.balanceOf(keeper), 0
        );
        assertEq(
            weth.balanceOf(address(lending)) + weth.balanceOf(address(swapper)) + weth.balanceOf(keeper), 0
        );
        assertEq(usdc.allowance(address(vault), address(lending)), 0);
        assertEq(weth.allowance(address(vault), address(lending)), 0);
        assertEq(usdc.allowance(address(vault), address(swapper)), 0);
        assertEq(weth.allowance(address(vault), address(swapper)), 0);
    }

    function _accountedFor(MockToken token) private view returns (uint256) {
        return token.balanceOf(address(vault)) + token.balanceOf(address(pool))
            + token.balanceOf(_aToken(address(token)));
    }

    function testFuzz_a_move_beyond_idle_is_refused(uint256 amount) external {
        _deposit(alice, 1e12);
        amount = bound(amount, SEED + 1e12 + 1, ALL - 1);
        _expectRefused(
            _one(_supplyMove(address(usdc), amount)),
            abi.encodeWithSelector(IVault.IdleTooLow.selector, address(usdc), amount, SEED + 1e12)
        );
        _expectRefused(_one(_swapMove(address(usdc), amount)), IVault.IdleTooLow.selector);
        _expectRefused(_one(_supplyMove(address(weth), ALL)), IVault.NothingToMove.selector);
    }

    // ---------------------------------------------------------------- swaps

    /// Measured output against the oracle: one unit less than the bound is refused, the bound itself passes.
    function testFuzz_a_swap_is_held_to_the_oracle(uint256 amount, uint256 haircut, bool sellsBase) external {
        _deposit(alice, 1_000_000e6);
        weth.mint(address(vault), 500e18);
        pool.setFee(0);
        haircut = bound(haircut, 0, 400);
        pool.setHaircut(haircut);
        amount = sellsBase ? bound(amount, 1e15, 5e18) : bound(amount, 1e6, 10_000e6);
        IVault.Move[] memory moves = _one(_swapMove(sellsBase ? address(weth) : address(usdc), amount));
        if (haircut > 100) {
            _expectRefused(moves, IVault.SwapLossTooLarge.selector);
        } else if (haircut < 100) {
            uint256 navBefore = vault.nav();
            _run(moves);
            uint256 value = sellsBase ? amount * PRICE / 1e12 : amount;
            assertGe(vault.nav() + Math.ceilDiv(value, 100) + 1, navBefore);
        }
    }

    function testFuzz_the_keepers_own_bound_holds_too(uint256 minOut) external {
        _deposit(alice, 1_000_000e6);
        uint256 fair = 5e18 * 9995 / 10_000;
        minOut = bound(minOut, fair - 1e18, fair + 1e18);
        IVault.Move memory move = _swapMove(address(usdc), 10_000e6);
        move.limit = minOut;
        IVault.Intent memory intent = _intent(ALL);
        if (minOut > fair) vm.expectRevert();
        vm.prank(keeper);
        vault.rebalance(intent, _one(move));
    }

    /// A pool pushed away from the oracle is not traded with, however briefly it was pushed.
    function testFuzz_a_pushed_pool_is_not_traded_with(uint256 cents) external {
        _deposit(alice, 1_000_000e6);
        cents = bound(cents, 202_100, 400_000);
        pool.setSpot(cents * 1e4, 1e18);
        _expectRefused(_one(_swapMove(address(usdc), 10_000e6)), IVault.SwapLossTooLarge.selector);
    }

    function testFuzz_what_a_partial_fill_leaves_stays_in_the_vault(uint256 fillBps) external {
        _deposit(alice, 1_000_000e6);
        fillBps = bound(fillBps, 1, 10_000);
        pool.setFill(fillBps);
        _run(_one(_swapMove(address(usdc), 100_000e6)));
        assertEq(_idleUsdc(), SEED + 1_000_000e6 - 100_000e6 * fillBps / 10_000);
        assertEq(usdc.balanceOf(address(swapper)), 0);
        assertEq(usdc.allowance(address(vault), address(swapper)), 0); // nor may it take the rest later
    }

    // ---------------------------------------------------------------- losses

    function testFuzz_a_loss_above_the_intents_own_maximum_is_refused(uint256 amount, uint256 maxLoss)
        external
    {
        _deposit(alice, 1_000_000e6);
        amount = bound(amount, 1000e6, 500_000e6);
        uint256 loss = Math.ceilDiv(amount * 5, 10_000);
        maxLoss = bound(maxLoss, DUST, 2 * loss);
        IVault.Intent memory intent = _intent(maxLoss);
        if (maxLoss + 2 < loss) vm.expectPartialRevert(IMandate.LossTooLarge.selector);
        else if (maxLoss < loss + 2) return; // within rounding of the bound
        vm.prank(keeper);
        vault.rebalance(intent, _one(_swapMove(address(usdc), amount)));
    }

    /// Twenty swaps that each pass their own bound are still one loss of NAV.
    function testFuzz_one_rebalance_loses_at_most_its_share_of_nav(uint8 count, uint256 haircut) external {
        _deposit(alice, 1_000_000e6);
        count = uint8(bound(count, 1, 20));
        pool.setHaircut(bound(haircut, 0, 94));
        uint256 navBefore = vault.nav();
        IVault.Move[] memory moves = new IVault.Move[](count);
        for (uint256 i; i < count; ++i) {
            moves[i] = _swapMove(i & 1 == 0 ? address(usdc) : address(weth), ALL);
        }
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {
            assertGe(vault.nav(), navBefore - navBefore / 100 - count * DUST);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IMandate.LossTooLarge.selector);
        }
    }

    /// Repaying is never a loss, so it does not wait for an empty bucket (V-08), while a swap does.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_a_spent_bucket_stops_swaps_and_not_repayments(uint256 amount) external {
        _lever(1_000_000e6, 5000, 5000);
        pool.setHaircut(94);
        _spendBucketDry();
        _expectRefused(_one(_swapMove(address(usdc), 1000e6)), LossBudget.BudgetExceeded.selector);
        amount = bound(amount, 1, 100_000e6);
        _run(_one(_repayMove(address(usdc), amount)));
    }

    /// With indices far from one a repayment may miss a unit or two: that is no loss, even to an intent that allows none.
    function testFuzz_the_venues_rounding_is_no_loss(uint256 growth, uint256 amount) external {
        _lever(1_000_000e6, 5000, 5000);
        _grow(_debtToken(address(usdc)), bound(growth, 1e26, 1e27));
        IVault.Intent memory intent = _intent(0);
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), bound(amount, 10, 200_000e6))));
    }

    /// Swaps there and back, ever smaller ones, until nothing fits any more.
    function _spendBucketDry() private {
        uint256 size = 512_000e6;
        while (size >= 500e6) {
            if (_tries(_swapMove(address(usdc), size))) continue;
            if (_tries(_swapMove(address(weth), size * 1e12 / PRICE))) continue;
            size /= 2;
        }
    }

    // ---------------------------------------------------------------- health (V-05) and debt

    function testFuzz_no_action_ends_below_the_minimum_health_unless_it_raised_it(
        uint256 cents,
        uint8 kind,
        uint256 amount
    ) external {
        _lever(1_000_000e6, 8000, 6000);
        _setPrice(bound(cents, 145_000, 200_000));
        uint256 healthBefore = lending.healthWad();
        IVault.Move memory move;
        kind = uint8(bound(kind, 0, 3));
        if (kind == 0) move = _borrowMove(address(usdc), bound(amount, 1, 200_000e6));
        if (kind == 1) move = _withdrawMove(address(weth), bound(amount, 1, 200e18));
        if (kind == 2) move = _repayMove(address(usdc), bound(amount, 1, 200_000e6));
        if (kind == 3) move = _borrowMove(address(weth), bound(amount, 1, 100e18));
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, _one(move)) {
            uint256 health = lending.healthWad();
            assertTrue(health >= mandate.terms().limits.minHealthWad || health > healthBefore);
        } catch {
            assertTrue(kind != 2 || amount < 1e6, "a repayment of size is never refused");
        }
    }

    /// The way out from under the minimum: it passes a lower health and ends higher.
    function testFuzz_withdraw_sell_repay_works_below_the_minimum(uint256 cents, uint256 baseAmount)
        external
    {
        _lever(1_000_000e6, 8000, 7000);
        _run(_one(_swapMove(address(usdc), ALL))); // no idle dollars to repay with
        _run(_one(_supplyMove(address(weth), 1)));
        cents = bound(cents, 170_000, 176_000);
        _setPrice(cents);
        uint256 healthBefore = lending.healthWad();
        assertLt(healthBefore, mandate.terms().limits.minHealthWad);
        baseAmount = bound(baseAmount, 1e15, 1e18);
        _run(_deleverMoves(baseAmount));
        assertGt(lending.healthWad(), healthBefore);
    }

    function testFuzz_health_only_just_below_the_minimum_is_refused(uint256 amount) external {
        _setLimits(IMandate.Limits(1.2e18, 100, 100, 200, 9300));
        _lever(1_000_000e6, 8000, 5000);
        // 800,000 x 0.83 / 1.2 is 553,111 of debt, less the swap's fee on the collateral
        uint256 collateral = Math.mulDiv(weth.balanceOf(_aToken(address(weth))) - 1e30, PRICE, 1e12);
        uint256 most = collateral * 83 / 120 - 400_000e6;
        amount = bound(amount, 1e6, 230_000e6);
        IVault.Move[] memory moves = _one(_borrowMove(address(usdc), amount));
        if (amount > most + 10) _expectRefused(moves, IMandate.HealthTooLow.selector);
        else if (amount + 10 < most) _run(moves);
    }

    function testFuzz_debt_rises_only_to_the_ratio(uint256 amount, uint256 ratio) external {
        ratio = bound(ratio, 2000, 6000);
        _setLimits(IMandate.Limits(1.05e18, 100, 100, 200, uint16(ratio)));
        _deposit(alice, 1_000_000e6);
        _run(_one(_supplyMove(address(usdc), ALL)));
        amount = bound(amount, 1e6, 3_000_000e6);
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, _one(_borrowMove(address(usdc), amount))) {
            assertLe(amount * 10_000, (SEED + 1_000_000e6 + amount) * ratio);
        } catch {
            bool overRatio = amount * 10_000 > (SEED + 1_000_000e6 + amount) * ratio;
            assertTrue(overRatio || amount > 780_000e6);
        }
    }

    /// Debt that changes its token is new debt, though less is owed in sum: a debt of dollars is no licence for a short.
    function testFuzz_debt_in_another_token_is_held_to_the_ratio(uint256 shortened, bool ofBase) external {
        _deposit(alice, 1_000_000e6);
        weth.mint(address(vault), 500e18);
        (address owed, address other) =
            ofBase ? (address(weth), address(usdc)) : (address(usdc), address(weth));
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _supplyMove(address(usdc), 900_000e6);
        moves[1] = _supplyMove(address(weth), 400e18);
        moves[2] = _borrowMove(owed, ofBase ? 300e18 : 600_000e6);
        _run(moves);
        _tightenLimits(IMandate.Limits(1.05e18, 100, 100, 200, 0));
        shortened = bound(shortened, 1, 10_000); // of 600,000 dollars
        moves = new IVault.Move[](2);
        moves[0] = _repayMove(owed, ALL);
        moves[1] = _borrowMove(other, (ofBase ? 60e6 : 0.03e18) * shortened * 999 / 1000);
        _expectRefused(moves, IMandate.BorrowRatioTooHigh.selector);
    }

    // ---------------------------------------------------------------- amounts

    function test_all_means_all_supplied_all_idle_or_the_debt_idle_can_pay() external {
        _deposit(alice, 1_000_000e6);
        _run(_one(_supplyMove(address(usdc), ALL)));
        assertEq(_idleUsdc(), 0);
        _run(_one(_borrowMove(address(weth), 100e18)));
        _run(_one(_swapMove(address(weth), 60e18)));
        _run(_one(_repayMove(address(weth), ALL))); // 40 of 100
        (, uint256 debt) = lending.balances(address(weth));
        assertEq(debt, 60e18);
        _run(_one(_swapMove(address(usdc), ALL)));
        weth.mint(address(vault), 10e18);
        _run(_one(_repayMove(address(weth), ALL))); // more idle than debt
        (, debt) = lending.balances(address(weth));
        assertEq(debt, 0);
        assertGt(weth.balanceOf(address(vault)), 0);
        _run(_one(_withdrawMove(address(usdc), ALL)));
        (uint256 supplied,) = lending.balances(address(usdc));
        assertEq(supplied, 0);
    }

    function testFuzz_interest_is_in_nav(uint256 supplyRay, uint256 debtRay) external {
        _lever(1_000_000e6, 8000, 5000);
        supplyRay = bound(supplyRay, 0, 1e26);
        debtRay = bound(debtRay, 0, 1e26);
        uint256 before = vault.nav();
        (uint256 supplied,) = lending.balances(address(weth));
        _grow(_aToken(address(weth)), supplyRay);
        _grow(_debtToken(address(usdc)), debtRay);
        uint256 gain = Math.mulDiv(Math.mulDiv(supplied, supplyRay, 1e27), PRICE, 1e12);
        uint256 cost = Math.mulDiv(400_000e6, debtRay, 1e27);
        assertApproxEqAbs(vault.nav() + cost, before + gain, 5);
    }
}
