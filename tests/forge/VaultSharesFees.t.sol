// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {FeeMath} from "../../contracts/libraries/FeeMath.sol";
import {Vault} from "../../contracts/Vault.sol";
import {Fixture} from "./Fixture.sol";

/// @notice V-13: fees stay under the hard ceilings; performance fee only above the high-water mark.
contract VaultSharesFeesTest is Fixture {
    uint256 private constant YEAR = 365 days;
    uint16 private constant MANAGEMENT = 200;
    uint16 private constant PERFORMANCE = 2000;

    address private _recipient = makeAddr("recipient");

    /// @dev By a call of its own: a constructor that reverts here would end the test, and it would pass.
    function build(Vault.Config calldata config) external returns (Vault) {
        return new Vault(config);
    }

    function _config() internal view override returns (Vault.Config memory config) {
        config = super._config();
        config.fees = IVaultShares.Fees(_recipient, MANAGEMENT, PERFORMANCE);
    }

    function _fees(address to, uint256 management, uint256 performance)
        private
        pure
        returns (IVaultShares.Fees memory)
    {
        return IVaultShares.Fees(to, uint16(management), uint16(performance));
    }

    /// @dev At once: the delay of the role is tested with the mandate.
    function _setFees(IVaultShares.Fees memory newFees) private {
        vm.prank(address(mandate));
        vault.setFees(newFees);
    }

    function _gain(uint256 assets) private {
        usdc.mint(address(vault), assets);
    }

    function _lose(uint256 assets) private {
        deal(address(usdc), address(vault), usdc.balanceOf(address(vault)) - assets);
    }

    /// @dev Asset units of one share, times 1e30.
    function _perShare() private view returns (uint256) {
        return vault.totalAssets() * 1e30 / (vault.totalSupply() + 1e12);
    }

    // ---------------------------------------------------------------- ceilings

    /// V-13: nobody sets more than the ceilings, at birth or later.
    function testFuzz_fees_over_the_ceilings_are_refused(uint16 management, uint16 performance) external {
        bool over =
            management > FeeMath.MANAGEMENT_CEILING_BPS || performance > FeeMath.PERFORMANCE_CEILING_BPS;
        vm.assume(over);
        bytes memory reason =
            abi.encodeWithSelector(IVaultShares.FeesTooHigh.selector, management, performance);
        vm.expectRevert(reason);
        vm.prank(address(mandate));
        vault.setFees(_fees(_recipient, management, performance));
        Vault.Config memory config = _config();
        config.fees = _fees(_recipient, management, performance);
        vm.expectRevert(reason);
        this.build(config);
    }

    /// V-13: only the mandate sets fees, and there only the curator, after his delay (V-14).
    function testFuzz_nobody_else_sets_fees(address stranger) external {
        vm.assume(stranger != address(mandate) && stranger != curator && stranger != address(manager));
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.NotMandate.selector, stranger));
        vm.prank(stranger);
        vault.setFees(_fees(stranger, 1, 1));
        vm.expectRevert();
        vm.prank(stranger);
        mandate.setFees(_fees(stranger, 1, 1));
        vm.expectRevert(); // scheduled first
        vm.prank(curator);
        mandate.setFees(_fees(curator, 1, 1));
        _asCurator(abi.encodeCall(IMandate.setFees, (_fees(curator, 1, 1))));
        (, IVaultShares.Fees memory next) = vault.fees();
        assertEq(next.recipient, curator);
    }

    // ---------------------------------------------------------------- management

    /// V-13: a year's management fee dilutes by no more than its rate, whatever the number of settlements it is taken in.
    function testFuzz_a_year_of_management_costs_its_rate_at_most(uint8 settlements) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        uint256 taken = vault.balanceOf(_recipient);
        uint256 supply = vault.totalSupply();
        uint256 times = settlements % 24 + 1;
        for (uint256 i; i < times; ++i) {
            _wait(YEAR / times);
            vault.settle();
        }
        taken = vault.balanceOf(_recipient) - taken;
        assertEq(vault.balanceOf(alice), shares);
        assertLe(taken * 10_000, vault.totalSupply() * MANAGEMENT);
        assertGe(taken * 10_000, supply * MANAGEMENT * 98 / 100);
    }

    /// V-13: what nobody settled for years costs no more than one.
    function testFuzz_years_of_silence_cost_one(uint256 elapsed) external {
        _deposit(alice, 1_000_000e6);
        uint256 before = vault.balanceOf(_recipient);
        _wait(bound(elapsed, YEAR, 50 * YEAR));
        vault.settle();
        assertLe((vault.balanceOf(_recipient) - before) * 10_000, vault.totalSupply() * MANAGEMENT);
    }

    /// What waits pays no management fee, neither do those who wait to join.
    function testFuzz_who_waits_to_join_pays_no_fee(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        _request(alice, assets);
        _wait(YEAR);
        vault.settle();
        vm.prank(alice);
        uint256 shares = vault.deposit(assets, alice);
        uint256 worth = shares * (vault.totalAssets() + 1) / (vault.totalSupply() + 1e12);
        assertApproxEqAbs(worth, assets, 1);
    }

    function test_winding_down_costs_no_management() external {
        _deposit(alice, 1_000_000e6);
        vm.prank(guardian);
        mandate.windDown();
        uint256 before = vault.balanceOf(_recipient);
        _wait(YEAR);
        vault.settle();
        assertEq(vault.balanceOf(_recipient), before);
    }

    // ---------------------------------------------------------------- performance

    /// V-13: at or below the high-water mark there is no performance fee.
    function testFuzz_no_gain_over_the_mark_no_performance_fee(uint256 loss, uint256 back) external {
        _setFees(_fees(_recipient, 0, PERFORMANCE));
        _deposit(alice, 1_000_000e6);
        loss = bound(loss, 1, 900_000e6);
        back = bound(back, 0, loss);
        uint256 before = vault.balanceOf(_recipient);
        uint256 mark = vault.epochState().highWaterMark;
        _lose(loss);
        _settle();
        _gain(back);
        _settle();
        assertEq(vault.balanceOf(_recipient), before);
        assertEq(vault.epochState().highWaterMark, mark);
    }

    /// V-13: of a gain the fee is its rate at most, and it is taken once.
    function testFuzz_a_gain_is_charged_once_at_its_rate(uint256 gain) external {
        _setFees(_fees(_recipient, 0, PERFORMANCE));
        _deposit(alice, 1_000_000e6);
        gain = bound(gain, 1, 1e15);
        uint256 before = vault.balanceOf(_recipient);
        _gain(gain);
        _settle();
        uint256 taken = vault.balanceOf(_recipient) - before;
        uint256 worth = taken * (vault.totalAssets() + 1) / (vault.totalSupply() + 1e12);
        assertLe(worth * 10_000, gain * PERFORMANCE);
        assertGe(worth * 10_000 + 30_000, gain * PERFORMANCE);
        _settle();
        _settle();
        assertEq(vault.balanceOf(_recipient) - before, taken);
    }

    /// V-13: joiners pay for no gain they had no part in.
    function testFuzz_joiners_pay_nothing_for_older_gains(uint256 gain, uint256 assets) external {
        _deposit(alice, 1_000_000e6);
        gain = bound(gain, 1, 1e14);
        assets = bound(assets, 1e6, 1e14);
        _gain(gain);
        uint256 shares = _deposit(mallory, assets);
        uint256 worth = shares * (vault.totalAssets() + 1) / (vault.totalSupply() + 1e12);
        assertLe(worth, assets);
        assertGe(worth + 2 + gain / 1e12, assets);
    }

    /// V-13: over any path of NAV, deposits and exits, what was taken is within the published ceilings, and the mark never falls.
    function testFuzz_over_any_path_fees_stay_under_their_ceilings(uint256 seed, uint8 steps) external {
        _setFees(_fees(_recipient, FeeMath.MANAGEMENT_CEILING_BPS, FeeMath.PERFORMANCE_CEILING_BPS));
        _deposit(alice, 1_000_000e6);
        for (uint256 i; i < steps % 24 + 1; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed & 3 == 0) _lose(vault.idle(address(usdc)) * (seed % 50) / 100);
            else if (seed & 3 == 1) _gain(seed % 1e12);
            else if (seed & 3 == 2) _request(mallory, seed % 1e11 + 1);
            _wait(EPOCH + seed % 90 days);
            _assertWithinCeilings();
        }
    }

    function _assertWithinCeilings() private {
        uint256 elapsed = block.timestamp - vault.epochState().settledAt;
        uint256 mark = vault.epochState().highWaterMark;
        uint256 nav = vault.nav();
        uint256 before = vault.balanceOf(_recipient);
        uint256 supply = vault.totalSupply() + 1e12;
        vault.settle();
        uint256 taken = vault.balanceOf(_recipient) - before;
        uint256 worth = taken * nav / (supply + taken);
        uint256 gainOverMark = nav > mark * supply / 1e30 ? nav - mark * supply / 1e30 : 0;
        uint256 most = nav * FeeMath.MANAGEMENT_CEILING_BPS * elapsed / (10_000 * YEAR) + gainOverMark
            * FeeMath.PERFORMANCE_CEILING_BPS / 10_000;
        assertLe(worth, most + 1);
        uint256 markNow = vault.epochState().highWaterMark;
        assertGe(markNow, mark);
        assertGe(markNow + 1e12, _perShare());
        if (gainOverMark == 0) assertEq(markNow, mark);
    }

    // ---------------------------------------------------------------- changes

    /// V-13, V-14: what is raised holds from the next settlement on, backwards over no day.
    function testFuzz_a_raise_is_not_charged_backwards(uint256 elapsed) external {
        _setFees(_fees(_recipient, 0, 0));
        _deposit(alice, 1_000_000e6);
        uint256 before = vault.balanceOf(_recipient);
        elapsed = bound(elapsed, EPOCH, YEAR);
        _gain(100_000e6);
        _wait(elapsed);
        _setFees(_fees(_recipient, 300, 3000));
        vault.settle();
        assertEq(vault.balanceOf(_recipient), before);
        _wait(elapsed);
        vault.settle();
        assertGt(vault.balanceOf(_recipient), before);
        assertLe(
            (vault.balanceOf(_recipient) - before) * 10_000 * YEAR,
            vault.totalSupply() * FeeMath.MANAGEMENT_CEILING_BPS * elapsed
        );
    }

    /// V-13, V-14: what is lowered holds at once, for the time already gone too.
    function test_a_cut_holds_at_once() external {
        _deposit(alice, 1_000_000e6);
        uint256 before = vault.balanceOf(_recipient);
        _gain(100_000e6);
        _wait(YEAR);
        _setFees(_fees(_recipient, 0, 0));
        (IVaultShares.Fees memory current,) = vault.fees();
        assertEq(current.managementBps + current.performanceBps, 0);
        vault.settle();
        assertEq(vault.balanceOf(_recipient), before);
    }

    /// V-13: down and up again before a settlement is a raise: the lowest of the epoch is charged.
    function testFuzz_down_and_up_again_charges_the_lowest(uint16 low) external {
        low = uint16(bound(low, 0, MANAGEMENT));
        _deposit(alice, 1_000_000e6);
        _setFees(_fees(_recipient, low, 0));
        _setFees(_fees(_recipient, 300, 3000));
        uint256 before = vault.balanceOf(_recipient);
        _wait(YEAR);
        vault.settle();
        assertLe((vault.balanceOf(_recipient) - before) * 10_000, vault.totalSupply() * low);
    }

    /// V-13: without a recipient nothing is taken; one who comes later gets nothing of what was before.
    function test_without_a_recipient_nothing_is_taken() external {
        _setFees(_fees(address(0), MANAGEMENT, PERFORMANCE));
        _deposit(alice, 1_000_000e6);
        uint256 supply = vault.totalSupply();
        _gain(100_000e6);
        _wait(YEAR);
        _setFees(_fees(mallory, MANAGEMENT, PERFORMANCE));
        vault.settle();
        assertEq(vault.totalSupply(), supply);
        assertEq(vault.balanceOf(mallory), 0);
        _settle();
        assertLe(vault.balanceOf(mallory) * 10_000 * YEAR, vault.totalSupply() * MANAGEMENT * EPOCH);
    }

    /// V-13: nor is it taken from the price of those who join or leave.
    function testFuzz_without_a_recipient_no_fee_is_in_the_price(uint256 gain, uint256 assets) external {
        _setFees(_fees(address(0), MANAGEMENT, PERFORMANCE));
        uint256 shares = _deposit(alice, 1_000_000e6);
        _gain(bound(gain, 1_000e6, 1e14));
        assets = bound(assets, 1e6, 1e14);
        _request(mallory, assets);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _wait(YEAR);
        uint256 whole = vault.totalSupply() + 1e12;
        uint256 nav = vault.nav() + 1;
        vault.settle();
        assertApproxEqAbs(vault.maxWithdraw(alice), shares * nav / whole, 2, "whoever leaves");
        assertApproxEqAbs(vault.maxMint(mallory) * nav / whole, assets, 2, "whoever joins");
    }
}
