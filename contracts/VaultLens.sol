// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ILendingAdapter, ISwapAdapter} from "./interfaces/IAdapters.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {BookValue, IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IValuation} from "./interfaces/IValuation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IVaultLens} from "./interfaces/IVaultLens.sol";

/// @title VaultLens
/// @notice Reads, decides nothing, holds nothing. What a venue or a feed cannot answer becomes a field that says so.
/// @dev The vault, its mandate, oracle, desk and adapters are trusted to answer in their own types or to revert, which is what they
/// do. Reading is split into one function for each part, so that none has more locals than the stack can hold.
contract VaultLens is IVaultLens {
    uint256 private constant VERSION = 2;
    /// @dev ERC-7540 of this vault: every request has this id.
    uint256 private constant REQUEST_ID = 0;

    /// @inheritdoc IVaultLens
    function snapshot(address vault, address keeper) external view returns (Snapshot memory result) {
        IVault v = IVault(vault);
        result.version = VERSION;
        result.chainId = block.chainid;
        result.blockNumber = block.number;
        result.timestamp = block.timestamp;
        result.baseFee = block.basefee;
        result.vault = vault;
        (result.asset, result.base) = (v.asset(), v.base());
        result.assetDecimals = IERC20Metadata(result.asset).decimals();
        result.baseDecimals = IERC20Metadata(result.base).decimals();
        result.price = IPriceOracle(v.oracle()).read();
        IMandate mandate = IMandate(v.mandate());
        _readTerms(result.mandate, mandate, keeper);
        _readBudgets(result.mandate, mandate);
        _readValue(result.state, v, mandate.valuation());
        _readIdle(result.state, v, result.asset, result.base);
        _readDepositors(result.state, v);
        _readLending(result, v.lending());
        _readSwapper(result.venues, v.swapper());
        _readOptions(result.options, v.desk(), IMandate(v.mandate()).valuation(), result.price.priceWad);
    }

    /// @inheritdoc IVaultLens
    function requests(address vault, address[] calldata controllers)
        external
        view
        returns (Requests[] memory found)
    {
        found = new Requests[](controllers.length);
        for (uint256 i; i < controllers.length; ++i) {
            _readRequests(found[i], IVault(vault), controllers[i]);
        }
    }

    // ---------------------------------------------------------------- mandate

    function _readTerms(MandateState memory state, IMandate mandate, address keeper) private view {
        state.mandate = address(mandate);
        state.terms = mandate.terms();
        state.termsHash = mandate.termsHash();
        state.stateHash = mandate.stateHash();
        state.lastBeat = mandate.lastBeat();
        state.lastRoutineAt = mandate.lastRoutineAt();
        state.paused = mandate.paused();
        state.windingDown = mandate.windingDown();
        state.callerIsKeeper = mandate.isKeeper(keeper);
    }

    function _readBudgets(MandateState memory state, IMandate mandate) private view {
        (state.routine.leftWad, state.routine.capacityWad) = mandate.budget(IMandate.Bucket.Routine);
        (state.protective.leftWad, state.protective.capacityWad) = mandate.budget(IMandate.Bucket.Protective);
        (state.turnover.leftWad, state.turnover.capacityWad) = mandate.turnoverLeft();
    }

    // ---------------------------------------------------------------- vault

    function _readValue(VaultState memory state, IVault v, IValuation valuation) private view {
        try valuation.holdings() returns (IValuation.Holdings memory holdings) {
            (state.holdingsValid, state.holdings) = (true, holdings);
        } catch {}
        try valuation.measure() returns (IValuation.Measure memory measure) {
            (state.measureValid, state.measure) = (true, measure);
        } catch {}
        try valuation.marks() returns (IValuation.Marks memory marks) {
            (state.marksValid, state.marks) = (true, marks);
        } catch {}
        _readNav(state, v);
    }

    /// @dev A measure at a sound price and volatility holds the NAV: options are not valued once more for it.
    function _readNav(VaultState memory state, IVault v) private view {
        if (state.measure.priced && state.measure.optionsKnown) {
            (state.navValid, state.nav) = (true, state.measure.nav);
            return;
        }
        try v.nav() returns (uint256 nav) {
            (state.navValid, state.nav) = (true, nav);
        } catch {}
    }

    /// @dev On its own and not from the holdings, which need the venue: what is idle may repay while a venue is silent.
    function _readIdle(VaultState memory state, IVault v, address asset, address base) private view {
        try v.idle(asset) returns (uint256 idle) {
            state.idleAsset = idle;
        } catch {}
        try v.idle(base) returns (uint256 idle) {
            state.idleBase = idle;
        } catch {}
    }

    function _readDepositors(VaultState memory state, IVault v) private view {
        state.totalShares = v.totalSupply();
        state.unhedged = v.unhedged();
        state.depositsHalted = v.depositsHalted();
        state.epoch = v.epochState();
        state.deposits = v.depositPolicy();
        (state.fees, state.nextFees) = v.fees();
    }

    function _readRequests(Requests memory found, IVault v, address controller) private view {
        found.controller = controller;
        found.shares = v.balanceOf(controller);
        found.pendingDeposit = v.pendingDepositRequest(REQUEST_ID, controller);
        found.claimableDeposit = v.claimableDepositRequest(REQUEST_ID, controller);
        found.claimableShares = v.maxMint(controller);
        found.pendingRedeem = v.pendingRedeemRequest(REQUEST_ID, controller);
        found.claimableRedeem = v.claimableRedeemRequest(REQUEST_ID, controller);
        found.claimableAssets = v.maxWithdraw(controller);
    }

    // ---------------------------------------------------------------- venues

    /// @dev Readable only if both the account and the terms are; what did answer is given all the same.
    function _readLending(Snapshot memory result, address lending) private view {
        VenueState memory venues = result.venues;
        venues.lendingAdapter = lending;
        venues.positions = new ILendingAdapter.TokenPosition[](2);
        venues.positions[0].token = result.asset;
        venues.positions[1].token = result.base;
        if (lending == address(0)) return;
        bool accountRead;
        try ILendingAdapter(lending).account() returns (ILendingAdapter.Account memory account) {
            (venues.account, accountRead) = (account, true);
        } catch {}
        try ILendingAdapter(lending).positions() returns (ILendingAdapter.TokenPosition[] memory positions) {
            (venues.positions, venues.lendingReadable) = (positions, accountRead);
        } catch {}
    }

    function _readSwapper(VenueState memory venues, address swapper) private view {
        venues.swapAdapter = swapper;
        if (swapper == address(0)) return;
        try ISwapAdapter(swapper).poolState() returns (ISwapAdapter.PoolState memory pool) {
            (venues.pool, venues.poolReadable) = (pool, true);
        } catch {}
    }

    function _readOptions(OptionState memory options, address desk, IValuation valuation, uint256 spotWad)
        private
        view
    {
        options.desk = desk;
        if (desk == address(0)) return;
        try valuation.bookAt(spotWad) returns (bool known, BookValue memory value) {
            (options.value, options.valueReadable, options.volatilityKnown) = (value, true, known);
        } catch {}
        try IOptionDesk(desk).positions(spotWad) returns (IOptionDesk.Position[] memory positions) {
            (options.positions, options.positionsReadable) = (positions, true);
        } catch {}
    }
}
