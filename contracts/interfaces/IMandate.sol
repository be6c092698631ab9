// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionLimits} from "../libraries/OptionLimits.sol";
import {IValuation} from "./IValuation.sol";
import {IVault} from "./IVault.sol";
import {IVaultShares} from "./IVaultShares.sol";

/// @title IMandate
/// @notice What any keeper may do to one vault, and who may change it. What makes the vault safer is the guardian's and takes
/// effect at once; what makes it riskier is the curator's and waits for the delay of that role (V-14).
interface IMandate {
    /// @notice Limits on every rebalance. Basis points are of NAV before it unless said.
    /// @param minHealthWad health must be this at least, or higher than before
    /// @param maxSwapLossBps a swap's output against the oracle
    /// @param maxLossBps NAV loss of one rebalance
    /// @param maxLossPerDayBps NAV loss, routine bucket, refilled in a day
    /// @param maxBorrowBps debt over gross assets where the debt of either token rose
    struct Limits {
        uint64 minHealthWad;
        uint16 maxSwapLossBps;
        uint16 maxLossBps;
        uint16 maxLossPerDayBps;
        uint16 maxBorrowBps;
    }

    /// @notice Further limits, on everything that does not reduce every measured risk.
    /// @param deltaTargetBps wanted net delta, value over NAV
    /// @param deltaBandBps most the net delta may be away from it; holds for reducing moves too (V-06)
    /// @param maxVenueBps supplied at the lending venue, over gross assets
    /// @param maxOptionBps collateral of options, over gross assets
    /// @param turnoverPerDayBps swaps, refilled in a day
    /// @param cooldown seconds between such rebalances
    /// @param maxOracleAge seconds since the price's last round
    /// @param protectiveLossPerDayBps NAV loss of reducing moves, a bucket of its own
    struct Caps {
        int32 deltaTargetBps;
        uint32 deltaBandBps;
        uint16 maxVenueBps;
        uint16 maxOptionBps;
        uint32 turnoverPerDayBps;
        uint32 cooldown;
        uint32 maxOracleAge;
        uint16 protectiveLossPerDayBps;
    }

    /// @notice When and how anybody may protect the vault (V-16).
    /// @param emergencyHealthWad below it, if the heart is silent
    /// @param criticalHealthWad below it, always
    /// @param silence seconds without a beat
    /// @param sliceBps most of the debt one call repays
    /// @param cooldown seconds after a call that sold
    /// @param bountyBps of what was repaid
    /// @param maxBounty asset units
    struct Emergency {
        uint64 emergencyHealthWad;
        uint64 criticalHealthWad;
        uint32 silence;
        uint16 sliceBps;
        uint32 cooldown;
        uint16 bountyBps;
        uint96 maxBounty;
    }

    /// @notice Every parameter of the mandate.
    struct Terms {
        Limits limits;
        Caps caps;
        Emergency emergency;
        OptionLimits options;
    }

    /// @notice What swaps did in one rebalance, asset units at the oracle's price.
    struct Traded {
        uint256 turnover; // sold
        uint256 boughtAsset;
        uint256 boughtBase;
    }

    /// @notice What the vault needs to know to apply moves.
    struct Brief {
        bool priced;
        bool optionsKnown;
        bool owes;
        bool toppable; // while there is no price: more collateral is protection
        uint256 priceWad;
        uint256 maxSwapLossBps;
    }

    /// @notice What a rescue may do.
    /// @param priceWad 0 while there is none: then only idle repays
    /// @param debt before it, asset units
    /// @param reserve most asset kept for the bounty
    struct Rescue {
        uint256 priceWad;
        uint256 healthWad;
        uint256 debt;
        uint256 sliceBps;
        uint256 swapLossBps;
        uint256 bountyBps;
        uint256 reserve;
    }

    /// @notice What a rebalance did, for its event.
    struct Outcome {
        uint256 navBefore;
        uint256 navAfter;
        uint256 healthBefore;
        uint256 healthAfter;
    }

    enum Cap {
        Venue,
        Options,
        Notional,
        Vega
    }

    enum Bucket {
        Routine,
        Protective
    }

    error BorrowRatioTooHigh(uint256 debtBps, uint256 maxBorrowBps);
    error CooldownActive(uint256 until, uint256 timestamp);
    error DeltaOutsideBand(uint256 gapBefore, uint256 gapAfter, uint256 band);
    error HealthTooLow(uint256 healthBeforeWad, uint256 healthAfterWad, uint256 minHealthWad);
    error HeartBeats(uint256 lastBeat, uint256 silence);
    error IntentExpired(bytes32 id, uint64 deadline, uint256 timestamp);
    error LossTooLarge(uint256 loss, uint256 maxLoss);
    error NotDesk(address caller);
    error NotEndangered(uint256 healthWad, uint256 thresholdWad);
    error NotKeeper(address caller);
    error NotAbandoned(uint256 lastBeat, uint256 timestamp);
    error NotTighter();
    error NotVault(address caller);
    error ZeroAddress();
    error OptionsUnknown();
    error OracleTooOld(uint256 age, uint256 maxAge);
    error PausedRiskRaised(
        uint256 healthBeforeWad, uint256 healthAfterWad, uint256 debtBefore, uint256 debtAfter
    );
    error PausedSwapTooLarge(uint256 bought, uint256 debtRepaid);
    error ProtectionUseless(uint256 healthBeforeWad, uint256 healthAfterWad);
    error RescueTooSoon(uint256 until, uint256 timestamp);
    error ShareTooLarge(Cap cap, uint256 value, uint256 most);
    error StateChanged(bytes32 expected, bytes32 current);
    error TermsChanged(bytes32 expected, bytes32 current);

    event Beat(address indexed keeper);
    event Charged(Bucket indexed bucket, uint256 lossWad, uint256 leftWad);
    event KeeperSet(address indexed keeper, bool allowed);
    event PausedSet(bool paused, address indexed by);
    event Protected(
        address indexed caller, uint256 repaid, uint256 healthBefore, uint256 healthAfter, uint256 bounty
    );
    event TermsSet(Terms terms);
    event WindDownSet(bool windingDown, address indexed by);

    // ---------------------------------------------------------------- curator: riskier, after a delay

    /// @notice Replace every parameter, within the hard bounds; refused unless the terms still hash to `expected`, so that what
    /// waited does not undo what a guardian tightened meanwhile.
    function setTerms(bytes32 expected, Terms calldata newTerms) external;
    function addKeeper(address keeper) external;
    function unpause() external;
    /// @notice Go on after a wind-down.
    function resume() external;
    function setDepositPolicy(IVaultShares.DepositPolicy calldata newPolicy) external;
    function setFees(IVaultShares.Fees calldata newFees) external;
    /// @notice Let an account deposit where there is an allow-list.
    function allow(address account) external;
    /// @notice Take what the venues report as the new truth and open deposits again.
    function resolveUnhedged() external;

    // ---------------------------------------------------------------- guardian: safer, at once

    /// @notice Replace the terms by ones that are looser in nothing.
    function tighten(Terms calldata newTerms) external;
    function removeKeeper(address keeper) external;
    /// @notice Stop deposits and every keeper action that does not reduce risk.
    function pause() external;
    /// @notice Only reducing moves from now on, no deposits, and exits in kind.
    function windDown() external;
    function lowerCap(uint128 newCap) external;
    function disallow(address account) external;

    // ---------------------------------------------------------------- anybody

    /// @notice Wind down a vault whose keeper has been silent for `ABANDONED_AFTER`.
    function declareAbandoned() external;

    // ---------------------------------------------------------------- keeper

    /// @notice "I am here, and nothing needs doing."
    function beat() external;

    // ---------------------------------------------------------------- vault

    /// @notice Become the mandate of the caller, once and for ever.
    function bind(address asset, address base) external;
    /// @notice The vault's adapters, once and for ever; `desk` may be zero.
    function setVenues(address lending, address swapper, address desk) external;
    /// @notice Check the intent, beat the heart, and measure. `measured` goes back to `close` as it is.
    function open(address caller, IVault.Intent calldata intent)
        external
        returns (Brief memory brief, bytes memory measured);
    /// @notice Measure again, compare, charge; the vault is in another state now, so the intent is used up.
    function close(bytes calldata measured, Traded calldata traded, uint256 maxLoss, uint256 dust)
        external
        returns (Outcome memory);
    /// @notice What anybody may do to protect the vault now; reverts with the reason why nothing.
    function openRescue() external returns (Rescue memory);
    /// @notice Health must have risen. After a rescue that sold something the next one waits.
    function closeRescue(Rescue calldata rescue, bool sold, address caller) external returns (uint256 bounty);
    /// @notice Raise the vault's unhedged flag if the venues hold less than was left there; called before a change.
    function inspect() external;
    /// @notice Remember what the venues were left with.
    function record() external;
    /// @notice A settlement: the vault is in another state now.
    function advance() external;

    // ---------------------------------------------------------------- desk

    /// @notice Charge the loss of an auction's fill to the routine bucket.
    function chargeFill(uint256 loss) external;

    // ---------------------------------------------------------------- views

    function vault() external view returns (address);
    function oracle() external view returns (address);
    /// @notice Measures the vault.
    function valuation() external view returns (IValuation);
    function terms() external view returns (Terms memory);
    function termsHash() external view returns (bytes32);
    function optionLimits() external view returns (OptionLimits memory);
    function isKeeper(address account) external view returns (bool);
    function paused() external view returns (bool);
    function windingDown() external view returns (bool);
    function lastBeat() external view returns (uint256);
    function lastRoutineAt() external view returns (uint256);
    /// @notice What the next intent must name; changes with every settlement, rebalance and rescue, and with nothing a stranger
    /// may do at any time.
    function stateHash() external view returns (bytes32);
    /// @notice Parts of NAV, WAD, left in a bucket now and held by it when full.
    function budget(Bucket bucket) external view returns (uint256 leftWad, uint256 capacityWad);
    /// @notice Part of NAV, WAD, that may still be swapped today.
    function turnoverLeft() external view returns (uint256 leftWad, uint256 capacityWad);
}
