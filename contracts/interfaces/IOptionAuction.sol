// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOptionBook} from "./IOptionBook.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {IVolatilityOracle} from "./IVolatilityOracle.sol";

/// @title IAuctionSeller
/// @notice Who opens auctions: told of each fill in the same call, when longs and cash have changed hands. A revert
/// undoes the fill.
interface IAuctionSeller {
    /// @param amount options, raw base
    /// @param paid raw quote, for all of `amount`: received in a sale, given in a purchase
    function onFill(uint256 auctionId, uint256 amount, uint256 paid) external;
}

/// @title IOptionAuction
/// @notice Sales of options at a price that descends to a reserve enforced by a model, and purchases at one that
/// ascends to a cap enforced by it. One base and quote. The auction moves longs and cash between seller, payee and
/// bidder and never holds either.
///
/// Prices are quote per option on one whole base, WAD. Amounts are raw base.
interface IOptionAuction {
    enum Kind {
        None,
        Sale,
        Purchase
    }

    /// @notice What a seller asks for.
    /// @param seriesId of the book, of this base and quote, not expired
    /// @param amount options for sale or wanted
    /// @param limitPriceWad a sale's first price; the most a purchase pays
    /// @param payee who is paid the premium of a sale; not used by a purchase, which is paid from the seller
    /// @param duration seconds of the price path
    /// @param startWindow seconds within which the start is drawn
    /// @param marginBps discount under the model's reserve of a sale; premium over the model's cap of a purchase
    /// @param minBidBps of `amount`, least of one fill; the last remainder may be smaller
    /// @param maxBidBps of `amount`, most of one bidder in all
    struct Order {
        uint256 seriesId;
        uint128 amount;
        uint128 limitPriceWad;
        address payee;
        uint32 duration;
        uint32 startWindow;
        uint16 marginBps;
        uint16 minBidBps;
        uint16 maxBidBps;
    }

    /// @notice An auction as it stands. `left` is 0 once it is filled or closed.
    struct Auction {
        uint256 seriesId;
        address seller;
        uint40 startAt; // first second a fill is taken
        uint40 endAt; // last second
        Kind kind;
        address payee;
        uint16 marginBps;
        uint16 minBidBps;
        uint16 maxBidBps;
        uint128 amount;
        uint128 left;
        uint128 limitPriceWad;
    }

    event Opened(
        uint256 indexed auctionId, uint256 indexed seriesId, address indexed seller, Auction auction
    );
    event Filled(
        uint256 indexed auctionId,
        address indexed bidder,
        address indexed receiver,
        uint256 amount,
        uint256 priceWad,
        uint256 paid
    );
    event Closed(uint256 indexed auctionId, uint256 left);

    error AlreadyExpired(uint256 seriesId, uint256 expiry);
    error AuctionOver(uint256 auctionId, uint256 endAt);
    error BidTooLarge(uint256 auctionId, address bidder, uint256 taken, uint256 maxBid);
    error BidTooSmall(uint256 auctionId, uint256 amount, uint256 minBid);
    error InvalidReceiver(address receiver);
    error MoreThanLeft(uint256 auctionId, uint256 amount, uint256 left);
    error NotSeller(uint256 auctionId, address caller);
    error NotStarted(uint256 auctionId, uint256 startAt);
    error OtherPair(uint256 seriesId, address base, address quote);
    error PriceMoved(uint256 priceWad, uint256 limitWad);
    error TransferMismatch(address token, uint256 expected, uint256 measured);
    error VolatilityFloorUnknown();
    error WrongKind(uint256 auctionId, Kind kind);
    error ZeroAmount();

    /// @notice Open a sale of longs the caller holds and has made this contract operator of. The caller answers `onFill`.
    function sell(Order calldata order) external returns (uint256 auctionId);

    /// @notice Open a purchase, paid from quote the caller has approved to this contract. The caller answers `onFill`.
    function purchase(Order calldata order) external returns (uint256 auctionId);

    /// @notice End an auction, whatever its state. Its seller only.
    /// @return left options neither sold nor bought
    function close(uint256 auctionId) external returns (uint256 left);

    /// @notice Buy `amount` options of a sale at the price now; quote goes from the caller straight to the payee,
    /// rounded up. From `startAt` to `endAt`, both included, and before the series expires.
    /// @param maxPriceWad refused if the price is above
    /// @param receiver of the options
    /// @return paid raw quote
    function bid(uint256 auctionId, uint256 amount, uint256 maxPriceWad, address receiver)
        external
        returns (uint256 paid);

    /// @notice Sell `amount` options to a purchase at the price now; quote is rounded down. The caller has made this
    /// contract operator of the series or approved the amount.
    /// @param minPriceWad refused if the price is below
    /// @param receiver of the quote
    /// @return paid raw quote
    function offer(uint256 auctionId, uint256 amount, uint256 minPriceWad, address receiver)
        external
        returns (uint256 paid);

    /// @notice Price a fill would have now. Reverts while a fill would for its time or for price or volatility.
    function priceWad(uint256 auctionId) external view returns (uint256);

    /// @notice The least a sale takes now, for an option of this series: the model at the volatility floor less the
    /// discount, rounded up, at least one unit (V-11). Reverts while price or floor is unusable.
    function reserveWad(uint256 seriesId, uint256 discountBps) external view returns (uint256);

    /// @notice Where a purchase's price starts, the model at the low volatility, and the most it may reach, the model
    /// at the high volatility plus the premium; both rounded down. Reverts while price or volatility is unusable.
    function purchaseBoundsWad(uint256 seriesId, uint256 premiumBps)
        external
        view
        returns (uint256 lowWad, uint256 capWad);

    /// @notice Whether no fill can come any more: filled, closed, past its end, or its series expired.
    function over(uint256 auctionId) external view returns (bool);

    /// @notice Reverts in the middle of a call into the auction (V-18).
    function requireIdle() external view;

    function auctionOf(uint256 auctionId) external view returns (Auction memory);
    function takenBy(uint256 auctionId, address bidder) external view returns (uint256);
    /// @notice Auctions opened so far; ids are 1 to this.
    function auctionCount() external view returns (uint256);
    function book() external view returns (IOptionBook);
    function priceOracle() external view returns (IPriceOracle);
    function volatilityOracle() external view returns (IVolatilityOracle);
    function base() external view returns (address);
    function quote() external view returns (address);
}
