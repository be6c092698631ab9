// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Mandate} from "../../contracts/Mandate.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultLens} from "../../contracts/VaultLens.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultLens} from "../../contracts/interfaces/IVaultLens.sol";
import {SettlementMath} from "../../contracts/libraries/SettlementMath.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice Called in the middle of somebody else's call: notes what it could see and do.
contract Intruder {
    Vault private immutable _vault;
    VaultLens private immutable _lens;
    bool public called;
    bool public sawNav;
    bool public gotIn;
    bool public sawLocked;
    bool public lensValid;
    uint256 public settledNav;

    constructor(Vault vault, VaultLens lens) {
        (_vault, _lens) = (vault, lens);
    }

    fallback() external {
        called = true;
        sawLocked = _vault.locked();
        settledNav = _vault.totalAssets();
        Valuation valuation = Valuation(address(Mandate(_vault.mandate()).valuation()));
        address v = address(valuation);
        IValuation.Measure memory measured;
        measured.priceWad = 2000e18;
        IMandate.Rescue memory rescue;
        (rescue.priceWad, rescue.healthWad, rescue.sliceBps) = (2000e18, 1e18, 2500);
        SettlementMath.Input memory due;
        (due.virtualShares, due.wholeShare) = (1, 1);
        sawNav = _works(address(_vault), abi.encodeCall(_vault.nav, ()))
            || _works(v, abi.encodeCall(valuation.nav, ())) || _works(v, abi.encodeCall(valuation.marks, ()))
            || _works(v, abi.encodeCall(valuation.measure, ()))
            || _works(v, abi.encodeCall(valuation.measureAgain, (measured)))
            || _works(v, abi.encodeCall(valuation.owes, ()))
            || _works(v, abi.encodeCall(valuation.holdings, ()))
            || _works(v, abi.encodeCall(valuation.debtAt, (2000e18)))
            || _works(v, abi.encodeCall(valuation.bookAt, (2000e18)))
            || _works(v, abi.encodeCall(valuation.exitMoves, (1, 2)))
            || _works(v, abi.encodeCall(valuation.settlement, (due)))
            || _works(v, abi.encodeCall(valuation.rescueMoves, (rescue)));
        IVaultLens.VaultState memory state = _lens.snapshot(address(_vault), address(this)).state;
        lensValid = state.navValid || state.measureValid || state.marksValid || state.holdingsValid;
        gotIn = _entered() || _claimed();
    }

    /// @dev Not a tuple of amounts that could be refused for what they are: each would pass if the door were open.
    function _entered() private returns (bool) {
        bytes32 state = Mandate(_vault.mandate()).stateHash();
        IVault.Intent memory intent = IVault.Intent("x", type(uint64).max, state, 0);
        return _works(address(_vault), abi.encodeCall(_vault.rebalance, (intent, new IVault.Move[](0))))
            || _works(address(_vault), abi.encodeCall(_vault.settle, ()))
            || _works(address(_vault), abi.encodeCall(_vault.checkHedge, ()))
            || _works(address(_vault), abi.encodeCall(_vault.protect, ()))
            || _works(address(_vault), abi.encodeCall(_vault.exitInKind, (1, address(this))))
            || _works(
            address(_vault), abi.encodeCall(_vault.requestDeposit, (1, address(this), address(this)))
        ) || _works(address(_vault), abi.encodeCall(_vault.requestRedeem, (1, address(this), address(this))));
    }

    function _claimed() private returns (bool) {
        return _works(address(_vault), abi.encodeWithSignature("deposit(uint256,address)", 1, address(this)))
            || _works(address(_vault), abi.encodeWithSignature("mint(uint256,address)", 1, address(this)))
            || _works(address(_vault), abi.encodeCall(_vault.redeem, (1, address(this), address(this))))
            || _works(address(_vault), abi.encodeCall(_vault.withdraw, (1, address(this), address(this))))
            || _works(
            address(_vault), abi.encodeCall(_vault.cancelDepositRequest, (address(this), address(this)))
        )
            || _works(
            address(_vault), abi.encodeCall(_vault.cancelRedeemRequest, (address(this), address(this)))
        );
    }

    function _works(address target, bytes memory data) private returns (bool ok) {
        (ok,) = target.call(data);
    }
}

/// @notice V-18: NAV cannot be read in the middle of a call; no reentry.
contract VaultReentrancyTest is MandateFixture {
    Intruder private intruder;

    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
        intruder = new Intruder(vault, lens);
        _asCurator(abi.encodeCall(mandate.addKeeper, (address(intruder)))); // even with the keeper's role
        _refill();
    }

    function _assertShutOut() private view {
        assertTrue(intruder.called());
        assertTrue(intruder.sawLocked());
        assertFalse(intruder.sawNav());
        assertFalse(intruder.gotIn());
        assertFalse(intruder.lensValid());
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_swap(uint256 amount) external {
        uint256 settled = vault.totalAssets();
        pool.setHook(address(intruder));
        _run(_one(_swapMove(address(usdc), bound(amount, 1e6, 500_000e6))));
        _assertShutOut();
        // What is readable is what the last settlement left, whatever the swap is doing to the balances.
        assertEq(intruder.settledNav(), settled);
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_request(uint256 amount) external {
        amount = bound(amount, 1, 500_000e6);
        usdc.mint(mallory, amount);
        vm.prank(mallory);
        usdc.approve(address(vault), amount);
        usdc.setHook(address(intruder));
        vm.prank(mallory);
        vault.requestDeposit(amount, mallory, mallory);
        _assertShutOut();
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_cancellation(uint256 amount) external {
        amount = bound(amount, 1, 500_000e6);
        _request(mallory, amount);
        usdc.setHook(address(intruder));
        vm.prank(mallory);
        vault.cancelDepositRequest(mallory, mallory);
        _assertShutOut();
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_a_claim(uint256 shares) external {
        uint256 held = vault.balanceOf(alice);
        shares = bound(shares, held / 1e6, held / 2);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        usdc.setHook(address(intruder));
        uint256 settled = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(settled, alice, alice);
        _assertShutOut();
    }

    function testFuzz_nothing_is_read_or_entered_in_the_middle_of_an_exit(uint256 shares) external {
        uint256 held = vault.balanceOf(alice);
        shares = bound(shares, held / 1e6, held);
        vm.prank(guardian);
        mandate.windDown();
        usdc.mint(alice, 1_000_000e6);
        vm.prank(alice);
        usdc.approve(address(vault), ALL);
        usdc.setHook(address(intruder));
        vm.prank(alice);
        vault.exitInKind(shares, alice);
        _assertShutOut();
    }

    function test_the_lock_opens_again_afterwards() external {
        _run(_one(_swapMove(address(usdc), 1e6)));
        assertFalse(vault.locked());
        assertGt(vault.nav(), 0);
        assertGt(valuation.marks().low, 0);
        _deposit(mallory, 1e6);
        _run(_one(_swapMove(address(usdc), 1e6)));
    }

    /// A refused rebalance does not leave the door shut.
    function test_the_lock_opens_again_after_a_refusal() external {
        _expectRefused(_one(_swapMove(address(usdc), ALL - 1)), IVault.IdleTooLow.selector);
        assertFalse(vault.locked());
        assertGt(vault.nav(), 0);
    }
}
