// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Mandate} from "../../contracts/Mandate.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {Vault} from "../../contracts/Vault.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVaultLens} from "../../contracts/interfaces/IVaultLens.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "./Fixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

contract VaultLensTest is Fixture {
    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
    }

    function _snapshot() private view returns (IVaultLens.Snapshot memory) {
        return lens.snapshot(address(vault), keeper);
    }

    // ---------------------------------------------------------------- what the parts say

    function testFuzz_a_snapshot_says_what_the_vault_says(uint256 cents) external {
        _setPrice(bound(cents, 150_000, 300_000));
        IVaultLens.Snapshot memory s = _snapshot();
        assertEq(s.version, 2);
        assertEq(s.chainId, block.chainid);
        assertEq(s.blockNumber, block.number);
        assertEq(s.timestamp, block.timestamp);
        assertEq(s.vault, address(vault));
        assertEq(s.asset, address(usdc));
        assertEq(s.assetDecimals, 6);
        assertEq(s.base, address(weth));
        assertEq(s.baseDecimals, 18);
        assertTrue(s.state.navValid && s.state.holdingsValid && s.state.measureValid && s.state.marksValid);
        assertEq(s.state.nav, vault.nav());
        assertEq(s.state.idleAsset, vault.idle(address(usdc)));
        assertEq(s.state.idleBase, vault.idle(address(weth)));
        assertEq(s.state.idleAsset, s.state.holdings.idleAsset);
        assertEq(keccak256(abi.encode(s.state.holdings)), keccak256(abi.encode(valuation.holdings())));
        assertEq(keccak256(abi.encode(s.state.measure)), keccak256(abi.encode(valuation.measure())));
        assertEq(keccak256(abi.encode(s.state.marks)), keccak256(abi.encode(valuation.marks())));
        assertEq(keccak256(abi.encode(s.price)), keccak256(abi.encode(oracle.read())));
    }

    function testFuzz_a_snapshot_says_what_the_venues_say(uint256 cents) external {
        _setPrice(bound(cents, 150_000, 300_000));
        IVaultLens.VenueState memory venues = _snapshot().venues;
        assertTrue(venues.lendingReadable && venues.poolReadable);
        assertEq(venues.lendingAdapter, address(lending));
        assertEq(venues.swapAdapter, address(swapper));
        assertEq(keccak256(abi.encode(venues.account)), keccak256(abi.encode(lending.account())));
        assertEq(keccak256(abi.encode(venues.positions)), keccak256(abi.encode(lending.positions())));
        assertEq(keccak256(abi.encode(venues.pool)), keccak256(abi.encode(swapper.poolState())));
    }

    function testFuzz_a_snapshot_says_what_the_mandate_says(address who, uint256 silence) external {
        _wait(bound(silence, 1, 1 days));
        IVaultLens.MandateState memory m = lens.snapshot(address(vault), who).mandate;
        assertEq(m.mandate, address(mandate));
        assertEq(keccak256(abi.encode(m.terms)), keccak256(abi.encode(mandate.terms())));
        assertEq(m.termsHash, mandate.termsHash());
        assertEq(m.stateHash, mandate.stateHash());
        assertEq(m.lastBeat, mandate.lastBeat());
        assertEq(m.lastRoutineAt, mandate.lastRoutineAt());
        assertGt(m.lastRoutineAt, 0); // the position was opened by a routine rebalance
        assertEq(m.callerIsKeeper, who == keeper);
        assertFalse(m.paused || m.windingDown);
        (uint256 left, uint256 capacity) = mandate.budget(IMandate.Bucket.Routine);
        assertEq(keccak256(abi.encode(m.routine)), keccak256(abi.encode(left, capacity)));
        (left, capacity) = mandate.budget(IMandate.Bucket.Protective);
        assertEq(keccak256(abi.encode(m.protective)), keccak256(abi.encode(left, capacity)));
        (left, capacity) = mandate.turnoverLeft();
        assertEq(keccak256(abi.encode(m.turnover)), keccak256(abi.encode(left, capacity)));
    }

    function test_a_pause_and_a_wind_down_are_told_apart() external {
        vm.prank(guardian);
        mandate.pause();
        IVaultLens.Snapshot memory s = _snapshot();
        assertTrue(s.mandate.paused && s.state.depositsHalted);
        assertFalse(s.mandate.windingDown);
        vm.prank(guardian);
        mandate.windDown();
        assertTrue(_snapshot().mandate.windingDown);
    }

    function testFuzz_a_snapshot_says_what_depositors_wait_for(uint256 assets, uint256 part) external {
        assets = bound(assets, 1, 1e15);
        uint256 shares = vault.balanceOf(alice) * bound(part, 1, 100) / 100;
        _request(mallory, assets);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        IVaultLens.VaultState memory state = _snapshot().state;
        assertEq(keccak256(abi.encode(state.epoch)), keccak256(abi.encode(vault.epochState())));
        assertEq(state.epoch.pendingDeposits, assets);
        assertEq(state.epoch.pendingRedemptions, shares);
        assertEq(state.totalShares, vault.totalSupply());
        assertEq(keccak256(abi.encode(state.deposits)), keccak256(abi.encode(vault.depositPolicy())));
        (IVaultShares.Fees memory current, IVaultShares.Fees memory next) = vault.fees();
        assertEq(keccak256(abi.encode(state.fees, state.nextFees)), keccak256(abi.encode(current, next)));
    }

    /// What waits is not idle, nor is what was settled and not yet claimed (V-01).
    function testFuzz_idle_is_what_moves_may_use(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        uint256 idle = _snapshot().state.idleAsset;
        _request(mallory, assets);
        assertEq(_snapshot().state.idleAsset, idle);
        assertEq(usdc.balanceOf(address(vault)), idle + assets);
    }

    // ---------------------------------------------------------------- requests

    function testFuzz_requests_say_what_each_depositor_waits_for_and_may_claim(uint256 assets) external {
        assets = bound(assets, 1e6, 1e15);
        _request(mallory, assets);
        _settle();
        _request(mallory, assets / 2);
        uint256 half = vault.balanceOf(alice) / 2;
        vm.prank(alice);
        vault.requestRedeem(half, alice, alice);
        address[] memory who = new address[](3);
        (who[0], who[1], who[2]) = (mallory, alice, guardian);
        IVaultLens.Requests[] memory found = lens.requests(address(vault), who);
        for (uint256 i; i < 3; ++i) {
            assertEq(found[i].controller, who[i]);
            assertEq(found[i].shares, vault.balanceOf(who[i]));
            assertEq(found[i].pendingDeposit, vault.pendingDepositRequest(0, who[i]));
            assertEq(found[i].claimableDeposit, vault.claimableDepositRequest(0, who[i]));
            assertEq(found[i].claimableShares, vault.maxMint(who[i]));
            assertEq(found[i].pendingRedeem, vault.pendingRedeemRequest(0, who[i]));
            assertEq(found[i].claimableRedeem, vault.claimableRedeemRequest(0, who[i]));
            assertEq(found[i].claimableAssets, vault.maxWithdraw(who[i]));
        }
        assertEq(found[0].pendingDeposit, assets / 2);
        assertEq(found[0].claimableDeposit, assets);
        assertGt(found[0].claimableShares, 0);
        assertEq(found[1].pendingRedeem, half);
        assertEq(found[2].shares + found[2].pendingDeposit + found[2].claimableDeposit, 0);
    }

    function test_what_a_redemption_pays_is_claimable_until_it_is_claimed() external {
        uint256 shares = vault.balanceOf(alice) / 10;
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        address[] memory who = new address[](1);
        who[0] = alice;
        IVaultLens.Requests memory found = lens.requests(address(vault), who)[0];
        assertEq(found.claimableRedeem, shares);
        vm.prank(alice);
        assertEq(vault.redeem(shares, alice, alice), found.claimableAssets);
        assertEq(lens.requests(address(vault), who)[0].claimableAssets, 0);
    }

    // ---------------------------------------------------------------- faults are fields

    /// Never a revert, whichever of them come together.
    function testFuzz_faults_are_fields(uint8 feedMode, int256 answer, bool observe, bool account, bool stale)
        external
    {
        ethFeed.set(answer);
        ethFeed.setMode(MockFeed.Mode(bound(feedMode, 0, 6)));
        pool.setObserveReverts(observe);
        aave.setAccountReverts(account);
        if (stale) _makeStale();
        IVaultLens.Snapshot memory s = _snapshot();
        bool sound = s.price.fault == IPriceOracle.Fault.None;
        assertEq(s.state.navValid, sound);
        if (!sound) assertEq(s.state.nav, 0);
        assertTrue(s.state.measureValid);
        assertEq(s.state.measure.priced, sound && !account);
        if (account) assertFalse(s.venues.lendingReadable);
        assertEq(s.venues.positions.length, 2);
        assertEq(s.venues.positions[0].debt, 250_000e6);
        assertTrue(s.state.holdingsValid);
    }

    /// No low mark: base is held and its price unknown.
    function test_without_a_price_there_are_no_marks_to_settle_at() external {
        _makeStale();
        IVaultLens.VaultState memory state = _snapshot().state;
        assertFalse(state.marksValid || state.navValid || state.measure.priced);
        assertEq(state.marks.low + state.marks.high, 0);
    }

    function test_a_dead_pool_is_a_field() external {
        vm.etch(address(pool), "");
        IVaultLens.Snapshot memory s = _snapshot();
        assertFalse(s.venues.poolReadable);
        assertFalse(s.state.navValid);
        assertEq(uint8(s.price.fault), uint8(IPriceOracle.Fault.Unreadable));
        assertEq(s.venues.swapAdapter, address(swapper));
    }

    /// V-18: nothing is valued in the middle of a call, and that too is a field.
    function test_in_the_middle_of_a_call_nothing_is_valued() external {
        vm.mockCall(address(vault), abi.encodeCall(IVaultShares.locked, ()), abi.encode(true));
        vm.mockCallRevert(
            address(vault), abi.encodeWithSignature("nav()"), abi.encodeWithSignature("Reentered()")
        );
        IVaultLens.VaultState memory state = _snapshot().state;
        assertFalse(state.navValid || state.holdingsValid || state.measureValid || state.marksValid);
        assertEq(state.holdings.suppliedBase, 0);
        assertGt(state.idleAsset, 0);
    }

    function test_missing_assets_are_no_idle_ones() external {
        _request(mallory, 1e12);
        deal(address(usdc), address(vault), 1e12 - 1);
        IVaultLens.VaultState memory state = _snapshot().state;
        assertEq(state.idleAsset, 0);
        assertFalse(state.holdingsValid);
    }

    function test_a_vault_without_venues_is_read_as_it_is() external {
        valuation = new Valuation(oracle);
        mandate = new Mandate(new AccessManager(address(this)), valuation, _terms());
        vault = new Vault(_config());
        IVaultLens.Snapshot memory s = _snapshot();
        assertFalse(s.venues.lendingReadable || s.venues.poolReadable || s.mandate.callerIsKeeper);
        assertTrue(s.state.depositsHalted && s.state.navValid && !s.state.measure.priced);
        assertEq(s.venues.positions[0].token, address(usdc));
        assertEq(s.venues.positions[1].token, address(weth));
        assertEq(s.options.desk, address(0));
        assertFalse(s.options.valueReadable || s.options.positionsReadable);
    }

    function test_an_address_that_is_no_vault_reverts() external {
        vm.expectRevert();
        lens.snapshot(address(usdc), keeper);
    }
}
