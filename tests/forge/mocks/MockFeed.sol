// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAggregatorV3} from "../../../contracts/interfaces/external/IAggregatorV3.sol";

/// @notice A feed that answers what it is told, or misbehaves as it is told.
contract MockFeed is IAggregatorV3 {
    enum Mode {
        Answers,
        Reverts,
        RevertsWithBomb,
        BurnsGas,
        ShortData,
        DirtyData,
        NoData
    }

    uint8 public decimals;
    string public description;
    Mode public mode;
    uint80 public roundId = 1;
    uint80 public answeredInRound = 1;
    int256 public answer;
    uint256 public updatedAt;

    constructor(uint8 decimals_, string memory description_, int256 answer_) {
        (decimals, description) = (decimals_, description_);
        set(answer_);
    }

    function set(int256 newAnswer) public {
        (answer, updatedAt) = (newAnswer, block.timestamp);
        answeredInRound = ++roundId;
    }

    function setRound(uint80 newRoundId, int256 newAnswer, uint256 newUpdatedAt, uint80 newAnsweredInRound)
        external
    {
        (roundId, answer, updatedAt, answeredInRound) =
        (newRoundId, newAnswer, newUpdatedAt, newAnsweredInRound);
    }

    function setDecimals(uint8 newDecimals) external {
        decimals = newDecimals;
    }

    function setMode(Mode newMode) external {
        mode = newMode;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        if (mode == Mode.Reverts) revert("No data present");
        if (mode == Mode.BurnsGas) while (true) {}
        if (mode == Mode.RevertsWithBomb) {
            assembly {
                revert(0, 1000000)
            }
        }
        if (mode == Mode.ShortData) {
            assembly {
                return(0, 64)
            }
        }
        if (mode == Mode.NoData) {
            assembly {
                return(0, 0)
            }
        }
        if (mode == Mode.DirtyData) {
            assembly {
                for { let i := 0 } lt(i, 160) { i := add(i, 32) } {
                    mstore(i, not(0))
                }
                return(0, 160)
            }
        }
        return (roundId, answer, updatedAt, updatedAt, answeredInRound);
    }
}
