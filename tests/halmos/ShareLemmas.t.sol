// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ShareMath} from "../../contracts/libraries/ShareMath.sol";
import {Proof} from "./Proof.sol";

/// @title ShareLemmas
/// @notice V-02: no conversion of shares favours its caller. `unit` stands for the virtual shares, 1 or more.
contract ShareLemmas is Proof {
    uint256 private constant WIDE = 24;
    uint256 private constant SMALL = 3;

    /// @notice NAV per share, virtual parts included, never falls by a deposit.
    function check_a_deposit_dilutes_nobody(uint256 assets, uint256 supply, uint256 nav, uint256 unit)
        external
        pure
    {
        _fit(assets, supply, nav, unit, WIDE);
        uint256 shares = ShareMath.toSharesDown(assets, supply, nav, unit);
        unchecked {
            assert((nav + assets + 1) * (supply + unit) >= (nav + 1) * (supply + shares + unit));
        }
    }

    /// @notice NAV per share never falls by a redemption.
    function check_a_redemption_dilutes_nobody(uint256 shares, uint256 supply, uint256 nav, uint256 unit)
        external
        pure
    {
        _fit(shares, supply, nav, unit, WIDE);
        VM.assume(shares <= supply);
        uint256 assets = ShareMath.toAssetsDown(shares, supply, nav, unit);
        unchecked {
            assert((nav + 1) * shares >= assets * (supply + unit));
        }
    }

    /// @notice A redemption never takes more than there is: the virtual share's part stays.
    function check_a_redemption_is_covered(uint256 shares, uint256 supply, uint256 nav, uint256 unit)
        external
        pure
    {
        _fit(shares, supply, nav, unit, SMALL);
        VM.assume(shares <= supply);
        assert(ShareMath.toAssetsDown(shares, supply, nav, unit) <= nav);
    }

    /// @notice What is deposited and redeemed at once never comes back as more.
    function check_a_round_trip_never_profits(uint256 assets, uint256 supply, uint256 nav, uint256 unit)
        external
        pure
    {
        _fit(assets, supply, nav, unit, SMALL);
        uint256 shares = ShareMath.toSharesDown(assets, supply, nav, unit);
        uint256 back = ShareMath.toAssetsDown(shares, supply + shares, nav + assets, unit);
        assert(back <= assets);
    }

    /// @notice What is redeemed and deposited at once never comes back as more shares.
    function check_the_way_round_never_profits(uint256 shares, uint256 supply, uint256 nav, uint256 unit)
        external
        pure
    {
        _fit(shares, supply, nav, unit, SMALL);
        VM.assume(shares <= supply);
        uint256 assets = ShareMath.toAssetsDown(shares, supply, nav, unit);
        VM.assume(assets <= nav); // `check_a_redemption_is_covered`
        assert(ShareMath.toSharesDown(assets, supply - shares, nav - assets, unit) <= shares);
    }

    /// @notice A deposit in two parts never gets more shares than one.
    function check_splitting_a_deposit_never_profits(
        uint256 first,
        uint256 second,
        uint256 supply,
        uint256 nav,
        uint256 unit
    ) external pure {
        _fit(first, supply, nav, unit, SMALL);
        _fits(second, SMALL);
        uint256 parts = ShareMath.toSharesDown(first, supply, nav, unit)
            + ShareMath.toSharesDown(second, supply, nav, unit);
        assert(parts <= ShareMath.toSharesDown(first + second, supply, nav, unit));
    }

    /// @notice A higher mark gives no more shares, a lower one no more assets: deposits pay the high mark, redemptions get the low.
    function check_the_worse_mark_favours_the_vault(uint256 amount, uint256 supply, uint256 low, uint256 high)
        external
        pure
    {
        _fit(amount, supply, low, 1, SMALL);
        _fits(high, SMALL);
        VM.assume(low <= high);
        assert(
            ShareMath.toSharesDown(amount, supply, high, 1) <= ShareMath.toSharesDown(amount, supply, low, 1)
        );
        assert(
            ShareMath.toAssetsDown(amount, supply, low, 1) <= ShareMath.toAssetsDown(amount, supply, high, 1)
        );
    }

    /// @notice False: rounding may take a unit from the depositor.
    function check_a_round_trip_loses_nothing_must_fail(uint256 assets, uint256 supply, uint256 nav)
        external
        pure
    {
        _fit(assets, supply, nav, 1, SMALL);
        uint256 shares = ShareMath.toSharesDown(assets, supply, nav, 1);
        assert(ShareMath.toAssetsDown(shares, supply + shares, nav + assets, 1) >= assets);
    }

    function _fit(uint256 amount, uint256 supply, uint256 nav, uint256 unit, uint256 bits) private pure {
        _fits(amount, bits);
        _fits(supply, bits);
        _fits(nav, bits);
        _fits(unit, bits);
        VM.assume(unit != 0);
    }
}
