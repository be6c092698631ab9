// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The observing part of a Uniswap v3 pool: a tick that changes at instants, remembered for a while.
contract MockObservations {
    struct Change {
        uint256 at;
        int256 cumulative;
        int24 tick;
    }

    address public immutable token0;
    address public immutable token1;
    uint256 public memorySeconds = 1 days;
    uint16 public cardinality = 1000;
    Change[] private _changes;

    constructor(address token0_, address token1_, int24 tick) {
        (token0, token1) = (token0_, token1_);
        _changes.push(Change(0, 0, tick));
    }

    /// @notice The tick from now on.
    function setTick(int24 newTick) external {
        _changes.push(Change(block.timestamp, _cumulativeAt(block.timestamp), newTick));
    }

    function setMemory(uint256 newSeconds) external {
        memorySeconds = newSeconds;
    }

    function setCardinality(uint16 newCardinality) external {
        cardinality = newCardinality;
    }

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (0, 0, 0, cardinality, cardinality, 0, true);
    }

    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory cumulatives, uint160[] memory)
    {
        cumulatives = new int56[](secondsAgos.length);
        for (uint256 i; i < secondsAgos.length; ++i) {
            require(secondsAgos[i] <= memorySeconds, "OLD");
            cumulatives[i] = int56(_cumulativeAt(block.timestamp - secondsAgos[i]));
        }
        return (cumulatives, new uint160[](secondsAgos.length));
    }

    function _cumulativeAt(uint256 at) private view returns (int256) {
        uint256 i = _changes.length - 1;
        while (_changes[i].at > at) --i;
        return _changes[i].cumulative + int256(_changes[i].tick) * int256(at - _changes[i].at);
    }
}
