// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OptionFixture} from "../OptionFixture.sol";
import {GasLog} from "./GasLog.sol";

/// @notice A writer's and a holder's way through the book.
/// forge-config: default.isolate = true
contract OptionGasTest is OptionFixture, GasLog {
    string private constant BOOK = "option book";

    function test_the_life_of_a_series() external {
        uint256 id = _create(true, 2000e18, 0);
        _log(BOOK, "create");
        _write(writer, id, 10e18);
        _log(BOOK, "write, first");
        _write(writer, id, 10e18);
        _log(BOOK, "write, later");
        vm.prank(holder);
        book.transfer(writer, id, 5e18);
        _log(BOOK, "transfer");
        vm.prank(writer);
        book.buyBack(id, 5e18, writer);
        _log(BOOK, "buyBack");
        vm.prank(holder);
        book.transfer(other, id, 1e18);
        _settleAt(id, 2500e18);
        _log(BOOK, "settle");
        vm.prank(holder);
        book.redeem(id, 1e18, holder);
        _log(BOOK, "redeem, a part");
        book.redeemFor(id, other);
        _log(BOOK, "redeemFor");
        _redeemAll(id);
        _log(BOOK, "redeem, all");
        _reclaim(writer, id);
        _log(BOOK, "reclaim");
    }

    function test_a_put_spread() external {
        uint256 id = _create(false, 2000e18, 1500e18);
        _log(BOOK, "create, put spread");
        _write(writer, id, 10e18);
        _log(BOOK, "write, put spread");
        _settleAt(id, 1700e18);
        _redeemAll(id);
        _log(BOOK, "redeem, put spread");
    }
}
