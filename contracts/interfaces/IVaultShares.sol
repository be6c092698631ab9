// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem, IERC7575Share} from "./IERC7540.sol";

/// @title IVaultShares
/// @notice Shares bought and sold by request. Every request id is 0: the controller alone tells requests apart, and what one
/// controller asks for is added up, as ERC-7540 lays down for that id. Views for any other id answer 0.
interface IVaultShares is
    IERC4626,
    IERC165,
    IERC7540Operator,
    IERC7540Deposit,
    IERC7540Redeem,
    IERC7575Share
{
    /// @notice What the depositors' side is open for.
    /// @param cap most assets the vault takes: NAV of the last settlement and what waits
    /// @param minimum least assets of one request
    /// @param allowListed true if only allowed controllers may request deposits
    struct DepositPolicy {
        uint128 cap;
        uint88 minimum;
        bool allowListed;
    }

    /// @param recipient gets fee shares and swept tokens; zero takes no fees
    /// @param managementBps of NAV a year
    /// @param performanceBps of what a share gains over its highest settled value
    struct Fees {
        address recipient;
        uint16 managementBps;
        uint16 performanceBps;
    }

    /// @notice Depositors' side in numbers.
    struct EpochState {
        uint256 epoch; // settlements so far
        uint256 settledAt; // unix seconds
        uint256 dueAt;
        uint256 pendingDeposits; // assets
        uint256 pendingRedemptions; // shares
        uint256 reserved; // assets settled and not yet claimed
        uint256 settledNav; // assets, after the last settlement
        uint256 highWaterMark; // asset units of one whole share, times 1e12
    }

    error AssetsMissing(uint256 balance, uint256 owed);
    error AsynchronousOnly();
    error CapExceeded(uint256 assets, uint256 cap);
    error DepositTooSmall(uint256 assets, uint256 minimum);
    error DepositsHalted();
    error FeesTooHigh(uint256 managementBps, uint256 performanceBps);
    error NotAllowed(address account);
    error NotDue(uint256 dueAt, uint256 timestamp);
    error NotMandate(address caller);
    error NotOperator(address controller, address caller);
    error NotSweepable(address token);
    error NothingRequested(address controller);
    error Reentered();
    error TransferMismatch(uint256 expected, uint256 received);
    error ZeroAddress();
    error ZeroAmount();

    event AllowedSet(address indexed account, bool allowed);
    event DepositPolicySet(DepositPolicy policy);
    event DepositRequestCancelled(
        address indexed controller, address indexed receiver, address sender, uint256 assets
    );
    event FeesAccrued(address indexed recipient, uint256 managementShares, uint256 performanceShares);
    event FeesSet(Fees fees);
    event RedeemRequestCancelled(
        address indexed controller, address indexed receiver, address sender, uint256 shares
    );
    /// @notice What waited was priced: deposits at the high mark, redemptions at the low mark (NAVs, asset units).
    event Settled(
        uint256 indexed epoch,
        uint256 navLow,
        uint256 navHigh,
        uint256 assetsIn,
        uint256 sharesOut,
        uint256 sharesIn,
        uint256 assetsOut
    );
    event Swept(address indexed token, address indexed recipient, uint256 amount);

    /// @notice Price what waits. Anybody, once due. Reverts while no mark can be had.
    function settle() external;

    /// @notice Take back assets that still wait. Controller or operator; never blocked.
    function cancelDepositRequest(address controller, address receiver) external returns (uint256 assets);
    /// @notice Take back shares that still wait. Controller or operator; never blocked.
    function cancelRedeemRequest(address controller, address receiver) external returns (uint256 shares);

    /// @notice Send a token that does not belong here to the fee recipient. Anybody; never asset, base or shares.
    function sweep(address token) external returns (uint256 amount);

    /// @notice Mandate only.
    function setDepositPolicy(DepositPolicy calldata newPolicy) external;
    /// @notice Mandate only.
    function setAllowed(address account, bool isAllowed) external;
    /// @notice Mandate only.
    function setHalted(bool paused, bool windingDown) external;
    /// @notice Mandate only. Higher fees hold from the next settlement on, lower ones at once.
    function setFees(Fees calldata newFees) external;

    function epochState() external view returns (EpochState memory);
    function depositPolicy() external view returns (DepositPolicy memory);
    /// @notice What is charged now, and from the next settlement on.
    function fees() external view returns (Fees memory current, Fees memory next);
    function allowed(address account) external view returns (bool);
    /// @notice True if deposits are neither taken nor settled now (not open yet, paused, winding down, unhedged).
    function depositsHalted() external view returns (bool);
    /// @notice True in the middle of a call, when nothing can be valued (V-18).
    function locked() external view returns (bool);
}
