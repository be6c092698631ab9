// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementOracle} from "../../../contracts/interfaces/ISettlementOracle.sol";

/// @notice What an option book reads of a settlement oracle, answering what it is told, a change of mind included.
contract MockSettlementOracle {
    address public base;
    address public quote;
    uint8 public baseDecimals;
    uint8 public quoteDecimals;
    ISettlementOracle.Status public status;
    uint256 public priceWad;

    constructor(address base_, address quote_, uint8 baseDecimals_, uint8 quoteDecimals_) {
        (base, quote, baseDecimals, quoteDecimals) = (base_, quote_, baseDecimals_, quoteDecimals_);
    }

    function set(ISettlementOracle.Status newStatus, uint256 newPriceWad) external {
        (status, priceWad) = (newStatus, newPriceWad);
    }

    function outcome(uint64) external view returns (ISettlementOracle.Status, uint256) {
        return (status, priceWad);
    }
}
