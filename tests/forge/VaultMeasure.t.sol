// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IAaveV3Pool} from "../../contracts/interfaces/external/IAaveV3.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice What is not measured twice in one rebalance is what cannot have changed: the price, options nobody touched, a venue no
/// move went to, the health of who owes nothing.
contract VaultMeasureTest is OptionVaultFixture {
    uint256 private callId;
    uint256 private putId;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 10_000_000e6);
        uint64 expiry = uint64(block.timestamp + 20 days);
        callId = _series(true, 2400e18, 0, expiry);
        putId = _series(false, 1700e18, 0, expiry);
        _run(_one(_swapMove(address(usdc), 4_000_000e6)));
        _write(true, callId);
        _write(false, putId);
    }

    function _write(bool isCall, uint256 id) private {
        uint256 amount = 20e18;
        _run(_one(_writeMove(isCall, id, amount, 200e18)));
        uint256 sale = _lastAuction();
        _toStart(sale);
        vm.prank(bidder1);
        auction.bid(sale, amount / 4, ALL, bidder1);
    }

    function _owe() private {
        _run(_one(_supplyMove(address(weth), 1000e18)));
        _run(_one(_borrowMove(address(usdc), 500_000e6)));
    }

    /// To measure again gives what measuring anew would, whatever was moved meanwhile.
    function testFuzz_measuring_again_is_measuring_anew(uint256 seed, uint8 count) external {
        _owe();
        IValuation.Measure memory before = valuation.measure();
        count = uint8(bound(count, 0, 4));
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _tryMove(seed);
        }
        IValuation.Measure memory again = valuation.measureAgain(before);
        IValuation.Measure memory anew = valuation.measure();
        (again.optionChanges, again.lendingChanges) = (anew.optionChanges, anew.lendingChanges);
        assertEq(abi.encode(again), abi.encode(anew));
    }

    function _tryMove(uint256 seed) private {
        uint256 part = bound(seed >> 8, 1, 100);
        IVault.Move memory move;
        uint256 kind = seed % 8;
        if (kind == 0) move = _swapMove(address(usdc), part * 1000e6);
        if (kind == 1) move = _swapMove(address(weth), part * 1e18);
        if (kind == 2) move = _supplyMove(address(weth), part * 1e18);
        if (kind == 3) move = _withdrawMove(address(weth), part * 1e18);
        if (kind == 4) move = _borrowMove(address(usdc), part * 1000e6);
        if (kind == 5) move = _repayMove(address(usdc), part * 1000e6);
        if (kind == 6) move = _writeMove(true, callId, part * 1e17, 200e18);
        if (kind == 7) move = _cancelMove(_lastAuction());
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, _one(move)) {} catch {} // what is refused changes nothing, which must hold as well
    }

    /// A venue no move went to is asked once; one that was used, twice, even if what was done cancels out.
    function test_a_venue_is_asked_again_only_if_the_adapter_acted() external {
        _owe();
        bytes memory question = abi.encodeCall(IAaveV3Pool.getUserAccountData, (address(lending)));
        vm.expectCall(address(aave), question, 1);
        _run(_one(_swapMove(address(usdc), 1e9)));
    }

    function test_who_owes_base_alone_is_asked() external {
        _run(_one(_supplyMove(address(usdc), 1_000_000e6)));
        _run(_one(_borrowMove(address(weth), 10e18)));
        bytes memory question = abi.encodeCall(IAaveV3Pool.getUserAccountData, (address(lending)));
        vm.expectCall(address(aave), question, 1);
        _run(_one(_swapMove(address(usdc), 1e9)));
    }

    function test_moves_that_cancel_out_are_measured_all_the_same() external {
        _owe();
        IVault.Move[] memory moves = new IVault.Move[](2);
        (moves[0], moves[1]) = (_supplyMove(address(usdc), 1e9), _withdrawMove(address(usdc), 1e9));
        bytes memory question = abi.encodeCall(IAaveV3Pool.getUserAccountData, (address(lending)));
        vm.expectCall(address(aave), question, 2);
        _run(moves);
    }

    /// Who owes nothing has a health without asking, so a venue that cannot price an account stops no swap.
    function testFuzz_a_vault_without_debt_needs_no_answer_of_the_venue(uint256 amount) external {
        _run(_one(_supplyMove(address(weth), 100e18)));
        aave.setAccountReverts(true);
        assertEq(valuation.measure().healthWad, ALL);
        _run(_one(_swapMove(address(usdc), bound(amount, 1e6, 1_000_000e6))));
        _run(_one(_withdrawMove(address(weth), ALL)));
    }

    /// But nobody begins to owe where the health of that cannot be told (V-05).
    function testFuzz_no_debt_begins_without_a_health(uint256 amount) external {
        _run(_one(_supplyMove(address(weth), 100e18)));
        aave.setAccountReverts(true);
        _expectRefused(
            _one(_borrowMove(address(usdc), bound(amount, 1e6, 100_000e6))),
            abi.encodeWithSelector(IMandate.HealthTooLow.selector, ALL, 0, _limits().minHealthWad)
        );
    }
}
