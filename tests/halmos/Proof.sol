// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface IProver {
    function assume(bool condition) external pure;
    function warp(uint256 timestamp) external;
}

/// @title Proof
/// @notice Base of the lemmas that `make halmos` proves: a function named `check_...` holds for every value of its arguments.
/// @dev A lemma names the bits its words may have. Solvers do not divide and multiply unknown words of 256 bits: what is one
/// division is proved for words as wide as tokens have, what puts several together for words of a few bits, all of which are
/// covered. The fuzz suites take the same formulas to full width. A path that reverts proves nothing; the lemmas whose names
/// end in `_must_fail` are false, and the run fails unless each is refuted: that shows the paths are walked.
abstract contract Proof {
    IProver internal constant VM = IProver(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function _fits(uint256 word, uint256 bits) internal pure {
        VM.assume(word < 1 << bits);
    }
}
