// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "./interfaces/IMandate.sol";
import {TermBounds} from "./libraries/TermBounds.sol";

/// @title TermChecks
/// @notice Born with a mandate, stateless, without power: what has no room there.
contract TermChecks {
    /// @notice Reverts with `Bounds.OutOfBounds` unless every parameter is within its hard bounds.
    function requireWithinHardBounds(IMandate.Terms calldata terms) external pure {
        TermBounds.requireWithinHardBounds(terms);
    }

    /// @notice Whether anything in `next` is riskier than in `current`.
    function loosens(IMandate.Terms calldata current, IMandate.Terms calldata next)
        external
        pure
        returns (bool)
    {
        return TermBounds.loosens(current, next);
    }
}
