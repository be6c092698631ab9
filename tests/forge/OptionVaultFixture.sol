// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionAuction} from "../../contracts/OptionAuction.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {VolatilityOracle} from "../../contracts/VolatilityOracle.sol";
import {OptionDesk} from "../../contracts/adapters/OptionDesk.sol";
import {IOptionAuction} from "../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {VolatilitySmile} from "../../contracts/libraries/VolatilitySmile.sol";
import {Fixture} from "./Fixture.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";

/// @notice The full vault of `Fixture` with the real desk, book, auction and volatility oracle.
abstract contract OptionVaultFixture is Fixture {
    uint256 internal constant HOUR = 1 hours;
    address internal poster = makeAddr("poster");
    address internal bidder1 = makeAddr("bidder1");
    address internal bidder2 = makeAddr("bidder2");
    VolatilityOracle internal vols;
    MockSettlementOracle internal settlement;
    OptionBook internal book;
    OptionAuction internal auction;
    OptionDesk internal desk;

    function _deployDesk() internal virtual override returns (address) {
        IVolatilityOracle.Limits memory limits = IVolatilityOracle.Limits({
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
        uint32[] memory tenors = new uint32[](3);
        (tenors[0], tenors[1], tenors[2]) = (1 days, 30 days, 180 days);
        vols = new VolatilityOracle(
            VolatilityOracle.Setup(
                IPriceOracle(address(oracle)), owner, guardian, poster, HOUR, 5 minutes, 12, 6, 2000, 6 hours
            ),
            tenors,
            _marks(),
            limits
        );
        settlement = new MockSettlementOracle(address(weth), address(usdc), 18, 6);
        book = new OptionBook();
        auction = new OptionAuction(book, IPriceOracle(address(oracle)), vols);
        desk = new OptionDesk(address(vault), book, auction, vols, ISettlementOracle(address(settlement)));
        return address(desk);
    }

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i; i < 12; ++i) {
            _hour();
        }
        address[2] memory bidders = [bidder1, bidder2];
        for (uint256 i; i < 2; ++i) {
            usdc.mint(bidders[i], 1e15);
            vm.startPrank(bidders[i]);
            usdc.approve(address(auction), ALL);
            book.setOperator(address(auction), true);
            vm.stopPrank();
        }
    }

    function _marks() internal pure returns (VolatilitySmile.Mark[] memory marks) {
        marks = new VolatilitySmile.Mark[](3);
        marks[0] = VolatilitySmile.Mark(600_000, -1000, 10_000);
        marks[1] = VolatilitySmile.Mark(650_000, -1500, 10_000);
        marks[2] = VolatilitySmile.Mark(670_000, -1500, 10_000);
    }

    /// @dev To the next slot; feeds answer, the price is observed, marks are posted.
    function _hour() internal {
        vm.warp((vm.getBlockTimestamp() / HOUR + 1) * HOUR);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
        vols.observe();
        vm.prank(poster);
        vols.post(_marks(), ALL);
    }

    function _series(bool isCall, uint128 strike, uint128 second, uint64 expiry) internal returns (uint256) {
        return book.create(
            IOptionBook.Series({
                base: address(weth),
                quote: address(usdc),
                oracle: ISettlementOracle(address(settlement)),
                expiry: expiry,
                isCall: isCall,
                strikeWad: strike,
                secondStrikeWad: second
            })
        );
    }

    function _writeMove(bool isCall, uint256 id, uint256 amount, uint256 start)
        internal
        view
        returns (IVault.Move memory)
    {
        return IVault.Move(
            IVault.MoveKind.Write, address(desk), isCall ? address(weth) : address(usdc), amount, start, id
        );
    }

    function _buyBackMove(uint256 id, uint256 amount, uint256 limit)
        internal
        view
        returns (IVault.Move memory)
    {
        return IVault.Move(IVault.MoveKind.BuyBack, address(desk), address(usdc), amount, limit, id);
    }

    function _cancelMove(uint256 auctionId) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Cancel, address(desk), address(usdc), 0, 0, auctionId);
    }

    function _lastAuction() internal view returns (uint256) {
        return auction.auctionCount();
    }

    function _toStart(uint256 id) internal {
        vm.warp(auction.auctionOf(id).startAt);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
    }

    function _bidAll(uint256 id, uint256 amount) internal {
        vm.prank(bidder1);
        auction.bid(id, amount / 2, ALL, bidder1);
        vm.prank(bidder2);
        auction.bid(id, amount - amount / 2, ALL, bidder2);
    }

    function _offerAll(uint256 id, uint256 amount) internal {
        vm.prank(bidder1);
        auction.offer(id, amount / 2, 0, bidder1);
        vm.prank(bidder2);
        auction.offer(id, amount - amount / 2, 0, bidder2);
    }
}
