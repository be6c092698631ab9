// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {SettlementHandlers} from "./SettlementHandlers.sol";

/// @notice V-10 after any sequence of rounds, phases, swaps, records, proofs, forgeries, proposals and time.
contract SettlementInvariantsTest is SettlementFixture {
    SettlementHandlers private handlers;

    function setUp() public override {
        super.setUp();
        ethPhase1.transmit(2000e8, block.timestamp);
        usdPhase1.transmit(1e8, block.timestamp);
        handlers = new SettlementHandlers(oracle, pool, ethFeed, usdFeed);
        targetContract(address(handlers));
    }

    function invariant_V10_a_settlement_price_is_proven_agreed_and_final() external view {
        assertEq(handlers.changed(), 0, "V-10: changed");
        assertEq(handlers.forged(), 0, "V-10: not the round in force");
        assertEq(handlers.unagreed(), 0, "V-10: sources differ");
        assertEq(handlers.arbitrary(), 0, "V-10: not a proven price");
    }

    function afterInvariant() external view {
        string[13] memory names = [
            "transmit",
            "changePhase",
            "swap",
            "time",
            "record",
            "recordInTime",
            "prove",
            "forge",
            "propose",
            "resolve",
            "giveUp",
            "settledAtOnce",
            "proofRefused"
        ];
        for (uint256 i; i < names.length; ++i) {
            bytes32 key = bytes32(bytes(names[i]));
            console.log(names[i], handlers.calls(key), handlers.effects(key));
        }
    }
}
