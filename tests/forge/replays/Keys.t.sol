// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../../contracts/interfaces/IVaultShares.sol";
import {SystemFixture} from "../invariants/SystemFixture.sol";

/// @notice Losses others had with keys, venues and reentry, tried on this system.
contract KeyReplays is SystemFixture {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 700_000e6)));
        _wait(2 minutes);
        _run(_one(_supplyMove(address(weth), 200e18)));
        _wait(2 minutes);
        _run(_one(_borrowMove(address(usdc), 200_000e6)));
        _wait(1 days);
        _post(_smiles(600_000));
    }

    /// V-04. A stolen service key with no cap on chain (2026, ~$25M): with the worst pool there is, in one block and after, it takes the
    /// bucket and no more; and once the guardian has removed it, nothing.
    function test_replay_stolen_service_key() external {
        uint256 nav = vault.nav();
        pool.setFee(0);
        pool.setHaircut(98);
        for (uint256 i; i < 40; ++i) {
            _steal(address(usdc), vault.idle(address(usdc)) / 2);
            _steal(address(weth), vault.idle(address(weth)) / 2);
            _wait(61);
        }
        uint256 lost = nav - vault.nav();
        assertLe(lost, nav * (200 + 200) * (1 days + 40 * 61) / 1 days / 10_000, "V-04");
        assertGt(lost, nav * 350 / 10_000, "a real attack");
        vm.prank(guardian);
        mandate.removeKeeper(keeper);
        _wait(1 days);
        IVault.Intent memory intent = _intent(ALL);
        vm.expectRevert(abi.encodeWithSelector(IMandate.NotKeeper.selector, keeper));
        vm.prank(keeper);
        vault.rebalance(intent, _one(_swapMove(address(usdc), 1e6)));
    }

    function _steal(address token, uint256 amount) private {
        for (uint256 size = amount; size > amount / 16; size /= 2) {
            IVault.Intent memory intent = _intent(ALL);
            vm.prank(keeper);
            try vault.rebalance(intent, _one(_swapMove(token, size))) {
                return;
            } catch {}
        }
    }

    /// V-08. A guard refused the venue's own cancel for two days and a half: here it passes with the vault paused, in its cooldown, every
    /// limit tightened, no price and no volatility, and frees the collateral.
    function test_replay_venues_own_cancel_refused() external {
        uint256 id = _create(true, 2300e18, 0, 20 days);
        uint256 base = vault.idle(address(weth));
        _run(_one(_writeMove(id, address(weth), 20e18, 300e18)));
        uint256 opened = auction.auctionCount();
        IMandate.Terms memory terms = mandate.terms();
        (terms.caps.turnoverPerDayBps, terms.caps.maxOptionBps, terms.caps.maxVenueBps) = (0, 0, 0);
        terms.caps.cooldown = 1 days;
        vm.startPrank(guardian);
        mandate.tighten(terms);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        vm.warp(vm.getBlockTimestamp() + 3 days); // stale feed, expired marks
        ethFeed.set(0);
        _run(_one(IVault.Move(IVault.MoveKind.Cancel, address(desk), address(usdc), 0, 0, opened)));
        assertEq(vault.idle(address(weth)), base);
        assertEq(desk.openSeries().length, 0);
    }

    /// A venue closed a leg by itself (auto-deleveraging, October 2025): the vault sees that less is there than it left, halts deposits,
    /// settles exits, and opens again only by the curator.
    function test_replay_auto_deleveraging() external {
        _setPrice(100_000); // half
        uint256 health = lending.healthWad();
        assertLt(health, 1e18);
        aave.liquidate(address(weth), address(usdc), address(lending));
        vm.prank(mallory);
        assertTrue(vault.checkHedge(), "found by anybody");
        assertTrue(vault.depositsHalted());
        usdc.mint(mallory, 1e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), 1e6);
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        vault.requestDeposit(1e6, mallory, mallory);
        vm.stopPrank();
        assertGt(_redeem(alice, vault.balanceOf(alice) / 10), 0, "exits are settled");
        assertTrue(vault.checkHedge(), "a settlement does not forget it");
        _asCurator(abi.encodeCall(IMandate.resolveUnhedged, ()));
        assertFalse(vault.checkHedge());
        assertFalse(vault.depositsHalted());
    }

    /// V-14. An admin key, an upgrade, an emergency withdrawal (2025, $2.5M): there is none of the three. The owner's own key moves no
    /// token, and what it can loosen waits in the open.
    function test_replay_admin_key() external {
        address[3] memory keys = [owner, curator, guardian];
        for (uint256 i; i < 3; ++i) {
            vm.startPrank(keys[i]);
            IMandate.Terms memory terms = mandate.terms();
            terms.limits.maxLossPerDayBps = 1000;
            bytes memory call_ = abi.encodeCall(IMandate.setTerms, (mandate.termsHash(), terms));
            (bool ok,) = address(mandate).call(call_);
            assertFalse(ok, "not at once");
            (ok,) = address(vault).call(abi.encodeCall(vault.sweep, (address(usdc))));
            assertFalse(ok, "no sweep of the asset");
            (ok,) = address(vault).call(abi.encodeCall(vault.sweep, (address(weth))));
            assertFalse(ok, "nor of base");
            (ok,) = address(vault).call(abi.encodeCall(vault.withdraw, (1, keys[i], alice)));
            assertFalse(ok, "nor of a depositor's claims");
            vm.stopPrank();
        }
    }
}
