// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimFlow} from "./ClaimFlow.sol";
import {RequestFlow} from "./RequestFlow.sol";
import {ShareToken} from "./ShareToken.sol";

/// @notice Every MUST and MUST NOT of ERC-20, ERC-165, ERC-4626, ERC-7540 and ERC-7575 that applies to a vault of asynchronous
/// requests, all with the id 0.
contract Conformance6Test is ShareToken, RequestFlow, ClaimFlow {
    function _assetDecimals() internal pure override returns (uint8) {
        return 6;
    }
}

/// @notice The same over an asset of 8 decimals.
contract Conformance8Test is ShareToken, RequestFlow, ClaimFlow {
    function _assetDecimals() internal pure override returns (uint8) {
        return 8;
    }
}

/// @notice The same over an asset of 18 decimals.
contract Conformance18Test is ShareToken, RequestFlow, ClaimFlow {
    function _assetDecimals() internal pure override returns (uint8) {
        return 18;
    }
}
