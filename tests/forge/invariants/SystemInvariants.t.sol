// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {console} from "forge-std/console.sol";
import {SystemHandlers} from "./SystemHandlers.sol";

/// @notice V-01 to V-08 and V-12 to V-18 after any sequence of depositors, keepers, thieves, strangers, guardians, curators, an intruder,
/// the market and time.
contract SystemInvariantsTest is Test {
    SystemHandlers private handlers;

    function setUp() external {
        handlers = new SystemHandlers();
        bytes4[] memory selectors = new bytes4[](31);
        uint256 n;
        // Twice: what a campaign lives on.
        selectors[n++] = handlers.request.selector;
        selectors[n++] = handlers.requestOut.selector;
        selectors[n++] = handlers.cancel.selector;
        selectors[n++] = handlers.claim.selector;
        selectors[n++] = handlers.claim.selector;
        selectors[n++] = handlers.settle.selector;
        selectors[n++] = handlers.settle.selector;
        selectors[n++] = handlers.roundTrip.selector;
        selectors[n++] = handlers.exitInKind.selector;
        selectors[n++] = handlers.donate.selector;
        selectors[n++] = handlers.keep.selector;
        selectors[n++] = handlers.lever.selector;
        selectors[n++] = handlers.lever.selector;
        selectors[n++] = handlers.delever.selector;
        selectors[n++] = handlers.beat.selector;
        selectors[n++] = handlers.repay.selector;
        selectors[n++] = handlers.sellBase.selector;
        selectors[n++] = handlers.steal.selector;
        selectors[n++] = handlers.grab.selector;
        selectors[n++] = handlers.forge.selector;
        selectors[n++] = handlers.protect.selector;
        selectors[n++] = handlers.checkHedge.selector;
        selectors[n++] = handlers.tighten.selector;
        selectors[n++] = handlers.loosen.selector;
        selectors[n++] = handlers.trade.selector;
        selectors[n++] = handlers.crash.selector;
        selectors[n++] = handlers.drift.selector;
        selectors[n++] = handlers.mend.selector;
        selectors[n++] = handlers.pass.selector;
        selectors[n++] = handlers.rare.selector;
        selectors[n++] = handlers.intrude.selector;
        targetSelector(FuzzSelector({addr: address(handlers), selectors: selectors}));
        targetContract(address(handlers));
    }

    /// forge-config: deep.invariant.runs = 800
    /// @dev All in one, so that one campaign serves every claim.
    function invariant_V01_to_V18_what_must_never_happen_never_does() external view {
        bytes32[16] memory ids = _ids();
        for (uint256 i; i < ids.length; ++i) {
            assertEq(handlers.broken(ids[i]), 0, string(abi.encodePacked(ids[i])));
        }
        assertLe(handlers.routineWad(), handlers.routineBoundWad(), "V-04: routine");
        assertLe(handlers.protectiveWad(), handlers.protectiveBoundWad(), "V-04: protective");
        handlers.requireBooks();
    }

    function afterInvariant() external {
        handlers.everybodyLeaves();
        assertEq(handlers.broken("V-17"), 0, "V-17: everybody can leave");
    }

    /// So that no invariant holds because nothing happened: 3,000 calls drawn as a campaign draws them, after which each handler has
    /// had its effect often enough. The distribution is printed.
    function test_every_handler_reaches_its_effect() external {
        vm.pauseGasMetering();
        uint256 seed = 5;
        for (uint256 i; i < 3000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            handlers.act(seed, seed >> 64, seed >> 128, seed >> 192);
            if (i % 100 == 0) this.invariant_V01_to_V18_what_must_never_happen_never_does();
        }
        _print();
        bytes32[29] memory names = handlers.names();
        for (uint256 i; i < names.length; ++i) {
            assertGt(handlers.effects(names[i]), 4, string(abi.encodePacked(names[i])));
        }
    }

    function _print() private view {
        bytes32[29] memory names = handlers.names();
        for (uint256 i; i < names.length; ++i) {
            string memory name = string(abi.encodePacked(names[i]));
            console.log(name, handlers.calls(names[i]), handlers.effects(names[i]));
        }
        console.log("bps charged", handlers.routineWad() / 1e14, handlers.protectiveWad() / 1e14);
        for (uint256 i; i < handlers.errorCount(); ++i) {
            console.log(
                vm.toString(abi.encodePacked(handlers.errors(i))), handlers.refusals(handlers.errors(i))
            );
        }
    }

    function _ids() private pure returns (bytes32[16] memory) {
        return [
            bytes32("V-01"),
            "V-02",
            "V-03",
            "V-04",
            "V-05",
            "V-06",
            "V-07",
            "V-08",
            "V-12",
            "V-13",
            "V-14",
            "V-15",
            "V-16",
            "V-18",
            "unhedged",
            "panic"
        ];
    }
}
