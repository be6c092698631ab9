// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {OptionAuction} from "../../contracts/OptionAuction.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {OptionDesk} from "../../contracts/adapters/OptionDesk.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {BlackScholes} from "../../contracts/libraries/BlackScholes.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockOptionVault} from "./mocks/MockOptionVault.sol";
import {MockPriceOracle} from "./mocks/MockPriceOracle.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";

/// @notice Keeper, bidders, a thief who is keeper and bidder at once, strangers, the market, volatility posts and
/// time act on a desk in any order; ghosts remember what every fill cost and what must have been paid.
contract OptionVenueHandlers is CommonBase, StdCheats, StdUtils {
    struct Parts {
        OptionBook book;
        OptionAuction auction;
        OptionDesk desk;
        MockOptionVault vault;
        MockOddToken base;
        MockOddToken quote;
        MockPriceOracle prices;
        VolatilityOracle vols;
        MockSettlementOracle settlement;
        address poster;
    }

    uint256 private constant ONE = 1e18;
    uint256 public constant BUDGET = 20_000e6; // of a day

    OptionBook private immutable book;
    OptionAuction private immutable auction;
    OptionDesk private immutable desk;
    MockOptionVault private immutable vault;
    MockOddToken private immutable base;
    MockOddToken private immutable quote;
    MockPriceOracle private immutable prices;
    VolatilityOracle private immutable vols;
    MockSettlementOracle private immutable settlement;
    address private immutable poster;

    address[3] public people = [address(0xA11CE), address(0xB0B), address(0xBAD)];
    uint256[] public ids;
    uint256 public spot = 2000e18;
    uint256 public level = 10_000;
    // what must never happen, counted
    uint256 public belowReserve; // V-11
    uint256 public aboveCap;
    uint256 public unpaid; // premiums not wholly at the vault
    uint256 public readInside; // V-18
    uint256 public budgetBroken;
    // ghosts
    uint256 public stolen; // what the thief's fills took against the mid mark, as charged
    uint256 public premiums;
    uint256 public cashOut; // what purchases paid
    uint256 public refilledAt;
    mapping(bytes32 => uint256) public calls;
    mapping(bytes32 => uint256) public effects;

    modifier counted(bytes32 name) {
        ++calls[name];
        _;
    }

    constructor(Parts memory parts) {
        (book, auction, desk, vault) = (parts.book, parts.auction, parts.desk, parts.vault);
        (base, quote, prices, vols) = (parts.base, parts.quote, parts.prices, parts.vols);
        (settlement, poster) = (parts.settlement, parts.poster);
        for (uint256 i; i < people.length; ++i) {
            quote.mint(people[i], 1e24);
            base.mint(people[i], 1e30);
            vm.startPrank(people[i]);
            quote.approve(address(auction), type(uint256).max);
            base.approve(address(book), type(uint256).max);
            book.setOperator(address(auction), true);
            vm.stopPrank();
        }
        vault.setBudget(BUDGET);
        refilledAt = block.timestamp;
        _add(true, 2200e18, 0, 5 days);
        _add(false, 1850e18, 0, 5 days);
        _add(true, 2100e18, 2400e18, 9 days);
        _add(false, 1900e18, 1600e18, 9 days);
        _add(true, 2300e18, 0, 14 days);
    }

    function _add(bool isCall, uint128 strike, uint128 second, uint256 tenor) private {
        ids.push(
            book.create(
                IOptionBook.Series({
                    base: address(base),
                    quote: address(quote),
                    oracle: ISettlementOracle(address(settlement)),
                    expiry: uint64(block.timestamp + tenor),
                    isCall: isCall,
                    strikeWad: strike,
                    secondStrikeWad: second
                })
            )
        );
    }

    // ---------------------------------------------------------------- keeper

    function write(uint256 which, uint256 amount, uint256 markUp, bool dust) external counted("write") {
        uint256 id = ids[which % ids.length];
        uint256 start = _midOf(id) * _bound(markUp, 100, 300) / 100 + 1;
        vm.prank(address(vault));
        try desk.write(id, _bound(amount, 1, dust ? 3 : 40 * ONE), start) {
            ++effects["write"];
        } catch {}
    }

    function buyBack(uint256 which, uint256 amount, uint256 cash, uint256 price) external counted("buyBack") {
        (uint256 id, uint256 sold) = _soldSeries(which);
        vm.prank(address(vault));
        try desk.buyBack(
            id, _bound(amount, 1, sold + 1), _bound(price, 1, 300e18), _bound(cash, 1, 20_000e6)
        ) {
            ++effects["buyBack"];
        } catch {}
    }

    function cancel(uint256 which, bool stranger) external counted("cancel") {
        uint256 opened = auction.auctionCount();
        if (opened == 0) return;
        vm.prank(stranger ? people[2] : address(vault));
        try desk.cancel(1 + which % opened) {
            ++effects["cancel"];
        } catch {}
    }

    // ---------------------------------------------------------------- bidders

    function bid(uint256 who, uint256 which, uint256 amount) external counted("bid") {
        _bid(people[who % 3], _running(which, IOptionAuction.Kind.Sale), amount, "bid");
    }

    function offer(uint256 who, uint256 which, uint256 amount) external counted("offer") {
        _offer(people[who % 3], _running(which, IOptionAuction.Kind.Purchase), amount, "offer");
    }

    /// The stolen key writes at the lowest first price there is, waits for the end, and buys what it wrote; or asks
    /// for it back at any price and sells at the end.
    function steal(uint256 which, uint256 amount, bool selling) external counted("steal") {
        uint256 id = ids[which % ids.length];
        uint256 auctionId;
        if (selling) {
            uint256 start = _midOf(id) + 1;
            vm.prank(address(vault));
            try desk.write(id, _bound(amount, 1, 40 * ONE), start) returns (uint256 opened) {
                auctionId = opened;
            } catch {
                return;
            }
        } else {
            (id,) = _soldSeries(which);
            amount = book.balanceOf(people[2], id);
            uint256 sold = _soldOf(id);
            if (amount > sold) amount = sold;
            if (amount == 0) return;
            vm.prank(address(vault));
            try desk.buyBack(id, amount, type(uint128).max, 50_000e6) returns (uint256 opened) {
                auctionId = opened;
            } catch {
                return;
            }
        }
        vm.warp(auction.auctionOf(auctionId).endAt);
        uint256 charged = vault.charged();
        if (selling) _bid(people[2], auctionId, type(uint256).max, "steal");
        else _offer(people[2], auctionId, type(uint256).max, "steal");
        stolen += vault.charged() - charged;
    }

    function transferLong(uint256 from, uint256 to, uint256 which, uint256 amount, bool toDesk)
        external
        counted("transferLong")
    {
        uint256 id = ids[which % ids.length];
        address person = people[from % 3];
        amount = _bound(amount, 0, book.balanceOf(person, id));
        if (amount == 0) return;
        vm.prank(person);
        book.transfer(toDesk ? address(desk) : people[to % 3], id, amount);
        ++effects["transferLong"];
    }

    /// Somebody else writes the same series, so that longs are not the vault's alone.
    function writeElsewhere(uint256 who, uint256 which, uint256 amount) external counted("writeElsewhere") {
        vm.prank(people[who % 3]);
        try book.write(ids[which % ids.length], _bound(amount, 1, 5 * ONE), people[who % 3]) {
            ++effects["writeElsewhere"];
        } catch {}
    }

    // ---------------------------------------------------------------- strangers at expiry

    function settle(uint256 which, uint256 price, bool void) external counted("settle") {
        uint256 id = _expired(which);
        price = _bound(price, 1000e18, 4000e18);
        settlement.set(
            void ? ISettlementOracle.Status.Void : ISettlementOracle.Status.Settled, void ? 0 : price
        );
        try book.settle(id) {
            ++effects["settle"];
        } catch {}
        settlement.set(ISettlementOracle.Status.Open, 0);
    }

    function collect(uint256 which) external counted("collect") {
        vm.prank(people[2]);
        try desk.collect(_expired(which)) {
            ++effects["collect"];
        } catch {}
    }

    function redeemFor(uint256 which, bool ofDesk, uint256 who) external counted("redeemFor") {
        try book.redeemFor(_expired(which), ofDesk ? address(desk) : people[who % 3]) {
            ++effects["redeemFor"];
        } catch {}
    }

    // ---------------------------------------------------------------- the world

    function market(uint256 moveBps, bool stall) external counted("market") {
        spot = spot * _bound(moveBps, 9500, 10_530) / 10_000;
        if (spot < 1200e18) spot = 1200e18;
        if (spot > 3500e18) spot = 3500e18;
        prices.setFault(stall ? IPriceOracle.Fault.Stale : IPriceOracle.Fault.None);
        prices.set(spot);
        ++effects["market"];
    }

    function post(uint256 scaleBps) external counted("post") {
        prices.setFault(IPriceOracle.Fault.None);
        scaleBps = _bound(scaleBps, 9800, 10_200);
        (, VolatilitySmile.Mark[] memory marks,) = vols.surface();
        for (uint256 i; i < marks.length; ++i) {
            marks[i].levelPpm = uint32(marks[i].levelPpm * scaleBps / 10_000);
        }
        vm.prank(poster);
        try vols.post(marks, type(uint256).max) {
            ++effects["post"];
        } catch {}
    }

    /// Hours pass, observed and posted, as with a keeper that works.
    function time(uint256 hours_) external counted("time") {
        prices.setFault(IPriceOracle.Fault.None);
        hours_ = _bound(hours_, 1, 20);
        for (uint256 i; i < hours_; ++i) {
            vm.warp((block.timestamp / 1 hours + 1) * 1 hours);
            prices.set(i % 2 == 0 ? spot : spot * 10_050 / 10_000);
            vols.observe();
        }
        prices.set(spot);
        (, VolatilitySmile.Mark[] memory marks,) = vols.surface();
        vm.prank(poster);
        try vols.post(marks, type(uint256).max) {} catch {}
        _refill();
        ++effects["time"];
    }

    function minutesPass(uint256 seconds_) external counted("minutesPass") {
        vm.warp(block.timestamp + _bound(seconds_, 1, 40 minutes));
        ++effects["minutesPass"];
    }

    /// A new series near the market, so that a campaign does not end with its first expiries.
    function open(bool isCall, bool spread, uint256 tenor) external counted("open") {
        if (ids.length >= 12) return;
        uint128 strike = uint128(spot * (isCall ? 108 : 93) / 100);
        uint128 second = spread ? uint128(spot * (isCall ? 120 : 80) / 100) : 0;
        _add(isCall, strike, second, _bound(tenor, 2 days, 20 days));
        ++effects["open"];
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    // ---------------------------------------------------------------- reentry

    /// In the middle of any transfer of the quote: nothing of desk or auction can be read or done (V-18).
    fallback() external {
        (bool read,) = address(desk).staticcall(abi.encodeCall(desk.measure, (spot)));
        (bool listed,) = address(desk).staticcall(abi.encodeCall(desk.positions, (spot)));
        (bool closed,) = address(desk).call(abi.encodeCall(desk.cancel, (1)));
        (bool taken,) =
            address(auction).call(abi.encodeCall(auction.bid, (1, 1, type(uint256).max, people[2])));
        if (read || listed || closed || taken) ++readInside;
    }

    // ---------------------------------------------------------------- inside

    function _bid(address who, uint256 auctionId, uint256 amount, bytes32 name) private {
        IOptionAuction.Auction memory sale = auction.auctionOf(auctionId);
        if (sale.kind != IOptionAuction.Kind.Sale) return;
        amount = _amount(who, auctionId, sale, amount);
        (uint256 reserve, bool known) = _reserveOf(sale.seriesId, sale.marginBps);
        uint256 before = quote.balanceOf(address(vault));
        quote.setHook(address(this));
        vm.prank(who);
        try auction.bid(auctionId, amount, type(uint256).max, who) returns (uint256 paid) {
            ++effects[name];
            premiums += paid;
            if (!known || paid * 1e30 < amount * reserve) ++belowReserve;
            if (quote.balanceOf(address(vault)) != before + paid) ++unpaid;
        } catch {}
        quote.setHook(address(0));
    }

    function _offer(address who, uint256 auctionId, uint256 amount, bytes32 name) private {
        IOptionAuction.Auction memory wanted = auction.auctionOf(auctionId);
        if (wanted.kind != IOptionAuction.Kind.Purchase) return;
        amount = _amount(who, auctionId, wanted, amount);
        uint256 held = book.balanceOf(who, wanted.seriesId);
        if (amount > held) amount = held;
        uint256 cap = _capOf(wanted);
        quote.setHook(address(this));
        vm.prank(who);
        try auction.offer(auctionId, amount, 0, who) returns (uint256 paid) {
            ++effects[name];
            cashOut += paid;
            if (paid * 1e30 > amount * cap) ++aboveCap;
        } catch {}
        quote.setHook(address(0));
    }

    /// As much as this bidder may take at most, or part of it.
    function _amount(address who, uint256 auctionId, IOptionAuction.Auction memory running, uint256 amount)
        private
        view
        returns (uint256)
    {
        uint256 most = uint256(running.amount) * running.maxBidBps / 10_000;
        uint256 taken = auction.takenBy(auctionId, who);
        most = most > taken ? most - taken : 1;
        if (most > running.left) most = running.left;
        return amount == type(uint256).max ? most : _bound(amount, 0, most + 1);
    }

    /// An auction of this kind that takes fills; if none does yet, one that will, and its first second.
    function _running(uint256 which, IOptionAuction.Kind kind) private returns (uint256) {
        uint256 opened = auction.auctionCount();
        for (uint256 i; i < opened; ++i) {
            uint256 auctionId = 1 + addmod(which, i, opened);
            IOptionAuction.Auction memory running = auction.auctionOf(auctionId);
            if (running.kind != kind || auction.over(auctionId)) continue;
            if (block.timestamp < running.startAt) vm.warp(running.startAt);
            return auctionId;
        }
        return 0;
    }

    /// The first series from `which` on of which something is sold.
    function _soldSeries(uint256 which) private view returns (uint256 id, uint256 sold) {
        for (uint256 i; i < ids.length; ++i) {
            id = ids[addmod(which, i, ids.length)];
            sold = _soldOf(id);
            if (sold != 0) return (id, sold);
        }
    }

    /// The first series from `which` on that has expired.
    function _expired(uint256 which) private view returns (uint256 id) {
        for (uint256 i; i < ids.length; ++i) {
            id = ids[addmod(which, i, ids.length)];
            if (block.timestamp >= book.seriesOf(id).expiry) return id;
        }
    }

    /// The reserve a second way: straight from the model.
    function _reserveOf(uint256 id, uint256 discountBps) private view returns (uint256 reserve, bool known) {
        IOptionBook.Series memory series = book.seriesOf(id);
        if (block.timestamp >= series.expiry || !vols.floorKnown()) return (0, false);
        reserve = _price(series, series.strikeWad, vols.floorWad());
        if (series.secondStrikeWad != 0) {
            uint256 other = _price(series, series.secondStrikeWad, vols.floorWad());
            reserve = reserve > other ? reserve - other : 0;
        }
        return (reserve * (10_000 - discountBps) / 10_000, true);
    }

    function _capOf(IOptionAuction.Auction memory wanted) private view returns (uint256) {
        IOptionBook.Series memory series = book.seriesOf(wanted.seriesId);
        try vols.volWad(series.strikeWad, spot, series.expiry) returns (uint256, uint256, uint256 high) {
            uint256 cap = _price(series, series.strikeWad, high) * (10_000 + wanted.marginBps) / 10_000;
            return cap < wanted.limitPriceWad ? cap : wanted.limitPriceWad;
        } catch {
            return 0;
        }
    }

    function _price(IOptionBook.Series memory series, uint256 strike, uint256 volatility)
        private
        view
        returns (uint256)
    {
        (uint256 call, uint256 put) =
            BlackScholes.price(spot, strike, series.expiry - block.timestamp, volatility, 0);
        return series.isCall ? call : put;
    }

    function _midOf(uint256 id) private view returns (uint256) {
        IOptionBook.Series memory series = book.seriesOf(id);
        try vols.volWad(series.strikeWad, spot, series.expiry) returns (uint256, uint256 mid, uint256) {
            return _price(series, series.strikeWad, mid);
        } catch {
            return 1;
        }
    }

    function _soldOf(uint256 id) private view returns (uint256) {
        try desk.positions(spot) returns (OptionDesk.Position[] memory list) {
            for (uint256 i; i < list.length; ++i) {
                if (list[i].id == id) return list[i].sold;
            }
        } catch {}
        return 0;
    }

    /// A day's budget refills in a day, as the vault's bucket does.
    function _refill() private {
        uint256 refill = (block.timestamp - refilledAt) * BUDGET / 1 days;
        refilledAt = block.timestamp;
        uint256 budget = vault.budget() + refill;
        vault.setBudget(budget > BUDGET ? BUDGET : budget);
    }
}
