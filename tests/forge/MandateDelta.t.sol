// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice V-06: no keeper action ends with the delta gap outside the band unless it shrank it.
contract MandateDeltaTest is MandateFixture {
    uint256 private constant NAV = 1_000_001e6;

    function setUp() public override {
        super.setUp();
        pool.setFee(0); // swaps at the oracle's price: NAV stays what it is
    }

    /// @dev Net delta in dollars, from the balances themselves.
    function _delta() private view returns (int256) {
        BaseHeld memory h = _holdings();
        int256 base = int256(h.idle + h.supplied) - int256(h.debt);
        return base * int256(oracle.priceWad()) / 1e30;
    }

    struct BaseHeld {
        uint256 idle;
        uint256 supplied;
        uint256 debt;
    }

    function _holdings() private view returns (BaseHeld memory h) {
        h.idle = weth.balanceOf(address(vault));
        (h.supplied, h.debt) = lending.balances(address(weth));
    }

    function _gap(int256 targetBps) private view returns (uint256) {
        return SignedMath.abs(_delta() - int256(vault.nav()) * targetBps / 10_000);
    }

    function _aim(int32 targetBps, uint32 bandBps) private {
        IMandate.Caps memory caps = mandate.terms().caps;
        (caps.deltaTargetBps, caps.deltaBandBps) = (targetBps, 100_000);
        _setCaps(caps);
        caps.deltaBandBps = bandBps;
        _later = caps;
    }

    IMandate.Caps private _later;

    /// @dev The band closes on a position that was taken while it was wide.
    function _closeIn() private {
        _tightenCaps(_later);
    }

    /// From anywhere to anywhere by one swap: it passes exactly if it ends inside the band or nearer than it began.
    function testFuzz_a_swap_ends_inside_the_band_or_nearer(
        int32 target,
        uint32 band,
        uint256 held,
        uint256 traded,
        bool buys
    ) external {
        target = int32(bound(target, 0, 10_000));
        _aim(target, uint32(bound(band, 100, 5000)));
        _deposit(alice, 1_000_000e6);
        held = bound(held, 10_000e6, 990_000e6);
        _run(_one(_swapMove(address(usdc), held)));
        _closeIn();
        traded = buys ? bound(traded, 1e6, _idleUsdc()) : bound(traded, 1e6, held);
        _judged(buys ? _swapMove(address(usdc), traded) : _swapMove(address(weth), traded * 1e12 / PRICE));
    }

    /// @dev What the mandate says is what the balances say, but within a unit or two of either edge.
    function _judged(IVault.Move memory move) private {
        int32 target = _later.deltaTargetBps;
        uint256 before = _gap(target);
        uint256 snapshot = vm.snapshotState();
        IMandate.Caps memory wide = _later;
        wide.deltaBandBps = 100_000;
        _setCaps(wide);
        bool otherwise = _tries(move);
        uint256 afterwards = _gap(target);
        uint256 band = vault.nav() * _later.deltaBandBps / 10_000;
        vm.revertToState(snapshot);
        if (!otherwise) return;
        bool near = _close(afterwards, band) || (afterwards > band && _close(afterwards, before));
        if (near) return;
        bool allowed = afterwards <= band || afterwards < before;
        if (allowed) {
            _run(_one(move));
            assertApproxEqAbs(_gap(target), afterwards, 2);
        } else {
            _expectRefused(_one(move), IMandate.DeltaOutsideBand.selector);
        }
    }

    function _close(uint256 a, uint256 b) private pure returns (bool) {
        return a > b ? a - b < 5 : b - a < 5;
    }

    /// The short side: a target below zero, base borrowed and sold.
    function testFuzz_the_short_side_too(int32 target, uint32 band, uint256 sold, uint256 more, bool covers)
        external
    {
        target = int32(bound(target, -4000, 0));
        _aim(target, uint32(bound(band, 100, 3000)));
        _deposit(alice, 1_000_000e6);
        _run(_two(_supplyMove(address(usdc), 700_000e6), _borrowMove(address(weth), 200e18)));
        sold = bound(sold, 1e18, 199e18);
        _run(_one(_swapMove(address(weth), sold)));
        _closeIn();
        more = bound(more, 1e16, covers ? sold : 200e18 - sold);
        _judged(covers ? _swapMove(address(usdc), more * PRICE / 1e12) : _swapMove(address(weth), more));
    }

    /// The market moved it outside: what does not touch delta and is no protection waits; nearer passes, at once or in steps.
    function testFuzz_outside_the_band_only_what_brings_it_nearer_passes(uint256 cents, uint256 amount)
        external
    {
        _aim(5000, 1000);
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        _closeIn();
        _setPrice(bound(cents, 320_000, 500_000)); // over 61 % of NAV
        amount = bound(amount, 1e6, 400_000e6);
        _expectRefused(_one(_supplyMove(address(usdc), amount)), IMandate.DeltaOutsideBand.selector);
        _expectRefused(_one(_swapMove(address(usdc), amount)), IMandate.DeltaOutsideBand.selector);
        uint256 before = _gap(5000);
        _run(_one(_swapMove(address(weth), 1e18)));
        assertLt(_gap(5000), before);
        // Through the target and out on the other side is not nearer.
        _expectRefused(_one(_swapMove(address(weth), ALL)), IMandate.DeltaOutsideBand.selector);
    }

    /// What reduces risk and leaves delta alone passes outside the band as well (V-08).
    function testFuzz_repaying_from_idle_passes_outside_the_band(uint256 cents, uint256 amount) external {
        _aim(10_000, 100);
        _lever(1_000_000e6, 10_000, 5000);
        _run(_one(_swapMove(address(usdc), 400_000e6)));
        _closeIn();
        _setPrice(bound(cents, 150_000, 400_000));
        uint256 gap = _gap(10_000);
        assertGt(gap, vault.nav() / 100);
        _run(_one(_repayMove(address(usdc), bound(amount, 1e6, 100_000e6))));
        assertApproxEqAbs(_gap(10_000), gap, 5);
    }

    /// Below the minimum health what reduces is let out of the band: a vault at its target sells what it owes for. At the
    /// minimum or above it is not.
    function testFuzz_the_way_out_passes_the_band_below_the_minimum_health(uint256 cents, uint256 sold)
        external
    {
        _lever(1_000_000e6, 10_000, 7000);
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.deltaBandBps = 100;
        _tightenCaps(caps);
        _setPrice(bound(cents, 172_000, 190_000));
        sold = bound(sold, 6e18, 9e18); // more than a percent of NAV
        bool endangered = lending.healthWad() < mandate.terms().limits.minHealthWad;
        if (endangered) _run(_deleverMoves(sold));
        else _expectRefused(_deleverMoves(sold), IMandate.DeltaOutsideBand.selector);
    }

    /// A stranger who gives base pushes the vault out of its band, and the keeper sells it off.
    function testFuzz_gifts_of_base_are_sold_off(uint256 gift) external {
        _aim(0, 100);
        _deposit(alice, 1_000_000e6);
        _closeIn();
        gift = bound(gift, 6e18, 400e18);
        weth.mint(address(vault), gift);
        assertGt(_gap(0), vault.nav() / 100);
        _run(_one(_swapMove(address(weth), ALL)));
        assertEq(_gap(0), 0);
    }

    function testFuzz_the_refusal_says_how_far(uint256 spent) external {
        _aim(0, 100);
        _deposit(alice, 1_000_000e6);
        _closeIn();
        spent = bound(spent, 11_000e6, 1_000_000e6) / 2e6 * 2e6; // whole dollars that buy base without a rest
        uint256 bought = spent * 1e12 / PRICE;
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, _one(_swapMove(address(usdc), spent))) {
            revert("outside the band");
        } catch (bytes memory reason) {
            (uint256 before, uint256 afterwards, uint256 band) = this.evidence(reason);
            assertEq(before, 0);
            assertApproxEqAbs(afterwards, bought * PRICE / 1e12, spent / 1e9 + 2);
            assertApproxEqAbs(band, NAV / 100, 2);
        }
    }

    function evidence(bytes calldata reason) external pure returns (uint256, uint256, uint256) {
        assertEq(bytes4(reason), IMandate.DeltaOutsideBand.selector);
        return abi.decode(reason[4:], (uint256, uint256, uint256));
    }
}
