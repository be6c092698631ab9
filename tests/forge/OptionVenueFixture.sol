// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionAuction} from "../../contracts/OptionAuction.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {OptionDesk} from "../../contracts/adapters/OptionDesk.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {BookValue} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {OptionLimits} from "../../contracts/libraries/OptionLimits.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockOptionVault} from "./mocks/MockOptionVault.sol";
import {MockPriceOracle} from "./mocks/MockPriceOracle.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";

/// @notice A price oracle that also says of what.
contract PairPriceOracle is MockPriceOracle {
    address public immutable base;
    address public immutable quote;

    constructor(uint256 priceWad_, address base_, address quote_) MockPriceOracle(priceWad_) {
        (base, quote) = (base_, quote_);
    }
}

/// @notice The real book, auction, desk and volatility oracle, about 65 % marked over a floor of 33 %; a price of
/// 2,000; a vault that only passes on, and three bidders.
abstract contract OptionVenueFixture is VolatilityFixture {
    uint128 internal constant K = 2200e18;
    uint256 internal constant ONE = 1e18;
    uint256 internal constant START = 400e18;

    OptionBook internal book;
    OptionAuction internal auction;
    OptionDesk internal desk;
    MockOptionVault internal vault;
    MockOddToken internal base;
    MockOddToken internal quote;
    MockSettlementOracle internal settlement;
    uint64 internal expiry;
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");

    function setUp() public virtual override {
        vm.warp(1_700_000_000 / INTERVAL * INTERVAL);
        base = new MockOddToken("BASE", 18);
        quote = new MockOddToken("QUOTE", _quoteDecimals());
        prices = new PairPriceOracle(FORWARD, address(base), address(quote));
        vols = new VolatilityOracle(_setup(), _tenors(), _marks(), _limits());
        _observeHours(60, 50);
        _refresh();
        prices.set(FORWARD);
        settlement = new MockSettlementOracle(address(base), address(quote), 18, _quoteDecimals());
        book = new OptionBook();
        auction = new OptionAuction(book, IPriceOracle(address(prices)), vols);
        vault = new MockOptionVault(address(quote), address(base), address(prices), _optionLimits());
        desk = new OptionDesk(address(vault), book, auction, vols, ISettlementOracle(address(settlement)));
        vault.setDesk(desk);
        base.mint(address(vault), 1_000_000 * ONE);
        quote.mint(address(vault), _cash(1e9));
        address[3] memory bidders = [alice, bob, carol];
        for (uint256 i; i < 3; ++i) {
            quote.mint(bidders[i], _cash(1e12));
            vm.startPrank(bidders[i]);
            quote.approve(address(auction), type(uint256).max);
            book.setOperator(address(auction), true);
            vm.stopPrank();
        }
        expiry = uint64(vm.getBlockTimestamp() + 30 days);
    }

    function _quoteDecimals() internal pure virtual returns (uint8) {
        return 6;
    }

    function _cash(uint256 dollars) internal pure returns (uint256) {
        return dollars * 10 ** _quoteDecimals();
    }

    function _optionLimits() internal pure returns (OptionLimits memory) {
        return OptionLimits({
            minTenor: 1 days,
            maxTenor: 60 days,
            minDeltaBps: 500,
            maxDeltaBps: 6000,
            maxNotionalBps: 10_000,
            maxVegaBps: 5000,
            reserveDiscountBps: 500,
            buyBackPremiumBps: 500,
            auctionDuration: 1 hours,
            startWindow: 10 minutes,
            minBidBps: 100,
            maxBidBps: 5000,
            maxSeries: 64
        });
    }

    // ---------------------------------------------------------------- acts

    /// Marks as they were, posted now.
    function _refresh() internal {
        _post(_marks());
    }

    function _series(bool isCall, uint128 strike, uint128 second)
        internal
        view
        returns (IOptionBook.Series memory)
    {
        return IOptionBook.Series({
            base: address(base),
            quote: address(quote),
            oracle: ISettlementOracle(address(settlement)),
            expiry: expiry,
            isCall: isCall,
            strikeWad: strike,
            secondStrikeWad: second
        });
    }

    function _create(bool isCall, uint128 strike, uint128 second) internal returns (uint256) {
        return book.create(_series(isCall, strike, second));
    }

    function _call() internal returns (uint256) {
        return _create(true, K, 0);
    }

    /// Opened, and time moved to its first second.
    function _sale(uint256 id, uint256 amount) internal returns (uint256 auctionId) {
        auctionId = vault.write(id, amount, START);
        vm.warp(auction.auctionOf(auctionId).startAt);
    }

    function _purchase(uint256 id, uint256 amount, uint256 maxPriceWad, uint256 cash)
        internal
        returns (uint256 auctionId)
    {
        auctionId = vault.buyBack(id, amount, maxPriceWad, cash);
        vm.warp(auction.auctionOf(auctionId).startAt);
    }

    function _bid(address who, uint256 auctionId, uint256 amount) internal returns (uint256) {
        vm.prank(who);
        return auction.bid(auctionId, amount, type(uint256).max, who);
    }

    function _offer(address who, uint256 auctionId, uint256 amount) internal returns (uint256) {
        vm.prank(who);
        return auction.offer(auctionId, amount, 0, who);
    }

    /// Written and sold to alice and bob, half each.
    function _sold(uint256 id, uint256 amount) internal {
        uint256 auctionId = _sale(id, amount);
        _bid(alice, auctionId, amount / 2);
        _bid(bob, auctionId, amount - amount / 2);
    }

    function _toEnd(uint256 auctionId) internal {
        vm.warp(auction.auctionOf(auctionId).endAt);
    }

    function _measure() internal view returns (BookValue memory) {
        return desk.measure(FORWARD);
    }

    function _order(uint256 id, uint128 amount) internal view returns (IOptionAuction.Order memory) {
        return IOptionAuction.Order({
            seriesId: id,
            amount: amount,
            limitPriceWad: uint128(START),
            payee: address(vault),
            duration: 1 hours,
            startWindow: 10 minutes,
            marginBps: 500,
            minBidBps: 100,
            maxBidBps: 5000
        });
    }
}
