// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProver} from "./Proof.sol";

interface IUnknown {
    function createUint(uint256 bits, string memory name) external pure returns (uint256);
}

/// @title Math
/// @notice What the proofs use in place of OpenZeppelin's `Math`, whose 512 bits no solver gets through. A quotient is an unknown
/// word of which only its definition is assumed: quotient x denominator <= product, and the rest is below the denominator.
/// @dev Factors and denominators beyond 96 bits fail an assertion, so that no lemma passes because its words did not fit. The
/// quotient has 128 bits: a greater one fails an assertion too. Only what the proved libraries call is here.
library Math {
    enum Rounding {
        Floor,
        Ceil,
        Trunc,
        Expand
    }

    IProver private constant VM = IProver(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    IUnknown private constant SVM = IUnknown(0xF3993A62377BCd56AE39D773740A5390411E8BC9);

    error DivisionByZero();

    function mulDiv(uint256 x, uint256 y, uint256 denominator) internal pure returns (uint256 down) {
        (down,) = _divide(x, y, denominator);
    }

    function mulDiv(uint256 x, uint256 y, uint256 denominator, Rounding rounding)
        internal
        pure
        returns (uint256)
    {
        (uint256 down, uint256 rest) = _divide(x, y, denominator);
        assert(rounding == Rounding.Floor || rounding == Rounding.Ceil);
        return rounding == Rounding.Ceil && rest != 0 ? down + 1 : down;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function saturatingSub(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a - b : 0;
    }

    function _divide(uint256 x, uint256 y, uint256 b) private pure returns (uint256 quotient, uint256 rest) {
        assert(x < 1 << 64 && y < 1 << 64 && b < 1 << 127);
        if (b == 0) revert DivisionByZero();
        unchecked {
            quotient = SVM.createUint(128, "quotient"); // at most the product, which fits
            rest = x * y - quotient * b;
            VM.assume(quotient * b <= x * y && rest < b);
        }
    }
}
