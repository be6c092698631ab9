// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAuctionSeller, IOptionAuction} from "./interfaces/IOptionAuction.sol";
import {IOptionBook} from "./interfaces/IOptionBook.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "./interfaces/IVolatilityOracle.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {OptionLimitsLib} from "./libraries/OptionLimits.sol";
import {OptionValue} from "./libraries/OptionValue.sol";

/// @title OptionAuction
/// @notice Sells and buys back options of one base and quote at prices bounded by an on-chain model (V-11). No owner,
/// no fee.
///
/// What holds: a sale is never filled below the model at the volatility oracle's floor less the discount, at the
/// price of that very block, whatever its seller asked for, and the discount never exceeds the hard ceiling. A
/// purchase never pays more than the least of the seller's maximum and the model at the high volatility plus the
/// premium. No auction is filled beyond its amount, before its start, after its end or from its series' expiry on.
/// Rounding: a bidder pays up and is paid down, fill by fill, so splitting a fill gains nothing. The contract holds
/// nothing: longs go from seller to bidder, cash from bidder to payee, and back in a purchase; `from` is only ever
/// the caller or the seller of that auction.
///
/// What may fail: without a usable price or volatility no fill is taken, and an auction may pass unsold. A seller
/// that reverts in `onFill`, or has given away what it offers, stops its own auctions and no others. Anybody may sell
/// any series of this pair; a series is as good as its settlement oracle, which bidders must look at.
///
/// The start is drawn from `prevrandao`, so that nobody can plan for it in an earlier block. It does not bind whoever
/// proposes the block, who sees the draw before including it, nor a keeper who sends a transaction that reverts
/// unless the draw suits. Least and greatest bids are by address; who uses many addresses is bound by the reserve and
/// the price path, not by them.
///
/// What is assumed: oracles revert rather than lie; quote is a token without callbacks into strangers or fees; a
/// payment that arrives short is refused.
contract OptionAuction is IOptionAuction, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 public constant MAX_MARGIN_BPS = OptionLimitsLib.RESERVE_DISCOUNT_CEILING_BPS;
    uint256 private constant BPS = 10_000;

    /// @inheritdoc IOptionAuction
    IOptionBook public immutable book;
    /// @inheritdoc IOptionAuction
    IPriceOracle public immutable priceOracle;
    /// @inheritdoc IOptionAuction
    IVolatilityOracle public immutable volatilityOracle;
    /// @inheritdoc IOptionAuction
    address public immutable base;
    /// @inheritdoc IOptionAuction
    address public immutable quote;
    /// @dev Raw base x price WAD / _scale = raw quote.
    uint256 private immutable _scale;

    /// @inheritdoc IOptionAuction
    uint256 public auctionCount;
    mapping(uint256 auctionId => Auction) private _auctions;
    /// @inheritdoc IOptionAuction
    mapping(uint256 auctionId => mapping(address bidder => uint256)) public takenBy;

    constructor(IOptionBook book_, IPriceOracle priceOracle_, IVolatilityOracle volatilityOracle_) {
        (book, priceOracle, volatilityOracle) = (book_, priceOracle_, volatilityOracle_);
        (base, quote) = (priceOracle_.base(), priceOracle_.quote());
        uint8 baseDecimals = IERC20Metadata(priceOracle_.base()).decimals();
        uint8 quoteDecimals = IERC20Metadata(priceOracle_.quote()).decimals();
        Bounds.requireWithin("baseDecimals", baseDecimals, 0, 18);
        Bounds.requireWithin("quoteDecimals", quoteDecimals, 0, 18);
        _scale = 10 ** (18 + uint256(baseDecimals) - quoteDecimals);
    }

    // ---------------------------------------------------------------- sellers

    /// @inheritdoc IOptionAuction
    function sell(Order calldata order) external nonReentrant returns (uint256) {
        return _open(order, Kind.Sale);
    }

    /// @inheritdoc IOptionAuction
    function purchase(Order calldata order) external nonReentrant returns (uint256) {
        return _open(order, Kind.Purchase);
    }

    /// @inheritdoc IOptionAuction
    function close(uint256 auctionId) external nonReentrant returns (uint256 left) {
        Auction storage auction = _auctions[auctionId];
        if (msg.sender != auction.seller) revert NotSeller(auctionId, msg.sender);
        left = auction.left;
        auction.left = 0;
        emit Closed(auctionId, left);
    }

    // ---------------------------------------------------------------- bidders

    /// @inheritdoc IOptionAuction
    function bid(uint256 auctionId, uint256 amount, uint256 maxPriceWad, address receiver)
        external
        nonReentrant
        returns (uint256 paid)
    {
        Auction memory auction = _running(auctionId, Kind.Sale);
        uint256 price = _salePriceWadUp(auction);
        if (price > maxPriceWad) revert PriceMoved(price, maxPriceWad);
        _fill(auctionId, auction, amount);
        paid = Math.mulDiv(amount, price, _scale, Math.Rounding.Ceil);
        emit Filled(auctionId, msg.sender, receiver, amount, price, paid);
        _payQuote(msg.sender, auction.payee, paid);
        _moveLongs(auction.seller, receiver, auction.seriesId, amount);
        IAuctionSeller(auction.seller).onFill(auctionId, amount, paid);
    }

    /// @inheritdoc IOptionAuction
    function offer(uint256 auctionId, uint256 amount, uint256 minPriceWad, address receiver)
        external
        nonReentrant
        returns (uint256 paid)
    {
        Auction memory auction = _running(auctionId, Kind.Purchase);
        // Cash paid back to the seller would be nobody's.
        if (receiver == auction.seller || receiver == address(this)) revert InvalidReceiver(receiver);
        uint256 price = _purchasePriceWadDown(auction);
        if (price < minPriceWad) revert PriceMoved(price, minPriceWad);
        _fill(auctionId, auction, amount);
        paid = Math.mulDiv(amount, price, _scale);
        emit Filled(auctionId, msg.sender, receiver, amount, price, paid);
        _moveLongs(msg.sender, auction.seller, auction.seriesId, amount);
        _payQuote(auction.seller, receiver, paid);
        IAuctionSeller(auction.seller).onFill(auctionId, amount, paid);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IOptionAuction
    function priceWad(uint256 auctionId) external view returns (uint256) {
        Kind kind = _auctions[auctionId].kind;
        Auction memory auction = _running(auctionId, kind);
        return kind == Kind.Sale ? _salePriceWadUp(auction) : _purchasePriceWadDown(auction);
    }

    /// @inheritdoc IOptionAuction
    function reserveWad(uint256 seriesId, uint256 discountBps) public view returns (uint256) {
        Bounds.requireWithin("discountBps", discountBps, 0, MAX_MARGIN_BPS);
        if (!volatilityOracle.floorKnown()) revert VolatilityFloorUnknown();
        uint256 floorWad = volatilityOracle.floorWad();
        (OptionValue.Option memory option, uint256 time) = _option(seriesId);
        uint256 value = OptionValue.valueWad(
            option, priceOracle.priceWad(), time, OptionValue.Volatility(floorWad, floorWad)
        );
        return Math.max(1, Math.ceilDiv(value * (BPS - discountBps), BPS));
    }

    /// @inheritdoc IOptionAuction
    function purchaseBoundsWad(uint256 seriesId, uint256 premiumBps)
        public
        view
        returns (uint256 lowWad, uint256 capWad)
    {
        Bounds.requireWithin("premiumBps", premiumBps, 0, MAX_MARGIN_BPS);
        (OptionValue.Option memory option, uint256 time) = _option(seriesId);
        uint256 spotWad = priceOracle.priceWad();
        OptionValue.Volatility memory low;
        OptionValue.Volatility memory high;
        uint256 expiry = block.timestamp + time;
        (low.firstWad,, high.firstWad) = volatilityOracle.volWad(option.strikeWad, spotWad, expiry);
        if (option.secondStrikeWad != 0) {
            (low.secondWad,, high.secondWad) =
                volatilityOracle.volWad(option.secondStrikeWad, spotWad, expiry);
        }
        uint256 atLow = OptionValue.valueWad(option, spotWad, time, low);
        uint256 atHigh = OptionValue.valueWad(option, spotWad, time, high);
        // A spread may be worth less at the higher volatility.
        return (Math.min(atLow, atHigh), Math.max(atLow, atHigh) * (BPS + premiumBps) / BPS);
    }

    /// @inheritdoc IOptionAuction
    function over(uint256 auctionId) external view returns (bool) {
        Auction storage auction = _auctions[auctionId];
        if (auction.left == 0 || block.timestamp > auction.endAt) return true;
        return block.timestamp >= book.seriesOf(auction.seriesId).expiry;
    }

    /// @inheritdoc IOptionAuction
    function requireIdle() external view nonReentrantView {}

    /// @inheritdoc IOptionAuction
    function auctionOf(uint256 auctionId) external view returns (Auction memory) {
        return _auctions[auctionId];
    }

    // ---------------------------------------------------------------- inside

    function _open(Order calldata order, Kind kind) private returns (uint256 auctionId) {
        if (order.amount == 0) revert ZeroAmount();
        Bounds.requireWithin("marginBps", order.marginBps, 0, MAX_MARGIN_BPS);
        Bounds.requireWithin(
            "duration", order.duration, OptionLimitsLib.DURATION_FLOOR, OptionLimitsLib.DURATION_CEILING
        );
        Bounds.requireWithin("startWindow", order.startWindow, 0, OptionLimitsLib.START_WINDOW_CEILING);
        Bounds.requireWithin("maxBidBps", order.maxBidBps, 1, BPS);
        Bounds.requireWithin("minBidBps", order.minBidBps, 0, order.maxBidBps);
        IOptionBook.Series memory series = book.seriesOf(order.seriesId);
        if (series.base != base || series.quote != quote) {
            revert OtherPair(order.seriesId, series.base, series.quote);
        }
        if (block.timestamp >= series.expiry) revert AlreadyExpired(order.seriesId, series.expiry);
        auctionId = ++auctionCount;
        uint256 startAt = block.timestamp + _draw(auctionId, uint256(order.startWindow) + 1);
        Auction memory auction = Auction({
            seriesId: order.seriesId,
            seller: msg.sender,
            startAt: startAt.toUint40(),
            endAt: (startAt + order.duration).toUint40(),
            kind: kind,
            payee: order.payee,
            marginBps: order.marginBps,
            minBidBps: order.minBidBps,
            maxBidBps: order.maxBidBps,
            amount: order.amount,
            left: order.amount,
            limitPriceWad: order.limitPriceWad
        });
        _auctions[auctionId] = auction;
        emit Opened(auctionId, order.seriesId, msg.sender, auction);
    }

    /// @dev From 0 to `range` - 1.
    function _draw(uint256 auctionId, uint256 range) private view returns (uint256) {
        return uint256(keccak256(abi.encode(block.prevrandao, msg.sender, auctionId))) % range;
    }

    function _running(uint256 auctionId, Kind kind) private view returns (Auction memory auction) {
        auction = _auctions[auctionId];
        if (auction.kind != kind || kind == Kind.None) revert WrongKind(auctionId, auction.kind);
        if (block.timestamp < auction.startAt) revert NotStarted(auctionId, auction.startAt);
        if (auction.left == 0 || block.timestamp > auction.endAt) {
            revert AuctionOver(auctionId, auction.endAt);
        }
    }

    /// @dev What a fill takes of the auction and of the bidder's share.
    function _fill(uint256 auctionId, Auction memory auction, uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        if (amount > auction.left) revert MoreThanLeft(auctionId, amount, auction.left);
        uint256 minBid = uint256(auction.amount) * auction.minBidBps / BPS;
        if (amount < minBid && amount != auction.left) revert BidTooSmall(auctionId, amount, minBid);
        uint256 maxBid = Math.ceilDiv(uint256(auction.amount) * auction.maxBidBps, BPS);
        uint256 taken = takenBy[auctionId][msg.sender] + amount;
        if (taken > maxBid) revert BidTooLarge(auctionId, msg.sender, taken, maxBid);
        takenBy[auctionId][msg.sender] = taken;
        _auctions[auctionId].left = (auction.left - amount).toUint128();
    }

    /// @dev From the seller's first price to the reserve of this very block; reverts from expiry on.
    function _salePriceWadUp(Auction memory auction) private view returns (uint256) {
        uint256 reserve = reserveWad(auction.seriesId, auction.marginBps);
        if (auction.limitPriceWad <= reserve) return reserve;
        return reserve
            + Math.mulDiv(
            auction.limitPriceWad - reserve,
            auction.endAt - block.timestamp,
            auction.endAt - auction.startAt,
            Math.Rounding.Ceil
        );
    }

    /// @dev From the model at the low volatility to the least of the cap and the seller's maximum.
    function _purchasePriceWadDown(Auction memory auction) private view returns (uint256) {
        (uint256 low, uint256 cap) = purchaseBoundsWad(auction.seriesId, auction.marginBps);
        cap = Math.min(cap, auction.limitPriceWad);
        if (low >= cap) return cap;
        return
            low + Math.mulDiv(cap - low, block.timestamp - auction.startAt, auction.endAt - auction.startAt);
    }

    function _option(uint256 seriesId) private view returns (OptionValue.Option memory option, uint256 time) {
        IOptionBook.Series memory series = book.seriesOf(seriesId);
        if (block.timestamp >= series.expiry) revert AlreadyExpired(seriesId, series.expiry);
        option = OptionValue.Option(series.isCall, series.strikeWad, series.secondStrikeWad);
        time = series.expiry - block.timestamp;
    }

    function _moveLongs(address from, address to, uint256 seriesId, uint256 amount) private {
        if (!book.transferFrom(from, to, seriesId, amount)) {
            revert TransferMismatch(address(book), amount, 0);
        }
    }

    function _payQuote(address from, address to, uint256 amount) private {
        uint256 before = IERC20(quote).balanceOf(to);
        IERC20(quote).safeTransferFrom(from, to, amount);
        uint256 received = IERC20(quote).balanceOf(to) - before;
        if (received != amount) revert TransferMismatch(quote, amount, received);
    }
}
