// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice V-08: whatever the guardian tightens, withdraw, sell, repay stays possible.
contract GuardianTightensTest is MandateFixture {
    /// @dev Everything at its hard bound, but the delta band: that one holds for reducing moves too (V-06).
    function _tightest() private view returns (IMandate.Terms memory terms) {
        terms = mandate.terms();
        terms.limits = IMandate.Limits(10e18, 100, 100, 10, 0);
        terms.caps.maxVenueBps = 0;
        terms.caps.maxOptionBps = 0;
        terms.caps.turnoverPerDayBps = 0;
        terms.caps.cooldown = 1 days;
        terms.caps.maxOracleAge = 1 minutes;
        terms.caps.protectiveLossPerDayBps = 100;
    }

    /// Leveraged three times and over, with a full bucket.
    function _stretch() private {
        _lever(1_000_000e6, 10_000, 7000);
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _swapMove(address(usdc), ALL);
        moves[1] = _supplyMove(address(weth), ALL);
        _run(moves);
        _wait(1 days);
        _setPrice(170_000);
    }

    function testFuzz_the_tightest_mandate_passes_a_protective_swap_within_the_oracles_lag(
        uint256 lagBps,
        uint256 baseAmount,
        bool dearPool
    ) external {
        _stretch();
        lagBps = bound(lagBps, 0, 50); // a feed's threshold
        pool.setPrice(1700e6 * (10_000 - lagBps) / 10_000, 1e18);
        pool.setFee(dearPool ? 3000 : 500);
        baseAmount = bound(baseAmount, 1e15, 150e18);
        if (dearPool) baseAmount = bound(baseAmount, 1e15, 90e18);
        _tighten(_tightest());
        uint256 before = lending.healthWad();
        assertLt(before, mandate.terms().limits.minHealthWad);
        _run(_deleverMoves(baseAmount));
        assertGt(lending.healthWad(), before);
    }

    /// A bucket in use when the guardian makes it smaller stays as full as it was.
    function testFuzz_a_bucket_in_use_is_not_emptied(uint256 sold, uint256 perDay) external {
        _lever(1_000_000e6, 5000, 5000);
        _refill();
        pool.setHaircut(90);
        sold = bound(sold, 1000e6, 700_000e6);
        _run(_one(_swapMove(address(usdc), sold)));
        (uint256 left, uint256 capacity) = mandate.budget(IMandate.Bucket.Routine);
        perDay = bound(perDay, 10, 200);
        _tightenLimits(IMandate.Limits(1.05e18, 100, 100, uint16(perDay), 7500));
        (uint256 leftNow, uint256 capacityNow) = mandate.budget(IMandate.Bucket.Routine);
        assertApproxEqAbs(leftNow * capacity, left * capacityNow, 2 * capacity);
        pool.setHaircut(0);
        _run(_deleverMoves(1e18));
    }

    /// The whole way down with the tightest limits: slice by slice, a day apart, each raises health.
    function test_the_tightest_mandate_lets_the_whole_debt_be_paid() external {
        _stretch();
        _tighten(_tightest());
        (, uint256 debt) = lending.balances(address(usdc));
        for (uint256 i; debt > 10_000e6; ++i) {
            assertLt(i, 30);
            uint256 before = lending.healthWad();
            uint256 slice = debt * 1e12 / 1700;
            if (slice > 150e18) slice = 150e18;
            _run(_deleverMoves(slice));
            assertGt(lending.healthWad(), before);
            vm.warp(block.timestamp + 1 days);
            _setPrice(170_000);
            (, debt) = lending.balances(address(usdc));
        }
    }
}
