// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {GasLog} from "./GasLog.sol";

/// @notice OpenZeppelin's vault as it comes.
contract PeerVault is ERC4626 {
    constructor(IERC20 asset_) ERC20("Peer", "PEER") ERC4626(asset_) {}
}

/// @notice What the same token costs in OpenZeppelin's synchronous vault: the measure for our requests and claims.
/// forge-config: default.isolate = true
contract PeerGasTest is Test, GasLog {
    address private immutable ALICE = makeAddr("alice");
    address private immutable BOB = makeAddr("bob");
    MockToken private token;
    PeerVault private peer;

    function setUp() external {
        token = new MockToken("USDC", 6);
        peer = new PeerVault(token);
        for (uint256 i; i < 2; ++i) {
            address who = i == 0 ? ALICE : BOB;
            token.mint(who, 1e12);
            vm.prank(who);
            token.approve(address(peer), type(uint256).max);
        }
        vm.prank(BOB);
        peer.deposit(1e9, BOB);
    }

    function test_deposit_and_redeem() external {
        vm.prank(ALICE);
        peer.deposit(1e9, ALICE);
        _log("peer: OpenZeppelin ERC4626", "deposit, first");
        vm.prank(ALICE);
        peer.deposit(1e9, ALICE);
        _log("peer: OpenZeppelin ERC4626", "deposit, later");
        vm.prank(ALICE);
        peer.redeem(5e8, ALICE, ALICE);
        uint256 used = _log("peer: OpenZeppelin ERC4626", "redeem, a part");
        assertGt(used, 21_000, "a transaction's own gas is counted");
        uint256 left = peer.balanceOf(ALICE);
        vm.prank(ALICE);
        peer.redeem(left, ALICE, ALICE);
        _log("peer: OpenZeppelin ERC4626", "redeem, all");
    }
}
