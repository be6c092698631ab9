// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionAuction} from "../../../contracts/OptionAuction.sol";
import {OptionBook} from "../../../contracts/OptionBook.sol";
import {PriceOracle} from "../../../contracts/PriceOracle.sol";
import {SettlementOracle} from "../../../contracts/SettlementOracle.sol";
import {VolatilityOracle} from "../../../contracts/VolatilityOracle.sol";
import {OptionDesk} from "../../../contracts/adapters/OptionDesk.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {IOptionBook} from "../../../contracts/interfaces/IOptionBook.sol";
import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../../contracts/interfaces/ISettlementOracle.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IVolatilityOracle} from "../../../contracts/interfaces/IVolatilityOracle.sol";
import {OptionLimits} from "../../../contracts/libraries/OptionLimits.sol";
import {VolatilitySmile} from "../../../contracts/libraries/VolatilitySmile.sol";
import {Fixture} from "../Fixture.sol";
import {MockAave} from "../mocks/MockAave.sol";
import {MockAggregator, MockAggregatorProxy} from "../mocks/MockAggregatorProxy.sol";
import {MockFeed} from "../mocks/MockFeed.sol";
import {MockPool} from "../mocks/MockPool.sol";
import {MockToken} from "../mocks/MockToken.sol";

/// @notice The whole system, nothing of ours mocked: a vault that writes options on the real book, auction and desk, marked by the real
/// volatility oracle (60 %, floor near 40 %) and settled by the real settlement oracle, under the terms a deployment would have.
abstract contract SystemFixture is Fixture {
    uint256 internal constant SLOT = 1 hours;

    OptionBook internal book;
    OptionAuction internal auction;
    OptionDesk internal desk;
    VolatilityOracle internal vols;
    SettlementOracle internal settlement;
    MockAggregator internal ethRounds;
    MockAggregator internal usdcRounds;
    address internal poster = makeAddr("poster");
    address internal bob = makeAddr("bob");

    function setUp() public virtual override {
        vm.warp(1_700_000_000 / SLOT * SLOT);
        usdc = new MockToken("USDC", 6);
        weth = new MockToken("WETH", 18);
        ethFeed = new MockFeed(8, "ETH / USD", int256(PRICE * 1e8));
        usdcFeed = new MockFeed(8, "USDC / USD", 1e8);
        pool = MockPool(_makePool());
        aave = new MockAave();
        aave.list(usdc, usdcFeed);
        aave.list(weth, ethFeed);
        oracle = new PriceOracle(_oracleConfig());
        _deployOptions();
        _deployVault();
        _lend();
    }

    function _makePool() internal virtual returns (address) {
        MockPool made = new MockPool(address(usdc), address(weth));
        made.setPrice(PRICE * 1e6, 1e18);
        usdc.mint(address(made), 1e30);
        weth.mint(address(made), 1e42);
        return address(made);
    }

    function _deployDesk() internal override returns (address) {
        desk = new OptionDesk(address(vault), book, auction, vols, ISettlementOracle(address(settlement)));
        return address(desk);
    }

    function _deployOptions() private {
        ethRounds = new MockAggregator(8, false);
        usdcRounds = new MockAggregator(8, false);
        settlement = new SettlementOracle(_settlementConfig());
        vols = new VolatilityOracle(_volatilitySetup(), _tenors(), _smiles(600_000), _volatilityLimits());
        for (uint256 i; i < 60; ++i) {
            vm.warp((vm.getBlockTimestamp() / SLOT + 1) * SLOT);
            _setPrice(PRICE * 100 * (i % 2 == 0 ? 10_000 : 10_060) / 10_000);
            vols.observe();
        }
        _setPrice(PRICE * 100);
        _post(_smiles(600_000));
        book = new OptionBook();
        auction = new OptionAuction(book, IPriceOracle(address(oracle)), vols);
    }

    function _lend() private {
        address lender = makeAddr("lender");
        usdc.mint(lender, 1e18);
        weth.mint(lender, 1e30);
        vm.startPrank(lender);
        usdc.approve(address(aave), ALL);
        weth.approve(address(aave), ALL);
        aave.supply(address(usdc), 1e18, lender, 0);
        aave.supply(address(weth), 1e30, lender, 0);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- settings

    function _limits() internal pure virtual override returns (IMandate.Limits memory) {
        return IMandate.Limits({
            minHealthWad: 1.25e18,
            maxSwapLossBps: 100,
            maxLossBps: 100,
            maxLossPerDayBps: 200,
            maxBorrowBps: 6500
        });
    }

    function _caps() internal pure virtual override returns (IMandate.Caps memory) {
        return IMandate.Caps({
            deltaTargetBps: 10_000,
            deltaBandBps: 5000,
            maxVenueBps: 9000,
            maxOptionBps: 4000,
            turnoverPerDayBps: 20_000,
            cooldown: 60,
            maxOracleAge: 3900,
            protectiveLossPerDayBps: 200
        });
    }

    function _emergency() internal pure virtual override returns (IMandate.Emergency memory) {
        return IMandate.Emergency({
            emergencyHealthWad: 1.12e18,
            criticalHealthWad: 1.05e18,
            silence: 15 minutes,
            sliceBps: 2500,
            cooldown: 60,
            bountyBps: 50,
            maxBounty: 500e6
        });
    }

    function _optionLimits() internal pure virtual override returns (OptionLimits memory) {
        return OptionLimits({
            minTenor: 1 days,
            maxTenor: 31 days,
            minDeltaBps: 500,
            maxDeltaBps: 4500,
            maxNotionalBps: 5000,
            maxVegaBps: 1000,
            reserveDiscountBps: 500,
            buyBackPremiumBps: 500,
            auctionDuration: 1 hours,
            startWindow: 15 minutes,
            minBidBps: 100,
            maxBidBps: 5000,
            maxSeries: 4
        });
    }

    function _settlementConfig() private returns (SettlementOracle.Config memory) {
        return SettlementOracle.Config({
            base: address(weth),
            quote: address(usdc),
            baseFeed: address(new MockAggregatorProxy(ethRounds)),
            quoteFeed: address(new MockAggregatorProxy(usdcRounds)),
            baseMaxAge: 3900,
            quoteMaxAge: 1 days,
            pool: address(pool),
            twapWindow: 30 minutes,
            recordWindow: 4 hours,
            maxDeviationBps: 200,
            disputeWindow: 2 days,
            choiceDelay: 1 days,
            resolver: address(0),
            baseMinAnswer: 50e8,
            baseMaxAnswer: 1e6 * 1e8,
            quoteMinAnswer: 0.1e8,
            quoteMaxAnswer: 10e8,
            blockTime: 12,
            sequencerFeed: address(0),
            graceSeconds: 0
        });
    }

    function _volatilitySetup() private view returns (VolatilityOracle.Setup memory) {
        return VolatilityOracle.Setup({
            oracle: IPriceOracle(address(oracle)),
            owner: owner,
            guardian: guardian,
            poster: poster,
            interval: SLOT,
            slack: 10 minutes,
            windowSlots: 168,
            minReturns: 48,
            maxReturnBps: 2000,
            maxObservationAge: 2 days
        });
    }

    function _volatilityLimits() internal pure virtual returns (IVolatilityOracle.Limits memory) {
        return IVolatilityOracle.Limits({
            minPostInterval: 5 minutes,
            maxAge: 2 hours,
            expireAge: 2 days,
            floorPpm: 200_000,
            floorRatioBps: 8000,
            maxStepBps: 1000,
            maxPerDayBps: 2000,
            halfSpreadBps: 300,
            staleHalfSpreadBps: 1500
        });
    }

    function _tenors() internal pure returns (uint32[] memory tenors) {
        tenors = new uint32[](2);
        (tenors[0], tenors[1]) = (7 days, 31 days);
    }

    /// @dev Two tenors, of which the longer is no cheaper in total variance at any strike.
    function _smiles(uint256 levelPpm) internal pure returns (VolatilitySmile.Mark[] memory marks) {
        marks = new VolatilitySmile.Mark[](2);
        marks[0] = VolatilitySmile.Mark(uint32(levelPpm), -500, 4000);
        marks[1] = VolatilitySmile.Mark(uint32(levelPpm), -500, 4000);
    }

    // ---------------------------------------------------------------- acts

    function _post(VolatilitySmile.Mark[] memory marks) internal {
        vm.prank(poster);
        vols.post(marks, type(uint256).max);
    }

    function _create(bool isCall, uint128 strike, uint128 second, uint256 tenor)
        internal
        returns (uint256 id)
    {
        return book.create(
            IOptionBook.Series({
                base: address(weth),
                quote: address(usdc),
                oracle: ISettlementOracle(address(settlement)),
                expiry: uint64(vm.getBlockTimestamp() + tenor),
                isCall: isCall,
                strikeWad: strike,
                secondStrikeWad: second
            })
        );
    }

    function _writeMove(uint256 id, address token, uint256 amount, uint256 startWad)
        internal
        view
        returns (IVault.Move memory)
    {
        return IVault.Move(IVault.MoveKind.Write, address(desk), token, amount, startWad, id);
    }

    /// @dev Who may bid: with money and approvals.
    function _bidder(address who, uint256 cash) internal {
        usdc.mint(who, cash);
        vm.startPrank(who);
        usdc.approve(address(auction), ALL);
        book.setOperator(address(auction), true);
        vm.stopPrank();
    }

    /// @dev Time passes, hour by hour, with everything kept fresh: feeds, the ring, the marks.
    function _live(uint256 time) internal {
        uint256 until = vm.getBlockTimestamp() + time;
        while (vm.getBlockTimestamp() < until) {
            uint256 slot = (vm.getBlockTimestamp() / SLOT + 1) * SLOT;
            vm.warp(slot < until ? slot : until);
            ethFeed.set(ethFeed.answer());
            usdcFeed.set(usdcFeed.answer());
            try vols.observe() {} catch {}
        }
    }
}
