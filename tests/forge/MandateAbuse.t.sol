// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockAave} from "./mocks/MockAave.sol";
import {MockToken} from "./mocks/MockToken.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";

contract FillsInTheMiddle {
    MockDesk private immutable _desk;
    bool public filled;

    constructor(MockDesk desk) {
        _desk = desk;
    }

    fallback() external {
        try _desk.fill(1e6) {
            filled = true;
        } catch {}
    }
}

contract MandateAbuseTest is MandateFixture {
    MockDesk private desk;

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    /// One unit of a share, given up before each of the keeper's intents, keeps nobody out.
    function test_exits_of_dust_stop_no_intent() external {
        _lever(1_000_000e6, 5000, 5000);
        vm.prank(guardian);
        mandate.windDown();
        IVault.Intent memory intent = _intent(ALL);
        usdc.mint(alice, 1e6);
        vm.startPrank(alice);
        usdc.approve(address(vault), ALL);
        vault.exitInKind(1, alice); // one of 1e24
        vm.stopPrank();
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
    }

    /// No fill is charged in the middle of a rebalance, against a NAV in pieces (V-18).
    function test_no_fill_in_the_middle_of_a_rebalance() external {
        _deposit(alice, 1_000_000e6);
        FillsInTheMiddle filler = new FillsInTheMiddle(desk);
        pool.setHook(address(filler));
        _run(_one(_swapMove(address(usdc), 900_000e6)));
        assertFalse(filler.filled());
    }
}

/// @notice One unit of a base of 8 decimals is worth 600 of the asset's: a venue's rounding in it is no loss (V-08).
contract MandateCoarseBaseTest is MandateFixture {
    MockDesk private desk;

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function setUp() public override {
        vm.warp(1_700_000_000);
        usdc = new MockToken("USDC", 6);
        weth = new MockToken("WBTC", 8);
        ethFeed = new MockFeed(8, "BTC / USD", 60_000e8);
        usdcFeed = new MockFeed(8, "USDC / USD", 1e8);
        pool = new MockPool(address(usdc), address(weth));
        pool.setPrice(60_000e6, 1e8);
        aave = new MockAave();
        aave.list(usdc, usdcFeed);
        aave.list(weth, ethFeed);
        oracle = new PriceOracle(_oracleConfig());
        _deployVault();
        usdc.mint(address(pool), 1e30);
        weth.mint(address(pool), 1e30);
        weth.mint(address(this), 1e18);
        weth.approve(address(aave), ALL);
        aave.supply(address(weth), 1e18, address(this), 0);
    }

    function testFuzz_a_repayment_waits_for_no_bucket(uint256 growth, uint256 amount) external {
        _deposit(alice, 1_000_000e6);
        _run(_two(_supplyMove(address(usdc), 600_000e6), _borrowMove(address(weth), 3e8)));
        _run(_one(_swapMove(address(weth), 1e8))); // short, so that delta has room
        _grow(_debtToken(address(weth)), bound(growth, 1e24, 1e26));
        IVault.Intent memory intent = _intent(0);
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(weth), bound(amount, 1e5, 1.9e8))));
    }
}
