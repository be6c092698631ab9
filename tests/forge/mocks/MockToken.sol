// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A plain token anybody can mint, with a hook into a stranger for reentrancy tests.
contract MockToken is ERC20 {
    uint8 private immutable _decimals;
    address public hook;

    constructor(string memory symbol_, uint8 decimals_) ERC20(symbol_, symbol_) {
        _decimals = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Call `hook` with no data on every transfer; zero for none.
    function setHook(address newHook) external {
        hook = newHook;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (hook != address(0)) {
            (bool ok,) = hook.call("");
            require(ok, "hook");
        }
    }
}
