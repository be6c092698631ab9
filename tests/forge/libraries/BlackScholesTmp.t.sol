// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;
import {Test,console} from "forge-std/Test.sol";
import {BlackScholesHarness as H} from "./BlackScholesHarness.sol";
contract Tmp is Test {
  function test_gas() external {
    H h=new H();
    for (uint i;i<4;i++) for (uint j; j<2;j++) {
      H.Option memory o = H.Option(uint256(2000e18), [uint256(2000e18),2100e18,3500e18,800e18][i], 30 days, 0.8e18, j==0?int256(0):int256(0.05e18));
      H.Result memory r = h.greeks(o.spot,o.strike,o.time,o.volatility,o.rate);
      console.log(r.call,r.put,r.delta); console.log(r.vega,r.gamma);
      console.log("gas",h.gasOfPrice(o),h.gasOfPriceDeltaVega(o),h.gasOfGreeks(o));
    }
  }
}
