// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Fixture} from "./Fixture.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultLens} from "../../contracts/VaultLens.sol";

/// @notice Called in the middle of somebody else's call: notes what it could see and do.
contract Intruder {
    Vault private immutable _vault;
    VaultLens private immutable _lens;
    bool public called;
    bool public sawNav;
    bool public sawShares;
    bool public gotIn;
    uint256 public maxima;
    bool public lensValid;

    constructor(Vault vault, VaultLens lens) {
        (_vault, _lens) = (vault, lens);
    }

    fallback() external {
        called = true;
        sawNav = _works(abi.encodeCall(_vault.nav, ())) || _works(abi.encodeCall(_vault.totalAssets, ()))
            || _works(abi.encodeCall(_vault.exitNav, ())) || _works(abi.encodeCall(_vault.lossBudget, ()));
        sawShares = _works(abi.encodeCall(_vault.convertToAssets, (1e18)))
            || _works(abi.encodeCall(_vault.convertToShares, (1e6)))
            || _works(abi.encodeCall(_vault.previewDeposit, (1e6)))
            || _works(abi.encodeCall(_vault.previewMint, (1)))
            || _works(abi.encodeCall(_vault.previewRedeem, (1e18)))
            || _works(abi.encodeCall(_vault.previewWithdraw, (1e6)));
        maxima = _vault.maxDeposit(address(this)) + _vault.maxMint(address(this))
            + _vault.maxWithdraw(address(this)) + _vault.maxRedeem(address(this));
        lensValid = _lens.snapshot(address(_vault), address(this)).navValid;
        gotIn = _works(abi.encodeCall(_vault.deposit, (0, address(this))))
            || _works(abi.encodeCall(_vault.mint, (1, address(this))))
            || _works(abi.encodeCall(_vault.redeem, (0, address(this), address(this))))
            || _works(abi.encodeCall(_vault.withdraw, (0, address(this), address(this))))
            || _works(
                abi.encodeCall(
                    _vault.rebalance, (IVault.Intent("x", type(uint64).max, 0), new IVault.Move[](0))
                )
            );
    }

    function _works(bytes memory data) private returns (bool ok) {
        (ok,) = address(_vault).call(data);
    }
}

/// @notice V-18: NAV cannot be read in the middle of a call; no reentry.
contract VaultReentrancyTest is Fixture {
    Intruder private intruder;

    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
        intruder = new Intruder(vault, lens);
        vm.prank(owner);
        vault.addKeeper(address(intruder)); // even with the keeper's role
    }

    function _assertShutOut() private view {
        assertTrue(intruder.called());
        assertFalse(intruder.sawNav());
        assertFalse(intruder.sawShares());
        assertFalse(intruder.gotIn());
        assertFalse(intruder.lensValid());
        assertEq(intruder.maxima(), 0);
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_swap(uint256 amount) external {
        pool.setHook(address(intruder));
        _run(_one(_swapMove(address(usdc), bound(amount, 1e6, 500_000e6))));
        _assertShutOut();
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_transfer(uint256 amount, bool out)
        external
    {
        amount = bound(amount, 1e6, 500_000e6);
        usdc.mint(mallory, amount);
        vm.prank(mallory);
        usdc.approve(address(vault), amount);
        usdc.setHook(address(intruder));
        vm.startPrank(out ? alice : mallory);
        if (out) vault.withdraw(amount, alice, alice);
        else vault.deposit(amount, mallory);
        vm.stopPrank();
        _assertShutOut();
    }

    function test_the_lock_opens_again_afterwards() external {
        _run(_one(_swapMove(address(usdc), 1e6)));
        assertGt(vault.nav(), 0);
        _deposit(mallory, 1e6);
        _run(_one(_swapMove(address(usdc), 1e6)));
    }
}
