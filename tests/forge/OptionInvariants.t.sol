// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {OptionFixture} from "./OptionFixture.sol";
import {OptionHandlers} from "./OptionHandlers.sol";

/// @notice V-09 after any sequence of writers, holders, thieves, donors, markets and time.
contract OptionInvariantsTest is OptionFixture {
    OptionHandlers private handlers;

    function setUp() public override {
        super.setUp();
        handlers = new OptionHandlers(book, base, quote, oracle);
        oracle.set(ISettlementOracle.Status.Settled, 2000e18); // expiry decides, not the first word of the oracle
        targetContract(address(handlers));
    }

    /// @dev All in one, so that one campaign serves every claim.
    function invariant_V09_every_series_holds_what_it_owes() external view {
        assertEq(handlers.twice(), 0, "V-09: twice");
        (uint256 ofBase, uint256 ofQuote) = (handlers.donatedBase(), handlers.donatedQuote());
        for (uint256 i; i < handlers.count(); ++i) {
            uint256 id = handlers.ids(i);
            IOptionBook.State memory state = book.stateOf(id);
            (uint256 written, uint256 promised) = _writers(id);
            assertEq(state.collateral, handlers.paidIn(id) - handlers.paidOut(id), "V-09: conservation");
            assertEq(state.writtenLeft, written, "written");
            if (state.status == IOptionBook.Status.Open) {
                assertEq(book.totalSupply(id), written, "each long has a writer");
                assertEq(state.collateral, promised, "collateral is what the writers owe at most");
            } else {
                assertEq(state.collateral + state.burdenLeft, state.payoffLeft + promised, "V-09: settled");
                assertEq(handlers.payoffs(id) + state.payoffLeft, handlers.dueToLongs(id), "V-09: payoffs");
                uint256 price = handlers.settledPrice(id);
                assertEq(state.priceWad, price == 1 ? 0 : price - 2, "V-10: the price stays");
            }
            assertGe(state.collateral, _greatestPayoff(id, state), "V-09: collateral >= maximum payoff");
            if (book.collateralToken(id) == address(base)) ofBase += state.collateral;
            else ofQuote += state.collateral;
        }
        assertEq(base.balanceOf(address(book)), ofBase, "base held = collateral + gifts");
        assertEq(quote.balanceOf(address(book)), ofQuote, "quote held = collateral + gifts");
    }

    /// Whatever happened, everybody can leave, to the last unit; and the campaign was not idle.
    function afterInvariant() external {
        vm.warp(block.timestamp + 60 days);
        oracle.set(ISettlementOracle.Status.Settled, 2050e18);
        for (uint256 i; i < handlers.count(); ++i) {
            uint256 id = handlers.ids(i);
            if (book.stateOf(id).status == IOptionBook.Status.Open) book.settle(id);
            for (uint256 j; j < 4; ++j) {
                address person = handlers.people(j);
                if (book.balanceOf(person, id) != 0) book.redeemFor(id, person);
                if (book.writtenOf(id, person) == 0) continue;
                vm.prank(person);
                book.reclaim(id, person);
            }
            assertEq(book.stateOf(id).collateral, 0, "V-09: nothing is left");
        }
        assertEq(base.balanceOf(address(book)), handlers.donatedBase());
        assertEq(quote.balanceOf(address(book)), handlers.donatedQuote());
        _print();
    }

    function _writers(uint256 id) private view returns (uint256 written, uint256 promised) {
        for (uint256 j; j < 4; ++j) {
            uint256 amount = book.writtenOf(id, handlers.people(j));
            written += amount;
            promised += book.collateralUp(id, amount);
        }
    }

    function _greatestPayoff(uint256 id, IOptionBook.State memory state) private view returns (uint256) {
        if (state.status != IOptionBook.Status.Open) return state.payoffLeft;
        uint256 supply = book.totalSupply(id);
        uint256 greatest;
        uint256[6] memory prices = [uint256(1), 1700e18, 2000e18, 2300e18, 1e30, type(uint128).max];
        for (uint256 i; i < 6; ++i) {
            uint256 payoff = book.payoffDown(id, supply, prices[i]);
            if (payoff > greatest) greatest = payoff;
        }
        return greatest;
    }

    function _print() private view {
        string[12] memory names = [
            "write",
            "buyBack",
            "transferLong",
            "settle",
            "redeem",
            "redeemFor",
            "reclaim",
            "steal",
            "market",
            "donate",
            "open",
            "time"
        ];
        for (uint256 i; i < names.length; ++i) {
            bytes32 key = bytes32(bytes(names[i]));
            console.log(names[i], handlers.calls(key), handlers.effects(key));
        }
    }
}
