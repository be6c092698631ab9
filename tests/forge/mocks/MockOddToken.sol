// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that can be told to misbehave on transfers, or to call a stranger in the middle of one.
contract MockOddToken is ERC20 {
    enum Fault {
        None,
        TakesFromReceiver,
        TakesFromSender,
        ReturnsFalse,
        Refuses
    }

    uint8 private immutable _decimals;
    Fault public fault;
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

    function setFault(Fault newFault) external {
        fault = newFault;
    }

    function setHook(address newHook) external {
        hook = newHook;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (fault == Fault.ReturnsFalse) return false;
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (fault == Fault.ReturnsFalse) return false;
        return super.transferFrom(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        require(fault != Fault.Refuses, "refused");
        super._update(from, to, value);
        if (from == address(0) || to == address(0) || value == 0) return;
        if (fault == Fault.TakesFromReceiver) super._update(to, address(0), 1);
        if (fault == Fault.TakesFromSender) super._update(from, address(0), 1);
        if (hook != address(0)) {
            (bool ok,) = hook.call("");
            require(ok, "hook");
        }
    }
}
