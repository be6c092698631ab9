// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../contracts/interfaces/IVault.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice A vault that winds down writes nothing, whatever a rounding would hide (V-17).
contract WindDownTest is OptionVaultFixture {
    uint256 private constant ASSETS = 1_000_000e6;

    /// Collateral of a fifth of a raw dollar is rounded away, and would keep everybody in for the option's life.
    function test_V17_no_dust_call_is_written_in_wind_down() external {
        uint256 shares = _deposit(alice, ASSETS);
        weth.mint(address(vault), 1e9); // anybody's dust
        _hour();
        uint256 id = _series(true, 2200e18, 0, uint64(vm.getBlockTimestamp() + 59 days));
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        _expectRefused(
            _one(_writeMove(true, id, 1e8, 400e18)),
            abi.encodeWithSelector(IVault.PausedMove.selector, 0, IVault.MoveKind.Write)
        );
        vm.prank(alice);
        vault.exitInKind(shares, alice);
    }

    /// Collateral of an unsold series does not move to a new one.
    function test_V17_no_option_takes_the_place_of_a_cancelled_one() external {
        _deposit(alice, ASSETS);
        _hour();
        uint256 id = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 2 days));
        uint256 longer = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 59 days));
        _run(_one(_writeMove(false, id, 100e18, 400e18)));
        uint256 first = _lastAuction();
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        IVault.Move[] memory moves = new IVault.Move[](2);
        moves[0] = _cancelMove(first);
        moves[1] = _writeMove(false, longer, 100e18, 400e18);
        _expectRefused(moves, abi.encodeWithSelector(IVault.PausedMove.selector, 1, IVault.MoveKind.Write));
        _run(_one(moves[0]));
        assertEq(valuation.measure().notional, 0);
    }
}
