// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOptionAuction} from "../../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../../contracts/interfaces/ISettlementOracle.sol";
import {SystemFixture} from "../invariants/SystemFixture.sol";

/// @notice Losses others had with options, tried on this system.
contract OptionReplays is SystemFixture {
    uint256 private id;
    uint64 private expiry;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 700_000e6)));
        _wait(1 days);
        _post(_smiles(600_000));
        _bidder(mallory, 1e12);
        _bidder(bob, 1e12);
        id = _create(true, 2200e18, 0, 10 days);
        expiry = uint64(vm.getBlockTimestamp() + 10 days);
    }

    /// V-09. Double exercise (2020, $371k): a long is burned by what it is paid; the second time there is nothing, and what all were paid
    /// and the writer takes back is the collateral to the unit.
    function test_replay_double_exercise() external {
        _sell(50e18);
        _expire(2400);
        book.settle(id);
        uint256 collateral = book.stateOf(id).collateral;
        uint256 longs = book.balanceOf(mallory, id);
        vm.startPrank(mallory);
        uint256 paid = book.redeem(id, longs, mallory);
        vm.expectRevert();
        book.redeem(id, longs, mallory);
        vm.expectRevert();
        book.redeem(id, 1, mallory);
        vm.expectRevert(abi.encodeWithSelector(IOptionBook.ZeroAmount.selector));
        book.redeemFor(id, mallory);
        vm.stopPrank();
        paid += book.redeemFor(id, bob);
        uint256 before = weth.balanceOf(address(vault));
        desk.collect(id);
        assertEq(paid + weth.balanceOf(address(vault)) - before, collateral, "V-09");
        vm.expectRevert();
        desk.collect(id);
    }

    /// V-10. Forged expiry prices (2025, $2.7M): neither a round that was not in force at expiry, nor one of another time, nor the feed alone
    /// against the pool settles a series; and nobody is asked whom he is.
    function test_replay_forged_expiry() external {
        _sell(50e18);
        ethRounds.transmit(1500e8, expiry - 2 hours); // 1: too old
        ethRounds.transmit(2300e8, expiry - 10 minutes); // 2: in force
        ethRounds.transmit(5000e8, expiry + 1 minutes); // 3
        ethRounds.transmit(5100e8, expiry + 9 minutes); // 4
        usdcRounds.transmit(1e8, expiry - 1 hours);
        usdcRounds.transmit(1e8, expiry + 10 minutes);
        pool.setPrice(2300e6, 1e18);
        vm.warp(expiry - 1);
        vm.expectRevert();
        book.settle(id);
        vm.warp(expiry + 15 minutes);
        settlement.record(expiry);
        uint80[2][4] memory forged = [[uint80(1), 2], [uint80(3), 4], [uint80(1), 3], [uint80(2), 4]];
        for (uint256 i; i < 4; ++i) {
            vm.prank(i % 2 == 0 ? keeper : owner);
            vm.expectRevert();
            settlement.prove(expiry, _pair(forged[i][0], forged[i][1]), _pair(1, 2));
        }
        vm.expectRevert();
        book.settle(id);
        settlement.prove(expiry, _pair(2, 3), _pair(1, 2));
        book.settle(id);
        assertEq(book.stateOf(id).priceWad, 2300e18, "the round in force");
        vm.expectRevert();
        settlement.prove(expiry, _pair(3, 4), _pair(1, 2));
    }

    /// V-10. The same, sources apart: a manipulated one settles nothing, it is disputed.
    function test_replay_forged_expiry_by_one_source() external {
        _sell(50e18);
        ethRounds.transmit(3000e8, expiry - 10 minutes);
        ethRounds.transmit(3000e8, expiry + 10 minutes);
        usdcRounds.transmit(1e8, expiry - 1 hours);
        usdcRounds.transmit(1e8, expiry + 10 minutes);
        pool.setPrice(2300e6, 1e18);
        vm.warp(expiry + 15 minutes);
        settlement.record(expiry);
        settlement.prove(expiry, _pair(1, 2), _pair(1, 2));
        (ISettlementOracle.Status status,) = settlement.outcome(expiry);
        assertEq(uint256(status), uint256(ISettlementOracle.Status.Quarantined));
        vm.expectRevert();
        book.settle(id);
    }

    /// V-11. Options sold at a third of their value because bidders were missing (2021, $363k short): alone, at the last second, the only
    /// bidder pays the reserve; what that is under the mark is charged to the bucket, and what nobody buys is burned.
    function testFuzz_replay_options_sold_too_cheap(uint256 late, uint256 amount) external {
        _run(_one(_writeMove(id, address(weth), 50e18, 300e18)));
        uint256 opened = auction.auctionCount();
        IOptionAuction.Auction memory sale = auction.auctionOf(opened);
        vm.warp(sale.startAt + bound(late, 0, 1 hours));
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
        amount = bound(amount, 0.5e18, 25e18);
        uint256 reserve = auction.reserveWad(id, 500);
        uint256 before = usdc.balanceOf(address(vault));
        vm.prank(mallory);
        try auction.bid(opened, amount, ALL, mallory) returns (uint256 paid) {
            assertGe(paid * 1e30, amount * reserve, "V-11");
            assertEq(usdc.balanceOf(address(vault)) - before, paid, "all of it to the vault");
        } catch {
            assertEq(book.balanceOf(mallory, id), 0, "or nothing at all");
        }
        vm.warp(sale.endAt + 1);
        vm.prank(mallory);
        vm.expectRevert();
        auction.bid(opened, 1e18, ALL, mallory);
        uint256 base = vault.idle(address(weth));
        uint256 left = auction.auctionOf(opened).left;
        vm.prank(mallory);
        desk.cancel(opened);
        assertEq(vault.idle(address(weth)) - base, left, "unsold is burned, its collateral free");
    }

    function _sell(uint256 amount) private {
        _run(_one(_writeMove(id, address(weth), amount, 300e18)));
        uint256 opened = auction.auctionCount();
        vm.warp(auction.auctionOf(opened).startAt);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
        vm.prank(mallory);
        auction.bid(opened, amount / 2, ALL, mallory);
        vm.prank(bob);
        auction.bid(opened, amount / 2, ALL, bob);
    }

    function _expire(uint256 dollars) private {
        ethRounds.transmit(int256(dollars * 1e8), expiry - 10 minutes);
        ethRounds.transmit(int256(dollars * 1e8), expiry + 10 minutes);
        usdcRounds.transmit(1e8, expiry - 1 hours);
        usdcRounds.transmit(1e8, expiry + 10 minutes);
        pool.setPrice(dollars * 1e6, 1e18);
        vm.warp(expiry + 15 minutes);
        settlement.record(expiry);
        settlement.prove(expiry, _pair(1, 2), _pair(1, 2));
    }

    function _pair(uint80 round, uint80 next) private pure returns (ISettlementOracle.Straddle memory) {
        uint80 phase = uint80(1) << 64;
        return ISettlementOracle.Straddle(phase | round, phase | next);
    }
}
