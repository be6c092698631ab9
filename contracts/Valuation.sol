// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdapter, ILendingAdapter} from "./interfaces/IAdapters.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {BookValue, IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IValuation} from "./interfaces/IValuation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {IntrinsicBook} from "./libraries/IntrinsicBook.sol";
import {RescuePlan} from "./libraries/RescuePlan.sol";
import {SettlementMath} from "./libraries/SettlementMath.sol";

/// @title Valuation
/// @notice What one vault has, owes and is exposed to, in its asset, at the oracle's price. Assets are rounded down, debts up.
///
/// NAV: idle (neither reserved nor waiting) + supplied + collateral of options + cash in auctions - owed - what options sold are
/// worth, not below zero. It is unreadable in the middle of a call (V-18). The price matters unless no base is held or owed and no
/// option written.
///
/// Marks: at each of the two price sources, options at their high and low volatility; the least NAV is the low mark, the
/// greatest the high one. While the price is unusable and no base is owed, the low mark counts base as nothing, in favour of those who
/// stay, as long as base is no more than a stranger's gift; so no feed, and no gift of base, locks anybody in.
contract Valuation is IValuation {
    using SafeCast for uint256;

    uint256 private constant BPS = 10_000;
    /// @dev Base worth at most this much of the dollars is what a stranger may have given, and closes no exit.
    uint256 private constant GIFT_BPS = 100;

    /// @inheritdoc IValuation
    address public immutable oracle;
    /// @dev Raw base x price WAD / _scale = raw asset.
    uint256 private immutable _scale;
    uint256 private immutable _assetUnit;
    address private immutable _asset;
    address private immutable _base;
    uint8 private immutable _baseDecimals;
    uint8 private immutable _assetDecimals;

    /// @inheritdoc IValuation
    address public vault;
    /// @inheritdoc IValuation
    address public mandate;
    /// @inheritdoc IValuation
    address public lending;
    /// @inheritdoc IValuation
    address public swapper;
    /// @inheritdoc IValuation
    address public desk;

    /// @dev Vault and mandate may value in the middle of their own calls; nobody else may (V-18).
    modifier quiet() {
        if (msg.sender != mandate && msg.sender != vault && IVault(vault).locked()) revert Reentered();
        _;
    }

    constructor(IPriceOracle oracle_) {
        oracle = address(oracle_);
        (_asset, _base) = (oracle_.quote(), oracle_.base());
        uint8 baseDecimals = IERC20Metadata(oracle_.base()).decimals();
        uint8 quoteDecimals = IERC20Metadata(oracle_.quote()).decimals();
        Bounds.requireWithin("baseDecimals", baseDecimals, 6, 18);
        Bounds.requireWithin("quoteDecimals", quoteDecimals, 6, 18);
        (_baseDecimals, _assetDecimals) = (baseDecimals, quoteDecimals);
        _scale = 10 ** (18 + uint256(baseDecimals) - quoteDecimals);
        _assetUnit = 10 ** uint256(quoteDecimals);
    }

    // ---------------------------------------------------------------- mandate

    /// @inheritdoc IValuation
    function bind(address vault_, address asset, address base) external {
        if (vault != address(0)) revert AlreadyBound(vault);
        if (asset != _asset) revert TokenNotAllowed(asset);
        if (base != _base) revert TokenNotAllowed(base);
        (vault, mandate) = (vault_, msg.sender);
        emit Bound(vault_, msg.sender);
    }

    /// @inheritdoc IValuation
    function setVenues(address lending_, address swapper_, address desk_) external {
        if (msg.sender != mandate) revert NotMandate(msg.sender);
        _requireBound(lending_);
        _requireBound(swapper_);
        if (desk_ != address(0)) _requireBound(desk_);
        (lending, swapper, desk) = (lending_, swapper_, desk_);
        emit VenuesSet(lending_, swapper_, desk_);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IValuation
    function holdings() external view quiet returns (Holdings memory) {
        return _holdings();
    }

    /// @inheritdoc IValuation
    function measure() external view quiet returns (Measure memory m) {
        (IPriceOracle.Fault fault, uint256 price,, uint256 updatedAt) = IPriceOracle(oracle).marks();
        Holdings memory held = _holdings();
        bool healthKnown;
        (healthKnown, m.healthWad) = _healthOf(held);
        if (fault != IPriceOracle.Fault.None || !healthKnown) return m;
        (m.priceWad, m.priceAt) = (price, updatedAt);
        m.lendingChanges = ILendingAdapter(lending).changes();
        _measureOptions(m);
        _fill(m, held);
    }

    /// @inheritdoc IValuation
    function measureAgain(Measure calldata before) external view quiet returns (Measure memory m) {
        m = before;
        if (desk != address(0) && IOptionDesk(desk).changes() != before.optionChanges) _measureOptions(m);
        Holdings memory held;
        if (ILendingAdapter(lending).changes() == before.lendingChanges) {
            (held.idleAsset, held.idleBase) = _idle();
            (held.suppliedAsset, held.debtAsset) = (before.suppliedAsset, before.debtAsset);
            (held.suppliedBase, held.debtBase) = (before.suppliedBase, before.debtBase);
        } else {
            held = _holdings();
            (, m.healthWad) = _healthOf(held);
        }
        _fill(m, held);
    }

    /// @inheritdoc IValuation
    function bookAt(uint256 priceWad) external view quiet returns (bool known, BookValue memory book) {
        if (desk == address(0)) return (true, book);
        try IOptionDesk(desk).measure(priceWad) returns (BookValue memory value) {
            return (true, value);
        } catch {
            return (false, _intrinsicAt(priceWad));
        }
    }

    /// @inheritdoc IValuation
    function tryHealth() external view returns (bool known, uint256 healthWad) {
        return _tryHealth();
    }

    /// @inheritdoc IValuation
    function nav() external view quiet returns (uint256) {
        Holdings memory held = _holdings();
        BookValue memory book = _cashAlone();
        uint256 price;
        if (_priceMatters(held)) {
            price = IPriceOracle(oracle).priceWad();
            book = _bookAt(price);
        }
        (uint256 gross, uint256 debt) = _valueAt(held, book, price, book.liabilityMid);
        return Math.saturatingSub(gross, debt);
    }

    /// @inheritdoc IValuation
    function marks() external view quiet returns (Marks memory) {
        return _marks();
    }

    function _marks() private view returns (Marks memory) {
        Holdings memory held = _holdings();
        if (!_priceMatters(held)) {
            (uint256 gross, uint256 debt) = _valueAt(held, _cashAlone(), 0, 0);
            uint256 value = Math.saturatingSub(gross, debt);
            return Marks(value, value, debt <= gross);
        }
        (IPriceOracle.Fault fault, uint256 price, uint256 twap,) = IPriceOracle(oracle).marks();
        if (fault != IPriceOracle.Fault.None) return Marks(_lowWithoutPrice(held, price, twap), 0, false);
        (uint256 low, uint256 high, bool solvent) = _marksAt(held, price);
        (uint256 lowAtTwap, uint256 highAtTwap, bool solventAtTwap) = _marksAt(held, twap);
        return Marks(Math.min(low, lowAtTwap), Math.max(high, highAtTwap), solvent && solventAtTwap);
    }

    /// @inheritdoc IValuation
    function settlement(SettlementMath.Input memory input)
        external
        view
        quiet
        returns (SettlementMath.Output memory)
    {
        Marks memory now_ = _marks();
        return SettlementMath.compute(input, now_.low, now_.high, now_.open);
    }

    // ---------------------------------------------------------------- exit and rescue

    /// @inheritdoc IValuation
    function exitMoves(uint256 shares, uint256 whole)
        external
        view
        quiet
        returns (IVault.Move[] memory moves, Exit memory exit)
    {
        uint256 open = desk == address(0) ? 0 : IOptionDesk(desk).openSeries().length;
        // Nor can cash that waits in an auction; anybody may cancel one that is over.
        if (open != 0 || _cashAlone().escrowAsset != 0) revert OptionsOpen(open);
        Holdings memory held = _holdings();
        exit.takesAsset = Math.mulDiv(held.debtAsset, shares, whole, Math.Rounding.Ceil);
        exit.takesBase = Math.mulDiv(held.debtBase, shares, whole, Math.Rounding.Ceil);
        uint256 assets = Math.mulDiv(held.suppliedAsset, shares, whole);
        uint256 bases = Math.mulDiv(held.suppliedBase, shares, whole);
        exit.givesAsset = Math.mulDiv(held.idleAsset, shares, whole) + assets;
        exit.givesBase = Math.mulDiv(held.idleBase, shares, whole) + bases;
        moves = new IVault.Move[](4);
        // The debt first, so that the venue lets the collateral go.
        uint256 count = _push(moves, 0, IVault.MoveKind.Repay, _asset, exit.takesAsset);
        count = _push(moves, count, IVault.MoveKind.Repay, _base, exit.takesBase);
        count = _push(moves, count, IVault.MoveKind.Withdraw, _asset, assets);
        count = _push(moves, count, IVault.MoveKind.Withdraw, _base, bases);
        assembly ("memory-safe") {
            mstore(moves, count) // never more than there is room for
        }
    }

    function _push(
        IVault.Move[] memory moves,
        uint256 count,
        IVault.MoveKind kind,
        address token,
        uint256 amount
    ) private view returns (uint256) {
        if (amount == 0) return count;
        moves[count] = IVault.Move(kind, lending, token, amount, 0, 0);
        return count + 1;
    }

    /// @inheritdoc IValuation
    function owes() external view quiet returns (bool) {
        Holdings memory held = _holdings();
        return held.debtAsset != 0 || held.debtBase != 0;
    }

    /// @inheritdoc IValuation
    function debtAt(uint256 priceWad) external view quiet returns (uint256) {
        Holdings memory held = _holdings();
        return held.debtAsset + _toAssetUp(held.debtBase, priceWad);
    }

    /// @inheritdoc IValuation
    function rescueMoves(IMandate.Rescue memory rescue)
        external
        view
        quiet
        returns (IVault.Move[] memory moves)
    {
        RescuePlan.Scene memory scene = RescuePlan.Scene({
            lending: lending,
            swapper: swapper,
            asset: _asset,
            base: _base,
            unit: _assetUnit,
            scale: _scale,
            priceWad: rescue.priceWad,
            healthWad: rescue.healthWad,
            sliceBps: rescue.sliceBps,
            swapLossBps: rescue.swapLossBps,
            bountyBps: rescue.bountyBps,
            reserve: rescue.reserve
        });
        moves = RescuePlan.movesFor(scene, _holdings());
        if (moves.length == 0) revert NothingToProtectWith(rescue.healthWad);
    }

    // ---------------------------------------------------------------- value

    function _holdings() private view returns (Holdings memory held) {
        (held.idleAsset, held.idleBase) = _idle();
        if (lending == address(0)) return held;
        (held.suppliedAsset, held.debtAsset) = ILendingAdapter(lending).balances(_asset);
        (held.suppliedBase, held.debtBase) = ILendingAdapter(lending).balances(_base);
    }

    function _idle() private view returns (uint256 idleAsset, uint256 idleBase) {
        IVault vault_ = IVault(vault);
        return (vault_.idle(_asset), vault_.idle(_base));
    }

    /// @dev The options at the price it holds.
    function _measureOptions(Measure memory m) private view {
        if (desk == address(0)) {
            m.optionsKnown = true;
            return;
        }
        BookValue memory book;
        (m.optionsKnown, book) = _tryBookAt(m.priceWad);
        m.optionChanges = IOptionDesk(desk).changes();
        m.bookAsset = book.collateralAsset + book.escrowAsset;
        m.bookBase = book.collateralBase;
        m.bookDebt = book.liabilityMid;
        m.bookDelta = book.deltaBase;
        m.optionCollateral = book.collateralAsset + _toAssetDown(book.collateralBase, m.priceWad);
        m.notional = _toAssetUp(book.notionalBase, m.priceWad);
        m.vega = book.vegaAsset;
    }

    /// @dev The rest at the price it holds.
    function _fill(Measure memory m, Holdings memory held) private view {
        m.priced = true;
        uint256 price = m.priceWad;
        uint256 long = held.idleBase + held.suppliedBase + m.bookBase;
        m.gross = held.idleAsset + held.suppliedAsset + m.bookAsset + _toAssetDown(long, price);
        m.debt = held.debtAsset + _toAssetUp(held.debtBase, price) + m.bookDebt;
        m.nav = Math.saturatingSub(m.gross, m.debt);
        (m.debtAsset, m.debtBase) = (held.debtAsset, held.debtBase);
        (m.suppliedAsset, m.suppliedBase) = (held.suppliedAsset, held.suppliedBase);
        m.deltaBase = long.toInt256() - held.debtBase.toInt256() + m.bookDelta;
        m.lent = held.suppliedAsset + _toAssetDown(held.suppliedBase, price);
    }

    function _valueAt(Holdings memory held, BookValue memory book, uint256 price, uint256 liability)
        private
        view
        returns (uint256 gross, uint256 debt)
    {
        uint256 base = held.idleBase + held.suppliedBase + book.collateralBase;
        gross = held.idleAsset + held.suppliedAsset + book.collateralAsset + book.escrowAsset
            + _toAssetDown(base, price);
        debt = held.debtAsset + _toAssetUp(held.debtBase, price) + liability;
    }

    function _marksAt(Holdings memory held, uint256 price)
        private
        view
        returns (uint256 low, uint256 high, bool solvent)
    {
        BookValue memory book = _bookAt(price);
        if (book.awaiting) revert SeriesAwaited();
        (uint256 gross, uint256 debt) = _valueAt(held, book, price, book.liabilityHigh);
        low = Math.saturatingSub(gross, debt);
        solvent = debt <= gross;
        (gross, debt) = _valueAt(held, book, price, book.liabilityLow);
        high = Math.saturatingSub(gross, debt);
    }

    /// @dev Base that is owed has no low mark, nor have options. Base that is more than a gift would be left behind without a
    /// word: then exits wait.
    function _lowWithoutPrice(Holdings memory held, uint256 price, uint256 twap)
        private
        view
        returns (uint256)
    {
        (uint256 gross, uint256 debt) = _valueAt(held, _cashAlone(), 0, 0);
        uint256 low = Math.saturatingSub(gross, debt);
        uint256 base = held.idleBase + held.suppliedBase;
        uint256 hint = Math.max(price, twap); // unusable, but good enough to tell a gift from a holding
        bool isGift = hint != 0 && _toAssetUp(base, hint) <= Math.mulDiv(low, GIFT_BPS, BPS);
        if (held.debtBase != 0 || !_noOptions() || !(base == 0 || isGift)) {
            IPriceOracle(oracle).priceWad(); // reverts with the reason
        }
        return low;
    }

    function _bookAt(uint256 price) private view returns (BookValue memory book) {
        if (desk != address(0)) book = IOptionDesk(desk).measure(price);
    }

    /// @dev Without a volatility options count at intrinsic value, the same before and after: what has nothing to do with them
    /// must not wait for it (V-08).
    function _tryBookAt(uint256 price) private view returns (bool known, BookValue memory book) {
        try IOptionDesk(desk).measureMid(price) returns (BookValue memory value) {
            return (true, value);
        } catch {
            return (false, _intrinsicAt(price));
        }
    }

    function _intrinsicAt(uint256 price) private view returns (BookValue memory) {
        return IntrinsicBook.measure(IOptionDesk(desk), price, _scale, _baseDecimals, _assetDecimals);
    }

    /// @dev Cash in purchases stays the vault's when their series are gone.
    function _cashAlone() private view returns (BookValue memory book) {
        if (desk != address(0)) book.escrowAsset = IOptionDesk(desk).escrowAsset();
    }

    function _priceMatters(Holdings memory held) private view returns (bool) {
        return held.idleBase + held.suppliedBase + held.debtBase != 0 || !_noOptions();
    }

    function _noOptions() private view returns (bool) {
        return desk == address(0) || IOptionDesk(desk).openSeries().length == 0;
    }

    function _tryHealth() private view returns (bool known, uint256 health) {
        if (lending == address(0)) return (false, 0);
        try ILendingAdapter(lending).healthWad() returns (uint256 value) {
            return (true, value);
        } catch {
            return (false, 0);
        }
    }

    /// @dev Who owes nothing at the venue cannot be liquidated: the venue would say the same, for the greatest part of what a
    /// measure costs. The adapter can owe no third token.
    function _healthOf(Holdings memory held) private view returns (bool known, uint256 health) {
        bool owesNothing = held.debtAsset == 0 && held.debtBase == 0;
        return lending != address(0) && owesNothing ? (true, type(uint256).max) : _tryHealth();
    }

    function _requireBound(address adapter) private view {
        address bound = IAdapter(adapter).vault();
        if (bound != vault) revert VenueMismatch(adapter, bound);
    }

    function _toAssetUp(uint256 base, uint256 price) private view returns (uint256) {
        return Math.mulDiv(base, price, _scale, Math.Rounding.Ceil);
    }

    function _toAssetDown(uint256 base, uint256 price) private view returns (uint256) {
        return Math.mulDiv(base, price, _scale);
    }
}
