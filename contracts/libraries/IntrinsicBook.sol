// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BookValue, IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {OptionPayoff} from "./OptionPayoff.sol";

/// @title IntrinsicBook
/// @notice A desk's book while volatility is unusable: every option sold counts what it would pay at spot. Not a value, but the same
/// before and after whatever does not touch the options, and so good enough to judge that.
library IntrinsicBook {
    using SafeCast for uint256;

    /// @param scale raw base x price WAD / scale = raw asset
    function measure(
        IOptionDesk desk,
        uint256 spotWad,
        uint256 scale,
        uint8 baseDecimals,
        uint8 assetDecimals
    ) internal view returns (BookValue memory value) {
        IOptionDesk.Position[] memory positions = desk.positions(spotWad);
        value.openSeries = positions.length;
        value.escrowAsset = desk.escrowAsset();
        for (uint256 i; i < positions.length; ++i) {
            IOptionDesk.Position memory p = positions[i];
            OptionPayoff.Terms memory terms = OptionPayoff.Terms(
                p.series.isCall, baseDecimals, assetDecimals, p.series.strikeWad, p.series.secondStrikeWad
            );
            uint256 collateral = OptionPayoff.collateralUp(terms, p.written);
            uint256 payoff = OptionPayoff.payoffDown(terms, p.sold, spotWad);
            value.notionalBase += p.awaiting ? p.sold : p.written;
            value.awaiting = value.awaiting || p.awaiting;
            if (terms.isCall) {
                value.collateralBase += collateral;
                value.deltaBase -= payoff.toInt256();
                value.liabilityMid += Math.mulDiv(payoff, spotWad, scale, Math.Rounding.Ceil);
            } else {
                value.collateralAsset += collateral;
                value.liabilityMid += payoff;
            }
        }
    }
}
