// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {VolatilityFixture} from "./VolatilityFixture.sol";
import {VolatilityHandlers} from "./VolatilityHandlers.sol";

/// @notice What holds after any sequence of poster, thief, observer, guardian, owner, market and time.
contract VolatilityOracleInvariantsTest is VolatilityFixture {
    VolatilityHandlers private handlers;

    function setUp() public override {
        super.setUp();
        _observeHours(60, 20);
        skip(10 minutes);
        _post(_marks());
        handlers = new VolatilityHandlers(vols, prices, poster, guardian, owner);
        targetContract(address(handlers));
    }

    /// @dev All in one, so that one campaign serves every claim.
    /// forge-config: default.invariant.runs = 32
    /// forge-config: default.invariant.depth = 48
    /// forge-config: deep.invariant.runs = 64
    /// forge-config: deep.invariant.depth = 512
    function invariant_what_must_hold_holds() external view {
        assertEq(handlers.stepsTooLarge(), 0, "a post moved a strike beyond the step");
        assertEq(handlers.daysTooLarge(), 0, "posts moved a strike beyond the bucket");
        assertEq(handlers.markChangesWithoutPost(), 0, "marks changed without a post");
        (uint256 left, uint256 capacity) = vols.moveBudget();
        assertLe(left, capacity);
        uint256[4] memory strikes = [FORWARD / 5, FORWARD * 9 / 10, FORWARD, FORWARD * 3];
        for (uint256 i; i < 4; ++i) {
            _readsHold(strikes[i]);
        }
    }

    /// Never under the floor, in order, and total variance does not fall with expiry, across the tenors and between them.
    function _readsHold(uint256 strike) private view {
        uint256[8] memory times = [uint256(1), 1 days, 3 days, 7 days, 20 days, 30 days, 100 days, 180 days];
        uint256 variance;
        for (uint256 j; j < 8; ++j) {
            IVolatilityOracle.Reading memory reading = _read(strike, times[j]);
            if (reading.fault > IVolatilityOracle.Fault.Frozen) {
                assertEq(reading.lowWad + reading.midWad + reading.highWad, 0);
                continue;
            }
            uint256 floor = vols.floorWad();
            assertGe(floor, uint256(vols.limits().floorPpm) * 1e12);
            assertGe(floor, reading.realisedWad * 7 / 10 < 4e18 ? reading.realisedWad * 7 / 10 : 4e18);
            assertGe(reading.lowWad, floor);
            assertGe(reading.midWad, reading.lowWad);
            assertGt(reading.highWad, reading.midWad);
            assertGe((reading.midWad + 1) ** 2 * times[j], variance);
            variance = reading.midWad ** 2 * times[j];
        }
    }

    /// The campaign is not idle: posts and observations do take effect.
    function afterInvariant() external {
        emit log_named_uint("posts", handlers.posts());
        emit log_named_uint("posts refused", handlers.refusedPosts());
        emit log_named_uint("observations", handlers.observations());
        emit log_named_uint("guardian's acts", handlers.guardianActs());
        if (handlers.refusedPosts() + handlers.posts() > 20) assertGt(handlers.posts(), 0);
    }
}
