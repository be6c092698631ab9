// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionVenueFixture} from "../OptionVenueFixture.sol";
import {GasLog} from "./GasLog.sol";

/// @notice Auctions with the real desk, book and volatility oracle behind a vault that only passes on.
/// forge-config: default.isolate = true
contract AuctionGasTest is OptionVenueFixture, GasLog {
    string private constant AUCTION = "option auction";
    string private constant ORACLE = "oracles";

    function test_a_sale() external {
        uint256 id = _call();
        uint256 sale = vault.write(id, 10 * ONE, START);
        _log(AUCTION, "write, first sale");
        vm.warp(auction.auctionOf(sale).startAt);
        _bid(alice, sale, 2 * ONE);
        _log(AUCTION, "bid, first");
        _bid(bob, sale, 2 * ONE);
        _log(AUCTION, "bid, second bidder");
        vault.cancel(sale);
        _log(AUCTION, "cancel");
        vault.write(id, 10 * ONE, START);
        _log(AUCTION, "write, more of a series");
        desk.measure(FORWARD);
        _log(AUCTION, "measure, 1 series");
    }

    function test_oracles() external {
        vols.read(K, FORWARD, expiry);
        _log(ORACLE, "volatility, read");
        _toSlot(1);
        vols.observe();
        _log(ORACLE, "volatility, observe");
        _refresh();
        _log(ORACLE, "volatility, post");
    }
}
