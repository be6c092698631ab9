// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice V-04: what is lost is charged to one of two buckets, and neither can use up the other.
contract MandateBucketsTest is MandateFixture {
    uint256 private constant CAPACITY = 0.02e18; // of either
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0);
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 500_000e6))); // half and half, nothing lost
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function _lossWad(uint256 navBefore) private view returns (uint256) {
        return Math.mulDiv(navBefore - vault.nav(), 1e18, navBefore, Math.Rounding.Ceil);
    }

    /// @dev Routine losses of one percent, twice.
    function _spendRoutine() private {
        for (uint256 i; i < 2; ++i) {
            desk.fill(vault.nav() / 100);
        }
        assertLt(_left(IMandate.Bucket.Routine), 0.0003e18);
    }

    /// @dev Base sold a percent under its price and bought back at it, until the bucket takes no more.
    function _spendProtective() private {
        uint256 size = weth.balanceOf(address(vault));
        while (size > 0.05e18) {
            pool.setHaircut(99);
            bool passed = _tries(_swapMove(address(weth), size));
            pool.setHaircut(0);
            if (passed) _run(_one(_swapMove(address(usdc), _idleUsdc() / 2)));
            else size /= 2;
        }
        pool.setHaircut(99);
    }

    // ---------------------------------------------------------------- which bucket

    /// Towards cash: the protective bucket, by what was measured, and the routine one not at all.
    function testFuzz_a_reducing_loss_is_charged_to_the_protective_bucket(uint256 sold, uint256 haircut)
        external
    {
        sold = bound(sold, 1e15, 240e18);
        pool.setHaircut(bound(haircut, 1, 99));
        uint256 nav = vault.nav();
        _run(_one(_swapMove(address(weth), sold)));
        assertEq(_left(IMandate.Bucket.Protective), CAPACITY - _lossWad(nav));
        assertEq(_left(IMandate.Bucket.Routine), CAPACITY);
    }

    function testFuzz_any_other_loss_is_charged_to_the_routine_bucket(uint256 spent, uint256 haircut)
        external
    {
        spent = bound(spent, 10e6, 490_000e6);
        pool.setHaircut(bound(haircut, 1, 99));
        uint256 nav = vault.nav();
        _run(_one(_swapMove(address(usdc), spent)));
        assertEq(_left(IMandate.Bucket.Routine), CAPACITY - _lossWad(nav));
        assertEq(_left(IMandate.Bucket.Protective), CAPACITY);
    }

    /// A reducing move does not pay for the rest of its rebalance: one risk more and the whole of it is routine.
    function testFuzz_one_risk_more_and_all_of_it_is_routine(uint256 sold, uint256 haircut) external {
        sold = bound(sold, 1e18, 200e18);
        pool.setHaircut(bound(haircut, 1, 99));
        uint256 nav = vault.nav();
        _run(_two(_swapMove(address(weth), sold), _supplyMove(address(usdc), 1e6)));
        assertEq(_left(IMandate.Bucket.Routine), CAPACITY - _lossWad(nav));
        assertEq(_left(IMandate.Bucket.Protective), CAPACITY);
    }

    function testFuzz_a_fills_loss_is_charged_to_the_routine_bucket(uint256 loss) external {
        uint256 nav = vault.nav();
        loss = bound(loss, 1, nav / 100);
        desk.fill(loss);
        uint256 lost = Math.mulDiv(loss, 1e18, nav + loss, Math.Rounding.Ceil);
        assertEq(_left(IMandate.Bucket.Routine), CAPACITY - lost);
        assertEq(_left(IMandate.Bucket.Protective), CAPACITY);
    }

    function testFuzz_a_fill_loses_at_most_what_a_rebalance_may(uint256 loss) external {
        uint256 nav = vault.nav();
        loss = bound(loss, nav / 99, nav);
        uint256 most = (nav + loss) / 100;
        if (loss <= most) return;
        vm.expectRevert(abi.encodeWithSelector(IMandate.LossTooLarge.selector, loss, most));
        desk.fill(loss);
    }

    /// No fill is charged against a NAV nobody knows (V-07).
    function testFuzz_a_fill_that_loses_waits_for_a_price(uint256 loss) external {
        _makeStale();
        loss = bound(loss, 1, 1e9);
        vm.expectRevert(abi.encodeWithSelector(IMandate.LossTooLarge.selector, loss, 0));
        desk.fill(loss);
    }

    // ---------------------------------------------------------------- neither uses up the other

    function testFuzz_a_spent_routine_bucket_stops_no_protection(uint256 sold, uint256 haircut) external {
        _spendRoutine();
        pool.setHaircut(bound(haircut, 5, 99));
        sold = bound(sold, 1e18, 240e18);
        _expectRefused(_one(_swapMove(address(usdc), 490_000e6)), LossBudget.BudgetExceeded.selector);
        _run(_one(_swapMove(address(weth), sold)));
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_a_spent_protective_bucket_stops_no_routine(uint256 spent) external {
        _spendProtective();
        assertEq(_left(IMandate.Bucket.Routine), CAPACITY);
        assertLt(_left(IMandate.Bucket.Protective), 1e13);
        _expectRefused(_one(_swapMove(address(weth), 50e18)), LossBudget.BudgetExceeded.selector);
        _run(_one(_swapMove(address(usdc), bound(spent, 1e6, _idleUsdc()))));
        // What loses nothing waits for neither.
        pool.setHaircut(0);
        _run(_one(_swapMove(address(weth), 50e18)));
    }

    // ---------------------------------------------------------------- windows

    /// At every instant after it was emptied exactly what a bucket has refilled may be lost, and one unit more may not.
    function testFuzz_the_edges_of_the_window(uint256 time, uint256 first, int8 off) external {
        uint256 nav = vault.nav();
        first = bound(first, nav / 200, nav / 100);
        desk.fill(first);
        desk.fill(first);
        uint256 used = 2 * Math.mulDiv(first, 1e18, nav + first, Math.Rounding.Ceil);
        time = bound(time, 0, 2 days);
        _wait(time);
        uint256 refilled = time * CAPACITY / 1 days;
        uint256 left = CAPACITY - (refilled >= used ? 0 : used - refilled);
        assertEq(_left(IMandate.Bucket.Routine), left);
        // loss / (nav + loss) <= left
        uint256 most = Math.min(Math.mulDiv(left, nav, 1e18 - left), nav / 100);
        if (int256(most) + off <= 0) return;
        uint256 loss = uint256(int256(most) + off);
        bool fits = Math.mulDiv(loss, 1e18, nav + loss, Math.Rounding.Ceil) <= left;
        bool allowed = loss <= (nav + loss) / 100;
        if (!allowed) vm.expectPartialRevert(IMandate.LossTooLarge.selector);
        else if (!fits) vm.expectPartialRevert(LossBudget.BudgetExceeded.selector);
        desk.fill(loss);
    }

    /// Any sequence of trades over any span: the fractions charged sum to at most capacity x (1 + T / day), in each bucket.
    /// forge-config: default.fuzz.runs = 96
    function testFuzz_over_any_window_each_bucket_holds(uint256 seed, uint256 span) external {
        span = bound(span, 0, 3 days);
        uint256 start = block.timestamp;
        uint256[2] memory charged;
        for (uint256 i; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            charged = _trade(seed, charged);
            vm.warp(start + span * (i + 1) / 16);
            _setPrice(PRICE * 100);
        }
        uint256 most = CAPACITY + CAPACITY * (block.timestamp - start) / 1 days + 16;
        assertLe(charged[0], most);
        assertLe(charged[1], most);
        assertGt(charged[0] + charged[1], 0);
    }

    /// @dev One hostile trade; what it took of either bucket is added up from NAV, not from the mandate's own books.
    function _trade(uint256 seed, uint256[2] memory charged) private returns (uint256[2] memory) {
        pool.setHaircut(seed % 100);
        uint256 nav = vault.nav();
        bool buys = seed & (1 << 20) != 0;
        address token = buys ? address(usdc) : address(weth);
        uint256 most = vault.idle(token);
        IVault.Move[] memory moves = _one(_swapMove(token, most * ((seed >> 32) % 1000 + 1) / 1001));
        if (most == 0 || !_tries(moves)) return charged;
        charged[buys ? 0 : 1] += Math.mulDiv(Math.saturatingSub(nav, vault.nav()), 1e18, nav);
        return charged;
    }

    // ---------------------------------------------------------------- one rebalance

    /// The rebalance's own bound holds for reducing ones as well.
    function testFuzz_one_reducing_rebalance_loses_at_most_its_share_of_nav(uint256 haircut) external {
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 1_480_000e6))); // nearly all base
        haircut = bound(haircut, 1, 110);
        pool.setHaircut(haircut);
        uint256 nav = vault.nav();
        IVault.Move[] memory moves = _one(_swapMove(address(weth), ALL));
        if (_tries(moves)) assertLe(nav - vault.nav(), nav / 100);
        else assertGt(haircut, 98);
    }

    function testFuzz_a_charge_is_told(uint256 sold) external {
        sold = bound(sold, 1e18, 240e18);
        pool.setHaircut(50);
        uint256 loss = sold * PRICE / 1e12 / 200;
        uint256 lossWad = Math.mulDiv(loss, 1e18, vault.nav(), Math.Rounding.Ceil);
        vm.recordLogs();
        _run(_one(_swapMove(address(weth), sold)));
        (uint256 bucket, uint256 told, uint256 left) = _lastCharge();
        assertEq(bucket, uint256(IMandate.Bucket.Protective));
        assertApproxEqAbs(told, lossWad, 3e6); // a unit or two of the asset
        assertEq(left, _left(IMandate.Bucket.Protective));
    }

    function _lastCharge() private returns (uint256 bucket, uint256 told, uint256 left) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IMandate.Charged.selector) continue;
            bucket = uint256(logs[i].topics[1]);
            (told, left) = abi.decode(logs[i].data, (uint256, uint256));
        }
    }
}
