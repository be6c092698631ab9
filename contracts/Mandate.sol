// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {TermChecks} from "./TermChecks.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {IValuation} from "./interfaces/IValuation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IVaultShares} from "./interfaces/IVaultShares.sol";
import {LossBudget} from "./libraries/LossBudget.sol";
import {OptionLimits} from "./libraries/OptionLimits.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title Mandate
/// @notice What any keeper may do to one vault, who may change it, and the judge of every rebalance.
///
/// Who: the roles of an AccessManager. The curator's functions make the vault riskier and wait for that role's delay; the guardian's
/// make it safer and take effect at once (V-14). The mandate alone grants and revokes the keeper's role. Every parameter stays
/// within the hard bounds of `TermBounds`, whoever sets it.
///
/// How a rebalance is judged, by what was measured before and after (`close`):
/// - health of the venue at least the minimum, or higher than before (V-05);
/// - net delta inside its band, or nearer to the target than before (V-06); what reduces every risk from below the minimum health
///   is let out of the band: safety comes first;
/// - debt within the mandate where the debt of either token rose;
/// - NAV lost within the intent, the mandate and one of two buckets (V-04);
/// - unless it reduced every measured risk (V-08): not paused, not winding down, cooldown, oracle age, turnover, shares of
///   venues, notional and vega.
/// What reduced every measured risk is charged to the protective bucket, everything else to the routine one, so that neither
/// can use up what the other needs.
contract Mandate is IMandate, AccessManaged {
    using LossBudget for LossBudget.Bucket;
    using SafeCast for uint256;

    /// @notice A keeper silent for so long is gone: anybody may wind the vault down.
    uint256 public constant ABANDONED_AFTER = 14 days;

    /// @notice After a rescue risk may only fall for so long: a keeper who let it come to that, or made it, shall not lead the vault
    /// there again the same day.
    uint256 public constant AFTER_RESCUE = 1 days;

    uint256 private constant BPS = 10_000;
    uint256 private constant WAD_PER_BPS = 1e14;
    /// @dev A venue that holds less than was left there by more than this is no longer where the vault left it.
    uint256 private constant UNHEDGED_DUST = 5;
    uint256 private constant UNHEDGED_PPM = 100;
    uint256 private constant ALL = type(uint256).max;
    /// @dev Swaps may buy this much of the debt they repay and still count as reducing: room for their own loss, not for trading.
    uint256 private constant REDUCING_SWAP_BPS = 10_100;
    /// @dev More collateral is protection up to so many times the minimum health; beyond, it is lending, and has a cap.
    uint256 private constant TOP_UP_TIMES = 4;

    /// @dev One slot, which every rebalance writes. Times are unix seconds.
    struct Moments {
        uint48 counter; // of changes of state
        uint48 beat;
        uint48 routine;
        uint48 sale; // last rescue that sold
        uint48 rescue; // last rescue
        bool paused;
        bool windingDown;
    }

    /// @dev What the lending venue was left with by the last change, token units: it may only grow by itself.
    struct Left {
        uint128 suppliedAsset;
        uint128 suppliedBase;
    }

    /// @inheritdoc IMandate
    IValuation public immutable valuation;
    /// @inheritdoc IMandate
    address public immutable oracle;
    TermChecks private immutable _checks;
    /// @dev Raw base x price WAD / _scale = raw asset.
    uint256 private immutable _scale;

    /// @inheritdoc IMandate
    address public vault;
    address private _desk;
    Left private _left;
    Limits private _limits;
    Caps private _caps;
    Emergency private _emergency;
    OptionLimits private _options;
    LossBudget.Bucket private _routine;
    LossBudget.Bucket private _protective;
    LossBudget.Bucket private _turnover;
    Moments private _at;

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    constructor(IAccessManager manager, IValuation valuation_, Terms memory terms_)
        AccessManaged(address(manager))
    {
        _checks = new TermChecks();
        valuation = valuation_;
        oracle = valuation_.oracle();
        uint256 baseDecimals = IERC20Metadata(IPriceOracle(oracle).base()).decimals();
        uint256 assetDecimals = IERC20Metadata(IPriceOracle(oracle).quote()).decimals();
        _scale = 10 ** (18 + baseDecimals - assetDecimals); // both are 6 to 18, as the valuation checked
        _writeTerms(terms_);
        _at.beat = uint48(block.timestamp);
    }

    // ---------------------------------------------------------------- curator: riskier, after a delay

    /// @inheritdoc IMandate
    function setTerms(bytes32 expected, Terms calldata newTerms) external restricted {
        bytes32 current = termsHash();
        if (expected != current) revert TermsChanged(expected, current);
        _writeTerms(newTerms);
    }

    /// @inheritdoc IMandate
    function addKeeper(address keeper) external restricted {
        if (keeper == address(0)) revert ZeroAddress();
        IAccessManager(authority()).grantRole(Roles.KEEPER, keeper, 0);
        emit KeeperSet(keeper, true);
    }

    /// @inheritdoc IMandate
    function unpause() external restricted {
        _at.paused = false;
        _pushHalted();
        emit PausedSet(false, msg.sender);
    }

    /// @inheritdoc IMandate
    function resume() external restricted {
        _at.windingDown = false;
        _at.beat = uint48(block.timestamp); // or anybody could declare it abandoned again in the same block
        _pushHalted();
        emit WindDownSet(false, msg.sender);
    }

    /// @inheritdoc IMandate
    function setDepositPolicy(IVaultShares.DepositPolicy calldata newPolicy) external restricted {
        IVaultShares(vault).setDepositPolicy(newPolicy);
    }

    /// @inheritdoc IMandate
    function setFees(IVaultShares.Fees calldata newFees) external restricted {
        IVaultShares(vault).setFees(newFees);
    }

    /// @inheritdoc IMandate
    function allow(address account) external restricted {
        IVaultShares(vault).setAllowed(account, true);
    }

    /// @inheritdoc IMandate
    function resolveUnhedged() external restricted {
        IVault(vault).setUnhedged(false);
        _record(valuation.holdings());
    }

    // ---------------------------------------------------------------- guardian: safer, at once

    /// @inheritdoc IMandate
    function tighten(Terms calldata newTerms) external restricted {
        if (_checks.loosens(terms(), newTerms)) revert NotTighter();
        _writeTerms(newTerms);
    }

    /// @inheritdoc IMandate
    function removeKeeper(address keeper) external restricted {
        IAccessManager(authority()).revokeRole(Roles.KEEPER, keeper);
        emit KeeperSet(keeper, false);
    }

    /// @inheritdoc IMandate
    function pause() external restricted {
        _at.paused = true;
        _pushHalted();
        emit PausedSet(true, msg.sender);
    }

    /// @inheritdoc IMandate
    function windDown() external restricted {
        _windDown();
    }

    /// @inheritdoc IMandate
    function lowerCap(uint128 newCap) external restricted {
        IVaultShares.DepositPolicy memory policy = IVaultShares(vault).depositPolicy();
        if (newCap > policy.cap) revert NotTighter();
        policy.cap = newCap;
        IVaultShares(vault).setDepositPolicy(policy);
    }

    /// @inheritdoc IMandate
    function disallow(address account) external restricted {
        IVaultShares(vault).setAllowed(account, false);
    }

    // ---------------------------------------------------------------- anybody

    /// @inheritdoc IMandate
    function declareAbandoned() external {
        if (block.timestamp < uint256(_at.beat) + ABANDONED_AFTER) {
            revert NotAbandoned(_at.beat, block.timestamp);
        }
        _windDown();
    }

    // ---------------------------------------------------------------- keeper

    /// @inheritdoc IMandate
    function beat() external {
        _requireKeeper(msg.sender);
        _at.beat = uint48(block.timestamp);
        emit Beat(msg.sender);
    }

    // ---------------------------------------------------------------- vault: set up

    /// @inheritdoc IMandate
    function bind(address asset, address base) external {
        valuation.bind(msg.sender, asset, base); // reverts if it was bound before
        vault = msg.sender;
    }

    /// @inheritdoc IMandate
    function setVenues(address lending, address swapper, address desk) external onlyVault {
        _desk = desk;
        valuation.setVenues(lending, swapper, desk);
    }

    // ---------------------------------------------------------------- vault: a rebalance

    /// @inheritdoc IMandate
    function open(address caller, IVault.Intent calldata intent)
        external
        onlyVault
        returns (Brief memory brief, bytes memory measured)
    {
        _requireKeeper(caller);
        if (block.timestamp > intent.deadline) {
            revert IntentExpired(intent.id, intent.deadline, block.timestamp);
        }
        bytes32 current = stateHash();
        if (intent.stateHash != current) revert StateChanged(intent.stateHash, current);
        _at.beat = uint48(block.timestamp);
        IValuation.Measure memory before = valuation.measure();
        if (before.priced) _inspect(before.suppliedAsset, before.suppliedBase);
        else inspect();
        brief = _briefOf(before);
        if (!before.priced) {
            brief.owes = valuation.owes();
            (bool known, uint256 health) = valuation.tryHealth();
            brief.toppable = brief.owes && !(known && health > TOP_UP_TIMES * _limits.minHealthWad);
        }
        measured = abi.encode(before);
    }

    /// @inheritdoc IMandate
    function close(bytes calldata measured, Traded calldata traded, uint256 maxLoss, uint256 dust)
        external
        onlyVault
        returns (Outcome memory outcome)
    {
        // Every rebalance passes here, and the count never falls: the state an intent named does not come back (V-12).
        ++_at.counter;
        IValuation.Measure memory before = abi.decode(measured, (IValuation.Measure));
        outcome.healthBefore = before.healthWad;
        if (!before.priced) {
            (, outcome.healthAfter) = valuation.tryHealth();
            _record(valuation.holdings());
            return outcome;
        }
        IValuation.Measure memory afterwards = valuation.measureAgain(before);
        _judge(before, afterwards, traded, maxLoss, dust);
        _record(afterwards.suppliedAsset, afterwards.suppliedBase);
        (outcome.navBefore, outcome.navAfter) = (before.nav, afterwards.nav);
        outcome.healthAfter = afterwards.healthWad;
    }

    /// @inheritdoc IMandate
    function inspect() public onlyVault {
        IValuation.Holdings memory held = valuation.holdings();
        _inspect(held.suppliedAsset, held.suppliedBase);
        if (_desk != address(0) && !IOptionDesk(_desk).matchesBook()) IVault(vault).setUnhedged(true);
    }

    /// @inheritdoc IMandate
    function record() external onlyVault {
        _record(valuation.holdings());
    }

    /// @inheritdoc IMandate
    function advance() external onlyVault {
        ++_at.counter;
    }

    // ---------------------------------------------------------------- vault: a rescue

    /// @inheritdoc IMandate
    function openRescue() external onlyVault returns (Rescue memory rescue) {
        rescue.healthWad = _requireEndangered();
        rescue.priceWad = _priceOrZero();
        inspect();
        rescue.debt = valuation.debtAt(rescue.priceWad);
        rescue.sliceBps = _emergency.sliceBps;
        rescue.swapLossBps = _limits.maxSwapLossBps;
        rescue.bountyBps = _emergency.bountyBps;
        rescue.reserve = _bountyFor(Math.mulDiv(rescue.debt, rescue.sliceBps, BPS));
    }

    /// @inheritdoc IMandate
    function closeRescue(Rescue calldata rescue, bool sold, address caller)
        external
        onlyVault
        returns (uint256 bounty)
    {
        (, uint256 health) = valuation.tryHealth();
        if (health <= rescue.healthWad) revert ProtectionUseless(rescue.healthWad, health);
        ++_at.counter;
        _at.rescue = uint48(block.timestamp);
        if (sold) _at.sale = uint48(block.timestamp);
        IValuation.Holdings memory held = valuation.holdings();
        _record(held);
        uint256 repaid = Math.saturatingSub(rescue.debt, valuation.debtAt(rescue.priceWad));
        bounty = Math.min(_bountyFor(repaid), held.idleAsset);
        emit Protected(caller, repaid, rescue.healthWad, health, bounty);
    }

    function _priceOrZero() private view returns (uint256 price) {
        IPriceOracle.Fault fault;
        (fault, price,,) = IPriceOracle(oracle).marks();
        if (fault != IPriceOracle.Fault.None) return 0;
    }

    /// @dev The health, if it is low enough; reverts with the reason why nobody may protect now.
    function _requireEndangered() private view returns (uint256 health) {
        Emergency memory e = _emergency;
        uint256 until = uint256(_at.sale) + e.cooldown;
        if (block.timestamp < until) revert RescueTooSoon(until, block.timestamp);
        bool known;
        (known, health) = valuation.tryHealth();
        if (!known || health >= e.emergencyHealthWad) revert NotEndangered(health, e.emergencyHealthWad);
        if (health >= e.criticalHealthWad && block.timestamp < uint256(_at.beat) + e.silence) {
            revert HeartBeats(_at.beat, e.silence);
        }
    }

    function _bountyFor(uint256 repaid) private view returns (uint256) {
        return Math.min(Math.mulDiv(repaid, _emergency.bountyBps, BPS), _emergency.maxBounty);
    }

    // ---------------------------------------------------------------- desk

    /// @inheritdoc IMandate
    function chargeFill(uint256 loss) external {
        if (msg.sender != _desk) revert NotDesk(msg.sender);
        if (IVault(vault).locked()) revert IValuation.Reentered(); // NAV is in pieces
        IValuation.Measure memory now_ = valuation.measure();
        uint256 navBefore = now_.nav + loss;
        uint256 allowed =
            now_.priced && now_.optionsKnown ? Math.mulDiv(navBefore, _limits.maxLossBps, BPS) : 0;
        if (loss > allowed) revert LossTooLarge(loss, allowed);
        _chargeBucket(Bucket.Routine, loss, navBefore, _limits.maxLossPerDayBps);
    }

    // ---------------------------------------------------------------- hedge

    /// @dev Less at the venue than was left there: a liquidation, a deleveraging, a loss. Nobody else can take it.
    function _inspect(uint256 suppliedAsset, uint256 suppliedBase) private {
        Left memory left = _left;
        bool stands = _stands(left.suppliedAsset, suppliedAsset) && _stands(left.suppliedBase, suppliedBase);
        if (!stands) IVault(vault).setUnhedged(true);
    }

    function _stands(uint256 left, uint256 reported) private pure returns (bool) {
        return reported + UNHEDGED_DUST + left * UNHEDGED_PPM / 1e6 >= left;
    }

    function _record(IValuation.Holdings memory held) private {
        _record(held.suppliedAsset, held.suppliedBase);
    }

    function _record(uint256 suppliedAsset, uint256 suppliedBase) private {
        _left = Left(suppliedAsset.toUint128(), suppliedBase.toUint128());
    }

    // ---------------------------------------------------------------- checks

    function _judge(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Traded calldata traded,
        uint256 maxLoss,
        uint256 dust
    ) private {
        Limits memory limits = _limits;
        Caps memory caps = _caps;
        // At intrinsic value after and not before, options would hide a loss; the other way round they only add one.
        if (before.optionsKnown && !afterwards.optionsKnown) revert OptionsUnknown();
        _checkHealthAndDebt(before, afterwards, limits);
        bool reduces = _reduces(before, afterwards, traded, limits.minHealthWad, dust);
        // From below the minimum health the way out passes a band that a fall of the price has left.
        if (!reduces || before.healthWad >= limits.minHealthWad) {
            _checkDelta(before, afterwards, caps, reduces, dust);
        }
        if (!reduces) {
            _checkHalted(before, afterwards, traded);
            _checkRoutine(before, afterwards, traded, caps);
        }
        uint256 loss = _lossOf(before, afterwards);
        // A unit of base may be worth many of the asset.
        if (loss > dust + Math.mulDiv(dust, before.priceWad, _scale, Math.Rounding.Ceil)) {
            _charge(before.nav, loss, maxLoss, limits, reduces, caps);
        }
    }

    function _briefOf(IValuation.Measure memory m) private view returns (Brief memory) {
        return Brief(
            m.priced,
            m.optionsKnown,
            m.debtBase != 0 || m.debtAsset != 0,
            false,
            m.priceWad,
            _limits.maxSwapLossBps
        );
    }

    function _checkHealthAndDebt(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Limits memory limits
    ) private pure {
        if (afterwards.healthWad < limits.minHealthWad && afterwards.healthWad <= before.healthWad) {
            revert HealthTooLow(before.healthWad, afterwards.healthWad, limits.minHealthWad);
        }
        // By token, not in sum: to owe less of one and more of the other is new debt in the other.
        if (afterwards.debtAsset <= before.debtAsset && afterwards.debtBase <= before.debtBase) return;
        uint256 debtBps = _partUp(afterwards.debt, afterwards.gross);
        if (debtBps > limits.maxBorrowBps) revert BorrowRatioTooHigh(debtBps, limits.maxBorrowBps);
    }

    /// @dev Every measured risk is at most what it was, and swaps are as large as what they repaid. While no base is owed, base
    /// is sold freely and none is bought: one way, towards cash.
    function _reduces(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Traded calldata traded,
        uint256 minHealthWad,
        uint256 dust
    ) private view returns (bool) {
        bool grew = afterwards.healthWad < before.healthWad || afterwards.debtAsset > before.debtAsset
            || afterwards.debtBase > before.debtBase || afterwards.notional > before.notional
            || afterwards.vega > before.vega || afterwards.optionCollateral > before.optionCollateral
            || SignedMath.abs(afterwards.deltaBase) > SignedMath.abs(before.deltaBase) + dust;
        // More at the venue is a risk unless it makes what is owed there safer.
        bool safer =
            afterwards.healthWad > before.healthWad && afterwards.healthWad / TOP_UP_TIMES <= minHealthWad;
        if (grew || (afterwards.lent > before.lent && !safer)) return false;
        return _swapsReduce(before, afterwards, traded);
    }

    /// @dev One way, and as much of a token as was repaid of it. While no base is owed base is sold freely, towards cash.
    function _swapsReduce(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Traded calldata traded
    ) private view returns (bool) {
        if (traded.boughtAsset != 0 && traded.boughtBase != 0) {
            return false;
        }
        uint256 repaidBase = Math.saturatingSub(before.debtBase, afterwards.debtBase);
        uint256 repaidAsset = Math.saturatingSub(before.debtAsset, afterwards.debtAsset);
        uint256 worth = Math.mulDiv(repaidBase, before.priceWad, _scale, Math.Rounding.Ceil);
        if (traded.boughtBase > Math.mulDiv(worth, REDUCING_SWAP_BPS, BPS)) return false;
        return before.debtBase == 0 || traded.boughtAsset <= Math.mulDiv(repaidAsset, REDUCING_SWAP_BPS, BPS);
    }

    function _checkDelta(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Caps memory caps,
        bool reduces,
        uint256 dust
    ) private view {
        // On the way out of a vault that winds down the target is cash.
        if (reduces && _at.windingDown) return;
        uint256 gap = _deltaGap(afterwards.deltaBase, afterwards.nav, afterwards.priceWad, caps);
        uint256 band = Math.mulDiv(afterwards.nav, caps.deltaBandBps, BPS);
        if (gap <= band) return;
        uint256 gapBefore = _deltaGap(before.deltaBase, before.nav, before.priceWad, caps);
        bool moved = SignedMath.abs(afterwards.deltaBase - before.deltaBase) > dust;
        if (gap < gapBefore || (!moved && reduces)) return;
        revert DeltaOutsideBand(gapBefore, gap, band);
    }

    /// @dev Value of |net delta - target|, asset units, rounded up.
    function _deltaGap(int256 deltaBase, uint256 nav_, uint256 price, Caps memory caps)
        private
        view
        returns (uint256)
    {
        int256 delta = int256(Math.mulDiv(SignedMath.abs(deltaBase), price, _scale, Math.Rounding.Ceil));
        if (deltaBase < 0) delta = -delta;
        return SignedMath.abs(delta - int256(nav_) * caps.deltaTargetBps / int256(BPS));
    }

    function _checkHalted(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Traded calldata traded
    ) private view {
        if (!_at.paused && !_at.windingDown) return;
        uint256 repaid = Math.saturatingSub(before.debt, afterwards.debt);
        if (!_swapsReduce(before, afterwards, traded)) {
            revert PausedSwapTooLarge(traded.boughtAsset + traded.boughtBase, repaid);
        }
        revert PausedRiskRaised(before.healthWad, afterwards.healthWad, before.debt, afterwards.debt);
    }

    function _checkRoutine(
        IValuation.Measure memory before,
        IValuation.Measure memory afterwards,
        Traded calldata traded,
        Caps memory caps
    ) private {
        uint256 until = Math.max(uint256(_at.routine) + caps.cooldown, uint256(_at.rescue) + AFTER_RESCUE);
        if (block.timestamp < until) revert CooldownActive(until, block.timestamp);
        _at.routine = uint48(block.timestamp);
        uint256 age = Math.saturatingSub(block.timestamp, before.priceAt);
        if (age > caps.maxOracleAge) revert OracleTooOld(age, caps.maxOracleAge);
        _checkShare(Cap.Venue, before.lent, afterwards.lent, afterwards.gross, caps.maxVenueBps);
        _checkShare(
            Cap.Options,
            before.optionCollateral,
            afterwards.optionCollateral,
            afterwards.gross,
            caps.maxOptionBps
        );
        _checkShare(
            Cap.Notional, before.notional, afterwards.notional, afterwards.nav, _options.maxNotionalBps
        );
        _checkShare(Cap.Vega, before.vega, afterwards.vega, afterwards.nav, _options.maxVegaBps);
        if (traded.turnover != 0 && before.nav != 0) {
            _turnover.charge(caps.turnoverPerDayBps * WAD_PER_BPS, traded.turnover, before.nav);
        }
    }

    /// @dev Over the cap only if it did not grow.
    function _checkShare(Cap cap, uint256 valueBefore, uint256 value, uint256 whole, uint256 mostBps)
        private
        pure
    {
        if (value <= valueBefore) return;
        uint256 partBps = _partUp(value, whole);
        if (partBps > mostBps) revert ShareTooLarge(cap, partBps, mostBps);
    }

    /// @dev With its sign, so that NAV's floor at zero hides none: an insolvent vault may lose nothing. Up to `dust` it is the
    /// venue's rounding and no loss: a repayment must not wait for the bucket (V-08).
    function _lossOf(IValuation.Measure memory before, IValuation.Measure memory afterwards)
        private
        pure
        returns (uint256)
    {
        return Math.saturatingSub(before.gross + afterwards.debt, afterwards.gross + before.debt);
    }

    function _charge(
        uint256 navBefore,
        uint256 loss,
        uint256 maxLoss,
        Limits memory limits,
        bool reduces,
        Caps memory caps
    ) private {
        uint256 allowed = Math.min(maxLoss, Math.mulDiv(navBefore, limits.maxLossBps, BPS));
        if (loss > allowed) revert LossTooLarge(loss, allowed);
        if (reduces) {
            _chargeBucket(Bucket.Protective, loss, navBefore, caps.protectiveLossPerDayBps);
        } else {
            _chargeBucket(Bucket.Routine, loss, navBefore, limits.maxLossPerDayBps);
        }
    }

    function _chargeBucket(Bucket bucket, uint256 loss, uint256 navBefore, uint256 capacityBps) private {
        LossBudget.Bucket storage stored = bucket == Bucket.Routine ? _routine : _protective;
        uint256 capacityWad = capacityBps * WAD_PER_BPS;
        stored.charge(capacityWad, loss, navBefore);
        emit Charged(
            bucket, Math.mulDiv(loss, 1e18, navBefore, Math.Rounding.Ceil), stored.leftWadDown(capacityWad)
        );
    }

    function _partUp(uint256 value, uint256 whole) private pure returns (uint256) {
        return whole == 0 ? (value == 0 ? 0 : ALL) : Math.mulDiv(value, BPS, whole, Math.Rounding.Ceil);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IMandate
    function terms() public view returns (Terms memory) {
        return Terms(_limits, _caps, _emergency, _options);
    }

    /// @inheritdoc IMandate
    function termsHash() public view returns (bytes32) {
        return keccak256(abi.encode(terms()));
    }

    /// @inheritdoc IMandate
    function optionLimits() external view returns (OptionLimits memory) {
        return _options;
    }

    /// @inheritdoc IMandate
    function isKeeper(address account) public view returns (bool member) {
        (member,) = IAccessManager(authority()).hasRole(Roles.KEEPER, account);
    }

    /// @inheritdoc IMandate
    function paused() external view returns (bool) {
        return _at.paused;
    }

    /// @inheritdoc IMandate
    function windingDown() external view returns (bool) {
        return _at.windingDown;
    }

    /// @inheritdoc IMandate
    function lastBeat() external view returns (uint256) {
        return _at.beat;
    }

    /// @inheritdoc IMandate
    function lastRoutineAt() external view returns (uint256) {
        return _at.routine;
    }

    /// @inheritdoc IMandate
    function stateHash() public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, vault, _at.counter));
    }

    /// @inheritdoc IMandate
    function budget(Bucket bucket) external view returns (uint256 leftWad, uint256 capacityWad) {
        bool routine = bucket == Bucket.Routine;
        capacityWad = (routine ? _limits.maxLossPerDayBps : _caps.protectiveLossPerDayBps) * WAD_PER_BPS;
        leftWad = routine ? _routine.leftWadDown(capacityWad) : _protective.leftWadDown(capacityWad);
    }

    /// @inheritdoc IMandate
    function turnoverLeft() external view returns (uint256 leftWad, uint256 capacityWad) {
        capacityWad = _caps.turnoverPerDayBps * WAD_PER_BPS;
        leftWad = _turnover.leftWadDown(capacityWad);
    }

    // ---------------------------------------------------------------- inside

    function _requireKeeper(address account) private view {
        if (!isKeeper(account)) revert NotKeeper(account);
    }

    function _windDown() private {
        _at.windingDown = true;
        _pushHalted();
        emit WindDownSet(true, msg.sender);
    }

    function _pushHalted() private {
        IVaultShares(vault).setHalted(_at.paused, _at.windingDown);
    }

    /// @dev Time that has passed refills at the capacity that held then, so that a looser limit is not looser backwards.
    function _writeTerms(Terms memory newTerms) private {
        _checks.requireWithinHardBounds(newTerms);
        _resize(_routine, _limits.maxLossPerDayBps, newTerms.limits.maxLossPerDayBps);
        _resize(_protective, _caps.protectiveLossPerDayBps, newTerms.caps.protectiveLossPerDayBps);
        _resize(_turnover, _caps.turnoverPerDayBps, newTerms.caps.turnoverPerDayBps);
        (_limits, _caps, _emergency, _options) =
        (newTerms.limits, newTerms.caps, newTerms.emergency, newTerms.options);
        emit TermsSet(newTerms);
    }

    function _resize(LossBudget.Bucket storage bucket, uint256 capacityBps, uint256 newCapacityBps) private {
        bucket.settle(capacityBps * WAD_PER_BPS);
        bucket.shrink(capacityBps * WAD_PER_BPS, newCapacityBps * WAD_PER_BPS);
    }
}
