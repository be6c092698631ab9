// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdapter} from "./IAdapters.sol";
import {IOptionAuction, IAuctionSeller} from "./IOptionAuction.sol";
import {IOptionBook} from "./IOptionBook.sol";
import {ISettlementOracle} from "./ISettlementOracle.sol";
import {IVolatilityOracle} from "./IVolatilityOracle.sol";
import {OptionLimits} from "../libraries/OptionLimits.sol";

/// @notice The options as NAV sees them; asset amounts in raw asset, base amounts in raw base.
/// @param collateralBase held by the book for calls
/// @param collateralAsset held by the book for puts
/// @param escrowAsset cash waiting in purchases
/// @param liabilityLow least the options sold are worth: at the low volatility, rounded down
/// @param liabilityMid at the mid volatility, rounded up
/// @param liabilityHigh most: at the high volatility, rounded up
/// @param deltaBase of the vault's options: a short call is negative, a short put positive; towards zero
/// @param vegaAsset sum of each series' |change of value| for volatility +1.00, rounded up
/// @param notionalBase options sold and not bought back
/// @param openSeries series written and not yet collected or burned
/// @param awaiting a series is expired and not yet collected
struct BookValue {
    uint256 collateralBase;
    uint256 collateralAsset;
    uint256 escrowAsset;
    uint256 liabilityLow;
    uint256 liabilityMid;
    uint256 liabilityHigh;
    int256 deltaBase;
    uint256 vegaAsset;
    uint256 notionalBase;
    uint256 openSeries;
    bool awaiting;
}

/// @title IVaultCharge
/// @notice What the desk tells the mandate of.
interface IVaultCharge {
    /// @notice Charge the loss of a fill against the mid mark to the routine bucket; reverts if it does not fit.
    /// Called by the desk, last in a fill, when longs, cash and the desk's own books are done; not called when there
    /// is no loss. During this call the desk answers `measure`.
    /// @param loss raw asset, rounded up, not 0
    function chargeFill(uint256 loss) external;
}

/// @title IOptionLimits
/// @notice The part of a mandate the desk reads.
interface IOptionLimits {
    function optionLimits() external view returns (OptionLimits memory);
}

/// @title IOptionVault
/// @notice The part of a vault the desk reads.
interface IOptionVault {
    function asset() external view returns (address);
    function base() external view returns (address);
    function oracle() external view returns (address);
    function mandate() external view returns (address);
}

/// @title IOptionDesk
/// @notice One vault's options: written in the book against the vault's collateral, sold and bought back by auction.
/// Everything that leaves goes to the vault (V-15).
interface IOptionDesk is IAdapter, IAuctionSeller {
    /// @notice A series as it stands, for the lens. Marks, delta, gamma and vega are 0 while `fault` makes them unusable.
    struct Position {
        uint256 id;
        IOptionBook.Series series;
        uint256 written; // raw base, as the desk itself recorded it
        uint256 sold; // written less what is unsold
        uint256 inAuction; // unsold, in auctions that run or wait to be cancelled
        uint256 markLow; // raw asset, of what is sold; as in BookValue
        uint256 markMid;
        uint256 markHigh;
        int256 deltaBase; // of the vault, raw base
        int256 gammaBase; // raw base, change of `deltaBase` for one asset of spot, x 1e18
        int256 vegaAsset; // raw asset, of the vault: negative when short volatility
        IVolatilityOracle.Fault fault;
        bool awaiting; // expired and not collected
    }

    /// @notice An auction of this desk. `left` is unsold longs or options still wanted; `cash` is what a purchase may
    /// still spend.
    struct Ticket {
        uint256 seriesId;
        uint96 left;
        uint128 cash;
        IOptionAuction.Kind kind;
    }

    event Bought(
        uint256 indexed auctionId, uint256 indexed seriesId, uint256 amount, uint256 paid, uint256 loss
    );
    event Cancelled(uint256 indexed auctionId, uint256 indexed seriesId, uint256 burned, uint256 cash);
    event Collected(uint256 indexed seriesId, uint256 reclaimed, uint256 redeemed);
    event PurchaseOpened(uint256 indexed auctionId, uint256 indexed seriesId, uint256 amount, uint256 cash);
    event Sold(
        uint256 indexed auctionId, uint256 indexed seriesId, uint256 amount, uint256 paid, uint256 loss
    );
    event Written(uint256 indexed auctionId, uint256 indexed seriesId, uint256 amount, uint256 collateral);

    error AuctionRunning(uint256 auctionId);
    error CashTooLow(uint256 auctionId, uint256 paid, uint256 cash);
    error DeltaOutOfRange(uint256 deltaWad, uint256 minDeltaBps, uint256 maxDeltaBps);
    error Mismatch(string what, address given, address expected);
    error MoreThanSold(uint256 seriesId, uint256 amount, uint256 sold);
    error NotAuction(address caller);
    error NotExpired(uint256 seriesId, uint256 expiry);
    error SeriesNotAccepted(uint256 seriesId);
    error SeriesNotOpen(uint256 seriesId);
    error StartPriceTooLow(uint256 startPriceWad, uint256 markWad);
    error TenorOutOfRange(uint256 tenor, uint256 minTenor, uint256 maxTenor);
    error TooManySeries(uint256 open, uint256 maxSeries);
    error TransferMismatch(address token, uint256 expected, uint256 measured);
    error UnknownAuction(uint256 auctionId);
    error ZeroAmount();

    /// @notice Write `amount` options against collateral pulled from the vault (base for calls, asset for puts,
    /// approved by it) and start their sale. Within the mandate's tenor, delta and number of series; `startPriceWad`
    /// at least the mid mark. Only the vault.
    function write(uint256 seriesId, uint256 amount, uint256 startPriceWad)
        external
        returns (uint256 auctionId);

    /// @notice Pull `cash` of asset from the vault and start a purchase of up to `amount` options. Only the vault.
    function buyBack(uint256 seriesId, uint256 amount, uint256 maxPriceWad, uint256 cash)
        external
        returns (uint256 auctionId);

    /// @notice Stop a sale or a purchase: what is unsold is burned and its collateral goes to the vault, as does
    /// unused cash. The vault at any time; anybody once no fill can come any more.
    function cancel(uint256 auctionId) external;

    /// @notice After expiry: settle the series in the book if it is not, reclaim collateral and redeem unsold longs
    /// to the vault, forget it. Anybody.
    function collect(uint256 seriesId) external;

    /// @notice What the options are worth at a spot price, quote per whole base. Reverts in the middle of a call into
    /// desk or auction (V-18), and with the oracle's reason if volatility is unusable and needed; it is not read
    /// while nothing that lives is sold. An expired series counts its payoff once the book or its oracle knows it;
    /// until then low is 0, mid its payoff at spot and high its greatest payoff. A call's settled payoff is base, at
    /// `spotWad`.
    function measure(uint256 spotWad) external view returns (BookValue memory);

    /// @notice `measure` at the mid volatility alone, for less gas: low and high are the mid, rounded their way. What an
    /// unsettled series may pay keeps its range. Notional and vega count what is unsold as sold: caps on them must hold when
    /// something is written, since none is asked when it is sold.
    function measureMid(uint256 spotWad) external view returns (BookValue memory);

    /// @notice How often anything of the desk has changed in this transaction. While it stays the same, so does every
    /// measure at the same spot price: who has measured need not measure again.
    function changes() external view returns (uint256);

    /// @notice Every position with its Greeks. Reverts as `measure` in the middle of a call; volatility faults are fields.
    function positions(uint256 spotWad) external view returns (Position[] memory);

    /// @notice Whether the book agrees with what the desk recorded: what is written of every series and, until it
    /// expires, at least the unsold longs.
    function matchesBook() external view returns (bool);

    /// @notice Ids of the series written and not yet collected or burned.
    function openSeries() external view returns (uint256[] memory);

    /// @notice An auction of this desk; all zero once cancelled.
    function ticketOf(uint256 auctionId) external view returns (Ticket memory);

    /// @notice Cash waiting in purchases, raw asset.
    function escrowAsset() external view returns (uint256);

    function auction() external view returns (IOptionAuction);
    function book() external view returns (IOptionBook);
    function settlementOracle() external view returns (ISettlementOracle);
    function volatilityOracle() external view returns (IVolatilityOracle);
}
