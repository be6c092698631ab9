// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// @notice Answers like a Mandate under a manager; every function but the views is restricted and leaves its calldata behind.
contract MockManaged is AccessManaged {
    address public vault;
    bytes public lastCall;
    uint256 public calls;

    constructor(address manager, address vault_) AccessManaged(manager) {
        vault = vault_;
    }

    fallback() external restricted {
        lastCall = msg.data;
        ++calls;
    }
}

/// @notice Answers like a VolatilityOracle: an owner and a guardian, whoever may call what.
contract MockMarks {
    address public immutable owner;
    address public immutable guardian;
    uint256 public calls;

    error NotOwner(address caller);

    constructor(address owner_, address guardian_) {
        (owner, guardian) = (owner_, guardian_);
    }

    fallback() external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        ++calls;
    }
}
