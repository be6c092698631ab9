// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {SystemFixture} from "./SystemFixture.sol";

/// @notice What must never happen, counted, and the one path every rebalance of a campaign takes. Health, delta, NAV and losses are measured
/// here a second way, from balances and the market's price, not by asking the mandate.
abstract contract Ghosts is SystemFixture {
    /// @dev As the vault is, before and after.
    struct View {
        bool priced;
        uint256 nav;
        uint256 health;
        uint256 gap; // of delta, raw dollars
        uint256 debtAsset;
        uint256 debtBase;
        uint256 routineLeft;
        uint256 protectiveLeft;
        uint256 reserved;
        uint256 claimable;
    }

    address[3] internal people = [address(0xA11CE), address(0xB0B), address(0xCA401)];
    address internal stranger = address(0x57A);
    address internal collector = address(0xFEE);
    uint256 public cents = PRICE * 100;
    uint256 public startedAt;

    mapping(bytes32 name => uint256) public calls;
    mapping(bytes32 name => uint256) public effects;
    mapping(bytes32 name => uint256) public broken; // by V-id
    mapping(bytes4 error => uint256) public refusals;
    bytes4[] public errors;
    uint256 public routineWad; // charged since the start
    uint256 public protectiveWad;
    uint256 public bounties;

    modifier counted(bytes32 name) {
        ++calls[name];
        _;
    }

    // ---------------------------------------------------------------- one rebalance, watched

    /// @dev Returns whether it took effect; everything V-04 to V-07 and V-12 say is looked at.
    function _watched(IVault.Move[] memory moves) internal returns (bool) {
        View memory before = _view();
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {}
        catch (bytes memory reason) {
            _refused(reason);
            return false;
        }
        View memory later = _view();
        _judge(before, later, moves);
        if (mandate.stateHash() == intent.stateHash) ++broken["V-12"];
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {
            ++broken["V-12"];
        } catch {}
        return true;
    }

    function _judge(View memory before, View memory later, IVault.Move[] memory moves) internal {
        IMandate.Terms memory terms = mandate.terms();
        if (later.health < terms.limits.minHealthWad && later.health <= before.health && before.priced) {
            ++broken["V-05"];
        }
        if (!before.priced && _exposed(moves)) ++broken["V-07"];
        if (later.reserved != before.reserved || later.claimable != before.claimable) ++broken["V-01"];
        bool grew = later.debtAsset > before.debtAsset + DUST || later.debtBase > before.debtBase + DUST;
        bool worse = later.health < before.health - before.health / 1e9; // prices stand, indices round
        if ((mandate.paused() || mandate.windingDown()) && before.priced && (grew || worse)) {
            ++broken["V-08"];
        }
        if (!before.priced) return;
        uint256 band = later.nav * terms.caps.deltaBandBps / 10_000;
        // Rounding of two ways to measure a gap.
        bool still = later.gap <= before.gap + moves.length * DUST + 2;
        // From below the minimum health, and while winding down, what raises no risk may leave the band.
        bool letOut = before.health < terms.limits.minHealthWad || mandate.windingDown();
        still = still || (letOut && !grew && !worse);
        if (later.gap > band + moves.length * DUST + 2 && !still) ++broken["V-06"];
        _charge(before, later, moves.length);
    }

    /// @dev What was lost is charged, wholly, to the two buckets together.
    function _charge(View memory before, View memory later, uint256 moves) internal {
        uint256 charged =
            before.routineLeft + before.protectiveLeft - later.routineLeft - later.protectiveLeft;
        routineWad += before.routineLeft - later.routineLeft;
        protectiveWad += before.protectiveLeft - later.protectiveLeft;
        if (before.nav == 0 || later.nav >= before.nav) return;
        uint256 loss = before.nav - later.nav;
        if (loss * WAD / before.nav > charged + (moves * DUST + 4) * WAD / before.nav + 1) ++broken["V-04"];
    }

    function _view() internal view returns (View memory v) {
        (v.priced, v.nav) = _navNow();
        v.health = aave.health_(address(lending));
        (, v.debtAsset) = lending.balances(address(usdc));
        (, v.debtBase) = lending.balances(address(weth));
        v.gap = _gap(v.nav);
        (v.routineLeft,) = mandate.budget(IMandate.Bucket.Routine);
        (v.protectiveLeft,) = mandate.budget(IMandate.Bucket.Protective);
        v.reserved = vault.epochState().reserved;
        v.claimable = _claimable();
    }

    /// @dev From balances; options where there are any are the desk's word.
    function _navNow() internal view virtual returns (bool priced, uint256 value) {
        (priced,) = address(oracle).staticcall(abi.encodeCall(oracle.priceWad, ()));
        if (!priced) return (false, 0);
        return (true, _navAt(cents * 1e16));
    }

    function _navAt(uint256 priceWad) internal view returns (uint256) {
        (uint256 suppliedAsset, uint256 debtAsset) = lending.balances(address(usdc));
        (uint256 suppliedBase, uint256 debtBase) = lending.balances(address(weth));
        uint256 gross = _idleUsdc() + suppliedAsset;
        gross += (weth.balanceOf(address(vault)) + suppliedBase) * priceWad / 1e30;
        uint256 debt = debtAsset + Math.mulDiv(debtBase, priceWad, 1e30, Math.Rounding.Ceil);
        return gross > debt ? gross - debt : 0;
    }

    function _gap(uint256 nav) internal view virtual returns (uint256) {
        (uint256 suppliedBase, uint256 debtBase) = lending.balances(address(weth));
        int256 delta = int256(weth.balanceOf(address(vault)) + suppliedBase) - int256(debtBase);
        int256 target = int256(nav) * mandate.terms().caps.deltaTargetBps / 10_000;
        return SignedMath.abs(delta * int256(cents * 1e16) / 1e30 - target);
    }

    /// @dev Without asking the vault: what it holds less what it owes to those who wait or have been settled.
    function _idleUsdc() internal view returns (uint256) {
        uint256 owed = vault.epochState().reserved + vault.epochState().pendingDeposits;
        return usdc.balanceOf(address(vault)) - owed;
    }

    function _claimable() internal view returns (uint256 sum) {
        for (uint256 i; i < people.length; ++i) {
            sum += vault.maxWithdraw(people[i]);
        }
    }

    function _exposed(IVault.Move[] memory moves) private pure returns (bool) {
        for (uint256 i; i < moves.length; ++i) {
            IVault.MoveKind kind = moves[i].kind;
            if (kind != IVault.MoveKind.Supply && kind != IVault.MoveKind.Withdraw) {
                if (kind != IVault.MoveKind.Repay && kind != IVault.MoveKind.Cancel) return true;
            }
        }
        return false;
    }

    /// @dev Which errors a campaign met; a panic is never expected.
    function _refused(bytes memory reason) internal {
        bytes4 selector = reason.length < 4 ? bytes4(0) : bytes4(reason);
        if (refusals[selector]++ == 0) errors.push(selector);
        if (selector == 0x4e487b71) ++broken["panic"];
    }

    // ---------------------------------------------------------------- the most there may be

    /// @dev Terms never get looser than they were at the start.
    function routineBoundWad() external view returns (uint256) {
        return uint256(_limits().maxLossPerDayBps) * 1e14 * (1 days + block.timestamp - startedAt) / 1 days;
    }

    function protectiveBoundWad() external view returns (uint256) {
        return
            uint256(_caps().protectiveLossPerDayBps) * 1e14 * (1 days + block.timestamp - startedAt) / 1 days;
    }

    function errorCount() external view returns (uint256) {
        return errors.length;
    }
}
