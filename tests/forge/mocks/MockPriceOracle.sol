// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";

/// @notice The part of a price oracle that is observed: a price, or a fault.
contract MockPriceOracle {
    uint256 private _priceWad;
    IPriceOracle.Fault private _fault;

    constructor(uint256 newPriceWad) {
        _priceWad = newPriceWad;
    }

    function set(uint256 newPriceWad) external {
        _priceWad = newPriceWad;
    }

    function setFault(IPriceOracle.Fault fault) external {
        _fault = fault;
    }

    function priceWad() external view returns (uint256) {
        if (_fault != IPriceOracle.Fault.None) {
            revert IPriceOracle.PriceUnusable(_fault, address(this), 0, 0);
        }
        return _priceWad;
    }
}
