// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice V-07: with a stale, incomplete or disputed price no move with price exposure succeeds; what needs no price does.
contract VaultPricelessTest is MandateFixture {
    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
    }

    /// Five ways for the price to go.
    function _break(uint256 way) private {
        way = bound(way, 0, 5);
        if (way == 0) _makeStale();
        if (way == 1) ethFeed.set(0);
        if (way == 2) ethFeed.set(-1);
        if (way == 3) ethFeed.setRound(9, int256(PRICE * 1e8), block.timestamp, 8);
        if (way == 4) pool.setPrice(PRICE * 1.03e6, 1e18);
        if (way == 5) ethFeed.setMode(MockFeed.Mode.Reverts);
    }

    function testFuzz_no_move_with_price_exposure_succeeds(uint256 way, uint256 amount, bool ofBase)
        external
    {
        _break(way);
        amount = bound(amount, 1, ALL);
        address token = ofBase ? address(weth) : address(usdc);
        bytes memory swapRefused =
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Swap);
        _expectRefused(_one(_swapMove(token, amount)), swapRefused);
        bytes memory borrowRefused =
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Borrow);
        _expectRefused(_one(_borrowMove(token, amount)), borrowRefused);
        bytes memory withdrawRefused =
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Withdraw);
        _expectRefused(_one(_withdrawMove(token, amount)), withdrawRefused);
    }

    function testFuzz_repaying_from_idle_always_works(uint256 way, uint256 amount) external {
        _break(way);
        amount = bound(amount, 1, 250_000e6);
        (, uint256 debtBefore) = lending.balances(address(usdc));
        uint256 idleBefore = _idleUsdc();
        _run(_one(_repayMove(address(usdc), amount)));
        (, uint256 debtAfter) = lending.balances(address(usdc));
        assertEq(debtBefore - debtAfter, amount);
        assertEq(idleBefore - _idleUsdc(), amount);
    }

    function testFuzz_supplying_works_and_moves_nothing_else(uint256 way, uint256 amount) external {
        _break(way);
        amount = bound(amount, 1, 500_000e6);
        _run(_one(_supplyMove(address(usdc), amount)));
        (uint256 supplied,) = lending.balances(address(usdc));
        assertEq(supplied, amount);
    }

    function testFuzz_withdrawing_works_once_nothing_is_owed(uint256 way, uint256 amount) external {
        _break(way);
        amount = bound(amount, 1, 200e18);
        _run(_one(_repayMove(address(usdc), ALL)));
        _run(_one(_withdrawMove(address(weth), amount)));
        assertEq(weth.balanceOf(address(vault)), amount);
    }

    /// Whether anything is owed is asked once, before the first move: in either order they come one rebalance after another.
    function testFuzz_withdrawing_in_the_rebalance_that_repays_is_exposed(uint256 way, bool after_) external {
        _break(way);
        IVault.Move[] memory moves = _two(_repayMove(address(usdc), ALL), _withdrawMove(address(weth), 1));
        if (!after_) (moves[0], moves[1]) = (moves[1], moves[0]);
        _expectRefused(
            moves,
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, after_ ? 1 : 0, IVault.MoveKind.Withdraw)
        );
    }

    /// A venue that keeps a part of a repayment is caught by the tokens, without any price.
    function testFuzz_a_move_that_does_not_conserve_its_token_is_refused(uint256 way, uint256 amount)
        external
    {
        _break(way);
        amount = bound(amount, 20, 250_000e6);
        aave.setRepayKeepsChange(true);
        _expectRefused(_one(_repayMove(address(usdc), amount)), IVault.NotConserved.selector);
    }

    /// Indices far from one make the venue round; that is not a loss.
    function testFuzz_rounding_of_the_venue_is_not_a_loss(uint256 growth, uint256 amount) external {
        growth = bound(growth, 1, 3e27);
        _grow(_debtToken(address(usdc)), growth);
        _makeStale();
        amount = bound(amount, 10, 250_000e6);
        _run(_one(_repayMove(address(usdc), amount)));
    }

    /// When only the venue cannot tell its health (its own price is gone), the same three moves remain.
    function testFuzz_a_venue_without_health_still_takes_a_repayment(uint256 amount) external {
        amount = bound(amount, 1, 250_000e6);
        aave.setAccountReverts(true);
        _expectRefused(_one(_swapMove(address(usdc), amount)), IVault.MoveNeedsPrice.selector);
        _run(_one(_repayMove(address(usdc), amount)));
    }

    /// A loss at the venue is seen before a rebalance makes what is left there the new truth, price or no price.
    function testFuzz_no_rebalance_covers_up_a_loss_at_the_venue(uint256 way, uint256 repaid) external {
        _run(_one(_borrowMove(address(usdc), 130_000e6)));
        _setPrice(160_000);
        assertLt(lending.healthWad(), 1e18);
        aave.liquidate(address(weth), address(usdc), address(lending));
        _break(way);
        assertFalse(vault.unhedged());
        _run(_one(_repayMove(address(usdc), bound(repaid, 1, 1e9))));
        assertTrue(vault.unhedged());
        assertTrue(vault.depositsHalted());
    }

    function testFuzz_no_intent_is_used_twice_without_a_price(uint256 way, bytes32 id) external {
        _break(way);
        IVault.Intent memory intent = IVault.Intent(id, uint64(block.timestamp), mandate.stateHash(), 0);
        vm.startPrank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
        assertNotEq(intent.stateHash, mandate.stateHash());
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.StateChanged.selector, intent.stateHash, mandate.stateHash())
        );
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
        vm.stopPrank();
    }
}
