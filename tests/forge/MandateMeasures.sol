// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice A mandate that judges what it is told was measured: its edges are reached to the unit, where a venue's rounding or a
/// swap's would miss them.
abstract contract MandateMeasures is MandateFixture {
    uint256 internal constant DOLLAR = 1e6;
    uint256 internal constant PRICE_WAD = 2000e18; // raw base x price / 1e30 = raw asset
    uint256 internal constant MIN_HEALTH = 1.05e18;

    /// @dev A million dollars, at its delta target, both tokens owed, every risk measured.
    function _calm() internal view returns (IValuation.Measure memory m) {
        (m.priced, m.optionsKnown) = (true, true);
        (m.priceWad, m.priceAt) = (PRICE_WAD, block.timestamp);
        m.healthWad = 2e18;
        (m.gross, m.debt, m.nav) = (1_500_000e6, 500_000e6, 1_000_000e6);
        (m.debtAsset, m.debtBase) = (300_000e6, 100e18);
        m.deltaBase = 500e18;
        (m.lent, m.optionCollateral) = (900_000e6, 200_000e6);
        (m.notional, m.vega) = (100_000e6, 50_000e6);
    }

    /// @dev Nothing owed and nothing written: a million dollars' worth of base.
    function _cash() internal view returns (IValuation.Measure memory m) {
        (m.priced, m.optionsKnown) = (true, true);
        (m.priceWad, m.priceAt) = (PRICE_WAD, block.timestamp);
        m.healthWad = ALL;
        (m.gross, m.nav) = (1_000_000e6, 1_000_000e6);
        m.deltaBase = 500e18;
    }

    function _nothing() internal pure returns (IMandate.Traded memory traded) {}

    function _tell(IValuation.Measure memory afterwards) internal {
        bytes memory question = abi.encodePacked(IValuation.measureAgain.selector);
        vm.mockCall(address(valuation), question, abi.encode(afterwards));
    }

    function _passes(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        IMandate.Traded memory traded,
        uint256 maxLoss,
        uint256 dust
    ) internal returns (IMandate.Outcome memory) {
        _tell(afterwards);
        vm.prank(address(vault));
        return mandate.close(abi.encode(before), traded, maxLoss, dust);
    }

    function _passes(IValuation.Measure memory before, IValuation.Measure memory afterwards) internal {
        _passes(before, afterwards, _nothing(), ALL, 0);
    }

    function _refuses(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        IMandate.Traded memory traded,
        uint256 maxLoss,
        uint256 dust,
        bytes memory reason
    ) internal {
        _tell(afterwards);
        bytes memory measured = abi.encode(before);
        vm.expectRevert(reason);
        vm.prank(address(vault));
        mandate.close(measured, traded, maxLoss, dust);
    }

    function _refuses(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        bytes memory reason
    ) internal {
        _refuses(before, afterwards, _nothing(), ALL, 0, reason);
    }
}
