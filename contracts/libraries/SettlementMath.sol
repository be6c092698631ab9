// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FeeMath} from "./FeeMath.sol";
import {ShareMath} from "./ShareMath.sol";

/// @title SettlementMath
/// @notice What a settlement does, as a function of numbers alone. Fees come first, at the low mark, so that joiners pay for no gain
/// they did not have; then all that waits is priced at the same number of shares: deposits at the high mark, redemptions at
/// the low one, as far as liquid assets cover them.
library SettlementMath {
    /// @dev Of a share price that fell by so much; below uint128's maximum over the deposits' scale.
    uint256 private constant MOST_SHARES_PER_VIRTUAL = 1e8;

    /// @param supply shares
    /// @param pendingAssets that wait to become shares
    /// @param pendingShares that wait to become assets
    /// @param liquid assets that may be paid out
    /// @param elapsed seconds since the last settlement; 0 where no management fee is due
    /// @param managementBps of NAV a year
    /// @param performanceBps of the gain over `mark`
    /// @param mark high-water mark, of `FeeMath.perShareDown`
    /// @param virtualShares of `ShareMath`
    /// @param wholeShare 10 to the decimals of the shares
    /// @param takesDeposits false while deposits are halted
    struct Input {
        uint256 supply;
        uint256 pendingAssets;
        uint256 pendingShares;
        uint256 liquid;
        uint256 elapsed;
        uint256 managementBps;
        uint256 performanceBps;
        uint256 mark;
        uint256 virtualShares;
        uint256 wholeShare;
        bool takesDeposits;
    }

    struct Output {
        uint256 navLow;
        uint256 navHigh;
        uint256 managementShares;
        uint256 performanceShares;
        uint256 mark;
        uint256 assetsIn;
        uint256 sharesOut;
        uint256 sharesIn;
        uint256 assetsOut;
    }

    /// @param open whether deposits can be priced
    function compute(Input memory input, uint256 low, uint256 high, bool open)
        internal
        pure
        returns (Output memory out)
    {
        (out.navLow, out.navHigh) = (low, high);
        uint256 supply = _accrue(input, out, low);
        if (open && input.takesDeposits) {
            out.sharesOut = ShareMath.toSharesDown(input.pendingAssets, supply, high, input.virtualShares);
            // What would buy no share, or more of them than a queue can count, goes on waiting: it must not stop redemptions.
            bool counts = out.sharesOut / MOST_SHARES_PER_VIRTUAL <= input.pendingAssets * input.virtualShares;
            if (counts && out.sharesOut != 0) out.assetsIn = input.pendingAssets;
            else out.sharesOut = 0;
        }
        _redeem(input, out, supply, low);
    }

    function _accrue(Input memory input, Output memory out, uint256 nav)
        private
        pure
        returns (uint256 supply)
    {
        out.managementShares = FeeMath.managementSharesDown(input.supply, input.managementBps, input.elapsed);
        supply = input.supply + out.managementShares;
        out.performanceShares = FeeMath.performanceSharesDown(
            supply + input.virtualShares, nav, input.wholeShare, input.mark, input.performanceBps
        );
        supply += out.performanceShares;
        // Net of fees: what a share has once been worth to its holder.
        uint256 perShare = FeeMath.perShareDown(supply + input.virtualShares, nav, input.wholeShare);
        out.mark = Math.min(Math.max(perShare, input.mark), type(uint128).max);
    }

    function _redeem(Input memory input, Output memory out, uint256 supply, uint256 low) private pure {
        uint256 liquid = input.liquid + out.assetsIn;
        uint256 shares = input.pendingShares;
        uint256 assets = ShareMath.toAssetsDown(shares, supply, low, input.virtualShares);
        if (assets > liquid) {
            shares = Math.mulDiv(shares, liquid, assets);
            assets = ShareMath.toAssetsDown(shares, supply, low, input.virtualShares);
        }
        // What would be paid nothing goes on waiting.
        if (assets != 0) (out.sharesIn, out.assetsOut) = (shares, assets);
    }
}
