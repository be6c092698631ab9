// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionLimits} from "../libraries/OptionLimits.sol";
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
    /// @param cooldown seconds between calls that sell
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
        uint256 priceWad;
        uint256 priceAt; // unix seconds of the last round
        uint256 healthWad;
        uint256 gross; // rounded down
        uint256 debt; // rounded up, what is owed on options included
        uint256 nav; // gross - debt, not below 0
        uint256 debtAsset; // token units
        uint256 debtBase; // token units
        int256 deltaBase; // raw base
        uint256 lent; // supplied at the lending venue
        uint256 optionCollateral;
        uint256 notional; // of options sold, at spot
        uint256 vega; // per 1.00 of volatility
    }

    /// @notice What swaps did in one rebalance, asset units at the oracle's price.
    struct Traded {
        uint256 turnover; // sold
        uint256 bought; // but base sold while no base is owed: one way, towards cash
    }

    /// @notice NAV for leavers and joiners.
    struct Marks {
        uint256 low;
        uint256 high;
        bool open; // deposits can be priced: both sources are sound and the vault is solvent
    }

    /// @notice What `protect` may do now.
    struct Rescue {
        bool priced; // else only idle repays
        uint256 priceWad;
        uint256 healthWad;
        uint256 sliceBps;
        uint256 bountyBps;
        uint256 maxBounty;
    }

    enum Bucket {
        Routine,
        Protective
    }

    error AlreadyBound(address vault);
    error BorrowRatioTooHigh(uint256 debtBps, uint256 maxBorrowBps);
    error CooldownActive(uint256 until, uint256 timestamp);
    error DeltaOutsideBand(uint256 gapBefore, uint256 gapAfter, uint256 band);
    error HealthTooLow(uint256 healthBeforeWad, uint256 healthAfterWad, uint256 minHealthWad);
    error HeartBeats(uint256 lastBeat, uint256 silence);
    error IntentAlreadyUsed(bytes32 id);
    error IntentExpired(bytes32 id, uint64 deadline, uint256 timestamp);
    error LossTooLarge(uint256 loss, uint256 maxLoss);
    error NotEndangered(uint256 healthWad, uint256 thresholdWad);
    error NotKeeper(address caller);
    error NotTighter();
    error NotVault(address caller);
    error OracleTooOld(uint256 age, uint256 maxAge);
    error PausedRiskRaised(
        uint256 healthBeforeWad, uint256 healthAfterWad, uint256 debtBefore, uint256 debtAfter
    );
    error PausedSwapTooLarge(uint256 bought, uint256 debtRepaid);
    error ShareTooLarge(string cap, uint256 value, uint256 most);
    error StateChanged(bytes32 expected, bytes32 current);
    error TermsChanged(bytes32 expected, bytes32 current);
    error TokenNotAllowed(address token);
    error VenueMismatch(address adapter, address boundVault);
    error VenuesAlreadySet(address lending, address swapper);

    event Beat(address indexed keeper);
    event Bound(address indexed vault);
    event Charged(Bucket indexed bucket, uint256 lossWad, uint256 leftWad);
    event KeeperSet(address indexed keeper, bool allowed);
    event PausedSet(bool paused, address indexed by);
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
    /// @notice Check the intent, use it up, beat the heart, and measure.
    function open(address caller, IVault.Intent calldata intent) external returns (Measure memory before);
    /// @notice Measure again, compare, charge.
    function close(Measure calldata before, Traded calldata traded, uint256 maxLoss, uint256 dust)
        external
        returns (Measure memory afterwards);
    /// @notice Whether anybody may protect now; reverts with the reason why not.
    function openRescue(bool sells) external returns (Rescue memory);
    /// @notice Charge the loss of an auction's fill to the routine bucket.
    function chargeFill(uint256 loss) external;

    // ---------------------------------------------------------------- views

    function vault() external view returns (address);
    function oracle() external view returns (address);
    function terms() external view returns (Terms memory);
    function termsHash() external view returns (bytes32);
    function optionLimits() external view returns (OptionLimits memory);
    function isKeeper(address account) external view returns (bool);
    function intentUsed(bytes32 id) external view returns (bool);
    function paused() external view returns (bool);
    function windingDown() external view returns (bool);
    function lastBeat() external view returns (uint256);
    function lastRoutineAt() external view returns (uint256);
    /// @notice What the next intent must name; changes with every settlement, rebalance, protection and exit.
    function stateHash() external view returns (bytes32);
    function holdings() external view returns (Holdings memory);
    /// @notice The vault now. Never reverts for a price, a feed or a venue; reverts in the middle of a call (V-18).
    function measure() external view returns (Measure memory);
    /// @notice NAVs a settlement would price at now. Reverts while there is no low mark.
    function marks() external view returns (Marks memory);
    /// @notice Parts of NAV, WAD, left in a bucket now and held by it when full.
    function budget(Bucket bucket) external view returns (uint256 leftWad, uint256 capacityWad);
    /// @notice Part of NAV, WAD, that may still be swapped today.
    function turnoverLeft() external view returns (uint256 leftWad, uint256 capacityWad);
}
