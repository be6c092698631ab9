// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IVaultShares} from "../../../contracts/interfaces/IVaultShares.sol";
import {MockIndexed} from "../mocks/MockAave.sol";
import {Keepers} from "./Keepers.sol";
import {Intruder} from "./Intruder.sol";

/// @notice The market, time, a liquidator and an intruder on top of depositors and keepers: the handlers of the campaign without options.
contract SystemHandlers is Keepers {
    Intruder private immutable intruder;

    constructor() {
        SystemHandlers.setUp();
        intruder = new Intruder(vault, mandate, desk);
    }

    function setUp() public override {
        super.setUp();
        _deposit(alice, 300_000e6);
        for (uint256 i; i < people.length; ++i) {
            _deposit(people[i], 200_000e6);
        }
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        _wait(2 minutes);
        _run(_one(_supplyMove(address(weth), 150e18)));
        _wait(2 minutes);
        _run(_one(_borrowMove(address(usdc), 100_000e6)));
        IVaultShares.Fees memory fees = IVaultShares.Fees(collector, 200, 2000);
        _asCurator(abi.encodeCall(IMandate.setFees, (fees)));
        _settle();
        _wait(1 days); // the buckets are full
        startedAt = vm.getBlockTimestamp();
    }

    // ---------------------------------------------------------------- market

    /// @notice Everything moves together, up to 4 % at once.
    function trade(uint256 step, bool up) external counted("trade") {
        step = _bound(step, 0, 400);
        cents = up ? cents * (10_000 + step) / 10_000 : cents * (10_000 - step) / 10_000;
        if (cents < 30_000) cents = 30_000;
        if (cents > 500_000) cents = 500_000;
        _setPrice(cents);
        ++effects["trade"];
        _liquidate();
    }

    /// @notice A fall that brings the vault into danger, or under, with its keeper silent; from the bottom the price recovers.
    function crash(uint256 target, bool silent) external counted("crash") {
        _leverUp();
        uint256 health = aave.health_(address(lending));
        target = _bound(target, 0.97e18, 1.12e18);
        cents = cents < 60_000 ? 200_000 : health > 6e18 || health <= target ? cents : cents * target / health;
        _setPrice(cents);
        if (silent) vm.warp(vm.getBlockTimestamp() + 20 minutes);
        _mend();
        ++effects["crash"];
        if (target < 1e18) _liquidate();
        else if (target % 2 == 0) this.protect();
    }

    /// @dev Base bought, supplied and borrowed against, as far as the mandate lets an honest keeper.
    function _leverUp() private {
        if (aave.health_(address(lending)) < 2e18) return;
        this.loosen(0);
        _mend();
        this.request(0, 300_000e6);
        this.settle(false);
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        _mend();
        uint256 idle = _idleUsdc();
        if (idle > 1e6) _watched(_one(_swapMove(address(usdc), idle / 2)));
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        _mend();
        if (weth.balanceOf(address(vault)) != 0) _watched(_one(_supplyMove(address(weth), ALL)));
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        _mend();
        (, uint256 owed) = lending.balances(address(usdc));
        (uint256 supplied,) = lending.balances(address(weth));
        uint256 most = supplied * cents / 1e14 * 55 / 100;
        if (most > owed) _watched(_one(_borrowMove(address(usdc), most - owed)));
    }

    /// @notice The pool apart from the feed, as far as arbitrage leaves it; its mean follows or not.
    function drift(uint256 offset, bool mean) external counted("drift") {
        offset = _bound(offset, 9950, 10_050);
        if (mean) pool.setPrice(cents * offset, 1e18);
        else pool.setSpot(cents * offset, 1e18);
        ++effects["drift"];
    }

    /// @notice A feed stalls, lies or disagrees (V-07).
    function breakFeed(uint256 way) external counted("breakFeed") {
        way %= 5;
        if (way == 0) ethFeed.set(0);
        else if (way == 1) ethFeed.setRound(99, int256(cents * 1e6), block.timestamp, 98);
        else if (way == 2) pool.setPrice(cents * 1.05e4, 1e18);
        else if (way == 3) vm.warp(vm.getBlockTimestamp() + 3901);
        else _mend();
        ++effects["breakFeed"];
    }

    function mend() external counted("mend") {
        _mend();
        ++effects["mend"];
    }

    function pass(uint256 seconds_) external counted("pass") {
        vm.warp(vm.getBlockTimestamp() + _bound(seconds_, 1, 3 hours));
        if (seconds_ % 4 != 0) _refreshFeeds();
        ++effects["pass"];
    }

    /// @notice Interest: what is owed and supplied grows.
    function accrue(uint256 ray) external counted("accrue") {
        _grow(ray);
        ++effects["accrue"];
    }

    // ---------------------------------------------------------------- intruder

    /// @notice V-18: from the middle of every call with a transfer, nothing can be entered and no value read.
    function intrude(uint256 which, uint256 amount) external counted("intrude") {
        usdc.setHook(address(intruder));
        weth.setHook(address(intruder));
        address person = people[which % 3];
        if (which % 4 == 0) {
            vm.prank(stranger);
            try vault.protect() returns (uint256 bounty) {
                bounties += bounty;
            } catch {}
        } else if (which % 4 == 1) {
            _watchedQuietly(amount);
        } else if (which % 4 == 2) {
            uint256 most = vault.maxWithdraw(person);
            vm.prank(person);
            if (most != 0) vault.withdraw(most, person, person);
        } else {
            vm.prank(person);
            try vault.cancelDepositRequest(person, person) {} catch {}
        }
        usdc.setHook(address(0));
        weth.setHook(address(0));
        if (intruder.tries() != 0) ++effects["intrude"];
        if (intruder.entered() != 0) ++broken["V-18"];
        intruder.reset();
    }

    // ---------------------------------------------------------------- the campaign

    /// @notice What would end a campaign if it came as often as the rest.
    function rare(uint256 which, uint256 amount) external {
        if (which % 6 == 0) this.pause();
        else if (which % 6 == 1) this.windDown();
        else if (which % 6 == 2) this.removeKeeper();
        else if (which % 6 == 3) this.accrue(amount);
        else this.breakFeed(amount);
    }

    /// @notice One call, drawn as the fuzzer draws.
    function act(uint256 what, uint256 a, uint256 b, uint256 c) external {
        what %= 32;
        if (what == 0) this.request(a, b);
        else if (what == 1) this.requestOut(a, b);
        else if (what == 2) this.cancel(a, b % 2 == 0);
        else if (what < 5) this.claim(a, b, c % 2 == 0, c % 3 == 0);
        else if (what < 7) this.settle(a % 4 == 0);
        else if (what == 7) this.roundTrip(a, b);
        else if (what == 8) this.exitInKind(a, b);
        else if (what == 9) this.donate(a, b % 2 == 0);
        else if (what == 10) this.keep(a, b, c % 2 == 0);
        else if (what < 13) this.lever(a);
        else if (what == 13) this.delever(a);
        else if (what == 14) this.beat();
        else if (what == 15) this.repay(a);
        else if (what == 16) this.sellBase(a);
        else if (what == 17) this.steal(a, b);
        else if (what == 18) this.grab(a, b % 2 == 0);
        else if (what == 19) this.forge(a);
        else if (what == 20) this.protect();
        else if (what == 21) this.checkHedge();
        else if (what == 22) this.tighten(a);
        else if (what == 23) this.loosen(a);
        else if (what < 26) this.trade(a, b % 3 == 0);
        else if (what == 26) this.drift(a, b % 2 == 0);
        else if (what == 27) this.crash(a, b % 4 != 0);
        else if (what == 28) this.mend();
        else if (what == 29) this.pass(a);
        else if (what == 30) this.rare(a, b);
        else this.intrude(a, b);
    }

    function names() external pure returns (bytes32[29] memory) {
        return [
            bytes32("request"),
            "requestOut",
            "cancel",
            "claim",
            "settle",
            "roundTrip",
            "exitInKind",
            "donate",
            "keep",
            "lever",
            "delever",
            "beat",
            "repay",
            "sellBase",
            "steal",
            "grab",
            "forge",
            "protect",
            "checkHedge",
            "pause",
            "windDown",
            "tighten",
            "loosen",
            "trade",
            "drift",
            "crash",
            "breakFeed",
            "intrude",
            "fees"
        ];
    }

    /// @notice V-01, V-15: what is owed is there; keys, adapters and judges hold nothing and are approved for nothing; a stranger has
    /// its bounties and no more.
    function requireBooks() external view {
        IVaultShares.EpochState memory epoch = vault.epochState();
        uint256 held = usdc.balanceOf(address(vault));
        assertGe(held, epoch.reserved + epoch.pendingDeposits, "V-01: what is owed is there");
        assertEq(vault.idle(address(usdc)), held - epoch.reserved - epoch.pendingDeposits, "V-01: idle");
        assertLe(_claimable(), epoch.reserved, "V-01: claims are covered");
        assertEq(usdc.balanceOf(stranger), bounties, "V-15: a stranger has its bounties");
        address[6] memory idlers =
            [keeper, address(lending), address(swapper), address(mandate), address(valuation), address(desk)];
        for (uint256 i; i < idlers.length; ++i) {
            assertEq(usdc.balanceOf(idlers[i]) + weth.balanceOf(idlers[i]), 0, "V-15: who may hold nothing");
            uint256 approved = usdc.allowance(address(vault), idlers[i]);
            assertEq(approved + weth.allowance(address(vault), idlers[i]), 0, "V-15: approvals");
        }
        (bool priced, uint256 nav) = _navNow();
        if (priced) assertApproxEqAbs(vault.nav(), nav, 4, "V-01: NAV is what is neither owed nor waiting");
    }

    /// @notice V-17: without keeper, price and settlement every share can leave.
    function everybodyLeaves() external {
        ethFeed.set(int256(cents * 1e6)); // the venue's own need
        (, uint256 debt) = lending.balances(address(weth));
        if (debt != 0 && aave.health_(address(lending)) < 1.01e18) return;
        vm.startPrank(guardian);
        mandate.removeKeeper(keeper);
        mandate.windDown();
        vm.stopPrank();
        pool.setObserveReverts(true);
        for (uint256 i; i < 4; ++i) {
            address person = i < 3 ? people[i] : alice;
            if (vault.pendingRedeemRequest(0, person) != 0) {
                vm.prank(person);
                vault.cancelRedeemRequest(person, person);
            }
            uint256 shares = vault.balanceOf(person);
            if (shares == 0 || aave.health_(address(lending)) < 1.01e18) continue;
            if (!_exit(person, shares) || vault.balanceOf(person) != 0) ++broken["V-17"];
        }
    }

    // ---------------------------------------------------------------- inside

    function _watchedQuietly(uint256 amount) private {
        _watched(_one(_anyMove(amount, amount >> 8, amount % 2 == 0)));
    }

    function _mend() private {
        _setPrice(cents);
    }

    function _grow(uint256 ray) private {
        ray = _bound(ray, 0, 1e22);
        (,, MockIndexed debt,,,) = aave.reserves(address(usdc));
        debt.grow(ray);
    }

    /// @dev Whoever may be liquidated is; a stranger takes the collateral.
    function _liquidate() private {
        if (aave.health_(address(lending)) >= 1e18) return;
        address liquidator = address(0x11C);
        vm.startPrank(liquidator);
        try aave.liquidate(address(weth), address(usdc), address(lending)) {
            ++effects["liquidate"];
            if (!vault.checkHedge()) ++broken["unhedged"];
        } catch {}
        vm.stopPrank();
    }
}
