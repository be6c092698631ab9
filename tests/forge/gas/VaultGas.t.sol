// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Fixture} from "../Fixture.sol";
import {GasLog} from "./GasLog.sol";

/// @notice Requests, settlements and claims. "Later" is a user's second time: his and the epoch's words are not zero any more.
/// forge-config: default.isolate = true
contract VaultGasTest is Fixture, GasLog {
    string private constant SHARES = "vault: shares";
    string private constant KEEPER = "vault: keeper";

    function setUp() public override {
        super.setUp();
        _deposit(makeAddr("bob"), 1e12);
        usdc.mint(alice, 1e13);
        vm.prank(alice);
        usdc.approve(address(vault), ALL);
    }

    function test_a_depositor_comes_and_goes() external {
        _ask(1e9);
        _log(SHARES, "requestDeposit, first");
        _ask(1e9);
        _log(SHARES, "requestDeposit, later in the epoch");
        vm.prank(alice);
        vault.cancelDepositRequest(alice, alice);
        _log(SHARES, "cancelDepositRequest");
        _ask(1e9);
        _settle();
        vm.prank(alice);
        vault.deposit(1e9, alice);
        _log(SHARES, "deposit, first claim");
        _ask(2e9);
        _log(SHARES, "requestDeposit, later");
        _settle();
        vm.prank(alice);
        vault.deposit(2e9, alice);
        _log(SHARES, "deposit, later claim");
        _leave();
    }

    function _leave() private {
        uint256 shares = vault.balanceOf(alice) / 4;
        vm.prank(alice);
        vault.transfer(mallory, shares);
        _log(SHARES, "transfer, first");
        _giveBack(shares);
        _log(SHARES, "requestRedeem, first");
        vm.prank(alice);
        vault.cancelRedeemRequest(alice, alice);
        _log(SHARES, "cancelRedeemRequest");
        _giveBack(shares);
        _settle();
        uint256 claim = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(claim, alice, alice);
        _log(SHARES, "redeem, first claim");
        _giveBack(shares);
        _log(SHARES, "requestRedeem, later");
        _settle();
        claim = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(claim, alice, alice);
        _log(SHARES, "redeem, later claim");
    }

    function test_a_settlement_costs_the_same_for_any_number_of_requests() external {
        _settleMany(1, "settle, with words to fill first");
        uint256 one = _settleMany(1, "settle, 1 request");
        uint256 ten = _settleMany(10, "settle, 10 requests");
        uint256 hundred = _settleMany(100, "settle, 100 requests");
        assertApproxEqRel(ten, one, 0.02e18);
        assertApproxEqRel(hundred, one, 0.02e18);
    }

    function _settleMany(uint256 count, string memory name) private returns (uint256) {
        for (uint256 i; i < count; ++i) {
            _request(makeAddr(string.concat(name, vm.toString(i))), 1e9);
        }
        _settle();
        return _log(SHARES, name);
    }

    function test_each_kind_of_move() external {
        _move(_swapMove(address(usdc), 1e11), "rebalance, swap");
        _move(_supplyMove(address(weth), ALL), "rebalance, supply");
        _move(_borrowMove(address(usdc), 1e10), "rebalance, borrow");
        _move(_repayMove(address(usdc), 5e9), "rebalance, repay");
        _move(_withdrawMove(address(weth), 1e18), "rebalance, withdraw");
        IVault.Intent memory intent = _intent(ALL);
        IVault.Move[] memory moves = _deleverMoves(1e18);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
        _log(KEEPER, "rebalance, delever in three moves");
        vm.prank(keeper);
        mandate.beat();
        _log(KEEPER, "beat");
        vault.nav();
        _log(KEEPER, "nav");
        lens.snapshot(address(vault), keeper);
        _log(KEEPER, "lens, snapshot without options");
    }

    function test_protection() external {
        _lever(1e12, 10_000, 6000);
        _setPrice(150_000);
        _wait(1 hours);
        vm.prank(mallory);
        vault.protect();
        _log(KEEPER, "protect");
    }

    function _move(IVault.Move memory move, string memory name) private {
        IVault.Intent memory intent = _intent(ALL);
        IVault.Move[] memory moves = _one(move);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
        _log(KEEPER, name);
    }

    function _ask(uint256 assets) private {
        vm.prank(alice);
        vault.requestDeposit(assets, alice, alice);
    }

    function _giveBack(uint256 shares) private {
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
    }
}
