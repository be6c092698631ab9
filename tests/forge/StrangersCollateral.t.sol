// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {IAdapter} from "../../contracts/interfaces/IAdapters.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice Collateral that strangers supply on the vault's behalf neither holds the vault's own nor is pulled from under it.
contract StrangersCollateralTest is MandateFixture {
    MockToken private third;
    MockFeed private thirdFeed;

    function setUp() public override {
        super.setUp();
        third = new MockToken("THIRD", 18);
        thirdFeed = new MockFeed(8, "THIRD / USD", 1e8);
        aave.list(third, thirdFeed);
        _lever(1_000_000e6, 10_000, 7000);
    }

    function _give(uint256 amount) private {
        third.mint(mallory, amount);
        vm.startPrank(mallory);
        third.approve(address(aave), amount);
        aave.supply(address(third), amount, address(lending), 0);
        vm.stopPrank();
    }

    /// Aave answers 57 to every withdrawal of the vault's until the stranger's dust is off.
    function testFuzz_dust_whose_loan_to_value_goes_does_not_hold_the_vaults_collateral(
        uint256 dust,
        address anyone
    ) external {
        dust = bound(dust, 1, 1e12);
        _give(dust);
        aave.setLtvZero(address(third), true);
        _expectRefused(_deleverMoves(10e18), abi.encodeWithSignature("Error(string)", "57"));
        uint256 changes = lending.changes();
        vm.prank(anyone);
        lending.dropCollateral(address(third));
        assertEq(lending.changes(), changes + 1); // whoever measured before measures again
        uint256 before = lending.healthWad();
        _run(_deleverMoves(10e18));
        assertGt(lending.healthWad(), before);
    }

    /// Without loan to value it goes whatever it holds up: the vault could not act before it is gone.
    function test_without_loan_to_value_it_goes_even_under_the_minimum() external {
        _give(1_000_000e18);
        _setPrice(172_000);
        aave.setLtvZero(address(third), true);
        assertGt(lending.healthWad(), mandate.terms().limits.minHealthWad);
        vm.prank(mallory);
        lending.dropCollateral(address(third));
        assertLt(lending.healthWad(), mandate.terms().limits.minHealthWad);
    }

    function testFuzz_with_loan_to_value_it_goes_only_while_health_stays_at_the_minimum(uint256 cents)
        external
    {
        cents = bound(cents, 169_000, 250_000);
        _setPrice(cents);
        uint256 own = lending.healthWad();
        uint256 least = mandate.terms().limits.minHealthWad;
        _give(1_000_000e18);
        bytes memory refusal =
            abi.encodeWithSelector(AaveV3Adapter.CollateralNeeded.selector, address(third), own, least);
        if (own < least) vm.expectRevert(refusal);
        vm.prank(mallory);
        lending.dropCollateral(address(third));
        assertEq(lending.healthWad() == own, own >= least);
    }

    /// Dust that holds nothing up goes below the minimum too.
    function test_what_does_not_lower_health_goes_at_any_health() external {
        _give(1);
        _setPrice(172_000);
        assertLt(lending.healthWad(), mandate.terms().limits.minHealthWad);
        vm.prank(mallory);
        lending.dropCollateral(address(third));
    }

    /// A stranger's token without a price takes the vault's health away; dropped, it is back.
    function testFuzz_a_token_that_lost_its_price_is_dropped(uint256 cents) external {
        _setPrice(bound(cents, 170_000, 300_000));
        _give(1e18);
        thirdFeed.set(0);
        _expectRefused(
            _deleverMoves(1e18),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Withdraw)
        );
        vm.prank(mallory);
        lending.dropCollateral(address(third));
        _run(_deleverMoves(1e18));
    }

    function testFuzz_the_vaults_own_collateral_is_nobodys_to_drop(address anyone, bool ofBase) external {
        address token = ofBase ? address(weth) : address(usdc);
        aave.setLtvZero(token, true);
        vm.expectRevert(abi.encodeWithSelector(IAdapter.TokenNotSupported.selector, token));
        vm.prank(anyone);
        lending.dropCollateral(token);
    }

    function testFuzz_a_drop_moves_no_token_and_no_nav(uint256 gift) external {
        gift = bound(gift, 1, 1e24);
        uint256 nav = vault.nav();
        _give(gift);
        lending.dropCollateral(address(third));
        assertEq(vault.nav(), nav);
        assertEq(third.balanceOf(mallory), 0);
    }
}
