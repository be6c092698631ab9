// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {Thief} from "./Thief.sol";

/// @notice The bound at constant prices, and two ways to attack it: chance, and a search that maximises the thief's profit in real tokens.
abstract contract ThiefSearch is Thief {
    uint256 private constant GENES = 40;

    function boundBps(uint256 window) internal view virtual returns (uint256) {
        IMandate.Terms memory terms = mandate.terms();
        uint256 capacity = uint256(terms.limits.maxLossPerDayBps) + terms.caps.protectiveLossPerDayBps;
        return capacity * (1 days + window) / 1 days;
    }

    /// @dev In raw dollars, of the shares that are not the thief's; plus what rounds in each move's favour.
    function _bound(uint256 nav, uint256 actions) internal view returns (uint256) {
        return nav * boundBps(1 days) / 10_000 + actions * 4 * 20;
    }

    /// @dev Random actions in random order.
    function _chance(uint256 seed) internal {
        vm.pauseGasMetering();
        uint256 nav = vault.nav();
        int256 profit = _live(_random(seed, GENES));
        assertLe(profit, int256(_bound(nav, GENES)));
    }

    /// @dev A hill is climbed from a greedy day: genes are replaced, exchanged and repeated, and what takes more is kept. At least
    /// `leastBps` of the bound must be reached, or the test is no test.
    function _search(uint256 evaluations, uint256 leastBps) internal {
        vm.pauseGasMetering();
        uint256 nav = vault.nav();
        (bytes memory best, int256 most) = _climb(_greedy(), evaluations, nav);
        uint256 bound_ = _bound(nav, GENES);
        console.log("most taken, bound (USDC)", uint256(most) / 1e6, bound_ / 1e6);
        console.log("of the bound, bps", uint256(most) * 10_000 / bound_);
        console.logBytes(best);
        assertGt(most * 10_000, int256(bound_ * leastBps), "not a real attack");
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
