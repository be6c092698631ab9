// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title IVault
/// @notice Shares of a vault whose asset is a dollar token and whose keeper may make typed moves, bounded by a mandate.
interface IVault is IERC4626 {
    /// @notice The only things a keeper can do. There is no arbitrary target, calldata or receiver.
    enum MoveKind {
        Supply,
        Withdraw,
        Borrow,
        Repay,
        Swap
    }

    /// @param adapter allow-listed adapter the move goes through
    /// @param token what is supplied, withdrawn, borrowed, repaid, or sold
    /// @param amount token units; type(uint256).max means all (Withdraw, Repay) or all idle (Supply, Swap)
    /// @param minOut Swap only: least of the other token to receive; the mandate's oracle bound applies as well
    struct Move {
        MoveKind kind;
        address adapter;
        address token;
        uint256 amount;
        uint256 minOut;
    }

    /// @param id unique; used once
    /// @param deadline unix seconds; refused after it
    /// @param maxLoss greatest NAV loss accepted, asset units; the mandate's own bound applies as well
    struct Intent {
        bytes32 id;
        uint64 deadline;
        uint256 maxLoss;
    }

    /// @notice Limits on any keeper. Every one has a hard ceiling or floor in Mandate.sol.
    struct Limits {
        uint256 minHealthWad; // after a move health must be >= this, or higher than before
        uint256 maxSwapLossBps; // a swap's output against the oracle
        uint256 maxLossBps; // NAV loss of one rebalance
        uint256 maxLossPerDayBps; // NAV loss, token bucket refilling linearly over one day
        uint256 maxBorrowBps; // debt / gross assets after a rebalance that raises the debt of either token
    }

    error AdapterNotAllowed(MoveKind kind, address adapter);
    error BorrowRatioTooHigh(uint256 debtBps, uint256 maxBorrowBps);
    error DepositsPaused();
    error HealthTooLow(uint256 healthBeforeWad, uint256 healthAfterWad, uint256 minHealthWad);
    error IdleTooLow(address token, uint256 needed, uint256 idle);
    error Insolvent(uint256 grossAssets, uint256 debt);
    error IntentAlreadyUsed(bytes32 id);
    error IntentExpired(bytes32 id, uint64 deadline, uint256 timestamp);
    error LossTooLarge(uint256 loss, uint256 maxLoss);
    error MoveNeedsPrice(uint256 index, MoveKind kind);
    error NotConserved(MoveKind kind, address token, uint256 given, uint256 credited);
    error NothingToMove(uint256 index, MoveKind kind, address token);
    error NotKeeper(address caller);
    error PausedMove(uint256 index, MoveKind kind);
    error PausedRiskRaised(
        uint256 healthBeforeWad, uint256 healthAfterWad, uint256 debtBefore, uint256 debtAfter
    );
    error PausedSwapTooLarge(uint256 bought, uint256 debtRepaid);
    error Reentered();
    error SwapLossTooLarge(address tokenIn, uint256 amountIn, uint256 amountOut, uint256 leastOut);
    error TokenNotAllowed(address token);
    error VenueMismatch(address adapter, address boundVault);
    error VenuesAlreadySet(address lending, address swapper);
    error VenuesNotSet();
    error ZeroShares(uint256 assets);

    /// @notice One intent took effect. NAVs are 0 when the price was unusable, healths 0 when the venue could not tell.
    event Rebalanced(
        bytes32 indexed intentId,
        address indexed keeper,
        uint256 navBefore,
        uint256 navAfter,
        uint256 healthBefore,
        uint256 healthAfter
    );
    event MoveApplied(
        bytes32 indexed intentId,
        MoveKind indexed kind,
        address indexed adapter,
        address token,
        uint256 amount,
        uint256 result
    );
    event KeeperSet(address indexed keeper, bool allowed);
    event GuardianSet(address indexed guardian);
    event PausedSet(bool paused, address indexed by);
    event LimitsSet(Limits limits);
    event VenuesSet(address indexed lending, address indexed swapper);

    /// @notice Apply typed moves in order; all or nothing. Only a keeper.
    function rebalance(Intent calldata intent, Move[] calldata moves) external;

    /// @notice Net asset value in asset units at oracle prices. Reverts while the price is unusable and matters, and in the
    /// middle of a call (V-18).
    function nav() external view returns (uint256);
    /// @notice NAV that shares leave at: `nav`, or, while the price is unusable, the dollars alone if no base is owed and what base is
    /// held is worth at most 1 % of them (what a stranger may have given); otherwise reverts, and exits wait for the price.
    function exitNav() external view returns (uint256);

    function limits() external view returns (Limits memory);
    /// @notice What is left now in the loss bucket and what it holds when full, asset units. Reverts when `nav` does.
    function lossBudget() external view returns (uint256 left, uint256 capacity);
    function isKeeper(address account) external view returns (bool);
    function intentUsed(bytes32 id) external view returns (bool);
    function paused() external view returns (bool);
    function oracle() external view returns (address);
    function lending() external view returns (address);
    function swapper() external view returns (address);
    function base() external view returns (address);
    function owner() external view returns (address);
    function guardian() external view returns (address);
}
