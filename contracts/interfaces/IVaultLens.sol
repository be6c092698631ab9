// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ILendingAdapter, ISwapAdapter} from "./IAdapters.sol";
import {IMandate} from "./IMandate.sol";
import {BookValue, IOptionDesk} from "./IOptionDesk.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {IValuation} from "./IValuation.sol";
import {IVaultShares} from "./IVaultShares.sol";

/// @title IVaultLens
/// @notice Everything the keeper needs of a vault in one eth_call, and everything its depositors wait for in another.
interface IVaultLens {
    /// @notice What is left of a bucket now and what it holds when full, parts of NAV, WAD.
    struct Budget {
        uint256 leftWad;
        uint256 capacityWad;
    }

    /// @notice What any keeper may do, and what it has done lately.
    struct MandateState {
        address mandate;
        IMandate.Terms terms;
        bytes32 termsHash;
        bytes32 stateHash; // what the next intent must name
        uint256 lastBeat; // unix seconds
        uint256 lastRoutineAt; // unix seconds of the last rebalance that did not reduce every risk; 0 for none
        bool paused;
        bool windingDown;
        bool callerIsKeeper;
        Budget routine; // losses
        Budget protective; // losses
        Budget turnover; // swaps
    }

    /// @notice What the vault has, what it is worth, and who waits. All zero where `...Valid` is false.
    struct VaultState {
        uint256 totalShares;
        bool unhedged;
        bool depositsHalted;
        uint256 idleAsset; // what moves may use: neither reserved nor waiting; 0 in the middle of a call
        uint256 idleBase;
        bool navValid; // false while the price is unusable and matters
        uint256 nav; // asset units
        bool holdingsValid; // false while the lending venue cannot tell
        IValuation.Holdings holdings;
        bool measureValid; // false in the middle of a call; `measure.priced` tells whether its values are known
        IValuation.Measure measure;
        bool marksValid; // false while nothing can be settled
        IValuation.Marks marks;
        IVaultShares.EpochState epoch;
        IVaultShares.DepositPolicy deposits;
        IVaultShares.Fees fees;
        IVaultShares.Fees nextFees; // from the next settlement on
    }

    /// @notice The venues behind the adapters.
    struct VenueState {
        bool lendingReadable; // false if the lending venue reverted
        address lendingAdapter;
        ILendingAdapter.Account account;
        ILendingAdapter.TokenPosition[] positions; // [asset, base]
        bool poolReadable;
        address swapAdapter;
        ISwapAdapter.PoolState pool;
    }

    /// @notice The vault's options at the oracle's Chainlink price, whatever fault it has.
    struct OptionState {
        address desk; // zero if the vault writes none
        bool valueReadable; // false in the middle of a call
        bool volatilityKnown; // false while volatility is unusable: `value` is then intrinsic, as the mandate counts it
        BookValue value;
        bool positionsReadable;
        IOptionDesk.Position[] positions;
    }

    struct Snapshot {
        uint256 version; // of this struct: 2
        uint256 chainId;
        uint256 blockNumber;
        uint256 timestamp;
        uint256 baseFee; // wei
        address vault;
        address asset; // USDC
        uint8 assetDecimals;
        address base; // WETH
        uint8 baseDecimals;
        VaultState state;
        MandateState mandate;
        VenueState venues;
        OptionState options;
        IPriceOracle.Reading price;
    }

    /// @notice One depositor's requests. Pending ones wait for a settlement, claimable ones were priced by one.
    struct Requests {
        address controller;
        uint256 shares; // held
        uint256 pendingDeposit; // assets
        uint256 claimableDeposit; // assets
        uint256 claimableShares; // what the claimable deposit buys
        uint256 pendingRedeem; // shares
        uint256 claimableRedeem; // shares
        uint256 claimableAssets; // what the claimable redemption pays
    }

    /// @notice Never reverts for a real vault: faults are fields. `keeper` is checked against the mandate's keepers.
    function snapshot(address vault, address keeper) external view returns (Snapshot memory);

    /// @notice The requests of each controller, in the order given.
    function requests(address vault, address[] calldata controllers) external view returns (Requests[] memory);
}
