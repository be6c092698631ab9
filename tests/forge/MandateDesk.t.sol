// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice In the middle of a swap volatility becomes unusable.
contract Forgetter {
    MockDesk private immutable _desk;

    constructor(MockDesk desk) {
        _desk = desk;
    }

    fallback() external {
        _desk.setVolatilityKnown(false);
    }
}

/// @notice What the mandate makes of a desk whose book disagrees with it, or whose options lose their value's measure midway.
contract MandateDeskTest is MandateFixture {
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0);
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 500_000e6)));
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function _writeMove(uint256 amount) private view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Write, address(desk), address(weth), amount, 1e18, 1);
    }

    /// Options that were known before and are not after could hide a loss behind their intrinsic value.
    function testFuzz_no_rebalance_ends_with_options_unknown_that_were_known(uint256 amount) external {
        IVault.Move[] memory moves =
            _two(_writeMove(bound(amount, 1, 1e18)), _swapMove(address(usdc), 1000e6));
        bytes32 state = mandate.stateHash();
        pool.setHook(address(new Forgetter(desk)));
        _expectRefused(moves, abi.encodeWithSelector(IMandate.OptionsUnknown.selector));
        assertEq(mandate.stateHash(), state);
        assertEq(desk.changes(), 0);
        pool.setHook(address(0));
        _run(moves);
        assertEq(desk.changes(), 1);
    }

    /// Somebody else moved what the desk wrote: anybody shows it, and nobody deposits until it is resolved.
    function testFuzz_a_book_that_disagrees_with_the_desk_halts_deposits(address who) external {
        vm.prank(who);
        assertFalse(vault.checkHedge());
        desk.setMatchesBook(false);
        vm.prank(who);
        assertTrue(vault.checkHedge());
        assertTrue(vault.depositsHalted());
        usdc.mint(mallory, 1e6);
        vm.startPrank(mallory);
        usdc.approve(address(vault), 1e6);
        vm.expectRevert(IVaultShares.DepositsHalted.selector);
        vault.requestDeposit(1e6, mallory, mallory);
        vm.stopPrank();
        desk.setMatchesBook(true);
        assertTrue(vault.checkHedge(), "it stays until the curator looks");
    }

    /// Cash that waits in an auction is nobody's part yet.
    function test_nobody_leaves_in_kind_while_cash_waits_in_an_auction() external {
        _run(_one(IVault.Move(IVault.MoveKind.BuyBack, address(desk), address(usdc), 1e18, 1e18, 1)));
        assertEq(desk.escrowAsset(), 1e6);
        vm.prank(guardian);
        mandate.windDown();
        uint256 shares = vault.balanceOf(alice);
        vm.expectRevert(abi.encodeWithSelector(IValuation.OptionsOpen.selector, 0));
        vm.prank(alice);
        vault.exitInKind(shares, alice);
    }
}
