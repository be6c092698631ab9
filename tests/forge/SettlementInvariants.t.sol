// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {SettlementHandlers} from "./SettlementHandlers.sol";

/// @notice V-10 after any sequence of rounds, phases, swaps, outages, records, proofs, forgeries, proposals and time.
contract SettlementInvariantsTest is SettlementFixture {
    SettlementHandlers private handlers;

    function setUp() public override {
        super.setUp();
        ethPhase1.transmit(2000e8, block.timestamp);
        usdPhase1.transmit(1e8, block.timestamp);
        MockFeed uptime = new MockFeed(0, "L2 Sequencer Uptime Status Feed", 0);
        uptime.setRound(1, 0, block.timestamp - 1 days, 1);
        SettlementOracle.Config memory config = _config();
        (config.sequencerFeed, config.graceSeconds) = (address(uptime), 30 minutes);
        oracle = new SettlementOracle(config);
        handlers = new SettlementHandlers(oracle, pool, ethFeed, usdFeed, uptime);
        targetContract(address(handlers));
    }

    /// forge-config: deep.invariant.runs = 4300
    function invariant_V10_a_settlement_price_is_proven_agreed_and_final() external view {
        assertEq(handlers.changed(), 0, "V-10: changed");
        assertEq(handlers.forged(), 0, "V-10: not the round in force");
        assertEq(handlers.unagreed(), 0, "V-10: sources differ");
        assertEq(handlers.silent(), 0, "V-10: the sequencer was down");
        assertEq(handlers.arbitrary(), 0, "V-10: not a proven price");
    }

    function afterInvariant() external view {
        string[14] memory names = [
            "transmit",
            "changePhase",
            "swap",
            "sequencer",
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
