// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../interfaces/IMandate.sol";
import {IValuation} from "../interfaces/IValuation.sol";
import {IVault} from "../interfaces/IVault.sol";

/// @title RescuePlan
/// @notice The moves of a rescue: a slice of the larger debt is repaid, first from what is idle, then by selling the other token,
/// then by withdrawing collateral in rounds, as much as health lets out at a time. A function of the vault's state alone: whoever
/// calls chooses nothing (V-16).
library RescuePlan {
    /// @param lending its adapter
    /// @param swapper its adapter
    /// @param asset token
    /// @param base token
    /// @param unit one whole asset: less than it is not worth a swap, so that a stranger's dust stops no rescue
    /// @param scale raw base x price WAD / scale = raw asset
    /// @param priceWad 0 while there is none: then only idle repays
    /// @param healthWad above 0
    /// @param swapLossBps most a swap loses
    /// @param bountyBps of what is sold, kept for the bounty
    /// @param reserve most asset kept idle for it
    struct Scene {
        address lending;
        address swapper;
        address asset;
        address base;
        uint256 unit;
        uint256 scale;
        uint256 priceWad;
        uint256 healthWad;
        uint256 sliceBps;
        uint256 swapLossBps;
        uint256 bountyBps;
        uint256 reserve;
    }

    /// @dev Asset units. `backing` is collateral x threshold: what health compares with the debt.
    struct State {
        uint256 left; // of the slice
        uint256 debt;
        uint256 backing;
        uint256 thresholdWad;
        uint256 same; // supplied of the token owed
        uint256 other; // supplied of the other
        uint256 kept; // idle asset that stays for the bounty
        bool owesAsset;
        IVault.Move[] moves;
        uint256 count;
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant WAD = 1e18;
    uint256 private constant ALL = type(uint256).max;
    uint256 private constant ROUNDS = 5;
    uint256 private constant MOST_MOVES = 4 + 3 * ROUNDS;
    /// @dev Of the room a health leaves, used by one withdrawal: venue and oracle may price a little apart.
    uint256 private constant ROOM_BPS = 9500;

    /// @notice The moves, in order; none if there is nothing to repay with.
    function movesFor(Scene memory scene, IValuation.Holdings memory held)
        internal
        pure
        returns (IVault.Move[] memory moves)
    {
        State memory state;
        state.moves = new IVault.Move[](MOST_MOVES);
        if (scene.priceWad == 0) {
            _repayIdle(scene, state, scene.asset, held.idleAsset, held.debtAsset);
            _repayIdle(scene, state, scene.base, held.idleBase, held.debtBase);
        } else {
            _begin(scene, state, held);
            // What is idle repays in a call of its own: a swap that fails must not take it along.
            bool repaysIdle = _fromIdle(scene, state, held);
            for (uint256 i; i < ROUNDS && !repaysIdle && state.left >= scene.unit; ++i) {
                if (!_round(scene, state)) break;
            }
        }
        moves = new IVault.Move[](state.count);
        for (uint256 i; i < moves.length; ++i) {
            moves[i] = state.moves[i];
        }
    }

    function _repayIdle(Scene memory scene, State memory state, address token, uint256 idle, uint256 debt)
        private
        pure
    {
        uint256 slice = Math.mulDiv(debt, scene.sliceBps, BPS, Math.Rounding.Ceil);
        _push(scene, state, IVault.MoveKind.Repay, token, Math.min(idle, slice));
    }

    function _begin(Scene memory scene, State memory state, IValuation.Holdings memory held) private pure {
        uint256 debtBase = _toAsset(scene, held.debtBase);
        state.owesAsset = held.debtAsset >= debtBase;
        state.debt = held.debtAsset + debtBase;
        uint256 owed = state.owesAsset ? held.debtAsset : debtBase;
        state.left = Math.mulDiv(owed, scene.sliceBps, BPS, Math.Rounding.Ceil);
        uint256 suppliedBase = _toAsset(scene, held.suppliedBase);
        uint256 collateral = held.suppliedAsset + suppliedBase;
        state.backing = Math.mulDiv(state.debt, scene.healthWad, WAD);
        state.thresholdWad =
            collateral == 0 ? WAD : Math.min(WAD, Math.mulDiv(state.backing, WAD, collateral));
        (state.same, state.other) =
            state.owesAsset ? (held.suppliedAsset, suppliedBase) : (suppliedBase, held.suppliedAsset);
    }

    /// @dev True if idle of the token owed repays. Else idle of the other is sold and repays.
    function _fromIdle(Scene memory scene, State memory state, IValuation.Holdings memory held)
        private
        pure
        returns (bool)
    {
        state.kept = Math.min(held.idleAsset, scene.reserve);
        uint256 spare = held.idleAsset - state.kept;
        uint256 idleBase = _toAsset(scene, held.idleBase);
        (uint256 same, uint256 other) = state.owesAsset ? (spare, idleBase) : (idleBase, spare);
        uint256 repaid = Math.min(same, state.left);
        if (repaid >= scene.unit) {
            address token = state.owesAsset ? scene.asset : scene.base;
            _push(scene, state, IVault.MoveKind.Repay, token, _units(scene, state.owesAsset, repaid));
            return true;
        }
        uint256 sold = Math.min(other, state.left);
        if (sold >= scene.unit) _sellAndRepay(scene, state, sold);
        return false;
    }

    /// @dev Collateral the health lets out, of the token there is more of, is withdrawn, sold unless it is what is owed, and repays.
    function _round(Scene memory scene, State memory state) private pure returns (bool) {
        if (state.backing <= state.debt) return false;
        bool swaps = state.other > state.same;
        uint256 supplied = swaps ? state.other : state.same;
        uint256 room = Math.mulDiv(state.backing - state.debt, WAD, state.thresholdWad) * ROOM_BPS / BPS;
        uint256 value = Math.min(Math.min(room, supplied), state.left + scene.reserve);
        if (value < scene.unit) return false;
        bool ofAsset = state.owesAsset != swaps;
        address token = ofAsset ? scene.asset : scene.base;
        _push(scene, state, IVault.MoveKind.Withdraw, token, _units(scene, ofAsset, value));
        if (swaps) state.other -= value;
        else state.same -= value;
        state.backing -= Math.min(
            state.backing, Math.mulDiv(value, state.thresholdWad, WAD, Math.Rounding.Ceil)
        );
        if (swaps) {
            _sellAndRepay(scene, state, value);
            return true;
        }
        if (state.owesAsset) _keep(scene, state, value);
        _repayAll(scene, state);
        uint256 repaid = Math.min(value, state.left);
        (state.left, state.debt) = (state.left - repaid, state.debt - repaid);
        return true;
    }

    /// @dev A part of what is sold stays for the bounty: of the proceeds, or, where base is bought, of the asset itself. Always less
    /// than what comes in, so that every round repays.
    function _sellAndRepay(Scene memory scene, State memory state, uint256 value) private pure {
        uint256 kept = _keep(scene, state, value);
        address sold = state.owesAsset ? scene.base : scene.asset;
        uint256 selling = state.owesAsset ? value : value - kept;
        _push(scene, state, IVault.MoveKind.Swap, sold, _units(scene, !state.owesAsset, selling));
        _repayAll(scene, state);
        // At worst; what the swap brings above is repaid too, and only makes the rest smaller.
        uint256 worst = Math.saturatingSub(Math.mulDiv(value, BPS - scene.swapLossBps, BPS), kept);
        uint256 repaid = Math.min(worst, state.left);
        (state.left, state.debt) = (state.left - repaid, state.debt - Math.min(state.debt, repaid));
    }

    function _keep(Scene memory scene, State memory state, uint256 value)
        private
        pure
        returns (uint256 more)
    {
        more = Math.min(scene.reserve - state.kept, Math.mulDiv(value, scene.bountyBps, BPS));
        state.kept += more;
    }

    function _repayAll(Scene memory scene, State memory state) private pure {
        address token = state.owesAsset ? scene.asset : scene.base;
        _push(scene, state, IVault.MoveKind.Repay, token, ALL);
        state.moves[state.count - 1].limit = state.owesAsset ? state.kept : 0;
    }

    function _push(
        Scene memory scene,
        State memory state,
        IVault.MoveKind kind,
        address token,
        uint256 amount
    ) private pure {
        if (amount == 0) return;
        address adapter = kind == IVault.MoveKind.Swap ? scene.swapper : scene.lending;
        state.moves[state.count++] = IVault.Move(kind, adapter, token, amount, 0, 0);
    }

    function _toAsset(Scene memory scene, uint256 base) private pure returns (uint256) {
        return Math.mulDiv(base, scene.priceWad, scene.scale);
    }

    function _units(Scene memory scene, bool ofAsset, uint256 value) private pure returns (uint256) {
        return ofAsset ? value : Math.mulDiv(value, scene.scale, scene.priceWad);
    }
}
