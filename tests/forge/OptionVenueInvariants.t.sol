// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {BookValue, IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";
import {OptionVenueHandlers} from "./OptionVenueHandlers.sol";

/// @notice V-04's part of options, V-09, V-11, V-15, V-18 after any sequence of keepers, thieves, bidders, strangers,
/// markets and time.
contract OptionVenueInvariantsTest is OptionVenueFixture {
    OptionVenueHandlers private handlers;
    uint256 private baseAtStart;
    uint256 private quoteAtStart;
    uint256 private openedAt;

    function setUp() public override {
        super.setUp();
        handlers = new OptionVenueHandlers(
            OptionVenueHandlers.Parts(
                book, auction, desk, vault, base, quote, prices, vols, settlement, poster
            )
        );
        baseAtStart = base.balanceOf(address(vault));
        quoteAtStart = quote.balanceOf(address(vault));
        openedAt = block.timestamp;
        targetContract(address(handlers));
    }

    /// @dev All in one, so that one campaign serves every claim.
    /// forge-config: deep.invariant.runs = 1600
    function invariant_V09_V11_V15_V18_the_venue_conserves_and_is_bounded() external view {
        assertEq(handlers.belowReserve(), 0, "V-11: sold below the reserve");
        assertEq(handlers.aboveCap(), 0, "bought above the cap");
        assertEq(handlers.unpaid(), 0, "V-15: a premium went elsewhere");
        assertEq(handlers.readInside(), 0, "V-18: read in the middle of a call");
        uint256 window = block.timestamp - openedAt;
        uint256 most = handlers.BUDGET() + handlers.BUDGET() * window / 1 days;
        assertLe(vault.charged(), most, "V-04: losses of fills");
        assertEq(quote.balanceOf(address(auction)), 0, "the auction holds no cash");
        assertEq(quote.allowance(address(desk), address(auction)), desk.escrowAsset(), "approved: the escrow");
        assertEq(quote.allowance(address(desk), address(book)), 0);
        assertEq(base.allowance(address(desk), address(book)), 0);
        assertGe(quote.balanceOf(address(desk)), desk.escrowAsset(), "escrow is there");
        assertTrue(desk.matchesBook(), "the desk's record is the book's");
        _series();
        _tickets();
    }

    /// Every series: collateral, written, sold and unsold add up to what book and tickets say.
    function _series() private view {
        uint256[] memory open = desk.openSeries();
        (uint256 ofBase, uint256 ofQuote) = (0, 0);
        IOptionDesk.Position[] memory list = desk.positions(handlers.spot());
        assertEq(list.length, open.length);
        for (uint256 i; i < open.length; ++i) {
            assertEq(list[i].id, open[i]);
            assertEq(list[i].written, book.writtenOf(open[i], address(desk)));
            assertGt(list[i].written, 0, "a series without options is forgotten");
            assertEq(list[i].sold + list[i].inAuction, list[i].written);
            assertEq(book.balanceOf(address(auction), open[i]), 0, "the auction holds no longs");
            uint256 collateral = book.collateralUp(open[i], list[i].written);
            if (list[i].series.isCall) ofBase += collateral;
            else ofQuote += collateral;
            if (book.stateOf(open[i]).status == IOptionBook.Status.Open) {
                assertGe(book.totalSupply(open[i]), list[i].written, "V-09: a long for each written");
            }
        }
        for (uint256 i; i < handlers.count(); ++i) {
            uint256 id = handlers.ids(i);
            if (!_contains(open, id)) assertEq(book.writtenOf(id, address(desk)), 0, "nothing is forgotten");
        }
        (bool ok, bytes memory answer) =
            address(desk).staticcall(abi.encodeCall(desk.measure, (handlers.spot())));
        if (!ok) return; // volatility unusable and needed
        BookValue memory value = abi.decode(answer, (BookValue));
        assertEq(value.collateralBase, ofBase, "V-09: collateral");
        assertEq(value.collateralAsset, ofQuote, "V-09: collateral");
        assertEq(value.openSeries, open.length);
        assertLe(value.liabilityLow, value.liabilityMid);
        assertLe(value.liabilityMid, value.liabilityHigh);
        // V-09: never more is owed than is held, at any mark.
        assertLe(value.liabilityHigh, ofQuote + (ofBase * handlers.spot()) / 1e30 + 10);
    }

    function _tickets() private view {
        uint256 cash;
        for (uint256 i = 1; i <= auction.auctionCount(); ++i) {
            IOptionDesk.Ticket memory ticket = desk.ticketOf(i);
            IOptionAuction.Auction memory opened = auction.auctionOf(i);
            assertEq(ticket.left, opened.left, "ticket and auction agree");
            assertLe(opened.left, opened.amount);
            cash += ticket.cash;
        }
        assertEq(cash, desk.escrowAsset(), "escrow is the tickets' cash");
    }

    function _contains(uint256[] memory list, uint256 id) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i] == id) return true;
        }
        return false;
    }

    /// Whatever happened, everything can be wound up by strangers, and the books close to the unit: what the vault
    /// has is what it had plus premiums less purchases less payoffs.
    function afterInvariant() external {
        _print();
        prices.setFault(IPriceOracle.Fault.Unreadable);
        vm.warp(block.timestamp + 60 days);
        settlement.set(ISettlementOracle.Status.Settled, 2150e18);
        uint256[] memory open = desk.openSeries();
        for (uint256 i; i < open.length; ++i) {
            desk.collect(open[i]);
        }
        for (uint256 i = 1; i <= auction.auctionCount(); ++i) {
            if (desk.ticketOf(i).kind != IOptionAuction.Kind.None) desk.cancel(i);
        }
        assertEq(desk.openSeries().length, 0);
        assertEq(desk.escrowAsset(), 0);
        BookValue memory empty;
        assertEq(abi.encode(desk.measure(1)), abi.encode(empty));
        for (uint256 i; i < handlers.count(); ++i) {
            uint256 id = handlers.ids(i);
            if (book.stateOf(id).status == IOptionBook.Status.Open) book.settle(id);
            for (uint256 j; j < 3; ++j) {
                address person = handlers.people(j);
                if (book.balanceOf(person, id) != 0) book.redeemFor(id, person);
                if (book.writtenOf(id, person) == 0) continue;
                vm.prank(person);
                book.reclaim(id, person);
            }
            if (book.balanceOf(address(desk), id) != 0) book.redeemFor(id, address(desk)); // gifts
            assertEq(book.stateOf(id).collateral, 0, "V-09: nothing is left");
        }
        uint256 people = quote.balanceOf(handlers.people(0)) + quote.balanceOf(handlers.people(1))
            + quote.balanceOf(handlers.people(2));
        assertEq(
            quote.balanceOf(address(vault)) + quote.balanceOf(address(desk)) + people,
            quoteAtStart + 3e24,
            "V-15: quote went between vault and bidders only"
        );
        people = base.balanceOf(handlers.people(0)) + base.balanceOf(handlers.people(1))
            + base.balanceOf(handlers.people(2));
        assertEq(
            base.balanceOf(address(vault)) + base.balanceOf(address(desk)) + people,
            baseAtStart + 3e30,
            "V-15: base"
        );
    }

    /// So that no invariant holds because nothing happened: 600 calls, drawn as a campaign draws them, after which
    /// every handler has had an effect.
    function test_every_handler_reaches_its_effect() external {
        uint256 seed = 7;
        for (uint256 i; i < 600; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed % 20, seed >> 8, seed >> 72, seed >> 136, seed >> 200);
            if (i % 50 == 0) this.invariant_V09_V11_V15_V18_the_venue_conserves_and_is_bounded();
        }
        string[16] memory names = _names();
        for (uint256 i; i < names.length; ++i) {
            assertGt(handlers.effects(bytes32(bytes(names[i]))), 0, names[i]);
        }
        assertGt(handlers.stolen(), 0);
        this.afterInvariant();
    }

    function _act(uint256 what, uint256 a, uint256 b, uint256 c, uint256 d) private {
        if (what < 2) handlers.write(a, b, c, d % 8 == 0);
        else if (what == 2) handlers.buyBack(a, b, c, d);
        else if (what == 3) handlers.cancel(a, b % 2 == 0);
        else if (what < 7) handlers.bid(a, b, c);
        else if (what < 10) handlers.offer(a, b, c);
        else if (what == 10) handlers.steal(a, b, c % 2 == 0);
        else if (what == 11) handlers.transferLong(a, b, c, d, d % 5 == 0);
        else if (what == 12) handlers.writeElsewhere(a, b, c);
        else if (what == 13) handlers.settle(a, b, c % 4 == 0);
        else if (what == 14) handlers.collect(a);
        else if (what == 15) handlers.redeemFor(a, b % 2 == 0, c);
        else if (what == 16) handlers.market(a, b % 8 == 0);
        else if (what == 17) handlers.post(a);
        else if (what == 18) handlers.minutesPass(a);
        else if (a % 2 == 0) handlers.time(b);
        else handlers.open(b % 2 == 0, c % 2 == 0, d);
    }

    function _names() private pure returns (string[16] memory) {
        return [
            "write",
            "buyBack",
            "cancel",
            "bid",
            "offer",
            "steal",
            "transferLong",
            "writeElsewhere",
            "settle",
            "collect",
            "redeemFor",
            "market",
            "post",
            "time",
            "minutesPass",
            "open"
        ];
    }

    function _print() private view {
        string[16] memory names = _names();
        for (uint256 i; i < names.length; ++i) {
            bytes32 key = bytes32(bytes(names[i]));
            console.log(names[i], handlers.calls(key), handlers.effects(key));
        }
        console.log("stolen, of the most", handlers.stolen(), handlers.BUDGET());
    }
}
