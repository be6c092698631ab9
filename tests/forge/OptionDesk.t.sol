// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {OptionAuction} from "../../contracts/OptionAuction.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {OptionDesk} from "../../contracts/adapters/OptionDesk.sol";
import {IAdapter} from "../../contracts/interfaces/IAdapters.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {BookValue, IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {OptionLimits} from "../../contracts/libraries/OptionLimits.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockOptionVault} from "./mocks/MockOptionVault.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @notice Writing, cancelling, collecting and what a fill charges.
contract OptionDeskTest is OptionVenueFixture {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _call();
    }

    // ---------------------------------------------------------------- binding

    function deploy(address vault_, address book_, address auction_, address vols_, address settlement_)
        external
        returns (OptionDesk)
    {
        return new OptionDesk(
            vault_,
            OptionBook(book_),
            OptionAuction(auction_),
            VolatilityOracle(vols_),
            ISettlementOracle(settlement_)
        );
    }

    function _refused(string memory what, address[5] memory parts) private {
        try this.deploy(parts[0], parts[1], parts[2], parts[3], parts[4]) {
            assertTrue(false, what);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IOptionDesk.Mismatch.selector, what);
        }
    }

    /// Every part is agreed with another, so one that does not belong is found whichever it is.
    function test_a_desk_is_bound_to_matching_parts_only() external {
        address[5] memory parts =
            [address(vault), address(book), address(auction), address(vols), address(settlement)];
        address foreign = address(new MockSettlementOracle(address(quote), address(base), 6, 18));
        address odd =
            address(new MockOptionVault(address(base), address(quote), address(prices), _optionLimits()));
        address lagging =
            address(new MockOptionVault(address(quote), address(base), address(1), _optionLimits()));
        address other = address(new OptionBook());
        address[5] memory strangers = [odd, other, address(0), address(1), foreign];
        for (uint256 i; i < 5; ++i) {
            if (i == 2) continue;
            address[5] memory mixed = [parts[0], parts[1], parts[2], parts[3], parts[4]];
            mixed[i] = strangers[i];
            _refused(vm.toString(i), mixed);
        }
        _refused("price oracle", [lagging, parts[1], parts[2], parts[3], parts[4]]);
        OptionDesk twin = this.deploy(parts[0], parts[1], parts[2], parts[3], parts[4]);
        assertEq(twin.vault(), address(vault));
        assertEq(twin.venue(), address(book));
    }

    function testFuzz_only_the_vault_starts_anything(address caller) external {
        vm.assume(caller != address(vault));
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAdapter.NotVault.selector, caller));
        desk.write(id, ONE, START);
        vm.expectRevert(abi.encodeWithSelector(IAdapter.NotVault.selector, caller));
        desk.buyBack(id, ONE, START, 1);
        vm.stopPrank();
    }

    function testFuzz_only_the_auction_reports_fills(address caller) external {
        vm.assume(caller != address(auction));
        uint256 auctionId = vault.write(id, ONE, START);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.NotAuction.selector, caller));
        desk.onFill(auctionId, ONE, 1);
        vm.prank(address(auction));
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.UnknownAuction.selector, auctionId + 1));
        desk.onFill(auctionId + 1, ONE, 1);
    }

    // ---------------------------------------------------------------- write

    function testFuzz_writing_takes_the_exact_collateral(uint256 first, uint256 second, bool isCall)
        external
    {
        (first, second) = (bound(first, 1, 1e23), bound(second, 1, 1e23));
        uint256 series = isCall ? id : _create(false, 1800e18, 0);
        MockOddToken token = isCall ? base : quote;
        uint256 before = token.balanceOf(address(vault));
        vault.write(series, first, START);
        vault.write(series, second, START);
        assertEq(before - token.balanceOf(address(vault)), book.collateralUp(series, first + second));
        assertEq(token.balanceOf(address(desk)), 0);
        assertEq(token.allowance(address(desk), address(book)), 0);
        assertEq(book.writtenOf(series, address(desk)), first + second);
        assertEq(book.balanceOf(address(desk), series), first + second, "unsold");
        BookValue memory value = _measure();
        assertEq(
            isCall ? value.collateralBase : value.collateralAsset, before - token.balanceOf(address(vault))
        );
        assertEq(value.notionalBase, 0);
        assertTrue(desk.matchesBook());
    }

    function test_only_series_of_the_vaults_pair_and_oracle_are_accepted() external {
        MockSettlementOracle other = new MockSettlementOracle(address(base), address(quote), 18, 6);
        IOptionBook.Series memory series = _series(true, K, 0);
        series.oracle = ISettlementOracle(address(other));
        uint256 foreign = book.create(series);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.SeriesNotAccepted.selector, foreign));
        vault.write(foreign, ONE, START);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.SeriesNotAccepted.selector, 7));
        vault.write(7, ONE, START);
        vm.expectRevert(IOptionDesk.ZeroAmount.selector);
        vault.write(id, 0, START);
    }

    function test_the_tenor_is_within_the_mandate_to_the_second() external {
        uint256[4] memory tenors = [uint256(1 days - 1), 1 days, 60 days, 60 days + 1];
        for (uint256 i; i < 4; ++i) {
            expiry = uint64(block.timestamp + tenors[i]);
            uint256 series = _create(true, 2010e18, 0);
            if (i == 0 || i == 3) {
                vm.expectRevert(
                    abi.encodeWithSelector(IOptionDesk.TenorOutOfRange.selector, tenors[i], 1 days, 60 days)
                );
            }
            vault.write(series, ONE, START);
        }
    }

    function test_the_delta_is_within_the_mandate() external {
        uint256 deep = _create(true, 1700e18, 0);
        vm.expectPartialRevert(IOptionDesk.DeltaOutOfRange.selector);
        vault.write(deep, ONE, 2 * START);
        uint256 deepPut = _create(false, 2600e18, 0);
        vm.expectPartialRevert(IOptionDesk.DeltaOutOfRange.selector);
        vault.write(deepPut, ONE, 2 * START);
        // A spread goes by the option it is short, not by the small difference.
        vault.write(_create(true, K, K + 1), ONE, START);
        uint256 deepSpread = _create(false, 2600e18, 1000e18);
        vm.expectPartialRevert(IOptionDesk.DeltaOutOfRange.selector);
        vault.write(deepSpread, ONE, 2 * START);
        vault.write(_create(false, 1800e18, 0), ONE, START);
        vault.write(id, ONE, START);
        OptionLimits memory limits = _optionLimits();
        limits.minDeltaBps = 4000; // of a call 10 % above spot it is 0.34
        vault.setLimits(limits);
        vm.expectPartialRevert(IOptionDesk.DeltaOutOfRange.selector);
        vault.write(id, ONE, START);
    }

    function test_a_sale_starts_at_the_mid_mark_or_above() external {
        uint256 auctionId = vault.write(id, ONE, START);
        vm.warp(auction.auctionOf(auctionId).startAt);
        _bid(alice, auctionId, ONE / 2);
        _bid(bob, auctionId, ONE / 2);
        uint256 mark = _measure().liabilityMid * 1e12; // rounded up to a millionth of a dollar
        vm.expectPartialRevert(IOptionDesk.StartPriceTooLow.selector);
        vault.write(id, ONE, mark - 1e12);
        vault.write(id, ONE, mark);
    }

    function test_there_are_at_most_as_many_series_as_the_mandate_says() external {
        OptionLimits memory limits = _optionLimits();
        limits.maxSeries = 2;
        vault.setLimits(limits);
        vault.write(id, ONE, START);
        uint256 second = vault.write(_create(true, 2100e18, 0), ONE, START);
        uint256 third = _create(true, 2300e18, 0);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.TooManySeries.selector, 2, 2));
        vault.write(third, ONE, START);
        vault.write(id, ONE, START); // more of one that is open
        vault.cancel(second);
        vault.write(third, ONE, START);
        assertEq(desk.openSeries().length, 2);
    }

    function test_nothing_is_written_while_price_or_marks_are_unusable() external {
        prices.setFault(IPriceOracle.Fault.Stale);
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.write(id, ONE, START);
        prices.setFault(IPriceOracle.Fault.None);
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert();
        vault.write(id, ONE, START);
    }

    function test_a_token_that_lies_or_takes_a_fee_writes_nothing() external {
        base.setFault(MockOddToken.Fault.ReturnsFalse);
        vm.expectPartialRevert(SafeERC20.SafeERC20FailedOperation.selector);
        vault.write(id, ONE, START);
        base.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.expectRevert(
            abi.encodeWithSelector(IOptionDesk.TransferMismatch.selector, address(base), ONE, ONE - 1)
        );
        vault.write(id, ONE, START);
    }

    // ---------------------------------------------------------------- what a fill charges

    /// What is lost against the mid mark is charged, what is gained is not.
    function testFuzz_a_fill_charges_its_loss_against_the_mid_mark(uint256 when, uint256 amount) external {
        uint256 auctionId = _sale(id, 100 * ONE);
        amount = bound(amount, ONE, 50 * ONE);
        vm.warp(bound(when, block.timestamp, auction.auctionOf(auctionId).endAt));
        uint256 paid = _bid(alice, auctionId, amount);
        uint256 fair = _measure().liabilityMid; // of what was just sold, rounded up
        assertEq(vault.charged(), fair > paid ? fair - paid : 0);
        assertEq(vault.charges(), fair > paid ? 1 : 0);
    }

    function test_a_fill_that_does_not_fit_the_budget_does_not_happen() external {
        uint256 auctionId = _sale(id, 100 * ONE);
        _toEnd(auctionId);
        vault.setBudget(0);
        vm.expectPartialRevert(MockOptionVault.BudgetExceeded.selector);
        _bid(alice, auctionId, ONE);
        assertEq(book.balanceOf(alice, id), 0);
        vault.setBudget(1000e6);
        _bid(alice, auctionId, ONE);
        assertLt(vault.budget(), 1000e6);
    }

    /// The vault needs its NAV to charge: it reads what the fill has left, and nobody else reads anything (V-18).
    function test_V18_the_vault_alone_measures_while_it_is_charged() external {
        uint256 auctionId = _sale(id, 100 * ONE);
        _toEnd(auctionId);
        _bid(alice, auctionId, ONE);
        assertEq(abi.encode(vault.measured()), abi.encode(_measure()));
        assertEq(vault.measured().notionalBase, ONE);
        // Not before, though its own code were to run: a hook in the payment asks in the vault's name.
        Impostor impostor = new Impostor(address(desk), address(vault));
        quote.setHook(address(impostor));
        _bid(alice, auctionId, ONE);
        assertFalse(impostor.succeeded());
    }

    // ---------------------------------------------------------------- cancel

    function testFuzz_cancelling_burns_what_is_unsold(uint256 soldPart) external {
        uint256 auctionId = _sale(id, 100 * ONE);
        uint256 taken = bound(soldPart, 0, 50 * ONE);
        if (taken < ONE) taken = 0;
        if (taken != 0) _bid(alice, auctionId, taken);
        uint256 before = base.balanceOf(address(vault));
        vault.cancel(auctionId);
        assertEq(base.balanceOf(address(vault)) - before, 100 * ONE - taken, "V-15: collateral to the vault");
        assertEq(book.totalSupply(id), taken, "unsold is burned");
        assertEq(_measure().collateralBase, taken);
        assertEq(_measure().notionalBase, taken);
        assertEq(desk.openSeries().length, taken == 0 ? 0 : 1);
        assertTrue(desk.matchesBook());
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.UnknownAuction.selector, auctionId));
        vault.cancel(auctionId);
        vm.expectPartialRevert(IOptionAuction.AuctionOver.selector);
        _bid(bob, auctionId, ONE);
    }

    function test_anybody_cancels_once_it_is_over_and_not_before() external {
        uint256 auctionId = _sale(id, ONE);
        _toEnd(auctionId);
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.AuctionRunning.selector, auctionId));
        desk.cancel(auctionId);
        vm.warp(block.timestamp + 1);
        vm.prank(mallory);
        desk.cancel(auctionId);
        assertEq(base.balanceOf(address(vault)), 1_000_000 * ONE);
    }

    /// V-08: whatever the oracles say.
    function test_V08_cancelling_needs_no_price() external {
        uint256 auctionId = vault.write(id, ONE, START);
        prices.setFault(IPriceOracle.Fault.Stale);
        vm.warp(block.timestamp + 10 days); // marks and floor are gone too
        vault.cancel(auctionId);
        assertEq(base.balanceOf(address(vault)), 1_000_000 * ONE);
        assertEq(desk.openSeries().length, 0);
    }

    function test_a_filled_sale_leaves_nothing_to_cancel() external {
        uint256 auctionId = _sale(id, 2 * ONE);
        _bid(alice, auctionId, ONE);
        _bid(bob, auctionId, ONE);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.UnknownAuction.selector, auctionId));
        vault.cancel(auctionId);
    }

    // ---------------------------------------------------------------- collect

    /// V-09: the vault gets collateral less payoff, the holders the payoff, nobody anything else.
    function testFuzz_V09_after_expiry_everything_is_paid_out(uint256 price, uint256 unsold, bool isCall)
        external
    {
        price = bound(price, 1, 10_000e18);
        unsold = bound(unsold, 1, 10 * ONE);
        uint256 series = isCall ? id : _create(false, 1800e18, 0);
        MockOddToken token = isCall ? base : quote;
        uint256 start = token.balanceOf(address(vault));
        _sold(series, 10 * ONE);
        uint256 premium =
            isCall ? 0 : token.balanceOf(address(vault)) + book.collateralUp(series, 10 * ONE) - start;
        uint256 auctionId = vault.write(series, unsold, START); // never sold, never cancelled
        vm.warp(expiry);
        settlement.set(ISettlementOracle.Status.Settled, price);
        vm.prank(mallory);
        desk.collect(series);
        book.redeemFor(series, alice);
        book.redeemFor(series, bob);
        uint256 payoff = book.payoffDown(series, 10 * ONE, price);
        assertApproxEqAbs(token.balanceOf(address(vault)) + payoff, start + premium, 2, "V-09");
        assertEq(token.balanceOf(address(book)), 0);
        assertEq(token.balanceOf(address(desk)), 0);
        assertEq(desk.openSeries().length, 0);
        assertEq(abi.encode(_measure()), abi.encode(_empty()));
        desk.cancel(auctionId); // what is left of it is a ticket
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.SeriesNotOpen.selector, series));
        desk.collect(series);
    }

    function test_collecting_waits_for_expiry_and_for_a_price() external {
        _sold(id, ONE);
        vm.warp(expiry - 1);
        vm.expectRevert(abi.encodeWithSelector(IOptionDesk.NotExpired.selector, id, expiry));
        desk.collect(id);
        vm.warp(expiry);
        vm.expectPartialRevert(IOptionBook.NotSettleable.selector);
        desk.collect(id);
        settlement.set(ISettlementOracle.Status.Void, 0);
        desk.collect(id);
        assertEq(base.balanceOf(address(vault)), 1_000_000 * ONE - ONE / 2);
    }

    /// Strangers may settle, redeem the desk's longs to it and cancel in any order; the vault gets the same.
    function test_strangers_at_expiry_change_nothing() external {
        _sold(id, 10 * ONE);
        uint256 auctionId = vault.write(id, 4 * ONE, START);
        vm.warp(expiry);
        settlement.set(ISettlementOracle.Status.Settled, 4400e18);
        book.settle(id);
        assertGt(book.redeemFor(id, address(desk)), 0);
        assertEq(base.balanceOf(address(desk)), 2 * ONE);
        vm.prank(mallory);
        desk.cancel(auctionId);
        assertEq(_measure().notionalBase, 10 * ONE, "what is redeemed is not sold");
        desk.collect(id);
        assertEq(base.balanceOf(address(vault)), 1_000_000 * ONE - 5 * ONE);
        assertEq(base.balanceOf(address(desk)), 0);
    }

    /// What a stranger sends is not the vault's until it is collected, and opens nothing.
    function test_longs_sent_to_the_desk_are_not_counted() external {
        _sold(id, 10 * ONE);
        BookValue memory before = _measure();
        vm.prank(alice);
        book.transfer(address(desk), id, ONE);
        assertEq(abi.encode(_measure()), abi.encode(before));
        assertTrue(desk.matchesBook());
    }

    /// The book itself cannot be made to disagree; a desk that finds it does says so.
    function test_the_desk_says_when_the_book_disagrees() external {
        _sold(id, ONE);
        assertTrue(desk.matchesBook());
        vm.mockCall(address(book), abi.encodeCall(book.writtenOf, (id, address(desk))), abi.encode(ONE - 1));
        assertFalse(desk.matchesBook());
        vm.clearMockedCalls();
        vault.write(id, ONE, START);
        vm.mockCall(address(book), abi.encodeCall(book.balanceOf, (address(desk), id)), abi.encode(ONE - 1));
        assertFalse(desk.matchesBook());
        vm.warp(expiry);
        assertTrue(desk.matchesBook());
    }

    // ---------------------------------------------------------------- reentrancy

    function test_V18_reentry_through_the_collateral_is_refused() external {
        Impostor impostor = new Impostor(address(desk), address(vault));
        base.setHook(address(impostor));
        vault.write(id, ONE, START);
        assertFalse(impostor.succeeded());
        assertEq(
            impostor.answer(),
            abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    function _empty() private pure returns (BookValue memory) {}
}

/// @notice Asks the desk for its value in the vault's name, in the middle of a transfer.
contract Impostor {
    address private immutable _desk;
    address private immutable _vault;
    bytes public answer;
    bool public succeeded;

    constructor(address desk_, address vault_) {
        (_desk, _vault) = (desk_, vault_);
    }

    fallback() external {
        VM.prank(_vault);
        (succeeded, answer) = _desk.call(abi.encodeWithSignature("measure(uint256)", 2000e18));
    }

    IPrank private constant VM = IPrank(address(uint160(uint256(keccak256("hevm cheat code")))));
}

interface IPrank {
    function prank(address) external;
}
