// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter, ILendingAdapter} from "../interfaces/IAdapters.sol";
import {IMandate} from "../interfaces/IMandate.sol";
import {IVault} from "../interfaces/IVault.sol";
import {IAaveV3AddressesProvider, IAaveV3DataProvider, IAaveV3Pool} from "../interfaces/external/IAaveV3.sol";

/// @title AaveV3Adapter
/// @notice One vault's position at Aave v3: this contract is the account. Variable rate, supplies as collateral, only the vault's
/// asset and base. Everything that leaves goes to the vault (V-15); there is no other way out.
///
/// Aave lets anybody supply any token on behalf of this account, and counts it as collateral. While an account has collateral
/// whose loan to value has become 0, Aave lets no other collateral out: dust of a stranger's could hold the vault's. So anybody
/// may take such a token off again (`dropCollateral`). It stays here for good; NAV never counted it.
///
/// What is assumed: Aave's pool proxy, aTokens and variable debt tokens keep their addresses (they are proxies for life), and
/// aTokens and debt tokens answer `balanceOf` with interest. The data provider may be replaced, so it is asked for each time
/// and only for terms, never for what NAV is made of.
contract AaveV3Adapter is ILendingAdapter {
    using SafeERC20 for IERC20;

    uint256 private constant VARIABLE_RATE = 2;
    /// @dev Where a reserve's configuration keeps its loan to value, basis points.
    uint256 private constant LTV_MASK = 0xFFFF;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable venue;
    IAaveV3AddressesProvider public immutable addressesProvider;
    address public immutable asset;
    address public immutable base;
    IERC20 public immutable assetAToken;
    IERC20 public immutable assetDebtToken;
    IERC20 public immutable baseAToken;
    IERC20 public immutable baseDebtToken;
    uint256 private immutable _assetCollateralMask;
    uint256 private immutable _baseCollateralMask;

    /// @inheritdoc ILendingAdapter
    uint256 public transient changes;

    event CollateralDropped(address indexed token, uint256 healthBeforeWad, uint256 healthAfterWad);

    error CollateralNeeded(address token, uint256 healthAfterWad, uint256 leastWad);
    error ReserveMissing(address token);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    modifier changing() {
        ++changes;
        _;
    }

    modifier supported(address token) {
        if (token != asset && token != base) revert TokenNotSupported(token);
        _;
    }

    /// @param vault_ the one vault this adapter will ever serve
    /// @param addressesProvider_ Aave v3's PoolAddressesProvider
    constructor(address vault_, IAaveV3AddressesProvider addressesProvider_) {
        vault = vault_;
        addressesProvider = addressesProvider_;
        venue = addressesProvider_.getPool();
        asset = IVault(vault_).asset();
        base = IVault(vault_).base();
        IAaveV3Pool pool = IAaveV3Pool(addressesProvider_.getPool());
        (assetAToken, assetDebtToken, _assetCollateralMask) = _reserve(pool, IVault(vault_).asset());
        (baseAToken, baseDebtToken, _baseCollateralMask) = _reserve(pool, IVault(vault_).base());
    }

    // ---------------------------------------------------------------- vault

    /// @inheritdoc ILendingAdapter
    function supply(address token, uint256 amount) external onlyVault changing supported(token) {
        IERC20(token).safeTransferFrom(vault, address(this), amount);
        IERC20(token).forceApprove(venue, amount);
        IAaveV3Pool(venue).supply(token, amount, address(this), 0);
        _useAsCollateral(token);
    }

    /// @inheritdoc ILendingAdapter
    function withdraw(address token, uint256 amount)
        external
        onlyVault
        changing
        supported(token)
        returns (uint256 received)
    {
        received = IAaveV3Pool(venue).withdraw(token, amount, vault);
    }

    /// @inheritdoc ILendingAdapter
    function borrow(address token, uint256 amount)
        external
        onlyVault
        changing
        supported(token)
        returns (uint256 received)
    {
        IAaveV3Pool(venue).borrow(token, amount, VARIABLE_RATE, 0, address(this));
        received = _sweep(token);
    }

    /// @inheritdoc ILendingAdapter
    function repay(address token, uint256 amount)
        external
        onlyVault
        changing
        supported(token)
        returns (uint256 repaid)
    {
        // Never pull more than is owed; the pool takes at most the debt as well.
        uint256 pulled = Math.min(amount, _debtToken(token).balanceOf(address(this)));
        IERC20(token).safeTransferFrom(vault, address(this), pulled);
        IERC20(token).forceApprove(venue, pulled);
        repaid = IAaveV3Pool(venue).repay(token, pulled, VARIABLE_RATE, address(this));
        if (repaid < pulled) {
            IERC20(token).forceApprove(venue, 0);
            _sweep(token);
        }
    }

    // ---------------------------------------------------------------- anyone

    /// @notice Stop counting a token that is not the vault's as collateral. Allowed if its loan to value is 0, or if health stays
    /// at the mandate's minimum, or is no lower than before (0 where the venue cannot tell: dropping a token without a price is
    /// what makes it tell again). Aave refuses it where health would be under 1.
    function dropCollateral(address token) external changing {
        if (token == asset || token == base) revert TokenNotSupported(token);
        uint256 healthBefore = _healthOrZero();
        IAaveV3Pool(venue).setUserUseReserveAsCollateral(token, false);
        uint256 healthAfter = _healthOrZero();
        uint256 least = Math.min(healthBefore, IMandate(IVault(vault).mandate()).terms().limits.minHealthWad);
        bool holdsUp = IAaveV3Pool(venue).getReserveData(token).configuration & LTV_MASK == 0;
        if (healthAfter < least && !holdsUp) revert CollateralNeeded(token, healthAfter, least);
        emit CollateralDropped(token, healthBefore, healthAfter);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ILendingAdapter
    function healthWad() external view returns (uint256 health) {
        (,,,,, health) = IAaveV3Pool(venue).getUserAccountData(address(this));
    }

    /// @inheritdoc ILendingAdapter
    function account() external view returns (Account memory result) {
        (result.collateralBase, result.debtBase,,,, result.healthWad) =
            IAaveV3Pool(venue).getUserAccountData(address(this));
    }

    /// @inheritdoc ILendingAdapter
    function balances(address token) external view supported(token) returns (uint256 supplied, uint256 debt) {
        supplied = _aToken(token).balanceOf(address(this));
        debt = _debtToken(token).balanceOf(address(this));
    }

    /// @inheritdoc ILendingAdapter
    /// @dev Always two: the vault's asset, then base.
    function positions() external view returns (TokenPosition[] memory result) {
        IAaveV3DataProvider data = IAaveV3DataProvider(addressesProvider.getPoolDataProvider());
        result = new TokenPosition[](2);
        result[0] = _position(data, asset);
        result[1] = _position(data, base);
    }

    // ---------------------------------------------------------------- internal

    function _position(IAaveV3DataProvider data, address token)
        private
        view
        returns (TokenPosition memory position)
    {
        IERC20 aToken = _aToken(token);
        position.token = token;
        position.supplied = aToken.balanceOf(address(this));
        position.debt = _debtToken(token).balanceOf(address(this));
        position.available = IERC20(token).balanceOf(address(aToken));
        bool active;
        bool frozen;
        (
            ,
            position.ltvBps,
            position.liquidationThresholdBps,
            position.liquidationBonusBps,,,,,
            active,
            frozen
        ) = data.getReserveConfigurationData(token);
        (,,,,, position.supplyRateRay, position.borrowRateRay,,,,,) = data.getReserveData(token);
        position.frozenOrPaused = !active || frozen || data.getPaused(token);
    }

    /// @dev Aave enables a first supply as collateral by itself, except where it has a reason not to. Then it is asked once more;
    /// a refusal (isolation mode, no liquidation threshold) leaves the supply as it is: in NAV, but not in health.
    function _useAsCollateral(address token) private {
        uint256 mask = token == asset ? _assetCollateralMask : _baseCollateralMask;
        if (IAaveV3Pool(venue).getUserConfiguration(address(this)) & mask != 0) return;
        try IAaveV3Pool(venue).setUserUseReserveAsCollateral(token, true) {} catch {}
    }

    function _healthOrZero() private view returns (uint256) {
        try IAaveV3Pool(venue).getUserAccountData(address(this)) returns (
            uint256, uint256, uint256, uint256, uint256, uint256 health
        ) {
            return health;
        } catch {
            return 0;
        }
    }

    function _sweep(address token) private returns (uint256 amount) {
        amount = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(vault, amount);
    }

    function _aToken(address token) private view returns (IERC20) {
        return token == asset ? assetAToken : baseAToken;
    }

    function _debtToken(address token) private view returns (IERC20) {
        return token == asset ? assetDebtToken : baseDebtToken;
    }

    function _reserve(IAaveV3Pool pool, address token) private view returns (IERC20, IERC20, uint256) {
        IAaveV3Pool.ReserveData memory data = pool.getReserveData(token);
        if (data.aTokenAddress == address(0) || data.variableDebtTokenAddress == address(0)) {
            revert ReserveMissing(token);
        }
        return
            (
                IERC20(data.aTokenAddress),
                IERC20(data.variableDebtTokenAddress),
                2 ** (uint256(data.id) * 2 + 1)
            );
    }
}
