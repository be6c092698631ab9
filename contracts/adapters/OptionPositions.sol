// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdapter} from "../interfaces/IAdapters.sol";
import {IOptionAuction} from "../interfaces/IOptionAuction.sol";
import {IOptionBook} from "../interfaces/IOptionBook.sol";
import {BookValue, IOptionDesk, IOptionVault} from "../interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../interfaces/ISettlementOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {BookValuation} from "../libraries/BookValuation.sol";
import {OptionPayoff} from "../libraries/OptionPayoff.sol";
import {OptionAppraiser} from "./OptionAppraiser.sol";

/// @title OptionPositions
/// @notice What one vault has written, as its desk recorded it, and what it is worth. A part of the desk; see there.
///
/// Terms and amounts of a series are two slots, kept densely, so that a book of 64 is measured without asking the
/// book anything about what has not expired.
abstract contract OptionPositions is IOptionDesk, ReentrancyGuardTransient {
    using BookValuation for BookValuation.Held;
    using BookValuation for BookValue;
    using SafeCast for uint256;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IOptionDesk
    IOptionBook public immutable book;
    /// @inheritdoc IOptionDesk
    IOptionAuction public immutable auction;
    /// @inheritdoc IOptionDesk
    IVolatilityOracle public immutable volatilityOracle;
    /// @inheritdoc IOptionDesk
    ISettlementOracle public immutable settlementOracle;
    IPriceOracle public immutable priceOracle;
    address public immutable asset;
    address public immutable base;
    uint8 private immutable _assetDecimals;
    uint8 private immutable _baseDecimals;
    /// @dev Raw base x price WAD / _scale = raw asset.
    uint256 internal immutable _scale;

    /// @dev Born with the desk, stateless, without power: what has no room here.
    OptionAppraiser internal immutable _appraiser;

    uint256[] private _ids;
    mapping(uint256 index => BookValuation.Held) private _held;
    /// @dev Index of a series plus 1; 0 for none.
    mapping(uint256 seriesId => uint256) private _places;
    uint128 private _collateralBase;
    uint128 private _collateralAsset;
    uint128 internal _escrow;
    /// @dev On while the vault is told of a loss: everything has moved, and the vault alone may measure.
    bool internal transient _charging;
    /// @inheritdoc IOptionDesk
    uint256 public transient changes;

    modifier changing() {
        ++changes;
        _;
    }

    constructor(
        address vault_,
        IOptionBook book_,
        IOptionAuction auction_,
        IVolatilityOracle volatilityOracle_,
        ISettlementOracle settlementOracle_
    ) {
        address asset_ = IOptionVault(vault_).asset();
        address base_ = IOptionVault(vault_).base();
        address oracle_ = IOptionVault(vault_).oracle();
        _agree("auction's book", address(auction_.book()), address(book_));
        _agree("auction's base", auction_.base(), base_);
        _agree("auction's quote", auction_.quote(), asset_);
        _agree("auction's price oracle", address(auction_.priceOracle()), oracle_);
        _agree(
            "auction's volatility oracle", address(auction_.volatilityOracle()), address(volatilityOracle_)
        );
        _agree("settlement oracle's base", settlementOracle_.base(), base_);
        _agree("settlement oracle's quote", settlementOracle_.quote(), asset_);
        (vault, book, auction) = (vault_, book_, auction_);
        (volatilityOracle, settlementOracle) = (volatilityOracle_, settlementOracle_);
        priceOracle = IPriceOracle(oracle_);
        (asset, base) = (asset_, base_);
        _assetDecimals = IERC20Metadata(asset_).decimals();
        _baseDecimals = IERC20Metadata(base_).decimals();
        uint256 scale =
            10 ** (18 + uint256(IERC20Metadata(base_).decimals()) - IERC20Metadata(asset_).decimals());
        _scale = scale;
        _appraiser = new OptionAppraiser(
            IPriceOracle(oracle_),
            volatilityOracle_,
            BookValuation.Venue(
                book_,
                settlementOracle_,
                IERC20Metadata(base_).decimals(),
                IERC20Metadata(asset_).decimals(),
                scale
            )
        );
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAdapter
    function venue() external view returns (address) {
        return address(book);
    }

    /// @inheritdoc IOptionDesk
    function escrowAsset() external view returns (uint256) {
        return _escrow;
    }

    /// @inheritdoc IOptionDesk
    function openSeries() external view returns (uint256[] memory) {
        return _ids;
    }

    /// @inheritdoc IOptionDesk
    function matchesBook() external view returns (bool) {
        return _appraiser.matches(_ids, _record());
    }

    /// @inheritdoc IOptionDesk
    function measure(uint256 spotWad) external view returns (BookValue memory) {
        return _measure(spotWad, false);
    }

    /// @inheritdoc IOptionDesk
    function measureMid(uint256 spotWad) external view returns (BookValue memory) {
        return _measure(spotWad, true);
    }

    function _measure(uint256 spotWad, bool midOnly) private view returns (BookValue memory value) {
        _requireReadable();
        uint256 count = _ids.length;
        value.collateralBase = _collateralBase;
        value.collateralAsset = _collateralAsset;
        value.escrowAsset = _escrow;
        value.openSeries = count;
        BookValuation.Held[] memory live = BookValuation.listOf(count);
        uint256 alive;
        for (uint256 i; i < count; ++i) {
            BookValuation.Held memory held = _held[i];
            bool expired = block.timestamp >= held.expiry;
            if (expired) value.awaiting = true;
            uint256 counted = midOnly && !expired ? held.written : held.soldOf();
            if (counted == 0) continue;
            value.notionalBase += counted;
            if (expired) _addExpired(value, _ids[i], held, spotWad);
            else live[alive++] = held;
        }
        if (alive != 0) value.addLive(live, alive, spotWad, volatilityOracle, _scale, midOnly);
    }

    /// @inheritdoc IOptionDesk
    function positions(uint256 spotWad) external view returns (Position[] memory) {
        _requireReadable();
        bytes memory answer = Address.functionStaticCall(
            address(_appraiser), abi.encodeCall(_appraiser.positions, (_ids, _record(), spotWad))
        );
        // The same type, encoded: handed on as it is.
        assembly ("memory-safe") {
            return(add(answer, 32), mload(answer))
        }
    }

    // ---------------------------------------------------------------- the record

    function _record() private view returns (BookValuation.Held[] memory record) {
        record = BookValuation.listOf(_ids.length);
        for (uint256 i; i < record.length; ++i) {
            record[i] = _held[i];
        }
    }

    function _indexOf(uint256 seriesId) internal view returns (bool known, uint256 index) {
        uint256 place = _places[seriesId];
        return place == 0 ? (false, 0) : (true, place - 1);
    }

    function _heldOf(uint256 seriesId) internal view returns (BookValuation.Held storage) {
        (bool known, uint256 index) = _indexOf(seriesId);
        if (!known) revert SeriesNotOpen(seriesId);
        return _held[index];
    }

    /// @dev The record of a series, begun if there is none.
    function _enter(uint256 seriesId, IOptionBook.Series memory series, uint256 maxSeries)
        internal
        returns (BookValuation.Held storage held)
    {
        (bool known, uint256 index) = _indexOf(seriesId);
        if (known) return _held[index];
        uint256 count = _ids.length;
        if (count >= maxSeries) revert TooManySeries(count, maxSeries);
        _ids.push(seriesId);
        _places[seriesId] = count + 1;
        held = _held[count];
        held.strikeWad = series.strikeWad;
        held.secondStrikeWad = series.secondStrikeWad;
        held.expiry = uint256(series.expiry).toUint40();
        held.isCall = series.isCall;
    }

    /// @dev The last takes the place of the one that goes.
    function _forget(uint256 seriesId) internal {
        uint256 index = _places[seriesId] - 1;
        uint256 last = _ids.length - 1;
        if (index != last) {
            uint256 moved = _ids[last];
            (_ids[index], _places[moved]) = (moved, index + 1);
            _held[index] = _held[last];
        }
        _ids.pop();
        delete _held[last];
        delete _places[seriesId];
    }

    /// @dev Collateral the book asks for when `written` grows by `amount`, recorded. The book keeps it by the sum
    /// written, as here.
    function _grow(BookValuation.Held storage held, uint256 amount) internal returns (uint256 collateral) {
        collateral = _collateralUp(held, held.written + amount) - _collateralUp(held, held.written);
        held.written = (held.written + amount).toUint96();
        if (held.isCall) _collateralBase = (_collateralBase + collateral).toUint128();
        else _collateralAsset = (_collateralAsset + collateral).toUint128();
    }

    /// @dev The other way round; the series is forgotten with its last option.
    function _shrink(uint256 seriesId, BookValuation.Held storage held, uint256 amount) internal {
        uint256 left = held.written - amount;
        uint256 collateral = _collateralUp(held, held.written) - _collateralUp(held, left);
        if (held.isCall) _collateralBase = (_collateralBase - collateral).toUint128();
        else _collateralAsset = (_collateralAsset - collateral).toUint128();
        held.written = left.toUint96();
        if (left == 0) _forget(seriesId);
    }

    function _collateralUp(BookValuation.Held memory held, uint256 amount) private view returns (uint256) {
        return OptionPayoff.collateralUp(held.termsOf(_baseDecimals, _assetDecimals), amount);
    }

    // ---------------------------------------------------------------- values

    /// @dev V-18. While a loss is charged everything has moved already, the mandate needs the NAV, and no stranger is
    /// called.
    function _requireReadable() private view {
        if (_charging) return;
        if (_reentrancyGuardEntered()) revert ReentrancyGuardReentrantCall();
        auction.requireIdle();
    }

    function _addExpired(
        BookValue memory value,
        uint256 seriesId,
        BookValuation.Held memory held,
        uint256 spotWad
    ) private view {
        (uint256 low, uint256 mid, uint256 high, int256 delta) = _appraiser.payoffOf(seriesId, held, spotWad);
        value.liabilityLow += low;
        value.liabilityMid += mid;
        value.liabilityHigh += high;
        value.deltaBase += delta;
    }

    function _agree(string memory what, address given, address expected) private pure {
        if (given != expected) revert Mismatch(what, given, expected);
    }
}
