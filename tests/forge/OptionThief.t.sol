// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BookValue} from "../../contracts/interfaces/IOptionDesk.sol";
import {MockOptionVault} from "./mocks/MockOptionVault.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @notice A stolen keeper key and a bidder in the same hands: what he takes against the mid mark is what the bucket lets go.
contract OptionThiefTest is OptionVenueFixture {
    uint256 private constant BUDGET = 5_000e6;
    uint256 private fills;

    /// What the vault is worth in options and dollars, at the mid.
    function _worth() private view returns (int256) {
        BookValue memory value = _measure();
        uint256 has = quote.balanceOf(address(vault)) + value.escrowAsset
            + (base.balanceOf(address(vault)) + value.collateralBase) * FORWARD / 1e30;
        return int256(has) - int256(value.liabilityMid);
    }

    /// Sells to himself at the reserve and buys back from himself at the cap, as large as he can, until nothing fits.
    function testFuzz_V04_a_thief_on_both_sides_takes_no_more_than_the_bucket(uint256 seed, bool back)
        external
    {
        uint256 id = _call();
        _sold(id, 100 * ONE);
        vault.setBudget(BUDGET);
        uint256 charged = vault.charged();
        int256 before = _worth();
        int256 drift;
        for (uint256 i; i < 4; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            drift += _steal(id, 2 * (1 + seed % (50 * ONE)), back);
        }
        uint256 taken = vault.charged() - charged;
        assertLe(taken, BUDGET, "V-04");
        assertTrue(fills != 0 || taken == 0, "only fills are charged");
        // All he took was charged, but for rounding of a unit or two a fill.
        assertGe(_worth() - before - drift + int256(taken) + 40, 0, "what is lost is charged");
    }

    /// One auction to its end and one fill by the thief; returns what time alone did to the vault's worth.
    function _steal(uint256 id, uint256 amount, bool back) private returns (int256 drift) {
        if (back) amount = Math.min(amount, _measure().notionalBase);
        if (amount < 2) return 0;
        uint256 auctionId =
            back ? vault.buyBack(id, amount, 1e30, _cash(1e6)) : vault.write(id, amount, START);
        int256 worth = _worth();
        _toEnd(auctionId);
        drift = _worth() - worth;
        uint256 part = amount / 2;
        if (back) part = Math.min(part, book.balanceOf(alice, id));
        bytes memory fill = back
            ? abi.encodeCall(auction.offer, (auctionId, part, 0, alice))
            : abi.encodeCall(auction.bid, (auctionId, part, type(uint256).max, alice));
        vm.prank(alice);
        (bool filled,) = address(auction).call(fill); // refused once the bucket is empty
        fills += filled ? 1 : 0;
        vault.cancel(auctionId);
        _refresh();
    }

    /// The most a single fill can take, in the worst direction, is reported.
    function test_what_one_fill_at_the_reserve_takes() external {
        uint256 id = _call();
        uint256 auctionId = _sale(id, 100 * ONE);
        _toEnd(auctionId);
        _bid(alice, auctionId, 50 * ONE);
        uint256 fair = _measure().liabilityMid;
        console.log("taken of a fair value of", vault.charged(), fair);
        assertLt(vault.charged(), fair, "the reserve is worth something");
        vault.setBudget(vault.charged() - 1);
        vm.prank(bob);
        vm.expectPartialRevert(MockOptionVault.BudgetExceeded.selector);
        auction.bid(auctionId, 50 * ONE, type(uint256).max, bob);
    }
}
