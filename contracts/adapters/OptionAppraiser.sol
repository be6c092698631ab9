// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOptionBook} from "../interfaces/IOptionBook.sol";
import {BookValue, IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../interfaces/ISettlementOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {BookValuation} from "../libraries/BookValuation.sol";
import {OptionLimits} from "../libraries/OptionLimits.sol";
import {OptionValue} from "../libraries/OptionValue.sol";

/// @title OptionAppraiser
/// @notice What a desk asks about options one by one: the mark a fill is judged by, whether a series may be written,
/// and every position with its Greeks. Holds nothing and has no power; a desk makes its own. The desk sums its book
/// itself, by the same library.
contract OptionAppraiser {
    using BookValuation for BookValuation.Held;
    using BookValuation for BookValue;

    int256 private constant SIGNED_WAD = 1e18;
    uint256 private constant WAD_PER_BPS = 1e14;

    IPriceOracle public immutable priceOracle;
    IVolatilityOracle public immutable volatilityOracle;
    IOptionBook public immutable book;
    ISettlementOracle public immutable settlementOracle;
    uint8 private immutable _baseDecimals;
    uint8 private immutable _assetDecimals;
    uint256 private immutable _scale;

    constructor(
        IPriceOracle priceOracle_,
        IVolatilityOracle volatilityOracle_,
        BookValuation.Venue memory venue
    ) {
        (priceOracle, volatilityOracle) = (priceOracle_, volatilityOracle_);
        (book, settlementOracle) = (venue.book, venue.settlementOracle);
        (_baseDecimals, _assetDecimals, _scale) = (venue.baseDecimals, venue.assetDecimals, venue.scale);
    }

    /// @notice Mid mark of one whole option before its expiry and |delta| of its first leg, WAD. Reverts while price
    /// or volatility is unusable.
    function midMarkWad(OptionValue.Option memory option, uint256 expiry)
        public
        view
        returns (uint256 markWad, uint256 firstDeltaWad)
    {
        uint256 spotWad = priceOracle.priceWad();
        OptionValue.Volatility memory mid;
        (, mid.firstWad,) = volatilityOracle.volWad(option.strikeWad, spotWad, expiry);
        if (option.secondStrikeWad != 0) {
            (, mid.secondWad,) = volatilityOracle.volWad(option.secondStrikeWad, spotWad, expiry);
        }
        uint256 time = expiry - block.timestamp; // the oracle has refused an expiry that is not ahead
        markWad = OptionValue.valueWad(option, spotWad, time, mid);
        firstDeltaWad = OptionValue.firstDeltaWad(option, spotWad, time, mid.firstWad);
    }

    /// @notice Reverts unless tenor and delta are within the limits and a sale's first price is at least the mid mark, now.
    function requireWritable(
        IOptionBook.Series calldata series,
        uint256 startPriceWad,
        OptionLimits calldata limits
    ) external view {
        uint256 tenor = Math.saturatingSub(series.expiry, block.timestamp);
        if (tenor < limits.minTenor || tenor > limits.maxTenor) {
            revert IOptionDesk.TenorOutOfRange(tenor, limits.minTenor, limits.maxTenor);
        }
        (uint256 markWad, uint256 deltaWad) = midMarkWad(
            OptionValue.Option(series.isCall, series.strikeWad, series.secondStrikeWad), series.expiry
        );
        if (deltaWad < limits.minDeltaBps * WAD_PER_BPS || deltaWad > limits.maxDeltaBps * WAD_PER_BPS) {
            revert IOptionDesk.DeltaOutOfRange(deltaWad, limits.minDeltaBps, limits.maxDeltaBps);
        }
        if (startPriceWad < markWad) revert IOptionDesk.StartPriceTooLow(startPriceWad, markWad);
    }

    /// @notice Marks and Greeks of each series held.
    function positions(uint256[] calldata ids, BookValuation.Held[] calldata held, uint256 spotWad)
        external
        view
        returns (IOptionDesk.Position[] memory list)
    {
        list = new IOptionDesk.Position[](ids.length);
        for (uint256 i; i < list.length; ++i) {
            IOptionDesk.Position memory position = list[i];
            position.id = ids[i];
            position.series = book.seriesOf(ids[i]);
            position.written = held[i].written;
            position.sold = held[i].soldOf();
            position.inAuction = held[i].unsold;
            position.awaiting = block.timestamp >= held[i].expiry;
            if (position.awaiting) {
                (position.markLow, position.markMid, position.markHigh, position.deltaBase) =
                    payoffOf(ids[i], held[i], spotWad);
            } else {
                _markLive(position, held[i], spotWad);
            }
        }
    }

    /// @notice Whether the book agrees with the calling desk's record: written, and until expiry at least the unsold longs.
    function matches(uint256[] calldata ids, BookValuation.Held[] calldata held)
        external
        view
        returns (bool)
    {
        for (uint256 i; i < ids.length; ++i) {
            if (book.writtenOf(ids[i], msg.sender) != held[i].written) return false;
            // From expiry on anybody may have the book redeem them to the desk.
            if (held[i].unsold == 0 || block.timestamp >= held[i].expiry) continue;
            if (book.balanceOf(msg.sender, ids[i]) < held[i].unsold) return false;
        }
        return true;
    }

    /// @notice What is due of an expired series; see `BookValuation.payoffOf`.
    function payoffOf(uint256 seriesId, BookValuation.Held memory held, uint256 spotWad)
        public
        view
        returns (uint256 low, uint256 mid, uint256 high, int256 deltaBase)
    {
        BookValuation.Venue memory venue =
            BookValuation.Venue(book, settlementOracle, _baseDecimals, _assetDecimals, _scale);
        return BookValuation.payoffOf(seriesId, held, spotWad, venue);
    }

    /// @notice Whether the book has not settled a series.
    function isOpen(uint256 seriesId) external view returns (bool) {
        return book.stateOf(seriesId).status == IOptionBook.Status.Open;
    }

    function _markLive(IOptionDesk.Position memory position, BookValuation.Held memory held, uint256 spotWad)
        private
        view
    {
        IVolatilityOracle.Reading memory first = volatilityOracle.read(held.strikeWad, spotWad, held.expiry);
        IVolatilityOracle.Reading memory second;
        if (held.secondStrikeWad != 0) {
            second = volatilityOracle.read(held.secondStrikeWad, spotWad, held.expiry);
        }
        position.fault = first.fault > second.fault ? first.fault : second.fault;
        if (position.fault > IVolatilityOracle.Fault.Frozen) return;
        OptionValue.Volatility memory mid = OptionValue.Volatility(first.midWad, second.midWad);
        BookValuation.Marks memory marks = held.marksOf(
            spotWad,
            OptionValue.Volatility(first.lowWad, second.lowWad),
            mid,
            OptionValue.Volatility(first.highWad, second.highWad)
        );
        BookValue memory value;
        value.addSums(BookValuation.sumOf(marks, position.sold), _scale);
        (position.markLow, position.markMid) = (value.liabilityLow, value.liabilityMid);
        (position.markHigh, position.deltaBase) = (value.liabilityHigh, value.deltaBase);
        position.vegaAsset = marks.vega < 0 ? int256(value.vegaAsset) : -int256(value.vegaAsset);
        uint256 time = held.expiry - block.timestamp;
        int256 gammaWad = OptionValue.gammaWad(held.optionOf(), spotWad, time, mid);
        position.gammaBase = -int256(position.sold) * gammaWad / SIGNED_WAD;
    }
}
