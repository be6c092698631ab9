// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {VaultShares} from "./VaultShares.sol";
import {ILendingAdapter, ISwapAdapter} from "./interfaces/IAdapters.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {IValuation} from "./interfaces/IValuation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";

/// @title Vault
/// @notice Holds a dollar asset and a volatile base, idle, at one lending venue and as collateral of options; keepers move them
/// within the mandate. No proxy, no upgrade, no rescue: a new version is a new vault.
///
/// Moves: eight kinds through three adapters bound for life. There is no target, calldata, receiver or approval a keeper could
/// choose (V-15): an adapter is approved for one move, and nothing afterwards. What a rebalance did is measured by the mandate
/// before and after, and judged by it; here each swap is held against the oracle, and each price-free move against the tokens.
///
/// Health is judged at the end and not in between: to withdraw, sell and repay is the way out from below the minimum, and it
/// passes a lower health on the way. The rebalance is atomic, nobody can liquidate inside it, and the venue refuses a
/// withdrawal that would leave it under 1.
///
/// Unusable price (V-07): only what needs none is left: repay from idle, supply, withdraw while nothing is owed, cancel an
/// auction. The first three are shown to be free of loss by the tokens themselves, within `DUST`.
///
/// Without the keeper: anybody may `settle`, `protect` while the vault is in danger, and, once it winds down (which anybody may
/// declare when the keeper is gone for good), `exitInKind`.
///
/// What is assumed of tokens: no fee on transfer, no rebasing, no callbacks into strangers (USDC and WETH keep to that); asset
/// and base are different tokens; both have 6 to 18 decimals.
contract Vault is VaultShares, IVault {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @param asset the dollar token deposits are made in
    /// @param base the volatile token
    /// @param mandate not yet bound to a vault
    /// @param epochLength seconds between settlements, at least
    struct Config {
        IERC20Metadata asset;
        IERC20Metadata base;
        IMandate mandate;
        string name;
        string symbol;
        uint256 epochLength;
        DepositPolicy policy;
        Fees fees;
    }

    uint256 private constant ALL = type(uint256).max;
    uint256 private constant BPS = 10_000;
    /// @dev Most raw units one lending move may differ by: the venue keeps balances scaled by an index and rounds twice.
    uint256 private constant DUST = 5;
    address private immutable _base;
    address private immutable _oracle;
    address private immutable _deployer;
    /// @dev Raw base x price WAD / _scale = raw asset.
    uint256 private immutable _scale;
    uint256 private immutable _seedAssets;

    address private _lending;
    address private _swapper;
    address private _desk;

    modifier whenOpen() {
        _requireOpen();
        _;
    }

    constructor(Config memory config)
        ERC20(config.name, config.symbol)
        VaultShares(config.asset, config.mandate, config.epochLength, config.policy, config.fees)
    {
        uint8 assetDecimals = config.asset.decimals();
        uint8 baseDecimals = config.base.decimals();
        Bounds.requireWithin("baseDecimals", baseDecimals, 6, 18);
        if (config.base == config.asset) revert TokenNotAllowed(address(config.base));
        _base = address(config.base);
        _oracle = config.mandate.oracle();
        _deployer = msg.sender;
        _scale = 10 ** (18 + uint256(baseDecimals) - assetDecimals);
        _seedAssets = 10 ** assetDecimals;
        config.mandate.bind(address(config.asset), address(config.base));
    }

    // ---------------------------------------------------------------- deployer

    /// @inheritdoc IVault
    function setVenues(address newLending, address newSwapper, address newDesk) external nonReentrant {
        if (msg.sender != _deployer) revert NotDeployer(msg.sender);
        if (_gate.opened) revert VenuesAlreadySet();
        (_lending, _swapper, _desk) = (newLending, newSwapper, newDesk);
        _mandate().setVenues(newLending, newSwapper, newDesk);
        _seed(_seedAssets);
    }

    // ---------------------------------------------------------------- keeper

    /// @inheritdoc IVault
    function rebalance(Intent calldata intent, Move[] calldata moves) external nonReentrant whenOpen {
        (IMandate.Brief memory brief, bytes memory measured) = _mandate().open(msg.sender, intent);
        IMandate.Traded memory traded;
        for (uint256 i; i < moves.length; ++i) {
            Move memory move = moves[i];
            if (!brief.priced) _checkPriceFree(i, move.kind, moves.length, brief);
            _apply(intent.id, i, move, brief, traded);
        }
        IMandate.Outcome memory done = _mandate().close(measured, traded, intent.maxLoss, moves.length * DUST);
        emit Rebalanced(
            intent.id, msg.sender, done.navBefore, done.navAfter, done.healthBefore, done.healthAfter
        );
    }

    // ---------------------------------------------------------------- anybody

    /// @inheritdoc IVault
    function protect() external nonReentrant whenOpen returns (uint256 bounty) {
        IMandate.Rescue memory rescue = _mandate().openRescue();
        Move[] memory moves = _valuation().rescueMoves(rescue);
        IMandate.Brief memory brief;
        (brief.priced, brief.priceWad) = (rescue.priceWad != 0, rescue.priceWad);
        brief.maxSwapLossBps = rescue.swapLossBps;
        IMandate.Traded memory traded;
        _applyAll(moves, brief, traded);
        bounty = _mandate().closeRescue(rescue, traded.turnover != 0, msg.sender);
        IERC20(asset()).safeTransfer(msg.sender, bounty);
    }

    /// @inheritdoc IVault
    function exitInKind(uint256 shares, address receiver)
        external
        nonReentrant
        returns (uint256 assets, uint256 baseAmount)
    {
        if (shares == 0) revert ZeroAmount();
        if (!_gate.windingDown) revert NotWindingDown();
        _mandate().inspect();
        // Parts are of what is there before the leaver brings anything.
        (Move[] memory moves, IValuation.Exit memory exit) = _valuation().exitMoves(shares, _wholeSupply());
        _burnForExit(shares);
        _pull(asset(), msg.sender, exit.takesAsset);
        _pull(base(), msg.sender, exit.takesBase);
        IMandate.Brief memory priceFree;
        IMandate.Traded memory traded;
        _applyAll(moves, priceFree, traded);
        _mandate().record();
        (assets, baseAmount) = (exit.givesAsset, exit.givesBase);
        emit ExitedInKind(msg.sender, receiver, shares, assets, baseAmount);
        IERC20(asset()).safeTransfer(receiver, assets);
        IERC20(base()).safeTransfer(receiver, baseAmount);
    }

    /// @inheritdoc IVault
    function checkHedge() external nonReentrant whenOpen returns (bool) {
        _mandate().inspect();
        return _gate.unhedged;
    }

    // ---------------------------------------------------------------- mandate

    /// @inheritdoc IVault
    function setUnhedged(bool isUnhedged) external onlyMandate {
        if (_gate.unhedged == isUnhedged) return;
        _gate.unhedged = isUnhedged;
        emit UnhedgedSet(isUnhedged);
    }

    // ---------------------------------------------------------------- moves

    /// @dev Moves no keeper chose.
    function _applyAll(Move[] memory moves, IMandate.Brief memory brief, IMandate.Traded memory traded)
        private
    {
        for (uint256 i; i < moves.length; ++i) {
            _apply(bytes32(0), i, moves[i], brief, traded);
        }
    }

    /// @dev One move. Without a price each is shown to conserve its token.
    function _apply(
        bytes32 id,
        uint256 index,
        Move memory move,
        IMandate.Brief memory brief,
        IMandate.Traded memory traded
    ) private {
        _checkAdapter(move);
        uint256 amount = _resolve(index, move);
        uint256 result;
        if (move.kind == MoveKind.Swap) {
            uint256 turnover;
            uint256 bought;
            (result, turnover, bought) = _swap(move.token, amount, move.limit, brief);
            traded.turnover += turnover;
            if (move.token == base()) traded.boughtAsset += bought;
            else traded.boughtBase += bought;
        } else if (move.kind >= MoveKind.Write) {
            if (!brief.optionsKnown && move.kind != MoveKind.Cancel) revert MoveNeedsPrice(index, move.kind);
            if (_gate.halted && move.kind == MoveKind.Write) revert PausedMove(index, move.kind);
            result = _applyOption(move, amount);
        } else {
            result = brief.priced ? _lend(move, amount) : _lendConserving(move, amount);
        }
        emit MoveApplied(id, move.kind, move.adapter, move.token, amount, result);
    }

    /// @dev Health cannot fall: debt only falls, collateral only rises, or nothing is owed. A cancelled auction frees collateral,
    /// behind which a loss could hide: it comes alone.
    function _checkPriceFree(uint256 index, MoveKind kind, uint256 count, IMandate.Brief memory brief)
        private
        pure
    {
        bool exposed = kind == MoveKind.Borrow || kind == MoveKind.Swap || kind == MoveKind.Write
            || kind == MoveKind.BuyBack || (kind == MoveKind.Cancel && count != 1)
            || (kind == MoveKind.Withdraw && brief.owes) || (kind == MoveKind.Supply && !brief.toppable);
        if (exposed) revert MoveNeedsPrice(index, kind);
    }

    function _checkAdapter(Move memory move) private view {
        address expected =
            move.kind == MoveKind.Swap ? _swapper : move.kind >= MoveKind.Write ? _desk : _lending;
        if (move.adapter != expected || expected == address(0)) {
            revert AdapterNotAllowed(move.kind, move.adapter);
        }
        if (move.token != asset() && move.token != base()) revert TokenNotAllowed(move.token);
    }

    function _lend(Move memory move, uint256 amount) private returns (uint256 result) {
        ILendingAdapter lending_ = ILendingAdapter(_lending);
        if (move.kind == MoveKind.Withdraw) return lending_.withdraw(move.token, amount);
        if (move.kind == MoveKind.Borrow) return lending_.borrow(move.token, amount);
        if (move.kind == MoveKind.Repay) return _repay(move.token, amount);
        IERC20(move.token).forceApprove(address(lending_), amount);
        lending_.supply(move.token, amount);
        IERC20(move.token).forceApprove(address(lending_), 0);
        return amount;
    }

    function _repay(address token, uint256 amount) private returns (uint256 repaid) {
        IERC20(token).forceApprove(_lending, amount);
        repaid = ILendingAdapter(_lending).repay(token, amount);
        IERC20(token).forceApprove(_lending, 0);
    }

    /// @dev A supply, withdrawal or repayment whose two sides, vault and venue, must agree within `DUST`.
    function _lendConserving(Move memory move, uint256 amount) private returns (uint256 result) {
        uint256 idleBefore = idle(move.token);
        (uint256 suppliedBefore, uint256 debtBefore) = ILendingAdapter(_lending).balances(move.token);
        result = _lend(move, amount);
        uint256 idleAfter = idle(move.token);
        (uint256 suppliedAfter, uint256 debtAfter) = ILendingAdapter(_lending).balances(move.token);
        // What the vault had before and has after of this token, debt on the other side so that nothing is negative.
        uint256 given = idleBefore + suppliedBefore + debtAfter;
        uint256 credited = idleAfter + suppliedAfter + debtBefore;
        if (given > credited + DUST) revert NotConserved(move.kind, move.token, given, credited);
    }

    /// @dev The desk takes what the move needs and not more than is idle; it is approved for the one call.
    function _applyOption(Move memory move, uint256 amount) private returns (uint256 result) {
        IOptionDesk desk_ = IOptionDesk(_desk);
        if (move.kind == MoveKind.Cancel) {
            desk_.cancel(move.target);
            return 0;
        }
        IERC20(move.token).forceApprove(address(desk_), idle(move.token));
        if (move.kind == MoveKind.Write) {
            result = desk_.write(move.target, amount, move.limit);
        } else {
            if (move.token != asset()) revert TokenNotAllowed(move.token);
            uint256 cash = _toAssetUp(amount, move.limit);
            result = desk_.buyBack(move.target, amount, move.limit, cash);
        }
        IERC20(move.token).forceApprove(address(desk_), 0);
    }

    /// @dev Sells and holds what was measured, not what was reported, against the oracle and the keeper's own bound.
    function _swap(address tokenIn, uint256 amount, uint256 minOut, IMandate.Brief memory brief)
        private
        returns (uint256 received, uint256 sold, uint256 bought)
    {
        bool sellsBase = tokenIn == base();
        address tokenOut = sellsBase ? asset() : base();
        uint256 spent = _balance(tokenIn);
        received = _balance(tokenOut);
        IERC20(tokenIn).forceApprove(_swapper, amount);
        ISwapAdapter(_swapper).swap(tokenIn, amount, minOut);
        IERC20(tokenIn).forceApprove(_swapper, 0);
        spent -= _balance(tokenIn); // cannot underflow: the adapter only takes
        received = _balance(tokenOut) - received;
        uint256 price = brief.priceWad;
        uint256 fair =
            sellsBase ? _toAssetUp(spent, price) : Math.mulDiv(spent, _scale, price, Math.Rounding.Ceil);
        uint256 least = Math.mulDiv(fair, BPS - brief.maxSwapLossBps, BPS, Math.Rounding.Ceil);
        least = Math.max(least, minOut);
        if (received < least) revert SwapLossTooLarge(tokenIn, spent, received, least);
        sold = sellsBase ? fair : spent;
        bought = sellsBase ? received : _toAssetUp(received, price);
    }

    /// @dev The amount a move means: all idle, all supplied, or as much of the debt as idle can pay.
    function _resolve(uint256 index, Move memory move) private view returns (uint256 amount) {
        amount = move.amount;
        bool spends =
            move.kind == MoveKind.Supply || move.kind == MoveKind.Repay || move.kind == MoveKind.Swap;
        if (spends) {
            uint256 idle_ = idle(move.token);
            if (amount == ALL) {
                amount = idle_;
                if (move.kind == MoveKind.Repay) {
                    (, uint256 debt) = ILendingAdapter(_lending).balances(move.token);
                    amount = Math.min(Math.saturatingSub(idle_, move.limit), debt);
                }
            }
            if (amount > idle_) revert IdleTooLow(move.token, amount, idle_);
        }
        if (amount == 0 && move.kind != MoveKind.Cancel) revert NothingToMove(index, move.kind, move.token);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVault
    function nav() external view returns (uint256) {
        if (_reentrancyGuardEntered()) revert Reentered();
        return _valuation().nav();
    }

    /// @inheritdoc IVault
    function idle(address token) public view returns (uint256) {
        return token == asset() ? _idleAsset() : _balance(token);
    }

    /// @inheritdoc IVault
    function unhedged() external view returns (bool) {
        return _gate.unhedged;
    }

    /// @inheritdoc IVault
    function mandate() external view returns (address) {
        return address(_mandate());
    }

    /// @inheritdoc IVault
    function oracle() external view returns (address) {
        return _oracle;
    }

    /// @inheritdoc IVault
    function lending() external view returns (address) {
        return _lending;
    }

    /// @inheritdoc IVault
    function swapper() external view returns (address) {
        return _swapper;
    }

    /// @inheritdoc IVault
    function desk() external view returns (address) {
        return _desk;
    }

    /// @inheritdoc IVault
    function base() public view returns (address) {
        return _base;
    }

    // ---------------------------------------------------------------- inside

    function _isOurs(address token) internal view override returns (bool) {
        return token == asset() || token == base() || token == address(this);
    }

    function _requireOpen() private view {
        if (!_gate.opened) revert VenuesNotSet();
    }

    function _toAssetUp(uint256 baseAmount, uint256 price) private view returns (uint256) {
        return Math.mulDiv(baseAmount, price, _scale, Math.Rounding.Ceil);
    }
}
