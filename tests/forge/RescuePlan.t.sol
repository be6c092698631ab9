// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {RescuePlan} from "../../contracts/libraries/RescuePlan.sol";

/// @notice The plan of a rescue as a function of the vault's state: what it takes, and where it stops (V-16).
contract RescuePlanTest is Test {
    uint256 private constant SCALE = 1e30; // 18 and 6 decimals
    address private asset = makeAddr("asset");
    address private base = makeAddr("base");

    /// @dev At 2,000, a quarter a slice.
    function _scene(uint256 healthWad) private returns (RescuePlan.Scene memory) {
        return RescuePlan.Scene({
            lending: makeAddr("lending"),
            swapper: makeAddr("swapper"),
            asset: asset,
            base: base,
            unit: 1e6,
            scale: SCALE,
            priceWad: 2000e18,
            healthWad: healthWad,
            sliceBps: 2500,
            swapLossBps: 100,
            bountyBps: 50,
            reserve: 0
        });
    }

    /// @dev Nothing is idle; 500 of base stand for `debt` dollars.
    function _held(uint256 debt) private pure returns (IValuation.Holdings memory held) {
        (held.suppliedBase, held.debtAsset) = (500e18, debt);
    }

    function _total(IVault.Move[] memory moves, IVault.MoveKind kind) private pure returns (uint256 sum) {
        for (uint256 i; i < moves.length; ++i) {
            if (moves[i].kind == kind) sum += moves[i].amount;
        }
    }

    /// The venue lets nothing out at a health of 1 or less.
    function testFuzz_without_room_above_the_debt_no_collateral_is_asked_for(uint256 health, uint256 debt)
        external
    {
        debt = bound(debt, 1e6, 1_000_000e6);
        IVault.Move[] memory moves = RescuePlan.movesFor(_scene(bound(health, 1, 1e18)), _held(debt));
        assertEq(moves.length, 0);
    }

    /// Less than a dollar is not worth a withdrawal and a swap.
    function testFuzz_room_of_less_than_a_unit_is_left_alone(uint256 room) external {
        uint256 debt = 800_000e6;
        room = bound(room, 0, 0.8e6); // of backing; the threshold is 0.8: worth a dollar of collateral at most
        uint256 health = 1e18 + room * 1e18 / debt;
        assertEq(RescuePlan.movesFor(_scene(health), _held(debt)).length, 0);
    }

    /// With room it takes collateral, in rounds, and never more than the slice with its reserve is worth.
    function testFuzz_with_room_collateral_is_sold_within_the_slice(uint256 health, uint256 debt) external {
        debt = bound(debt, 100_000e6, 900_000e6);
        health = bound(health, 1.001e18, 1.05e18);
        IVault.Move[] memory moves = RescuePlan.movesFor(_scene(health), _held(debt));
        uint256 taken = _total(moves, IVault.MoveKind.Withdraw);
        assertGt(taken, 0);
        assertEq(_total(moves, IVault.MoveKind.Swap), taken, "what is withdrawn is sold");
        // What a round loses at worst the next may make up: a slice and its loss.
        assertLe(taken * 2000e18 / SCALE, debt * 2500 / 10_000 * 10_000 / 9900 + 1e6);
        assertEq(uint8(moves[moves.length - 1].kind), uint8(IVault.MoveKind.Repay));
    }
}
