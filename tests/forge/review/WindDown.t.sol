// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {OptionVault} from "./OptionVault.sol";

/// @notice What a stolen keeper can still write while the vault winds down.
contract WindDownTest is OptionVault {
    uint256 private constant ASSETS = 1_000_000e6;

    /// Collateral of a fifth of a raw dollar is rounded away: the write "reduces", and nobody leaves in kind for its life.
    function test_V17_a_dust_call_written_in_wind_down_closes_the_exit() external {
        uint256 shares = _deposit(alice, ASSETS);
        weth.mint(address(vault), 1e9); // anybody's dust
        _hour();
        uint256 id = _series(true, 2200e18, 0, uint64(vm.getBlockTimestamp() + 59 days));
        vm.startPrank(guardian);
        mandate.pause();
        mandate.windDown();
        vm.stopPrank();
        _run(_one(_writeMove(true, id, 1e8, 400e18))); // should be refused
        vm.prank(alice);
        vault.exitInKind(shares, alice); // OptionsOpen(1)
    }

    /// Collateral of an unsold series moves to a new one: wind-down does not end the selling of options.
    function test_wind_down_does_not_end_the_writing_of_options() external {
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
        _run(moves); // should be refused
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), 100e18);
        assertEq(valuation.measure().notional, 0, "options sold that were written in wind-down");
    }
}
