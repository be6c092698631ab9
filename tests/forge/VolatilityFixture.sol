// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {MockPriceOracle} from "./mocks/MockPriceOracle.sol";

/// @notice Five tenors marked near 65 %, hourly observations over a week, a price of 2,000.
abstract contract VolatilityFixture is Test {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant FORWARD = 2000e18;
    uint256 internal constant INTERVAL = 1 hours;
    uint256 internal constant SLACK = 5 minutes;
    uint256 internal constant WINDOW = 168;
    uint256 internal constant MIN_RETURNS = 48;
    uint256 internal constant MAX_RETURN_BPS = 2000;
    uint256 internal constant MAX_OBSERVATION_AGE = 6 hours;
    uint256 internal constant TENORS = 5;

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal poster = makeAddr("poster");
    address internal mallory = makeAddr("mallory");

    MockPriceOracle internal prices;
    VolatilityOracle internal vols;

    function setUp() public virtual {
        vm.warp(1_700_000_000 / INTERVAL * INTERVAL);
        prices = new MockPriceOracle(FORWARD);
        vols = new VolatilityOracle(_setup(), _tenors(), _marks(), _limits());
    }

    // ---------------------------------------------------------------- builders

    function _setup() internal view returns (VolatilityOracle.Setup memory) {
        return VolatilityOracle.Setup({
            oracle: IPriceOracle(address(prices)),
            owner: owner,
            guardian: guardian,
            poster: poster,
            interval: INTERVAL,
            slack: SLACK,
            windowSlots: WINDOW,
            minReturns: MIN_RETURNS,
            maxReturnBps: MAX_RETURN_BPS,
            maxObservationAge: MAX_OBSERVATION_AGE
        });
    }

    function _tenors() internal pure returns (uint32[] memory tenors) {
        tenors = new uint32[](TENORS);
        (tenors[0], tenors[1], tenors[2], tenors[3], tenors[4]) = (1 days, 7 days, 30 days, 90 days, 180 days);
    }

    function _marks() internal pure returns (VolatilitySmile.Mark[] memory marks) {
        marks = new VolatilitySmile.Mark[](TENORS);
        marks[0] = VolatilitySmile.Mark(600_000, -1000, 10_000);
        marks[1] = VolatilitySmile.Mark(620_000, -1200, 10_000);
        marks[2] = VolatilitySmile.Mark(650_000, -1500, 10_000);
        marks[3] = VolatilitySmile.Mark(660_000, -1500, 10_000);
        marks[4] = VolatilitySmile.Mark(670_000, -1500, 10_000);
    }

    function _limits() internal pure returns (IVolatilityOracle.Limits memory) {
        return IVolatilityOracle.Limits({
            minPostInterval: 10 minutes,
            maxAge: 2 hours,
            expireAge: 1 days,
            floorPpm: 200_000,
            floorRatioBps: 7000,
            maxStepBps: 500,
            maxPerDayBps: 2000,
            halfSpreadBps: 200,
            staleHalfSpreadBps: 1500
        });
    }

    // ---------------------------------------------------------------- acts

    /// Hour after hour, the price alternating by `moveBps` up and down.
    function _observeHours(uint256 hours_, uint256 moveBps) internal {
        for (uint256 i; i < hours_; ++i) {
            _toSlot(1);
            prices.set(i % 2 == 0 ? FORWARD : FORWARD * (10_000 + moveBps) / 10_000);
            vols.observe();
        }
    }

    /// To the start of the slot `slots` ahead.
    function _toSlot(uint256 slots) internal {
        vm.warp((vm.getBlockTimestamp() / INTERVAL + slots) * INTERVAL);
    }

    function _post(VolatilitySmile.Mark[] memory marks) internal {
        vm.prank(poster);
        vols.post(marks, type(uint256).max);
    }

    /// Every level times `bps`.
    function _scaled(VolatilitySmile.Mark[] memory marks, uint256 bps)
        internal
        pure
        returns (VolatilitySmile.Mark[] memory)
    {
        for (uint256 i; i < marks.length; ++i) {
            marks[i].levelPpm = uint32(marks[i].levelPpm * bps / 10_000);
        }
        return marks;
    }

    function _read(uint256 strike, uint256 time) internal view returns (IVolatilityOracle.Reading memory) {
        return vols.read(strike, FORWARD, vm.getBlockTimestamp() + time);
    }

    // ---------------------------------------------------------------- a second way to compute

    /// ln(a / b) x 1e18 by halving to near 1 and summing the series of artanh in 1e36.
    function _lnWad(uint256 a, uint256 b) internal pure returns (int256 sum) {
        int256 ratio = int256(a * 1e36 / b);
        int256 powers;
        for (; ratio > 1.5e36; ratio /= 2) {
            ++powers;
        }
        for (; ratio < 0.75e36; ratio *= 2) {
            --powers;
        }
        int256 z = (ratio - 1e36) * 1e36 / (ratio + 1e36);
        int256 term = z;
        for (int256 n = 1; term != 0; n += 2) {
            sum += 2 * term / n;
            term = term * z / 1e36 * z / 1e36;
        }
        sum = (sum + powers * 693147180559945309417232121458176568) / 1e18;
    }
}
