// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Depositors} from "./Depositors.sol";

/// @notice An honest keeper, a thief with its key, the guardian, the curator and whoever protects the vault.
abstract contract Keepers is Depositors {
    // ---------------------------------------------------------------- keeper

    /// @notice One plausible move.
    function keep(uint256 kind, uint256 amount, bool ofBase) external counted("keep") {
        if (_watched(_one(_anyMove(kind, amount, ofBase)))) ++effects["keep"];
    }

    /// @notice Buy, supply, borrow.
    function lever(uint256 amount) external counted("lever") {
        uint256 idle = _idleUsdc();
        if (idle < 1e6) return;
        amount = _bound(amount, 1e6, idle);
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _swapMove(address(usdc), amount);
        moves[1] = _supplyMove(address(weth), ALL);
        moves[2] = _borrowMove(address(usdc), amount * 5 / 10);
        if (_watched(moves)) ++effects["lever"];
    }

    /// @notice Withdraw, sell, repay.
    function delever(uint256 amount) external counted("delever") {
        (uint256 supplied,) = lending.balances(address(weth));
        if (supplied < 1e15) return;
        IVault.Move[] memory moves = _deleverMoves(_bound(amount, 1e15, supplied));
        (, uint256 debt) = lending.balances(address(usdc));
        if (debt == 0) {
            IVault.Move[] memory two = new IVault.Move[](2);
            (two[0], two[1]) = (moves[0], moves[1]);
            moves = two;
        }
        if (_watched(moves)) ++effects["delever"];
    }

    function beat() external counted("beat") {
        vm.prank(keeper);
        try mandate.beat() {
            ++effects["beat"];
        } catch {}
    }

    /// @notice V-08: what repays from idle is never refused, whatever is paused, used up, stale or tightened.
    function repay(uint256 part) external counted("repay") {
        if (!mandate.isKeeper(keeper)) return;
        (, uint256 debt) = lending.balances(address(usdc));
        uint256 most = Math.min(_idleUsdc(), debt);
        if (most == 0) return;
        if (_watched(_one(_repayMove(address(usdc), _bound(part, 1, most))))) ++effects["repay"];
        else ++broken["V-08"];
    }

    /// @notice V-08: with nothing of it owed, base is sold at the oracle's price whatever is paused, tightened or used up.
    function sellBase(uint256 part) external counted("sellBase") {
        (bool priced,) = _navNow();
        (, uint256 debt) = lending.balances(address(weth));
        if (weth.balanceOf(address(vault)) < 1e12) weth.mint(address(vault), 1e17); // a gift: something to sell
        uint256 most = weth.balanceOf(address(vault));
        if (!priced || debt != 0 || !mandate.isKeeper(keeper)) return;
        // Under the minimum only what raises health passes: V-05 comes first.
        if (aave.health_(address(lending)) < mandate.terms().limits.minHealthWad) return;
        uint256 gap = _gap(_navAt(cents * 1e16));
        part = _bound(part, 1e12, most);
        pool.setFee(0);
        pool.setSpot(cents * 1e4 + 1, 1e18);
        bool done = _watched(_one(_swapMove(address(weth), part)));
        _restorePool();
        if (done) ++effects["sellBase"];
        // Away from the target it may go only while it stays in the band: that is V-06, not V-08.
        else if (_gapAfterSale(part) < gap) ++broken["V-08"];
    }

    // ---------------------------------------------------------------- thief

    /// @notice Any moves, any sizes, any order, at a pool that pays up to 1.5 % less.
    function steal(uint256 seed, uint256 haircut) external counted("steal") {
        if (seed % 4 != 0) pool.setHaircut(_bound(haircut, 40, 150));
        IVault.Move[] memory moves = new IVault.Move[](seed % 3 + 1);
        for (uint256 i; i < moves.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            moves[i] = _anyMove(seed >> 16, seed >> 32, seed & 128 == 0);
        }
        if (_watched(moves)) ++effects["steal"];
        pool.setHaircut(0);
    }

    /// @notice V-04: the worst price that passes, there and back, as much as passes.
    function grab(uint256 part, bool ofBase) external counted("grab") {
        pool.setHaircut(93);
        address token = ofBase ? address(weth) : address(usdc);
        uint256 idle = ofBase ? weth.balanceOf(address(vault)) : _idleUsdc();
        idle = idle * _bound(part, 1, 100) / 100;
        if (idle != 0 && _watched(_one(_swapMove(token, idle)))) ++effects["grab"];
        pool.setHaircut(0);
    }

    /// @notice V-12: too late, on another state, by somebody else: nothing happens.
    function forge(uint256 seed) external counted("forge") {
        IVault.Intent memory intent = _intent(ALL);
        address caller = keeper;
        if (seed % 3 == 0) intent.deadline = uint64(block.timestamp - 1 - seed % 1000);
        else if (seed % 3 == 1) intent.stateHash = keccak256(abi.encode(seed));
        else caller = seed % 2 == 0 ? stranger : owner;
        vm.prank(caller);
        try vault.rebalance(intent, _one(_repayMove(address(usdc), 1))) {
            ++broken["V-12"];
        } catch {
            ++effects["forge"];
        }
    }

    // ---------------------------------------------------------------- anybody

    /// @notice V-16: health rises strictly, a slice is repaid and not more, the bounty is capped, and nobody else is paid.
    function protect() external counted("protect") {
        View memory before = _view();
        uint256 debt = _debtNow(before);
        uint256 paid = usdc.balanceOf(stranger);
        IMandate.Emergency memory e = mandate.terms().emergency;
        vm.prank(stranger);
        try vault.protect() returns (uint256 bounty) {
            ++effects["protect"];
            View memory later = _view();
            if (later.health <= before.health || before.health >= e.emergencyHealthWad) ++broken["V-16"];
            uint256 repaid = debt - _debtNow(later);
            // A slice of the larger debt, and what selling brought above the worst price.
            uint256 most = debt * e.sliceBps / 10_000;
            if (repaid > most + most * 2 * _limits().maxSwapLossBps / 10_000 + 10) ++broken["V-16"];
            bool paidMore = bounty > e.maxBounty || bounty * 10_000 > repaid * e.bountyBps + 10_000;
            if (paidMore || usdc.balanceOf(stranger) - paid != bounty) ++broken["V-16"];
            bounties += bounty;
        } catch (bytes memory reason) {
            _refused(reason);
        }
    }

    function checkHedge() external counted("checkHedge") {
        vm.prank(stranger);
        vault.checkHedge();
        ++effects["checkHedge"];
    }

    // ---------------------------------------------------------------- guardian

    function pause() external counted("pause") {
        vm.prank(guardian);
        mandate.pause();
        if (!mandate.paused() || !vault.depositsHalted()) ++broken["V-14"];
        ++effects["pause"];
    }

    function windDown() external counted("windDown") {
        vm.prank(guardian);
        mandate.windDown();
        if (!mandate.windingDown()) ++broken["V-14"];
        ++effects["windDown"];
    }

    /// @notice V-14: safer at once; and not one limit looser by the guardian's hand.
    function tighten(uint256 seed) external counted("tighten") {
        IMandate.Terms memory terms = mandate.terms();
        if (seed % 4 == 0) terms.limits.maxLossPerDayBps -= terms.limits.maxLossPerDayBps / 4;
        else if (seed % 4 == 1) terms.caps.cooldown += uint32(_bound(seed >> 8, 0, 600));
        else if (seed % 4 == 2) terms.caps.turnoverPerDayBps -= terms.caps.turnoverPerDayBps / 5;
        else terms.caps.deltaBandBps -= terms.caps.deltaBandBps / 5;
        vm.prank(guardian);
        try mandate.tighten(terms) {
            ++effects["tighten"];
            if (keccak256(abi.encode(mandate.terms())) != keccak256(abi.encode(terms))) ++broken["V-14"];
        } catch {}
        terms = mandate.terms();
        terms.limits.maxBorrowBps += 1;
        vm.prank(guardian);
        try mandate.tighten(terms) {
            ++broken["V-14"];
        } catch {}
    }

    function removeKeeper() external counted("removeKeeper") {
        vm.prank(guardian);
        mandate.removeKeeper(keeper);
        if (mandate.isKeeper(keeper)) ++broken["V-14"];
        ++effects["removeKeeper"];
    }

    // ---------------------------------------------------------------- curator

    /// @notice V-14: what is riskier waits, to the second; then everything is as it was at the start.
    function loosen(uint256 early) external counted("loosen") {
        bytes[] memory calls_ = new bytes[](5);
        calls_[0] = abi.encodeCall(IMandate.setTerms, (mandate.termsHash(), _terms()));
        calls_[1] = abi.encodeCall(IMandate.unpause, ());
        calls_[2] = abi.encodeCall(IMandate.resume, ());
        calls_[3] = abi.encodeCall(IMandate.addKeeper, (keeper));
        calls_[4] = abi.encodeCall(IMandate.resolveUnhedged, ());
        vm.startPrank(curator);
        for (uint256 i; i < calls_.length; ++i) {
            (bool direct,) = address(mandate).call(calls_[i]);
            if (direct) ++broken["V-14"];
            manager.schedule(address(mandate), calls_[i], 0);
        }
        vm.warp(vm.getBlockTimestamp() + _bound(early, 0, CURATOR_DELAY - 1));
        try manager.execute(address(mandate), calls_[early % 5]) {
            ++broken["V-14"];
        } catch {}
        vm.warp(vm.getBlockTimestamp() + CURATOR_DELAY);
        _refreshFeeds();
        for (uint256 i; i < calls_.length; ++i) {
            manager.execute(address(mandate), calls_[i]);
        }
        vm.stopPrank();
        ++effects["loosen"];
    }

    // ---------------------------------------------------------------- inside

    function _anyMove(uint256 kind, uint256 amount, bool ofBase) internal view returns (IVault.Move memory) {
        IVault.MoveKind what = IVault.MoveKind(kind % 5);
        address adapter = what == IVault.MoveKind.Swap ? address(swapper) : address(lending);
        if (amount % 8 == 0 && what != IVault.MoveKind.Borrow) amount = ALL; // a venue may panic
        else amount = ofBase ? _bound(amount, 1, 100e18) : _bound(amount, 1, 200_000e6);
        return IVault.Move(what, adapter, ofBase ? address(weth) : address(usdc), amount, 0, 0);
    }

    function _debtNow(View memory v) private view returns (uint256) {
        return v.debtAsset + Math.mulDiv(v.debtBase, cents * 1e16, 1e30, Math.Rounding.Ceil);
    }

    function _gapAfterSale(uint256 part) private view returns (uint256) {
        uint256 nav = _navAt(cents * 1e16);
        uint256 value = part * cents * 1e16 / 1e30;
        uint256 gap = _gap(nav);
        // Sold towards the target only if base was above it by at least as much.
        (uint256 supplied,) = lending.balances(address(weth));
        uint256 held = (weth.balanceOf(address(vault)) + supplied) * cents * 1e16 / 1e30;
        uint256 target = nav * uint256(uint32(mandate.terms().caps.deltaTargetBps)) / 10_000;
        return held >= target + value + 1e6 ? gap - value : gap + value;
    }

    function _restorePool() internal {
        pool.setFee(500);
        pool.setPrice(cents * 1e4, 1e18);
    }
}
