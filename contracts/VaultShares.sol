// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem, IERC7575Share} from "./interfaces/IERC7540.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {IValuation} from "./interfaces/IValuation.sol";
import {IVaultShares} from "./interfaces/IVaultShares.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {FeeMath} from "./libraries/FeeMath.sol";
import {Requests} from "./libraries/Requests.sol";
import {SettlementMath} from "./libraries/SettlementMath.sol";
import {ShareMath} from "./libraries/ShareMath.sol";

/// @title VaultShares
/// @notice The depositors' side of a vault: shares, requests, settlements, fees.
///
/// A request waits for the next settlement and is priced by it, losses included (V-03): deposits at the high mark, redemptions
/// at the low one. Settling is anybody's once the epoch is over and costs the same for any number of requests; what liquid
/// assets do not cover is settled pro rata and the rest goes on waiting. What is settled belongs to its claimants: neither
/// NAV nor any move sees it (V-01), nor what still waits.
///
/// What is assumed of the asset: balances change by transfers only. What arrives is measured, so a fee on transfer is refused;
/// a balance below what is owed stops settlements (`AssetsMissing`) and moves, not cancellations and claims.
abstract contract VaultShares is ERC20, ReentrancyGuardTransient, IVaultShares {
    using Requests for Requests.Queue;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot, read by every request.
    struct Gate {
        uint128 cap;
        uint88 minimum;
        bool allowListed;
        bool unhedged;
        bool halted; // by the mandate: paused or winding down
        bool windingDown;
        bool opened; // the venues are bound and the seed is in
    }

    /// @dev What the last settlement left, two slots.
    struct Last {
        uint128 nav;
        uint40 settledAt;
        uint32 epoch;
        uint128 mark; // high-water mark, asset units of one whole share, times FeeMath.MARK
    }

    uint256 internal constant MIN_EPOCH = 10 minutes;
    uint256 internal constant MAX_EPOCH = 30 days;
    /// @dev Of every request: requests are told apart by controller alone.
    uint256 private constant REQUEST_ID = 0;
    /// @dev Where the seed's shares go: nobody's, for ever.
    address internal constant SEED_HOLDER = address(0xdEaD);

    address private immutable _asset;
    IMandate private immutable _mandate_;
    IValuation private immutable _valuation_;
    uint256 private immutable _epochLength;
    uint256 private immutable _virtualShares_;
    uint256 private immutable _wholeShare;
    uint8 private immutable _decimals;

    Gate internal _gate;
    Last private _last;
    Fees private _fees;
    Fees private _nextFees;
    uint256 private _supply;
    uint256 private _own; // shares of the vault itself: redemptions that wait, deposits that are settled and not claimed
    uint128 private _reserved;
    Requests.Queue private _deposits;
    Requests.Queue private _redemptions;
    mapping(address controller => Requests.Request) private _depositOf;
    mapping(address controller => Requests.Request) private _redemptionOf;
    /// @inheritdoc IERC7540Operator
    mapping(address controller => mapping(address operator => bool)) public isOperator;
    /// @inheritdoc IVaultShares
    mapping(address account => bool) public allowed;

    modifier onlyMandate() {
        _requireMandate();
        _;
    }

    modifier authorised(address controller) {
        _requireAuthorised(controller);
        _;
    }

    constructor(
        IERC20Metadata asset_,
        IMandate mandate_,
        uint256 epochLength_,
        DepositPolicy memory policy,
        Fees memory fees_
    ) {
        uint8 assetDecimals = asset_.decimals();
        Bounds.requireWithin("assetDecimals", assetDecimals, 6, 18); // below 6, a venue's rounding would be worth something
        Bounds.requireWithin("epochLength", epochLength_, MIN_EPOCH, MAX_EPOCH);
        (_asset, _mandate_, _epochLength) = (address(asset_), mandate_, epochLength_);
        _valuation_ = mandate_.valuation();
        uint8 offset = assetDecimals <= 12 ? 18 - assetDecimals : 6;
        _decimals = assetDecimals + offset;
        _virtualShares_ = 10 ** offset;
        _wholeShare = 10 ** (assetDecimals + offset);
        _last.settledAt = uint40(block.timestamp);
        _last.mark = uint128(10 ** assetDecimals * FeeMath.MARK);
        _writePolicy(policy);
        _checkFees(fees_);
        (_fees, _nextFees) = (fees_, fees_);
        emit FeesSet(fees_);
    }

    // ---------------------------------------------------------------- requests

    /// @inheritdoc IERC7540Deposit
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        nonReentrant
        authorised(owner)
        returns (uint256)
    {
        if (controller == address(0)) revert ZeroAddress();
        Gate memory gate = _gate;
        if (assets == 0 || assets < gate.minimum) revert DepositTooSmall(assets, gate.minimum);
        if (gate.allowListed && !allowed[controller]) revert NotAllowed(controller);
        if (!gate.opened || gate.unhedged || gate.halted) revert DepositsHalted();
        uint256 room = Math.saturatingSub(gate.cap, uint256(_last.nav) + _deposits.pending);
        if (assets > room) revert CapExceeded(assets, room);
        _deposits.join(_depositOf[controller], assets, _depositScale());
        emit DepositRequest(controller, owner, REQUEST_ID, msg.sender, assets);
        _pull(asset(), owner, assets);
        return REQUEST_ID;
    }

    /// @inheritdoc IERC7540Redeem
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        nonReentrant
        returns (uint256)
    {
        if (shares == 0) revert ZeroAmount();
        if (controller == address(0)) revert ZeroAddress();
        if (owner != msg.sender && !isOperator[owner][msg.sender]) {
            _spendAllowance(owner, msg.sender, shares);
        }
        _redemptions.join(_redemptionOf[controller], shares, _redeemScale());
        emit RedeemRequest(controller, owner, REQUEST_ID, msg.sender, shares);
        _transfer(owner, address(this), shares);
        return REQUEST_ID;
    }

    /// @inheritdoc IVaultShares
    function cancelDepositRequest(address controller, address receiver)
        external
        nonReentrant
        authorised(controller)
        returns (uint256 assets)
    {
        assets = _deposits.leave(_depositOf[controller], _depositScale());
        if (assets == 0) revert NothingRequested(controller);
        emit DepositRequestCancelled(controller, receiver, msg.sender, assets);
        IERC20(asset()).safeTransfer(receiver, assets);
    }

    /// @inheritdoc IVaultShares
    function cancelRedeemRequest(address controller, address receiver)
        external
        nonReentrant
        authorised(controller)
        returns (uint256 shares)
    {
        shares = _redemptions.leave(_redemptionOf[controller], _redeemScale());
        if (shares == 0) revert NothingRequested(controller);
        emit RedeemRequestCancelled(controller, receiver, msg.sender, shares);
        _transfer(address(this), receiver, shares);
    }

    /// @inheritdoc IERC7540Operator
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    // ---------------------------------------------------------------- claims

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver) external returns (uint256) {
        return deposit(assets, receiver, msg.sender);
    }

    /// @inheritdoc IERC7540Deposit
    function deposit(uint256 assets, address receiver, address controller)
        public
        nonReentrant
        authorised(controller)
        returns (uint256 shares)
    {
        if (assets == 0) revert ZeroAmount();
        shares = _deposits.claimIn(_depositOf[controller], assets, _depositScale());
        _giveClaim(assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver) external returns (uint256) {
        return mint(shares, receiver, msg.sender);
    }

    /// @inheritdoc IERC7540Deposit
    function mint(uint256 shares, address receiver, address controller)
        public
        nonReentrant
        authorised(controller)
        returns (uint256 assets)
    {
        if (shares == 0) revert ZeroAmount();
        assets = _deposits.claimOut(_depositOf[controller], shares, _depositScale());
        _giveClaim(assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address controller)
        external
        nonReentrant
        authorised(controller)
        returns (uint256 assets)
    {
        if (shares == 0) revert ZeroAmount();
        assets = _redemptions.claimIn(_redemptionOf[controller], shares, _redeemScale());
        _payClaim(assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address controller)
        external
        nonReentrant
        authorised(controller)
        returns (uint256 shares)
    {
        if (assets == 0) revert ZeroAmount();
        shares = _redemptions.claimOut(_redemptionOf[controller], assets, _redeemScale());
        _payClaim(assets, shares, receiver, controller);
    }

    // ---------------------------------------------------------------- settlement

    /// @inheritdoc IVaultShares
    function settle() external nonReentrant {
        uint256 dueAt = _dueAt();
        if (block.timestamp < dueAt) revert NotDue(dueAt, block.timestamp);
        if (!_gate.opened) revert DepositsHalted();
        _mandate().inspect();
        SettlementMath.Output memory out = _valuation().settlement(_settlementInput());
        _takeFees(out);
        if (out.assetsIn != 0) {
            _deposits.settle(out.assetsIn, out.sharesOut, _depositScale());
            _mint(address(this), out.sharesOut);
        }
        if (out.sharesIn != 0) {
            _redemptions.settle(out.sharesIn, out.assetsOut, _redeemScale());
            _reserved = (_reserved + out.assetsOut).toUint128();
            _burn(address(this), out.sharesIn);
        }
        _last.nav = Math.saturatingSub(out.navLow + out.assetsIn, out.assetsOut).toUint128();
        _last.settledAt = uint40(block.timestamp);
        uint256 epoch = ++_last.epoch;
        _mandate().advance();
        emit Settled(epoch, out.navLow, out.navHigh, out.assetsIn, out.sharesOut, out.sharesIn, out.assetsOut);
    }

    function _settlementInput() private view returns (SettlementMath.Input memory) {
        Fees memory charged = _fees;
        bool charges = charged.recipient != address(0);
        return SettlementMath.Input({
            supply: totalSupply(),
            pendingAssets: _deposits.pending,
            pendingShares: _redemptions.pending,
            liquid: _idleAsset(), // reverts if assets are missing
            elapsed: _gate.windingDown ? 0 : block.timestamp - _last.settledAt,
            managementBps: charges ? charged.managementBps : 0,
            performanceBps: charges ? charged.performanceBps : 0,
            mark: _last.mark,
            virtualShares: _virtualShares(),
            wholeShare: _wholeShare,
            takesDeposits: !depositsHalted()
        });
    }

    // ---------------------------------------------------------------- fees

    /// @dev At the rates that held until now; what was set meanwhile holds from now on.
    function _takeFees(SettlementMath.Output memory out) private {
        address recipient = _fees.recipient;
        _fees = _nextFees;
        _last.mark = uint128(out.mark); // at most uint128's maximum
        if (recipient == address(0)) return;
        emit FeesAccrued(recipient, out.managementShares, out.performanceShares);
        _mint(recipient, out.managementShares + out.performanceShares);
    }

    /// @inheritdoc IVaultShares
    function setFees(Fees calldata newFees) external onlyMandate {
        _checkFees(newFees);
        _nextFees = newFees;
        // What is lower holds now: nobody loses by it but the recipient.
        _fees.managementBps = uint16(Math.min(_fees.managementBps, newFees.managementBps));
        _fees.performanceBps = uint16(Math.min(_fees.performanceBps, newFees.performanceBps));
        emit FeesSet(newFees);
    }

    function _checkFees(Fees memory fees_) private pure {
        bool over = fees_.managementBps > FeeMath.MANAGEMENT_CEILING_BPS
            || fees_.performanceBps > FeeMath.PERFORMANCE_CEILING_BPS;
        if (over) revert FeesTooHigh(fees_.managementBps, fees_.performanceBps);
    }

    // ---------------------------------------------------------------- policy

    /// @inheritdoc IVaultShares
    function setDepositPolicy(DepositPolicy calldata newPolicy) external onlyMandate {
        _writePolicy(newPolicy);
    }

    /// @inheritdoc IVaultShares
    function setAllowed(address account, bool isAllowed) external onlyMandate {
        allowed[account] = isAllowed;
        emit AllowedSet(account, isAllowed);
    }

    /// @inheritdoc IVaultShares
    function setHalted(bool paused, bool windingDown) external onlyMandate {
        (_gate.halted, _gate.windingDown) = (paused || windingDown, windingDown);
    }

    function _writePolicy(DepositPolicy memory policy) private {
        (_gate.cap, _gate.minimum, _gate.allowListed) = (policy.cap, policy.minimum, policy.allowListed);
        emit DepositPolicySet(policy);
    }

    /// @inheritdoc IVaultShares
    function sweep(address token) external nonReentrant returns (uint256 amount) {
        if (_isOurs(token)) revert NotSweepable(token);
        address recipient = _nextFees.recipient;
        if (recipient == address(0)) revert ZeroAddress();
        amount = _balance(token);
        emit Swept(token, recipient, amount);
        IERC20(token).safeTransfer(recipient, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IERC7540Deposit
    function pendingDepositRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 assets)
    {
        if (requestId == REQUEST_ID) {
            (assets,,) = _depositParts(controller);
        }
    }

    /// @inheritdoc IERC7540Deposit
    function claimableDepositRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 assets)
    {
        if (requestId == REQUEST_ID) assets = maxDeposit(controller);
    }

    /// @inheritdoc IERC7540Redeem
    function pendingRedeemRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 shares)
    {
        if (requestId == REQUEST_ID) {
            (shares,,) = _redemptionParts(controller);
        }
    }

    /// @inheritdoc IERC7540Redeem
    function claimableRedeemRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 shares)
    {
        if (requestId == REQUEST_ID) shares = maxRedeem(controller);
    }

    /// @inheritdoc IERC4626
    /// @dev What `controller` may claim, in assets of its settled requests.
    function maxDeposit(address controller) public view returns (uint256 assets) {
        (, assets,) = _depositParts(controller);
    }

    /// @inheritdoc IERC4626
    function maxMint(address controller) external view returns (uint256 shares) {
        (,, shares) = _depositParts(controller);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address controller) public view returns (uint256 shares) {
        (, shares,) = _redemptionParts(controller);
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address controller) external view returns (uint256 assets) {
        (,, assets) = _redemptionParts(controller);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256) external pure returns (uint256) {
        revert AsynchronousOnly();
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256) external pure returns (uint256) {
        revert AsynchronousOnly();
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256) external pure returns (uint256) {
        revert AsynchronousOnly();
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256) external pure returns (uint256) {
        revert AsynchronousOnly();
    }

    /// @inheritdoc IERC4626
    /// @dev As of the last settlement: a number that no price, no feed and no call in progress can bend. `nav` is the live one.
    function totalAssets() public view returns (uint256) {
        return _last.nav;
    }

    /// @inheritdoc IERC4626
    /// @dev At the value of the last settlement.
    function convertToShares(uint256 assets) external view returns (uint256) {
        return ShareMath.toSharesDown(assets, totalSupply(), _last.nav, _virtualShares());
    }

    /// @inheritdoc IERC4626
    /// @dev At the value of the last settlement.
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return ShareMath.toAssetsDown(shares, totalSupply(), _last.nav, _virtualShares());
    }

    /// @inheritdoc IERC4626
    function asset() public view returns (address) {
        return _asset;
    }

    /// @inheritdoc IERC7575Share
    function share() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IERC20Metadata
    function decimals() public view override(ERC20, IERC20Metadata) returns (uint8) {
        return _decimals;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == 0x2f0a18c5 || id == type(IERC7540Operator).interfaceId
            || id == type(IERC7540Deposit).interfaceId || id == type(IERC7540Redeem).interfaceId;
    }

    /// @inheritdoc IVaultShares
    function epochState() external view returns (EpochState memory) {
        return EpochState({
            epoch: _last.epoch,
            settledAt: _last.settledAt,
            dueAt: _dueAt(),
            pendingDeposits: _deposits.pending,
            pendingRedemptions: _redemptions.pending,
            reserved: _reserved,
            settledNav: _last.nav,
            highWaterMark: _last.mark
        });
    }

    /// @inheritdoc IVaultShares
    function depositPolicy() external view returns (DepositPolicy memory) {
        return DepositPolicy(_gate.cap, _gate.minimum, _gate.allowListed);
    }

    /// @inheritdoc IVaultShares
    function fees() external view returns (Fees memory current, Fees memory next) {
        return (_fees, _nextFees);
    }

    /// @inheritdoc IVaultShares
    function depositsHalted() public view returns (bool) {
        return !_gate.opened || _gate.unhedged || _gate.halted;
    }

    /// @inheritdoc IVaultShares
    function locked() external view returns (bool) {
        return _reentrancyGuardEntered();
    }

    /// @inheritdoc IERC20
    function totalSupply() public view override(ERC20, IERC20) returns (uint256) {
        return _supply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) public view override(ERC20, IERC20) returns (uint256) {
        return account == address(this) ? _own : _depositOf[account].waiting.held;
    }

    // ---------------------------------------------------------------- inside

    /// @dev ERC-20's whole ledger; see `_setBalance`.
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) {
            _supply += value;
        } else {
            uint256 has = balanceOf(from);
            if (has < value) revert ERC20InsufficientBalance(from, has, value);
            _setBalance(from, has - value);
        }
        if (to == address(0)) _supply -= value;
        else _setBalance(to, balanceOf(to) + value);
        emit Transfer(from, to, value);
    }

    /// @dev A balance stands in the slot of its holder's deposit request, so that to claim is to write one slot instead of two
    /// and a request finds it in use. No account but the vault holds more than 2^112 - 1; settlements never fail for that.
    function _setBalance(address account, uint256 balance) private {
        if (account == address(this)) _own = balance;
        else _depositOf[account].waiting.held = balance.toUint112();
    }

    /// @dev Tokens that `sweep` never touches.
    function _isOurs(address token) internal view virtual returns (bool);

    /// @dev Asset that is neither reserved nor waiting; reverts if even that is not all there (V-01).
    function _idleAsset() internal view returns (uint256) {
        uint256 balance = _balance(asset());
        uint256 owed = uint256(_reserved) + _deposits.pending;
        if (balance < owed) revert AssetsMissing(balance, owed);
        return balance - owed;
    }

    /// @dev What arrives is measured: a token that keeps a part is not taken.
    function _pull(address token, address from, uint256 amount) internal {
        uint256 before = _balance(token);
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = _balance(token) - before;
        if (received != amount) revert TransferMismatch(amount, received);
    }

    function _balance(address token) internal view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }

    /// @dev The first shares, at the price of virtual ones, to nobody.
    function _seed(uint256 assets) internal {
        _gate.opened = true;
        _last.nav = assets.toUint128();
        _mint(SEED_HOLDER, assets * _virtualShares());
        _pull(asset(), msg.sender, assets);
    }

    /// @dev Shares, virtual ones included: what an exit's part is taken of.
    function _wholeSupply() internal view returns (uint256) {
        return totalSupply() + _virtualShares();
    }

    function _burnForExit(uint256 shares) internal {
        uint256 whole = _wholeSupply();
        _burn(msg.sender, shares);
        _last.nav = Math.mulDiv(_last.nav, whole - shares, whole).toUint128();
    }

    function _giveClaim(uint256 assets, uint256 shares, address receiver, address controller) private {
        emit Deposit(controller, receiver, assets, shares);
        _transfer(address(this), receiver, shares);
    }

    function _payClaim(uint256 assets, uint256 shares, address receiver, address controller) private {
        _reserved -= assets.toUint128();
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        IERC20(asset()).safeTransfer(receiver, assets);
    }

    function _depositParts(address controller)
        private
        view
        returns (uint256 waiting, uint256 assets, uint256 shares)
    {
        return _deposits.split(_depositOf[controller], _depositScale());
    }

    function _redemptionParts(address controller)
        private
        view
        returns (uint256 waiting, uint256 shares, uint256 assets)
    {
        return _redemptions.split(_redemptionOf[controller], _redeemScale());
    }

    function _requireAuthorised(address controller) private view {
        if (controller != msg.sender && !isOperator[controller][msg.sender]) {
            revert NotOperator(controller, msg.sender);
        }
    }

    function _requireMandate() private view {
        if (msg.sender != address(_mandate())) revert NotMandate(msg.sender);
    }

    function _dueAt() private view returns (uint256) {
        return uint256(_last.settledAt) + _epochLength;
    }

    /// @dev Immutables stand in the code wherever they are used, and code is short here: each is read in one place.
    function _mandate() internal view returns (IMandate) {
        return _mandate_;
    }

    function _valuation() internal view returns (IValuation) {
        return _valuation_;
    }

    function _virtualShares() private view returns (uint256) {
        return _virtualShares_;
    }

    function _depositScale() private view returns (uint256) {
        return 1e30 / _virtualShares();
    }

    function _redeemScale() private view returns (uint256) {
        return 1e18 * _virtualShares();
    }
}
