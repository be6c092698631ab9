// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {console2} from "forge-std/console2.sol";
import {IERC7540Deposit, IERC7540Redeem} from "../../contracts/interfaces/IERC7540.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {DecimalsFixture} from "./DecimalsFixture.sol";
import {MockPlainToken} from "./mocks/MockPlainToken.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice What a depositor pays for a whole transaction of a later use: base cost, calldata, every slot cold.
/// forge-config: default.isolate = true
contract VaultSharesGasTest is DecimalsFixture {
    uint256 private constant REQUEST_TARGET = 72_000;
    uint256 private constant CLAIM_TARGET = 43_000;

    function _assetDecimals() internal pure override returns (uint8) {
        return 18;
    }

    function _newAsset() internal override returns (MockToken) {
        return MockToken(address(new MockPlainToken()));
    }

    /// @dev Alice and a neighbour have both been through a round, and the neighbour has not claimed: nothing is empty or first.
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1234.5 ether);
        _request(mallory, 777 ether);
        _request(alice, 1 ether);
        _settle();
        vm.prank(alice);
        vault.deposit(1 ether, alice);
        usdc.mint(alice, 5000 ether);
        vm.prank(alice);
        usdc.approve(address(vault), 5000 ether);
        _request(mallory, 777 ether);
    }

    function test_a_later_request_costs_at_most_72k() external {
        uint256 spent = _transaction(
            alice, abi.encodeCall(IERC7540Deposit.requestDeposit, (321.987654321 ether, alice, alice))
        );
        console2.log("requestDeposit", spent);
        assertLe(spent, REQUEST_TARGET);
    }

    /// The slot of a request is that of its holder's balance: in use for the next request, and written once by a claim.
    function test_a_later_claim_costs_at_most_43k() external {
        vm.prank(alice);
        vault.requestDeposit(321.987654321 ether, alice, alice);
        _settle();
        uint256 claim = _transaction(alice, abi.encodeCall(IERC4626.deposit, (321.987654321 ether, alice)));
        console2.log("deposit (claim)", claim);
        assertLe(claim, CLAIM_TARGET);
    }

    /// A settlement costs the same for one request, for ten and for a hundred: within 1 %.
    function test_a_settlement_costs_the_same_for_any_number_of_requests() external {
        _settlementOf(2); // what is written for the first time is dearer
        uint256 one_ = _settlementOf(1);
        uint256 ten = _settlementOf(10);
        uint256 hundred = _settlementOf(100);
        console2.log("settle with 1, 10, 100 requests", one_, ten, hundred);
        assertApproxEqRel(ten, one_, 0.01e18);
        assertApproxEqRel(hundred, one_, 0.01e18);
    }

    function _settlementOf(uint256 count) private returns (uint256) {
        for (uint256 i; i < count; ++i) {
            address who = address(uint160(uint256(keccak256(abi.encode(count, i)))));
            _request(who, 10 ether);
            if (i & 1 == 0) continue;
            vm.prank(alice);
            vault.requestRedeem(oneShare / 2, who, alice);
        }
        vm.prank(alice);
        vault.requestRedeem(oneShare, alice, alice);
        _wait(EPOCH);
        return _transaction(keeper, abi.encodeCall(IVaultShares.settle, ()));
    }

    /// No target is set for the way out; it is printed beside the way in.
    function test_the_way_out_costs_no_more_than_the_way_in() external {
        uint256 shares = 100 * oneShare;
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        vm.prank(mallory);
        vault.deposit(700 ether, mallory);
        vm.prank(mallory);
        vault.requestRedeem(shares, mallory, mallory);
        _settle();
        vm.prank(alice);
        vault.redeem(shares, alice, alice);
        uint256 request =
            _transaction(alice, abi.encodeCall(IERC7540Redeem.requestRedeem, (shares, alice, alice)));
        _settle();
        uint256 claim = _transaction(alice, abi.encodeCall(IERC4626.redeem, (shares, alice, alice)));
        console2.log("requestRedeem", request);
        console2.log("redeem (claim)", claim);
        assertLe(request, REQUEST_TARGET);
    }

    /// @dev As one transaction of its own: accesses are cold, the base cost and the calldata are in, refunds are out.
    function _transaction(address from, bytes memory data) private returns (uint256) {
        vm.prank(from);
        (bool ok,) = address(vault).call(data);
        assertTrue(ok);
        return vm.lastCallGas().gasTotalUsed;
    }
}
