// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IOptionAuction} from "../../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../../contracts/interfaces/ISettlementOracle.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ghosts} from "./Ghosts.sol";

/// @notice The handlers of the campaign with options: the keeper writes, cancels, buys back and trades; bidders and a thief with the same
/// key bid and offer; the poster moves the marks; the market, expiries, strangers who settle and collect.
contract OptionCampaign is Ghosts {
    uint256[] internal ids;
    address[2] internal bidders = [address(0xB1D), address(0xBAD)];
    uint256 public level = 600_000;
    uint256 private openedAt;
    mapping(uint64 expiry => uint256) private settledAtWad; // V-10
    mapping(uint64 expiry => bool) private proven;

    constructor() {
        OptionCampaign.setUp();
    }

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 600_000e6)));
        _live(1 days);
        _post(_smiles(level));
        for (uint256 i; i < 2; ++i) {
            _bidder(bidders[i], 1e15);
        }
        _open();
        startedAt = vm.getBlockTimestamp();
    }

    function _open() private {
        if (openedAt == vm.getBlockTimestamp()) return; // they exist
        openedAt = vm.getBlockTimestamp();
        uint128 spot = uint128(cents * 1e16);
        ids.push(_create(true, spot * 112 / 100, 0, 8 days));
        ids.push(_create(false, spot * 90 / 100, 0, 8 days));
        ids.push(_create(true, spot * 108 / 100, spot * 125 / 100, 20 days));
        ids.push(_create(false, spot * 93 / 100, spot * 85 / 100, 20 days));
    }

    // ---------------------------------------------------------------- keeper

    function write(uint256 which, uint256 amount, uint256 markUp) external counted("write") {
        uint256 id = ids[ids.length - 1 - which % 4];
        IOptionBook.Series memory series = book.seriesOf(id);
        address token = series.isCall ? address(weth) : address(usdc);
        uint256 start = cents * 1e16 * _bound(markUp, 1, 12) / 100;
        amount = _bound(amount, 1e15, 60e18);
        if (_watched(_one(_writeMove(id, token, amount, start)))) ++effects["write"];
    }

    /// @notice V-08: an auction can be cancelled whatever the vault is in.
    function cancel(uint256 which) external counted("cancel") {
        uint256 id = _ticket(which);
        if (id == 0 || !mandate.isKeeper(keeper)) return;
        IVault.Move memory move = IVault.Move(IVault.MoveKind.Cancel, address(desk), address(usdc), 0, 0, id);
        if (_watched(_one(move))) ++effects["cancel"];
        else ++broken["V-08"];
    }

    function buyBack(uint256 which, uint256 part, uint256 priceBps) external counted("buyBack") {
        uint256[] memory open = desk.openSeries();
        if (open.length == 0) return;
        uint256 id = open[which % open.length];
        uint256 held = book.balanceOf(bidders[0], id) + book.balanceOf(bidders[1], id);
        if (held == 0) return;
        uint256 price = cents * 1e16 * _bound(priceBps, 10, 800) / 10_000;
        IVault.Move memory move = IVault.Move(
            IVault.MoveKind.BuyBack, address(desk), address(usdc), _bound(part, 1, held), price, id
        );
        if (_watched(_one(move))) ++effects["buyBack"];
    }

    function swap(uint256 part, bool ofBase, uint256 haircut) external counted("swap") {
        pool.setHaircut(_bound(haircut, 0, 100));
        address token = ofBase ? address(weth) : address(usdc);
        uint256 amount = vault.idle(token) * _bound(part, 1, 60) / 100;
        if (amount != 0 && _watched(_one(_swapMove(token, amount)))) ++effects["swap"];
        pool.setHaircut(0);
    }

    // ---------------------------------------------------------------- bidders

    /// @notice V-11 and V-04: never below the reserve; what a fill loses against the mid mark is charged, all of it.
    function bid(uint256 which, uint256 who, uint256 part, bool late) external counted("bid") {
        uint256 id = _running(which, IOptionAuction.Kind.Sale, late);
        if (id == 0) return;
        IOptionAuction.Auction memory sale = auction.auctionOf(id);
        (bool known, uint256 reserve) = _reserve(sale.seriesId, sale.marginBps);
        (uint256 left,) = mandate.budget(IMandate.Bucket.Routine);
        uint256 nav = known ? valuation.measure().nav : 0;
        part = _amount(id, sale, who, part);
        if (!_bidOne(id, bidders[who % 2], part, known ? reserve : type(uint128).max)) return;
        ++effects["bid"];
        _chargedFill(left, nav);
    }

    function _bidOne(uint256 id, address person, uint256 amount, uint256 reserve) private returns (bool) {
        uint256 before = usdc.balanceOf(address(vault));
        vm.prank(person);
        try auction.bid(id, amount, ALL, person) returns (uint256 paid) {
            if (paid * 1e30 < amount * reserve) ++broken["V-11"];
            if (usdc.balanceOf(address(vault)) != before + paid) ++broken["V-15"];
            return true;
        } catch (bytes memory reason) {
            _refused(reason);
            return false;
        }
    }

    function offer(uint256 which, uint256 who, uint256 part, bool late) external counted("offer") {
        uint256 id = _running(which, IOptionAuction.Kind.Purchase, late);
        if (id == 0) return;
        IOptionAuction.Auction memory wanted = auction.auctionOf(id);
        (uint256 left,) = mandate.budget(IMandate.Bucket.Routine);
        uint256 nav = valuation.measure().nav;
        uint256 escrow = desk.escrowAsset();
        address person = bidders[who % 2];
        part = Math.min(_amount(id, wanted, who, part), book.balanceOf(person, wanted.seriesId));
        vm.prank(person);
        try auction.offer(id, part, 0, person) returns (uint256 paid) {
            ++effects["offer"];
            if (paid > escrow || paid * 1e30 > part * wanted.limitPriceWad) ++broken["V-15"];
        } catch (bytes memory reason) {
            _refused(reason);
            return;
        }
        _chargedFill(left, nav);
    }

    /// @dev The measured NAV falls by no more than what was charged, and by nothing the mandate would not allow.
    function _chargedFill(uint256 leftBefore, uint256 navBefore) private {
        (uint256 left,) = mandate.budget(IMandate.Bucket.Routine);
        routineWad += leftBefore - left;
        uint256 nav = valuation.measure().nav;
        uint256 lost = Math.saturatingSub(navBefore, nav);
        if (navBefore != 0 && lost * WAD / navBefore > leftBefore - left + 20 * WAD / navBefore) {
            ++broken["V-04"];
        }
    }

    // ---------------------------------------------------------------- poster, market, time

    function post(uint256 step) external counted("post") {
        uint256 next = level * _bound(step, 9500, 10_520) / 10_000;
        if (next < 300_000 || next > 1_500_000) next = 600_000;
        vm.prank(poster);
        try vols.post(_smiles(next), ALL) {
            level = next;
            ++effects["post"];
        } catch (bytes memory reason) {
            _refused(reason);
        }
    }

    function trade(uint256 moveBps, bool stale) external counted("trade") {
        cents = Math.min(Math.max(cents * _bound(moveBps, 9700, 10_310) / 10_000, 100_000), 400_000);
        _setPrice(cents);
        if (stale) ethFeed.setRound(99, int256(cents * 1e6), block.timestamp, 98);
        ++effects["trade"];
    }

    function pass(uint256 time) external counted("pass") {
        if (ethFeed.answeredInRound() < ethFeed.roundId()) _setPrice(cents);
        _live(_bound(time, 1 minutes, 18 hours));
        ++effects["pass"];
    }

    /// @notice V-10: to the next expiry, recorded and proven, settled, collected; a second proof changes nothing.
    function expire(uint256 ahead) external counted("expire") {
        uint256[] memory open = desk.openSeries();
        if (open.length == 0) return;
        uint64 expiry = book.seriesOf(open[0]).expiry;
        if (expiry > vm.getBlockTimestamp() && expiry - vm.getBlockTimestamp() > _bound(ahead, 0, 10 days)) {
            return;
        }
        uint256 at = uint256(expiry) + 15 minutes;
        if (vm.getBlockTimestamp() < at) _live(at - vm.getBlockTimestamp());
        _prove(expiry);
        (, uint256 price) = settlement.outcome(expiry);
        if (proven[expiry] && price != settledAtWad[expiry]) ++broken["V-10"];
        (proven[expiry], settledAtWad[expiry]) = (price != 0, price);
        for (uint256 i; i < open.length; ++i) {
            if (book.seriesOf(open[i]).expiry == expiry) _collect(open[i]);
        }
        if (ids.length < 40) _open();
    }

    function _prove(uint64 expiry) private {
        if (settlement.settlementOf(expiry).recordedAt == 0) try settlement.record(expiry) {} catch {}
        uint64 round = ethRounds.transmit(int256(cents * 1e6), expiry - 10 minutes);
        ethRounds.transmit(int256(cents * 1e6), expiry + 10 minutes);
        uint64 dollar = usdcRounds.transmit(1e8, expiry - 10 minutes);
        usdcRounds.transmit(1e8, expiry + 10 minutes);
        try settlement.prove(expiry, _pair(round), _pair(dollar)) {
            if (proven[expiry]) ++broken["V-10"];
        } catch {}
    }

    /// @notice V-09: what is paid and what comes back is the collateral; nobody is paid twice.
    function _collect(uint256 id) private {
        try book.settle(id) {} catch {}
        if (book.stateOf(id).status != IOptionBook.Status.Settled) return;
        uint256 collateral = book.stateOf(id).collateral;
        address token = book.collateralToken(id);
        uint256 before = _tokens(token);
        for (uint256 i; i < 2; ++i) {
            if (book.balanceOf(bidders[i], id) == 0) continue;
            book.redeemFor(id, bidders[i]);
            try book.redeemFor(id, bidders[i]) {
                ++broken["V-09"];
            } catch {}
        }
        vm.prank(stranger);
        desk.collect(id);
        try desk.collect(id) {
            ++broken["V-09"];
        } catch {}
        if (_tokens(token) - before != collateral || book.stateOf(id).collateral != 0) ++broken["V-09"];
        ++effects["expire"];
    }

    function pause(uint256 which) external counted("pause") {
        vm.startPrank(which % 3 == 0 ? guardian : curator);
        if (which % 3 == 0) {
            mandate.pause();
        } else if (mandate.paused()) {
            bytes memory call_ = abi.encodeCall(IMandate.unpause, ());
            manager.schedule(address(mandate), call_, 0);
            vm.warp(vm.getBlockTimestamp() + CURATOR_DELAY);
            manager.execute(address(mandate), call_);
        }
        vm.stopPrank();
        ++effects["pause"];
    }

    // ---------------------------------------------------------------- what holds always

    function requireBooks() external view {
        uint256[] memory open = desk.openSeries();
        assertLe(open.length, _optionLimits().maxSeries, "series");
        (uint256 ofBase, uint256 ofAsset) = (0, 0);
        for (uint256 i; i < open.length; ++i) {
            uint256 written = book.writtenOf(open[i], address(desk));
            if (book.stateOf(open[i]).status != IOptionBook.Status.Open) continue;
            uint256 collateral = book.collateralUp(open[i], written);
            assertGe(book.stateOf(open[i]).collateral, collateral, "V-09: collateral");
            if (book.seriesOf(open[i]).isCall) ofBase += collateral;
            else ofAsset += collateral;
        }
        assertEq(weth.balanceOf(address(book)), ofBase, "V-09: base at the book");
        assertEq(usdc.balanceOf(address(book)), ofAsset, "V-09: dollars at the book");
        assertEq(usdc.balanceOf(address(desk)), desk.escrowAsset(), "V-15: the desk holds its escrow");
        assertEq(usdc.balanceOf(address(auction)) + weth.balanceOf(address(auction)), 0, "V-15: auction");
        assertEq(weth.balanceOf(address(desk)) + usdc.balanceOf(keeper) + usdc.balanceOf(stranger), 0, "V-15");
        assertTrue(desk.matchesBook(), "the desk's record is the book's");
        assertFalse(vault.unhedged(), "and the flag is down");
    }

    // ---------------------------------------------------------------- inside

    /// @dev NAV and delta with options are the valuation's: what is tested here is what is done with them.
    function _navNow() internal view override returns (bool, uint256) {
        (bool priced,) = address(oracle).staticcall(abi.encodeCall(oracle.priceWad, ()));
        return priced ? (true, valuation.measure().nav) : (false, 0);
    }

    function _gap(uint256 nav) internal view override returns (uint256) {
        int256 target = int256(nav) * _caps().deltaTargetBps / 10_000;
        int256 delta = valuation.measure().deltaBase * int256(cents * 1e16) / 1e30;
        return uint256(delta > target ? delta - target : target - delta);
    }

    function _amount(uint256 id, IOptionAuction.Auction memory a, uint256 who, uint256 part)
        private
        view
        returns (uint256)
    {
        uint256 most = uint256(a.amount) * a.maxBidBps / 10_000;
        most = Math.saturatingSub(most, auction.takenBy(id, bidders[who % 2]));
        return Math.max(1, Math.min(most, a.left) * _bound(part, 10, 100) / 100);
    }

    function _running(uint256 which, IOptionAuction.Kind kind, bool late) private returns (uint256) {
        uint256 opened = auction.auctionCount();
        for (uint256 i; i < opened && i < 6; ++i) {
            uint256 id = opened - i;
            if (which % 3 == 1 && i == 0) continue;
            IOptionAuction.Auction memory a = auction.auctionOf(id);
            if (a.kind != kind || auction.over(id)) continue;
            uint256 at = late ? a.endAt : a.startAt;
            if (at > vm.getBlockTimestamp()) _live(at - vm.getBlockTimestamp());
            return id;
        }
        return 0;
    }

    function _ticket(uint256 which) private view returns (uint256) {
        uint256 opened = auction.auctionCount();
        for (uint256 i; i < opened && i < 8; ++i) {
            uint256 id = opened - (which + i) % Math.min(opened, 8);
            if (desk.ticketOf(id).kind != IOptionAuction.Kind.None) return id;
        }
        return 0;
    }

    function _reserve(uint256 id, uint256 discount) private view returns (bool, uint256) {
        try auction.reserveWad(id, discount) returns (uint256 reserve) {
            return (true, reserve);
        } catch {
            return (false, 0);
        }
    }

    function _tokens(address token) private view returns (uint256 sum) {
        address[3] memory holders = [address(vault), bidders[0], bidders[1]];
        for (uint256 i; i < 3; ++i) {
            sum += token == address(usdc) ? usdc.balanceOf(holders[i]) : weth.balanceOf(holders[i]);
        }
    }

    function _pair(uint64 round) private pure returns (ISettlementOracle.Straddle memory) {
        uint80 phase = uint80(1) << 64;
        return ISettlementOracle.Straddle(phase | round, phase | (round + 1));
    }
}
