// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPair} from "./IPair.sol";

/// @title ISettlementOracle
/// @notice The price of base in quote at an instant, proven from two sources after it: the Chainlink rounds in force at that
/// instant and a Uniswap v3 TWAP around it. Agreement settles; disagreement is quarantined. A settled price never changes (V-10).
///
/// The life of an instant (`expiry`):
///
///     Open ── prove, sources agree ───────────────────────────────> Settled
///      ├───── prove, they differ, or the round was stale,
///      │      the sequencer was down, or
///      │      no TWAP was recorded ─────> Quarantined ── resolve ─> Settled
///      ├───── giveUp, TWAP only ────────> Quarantined ── prove, they agree ─> Settled
///      └───── giveUp, no source at all ──────────────────────────> Void
interface ISettlementOracle is IPair {
    enum Status {
        Open, // nothing decided
        Quarantined, // the sources disagree or one is missing; waits for `resolve`
        Settled, // `priceWad` holds for ever
        Void // no source could be proven; there is no price, for ever
    }

    /// @notice What a quarantined instant is resolved to. `None` stands for the rule that needs nobody.
    enum Choice {
        None, // Midpoint if both sources are proven, else the one there is
        Chainlink,
        Twap,
        Midpoint
    }

    /// @notice The round in force at the instant and the one after it, as ids of the proxy.
    struct Straddle {
        uint80 roundId;
        uint80 nextRoundId;
    }

    /// @notice Everything known about an instant. Prices are quote per whole base, WAD, rounded down; 0 where unknown.
    struct Settlement {
        Status status;
        Choice choice; // the resolver's latest proposal
        bool stale; // a proven round was older than its feed's maxAge at the instant
        bool interrupted; // when the TWAP was recorded the sequencer was not known to have been up all the while
        uint64 recordedAt; // 0 if the TWAP was not recorded
        uint64 quarantinedAt; // 0 if never
        uint16 basePhase; // phase of each feed when the TWAP was recorded: later phases do not count
        uint16 quotePhase;
        uint128 twapWad;
        uint128 chainlinkWad;
        uint128 priceWad;
    }

    event Recorded(
        uint64 indexed expiry, uint256 twapWad, uint16 basePhase, uint16 quotePhase, bool interrupted
    );
    event Proven(uint64 indexed expiry, uint256 chainlinkWad, bool stale, Straddle base, Straddle quote);
    event Quarantined(uint64 indexed expiry, uint256 chainlinkWad, uint256 twapWad, uint256 disputeUntil);
    event Proposed(uint64 indexed expiry, Choice choice, uint256 priceWad, uint256 effectiveFrom);
    event Settled(uint64 indexed expiry, uint256 priceWad, Choice choice);
    event Voided(uint64 indexed expiry);

    error AlreadyRecorded(uint64 expiry, uint256 recordedAt);
    error ChoiceUnavailable(uint64 expiry, Choice choice);
    error NotResolver(address caller, address resolver);
    error NotSettled(uint64 expiry, Status status);
    error PriceOutOfRange(uint256 priceWad, uint256 most);
    error TooEarly(uint256 time, uint256 earliest);
    error TooLate(uint256 time, uint256 latest);
    error TwapUnreadable(address pool, uint256 from, uint256 to);
    error WrongStatus(uint64 expiry, Status status);

    /// @notice Store the pool's mean tick price over [expiry - twapWindow/2, expiry + twapWindow/2], the feeds' phases, and
    /// whether the sequencer has been up since `graceSeconds` before that. Anyone, once, from expiry + twapWindow/2 on for
    /// `recordWindow` seconds. Who records and when does not change the price.
    function record(uint64 expiry) external returns (uint256 twapWad);

    /// @notice Prove the rounds of both feeds that were in force at `expiry`. Anyone, once the TWAP is recorded or its window is
    /// over. Settles if fresh, uninterrupted and within `maxDeviationBps` of the TWAP, quarantines otherwise.
    function prove(uint64 expiry, Straddle calldata baseRounds, Straddle calldata quoteRounds)
        external
        returns (Status status);

    /// @notice The resolver names one of the proven prices, or their midpoint, for a quarantined instant. Only inside the dispute
    /// window; the last proposal counts, and takes effect at the earliest `choiceDelay` after the window.
    function propose(uint64 expiry, Choice choice) external;

    /// @notice Settle a quarantined instant after dispute window and choice delay: by the proposal, or by the rule. Anyone.
    function resolve(uint64 expiry) external returns (uint256 priceWad);

    /// @notice For rounds nobody can prove: quarantine on the TWAP alone after `PROOF_WINDOW`, or, without a TWAP, declare that
    /// there is no price after `VOID_AFTER`. Anyone. A proof is still taken while quarantined on the TWAP alone.
    function giveUp(uint64 expiry) external returns (Status status);

    /// @notice Everything known about an instant.
    function settlementOf(uint64 expiry) external view returns (Settlement memory);

    /// @notice Status and price; the price is 0 unless the status is Settled.
    function outcome(uint64 expiry) external view returns (Status status, uint256 priceWad);

    /// @notice Quote per whole base, WAD; reverts with `NotSettled`.
    function settlementPriceWad(uint64 expiry) external view returns (uint256);
}
