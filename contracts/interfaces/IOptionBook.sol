// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC6909TokenSupply} from "@openzeppelin/contracts/interfaces/IERC6909.sol";
import {ISettlementOracle} from "./ISettlementOracle.sol";

/// @title IOptionBook
/// @notice European cash-settled options and vertical spreads, each fully collateralised by the most it can pay. The long side
/// is an ERC-6909 token whose id is the series; the short side is what a writer has written and not bought back.
///
/// Amounts are raw units of base: 10^baseDecimals of them are one option on one whole base. Collateral and payoff are base for
/// calls and quote for puts.
///
/// Rounding: collateral is rounded up for each writer; the payoff of a whole series is rounded down; a holder's share of it is
/// rounded down and what rounding leaves stays with the holders who redeem later; a writer's share of the burden is rounded up
/// and relieves the writers who reclaim later. The last of each side takes what is left, so payoffs and reclaims add up to the
/// collateral to the last unit (V-09).
interface IOptionBook is IERC6909TokenSupply {
    /// @notice Everything that makes a series. Its hash is the id.
    struct Series {
        address base;
        address quote;
        ISettlementOracle oracle; // pins feeds and decimals, for this base and quote
        uint64 expiry; // unix seconds
        bool isCall;
        uint128 strikeWad; // of the bought option, quote per whole base
        uint128 secondStrikeWad; // of the sold option of a spread, 0 for none; above strike for calls, below for puts
    }

    enum Status {
        Unknown, // nobody created it
        Open, // written and bought back; written until expiry only
        Settled, // at the oracle's price
        Void // the oracle has no price: half the greatest payoff to each side
    }

    /// @notice Where a series stands.
    struct State {
        Status status;
        uint128 priceWad; // settlement price, 0 unless Settled
        uint128 collateral; // still held for this series
        uint128 payoffLeft; // owed to the longs not yet redeemed
        uint128 burdenLeft; // borne by the writers who have not yet reclaimed
        uint128 writtenLeft; // of writers who have not yet reclaimed; the supply of longs while Open
    }

    event SeriesCreated(uint256 indexed id, Series series);
    event Written(
        uint256 indexed id,
        address indexed writer,
        address indexed receiver,
        uint256 amount,
        uint256 collateral
    );
    event BoughtBack(
        uint256 indexed id, address indexed writer, address receiver, uint256 amount, uint256 collateral
    );
    event SeriesSettled(
        uint256 indexed id, Status status, uint256 priceWad, uint256 payoff, uint256 collateral
    );
    event Redeemed(
        uint256 indexed id, address indexed holder, address receiver, uint256 amount, uint256 payoff
    );
    event Reclaimed(
        uint256 indexed id, address indexed writer, address receiver, uint256 amount, uint256 collateral
    );

    error DecimalsMismatch(address token, uint8 decimals, uint8 pinned);
    error InvalidReceiver(address receiver);
    error NotSettleable(uint256 id, ISettlementOracle.Status status);
    error NothingWritten(uint256 id, address writer);
    error OracleMismatch(address oracle, address base, address quote);
    error SeriesExists(uint256 id);
    error SeriesExpired(uint256 id, uint256 expiry);
    error StrikesInvalid(uint256 strikeWad, uint256 secondStrikeWad);
    error TransferMismatch(address token, uint256 expected, uint256 measured);
    error WrittenTooLittle(uint256 id, address writer, uint256 written, uint256 amount);
    error WrongStatus(uint256 id, Status status);
    error ZeroAmount();

    /// @notice Bring a series into being. Anyone, once. Reverts unless the oracle is one of these tokens and decimals.
    function create(Series calldata series) external returns (uint256 id);

    /// @notice Write `amount` options to `receiver` against collateral taken from the caller. Before expiry.
    /// @return collateral raw units taken
    function write(uint256 id, uint256 amount, address receiver) external returns (uint256 collateral);

    /// @notice Burn `amount` longs of the caller, who wrote as many, and pay the freed collateral to `receiver`. Until settled,
    /// after expiry too.
    /// @return collateral raw units paid
    function buyBack(uint256 id, uint256 amount, address receiver) external returns (uint256 collateral);

    /// @notice Fix the payoff of a series by the oracle's price. Anyone, once.
    /// @return payoff raw units owed to all longs together
    function settle(uint256 id) external returns (uint256 payoff);

    /// @notice Burn `amount` longs of the caller and pay what they are due to `receiver`. After `settle`.
    function redeem(uint256 id, uint256 amount, address receiver) external returns (uint256 payoff);

    /// @notice Burn all longs of `holder` and pay them out to `holder`. Anyone, after `settle`. A contract that holds longs must
    /// therefore go by its balances.
    function redeemFor(uint256 id, address holder) external returns (uint256 payoff);

    /// @notice Pay a writer what the longs do not take of the collateral, to `receiver`. The whole position, once, after `settle`.
    function reclaim(uint256 id, address receiver) external returns (uint256 collateral);

    /// @notice The id of a series, whether it exists or not.
    function idOf(Series calldata series) external view returns (uint256);

    function seriesOf(uint256 id) external view returns (Series memory);

    /// @dev Reverts in the middle of a call into the book (V-18).
    function stateOf(uint256 id) external view returns (State memory);

    /// @notice What `writer` has written and neither bought back nor reclaimed.
    function writtenOf(uint256 id, address writer) external view returns (uint256);

    /// @notice Collateral held for `amount` written by one writer, raw units, rounded up: the most they can owe.
    function collateralUp(uint256 id, uint256 amount) external view returns (uint256);

    /// @notice Payoff of `amount` options at a price, raw units, rounded down.
    function payoffDown(uint256 id, uint256 amount, uint256 priceWad) external view returns (uint256);

    /// @notice The token a series is collateralised and paid in.
    function collateralToken(uint256 id) external view returns (address);
}
