// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Fixture} from "./Fixture.sol";

/// @notice A settlement that is short by millionths of a dollar leaves a generation with few digits.
contract RedemptionsTest is Fixture {
    address private bob = makeAddr("bob");

    function testFuzz_V02_the_next_leaver_loses_to_rounding(uint256 short, uint256 gain) external {
        short = bound(short, 1, 50);
        uint256 a = _deposit(alice, 1_000_000e6);
        uint256 b = _deposit(bob, 1_000_000e6);
        usdc.mint(address(vault), bound(gain, 0, 5000e6)); // so that a share is not worth a round number
        _run(_one(_supplyMove(address(usdc), ALL)));
        vm.prank(alice);
        vault.requestRedeem(a, alice, alice);
        uint256 due = Math.mulDiv(a, vault.nav() + 1, vault.totalSupply() + 1e12);
        _run(_one(_withdrawMove(address(usdc), due - short)));
        _settle();
        emit log_named_uint("alice's shares that wait", vault.pendingRedeemRequest(0, alice));
        vm.prank(bob);
        vault.requestRedeem(b, bob, bob);
        uint256 fair = Math.mulDiv(b, vault.nav() + 1, vault.totalSupply() + 1e12);
        _run(_one(_withdrawMove(address(usdc), ALL)));
        _settle();
        emit log_named_decimal_uint("bob's shares are worth", fair, 6);
        emit log_named_decimal_uint("bob may claim", vault.maxWithdraw(bob), 6);
        emit log_named_decimal_uint("alice may claim", vault.maxWithdraw(alice), 6);
        emit log_named_decimal_uint("reserved", vault.epochState().reserved, 6);
        assertGe(vault.maxWithdraw(bob) + 1e6, fair, "V-02: more than dust is lost");
    }
}
