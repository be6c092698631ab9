// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "./Fixture.sol";
import {System, VaultHandlers} from "./VaultHandlers.sol";

/// @notice What holds after any sequence of keeper, thief, depositors, guardian and market.
contract VaultInvariantsTest is Fixture {
    VaultHandlers private handlers;

    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 5000, 5000);
        vm.warp(block.timestamp + 1 days); // the bucket is full again
        _setPrice(PRICE * 100);
        handlers = new VaultHandlers(
            System({
                vault: vault,
                lending: lending,
                swapper: address(swapper),
                aave: aave,
                pool: pool,
                ethFeed: ethFeed,
                usdcFeed: usdcFeed,
                usdc: usdc,
                weth: weth,
                keeper: keeper,
                guardian: guardian,
                owner: owner
            })
        );
        targetContract(address(handlers));
    }

    /// @dev All in one, so that one campaign serves every claim.
    function invariant_what_must_hold_holds() external view {
        assertEq(handlers.unhealthyEnds(), 0, "V-05");
        assertEq(handlers.exposedWithoutPrice(), 0, "V-07");
        assertEq(handlers.riskRaisedInPause(), 0, "V-08");
        assertEq(handlers.usedTwice(), 0, "V-12");
        assertEq(handlers.profits(), 0, "V-02");
        assertLe(handlers.lossWad(), handlers.lossBoundWad(), "V-04");
        // V-15: nothing stays with adapters, keeper or approvals.
        assertEq(
            usdc.balanceOf(address(lending)) + usdc.balanceOf(address(swapper)) + usdc.balanceOf(keeper),
            0,
            "V-15"
        );
        assertEq(
            weth.balanceOf(address(lending)) + weth.balanceOf(address(swapper)) + weth.balanceOf(keeper),
            0,
            "V-15"
        );
        assertEq(
            usdc.allowance(address(vault), address(lending))
                + usdc.allowance(address(vault), address(swapper)),
            0
        );
        assertEq(
            weth.allowance(address(vault), address(lending))
                + weth.allowance(address(vault), address(swapper)),
            0
        );
        // The lens reads whatever state this is.
        assertEq(lens.snapshot(address(vault), keeper).positions.length, 2);
    }

    /// The campaign is not idle: intents do take effect.
    function afterInvariant() external view {
        if (block.timestamp > handlers.startedAt() + 12 hours) {
            assertGt(handlers.moves(), 0, "nothing ever happened");
        }
    }
}
