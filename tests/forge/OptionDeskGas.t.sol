// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {BookValue, IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @dev A cheat code this forge-std does not name: storage and account are cold again.
interface ICool {
    function cool(address target) external;
}

/// @notice What it costs to measure a book, all told, from cold; and to fill it.
contract OptionDeskGasTest is OptionVenueFixture {
    uint256 private firstId;
    uint256 private auctionId;

    /// Sixty-four calls and puts, sold in part, with strikes apart and three expiries.
    function _open(uint256 count) private {
        for (uint256 i; i < count; ++i) {
            expiry = uint64(block.timestamp + 10 days + (i % 3) * 15 days);
            bool isCall = i % 2 == 0;
            uint256 id = _create(isCall, uint128(isCall ? 2100e18 + i * 2e18 : 1900e18 - i * 2e18), 0);
            auctionId = vault.write(id, 10 * ONE, START);
            uint256 startAt = auction.auctionOf(auctionId).startAt;
            uint256 now_ = block.timestamp;
            vm.warp(startAt);
            _bid(alice, auctionId, 5 * ONE);
            vm.warp(now_);
            if (i == 0) firstId = id;
        }
    }

    function _gasOfMeasure(uint256 count) private returns (uint256 used) {
        _open(count);
        _cool();
        uint256 left = gasleft();
        BookValue memory value = desk.measure(FORWARD);
        used = left - gasleft();
        assertEq(value.notionalBase, count * 5 * ONE);
        console.log("measure, open series and gas", count, used);
        left = gasleft();
        desk.measure(FORWARD);
        console.log("  again", left - gasleft());
        _cool();
        left = gasleft();
        desk.measureMid(FORWARD);
        console.log("  at the mid alone", left - gasleft());
        left = gasleft();
        desk.matchesBook();
        console.log("  matchesBook", left - gasleft());
    }

    function _cool() private {
        ICool(address(vm)).cool(address(desk));
        ICool(address(vm)).cool(address(auction));
        ICool(address(vm)).cool(address(vols));
        ICool(address(vm)).cool(address(book));
    }

    function test_measuring_1_series() external {
        _gasOfMeasure(1);
    }

    function test_measuring_4_series() external {
        assertLe(_gasOfMeasure(4), 125_000);
    }

    function test_measuring_64_series_costs_at_most_1_5_million() external {
        assertLe(_gasOfMeasure(64), 1_500_000);
    }

    function test_the_lens_view_of_64_series_fits_a_call() external {
        _open(64);
        uint256 left = gasleft();
        IOptionDesk.Position[] memory list = desk.positions(FORWARD);
        uint256 used = left - gasleft();
        assertEq(list.length, 64);
        console.log("positions of 64", used);
        assertLe(used, 6_000_000);
    }

    function test_gas_of_entries() external {
        uint256 id = _call();
        uint256 left = gasleft();
        uint256 sale = vault.write(id, 10 * ONE, START);
        console.log("write, first", left - gasleft());
        left = gasleft();
        vault.write(id, 10 * ONE, START);
        console.log("write, more of it", left - gasleft());
        _toEnd(sale);
        left = gasleft();
        _bid(alice, sale, 2 * ONE);
        console.log("bid, with a loss", left - gasleft());
        left = gasleft();
        vault.cancel(sale);
        console.log("cancel", left - gasleft());
    }
}
