// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MockToken} from "./MockToken.sol";

/// @notice A swap adapter that takes and pays what it is told, to the unit, and reports that all is well. Put where the real one is.
contract MockExactSwapper {
    MockToken private _out;
    uint256 private _takes;
    uint256 private _pays;

    function tell(MockToken out, uint256 takes, uint256 pays) external {
        (_out, _takes, _pays) = (out, takes, pays);
    }

    function swap(address tokenIn, uint256, uint256) external returns (uint256) {
        MockToken(tokenIn).transferFrom(msg.sender, address(this), _takes);
        _out.mint(msg.sender, _pays);
        return type(uint256).max;
    }
}

/// @notice A lending adapter of one token that loses what it is told in every move. Put where the real one is.
contract MockExactLending {
    MockToken private _token;
    uint256 private _supplied;
    uint256 private _debt;
    uint256 private _loses;
    uint256 public healthWad;
    uint256 public changes;

    function tell(MockToken token, uint256 supplied, uint256 debt, uint256 loses) external {
        (_token, _supplied, _debt, _loses) = (token, supplied, debt, loses);
        healthWad = debt == 0 ? type(uint256).max : 2e18;
    }

    function balances(address token) external view returns (uint256 supplied, uint256 debt) {
        if (token == address(_token)) return (_supplied, _debt);
        return (0, 0);
    }

    function supply(address, uint256 amount) external {
        _token.transferFrom(msg.sender, address(this), amount);
        _supplied += amount - _loses;
        ++changes;
    }

    function withdraw(address, uint256 amount) external returns (uint256) {
        _supplied -= amount;
        ++changes;
        _token.mint(msg.sender, amount - _loses);
        return amount;
    }

    function repay(address, uint256 amount) external returns (uint256) {
        _token.transferFrom(msg.sender, address(this), amount);
        _debt -= amount - _loses;
        ++changes;
        return amount;
    }
}
