// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IOptionBook} from "../interfaces/IOptionBook.sol";
import {BookValue} from "../interfaces/IOptionDesk.sol";
import {ISettlementOracle} from "../interfaces/ISettlementOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {BlackScholes} from "./BlackScholes.sol";
import {OptionPayoff} from "./OptionPayoff.sol";
import {OptionValue} from "./OptionValue.sol";

/// @title BookValuation
/// @notice What a short book of options is worth, at low, mid and high volatility, and its Greeks.
///
/// The three marks of an option come from three volatilities; a spread can be worth less at a higher one, so low and
/// high are the least and greatest of the three. Sums are kept in raw base x WAD and divided once: low down, mid and
/// high up.
/// @dev Amounts are below 2^96 and model values below 2^113, so 64 of their products stay below 2^215.
library BookValuation {
    using SafeCast for uint256;

    uint256 private constant WAD = 1e18;
    int256 private constant SIGNED_WAD = 1e18;
    /// @dev What rounding may add to the payoff a writer bears: one unit of his share of the burden, one of the
    /// unsold longs he redeems.
    uint256 private constant PAYOFF_DUST = 2;

    /// @notice One series written. Two slots.
    struct Held {
        uint128 strikeWad;
        uint128 secondStrikeWad;
        uint40 expiry;
        bool isCall;
        uint96 written;
        uint96 unsold;
    }

    /// @notice Where series settle, tokens' decimals, and how amounts convert: raw base x price WAD / scale = raw asset.
    struct Venue {
        IOptionBook book;
        ISettlementOracle settlementOracle;
        uint8 baseDecimals;
        uint8 assetDecimals;
        uint256 scale;
    }

    /// @notice Sums over series, raw base x WAD; liabilities, and delta as the vault has it.
    struct Sums {
        uint256 low;
        uint256 mid;
        uint256 high;
        int256 delta;
        uint256 vega;
    }

    /// @notice One whole option for its holder, WAD.
    struct Marks {
        uint256 low;
        uint256 mid;
        uint256 high;
        int256 delta;
        int256 vega;
    }

    /// @dev Volatilities as read, by leg.
    struct Volatilities {
        uint256[] low;
        uint256[] mid;
        uint256[] high;
    }

    /// @notice Room for `count` series, to be filled from the front; what is not filled must not be read.
    function listOf(uint256 count) internal pure returns (Held[] memory list) {
        assembly ("memory-safe") {
            // As `new Held[](count)`, but without a zero struct for each element that is going to be replaced.
            list := mload(0x40)
            mstore(list, count)
            mstore(0x40, add(list, shl(5, add(count, 1))))
        }
    }

    /// @notice Add the first `count` of `live`, none expired, to `value`.
    /// @param midOnly leaves out low and high, which then are the mid as well
    function addLive(
        BookValue memory value,
        Held[] memory live,
        uint256 count,
        uint256 spotWad,
        IVolatilityOracle oracle,
        uint256 scale,
        bool midOnly
    ) internal view {
        Volatilities memory vols = _read(live, count, spotWad, oracle);
        Sums memory sums;
        uint256 leg;
        for (uint256 i; i < count; ++i) {
            Held memory held = live[i];
            if (held.secondStrikeWad == 0) {
                _addSingle(sums, held, spotWad, vols, leg, midOnly);
                leg += 1;
                continue;
            }
            Marks memory marks =
                marksOf(held, spotWad, _at(vols.low, leg), _at(vols.mid, leg), _at(vols.high, leg));
            _accumulate(sums, marks, soldOf(held));
            if (midOnly) sums.vega += held.unsold * SignedMath.abs(marks.vega);
            leg += 2;
        }
        if (midOnly) (sums.low, sums.high) = (sums.mid, sums.mid);
        addSums(value, sums, scale);
    }

    /// @notice Marks and Greeks of a series that has not expired, each leg at its own volatilities.
    function marksOf(
        Held memory held,
        uint256 spotWad,
        OptionValue.Volatility memory low,
        OptionValue.Volatility memory mid,
        OptionValue.Volatility memory high
    ) internal view returns (Marks memory marks) {
        OptionValue.Option memory option = optionOf(held);
        uint256 time = held.expiry - block.timestamp;
        (marks.mid, marks.delta, marks.vega) = OptionValue.valueDeltaVegaWad(option, spotWad, time, mid);
        marks.low = OptionValue.valueWad(option, spotWad, time, low);
        marks.high = OptionValue.valueWad(option, spotWad, time, high);
        if (held.secondStrikeWad == 0) return marks;
        (uint256 atLow, uint256 atHigh) = (marks.low, marks.high);
        marks.low = Math.min(atLow, Math.min(marks.mid, atHigh));
        marks.high = Math.max(atLow, Math.max(marks.mid, atHigh));
    }

    /// @notice One series of which `sold` are out.
    function sumOf(Marks memory marks, uint256 sold) internal pure returns (Sums memory sums) {
        _accumulate(sums, marks, sold);
    }

    /// @notice Add sums to `value`, rounded here and nowhere else.
    function addSums(BookValue memory value, Sums memory sums, uint256 scale) internal pure {
        value.liabilityLow += sums.low / scale;
        value.liabilityMid += Math.ceilDiv(sums.mid, scale);
        value.liabilityHigh += Math.ceilDiv(sums.high, scale);
        value.deltaBase += sums.delta / SIGNED_WAD;
        value.vegaAsset += Math.ceilDiv(sums.vega, scale);
    }

    /// @notice What is due of an expired series: its payoff once the book has settled it or its oracle knows the
    /// price, half the greatest if there will never be one, and until then nothing, what it pays at spot, all it can
    /// pay. Raw asset, base at spot.
    /// @return low rounded down
    /// @return mid rounded up
    /// @return high rounded up
    /// @return deltaBase base that is due is base the vault does not have
    function payoffOf(uint256 seriesId, Held memory held, uint256 spotWad, Venue memory venue)
        internal
        view
        returns (uint256 low, uint256 mid, uint256 high, int256 deltaBase)
    {
        OptionPayoff.Terms memory terms = termsOf(held, venue.baseDecimals, venue.assetDecimals);
        uint256 sold = soldOf(held);
        high = OptionPayoff.collateralUp(terms, sold);
        (bool void, uint256 priceWad) = _settlement(seriesId, held.expiry, venue);
        if (void || priceWad != 0) {
            low = void
                ? OptionPayoff.maxPayoffDown(terms, sold) / 2
                : OptionPayoff.payoffDown(terms, sold, priceWad);
            high = Math.min(low + PAYOFF_DUST, high);
            mid = high;
        } else {
            mid = OptionPayoff.payoffDown(terms, sold, spotWad);
        }
        if (!held.isCall) return (low, mid, high, 0);
        deltaBase = -mid.toInt256();
        low = Math.mulDiv(low, spotWad, venue.scale);
        mid = Math.mulDiv(mid, spotWad, venue.scale, Math.Rounding.Ceil);
        high = Math.mulDiv(high, spotWad, venue.scale, Math.Rounding.Ceil);
    }

    /// @notice Written less unsold.
    function soldOf(Held memory held) internal pure returns (uint256) {
        return held.written - held.unsold;
    }

    function termsOf(Held memory held, uint8 baseDecimals, uint8 assetDecimals)
        internal
        pure
        returns (OptionPayoff.Terms memory)
    {
        return OptionPayoff.Terms({
            isCall: held.isCall,
            baseDecimals: baseDecimals,
            quoteDecimals: assetDecimals,
            strikeWad: held.strikeWad,
            secondStrikeWad: held.secondStrikeWad
        });
    }

    function optionOf(Held memory held) internal pure returns (OptionValue.Option memory) {
        return OptionValue.Option(held.isCall, held.strikeWad, held.secondStrikeWad);
    }

    // ---------------------------------------------------------------- inside

    /// @dev One call for every strike of every series, the second of a spread after its first.
    function _read(Held[] memory live, uint256 count, uint256 spotWad, IVolatilityOracle oracle)
        private
        view
        returns (Volatilities memory vols)
    {
        uint256[] memory strikes = new uint256[](2 * count);
        uint256[] memory expiries = new uint256[](2 * count);
        uint256 legs;
        for (uint256 i; i < count; ++i) {
            Held memory held = live[i];
            (strikes[legs], expiries[legs++]) = (held.strikeWad, held.expiry);
            if (held.secondStrikeWad == 0) continue;
            (strikes[legs], expiries[legs++]) = (held.secondStrikeWad, held.expiry);
        }
        assembly ("memory-safe") {
            // Shortens only: legs <= 2 x count.
            mstore(strikes, legs)
            mstore(expiries, legs)
        }
        (vols.low, vols.mid, vols.high) = oracle.volsWad(spotWad, strikes, expiries);
    }

    function _accumulate(Sums memory sums, Marks memory marks, uint256 sold) private pure {
        sums.low += sold * marks.low;
        sums.mid += sold * marks.mid;
        sums.high += sold * marks.high;
        sums.delta -= sold.toInt256() * marks.delta;
        sums.vega += sold * SignedMath.abs(marks.vega);
    }

    /// @dev `marksOf` and `_accumulate` of an option that is no spread, without the structs: most of a book, and each costs.
    function _addSingle(
        Sums memory sums,
        Held memory held,
        uint256 spotWad,
        Volatilities memory vols,
        uint256 leg,
        bool midOnly
    ) private view {
        uint256 time = held.expiry - block.timestamp;
        uint256 sold = soldOf(held);
        bool isCall = held.isCall;
        uint256 strike = held.strikeWad;
        (uint256 call, uint256 put, uint256 delta, uint256 vega) =
            BlackScholes.priceDeltaVega(spotWad, strike, time, vols.mid[leg], 0);
        sums.mid += sold * (isCall ? call : put);
        sums.vega += (midOnly ? held.written : sold) * vega;
        // A short put's delta is 1 less the call's.
        if (isCall) sums.delta -= (sold * delta).toInt256();
        else sums.delta += (sold * (WAD - delta)).toInt256();
        if (midOnly) return;
        (call, put) = BlackScholes.price(spotWad, strike, time, vols.low[leg], 0);
        sums.low += sold * (isCall ? call : put);
        (call, put) = BlackScholes.price(spotWad, strike, time, vols.high[leg], 0);
        sums.high += sold * (isCall ? call : put);
    }

    function _at(uint256[] memory vols, uint256 leg) private pure returns (OptionValue.Volatility memory) {
        return OptionValue.Volatility(vols[leg], vols[leg + 1]);
    }

    /// @dev As the book has settled it, or would now. The price is 0 while nobody knows it.
    function _settlement(uint256 seriesId, uint40 expiry, Venue memory venue)
        private
        view
        returns (bool void, uint256 priceWad)
    {
        IOptionBook.State memory state = venue.book.stateOf(seriesId);
        if (state.status != IOptionBook.Status.Open) {
            return (state.status == IOptionBook.Status.Void, state.priceWad);
        }
        ISettlementOracle.Status status;
        (status, priceWad) = venue.settlementOracle.outcome(expiry);
        void = status == ISettlementOracle.Status.Void;
        if (status != ISettlementOracle.Status.Settled) priceWad = 0;
    }
}
