// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ThiefSearch} from "./ThiefSearch.sol";

/// @notice V-04: the most a stolen keeper's key takes in a day, published, attacked by chance and by search.
///
/// At constant prices, of what the shares of others are worth at the start, over a window T (days):
///
///     bound(T) = (routine + protective) x (1 + T)
///
/// Each bucket gives its capacity and what refills; every loss a swap, an auction's fill or a purchase makes against the oracle's
/// price and the mid mark is charged to one of the two. Not in a bucket, and 0 here:
/// - rescues: below the emergency health anybody takes the bounty and sandwiches the rescue's own swaps; at constant prices no keeper
///   can bring health there while the emergency health is under the minimum;
/// - the oracle's lag and the volatility marks: see `StolenKeyLag` and `StolenKeyAndMarks`.
contract StolenKeyTest is ThiefSearch {
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_chance_takes_no_more_than_the_bound(uint256 seed) external {
        _chance(seed);
    }

    function test_a_search_takes_no_more_than_the_bound() external {
        _search(120, 6000);
    }
}
