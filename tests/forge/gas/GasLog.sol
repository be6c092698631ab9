// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A cheat code this forge-std does not name. In isolation it answers the gas of the last call as a transaction of its own:
/// 21,000, calldata and cold accounts included, refunds taken off.
interface IGasVm {
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256 used);
}

/// @notice Writes down the gas of the last call; `make gas` compares it with tests/forge/gas.json.
abstract contract GasLog {
    IGasVm private constant GAS_VM = IGasVm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function _log(string memory group, string memory name) internal returns (uint256 used) {
        used = GAS_VM.snapshotGasLastCall(group, name);
    }
}
