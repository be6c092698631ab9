// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DecimalsFixture} from "../DecimalsFixture.sol";

/// @notice What the suites of the standards share. Events are declared here once more, as the standards' texts have them, so that a
/// vault that declares one differently fails.
abstract contract Standards is DecimalsFixture {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed sender,
        address indexed receiver,
        address indexed owner,
        uint256 assets,
        uint256 shares
    );
    event DepositRequest(
        address indexed controller,
        address indexed owner,
        uint256 indexed requestId,
        address sender,
        uint256 assets
    );
    event RedeemRequest(
        address indexed controller,
        address indexed owner,
        uint256 indexed requestId,
        address sender,
        uint256 shares
    );
    event OperatorSet(address indexed controller, address indexed operator, bool approved);

    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");

    /// @dev A share is worth a little more than it began at, so that conversions have something to round.
    function _gain() internal {
        _deposit(mallory, 10 * one);
        usdc.mint(address(vault), one / 3);
        _settle();
    }

    /// @dev `who` may claim `assets` of a settled deposit.
    function _settledDeposit(address who, uint256 assets) internal {
        _request(who, assets);
        _settle();
    }

    /// @dev `who` may claim the assets of `shares`, which were bought before.
    function _settledRedemption(address who, uint256 assets) internal returns (uint256 shares) {
        shares = _deposit(who, assets);
        vm.prank(who);
        vault.requestRedeem(shares, who, who);
        _settle();
    }

    function _amount(uint256 raw) internal view returns (uint256) {
        return bound(raw, 1, 1e9 * one);
    }

    function _fund(address who, uint256 assets) internal {
        usdc.mint(who, assets);
        vm.prank(who);
        usdc.approve(address(vault), assets);
    }

    function _refuses(address from, bytes memory data) internal {
        vm.prank(from);
        (bool ok,) = address(vault).call(data);
        assertFalse(ok);
    }

    /// @dev Every amount that says what `who` has asked for, may claim and has.
    function _stateOf(address who) internal view returns (bytes memory) {
        return abi.encode(
            vault.pendingDepositRequest(0, who),
            vault.claimableDepositRequest(0, who),
            vault.pendingRedeemRequest(0, who),
            vault.claimableRedeemRequest(0, who),
            vault.maxDeposit(who),
            vault.maxMint(who),
            vault.maxRedeem(who),
            vault.maxWithdraw(who),
            vault.balanceOf(who)
        );
    }
}
