// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SettlementMath} from "../libraries/SettlementMath.sol";
import {IMandate} from "./IMandate.sol";
import {BookValue} from "./IOptionDesk.sol";
import {IVault} from "./IVault.sol";

/// @title IValuation
/// @notice What one vault has, owes and is exposed to. Nothing of it can be read in the middle of a call (V-18), but by vault and
/// mandate themselves.
interface IValuation {
    /// @notice Everything the vault has and owes, token units.
    struct Holdings {
        uint256 idleAsset; // neither reserved nor waiting
        uint256 idleBase;
        uint256 suppliedAsset;
        uint256 suppliedBase;
        uint256 debtAsset;
        uint256 debtBase;
    }

    /// @notice What a rebalance is judged by. Asset units unless said.
    struct Measure {
        bool priced; // false: price or health unknown; the rest is 0 but health
        bool optionsKnown; // false: volatility is unusable, options count at intrinsic value and none is traded
        uint256 priceWad;
        uint256 priceAt; // unix seconds of the last round
        uint256 healthWad;
        uint256 gross; // rounded down
        uint256 debt; // rounded up, what is owed on options included
        uint256 nav; // gross - debt, not below 0
        uint256 debtAsset; // token units
        uint256 debtBase; // token units
        uint256 suppliedAsset; // token units
        uint256 suppliedBase; // token units
        int256 deltaBase; // raw base
        uint256 lent; // supplied at the lending venue
        uint256 optionCollateral;
        uint256 notional; // of options written, at spot
        uint256 vega; // of options written, per 1.00 of volatility
        uint256 optionChanges; // of the desk, in this transaction
        uint256 lendingChanges; // of the lending adapter, in this transaction
        uint256 bookAsset; // collateral and cash of options
        uint256 bookBase; // raw base, collateral of options
        uint256 bookDebt; // what options sold are worth
        int256 bookDelta; // raw base
    }

    /// @notice NAV for leavers and joiners.
    struct Marks {
        uint256 low;
        uint256 high;
        bool open; // deposits can be priced: both sources are sound and the vault is solvent
    }

    /// @notice What a leaver brings and takes, token units.
    struct Exit {
        uint256 takesAsset; // from the leaver, for the debt
        uint256 takesBase;
        uint256 givesAsset;
        uint256 givesBase;
    }

    error AlreadyBound(address vault);
    error NotMandate(address caller);
    error NothingToProtectWith(uint256 healthWad);
    error OptionsOpen(uint256 openSeries);
    error Reentered();
    error SeriesAwaited();
    error TokenNotAllowed(address token);
    error VenueMismatch(address adapter, address boundVault);

    event Bound(address indexed vault, address indexed mandate);
    event VenuesSet(address indexed lending, address indexed swapper, address indexed desk);

    /// @notice Serve this vault, and the caller as its mandate, once and for ever.
    function bind(address vault, address asset, address base) external;
    /// @notice The vault's adapters; `desk` may be zero. Mandate only.
    function setVenues(address lending, address swapper, address desk) external;

    /// @notice What is owed at the venue, asset units; base counts as nothing at a price of 0.
    function debtAt(uint256 priceWad) external view returns (uint256);
    /// @notice The moves of a rescue; see `RescuePlan`. Reverts if there is nothing to repay with.
    function rescueMoves(IMandate.Rescue memory rescue) external view returns (IVault.Move[] memory);
    /// @notice The moves of an exit in kind: the part `shares` of `whole` of the debt repaid, of the collateral withdrawn. Reverts
    /// while options are open: they cannot be handed out in parts, but they expire, and anybody may collect what has.
    function exitMoves(uint256 shares, uint256 whole)
        external
        view
        returns (IVault.Move[] memory moves, Exit memory exit);
    /// @notice Whether anything is owed at the venue.
    function owes() external view returns (bool);
    /// @notice What a settlement does now; see `SettlementMath`.
    function settlement(SettlementMath.Input memory input)
        external
        view
        returns (SettlementMath.Output memory);

    function vault() external view returns (address);
    function mandate() external view returns (address);
    function oracle() external view returns (address);
    function lending() external view returns (address);
    function swapper() external view returns (address);
    function desk() external view returns (address);

    function holdings() external view returns (Holdings memory);
    /// @notice Everything a rebalance is judged by. Never reverts for a price, a feed or a volatility.
    function measure() external view returns (Measure memory);
    /// @notice The same again in the same transaction, at the same price; options and venue are asked again only if desk or adapter
    /// acted meanwhile.
    function measureAgain(Measure calldata before) external view returns (Measure memory);
    /// @notice The options, modelled, or, while volatility is unusable, at intrinsic value and `known` false.
    function bookAt(uint256 priceWad) external view returns (bool known, BookValue memory book);
    /// @notice The venue's health, if it answers.
    function tryHealth() external view returns (bool known, uint256 healthWad);
    /// @notice As the vault's `nav`.
    function nav() external view returns (uint256);
    /// @notice NAVs a settlement would price at now. Reverts while there is no low mark.
    function marks() external view returns (Marks memory);
}
