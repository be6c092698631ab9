// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {Thief} from "./Thief.sol";

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
contract StolenKeyTest is Thief {
    uint256 private constant GENES = 40;
    uint256 private constant EVALUATIONS = 120;

    function boundBps(uint256 window) internal view virtual returns (uint256) {
        IMandate.Terms memory terms = mandate.terms();
        uint256 capacity = uint256(terms.limits.maxLossPerDayBps) + terms.caps.protectiveLossPerDayBps;
        return capacity * (1 days + window) / 1 days;
    }

    /// @dev In raw dollars, of the shares that are not the thief's; plus what rounds in each move's favour.
    function _bound(uint256 nav, uint256 actions) internal view returns (uint256) {
        return nav * boundBps(1 days) / 10_000 + actions * 4 * 20;
    }

    /// Random actions in random order.
    /// forge-config: default.fuzz.runs = 96
    function testFuzz_chance_takes_no_more_than_the_bound(uint256 seed) external {
        vm.pauseGasMetering();
        uint256 nav = vault.nav();
        int256 profit = _live(_random(seed, GENES));
        assertLe(profit, int256(_bound(nav, GENES)));
    }

    /// A hill is climbed from a greedy day: genes are replaced, exchanged and repeated, and what takes more is kept.
    function test_a_search_takes_no_more_than_the_bound() external {
        vm.pauseGasMetering();
        uint256 nav = vault.nav();
        (bytes memory best, int256 most) = _climb(_greedy(), EVALUATIONS, nav);
        console.log("most taken, bound (USDC)", uint256(most) / 1e6, _bound(nav, GENES) / 1e6);
        console.log("of the bound, bps", uint256(most) * 10_000 / _bound(nav, GENES));
        console.logBytes(best);
        assertGt(most * 10_000, int256(_bound(nav, GENES) * _leastBps()), "not a real attack");
    }

    /// @dev Of the bound: what the search must reach, or the test is no test.
    function _leastBps() internal pure virtual returns (uint256) {
        return 6000;
    }

    // ---------------------------------------------------------------- the search

    function _climb(bytes memory best, uint256 evaluations, uint256 nav)
        internal
        returns (bytes memory, int256 most)
    {
        uint256 snapshot = vm.snapshotState();
        most = _live(best);
        vm.revertToState(snapshot);
        assertLe(most, int256(_bound(nav, GENES)), "the greedy day");
        uint256 seed = 11;
        for (uint256 i; i < evaluations; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            bytes memory next = _mutated(best, seed);
            int256 profit = _live(next);
            vm.revertToState(snapshot);
            assertLe(profit, int256(_bound(nav, GENES)), string.concat("genome ", vm.toString(next)));
            if (profit >= most) (best, most) = (next, profit);
        }
        return (best, most);
    }

    function _mutated(bytes memory genome, uint256 seed) internal pure returns (bytes memory next) {
        next = bytes.concat(genome);
        uint256 genes = next.length / GENE;
        uint256 changes = 1 + seed % 3;
        for (uint256 i; i < changes; ++i) {
            seed = uint256(keccak256(abi.encode(seed, i)));
            (uint256 at, uint256 other) = ((seed >> 8) % genes * GENE, (seed >> 24) % genes * GENE);
            for (uint256 j; j < GENE; ++j) {
                if (seed % 3 == 0) next[at + j] = bytes1(uint8(seed >> (40 + 8 * j)));
                else if (seed % 3 == 1) next[at + j] = next[other + j];
                else if (j != 0) next[at + j] = bytes1(uint8(seed >> (40 + 8 * j)));
            }
        }
    }

    /// @dev Sell and buy at the worst price there may be, hour after hour.
    function _greedy() internal view virtual returns (bytes memory genome) {
        for (uint256 i; i < GENES / 4; ++i) {
            genome = bytes.concat(genome, hex"017c06", hex"020000", hex"00ff06", hex"020003");
        }
    }

    function _random(uint256 seed, uint256 genes) internal pure returns (bytes memory genome) {
        genome = new bytes(genes * GENE);
        for (uint256 i; i < genome.length; ++i) {
            genome[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }
}
