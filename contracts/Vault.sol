// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Mandate} from "./Mandate.sol";
import {IAdapter, ILendingAdapter, ISwapAdapter} from "./interfaces/IAdapters.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {LossBudget} from "./libraries/LossBudget.sol";

/// @title Vault
/// @notice ERC-4626 shares of a dollar asset and a volatile base, held idle and at one lending venue, moved by keepers within the
/// mandate. No proxy, no upgrade, no rescue: a new version is a new vault.
///
/// Deployment, in this order: PriceOracle(config) · Vault(asset, base, oracle, ...) · AaveV3Adapter(vault, addressesProvider) ·
/// UniswapV3Adapter(vault, pool) · vault.setVenues(lending, swapper) once by the owner · vault.addKeeper(keeper). Nothing can be
/// deposited before the venues are set, and they can never be changed.
///
/// NAV: idle + supplied - owed of both tokens, base at the oracle's price; assets rounded down, debts up, not below zero. It is
/// unreadable in the middle of a call (V-18) and while the price is unusable and matters, that is, unless no base is held or owed.
/// Deposits are priced at NAV; exits too, but while the price is unusable and no base is owed they count base as nothing: the low
/// mark, in favour of those who stay. So no feed, and no gift of base, locks anybody in; whoever leaves then leaves base behind.
///
/// Moves: five kinds through two adapters. There is no target, calldata, receiver or approval a keeper could choose (V-15): an
/// adapter is approved the amount of one move, and nothing afterwards. What is judged is what was measured when all moves are
/// done: health at least the minimum or higher than before (V-05), loss of NAV within intent, mandate and bucket (V-04), debt
/// ratio within the mandate if the debt of either token rose; and for each swap what it gave against the oracle.
///
/// Health is judged at the end and not in between: to withdraw, sell and repay is the way out from below the minimum, and it
/// passes a lower health on the way. The rebalance is atomic, nobody can liquidate inside it, and the venue refuses a
/// withdrawal that would leave it under 1.
///
/// Unusable price (V-07): only what needs none is left: repay from idle, supply, withdraw while nothing is owed. Each is shown to
/// be free of loss by the tokens themselves: what the vault gave is what the venue credits, within `DUST`.
///
/// Pause (V-08): no borrowing, no supply without debt, health not lower, no debt higher, and swaps only as large as the debt they
/// repay. While no base is owed, base is sold freely and none is bought: one way, so that exits can be paid. Withdrawals by
/// depositors stay open, deposits do not.
///
/// What is assumed of tokens: no fee on transfer, no rebasing, no callbacks into strangers (USDC and WETH keep to that); asset
/// and base are different tokens; both have 6 to 18 decimals.
contract Vault is ERC4626, Mandate, ReentrancyGuardTransient {
    using LossBudget for LossBudget.Bucket;
    using SafeERC20 for IERC20;

    /// @dev Everything the vault has and owes, token units.
    struct Holdings {
        uint256 idleAsset;
        uint256 idleBase;
        uint256 suppliedAsset;
        uint256 suppliedBase;
        uint256 debtAsset;
        uint256 debtBase;
    }

    /// @dev Holdings at a price, asset units.
    struct Value {
        uint256 gross; // rounded down
        uint256 debt; // rounded up
        uint256 nav;
    }

    /// @dev What a rebalance is judged by, before and after.
    struct State {
        Holdings held;
        Value value;
        uint256 health;
    }

    uint256 private constant ALL = type(uint256).max;
    uint256 private constant BPS = 10_000;
    uint256 private constant WAD = 1e18;
    /// @dev Most raw units one lending move may differ by: the venue keeps balances scaled by an index and rounds twice.
    uint256 private constant DUST = 5;
    /// @dev Base worth at most this much of the dollars is what a stranger may have given, and closes no exit.
    uint256 private constant GIFT_BPS = 100;
    /// @dev Under pause swaps may buy this much of the debt they repay: room for the swap's own loss, not for trading.
    uint256 private constant PAUSED_SWAP_BPS = 10_100;

    address private immutable _base;
    IPriceOracle private immutable _oracle;
    /// @dev Raw base x price WAD / _scale = raw asset.
    uint256 private immutable _scale;
    uint8 private immutable _offset;

    address private _lending;
    address private _swapper;
    /// @inheritdoc IVault
    mapping(bytes32 id => bool) public intentUsed;

    /// @param asset_ the dollar token deposits are made in
    /// @param base_ the volatile token
    /// @param oracle_ prices base in asset
    /// @param owner_ sets what is riskier
    /// @param guardian_ may only make things safer; zero for none
    constructor(
        IERC20Metadata asset_,
        IERC20Metadata base_,
        IPriceOracle oracle_,
        address owner_,
        address guardian_,
        Limits memory limits_,
        string memory name_,
        string memory symbol_
    ) ERC4626(asset_) ERC20(name_, symbol_) Mandate(owner_, guardian_, limits_) {
        uint8 assetDecimals = asset_.decimals();
        uint8 baseDecimals = base_.decimals();
        Bounds.requireWithin("assetDecimals", assetDecimals, 6, 18); // below 6, DUST would be worth something
        Bounds.requireWithin("baseDecimals", baseDecimals, 6, 18);
        if (oracle_.quote() != address(asset_)) revert TokenNotAllowed(oracle_.quote());
        if (oracle_.base() != address(base_) || base_ == asset_) revert TokenNotAllowed(oracle_.base());
        _base = address(base_);
        _oracle = oracle_;
        _scale = 10 ** (18 + uint256(baseDecimals) - assetDecimals);
        _offset = assetDecimals <= 12 ? 18 - assetDecimals : 6;
    }

    // ---------------------------------------------------------------- owner

    /// @notice Bind the two adapters, once and for ever. Both must already be bound to this vault.
    function setVenues(ILendingAdapter newLending, ISwapAdapter newSwapper) external onlyOwner {
        if (_lending != address(0)) revert VenuesAlreadySet(_lending, _swapper);
        if (newLending.vault() != address(this)) {
            revert VenueMismatch(address(newLending), newLending.vault());
        }
        if (newSwapper.vault() != address(this)) {
            revert VenueMismatch(address(newSwapper), newSwapper.vault());
        }
        (_lending, _swapper) = (address(newLending), address(newSwapper));
        emit VenuesSet(address(newLending), address(newSwapper));
    }

    // ---------------------------------------------------------------- keeper

    /// @inheritdoc IVault
    function rebalance(Intent calldata intent, Move[] calldata moves) external nonReentrant {
        if (!isKeeper[msg.sender]) revert NotKeeper(msg.sender);
        if (block.timestamp > intent.deadline) {
            revert IntentExpired(intent.id, intent.deadline, block.timestamp);
        }
        if (intentUsed[intent.id]) revert IntentAlreadyUsed(intent.id);
        intentUsed[intent.id] = true;
        if (_lending == address(0)) revert VenuesNotSet();

        IPriceOracle.Reading memory reading = _oracle.read();
        (bool healthKnown, uint256 healthBefore) = _tryHealth();
        if (reading.fault == IPriceOracle.Fault.None && healthKnown) {
            _rebalancePriced(intent, moves, reading.priceWad, healthBefore);
        } else {
            _rebalanceUnpriced(intent.id, moves, healthBefore);
        }
    }

    /// @dev Everything measured before, applied, measured after, compared, charged.
    function _rebalancePriced(
        Intent calldata intent,
        Move[] calldata moves,
        uint256 price,
        uint256 healthBefore
    ) private {
        State memory before = _measure(price, healthBefore);
        uint256 bought;
        for (uint256 i; i < moves.length; ++i) {
            if (paused) _checkPausedMove(i, moves[i].kind);
            uint256 got = _apply(intent.id, i, moves[i], price);
            if (moves[i].token != _base || before.held.debtBase != 0) bought += got;
        }
        State memory afterwards = _measure(price, ILendingAdapter(_lending).healthWad());
        _checkRisk(before, afterwards);
        if (paused) _checkPausedOutcome(before, afterwards, bought);
        _chargeLoss(before.value, afterwards.value, intent.maxLoss, moves.length * DUST);
        emit Rebalanced(
            intent.id, msg.sender, before.value.nav, afterwards.value.nav, before.health, afterwards.health
        );
    }

    /// @dev Every move is one of the three that need no price, and conserves its token. Health cannot fall: debt only falls,
    /// collateral only rises, or nothing is owed.
    function _rebalanceUnpriced(bytes32 id, Move[] calldata moves, uint256 healthBefore) private {
        for (uint256 i; i < moves.length; ++i) {
            MoveKind kind = moves[i].kind;
            if (paused) _checkPausedMove(i, kind);
            bool exposed = kind == MoveKind.Borrow || kind == MoveKind.Swap
                || (kind == MoveKind.Withdraw && _indebted());
            if (exposed) revert MoveNeedsPrice(i, kind);
            _applyConserving(id, i, moves[i]);
        }
        (, uint256 healthAfter) = _tryHealth();
        emit Rebalanced(id, msg.sender, 0, 0, healthBefore, healthAfter);
    }

    // ---------------------------------------------------------------- moves

    /// @dev One move. Returns what a swap bought, asset units at `price`; 0 for the others.
    function _apply(bytes32 id, uint256 index, Move calldata move, uint256 price)
        private
        returns (uint256 bought)
    {
        if (move.token != asset() && move.token != _base) revert TokenNotAllowed(move.token);
        address expected = move.kind == MoveKind.Swap ? _swapper : _lending;
        if (move.adapter != expected) revert AdapterNotAllowed(move.kind, move.adapter);
        uint256 amount = _resolve(move);
        if (amount == 0) revert NothingToMove(index, move.kind, move.token);
        uint256 result = amount;
        if (move.kind == MoveKind.Withdraw) {
            result = ILendingAdapter(_lending).withdraw(move.token, amount);
        } else if (move.kind == MoveKind.Borrow) {
            result = ILendingAdapter(_lending).borrow(move.token, amount);
        } else {
            IERC20(move.token).forceApprove(move.adapter, amount);
            if (move.kind == MoveKind.Supply) ILendingAdapter(_lending).supply(move.token, amount);
            else if (move.kind == MoveKind.Repay) result = ILendingAdapter(_lending).repay(move.token, amount);
            else (result, bought) = _swap(move.token, amount, move.minOut, price);
            IERC20(move.token).forceApprove(move.adapter, 0);
        }
        emit MoveApplied(id, move.kind, move.adapter, move.token, amount, result);
    }

    /// @dev Sells and holds what was measured, not what was reported, against the oracle and the keeper's own bound.
    function _swap(address tokenIn, uint256 amount, uint256 minOut, uint256 price)
        private
        returns (uint256 received, uint256 bought)
    {
        bool sellsBase = tokenIn == _base;
        address tokenOut = sellsBase ? asset() : _base;
        uint256 spent = _idle(tokenIn);
        received = _idle(tokenOut);
        ISwapAdapter(_swapper).swap(tokenIn, amount, minOut);
        spent -= _idle(tokenIn); // cannot underflow: the adapter only takes
        received = _idle(tokenOut) - received;
        uint256 fair = sellsBase
            ? Math.mulDiv(spent, price, _scale, Math.Rounding.Ceil)
            : Math.mulDiv(spent, _scale, price, Math.Rounding.Ceil);
        uint256 least = Math.mulDiv(fair, BPS - limits().maxSwapLossBps, BPS, Math.Rounding.Ceil);
        least = Math.max(least, minOut);
        if (received < least) revert SwapLossTooLarge(tokenIn, spent, received, least);
        bought = sellsBase ? received : _toAssetUp(received, price);
    }

    /// @dev A supply, withdrawal or repayment whose two sides, vault and venue, must agree within `DUST`.
    function _applyConserving(bytes32 id, uint256 index, Move calldata move) private {
        uint256 idleBefore = _idle(move.token);
        (uint256 suppliedBefore, uint256 debtBefore) = ILendingAdapter(_lending).balances(move.token);
        _apply(id, index, move, 0); // the price is only used by swaps, which do not come here
        uint256 idleAfter = _idle(move.token);
        (uint256 suppliedAfter, uint256 debtAfter) = ILendingAdapter(_lending).balances(move.token);
        // What the vault had before and has after of this token, debt on the other side so that nothing is negative.
        uint256 given = idleBefore + suppliedBefore + debtAfter;
        uint256 credited = idleAfter + suppliedAfter + debtBefore;
        if (given > credited + DUST) revert NotConserved(move.kind, move.token, given, credited);
    }

    /// @dev The amount a move means: all idle, all supplied, or as much of the debt as idle can pay.
    function _resolve(Move calldata move) private view returns (uint256 amount) {
        amount = move.amount;
        if (move.kind == MoveKind.Borrow || move.kind == MoveKind.Withdraw) return amount;
        uint256 idle = _idle(move.token);
        if (amount == ALL) {
            amount = idle;
            if (move.kind == MoveKind.Repay) {
                (, uint256 debt) = ILendingAdapter(_lending).balances(move.token);
                amount = Math.min(idle, debt);
            }
        }
        if (amount > idle) revert IdleTooLow(move.token, amount, idle);
    }

    // ---------------------------------------------------------------- checks

    function _checkPausedMove(uint256 index, MoveKind kind) private view {
        if (kind == MoveKind.Borrow || (kind == MoveKind.Supply && !_indebted())) {
            revert PausedMove(index, kind);
        }
    }

    function _checkPausedOutcome(State memory before, State memory afterwards, uint256 bought) private pure {
        bool riskier = afterwards.health < before.health || afterwards.held.debtAsset > before.held.debtAsset
            || afterwards.held.debtBase > before.held.debtBase;
        if (riskier) {
            revert PausedRiskRaised(
                before.health, afterwards.health, before.value.debt, afterwards.value.debt
            );
        }
        // No debt rose and the price is the same. Without base owed there is no debt that buying base repays.
        uint256 repaid = before.held.debtBase == 0 ? 0 : before.value.debt - afterwards.value.debt;
        if (bought > Math.mulDiv(repaid, PAUSED_SWAP_BPS, BPS)) revert PausedSwapTooLarge(bought, repaid);
    }

    function _checkRisk(State memory before, State memory afterwards) private view {
        Limits memory limits_ = limits();
        if (afterwards.health < limits_.minHealthWad && afterwards.health <= before.health) {
            revert HealthTooLow(before.health, afterwards.health, limits_.minHealthWad);
        }
        // By token, not in sum: to owe less of one and more of the other is new debt in the other.
        bool debtRose = afterwards.held.debtAsset > before.held.debtAsset
            || afterwards.held.debtBase > before.held.debtBase;
        if (!debtRose) return;
        Value memory value = afterwards.value;
        uint256 debtBps =
            value.gross == 0 ? ALL : Math.mulDiv(value.debt, BPS, value.gross, Math.Rounding.Ceil);
        if (debtBps > limits_.maxBorrowBps) revert BorrowRatioTooHigh(debtBps, limits_.maxBorrowBps);
    }

    /// @dev The loss is counted with its sign, so that NAV's floor at zero hides none: an insolvent vault may lose nothing. Up to
    /// `dust` it is the venue's rounding and no loss: a repayment must not wait for the bucket (V-08).
    function _chargeLoss(Value memory before, Value memory afterwards, uint256 maxLoss, uint256 dust)
        private
    {
        uint256 loss = Math.saturatingSub(before.gross + afterwards.debt, afterwards.gross + before.debt);
        if (loss <= dust) return;
        uint256 allowed = Math.min(maxLoss, Math.mulDiv(before.nav, limits().maxLossBps, BPS));
        if (loss > allowed) revert LossTooLarge(loss, allowed);
        _bucket.charge(_capacityWad(), loss, before.nav); // nav is not 0: then nothing would be allowed
    }

    // ---------------------------------------------------------------- depositors

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver)
        public
        override(ERC4626, IERC4626)
        returns (uint256 shares)
    {
        uint256 nav_ = _openNav();
        shares = _toSharesDown(assets, nav_);
        if (shares == 0) revert ZeroShares(assets);
        _deposit(msg.sender, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        returns (uint256 assets)
    {
        assets = _toAssetsUp(shares, _openNav());
        if (shares == 0) revert ZeroShares(assets);
        _deposit(msg.sender, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner_)
        public
        override(ERC4626, IERC4626)
        returns (uint256 shares)
    {
        uint256 nav_ = exitNav();
        uint256 most = Math.min(_toAssetsDown(balanceOf(owner_), nav_), _idle(asset()));
        if (assets > most) revert ERC4626ExceededMaxWithdraw(owner_, assets, most);
        shares = _toSharesUp(assets, nav_);
        _withdraw(msg.sender, receiver, owner_, assets, shares);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner_)
        public
        override(ERC4626, IERC4626)
        returns (uint256 assets)
    {
        uint256 nav_ = exitNav();
        uint256 most = _redeemable(owner_, nav_);
        if (shares > most) revert ERC4626ExceededMaxRedeem(owner_, shares, most);
        assets = _toAssetsDown(shares, nav_);
        _withdraw(msg.sender, receiver, owner_, assets, shares);
    }

    /// @dev The lock is taken here, after the price of the shares is fixed by views alone.
    function _deposit(address caller, address receiver, uint256 assets, uint256 shares)
        internal
        override
        nonReentrant
    {
        super._deposit(caller, receiver, assets, shares);
    }

    /// @dev As `_deposit`.
    function _withdraw(address caller, address receiver, address owner_, uint256 assets, uint256 shares)
        internal
        override
        nonReentrant
    {
        super._withdraw(caller, receiver, owner_, assets, shares);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVault
    function nav() public view returns (uint256) {
        if (_reentrancyGuardEntered()) revert Reentered();
        return _currentValue().nav;
    }

    /// @inheritdoc IVault
    /// @dev Base that is owed has no low mark. Base that is more than a gift would be left behind without a word: then exits wait.
    function exitNav() public view returns (uint256) {
        if (_reentrancyGuardEntered()) revert Reentered();
        Holdings memory held = _holdings();
        IPriceOracle.Reading memory reading = _oracle.read();
        if (reading.fault == IPriceOracle.Fault.None) return _valueOf(held, reading.priceWad).nav;
        uint256 lowMark = _valueOf(held, 0).nav;
        uint256 baseHeld = held.idleBase + held.suppliedBase;
        uint256 hint = Math.max(reading.priceWad, reading.twapWad); // unusable, but good enough to tell a gift from a holding
        bool isGift = hint != 0 && _toAssetUp(baseHeld, hint) <= Math.mulDiv(lowMark, GIFT_BPS, BPS);
        if (held.debtBase == 0 && (baseHeld == 0 || isGift)) return lowMark;
        return _valueOf(held, _oracle.priceWad()).nav; // reverts with the reason
    }

    /// @inheritdoc IERC4626
    /// @dev NAV: what is owed is taken off, and never below zero.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        return nav();
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return _open() ? ALL : 0;
    }

    /// @inheritdoc IERC4626
    function maxMint(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return _open() ? ALL : 0;
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner_) public view override(ERC4626, IERC4626) returns (uint256) {
        (bool known, uint256 nav_) = _tryExitNav();
        return known ? Math.min(_toAssetsDown(balanceOf(owner_), nav_), _idle(asset())) : 0;
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner_) public view override(ERC4626, IERC4626) returns (uint256) {
        (bool known, uint256 nav_) = _tryExitNav();
        return known ? _redeemable(owner_, nav_) : 0;
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        return _toSharesUp(assets, exitNav());
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        return _toAssetsDown(shares, exitNav());
    }

    /// @inheritdoc IVault
    function lossBudget() external view returns (uint256 left, uint256 capacity) {
        uint256 nav_ = nav();
        uint256 capacityWad = _capacityWad();
        left = Math.mulDiv(nav_, _bucket.leftWadDown(capacityWad), WAD);
        capacity = Math.mulDiv(nav_, capacityWad, WAD);
    }

    /// @inheritdoc IVault
    function oracle() external view returns (address) {
        return address(_oracle);
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
    function base() external view returns (address) {
        return _base;
    }

    // ---------------------------------------------------------------- value

    function _holdings() private view returns (Holdings memory held) {
        held.idleAsset = _idle(asset());
        held.idleBase = _idle(_base);
        if (_lending == address(0)) return held;
        (held.suppliedAsset, held.debtAsset) = ILendingAdapter(_lending).balances(asset());
        (held.suppliedBase, held.debtBase) = ILendingAdapter(_lending).balances(_base);
    }

    function _measure(uint256 price, uint256 health) private view returns (State memory state) {
        state.held = _holdings();
        state.value = _valueOf(state.held, price);
        state.health = health;
    }

    function _valueOf(Holdings memory held, uint256 price) private view returns (Value memory value) {
        uint256 baseHeld = held.idleBase + held.suppliedBase;
        value.gross = held.idleAsset + held.suppliedAsset + Math.mulDiv(baseHeld, price, _scale);
        value.debt = held.debtAsset + _toAssetUp(held.debtBase, price);
        value.nav = Math.saturatingSub(value.gross, value.debt);
    }

    /// @dev Without any base the price does not matter, and its faults do not close the vault.
    function _currentValue() private view returns (Value memory) {
        Holdings memory held = _holdings();
        bool matters = held.idleBase + held.suppliedBase + held.debtBase != 0;
        return _valueOf(held, matters ? _oracle.priceWad() : 0);
    }

    /// @dev NAV for a deposit; reverts with the reason why none is taken now.
    function _openNav() private view returns (uint256) {
        if (_reentrancyGuardEntered()) revert Reentered();
        if (_lending == address(0)) revert VenuesNotSet();
        if (paused) revert DepositsPaused();
        Value memory value = _currentValue();
        // A deposit would be given to the lenders. An emptied vault is not insolvent: the shares that rounding left in it are worth
        // nothing, and one unit of asset at most after the deposit.
        if (value.debt > value.gross) revert Insolvent(value.gross, value.debt);
        return value.nav;
    }

    function _open() private view returns (bool) {
        if (_lending == address(0) || paused) return false;
        (bool known, uint256 nav_) = _tryNav();
        if (!known || nav_ != 0) return known;
        Value memory value = _currentValue(); // cannot revert: it was just read
        return value.debt <= value.gross;
    }

    /// @dev For the maxima, which must not revert.
    function _tryNav() private view returns (bool known, uint256 nav_) {
        try this.nav() returns (uint256 value) {
            return (true, value);
        } catch {
            return (false, 0);
        }
    }

    function _tryExitNav() private view returns (bool known, uint256 nav_) {
        try this.exitNav() returns (uint256 value) {
            return (true, value);
        } catch {
            return (false, 0);
        }
    }

    function _tryHealth() private view returns (bool known, uint256 health) {
        try ILendingAdapter(_lending).healthWad() returns (uint256 value) {
            return (true, value);
        } catch {
            return (false, 0);
        }
    }

    function _indebted() private view returns (bool) {
        (, uint256 debtAsset) = ILendingAdapter(_lending).balances(asset());
        (, uint256 debtBase) = ILendingAdapter(_lending).balances(_base);
        return debtAsset != 0 || debtBase != 0;
    }

    function _idle(address token) private view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }

    function _toAssetUp(uint256 baseAmount, uint256 price) private view returns (uint256) {
        return Math.mulDiv(baseAmount, price, _scale, Math.Rounding.Ceil);
    }

    // ---------------------------------------------------------------- shares

    /// @dev Shares whose value idle can pay, at most the owner's; none while they are worth nothing, so that nobody burns them
    /// for nothing.
    function _redeemable(address owner_, uint256 nav_) private view returns (uint256) {
        if (nav_ == 0) return 0;
        return Math.min(balanceOf(owner_), _toSharesDown(_idle(asset()), nav_));
    }

    /// @dev Virtual shares and one virtual unit of asset (V-02): a donation before the first deposit costs its giver more than it
    /// takes from anybody.
    function _toSharesDown(uint256 assets, uint256 nav_) private view returns (uint256) {
        return Math.mulDiv(assets, totalSupply() + 10 ** _offset, nav_ + 1);
    }

    function _toSharesUp(uint256 assets, uint256 nav_) private view returns (uint256) {
        return Math.mulDiv(assets, totalSupply() + 10 ** _offset, nav_ + 1, Math.Rounding.Ceil);
    }

    function _toAssetsDown(uint256 shares, uint256 nav_) private view returns (uint256) {
        return Math.mulDiv(shares, nav_ + 1, totalSupply() + 10 ** _offset);
    }

    function _toAssetsUp(uint256 shares, uint256 nav_) private view returns (uint256) {
        return Math.mulDiv(shares, nav_ + 1, totalSupply() + 10 ** _offset, Math.Rounding.Ceil);
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _offset;
    }
}
