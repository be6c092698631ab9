// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {console} from "forge-std/console.sol";
import {OptionCampaign} from "./OptionCampaign.sol";

/// @notice V-04 to V-12 and V-15 of a vault that writes options, after any sequence of its keeper, a thief with the same key, bidders, poster,
/// market, expiries and time.
contract OptionCampaignTest is Test {
    OptionCampaign private handlers;

    function setUp() external {
        handlers = new OptionCampaign();
        bytes4[] memory selectors = new bytes4[](15);
        uint256 n;
        selectors[n++] = handlers.write.selector;
        selectors[n++] = handlers.write.selector;
        selectors[n++] = handlers.write.selector;
        selectors[n++] = handlers.cancel.selector;
        selectors[n++] = handlers.buyBack.selector;
        selectors[n++] = handlers.buyBack.selector;
        selectors[n++] = handlers.swap.selector;
        selectors[n++] = handlers.bid.selector;
        selectors[n++] = handlers.bid.selector;
        selectors[n++] = handlers.offer.selector;
        selectors[n++] = handlers.post.selector;
        selectors[n++] = handlers.trade.selector;
        selectors[n++] = handlers.pass.selector;
        selectors[n++] = handlers.expire.selector;
        selectors[n++] = handlers.pause.selector;
        targetSelector(FuzzSelector({addr: address(handlers), selectors: selectors}));
        targetContract(address(handlers));
    }

    /// forge-config: deep.invariant.runs = 500
    /// @dev All in one, so that one campaign serves every claim.
    function invariant_V04_to_V15_options_stay_within_the_mandate() external view {
        bytes32[12] memory ids = [
            bytes32("V-01"),
            "V-04",
            "V-05",
            "V-06",
            "V-07",
            "V-08",
            "V-09",
            "V-10",
            "V-11",
            "V-12",
            "V-15",
            "panic"
        ];
        for (uint256 i; i < ids.length; ++i) {
            assertEq(handlers.broken(ids[i]), 0, string(abi.encodePacked(ids[i])));
        }
        assertLe(handlers.routineWad(), handlers.routineBoundWad(), "V-04: routine");
        assertLe(handlers.protectiveWad(), handlers.protectiveBoundWad(), "V-04: protective");
        handlers.requireBooks();
    }

    /// So that no invariant holds because nothing happened: 1,500 calls drawn as a campaign draws them, after which each handler has had
    /// its effect often enough. The distribution is printed.
    function test_every_handler_reaches_its_effect() external {
        vm.pauseGasMetering();
        uint256 seed = 3;
        for (uint256 i; i < 1500; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed % 15, seed >> 64, seed >> 128, seed >> 192);
            if (i % 50 == 0) this.invariant_V04_to_V15_options_stay_within_the_mandate();
        }
        bytes32[11] memory names = [
            bytes32("write"),
            "cancel",
            "buyBack",
            "swap",
            "bid",
            "offer",
            "post",
            "trade",
            "pass",
            "expire",
            "pause"
        ];
        for (uint256 i; i < names.length; ++i) {
            console.log(
                string(abi.encodePacked(names[i])), handlers.calls(names[i]), handlers.effects(names[i])
            );
        }
        console.log("bps charged", handlers.routineWad() / 1e14, handlers.protectiveWad() / 1e14);
        for (uint256 i; i < handlers.errorCount(); ++i) {
            console.log(
                vm.toString(abi.encodePacked(handlers.errors(i))), handlers.refusals(handlers.errors(i))
            );
        }
        for (uint256 i; i < names.length; ++i) {
            // Expiries are days apart.
            assertGt(
                handlers.effects(names[i]), names[i] == "expire" ? 1 : 4, string(abi.encodePacked(names[i]))
            );
        }
    }

    function _act(uint256 what, uint256 a, uint256 b, uint256 c) private {
        if (what < 3) handlers.write(a, b, c);
        else if (what == 3) handlers.cancel(a);
        else if (what < 6) handlers.buyBack(a, b, c);
        else if (what == 6) handlers.swap(a, b % 2 == 0, c);
        else if (what < 9) handlers.bid(a, b, c, a % 5 == 0);
        else if (what == 9) handlers.offer(a, b, c, a % 3 != 0);
        else if (what == 10) handlers.post(a);
        else if (what == 11) handlers.trade(a, b % 8 == 0);
        else if (what == 12) handlers.pass(a);
        else if (what == 13) handlers.expire(a);
        else handlers.pause(a);
    }
}
