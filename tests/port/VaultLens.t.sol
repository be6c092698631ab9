// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Vault} from "../../contracts/Vault.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVaultLens} from "../../contracts/interfaces/IVaultLens.sol";
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

    function testFuzz_a_snapshot_says_what_the_vault_says(uint256 cents, address who) external {
        _setPrice(bound(cents, 150_000, 300_000));
        IVaultLens.Snapshot memory s = lens.snapshot(address(vault), who);
        assertEq(s.version, 1);
        assertEq(s.chainId, block.chainid);
        assertEq(s.blockNumber, block.number);
        assertEq(s.timestamp, block.timestamp);
        assertEq(s.vault, address(vault));
        assertEq(s.asset, address(usdc));
        assertEq(s.assetDecimals, 6);
        assertEq(s.base, address(weth));
        assertEq(s.baseDecimals, 18);
        assertEq(s.totalShares, vault.totalSupply());
        assertTrue(s.navValid);
        assertEq(s.nav, vault.nav());
        assertEq(s.idleAsset, usdc.balanceOf(address(vault)));
        assertEq(s.idleBase, weth.balanceOf(address(vault)));
        assertEq(keccak256(abi.encode(s.limits)), keccak256(abi.encode(vault.limits())));
        (uint256 left, uint256 capacity) = vault.lossBudget();
        assertEq(s.lossBudgetLeft, left);
        assertEq(s.lossBudgetCapacity, capacity);
        assertTrue(s.venueReadable && s.poolReadable);
        assertEq(keccak256(abi.encode(s.account)), keccak256(abi.encode(lending.account())));
        assertEq(keccak256(abi.encode(s.positions)), keccak256(abi.encode(lending.positions())));
        assertEq(keccak256(abi.encode(s.pool)), keccak256(abi.encode(swapper.poolState())));
        assertEq(keccak256(abi.encode(s.price)), keccak256(abi.encode(oracle.read())));
        assertEq(s.callerIsKeeper, who == keeper);
    }

    /// Faults are fields (never a revert), whichever of them come together.
    function testFuzz_faults_are_fields(uint8 feedMode, int256 answer, bool observe, bool account, bool stale)
        external
    {
        ethFeed.set(answer);
        ethFeed.setMode(MockFeed.Mode(bound(feedMode, 0, 6)));
        pool.setObserveReverts(observe);
        aave.setAccountReverts(account);
        if (stale) _makeStale();
        IVaultLens.Snapshot memory s = _snapshot();
        assertEq(s.navValid, s.price.fault == IPriceOracle.Fault.None);
        if (!s.navValid) assertEq(s.nav + s.lossBudgetLeft + s.lossBudgetCapacity, 0);
        if (account) assertFalse(s.venueReadable);
        assertEq(s.positions.length, 2);
        assertEq(s.positions[0].debt, 250_000e6);
    }

    function test_a_dead_pool_is_a_field() external {
        vm.etch(address(pool), "");
        IVaultLens.Snapshot memory s = _snapshot();
        assertFalse(s.poolReadable);
        assertFalse(s.navValid);
        assertEq(uint8(s.price.fault), uint8(IPriceOracle.Fault.Unreadable));
        assertEq(s.swapAdapter, address(swapper));
    }

    function test_a_vault_without_venues_is_read_as_it_is() external {
        Vault fresh = new Vault(
            IERC20Metadata(address(usdc)),
            IERC20Metadata(address(weth)),
            oracle,
            owner,
            guardian,
            _limits(),
            "",
            ""
        );
        IVaultLens.Snapshot memory s = lens.snapshot(address(fresh), keeper);
        assertTrue(s.navValid);
        assertFalse(s.venueReadable || s.poolReadable || s.callerIsKeeper);
        assertEq(s.positions[0].token, address(usdc));
        assertEq(s.positions[1].token, address(weth));
    }
}
