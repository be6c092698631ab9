// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {ElementaryQ80} from "../../contracts/libraries/ElementaryQ80.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {MockPriceOracle} from "./mocks/MockPriceOracle.sol";

/// @notice Poster, thief, observer, guardian, owner, market and time in any order; ghosts remember what marks did.
contract VolatilityHandlers is CommonBase, StdCheats, StdUtils {
    uint256 private constant FORWARD = 2000e18;
    uint256 private constant CAPACITY = 0.2e18;
    uint256 private constant STEP = 0.05e18;
    /// @dev What rounding may leave between a move as measured and as charged.
    uint256 private constant DUST = 1e5;

    VolatilityOracle private _vols;
    MockPriceOracle private _prices;
    address private _poster;
    address private _guardian;
    address private _owner;
    uint256 private _price = FORWARD;
    uint256[5] private _strikes = [FORWARD / 5, FORWARD * 3 / 4, FORWARD, FORWARD * 5 / 4, FORWARD * 5];

    /// @dev Ghosts: for each post its time, and the log-move of each tenor and strike it made, as a running sum.
    uint256[] private _times;
    uint256[25][] private _sums;
    uint256 public posts;
    uint256 public observations;
    uint256 public refusedPosts;
    uint256 public guardianActs;
    uint256 public stepsTooLarge;
    uint256 public daysTooLarge;
    uint256 public markChangesWithoutPost;
    uint256 private _digest;

    constructor(
        VolatilityOracle vols,
        MockPriceOracle prices,
        address poster,
        address guardian,
        address owner
    ) {
        (_vols, _prices, _poster, _guardian, _owner) = (vols, prices, poster, guardian, owner);
        _digest = _surfaceDigest();
    }

    // ---------------------------------------------------------------- acts

    /// @notice A plausible post: every tenor moves by about as much.
    function keep(int256 levelBps, int256 skewBps) external {
        levelBps = bound(levelBps, -330, 330);
        skewBps = bound(skewBps, -30, 30);
        (, VolatilitySmile.Mark[] memory marks,) = _vols.surface();
        for (uint256 i; i < marks.length; ++i) {
            marks[i].levelPpm =
                uint32(uint256(int256(uint256(marks[i].levelPpm)) * (10_000 + levelBps) / 10_000));
            marks[i].skewBps += int16(skewBps);
        }
        _post(marks);
    }

    /// @notice A thief posts what it likes, tenor by tenor.
    function steal(uint256 seed, uint256 tenor, uint256 sizeBps) external {
        (, VolatilitySmile.Mark[] memory marks,) = _vols.surface();
        tenor = bound(tenor, 0, marks.length - 1);
        sizeBps = bound(sizeBps, 1, 1000);
        VolatilitySmile.Mark memory mark = marks[tenor];
        uint256 factor = seed % 2 == 0 ? 10_000 + sizeBps : 10_000 - sizeBps;
        if (seed % 3 == 0) mark.levelPpm = uint32(mark.levelPpm * factor / 10_000);
        if (seed % 3 == 1) mark.convexityBps = uint16(mark.convexityBps * factor / 10_000);
        if (seed % 3 == 2) mark.skewBps += int16(int256(sizeBps)) * (seed % 2 == 0 ? int16(1) : int16(-1));
        _post(marks);
    }

    /// @notice The thief at its best: the level of all tenors by all that is left, again and again.
    function drain(bool up) external {
        for (uint256 n; n < 5; ++n) {
            skip(10 minutes);
            (uint256 left,) = _vols.moveBudget();
            uint256 part = (left < STEP ? left : STEP) * 2 / 3 / 1e12;
            if (part == 0) return;
            (, VolatilitySmile.Mark[] memory marks,) = _vols.surface();
            for (uint256 i; i < marks.length; ++i) {
                uint256 level = marks[i].levelPpm;
                uint256 next = up ? level * (1e6 + part) / 1e6 : Math.ceilDiv(level * 1e6, 1e6 + part);
                marks[i].levelPpm = uint32(next);
            }
            _post(marks);
        }
    }

    /// @notice An hour or a few go by, each observed.
    function observe(uint256 hours_, uint256 seed) external {
        hours_ = bound(hours_, 1, 12);
        for (uint256 i; i < hours_; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp((vm.getBlockTimestamp() / 1 hours + 1) * 1 hours + (seed >> 64) % 301);
            _price = bound(_price * (9700 + seed % 601) / 10_000, FORWARD / 100, FORWARD * 100);
            _prices.set(_price);
            _vols.observe();
            ++observations;
        }
        _settled();
    }

    function wait(uint256 time) external {
        skip(bound(time, 1, 8 hours));
        _settled();
    }

    function guard(uint256 seed, uint256 value) external {
        vm.startPrank(_guardian);
        if (seed % 3 == 0) {
            try _vols.raiseFloor(uint32(bound(value, 0, 600_000))) {
                ++guardianActs;
            } catch {}
        } else if (seed % 3 == 1) {
            try _vols.widen(uint16(bound(value, 0, 400)), 1500) {
                ++guardianActs;
            } catch {}
        } else {
            _vols.freeze();
            ++guardianActs;
        }
        vm.stopPrank();
        _settled();
        if (!_vols.frozen()) return;
        vm.prank(_owner);
        _vols.unfreeze();
    }

    // ---------------------------------------------------------------- ghosts

    function _post(VolatilitySmile.Mark[] memory marks) private {
        uint256[25] memory before = _volatilities();
        vm.prank(_poster);
        try _vols.post(marks, type(uint256).max) {}
        catch {
            ++refusedPosts;
            _settled();
            return;
        }
        ++posts;
        _digest = _surfaceDigest();
        _remember(before, _volatilities());
    }

    function _remember(uint256[25] memory before, uint256[25] memory next) private {
        uint256 n = _times.length;
        uint256[25] memory sums;
        if (n != 0) sums = _sums[n - 1];
        for (uint256 j; j < 25; ++j) {
            uint256 moved = SignedMath.abs(ElementaryQ80.lnRatio(next[j], before[j])) * 1e18 >> 80;
            if (moved > STEP + DUST) ++stepsTooLarge;
            sums[j] += moved;
        }
        _times.push(vm.getBlockTimestamp());
        _sums.push(sums);
        // Every window that ends with this post.
        for (uint256 i; i <= n; ++i) {
            uint256 most = CAPACITY + CAPACITY * (vm.getBlockTimestamp() - _times[i]) / 1 days;
            for (uint256 j; j < 25; ++j) {
                uint256 earlier = i == 0 ? 0 : _sums[i - 1][j];
                if (sums[j] - earlier > most + DUST * (n + 1)) ++daysTooLarge;
            }
        }
    }

    /// @dev Five tenors by five strikes, as posted, before any floor.
    function _volatilities() private view returns (uint256[25] memory result) {
        (uint256[] memory tenors, VolatilitySmile.Mark[] memory marks,) = _vols.surface();
        for (uint256 i; i < 25; ++i) {
            int256 k = VolatilitySmile.logMoneyness(_strikes[i % 5], FORWARD);
            uint256 variance = VolatilitySmile.totalVariance(marks[i / 5], tenors[i / 5], k);
            result[i] = VolatilitySmile.volatilityWadDown(variance, tenors[i / 5]);
        }
    }

    function _surfaceDigest() private view returns (uint256) {
        (, VolatilitySmile.Mark[] memory marks,) = _vols.surface();
        return uint256(keccak256(abi.encode(marks)));
    }

    function _settled() private {
        if (_surfaceDigest() != _digest) ++markChangesWithoutPost;
    }
}
