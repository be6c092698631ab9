// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Fixture} from "../Fixture.sol";
import {OptionVaultFixture} from "../OptionVaultFixture.sol";
import {BareAccount} from "./BareAccount.sol";
import {GasLog} from "./GasLog.sol";

/// @notice What a rebalance costs more than the same calls at the same venues. Each kind is done once before it is measured, so
/// that no word is filled for the first time; each is a transaction of its own, so that everything is cold.
///
/// Two differences a kind: "over bare calls" is the whole of what the vault adds. "over bare calls with questions" leaves out what
/// feeds, pool, tokens and the lending venue take for answering what any check must ask them: it is the vault's own.
abstract contract ChecksGas is Fixture, GasLog {
    string internal constant CHECKS = "vault: checks";
    BareAccount private bare;
    BareAccount private asking;
    uint256 private _whole;
    uint256 private _calls;
    uint256 private _asked;

    function _states() internal view virtual returns (string memory);

    function _openAccounts() internal {
        bare = _account(false);
        asking = _account(true);
    }

    function _account(bool asks) private returns (BareAccount account) {
        account = new BareAccount(
            BareAccount.Venues(
                aave, pool, IERC20(address(usdc)), IERC20(address(weth)), ethFeed, usdcFeed, asks
            )
        );
        usdc.mint(address(account), 1e13);
        weth.mint(address(account), 10_000e18);
    }

    /// @dev The same position three times over: base supplied, dollars owed.
    function _measureLevered() internal {
        _openAccounts();
        _supply(1000e18);
        _supply(1e18);
        _log("supply");
        _borrow(1e11);
        _borrow(1e10);
        _log("borrow");
        _repay(1e10);
        _repay(1e10);
        _log("repay");
        _withdraw(1e18);
        _withdraw(1e18);
        _log("withdraw");
        _swap(1e10);
        _swap(1e10);
        _log("swap");
        _delever(1e18, 1e9);
        _delever(1e18, 1e9);
        _log("delever in three moves");
    }

    /// @dev Nothing owed anywhere.
    function _measureUnlevered() internal {
        _openAccounts();
        _supply(100e18);
        _swap(1e10);
        _swap(1e10);
        _log("swap, nothing owed");
    }

    function _log(string memory kind) private {
        string memory name = string.concat(kind, _states());
        vm.snapshotValue(CHECKS, string.concat(name, ", over bare calls"), _whole - _calls);
        vm.snapshotValue(CHECKS, string.concat(name, ", over bare calls with questions"), _whole - _asked);
    }

    function _rebalance(IVault.Move[] memory moves) internal {
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
        _whole = vm.lastCallGas().gasTotalUsed;
    }

    function _supply(uint256 amount) private {
        _rebalance(_one(_supplyMove(address(weth), amount)));
        bare.supply(IERC20(address(weth)), amount);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.supply(IERC20(address(weth)), amount);
        _asked = vm.lastCallGas().gasTotalUsed;
    }

    function _borrow(uint256 amount) private {
        _rebalance(_one(_borrowMove(address(usdc), amount)));
        bare.borrow(IERC20(address(usdc)), amount);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.borrow(IERC20(address(usdc)), amount);
        _asked = vm.lastCallGas().gasTotalUsed;
    }

    function _repay(uint256 amount) private {
        _rebalance(_one(_repayMove(address(usdc), amount)));
        bare.repay(IERC20(address(usdc)), amount);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.repay(IERC20(address(usdc)), amount);
        _asked = vm.lastCallGas().gasTotalUsed;
    }

    function _withdraw(uint256 amount) private {
        _rebalance(_one(_withdrawMove(address(weth), amount)));
        bare.withdraw(IERC20(address(weth)), amount);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.withdraw(IERC20(address(weth)), amount);
        _asked = vm.lastCallGas().gasTotalUsed;
    }

    function _swap(uint256 amount) private {
        _rebalance(_one(_swapMove(address(usdc), amount)));
        bare.swap(IERC20(address(usdc)), amount);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.swap(IERC20(address(usdc)), amount);
        _asked = vm.lastCallGas().gasTotalUsed;
    }

    function _delever(uint256 baseAmount, uint256 repaid) private {
        IVault.Move[] memory moves = _deleverMoves(baseAmount);
        moves[2].amount = repaid;
        _rebalance(moves);
        bare.delever(baseAmount, repaid);
        _calls = vm.lastCallGas().gasTotalUsed;
        asking.delever(baseAmount, repaid);
        _asked = vm.lastCallGas().gasTotalUsed;
    }
}

/// forge-config: default.isolate = true
contract ChecksGasTest is ChecksGas {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1e13);
        _run(_one(_swapMove(address(usdc), 4e12)));
    }

    function _states() internal pure override returns (string memory) {
        return "";
    }

    function test_over_the_bare_venue_calls() external {
        _measureLevered();
    }

    function test_over_the_bare_venue_calls_while_nothing_is_owed() external {
        _measureUnlevered();
    }
}

/// @notice The same with four series, sold in part, and what options cost through the vault.
/// forge-config: default.isolate = true
contract OptionChecksGasTest is OptionVaultFixture, ChecksGas {
    string private constant OPTIONS = "vault: options";
    uint256 private _sale;
    uint256 private _sold;

    function setUp() public override(Fixture, OptionVaultFixture) {
        OptionVaultFixture.setUp();
        _deposit(alice, 1e13);
        _run(_one(_swapMove(address(usdc), 4e12)));
        for (uint256 i; i < 4; ++i) {
            _sold = _series(true, uint128(2400e18 + i * 100e18), 0, uint64(block.timestamp + 20 days));
            _run(_one(_writeMove(true, _sold, 10e18, 200e18)));
            _sale = _lastAuction();
            _toStart(_sale);
            _bidAll(_sale, 4e18);
        }
    }

    function _deployDesk() internal override(Fixture, OptionVaultFixture) returns (address) {
        return OptionVaultFixture._deployDesk();
    }

    function _states() internal pure override returns (string memory) {
        return ", 4 series";
    }

    function test_over_the_bare_venue_calls() external {
        _measureLevered();
    }

    function test_over_the_bare_venue_calls_while_nothing_is_owed() external {
        _measureUnlevered();
    }

    function test_options_through_the_vault() external {
        vm.prank(bidder1);
        auction.bid(_sale, 1e18, ALL, bidder1);
        _log(OPTIONS, "bid, 4 series");
        _rebalance(_one(_cancelMove(_sale)));
        _log(OPTIONS, "rebalance, cancel, 4 series");
        _rebalance(_one(_writeMove(true, _sold, 5e18, 200e18)));
        _log(OPTIONS, "rebalance, write more of a series, 4 series");
        uint256 fifth = _series(false, 1700e18, 0, uint64(block.timestamp + 20 days));
        _rebalance(_one(_writeMove(false, fifth, 5e18, 200e18)));
        _log(OPTIONS, "rebalance, write a fifth series");
        _rebalance(_one(_buyBackMove(_sold, 1e18, 200e18)));
        _log(OPTIONS, "rebalance, buy back, 5 series");
        uint256 purchase = _lastAuction();
        _toStart(purchase);
        vm.warp(vm.getBlockTimestamp() + 50 minutes);
        vm.prank(bidder1);
        auction.offer(purchase, 5e17, 0, bidder1);
        _log(OPTIONS, "offer, 5 series");
    }
}
