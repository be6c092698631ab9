// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IERC7575
/// @notice The part of ERC-7575 every ERC-7540 vault has. Interface id 0x2f0a18c5 covers this and ERC-4626's entries.
interface IERC7575Share {
    /// @notice The token of the shares: this vault itself.
    function share() external view returns (address);
}

/// @title IERC7540Operator
/// @notice Interface id 0xe3bc4e65.
interface IERC7540Operator {
    event OperatorSet(address indexed controller, address indexed operator, bool approved);

    /// @notice Let an account request, cancel and claim for the caller, or stop it. Always true.
    function setOperator(address operator, bool approved) external returns (bool);
    function isOperator(address controller, address operator) external view returns (bool);
}

/// @title IERC7540Deposit
/// @notice Interface id 0xce3bbe50.
interface IERC7540Deposit {
    event DepositRequest(
        address indexed controller,
        address indexed owner,
        uint256 indexed requestId,
        address sender,
        uint256 assets
    );

    /// @notice Hand assets over to wait for the next settlement; `owner` is the caller or has made it an operator.
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        returns (uint256 requestId);
    function pendingDepositRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 assets);
    function claimableDepositRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 assets);
    /// @notice Claim the shares of settled assets.
    function deposit(uint256 assets, address receiver, address controller) external returns (uint256 shares);
    /// @notice Claim an amount of shares of settled assets.
    function mint(uint256 shares, address receiver, address controller) external returns (uint256 assets);
}

/// @title IERC7540Redeem
/// @notice Interface id 0x620ee8e4.
interface IERC7540Redeem {
    event RedeemRequest(
        address indexed controller,
        address indexed owner,
        uint256 indexed requestId,
        address sender,
        uint256 shares
    );

    /// @notice Hand shares over to wait for the next settlement; the caller is `owner`, its operator or has its allowance.
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        returns (uint256 requestId);
    function pendingRedeemRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 shares);
    function claimableRedeemRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 shares);
}
