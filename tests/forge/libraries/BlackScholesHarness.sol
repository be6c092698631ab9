// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BlackScholes} from "../../../contracts/libraries/BlackScholes.sol";

/// @notice Opens the internal library to tests and to the accuracy campaign, and measures its gas.
/// @dev Gas is `gasleft()` before less after the internal call with arguments and results on the stack: argument copies,
/// jumps and the measurement's own 2 + 3 gas or so are inside; calldata and the return are not.
contract BlackScholesHarness {
    struct Option {
        uint256 spot;
        uint256 strike;
        uint256 time;
        uint256 volatility;
        int256 rate;
    }

    struct Result {
        uint256 call;
        uint256 put;
        uint256 delta;
        uint256 vega;
        uint256 gamma;
    }

    struct Gas {
        uint256 price;
        uint256 priceDeltaVega;
        uint256 greeks;
    }

    function price(uint256 spot, uint256 strike, uint256 time, uint256 volatility, int256 rate)
        external
        pure
        returns (uint256 call, uint256 put)
    {
        return BlackScholes.price(spot, strike, time, volatility, rate);
    }

    function priceDeltaVega(uint256 spot, uint256 strike, uint256 time, uint256 volatility, int256 rate)
        external
        pure
        returns (uint256 call, uint256 put, uint256 delta, uint256 vega)
    {
        return BlackScholes.priceDeltaVega(spot, strike, time, volatility, rate);
    }

    function greeks(uint256 spot, uint256 strike, uint256 time, uint256 volatility, int256 rate)
        external
        pure
        returns (Result memory r)
    {
        (r.call, r.put, r.delta, r.vega, r.gamma) = BlackScholes.greeks(spot, strike, time, volatility, rate);
    }

    /// @notice Many options in one call.
    function greeksOf(Option[] calldata options) external pure returns (Result[] memory results) {
        results = new Result[](options.length);
        for (uint256 i; i < options.length; ++i) {
            Option calldata o = options[i];
            Result memory r = results[i];
            (r.call, r.put, r.delta, r.vega, r.gamma) =
                BlackScholes.greeks(o.spot, o.strike, o.time, o.volatility, o.rate);
        }
    }

    /// @notice Gas of many options, for the campaign.
    function gasOf(Option[] calldata options) external view returns (Gas[] memory used) {
        used = new Gas[](options.length);
        for (uint256 i; i < options.length; ++i) {
            Option memory o = options[i];
            used[i] = Gas(gasOfPrice(o), gasOfPriceDeltaVega(o), gasOfGreeks(o));
        }
    }

    function gasOfPrice(Option memory o) public view returns (uint256 used) {
        (uint256 spot, uint256 strike, uint256 time) = (o.spot, o.strike, o.time);
        (uint256 volatility, int256 rate) = (o.volatility, o.rate);
        uint256 before = gasleft();
        (uint256 call, uint256 put) = BlackScholes.price(spot, strike, time, volatility, rate);
        used = before - gasleft();
        _keep(call + put);
    }

    function gasOfPriceDeltaVega(Option memory o) public view returns (uint256 used) {
        (uint256 spot, uint256 strike, uint256 time) = (o.spot, o.strike, o.time);
        (uint256 volatility, int256 rate) = (o.volatility, o.rate);
        uint256 before = gasleft();
        (uint256 call, uint256 put, uint256 delta, uint256 vega) =
            BlackScholes.priceDeltaVega(spot, strike, time, volatility, rate);
        used = before - gasleft();
        _keep(call + put + delta + vega);
    }

    function gasOfGreeks(Option memory o) public view returns (uint256 used) {
        Result memory r;
        used = gasleft();
        (r.call, r.put, r.delta, r.vega, r.gamma) =
            BlackScholes.greeks(o.spot, o.strike, o.time, o.volatility, o.rate);
        used -= gasleft();
        _keep(r.call + r.put + r.delta + r.vega + r.gamma);
    }

    /// @dev Uses the results, so that no optimizer drops what made them.
    function _keep(uint256 value) private pure {
        require(value != type(uint256).max);
    }
}
