// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";

/// @notice Writers, holders, a thief, donors, the market and time act on a few series in any order; ghosts remember what went in
/// and came out of each.
contract OptionHandlers is CommonBase, StdCheats, StdUtils {
    enum Want {
        BuyBack,
        Redeem,
        Reclaim
    }

    OptionBook public immutable book;
    MockOddToken public immutable base;
    MockOddToken public immutable quote;
    MockSettlementOracle public immutable oracle;
    uint256[] public ids;
    address[4] public people = [address(0xA11CE), address(0xB0B), address(0xCA401), address(0xDAD)];

    mapping(uint256 id => uint256) public paidIn;
    mapping(uint256 id => uint256) public paidOut;
    mapping(uint256 id => uint256) public payoffs;
    mapping(uint256 id => uint256) public dueToLongs;
    mapping(uint256 id => uint256) public settledPrice;
    uint256 public donatedBase;
    uint256 public donatedQuote;
    uint256 public twice; // something was settled, redeemed or reclaimed again
    mapping(bytes32 => uint256) public calls;
    mapping(bytes32 => uint256) public effects;

    constructor(OptionBook book_, MockOddToken base_, MockOddToken quote_, MockSettlementOracle oracle_) {
        (book, base, quote, oracle) = (book_, base_, quote_, oracle_);
        for (uint256 i; i < people.length; ++i) {
            base.mint(people[i], 1e36);
            quote.mint(people[i], 1e36);
            vm.startPrank(people[i]);
            base.approve(address(book), type(uint256).max);
            quote.approve(address(book), type(uint256).max);
            vm.stopPrank();
        }
        _add(true, 2000e18, 0, 2 days);
        _add(false, 2000e18, 0, 2 days);
        _add(true, 1900e18, 2300e18, 4 days);
        _add(false, 2100e18, 1700e18, 4 days);
        _add(false, 3, 0, 6 days); // nothing but dust
    }

    function _add(bool isCall, uint128 strike, uint128 second, uint256 tenor) private {
        ids.push(
            book.create(
                IOptionBook.Series({
                    base: address(base),
                    quote: address(quote),
                    oracle: ISettlementOracle(address(oracle)),
                    expiry: uint64(block.timestamp + tenor),
                    isCall: isCall,
                    strikeWad: strike,
                    secondStrikeWad: second
                })
            )
        );
    }

    // ---------------------------------------------------------------- writers

    function write(uint256 who, uint256 which, uint256 amount, uint256 to, bool dust)
        external
        counted("write")
    {
        uint256 id = _pick(which, true);
        amount = _bound(amount, 1, dust ? 5 : 1e24);
        vm.prank(_person(who));
        try book.write(id, amount, _person(to)) returns (uint256 collateral) {
            paidIn[id] += collateral;
            ++effects["write"];
        } catch {}
    }

    function buyBack(uint256 who, uint256 which, uint256 amount) external counted("buyBack") {
        (uint256 id, address person) = _find(which, who, Want.BuyBack);
        uint256 most = book.balanceOf(person, id);
        uint256 written = book.writtenOf(id, person);
        if (written < most) most = written;
        vm.prank(person);
        try book.buyBack(id, _bound(amount, 0, most), person) returns (uint256 collateral) {
            paidOut[id] += collateral;
            ++effects["buyBack"];
        } catch {}
    }

    function reclaim(uint256 who, uint256 which) external counted("reclaim") {
        (uint256 id, address person) = _find(which, who, Want.Reclaim);
        vm.prank(person);
        try book.reclaim(id, person) returns (uint256 collateral) {
            paidOut[id] += collateral;
            ++effects["reclaim"];
        } catch {
            return;
        }
        vm.prank(person);
        try book.reclaim(id, person) {
            ++twice;
        } catch {}
    }

    // ---------------------------------------------------------------- holders

    function transferLong(uint256 from, uint256 to, uint256 which, uint256 amount)
        external
        counted("transferLong")
    {
        uint256 id = ids[which % ids.length];
        address person = _person(from);
        amount = _bound(amount, 0, book.balanceOf(person, id));
        vm.prank(person);
        book.transfer(_person(to), id, amount);
        ++effects["transferLong"];
    }

    function redeem(uint256 who, uint256 which, uint256 amount) external counted("redeem") {
        (uint256 id, address person) = _find(which, who, Want.Redeem);
        amount = _bound(amount, 0, book.balanceOf(person, id));
        vm.prank(person);
        try book.redeem(id, amount, person) returns (uint256 payoff) {
            (paidOut[id], payoffs[id]) = (paidOut[id] + payoff, payoffs[id] + payoff);
            ++effects["redeem"];
        } catch {}
    }

    function redeemFor(uint256 who, uint256 which) external counted("redeemFor") {
        (uint256 id, address person) = _find(which, who, Want.Redeem);
        try book.redeemFor(id, person) returns (uint256 payoff) {
            (paidOut[id], payoffs[id]) = (paidOut[id] + payoff, payoffs[id] + payoff);
            ++effects["redeemFor"];
        } catch {
            return;
        }
        try book.redeemFor(id, person) {
            ++twice;
        } catch {}
    }

    /// @notice Redeems more than is held, of a series that may be settled: nothing may come of it.
    function steal(uint256 who, uint256 which, uint256 amount) external counted("steal") {
        uint256 id = ids[which % ids.length];
        address person = _person(who);
        amount = _bound(amount, book.balanceOf(person, id) + 1, type(uint128).max);
        vm.prank(person);
        try book.redeem(id, amount, person) {
            ++twice;
        } catch {}
    }

    // ---------------------------------------------------------------- anyone, market and time

    /// @notice Another series, so that writing goes on when the first have expired.
    function open(uint256 strike, uint256 second, bool isCall) external counted("open") {
        if (ids.length >= 9) return;
        strike = _bound(strike, 1000e18, 4000e18);
        if (second % 2 == 0) second = 0;
        else second = isCall ? _bound(second, strike + 1, 5000e18) : _bound(second, 1, strike - 1);
        _add(isCall, uint128(strike), uint128(second), 3 days + ids.length);
        ++effects["open"];
    }

    function settle(uint256 which) external counted("settle") {
        uint256 id = _pick(which, true);
        try book.settle(id) returns (uint256 payoff) {
            if (settledPrice[id] != 0) ++twice;
            dueToLongs[id] = payoff;
            settledPrice[id] = oracle.status() == ISettlementOracle.Status.Void ? 1 : oracle.priceWad() + 2;
            ++effects["settle"];
        } catch {}
    }

    /// @notice The oracle says something else from now on, also about what was settled before.
    function market(uint256 price, uint8 status) external counted("market") {
        uint256 roll = status % 8;
        if (roll == 7) oracle.set(ISettlementOracle.Status.Void, 0);
        else if (roll == 6) oracle.set(ISettlementOracle.Status.Quarantined, 0);
        else oracle.set(ISettlementOracle.Status.Settled, _bound(price, roll == 5 ? 1 : 1000e18, 4000e18));
        ++effects["market"];
    }

    function donate(uint256 amount, bool ofBase) external counted("donate") {
        amount = _bound(amount, 0, 1e20);
        vm.prank(people[0]);
        (ofBase ? base : quote).transfer(address(book), amount);
        if (ofBase) donatedBase += amount;
        else donatedQuote += amount;
        ++effects["donate"];
    }

    function time(uint256 hours_) external counted("time") {
        vm.warp(block.timestamp + _bound(hours_, 12, 48) * 1 hours);
        ++effects["time"];
    }

    modifier counted(bytes32 name) {
        ++calls[name];
        _;
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    /// @dev The first series from `which` on that is open, or that is not; whichever there is.
    function _pick(uint256 which, bool wantsOpen) private view returns (uint256) {
        for (uint256 i; i < ids.length; ++i) {
            uint256 id = ids[(which % ids.length + i) % ids.length];
            if ((book.stateOf(id).status == IOptionBook.Status.Open) == wantsOpen) return id;
        }
        return ids[which % ids.length];
    }

    /// @dev The first series and person from here on that can do it; whichever there are otherwise.
    function _find(uint256 which, uint256 who, Want want) private view returns (uint256 id, address person) {
        for (uint256 i; i < ids.length * people.length; ++i) {
            id = ids[(which % ids.length + i) % ids.length];
            person = _person(who % people.length + i / ids.length);
            bool isOpen = book.stateOf(id).status == IOptionBook.Status.Open;
            if (isOpen != (want == Want.BuyBack)) continue;
            bool holds = book.balanceOf(person, id) != 0;
            bool wrote = book.writtenOf(id, person) != 0;
            if (want == Want.BuyBack ? holds && wrote : want == Want.Redeem ? holds : wrote) {
                return (id, person);
            }
        }
    }

    function _person(uint256 seed) private view returns (address) {
        return people[seed % people.length];
    }
}
