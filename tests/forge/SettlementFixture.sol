// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockAggregator, MockAggregatorProxy} from "./mocks/MockAggregatorProxy.sol";
import {MockObservations} from "./mocks/MockObservations.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice WETH at 2000 dollars from two feeds in their first phase and a pool that agrees.
abstract contract SettlementFixture is Test {
    uint64 internal constant EXPIRY = 1_700_000_000;
    uint256 internal constant HALF = 15 minutes;
    /// @dev Tick of 2000 USDC (6) per WETH (18) with WETH as token0: ln(2000e-12) / ln(1.0001), and its price.
    int24 internal constant TICK_2000 = -200_311;

    MockToken internal weth;
    MockToken internal usdc;
    MockAggregator internal ethPhase1;
    MockAggregator internal usdPhase1;
    MockAggregatorProxy internal ethFeed;
    MockAggregatorProxy internal usdFeed;
    MockObservations internal pool;
    SettlementOracle internal oracle;
    address internal resolver = makeAddr("resolver");

    function setUp() public virtual {
        vm.warp(EXPIRY - 1 days);
        weth = new MockToken("WETH", 18);
        usdc = new MockToken("USDC", 6);
        ethPhase1 = new MockAggregator(8, false);
        usdPhase1 = new MockAggregator(8, false);
        ethFeed = new MockAggregatorProxy(ethPhase1);
        usdFeed = new MockAggregatorProxy(usdPhase1);
        pool = new MockObservations(address(weth), address(usdc), TICK_2000);
        oracle = new SettlementOracle(_config());
    }

    function _config() internal view returns (SettlementOracle.Config memory) {
        return SettlementOracle.Config({
            base: address(weth),
            quote: address(usdc),
            baseFeed: address(ethFeed),
            quoteFeed: address(usdFeed),
            baseMaxAge: 1 hours + 5 minutes,
            quoteMaxAge: 25 hours,
            pool: address(pool),
            twapWindow: 2 * HALF,
            recordWindow: 1 hours,
            maxDeviationBps: 100,
            disputeWindow: 2 days,
            choiceDelay: 1 days,
            resolver: resolver,
            baseMinAnswer: 100e8,
            baseMaxAnswer: 1e6 * 1e8,
            quoteMinAnswer: 0.1e8,
            quoteMaxAnswer: 10e8,
            blockTime: 12,
            sequencerFeed: address(0),
            graceSeconds: 0
        });
    }

    /// @dev Rounds 1 before and 2 after expiry on both feeds.
    function _rounds(int256 dollars) internal {
        ethPhase1.transmit(dollars * 1e8, EXPIRY - 10 minutes);
        ethPhase1.transmit((dollars + 100) * 1e8, EXPIRY + 5 minutes);
        usdPhase1.transmit(1e8, EXPIRY - 10 hours);
        usdPhase1.transmit(1.01e8, EXPIRY + 10 minutes);
    }

    function _record() internal {
        vm.warp(EXPIRY + HALF);
        oracle.record(EXPIRY);
    }

    function _id(uint256 phase, uint256 round) internal pure returns (uint80) {
        return uint80(phase << 64 | round);
    }

    function _straddle(uint80 id, uint80 next) internal pure returns (ISettlementOracle.Straddle memory) {
        return ISettlementOracle.Straddle(id, next);
    }

    /// @dev Rounds 1 and 2 of phase 1: the pair most tests prove.
    function _first() internal pure returns (ISettlementOracle.Straddle memory) {
        return _straddle(_id(1, 1), _id(1, 2));
    }

    function _prove() internal returns (ISettlementOracle.Status) {
        return oracle.prove(EXPIRY, _first(), _first());
    }

    function _status() internal view returns (ISettlementOracle.Status) {
        return oracle.settlementOf(EXPIRY).status;
    }
}
