// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {BlackScholesHarness} from "./BlackScholesHarness.sol";

/// @notice Accuracy against 50-digit references, and gas. The vectors are a fixed part of the points that
/// scripts/reference/campaign.py goes through; scripts/reference/black_scholes.py writes them.
contract BlackScholesReferenceTest is Test {
    string private constant VECTORS = "tests/forge/reference/black_scholes.csv";
    uint256 private constant VECTOR_COUNT = 600;
    uint256 private constant PRICE_GAS = 3200;
    uint256 private constant PRICE_DELTA_VEGA_GAS = 5000;

    BlackScholesHarness private model;

    struct Vector {
        BlackScholesHarness.Option option;
        uint256[5] exact; // call, put, delta, vega, gamma in 1e-36
    }

    function setUp() external {
        model = new BlackScholesHarness();
    }

    function parse(string memory line) private pure returns (Vector memory v) {
        string[] memory cells = vm.split(line, ",");
        assertEq(cells.length, 10, "cells");
        v.option = BlackScholesHarness.Option(
            vm.parseUint(cells[0]),
            vm.parseUint(cells[1]),
            vm.parseUint(cells[2]),
            vm.parseUint(cells[3]),
            vm.parseInt(cells[4])
        );
        for (uint256 i; i < 5; ++i) {
            v.exact[i] = vm.parseUint(cells[5 + i]);
        }
    }

    /// Relative error 1e-11 from 1e-6 of the spot up, absolute 1e-15 of the spot below. No allowance for rounding.
    function assertPrice(uint256 found, uint256 exactE36, uint256 spot) private pure {
        uint256 tolerance = exactE36 >= spot * 1e12 ? exactE36 / 1e11 : spot * 1e3;
        assertApproxEqAbs(found * 1e18, exactE36, tolerance);
    }

    function test_prices_and_greeks_meet_the_reference() external view {
        vm.readLine(VECTORS);
        for (uint256 i; i < VECTOR_COUNT; ++i) {
            Vector memory v = parse(vm.readLine(VECTORS));
            BlackScholesHarness.Option memory o = v.option;
            BlackScholesHarness.Result memory r = model.greeks(o.spot, o.strike, o.time, o.volatility, o.rate);
            assertPrice(r.call, v.exact[0], o.spot);
            assertPrice(r.put, v.exact[1], o.spot);
            assertApproxEqAbs(r.delta * 1e18, v.exact[2], 1e25, "delta");
            // Relative 1e-11, or 1e-15 of the spot where there is next to none; one unit of the grid of the result.
            assertApproxEqAbs(r.vega * 1e18, v.exact[3], v.exact[3] / 1e11 + o.spot * 1e3 + 1e18, "vega");
            assertApproxEqAbs(r.gamma * 1e18, v.exact[4], v.exact[4] / 1e11 + 1e39 / o.spot + 1e18, "gamma");
        }
        assertEq(vm.readLine(VECTORS), "", "more vectors than read");
    }

    function test_gas_stays_within_the_target_on_every_reference_option() external view {
        vm.readLine(VECTORS);
        for (uint256 i; i < VECTOR_COUNT; ++i) {
            BlackScholesHarness.Option memory o = parse(vm.readLine(VECTORS)).option;
            assertLe(model.gasOfPrice(o), PRICE_GAS, "price");
            assertLe(model.gasOfPriceDeltaVega(o), PRICE_DELTA_VEGA_GAS, "price, delta and vega");
        }
    }

    function testFuzz_gas_stays_within_the_target(BlackScholesHarness.Option memory o) external view {
        o.spot = bound(o.spot, 1e18, 1e24);
        o.strike = bound(o.strike, o.spot / 5, o.spot * 5);
        o.time = bound(o.time, 60, 730 days);
        o.volatility = bound(o.volatility, 0.05e18, 4e18);
        o.rate = bound(o.rate, -0.2e18, 0.2e18);
        assertLe(model.gasOfPrice(o), PRICE_GAS, "price");
        assertLe(model.gasOfPriceDeltaVega(o), PRICE_DELTA_VEGA_GAS, "price, delta and vega");
    }
}
