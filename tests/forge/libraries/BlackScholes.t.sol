// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {BlackScholes} from "../../../contracts/libraries/BlackScholes.sol";
import {BlackScholesHarness} from "./BlackScholesHarness.sol";

/// @notice Properties over everything the library accepts, its limits and its edges.
contract BlackScholesTest is Test {
    uint256 private constant WAD = 1e18;
    uint256 private constant MAX_PRICE = BlackScholes.MAX_PRICE;

    BlackScholesHarness private model;

    function setUp() external {
        model = new BlackScholesHarness();
    }

    /// Any option the library accepts, zeros included where `least` is 0.
    function anyOption(BlackScholesHarness.Option memory o, uint256 least) private pure {
        o.spot = bound(o.spot, least, MAX_PRICE);
        o.strike = bound(o.strike, least, MAX_PRICE);
        o.time = bound(o.time, least, BlackScholes.MAX_TIME);
        o.volatility = bound(o.volatility, least, BlackScholes.MAX_VOLATILITY);
        o.rate = bound(o.rate, -int256(BlackScholes.MAX_RATE), int256(BlackScholes.MAX_RATE));
    }

    /// Options of the accurate domain: a spot of 1 to 1e6, five times the strike either way.
    function realOption(BlackScholesHarness.Option memory o) private pure {
        o.spot = bound(o.spot, 1e18, 1e24);
        o.strike = bound(o.strike, o.spot / 5, o.spot * 5);
        o.time = bound(o.time, 60, 730 days);
        o.volatility = bound(o.volatility, 0.05e18, 4e18);
        o.rate = bound(o.rate, -0.2e18, 0.2e18);
    }

    function prices(BlackScholesHarness.Option memory o) private view returns (uint256 call, uint256 put) {
        return model.price(o.spot, o.strike, o.time, o.volatility, o.rate);
    }

    function greeks(BlackScholesHarness.Option memory o)
        private
        view
        returns (BlackScholesHarness.Result memory)
    {
        return model.greeks(o.spot, o.strike, o.time, o.volatility, o.rate);
    }

    /// What two prices may differ by without one being above the other.
    function slack(uint256 value, uint256 spot) private pure returns (uint256) {
        return value / 1e12 + spot / 1e16 + 2;
    }

    // --- relations that hold exactly

    function testFuzz_parity_is_exact_and_prices_stay_in_bounds(BlackScholesHarness.Option memory o)
        external
        view
    {
        anyOption(o, 0);
        vm.assume(o.spot | o.strike != 0);
        (uint256 call, uint256 put) = prices(o);
        // A put on nothing is worth the discounted strike.
        uint256 discounted = o.strike;
        if (o.strike != 0) (, discounted) = model.price(0, o.strike, o.time, o.volatility, o.rate);
        assertEq(int256(call) - int256(put), int256(o.spot) - int256(discounted), "parity");
        assertLe(call, o.spot, "call above spot");
        assertLe(put, discounted, "put above the discounted strike");
    }

    function testFuzz_real_options_keep_parity_and_bounds(BlackScholesHarness.Option memory o) external view {
        realOption(o);
        (uint256 call, uint256 put) = prices(o);
        (, uint256 discounted) = model.price(0, o.strike, o.time, o.volatility, o.rate);
        assertEq(int256(call) - int256(put), int256(o.spot) - int256(discounted), "parity");
        assertLe(call, o.spot, "call above spot");
        assertLe(put, discounted, "put above the discounted strike");
    }

    function testFuzz_without_a_rate_the_strike_is_not_discounted(uint256 strike, uint256 time)
        external
        view
    {
        strike = bound(strike, 1, MAX_PRICE);
        time = bound(time, 0, BlackScholes.MAX_TIME);
        (uint256 call, uint256 put) = model.price(0, strike, time, WAD, 0);
        assertEq(call, 0);
        assertEq(put, strike);
    }

    function testFuzz_delta_is_a_probability(BlackScholesHarness.Option memory o) external view {
        anyOption(o, 0);
        vm.assume(o.spot | o.strike != 0);
        (,, uint256 delta,) = model.priceDeltaVega(o.spot, o.strike, o.time, o.volatility, o.rate);
        assertLe(delta, WAD);
    }

    function testFuzz_the_three_entry_points_agree(BlackScholesHarness.Option memory o) external view {
        realOption(o);
        BlackScholesHarness.Result memory all = greeks(o);
        (uint256 call, uint256 put) = prices(o);
        assertEq(call, all.call);
        assertEq(put, all.put);
        uint256 delta;
        uint256 vega;
        (call, put, delta, vega) = model.priceDeltaVega(o.spot, o.strike, o.time, o.volatility, o.rate);
        assertEq(call, all.call);
        assertEq(put, all.put);
        assertEq(delta, all.delta);
        assertEq(vega, all.vega);
    }

    // --- shape, to within the accuracy promised

    function testFuzz_prices_follow_spot(BlackScholesHarness.Option memory o, uint256 higher) external view {
        realOption(o);
        higher = bound(higher, o.spot, o.spot * 2);
        BlackScholesHarness.Result memory low = greeks(o);
        uint256 tolerance = slack(low.call + low.put, o.spot) * 2;
        o.spot = higher;
        BlackScholesHarness.Result memory high = greeks(o);
        assertLe(low.call, high.call + tolerance, "call falls with spot");
        assertLe(high.put, low.put + tolerance, "put rises with spot");
        assertLe(low.delta, high.delta + 1e5, "delta falls with spot");
    }

    function testFuzz_prices_follow_strike(BlackScholesHarness.Option memory o, uint256 higher)
        external
        view
    {
        realOption(o);
        higher = bound(higher, o.strike, o.strike * 2);
        (uint256 lowCall, uint256 lowPut) = prices(o);
        o.strike = higher;
        (uint256 highCall, uint256 highPut) = prices(o);
        assertLe(highCall, lowCall + slack(lowCall, o.spot), "call rises with strike");
        assertLe(lowPut, highPut + slack(lowPut, o.spot), "put falls with strike");
    }

    function testFuzz_prices_rise_with_volatility(BlackScholesHarness.Option memory o, uint256 higher)
        external
        view
    {
        realOption(o);
        higher = bound(higher, o.volatility, o.volatility * 2);
        (uint256 lowCall, uint256 lowPut) = prices(o);
        o.volatility = higher;
        (uint256 highCall, uint256 highPut) = prices(o);
        assertLe(lowCall, highCall + slack(lowCall, o.spot), "call");
        assertLe(lowPut, highPut + slack(lowPut, o.spot), "put");
    }

    function testFuzz_without_a_rate_prices_rise_with_time(BlackScholesHarness.Option memory o, uint256 later)
        external
        view
    {
        realOption(o);
        o.rate = 0;
        later = bound(later, o.time, o.time * 2);
        (uint256 nearCall, uint256 nearPut) = prices(o);
        o.time = later;
        (uint256 farCall, uint256 farPut) = prices(o);
        assertLe(nearCall, farCall + slack(nearCall, o.spot), "call");
        assertLe(nearPut, farPut + slack(nearPut, o.spot), "put");
    }

    function testFuzz_call_is_convex_in_strike(BlackScholesHarness.Option memory o, uint256 width)
        external
        view
    {
        realOption(o);
        width = bound(width, o.strike / 1000, o.strike / 2);
        (uint256 middle,) = prices(o);
        o.strike -= width;
        (uint256 low,) = prices(o);
        o.strike += 2 * width;
        (uint256 high,) = prices(o);
        assertLe(2 * middle, low + high + 2 * slack(low, o.spot));
    }

    /// The joins between approximations are invisible: a step across any of them moves a price by delta x step.
    function testFuzz_delta_is_the_slope_of_the_price(BlackScholesHarness.Option memory o) external view {
        realOption(o);
        o.time = bound(o.time, 1 days, 730 days);
        BlackScholesHarness.Result memory here = greeks(o);
        uint256 step = o.spot / 1e6;
        o.spot += step;
        (uint256 up,) = prices(o);
        o.spot -= 2 * step;
        (uint256 down,) = prices(o);
        assertApproxEqAbs((up - down) * WAD / (2 * step), here.delta, 2e9);
    }

    /// Price is homogeneous: in other units of money it is the same price.
    function testFuzz_a_thousandfold_price_level_gives_a_thousandfold_price(
        BlackScholesHarness.Option memory o
    ) external view {
        realOption(o);
        (uint256 call, uint256 put) = prices(o);
        o.spot *= 1000;
        o.strike *= 1000;
        (uint256 bigCall, uint256 bigPut) = prices(o);
        assertApproxEqAbs(bigCall / 1000, call, 2);
        assertApproxEqAbs(bigPut / 1000, put, 2);
    }

    function test_vega_and_gamma_vanish_far_out() external view {
        BlackScholesHarness.Result memory r = model.greeks(1e18, 5e18, 60, 0.05e18, 0);
        assertEq(r.call + r.vega + r.gamma + r.delta, 0);
        assertEq(r.put, 4e18);
        r = model.greeks(5e18, 1e18, 60, 0.05e18, 0);
        assertEq(r.put + r.vega + r.gamma, 0);
        assertEq(r.call, 4e18);
        assertEq(r.delta, WAD);
    }

    // --- edges

    function testFuzz_at_expiry_only_the_intrinsic_value_is_left(
        uint256 spot,
        uint256 strike,
        uint256 volatility
    ) external view {
        spot = bound(spot, 1, MAX_PRICE);
        strike = bound(strike, 1, MAX_PRICE);
        volatility = bound(volatility, 0, BlackScholes.MAX_VOLATILITY);
        (uint256 call, uint256 put, uint256 delta, uint256 vega) =
            model.priceDeltaVega(spot, strike, 0, volatility, 0.05e18);
        assertEq(call, spot > strike ? spot - strike : 0);
        assertEq(put, strike > spot ? strike - spot : 0);
        assertEq(vega, 0);
        // Closer than 1e-24 of each other spot and strike have the same logarithm.
        if (spot > strike + strike / 1e20) assertEq(delta, WAD);
        if (strike > spot + spot / 1e20) assertEq(delta, 0);
    }

    function testFuzz_without_volatility_only_the_discounted_intrinsic_value_is_left(
        BlackScholesHarness.Option memory o
    ) external view {
        anyOption(o, 1);
        (, uint256 discounted) = model.price(0, o.strike, o.time, 0, o.rate);
        (uint256 call, uint256 put) = model.price(o.spot, o.strike, o.time, 0, o.rate);
        assertEq(call, o.spot > discounted ? o.spot - discounted : 0);
        assertEq(put, discounted > o.spot ? discounted - o.spot : 0);
    }

    function test_at_the_kink_delta_is_a_half_and_gamma_is_refused() external {
        (uint256 call, uint256 put, uint256 delta, uint256 vega) =
            model.priceDeltaVega(2000e18, 2000e18, 0, 0.8e18, 0);
        assertEq(call + put + vega, 0);
        assertApproxEqAbs(delta, WAD / 2, 1e5);
        // Volatility 0 with time left: vega's limit is spot sqrt(T) / sqrt(2 pi).
        (call, put, delta, vega) = model.priceDeltaVega(2000e18, 2000e18, 365 days, 0, 0);
        assertEq(call + put, 0);
        assertApproxEqAbs(delta, WAD / 2, 1e5);
        assertApproxEqAbs(vega, 797_884_560_802_865_355_879, 1e4);
        bytes4 refused = BlackScholes.GammaUnbounded.selector;
        vm.expectRevert(abi.encodeWithSelector(refused, 2000e18, 2000e18, 0, 0.8e18));
        model.greeks(2000e18, 2000e18, 0, 0.8e18, 0);
        vm.expectRevert(abi.encodeWithSelector(refused, 2000e18, 2000e18, 365 days, 0));
        model.greeks(2000e18, 2000e18, 365 days, 0, 0);
    }

    function test_off_the_kink_gamma_is_nothing_at_expiry() external view {
        BlackScholesHarness.Result memory r = model.greeks(2001e18, 2000e18, 0, 0.8e18, 0);
        assertEq(r.call, 1e18);
        assertEq(r.gamma + r.vega + r.put, 0);
    }

    function testFuzz_a_worthless_underlying_or_strike(BlackScholesHarness.Option memory o) external view {
        anyOption(o, 1);
        uint256 spot = o.spot;
        o.spot = 0;
        BlackScholesHarness.Result memory r = greeks(o);
        assertEq(r.call + r.delta + r.vega + r.gamma, 0);
        (o.spot, o.strike) = (spot, 0);
        r = greeks(o);
        assertEq(r.call, spot);
        assertEq(r.delta, WAD);
        assertEq(r.put + r.vega + r.gamma, 0);
    }

    function testFuzz_every_input_within_the_limits_has_a_price(BlackScholesHarness.Option memory o)
        external
        view
    {
        anyOption(o, 1);
        greeks(o);
    }

    function test_the_extremes_of_the_limits_have_a_price() external view {
        uint256[2] memory ends = [uint256(1), MAX_PRICE];
        uint256[2] memory times = [uint256(1), BlackScholes.MAX_TIME];
        uint256[2] memory volatilities = [uint256(1), BlackScholes.MAX_VOLATILITY];
        int256[3] memory rates = [int256(0), int256(BlackScholes.MAX_RATE), -int256(BlackScholes.MAX_RATE)];
        for (uint256 i; i < 48; ++i) {
            (uint256 spot, uint256 strike) = (ends[i % 2], ends[(i / 2) % 2]);
            uint256 time = times[(i / 4) % 2];
            BlackScholesHarness.Result memory r =
                model.greeks(spot, strike, time, volatilities[(i / 8) % 2], rates[i / 16]);
            assertLe(r.call, spot);
            assertLe(r.delta, WAD);
        }
    }

    // --- refusals

    function test_nothing_over_nothing_is_refused() external {
        vm.expectRevert(BlackScholes.ZeroSpotAndStrike.selector);
        model.price(0, 0, 1 days, WAD, 0);
    }

    function testFuzz_prices_beyond_the_limit_are_refused(uint256 large, uint256 other) external {
        large = bound(large, MAX_PRICE + 1, type(uint256).max);
        bytes4 refused = BlackScholes.PriceOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(refused, large, other, MAX_PRICE));
        model.price(large, other, 1 days, WAD, 0);
        vm.expectRevert(abi.encodeWithSelector(refused, other, large, MAX_PRICE));
        model.price(other, large, 1 days, WAD, 0);
    }

    function testFuzz_times_beyond_the_limit_are_refused(uint256 time) external {
        time = bound(time, BlackScholes.MAX_TIME + 1, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(BlackScholes.TimeOutOfRange.selector, time, BlackScholes.MAX_TIME)
        );
        model.priceDeltaVega(1e18, 1e18, time, WAD, 0);
    }

    function testFuzz_volatilities_beyond_the_limit_are_refused(uint256 volatility) external {
        volatility = bound(volatility, BlackScholes.MAX_VOLATILITY + 1, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(
                BlackScholes.VolatilityOutOfRange.selector, volatility, BlackScholes.MAX_VOLATILITY
            )
        );
        model.greeks(1e18, 1e18, 1 days, volatility, 0);
    }

    function testFuzz_rates_beyond_the_limit_are_refused(int256 rate) external {
        int256 limit = int256(BlackScholes.MAX_RATE);
        vm.assume(rate > limit || rate < -limit);
        vm.expectRevert(
            abi.encodeWithSelector(BlackScholes.RateOutOfRange.selector, rate, BlackScholes.MAX_RATE)
        );
        model.price(1e18, 1e18, 1 days, WAD, rate);
    }
}
