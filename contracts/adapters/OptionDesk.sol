// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAuctionSeller, IOptionAuction} from "../interfaces/IOptionAuction.sol";
import {IOptionBook} from "../interfaces/IOptionBook.sol";
import {IOptionDesk, IOptionLimits, IOptionVault, IVaultCharge} from "../interfaces/IOptionDesk.sol";
import {ISettlementOracle} from "../interfaces/ISettlementOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {BookValuation} from "../libraries/BookValuation.sol";
import {OptionLimits} from "../libraries/OptionLimits.sol";
import {OptionPositions} from "./OptionPositions.sol";

/// @title OptionDesk
/// @notice One vault's options: this contract is the writer in the book and the seller in the auction.
///
/// What holds: collateral, premiums, cash and payoffs leave to the vault alone (V-15), but for cash that a purchase
/// pays to whom it buys from. Asset held here is the cash of purchases and nothing else, and the auction is approved
/// exactly that. Longs held here are what is unsold: the auction is operator of them and takes only what it was given
/// to sell. Liability is what has been sold; what is unsold is nobody's claim. Only the vault starts anything.
/// Stopping is the vault's at any time and anybody's once no fill can come, and reads no price: nothing can block it.
/// Collecting after expiry is anybody's.
///
/// A stolen keeper who bids too: a sale starts at the mid mark at least and is never filled below the reserve, and
/// what a fill loses against the mid mark is charged to the mandate's loss bucket in the same call, or the fill does
/// not happen. A fill without loss charges nothing.
///
/// What may fail: while price or volatility is unusable nothing is written or filled, and a book with live options
/// sold cannot be measured. A series whose settlement nobody can prove waits, in full range between low and high
/// mark, as long as its oracle does.
///
/// What is assumed: the mandate calls no stranger from `chargeFill`, during which the desk can be read; the book and
/// the auction are the ones of this project; tokens are the vault's. Longs a stranger sends here are not counted, and
/// are redeemed to the vault with the series.
contract OptionDesk is OptionPositions {
    using BookValuation for BookValuation.Held;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    mapping(uint256 auctionId => Ticket) private _tickets;

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param vault_ the one vault this desk will ever serve
    /// @param book_ where it writes
    /// @param auction_ where it sells; of this book, of the vault's pair and price oracle
    /// @param volatilityOracle_ the auction's too
    /// @param settlementOracle_ the only one whose series are accepted
    constructor(
        address vault_,
        IOptionBook book_,
        IOptionAuction auction_,
        IVolatilityOracle volatilityOracle_,
        ISettlementOracle settlementOracle_
    ) OptionPositions(vault_, book_, auction_, volatilityOracle_, settlementOracle_) {
        // What is unsold stays here and is taken fill by fill. The auction takes from whoever offers, and nobody else
        // can offer.
        book_.setOperator(address(auction_), true);
    }

    // ---------------------------------------------------------------- vault

    /// @inheritdoc IOptionDesk
    function write(uint256 seriesId, uint256 amount, uint256 startPriceWad)
        external
        onlyVault
        nonReentrant
        changing
        returns (uint256 auctionId)
    {
        if (amount == 0) revert ZeroAmount();
        IOptionBook.Series memory series = book.seriesOf(seriesId);
        if (series.oracle != settlementOracle || series.base != base || series.quote != asset) {
            revert SeriesNotAccepted(seriesId);
        }
        OptionLimits memory limits = IOptionLimits(IOptionVault(vault).mandate()).optionLimits();
        _appraiser.requireWritable(series, startPriceWad, limits);

        BookValuation.Held storage held = _enter(seriesId, series, limits.maxSeries);
        uint256 collateral = _grow(held, amount);
        held.unsold = (held.unsold + amount).toUint96();
        address token = series.isCall ? base : asset;
        _pull(token, collateral);
        IERC20(token).forceApprove(address(book), collateral);
        book.write(seriesId, amount, address(this));
        auctionId = auction.sell(_order(seriesId, amount, startPriceWad, limits, limits.reserveDiscountBps));
        _tickets[auctionId] = Ticket(seriesId, amount.toUint96(), 0, IOptionAuction.Kind.Sale);
        emit Written(auctionId, seriesId, amount, collateral);
    }

    /// @inheritdoc IOptionDesk
    function buyBack(uint256 seriesId, uint256 amount, uint256 maxPriceWad, uint256 cash)
        external
        onlyVault
        nonReentrant
        changing
        returns (uint256 auctionId)
    {
        if (amount == 0 || cash == 0) revert ZeroAmount();
        BookValuation.Held memory held = _heldOf(seriesId);
        if (amount > held.soldOf()) revert MoreThanSold(seriesId, amount, held.soldOf());
        OptionLimits memory limits = IOptionLimits(IOptionVault(vault).mandate()).optionLimits();

        cash = Math.min(cash, _mostCash(seriesId, amount, limits.buyBackPremiumBps));
        _setEscrow(_escrow + cash);
        auctionId = auction.purchase(_order(seriesId, amount, maxPriceWad, limits, limits.buyBackPremiumBps));
        _tickets[auctionId] =
            Ticket(seriesId, amount.toUint96(), cash.toUint128(), IOptionAuction.Kind.Purchase);
        _pull(asset, cash);
        emit PurchaseOpened(auctionId, seriesId, amount, cash);
    }

    // ---------------------------------------------------------------- vault at any time, anybody when it is over

    /// @inheritdoc IOptionDesk
    function cancel(uint256 auctionId) external nonReentrant changing {
        Ticket memory ticket = _tickets[auctionId];
        if (ticket.kind == IOptionAuction.Kind.None) revert UnknownAuction(auctionId);
        if (msg.sender != vault && !auction.over(auctionId)) revert AuctionRunning(auctionId);
        delete _tickets[auctionId];
        auction.close(auctionId);
        uint256 burned;
        if (ticket.kind == IOptionAuction.Kind.Sale) burned = _burnUnsold(ticket.seriesId, ticket.left);
        else _refund(ticket.cash);
        emit Cancelled(auctionId, ticket.seriesId, burned, ticket.cash);
    }

    // ---------------------------------------------------------------- anybody

    /// @inheritdoc IOptionDesk
    function collect(uint256 seriesId) external nonReentrant changing {
        BookValuation.Held storage held = _heldOf(seriesId);
        if (block.timestamp < held.expiry) revert NotExpired(seriesId, held.expiry);
        address token = held.isCall ? base : asset;
        _shrink(seriesId, held, held.written);

        if (_appraiser.isOpen(seriesId)) book.settle(seriesId);
        uint256 longs = book.balanceOf(address(this), seriesId);
        uint256 redeemed = longs == 0 ? 0 : book.redeem(seriesId, longs, vault);
        uint256 reclaimed = book.reclaim(seriesId, vault);
        redeemed += _sweep(token);
        emit Collected(seriesId, reclaimed, redeemed);
    }

    // ---------------------------------------------------------------- auction

    /// @inheritdoc IAuctionSeller
    function onFill(uint256 auctionId, uint256 amount, uint256 paid) external nonReentrant changing {
        if (msg.sender != address(auction)) revert NotAuction(msg.sender);
        Ticket memory ticket = _tickets[auctionId];
        if (ticket.kind == IOptionAuction.Kind.None) revert UnknownAuction(auctionId);
        BookValuation.Held storage held = _heldOf(ticket.seriesId);
        (uint256 markWad,) = _appraiser.midMarkWad(held.optionOf(), held.expiry);
        uint256 loss;
        if (ticket.kind == IOptionAuction.Kind.Sale) {
            held.unsold -= amount.toUint96();
            loss = Math.saturatingSub(Math.mulDiv(amount, markWad, _scale, Math.Rounding.Ceil), paid);
            emit Sold(auctionId, ticket.seriesId, amount, paid, loss);
        } else {
            loss = Math.saturatingSub(paid, Math.mulDiv(amount, markWad, _scale));
            _takeBack(auctionId, ticket, held, amount, paid);
            emit Bought(auctionId, ticket.seriesId, amount, paid, loss);
        }
        _shorten(auctionId, ticket, amount);
        if (loss == 0) return;
        _charging = true;
        IVaultCharge(IOptionVault(vault).mandate()).chargeFill(loss);
        _charging = false;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IOptionDesk
    function ticketOf(uint256 auctionId) external view returns (Ticket memory) {
        return _tickets[auctionId];
    }

    // ---------------------------------------------------------------- inside

    function _order(
        uint256 seriesId,
        uint256 amount,
        uint256 limitPriceWad,
        OptionLimits memory limits,
        uint16 marginBps
    ) private view returns (IOptionAuction.Order memory) {
        return IOptionAuction.Order({
            seriesId: seriesId,
            amount: amount.toUint128(),
            limitPriceWad: limitPriceWad.toUint128(),
            payee: vault,
            duration: limits.auctionDuration,
            startWindow: limits.startWindow,
            marginBps: marginBps,
            minBidBps: limits.minBidBps,
            maxBidBps: limits.maxBidBps
        });
    }

    /// @dev Twice what the purchase could cost now: cash that waits is out of the vault's reach, and no keeper may park more there.
    function _mostCash(uint256 seriesId, uint256 amount, uint256 premiumBps) private view returns (uint256) {
        (, uint256 capWad) = auction.purchaseBoundsWad(seriesId, premiumBps);
        return Math.mulDiv(amount, 2 * capWad, _scale, Math.Rounding.Ceil);
    }

    /// @dev Longs just bought go out of being with what they were written against. More than is sold would be
    /// somebody else's unsold: a second purchase may have taken them first.
    function _takeBack(
        uint256 auctionId,
        Ticket memory ticket,
        BookValuation.Held storage held,
        uint256 amount,
        uint256 paid
    ) private {
        if (paid > ticket.cash) {
            revert CashTooLow(auctionId, paid, ticket.cash);
        }
        uint256 sold = BookValuation.soldOf(held);
        if (amount > sold) revert MoreThanSold(ticket.seriesId, amount, sold);
        ticket.cash -= paid.toUint128();
        _escrow -= paid.toUint128(); // the auction has taken it, and as much of the approval
        _shrink(ticket.seriesId, held, amount);
        book.buyBack(ticket.seriesId, amount, vault);
    }

    /// @dev What is left of a ticket after a fill; a filled purchase gives back its change at once.
    function _shorten(uint256 auctionId, Ticket memory ticket, uint256 amount) private {
        ticket.left -= amount.toUint96(); // cannot underflow: the auction never fills more than its amount
        if (ticket.left != 0) {
            _tickets[auctionId] = ticket;
            return;
        }
        delete _tickets[auctionId];
        _refund(ticket.cash);
    }

    /// @dev Once the book has settled the series nothing is bought back: what is unsold is redeemed when it is collected.
    function _burnUnsold(uint256 seriesId, uint256 amount) private returns (uint256) {
        (bool known,) = _indexOf(seriesId);
        if (!known || !_appraiser.isOpen(seriesId)) return 0;
        BookValuation.Held storage held = _heldOf(seriesId);
        held.unsold -= amount.toUint96();
        _shrink(seriesId, held, amount);
        book.buyBack(seriesId, amount, vault);
        return amount;
    }

    function _refund(uint256 cash) private {
        if (cash == 0) return;
        _setEscrow(_escrow - cash);
        IERC20(asset).safeTransfer(vault, cash);
    }

    function _setEscrow(uint256 escrow) private {
        _escrow = escrow.toUint128();
        IERC20(asset).forceApprove(address(auction), escrow);
    }

    /// @dev What a stranger had the book pay out to the desk. Cash of purchases stays.
    function _sweep(address token) private returns (uint256 amount) {
        amount = IERC20(token).balanceOf(address(this));
        if (token == asset) amount = Math.saturatingSub(amount, _escrow);
        if (amount != 0) IERC20(token).safeTransfer(vault, amount);
    }

    function _pull(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(vault, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert TransferMismatch(token, amount, received);
    }
}
