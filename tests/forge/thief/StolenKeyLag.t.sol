// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {ThiefSearch} from "./ThiefSearch.sol";

/// @notice V-04 in a market that never leaves the feed's deviation threshold: the oracle stands still while the price outside swings by
/// `LAG_BPS` to either side. A swap at the oracle's price is no loss to the buckets, and yet one at the market's. Turnover bounds it.
///
///     bound(T) = (routine + protective) x (1 + T) + lag x (held + 2 x turnover x (1 + T))
///
/// Every swap that is not charged to turnover is a sale of base that was held at the start, or was bought within turnover, or a purchase
/// that gives back base which was borrowed and sold within it. `held` is target plus band of delta. The pool's liquidity is a
/// stranger's here, and arbitrage keeps it at the market's price; whatever base the thief comes by is hedged at once at that price.
contract StolenKeyLagTest is ThiefSearch {
    uint256 private constant LAG_BPS = 49; // of a threshold of 50

    function setUp() public override {
        super.setUp();
        _turnMarket(1);
    }

    /// forge-config: default.fuzz.runs = 40
    function testFuzz_chance_takes_no_more_than_the_bound(uint256 seed) external {
        _chance(seed);
    }

    function test_a_search_takes_no_more_than_the_bound() external {
        _search(80, 4000);
    }

    function boundBps(uint256 window) internal view override returns (uint256) {
        IMandate.Caps memory caps = mandate.terms().caps;
        uint256 held = uint256(uint32(caps.deltaTargetBps)) + caps.deltaBandBps;
        uint256 turned = held + 2 * uint256(caps.turnoverPerDayBps) * (1 days + window) / 1 days;
        return super.boundBps(window) + LAG_BPS * turned / 10_000;
    }

    function _fee() internal pure override returns (uint24) {
        return 100;
    }

    /// @dev The other side; arbitrage takes the pool along.
    function _turnMarket(uint256 aux) internal override returns (bool) {
        if (!_pass(300)) return false;
        marketPrice = PRICE * 1e6 * (aux % 2 == 0 ? 10_000 - LAG_BPS : 10_000 + LAG_BPS) / 10_000;
        curve.setPrice(marketPrice, 1e18);
        return true;
    }

    /// @dev All base beyond what it began with is sold outside, or what is missing bought, at the market's price.
    function _flatten() internal override {
        uint256 base = weth.balanceOf(address(this));
        if (base > BASE) {
            weth.transfer(address(0xCE), base - BASE);
            usdc.mint(address(this), (base - BASE) * marketPrice / 1e18);
        } else if (base < BASE) {
            weth.mint(address(this), BASE - base);
            usdc.transfer(address(0xCE), (BASE - base) * marketPrice / 1e18);
        }
    }

    /// @dev Without the pool's liquidity, which is not the thief's.
    function _wealth() internal view override returns (uint256) {
        return super._wealth() - curve.reserve0() - curve.reserve1() * PRICE / 1e12;
    }

    /// @dev Sell at the worst price while the market is above, buy while it is below.
    function _greedy() internal pure override returns (bytes memory genome) {
        for (uint256 i; i < 8; ++i) {
            bytes memory sale = i % 2 == 0 ? bytes(hex"017c06") : bytes(hex"017c07");
            bytes memory buy = i % 2 == 0 ? bytes(hex"00ff06") : bytes(hex"00ff07");
            genome = bytes.concat(genome, hex"030001", sale, hex"030000", buy, hex"020003");
        }
    }
}
