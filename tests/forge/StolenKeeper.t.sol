// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";

/// @notice A stolen keeper key with a pool in its pocket: it sets the pool's price at will and takes what the vault overpays.
/// V-04: what it takes over any window T is at most capacity x (1 + T / day) of what a share is worth, capacity being that of
/// both buckets: what it passes off as protection is charged to the protective one.
contract StolenKeeperTest is MandateFixture {
    uint256 private constant SHARE = 1e18;
    uint256 private constant VIRTUAL = 1e12;
    uint256 private constant BOTH_BPS = 400;

    /// @dev Of a million shares, now and not as of the last settlement.
    function _shareValue() private view returns (uint256) {
        return Math.mulDiv(1e6 * SHARE, vault.nav() + 1, vault.totalSupply() + VIRTUAL);
    }

    /// One hostile rebalance made of `seed`; whatever is refused is refused.
    function _attack(uint256 seed) private {
        pool.setHaircut(seed % 120);
        uint256 count = (seed >> 8) % 5 + 1;
        IVault.Move[] memory moves = new IVault.Move[](count);
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 action = seed % 8;
            uint256 size = (seed >> 16) % 1e12 + 1;
            if (action == 0) moves[i] = _supplyMove(address(weth), ALL);
            else if (action == 1) moves[i] = _withdrawMove(address(weth), size * 1e12 / PRICE);
            else if (action == 2) moves[i] = _borrowMove(address(usdc), size);
            else if (action == 3) moves[i] = _repayMove(address(usdc), ALL);
            else if (action < 6) moves[i] = _swapMove(address(usdc), size);
            else moves[i] = _swapMove(address(weth), size * 1e12 / PRICE);
        }
        _tries(moves);
    }

    /// Twenty-four random hostile actions spread over a day.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_a_stolen_key_cannot_take_more_than_the_bucket_in_a_day(uint256 seed, uint256 span)
        external
    {
        _lever(1_000_000e6, 5000, 5000);
        _refill(); // what building the position cost
        span = bound(span, 0, 1 days);
        uint256 start = block.timestamp;
        uint256 before = _shareValue();
        for (uint256 i; i < 24; ++i) {
            _attack(uint256(keccak256(abi.encode(seed, i))));
            vm.warp(start + span * (i + 1) / 24);
            _setPrice(PRICE * 100);
        }
        _assertWithinBucket(before, block.timestamp - start, 24 * 5);
    }

    /// The greedy thief: the worst price that passes, as much as passes, there and back, as soon as anything is refilled.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_a_greedy_thief_gets_no_more_either(uint8 pauses, uint16 gap) external {
        _deposit(alice, 1_000_000e6);
        uint256 start = block.timestamp;
        uint256 before = _shareValue();
        pool.setFee(0);
        pool.setHaircut(99);
        pauses = uint8(bound(pauses, 1, 12));
        uint256 moves;
        for (uint256 i; i < pauses; ++i) {
            for (uint256 size = 1e12; size > 1e9; size /= 2) {
                bool passed = _tries(_swapMove(address(usdc), size));
                if (passed || _tries(_swapMove(address(weth), size * 1e12 / PRICE))) ++moves;
            }
            vm.warp(block.timestamp + gap);
            _setPrice(PRICE * 100);
        }
        uint256 lost = _assertWithinBucket(before, block.timestamp - start, moves);
        assertGt(lost, before / 100, "the attack is not a real one");
    }

    /// Deposits make amounts larger and fractions not: a thief with unlimited money of its own gets no more of others' shares.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_own_deposits_do_not_enlarge_what_can_be_taken_of_others(uint256[4] memory deposits)
        external
    {
        _deposit(alice, 1_000_000e6);
        uint256 start = block.timestamp;
        uint256 before = _shareValue();
        pool.setFee(0);
        pool.setHaircut(99);
        uint256 moves;
        for (uint256 i; i < 4; ++i) {
            _deposit(mallory, bound(deposits[i], 1e6, 1e15));
            for (uint256 size = vault.nav(); size > 1e9; size /= 4) {
                bool passed = _tries(_swapMove(address(usdc), size));
                if (passed || _tries(_swapMove(address(weth), size * 1e12 / PRICE))) ++moves;
            }
            _redeem(mallory, vault.balanceOf(mallory));
        }
        _assertWithinBucket(before, block.timestamp - start, moves);
    }

    /// Tightening refills nothing, and each loosening by the curator opens at most what it adds.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_changing_the_limit_opens_no_more_than_the_curator_adds(uint256 perDay) external {
        _deposit(alice, 1_000_000e6);
        uint256 start = block.timestamp;
        uint256 before = _shareValue();
        pool.setFee(0);
        pool.setHaircut(99);
        perDay = bound(perDay, 10, 200);
        uint256 moves;
        uint256 added;
        for (uint256 i; i < 6; ++i) {
            for (uint256 size = 1e12; size > 1e9; size /= 4) {
                bool passed = _tries(_swapMove(address(usdc), size));
                if (passed || _tries(_swapMove(address(weth), size * 1e12 / PRICE))) ++moves;
            }
            if (i & 1 == 0) {
                _tightenLimits(IMandate.Limits(1.05e18, 100, 100, uint16(perDay), 7500));
            } else {
                _setLimits(IMandate.Limits(1.05e18, 100, 100, 200, 7500));
                added += 200 - perDay;
            }
        }
        uint256 lost = Math.saturatingSub(before, _shareValue());
        uint256 refilled = before * BOTH_BPS / 10_000 * (block.timestamp - start) / 1 days;
        assertLe(lost, before * (BOTH_BPS + added) / 10_000 + refilled + moves * DUST + 10);
        assertGt(lost, before / 100, "the attack is not a real one");
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_a_removed_key_takes_nothing(uint256 seed) external {
        _lever(1_000_000e6, 5000, 5000);
        vm.prank(guardian);
        mandate.removeKeeper(keeper);
        uint256 before = vault.nav();
        for (uint256 i; i < 4; ++i) {
            _attack(uint256(keccak256(abi.encode(seed, i))));
        }
        assertEq(vault.nav(), before);
    }

    /// @dev Capacity 2 % and 2 % a day; rounding of up to `DUST` a move is not counted as loss.
    function _assertWithinBucket(uint256 before, uint256 window, uint256 moves)
        private
        view
        returns (uint256 lost)
    {
        lost = Math.saturatingSub(before, _shareValue());
        uint256 most = before * BOTH_BPS / 10_000 * (1 days + window) / 1 days;
        assertLe(lost, most + moves * DUST + 10);
    }
}
