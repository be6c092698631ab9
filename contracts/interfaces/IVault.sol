// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVaultShares} from "./IVaultShares.sol";

/// @title IVault
/// @notice Shares of a vault whose asset is a dollar token and whose keeper may make typed moves, bounded by a mandate.
interface IVault is IVaultShares {
    /// @notice The only things a keeper can do. There is no arbitrary target, calldata or receiver.
    enum MoveKind {
        Supply,
        Withdraw,
        Borrow,
        Repay,
        Swap,
        Write, // options, and start selling them
        Cancel, // an auction
        BuyBack // options, by an auction
    }

    /// @param adapter adapter the move goes through
    /// @param token what is supplied, withdrawn, borrowed, repaid or sold; collateral of what is written; asset otherwise
    /// @param amount token units; type(uint256).max means all (Withdraw, Repay) or all idle (Supply, Swap). Options: raw base units
    /// @param limit Swap: least of the other token to receive. Repay of all idle: idle to keep. Write: price the sale starts at. BuyBack: most to pay. Prices are
    /// asset per option on a whole base, WAD. The mandate's own bounds apply as well
    /// @param target Write, BuyBack: the series. Cancel: the auction
    struct Move {
        MoveKind kind;
        address adapter;
        address token;
        uint256 amount;
        uint256 limit;
        uint256 target;
    }

    /// @param id the keeper's name for it, in the events; what makes an intent single-use is its state
    /// @param deadline unix seconds; refused after it
    /// @param stateHash of the vault it was made for; no state comes back
    /// @param maxLoss greatest NAV loss accepted, asset units; the mandate's own bound applies as well
    struct Intent {
        bytes32 id;
        uint64 deadline;
        bytes32 stateHash;
        uint256 maxLoss;
    }

    error AdapterNotAllowed(MoveKind kind, address adapter);
    error IdleTooLow(address token, uint256 needed, uint256 idle);
    error MoveNeedsPrice(uint256 index, MoveKind kind);
    error NotConserved(MoveKind kind, address token, uint256 given, uint256 credited);
    error NothingToMove(uint256 index, MoveKind kind, address token);
    error NotWindingDown();
    error PausedMove(uint256 index, MoveKind kind);
    error SwapLossTooLarge(address tokenIn, uint256 amountIn, uint256 amountOut, uint256 leastOut);
    error TokenNotAllowed(address token);
    error NotDeployer(address caller);
    error VenuesAlreadySet();
    error VenuesNotSet();

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
    /// @notice What the leaver repaid is in the moves' events.
    event ExitedInKind(
        address indexed owner, address indexed receiver, uint256 shares, uint256 assets, uint256 baseAmount
    );
    event UnhedgedSet(bool unhedged);

    /// @notice Apply typed moves in order; all or nothing. Only a keeper.
    function rebalance(Intent calldata intent, Move[] calldata moves) external;

    /// @notice Repay a slice of the debt while the vault is in danger and its keeper silent, for a bounty. Anybody.
    function protect() external returns (uint256 bounty);

    /// @notice While winding down: burn shares of the caller for their part of everything the vault has, against the same part
    /// of what it owes, which the caller hands over. Needs no price, no keeper and no settlement (V-17).
    function exitInKind(uint256 shares, address receiver)
        external
        returns (uint256 assets, uint256 baseAmount);

    /// @notice Raise the unhedged flag if a venue holds less than the vault opened there. Anybody.
    function checkHedge() external returns (bool unhedged);
    /// @notice Mandate only.
    function setUnhedged(bool isUnhedged) external;

    /// @notice Bind the adapters, once and for ever, and take the seed from the caller. Deployer only.
    function setVenues(address lending, address swapper, address desk) external;

    /// @notice Net asset value in asset units at oracle prices. Reverts while the price is unusable and matters, and in the
    /// middle of a call (V-18).
    function nav() external view returns (uint256);
    /// @notice What moves may use of asset or base.
    function idle(address token) external view returns (uint256);
    function unhedged() external view returns (bool);
    function mandate() external view returns (address);
    function oracle() external view returns (address);
    function lending() external view returns (address);
    function swapper() external view returns (address);
    /// @notice Zero if the vault writes no options.
    function desk() external view returns (address);
    function base() external view returns (address);
}
