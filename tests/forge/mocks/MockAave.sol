// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {
    IAaveV3AddressesProvider,
    IAaveV3DataProvider,
    IAaveV3Pool
} from "../../../contracts/interfaces/external/IAaveV3.sol";
import {MockFeed} from "./MockFeed.sol";
import {MockToken} from "./MockToken.sol";

/// @notice A balance that grows by an index, rounded half up on the way in and out as Aave's ray mathematics does.
contract MockIndexed {
    uint256 private constant RAY = 1e27;
    address private immutable _pool = msg.sender;
    uint256 public index = RAY;
    mapping(address => uint256) public scaled;

    function balanceOf(address account) public view returns (uint256) {
        return (scaled[account] * index + RAY / 2) / RAY;
    }

    function change(address account, int256 amount) external {
        require(msg.sender == _pool, "pool only");
        uint256 size = uint256(amount < 0 ? -amount : amount);
        uint256 scaledSize = (size * RAY + index / 2) / index;
        if (amount < 0) scaled[account] -= size == balanceOf(account) ? scaled[account] : scaledSize;
        else scaled[account] += scaledSize;
    }

    function pay(address token, address to, uint256 amount) external {
        require(msg.sender == _pool, "pool only");
        IERC20(token).transfer(to, amount);
    }

    /// @notice Interest: the index grows by `ray` / 1e27.
    function grow(uint256 ray) external {
        index = Math.mulDiv(index, RAY + ray, RAY);
    }
}

/// @notice A lending pool with Aave v3's surface and rules for its reserves: loan to value on borrowing, health of at least 1 on
/// withdrawing, half the debt with a bonus on liquidation. It believes its feed without asking how old it is.
contract MockAave is IAaveV3Pool, IAaveV3AddressesProvider {
    struct Reserve {
        MockFeed feed;
        MockIndexed aToken;
        MockIndexed debtToken;
        uint256 unit;
        uint16 id;
        bool exists;
    }

    uint256 public constant LTV_BPS = 8000;
    uint256 public constant THRESHOLD_BPS = 8300;
    uint256 public constant BONUS_BPS = 10_500;

    IAaveV3DataProvider public data;
    address[] public tokens;
    mapping(address => Reserve) public reserves;
    mapping(address => uint256) private _used;
    bool public refusesCollateral;
    bool public accountReverts;
    bool public repayKeepsChange;
    mapping(address => bool) public ltvZero;

    constructor() {
        data = IAaveV3DataProvider(address(new MockAaveData(this)));
    }

    // ---- set-up

    function list(MockToken token, MockFeed feed) external {
        reserves[address(token)] = Reserve({
            feed: feed,
            aToken: new MockIndexed(),
            debtToken: new MockIndexed(),
            unit: 10 ** token.decimals(),
            id: uint16(tokens.length),
            exists: true
        });
        tokens.push(address(token));
    }

    function setRefusesCollateral(bool refuses) external {
        refusesCollateral = refuses;
    }

    function setAccountReverts(bool reverts) external {
        accountReverts = reverts;
    }

    /// @notice A dishonest pool: takes the repayment and forgets half of it.
    function setRepayKeepsChange(bool keeps) external {
        repayKeepsChange = keeps;
    }

    /// @notice Aave's governance takes the loan to value of a reserve away: it no longer counts for new debt.
    function setLtvZero(address token, bool zero) external {
        ltvZero[token] = zero;
    }

    // ---- registry

    function getPool() external view returns (address) {
        return address(this);
    }

    function getPoolDataProvider() external view returns (address) {
        return address(data);
    }

    // ---- user

    function supply(address asset, uint256 amount, address onBehalfOf, uint16) external {
        require(amount != 0, "26");
        IERC20(asset).transferFrom(msg.sender, address(reserves[asset].aToken), amount);
        reserves[asset].aToken.change(onBehalfOf, int256(amount));
        if (!refusesCollateral && !ltvZero[asset]) _used[onBehalfOf] |= 2 << (reserves[asset].id * 2);
    }

    function withdraw(address asset, uint256 amount, address to) external returns (uint256) {
        uint256 balance = reserves[asset].aToken.balanceOf(msg.sender);
        if (amount == type(uint256).max) amount = balance;
        require(amount != 0 && amount <= balance, "32");
        reserves[asset].aToken.change(msg.sender, -int256(amount));
        reserves[asset].aToken.pay(asset, to, amount);
        _requireHealthAndLtv(asset);
        return amount;
    }

    function borrow(address asset, uint256 amount, uint256 mode, uint16, address onBehalfOf) external {
        require(mode == 2 && onBehalfOf == msg.sender && amount != 0, "33");
        reserves[asset].debtToken.change(msg.sender, int256(amount));
        (uint256 collateral, uint256 debt) = _totals(msg.sender);
        require(debt * 10_000 <= collateral * LTV_BPS, "36");
        reserves[asset].aToken.pay(asset, msg.sender, amount);
    }

    function repay(address asset, uint256 amount, uint256, address onBehalfOf)
        external
        returns (uint256 paid)
    {
        paid = Math.min(amount, reserves[asset].debtToken.balanceOf(onBehalfOf));
        require(paid != 0, "39");
        reserves[asset].debtToken.change(onBehalfOf, -int256(repayKeepsChange ? paid / 2 : paid));
        IERC20(asset).transferFrom(msg.sender, address(reserves[asset].aToken), paid);
    }

    function setUserUseReserveAsCollateral(address asset, bool use) external {
        require(!refusesCollateral, "62");
        require(reserves[asset].aToken.balanceOf(msg.sender) != 0, "43");
        uint256 bit = 2 << (reserves[asset].id * 2);
        if (use) {
            require(!ltvZero[asset], "62");
            _used[msg.sender] |= bit;
        } else {
            _used[msg.sender] &= ~bit;
            _requireHealthAndLtv(asset);
        }
    }

    /// @notice Anybody repays up to half of one debt and takes another token at a bonus.
    function liquidate(address collateral, address debt, address user) external returns (uint256 seized) {
        require(health(user) < 1e18, "45");
        uint256 repaid = reserves[debt].debtToken.balanceOf(user) / 2;
        uint256 value =
            repaid * uint256(reserves[debt].feed.answer()) / reserves[debt].unit * BONUS_BPS / 10_000;
        seized = value * reserves[collateral].unit / uint256(reserves[collateral].feed.answer());
        seized = Math.min(seized, reserves[collateral].aToken.balanceOf(user));
        reserves[debt].debtToken.change(user, -int256(repaid));
        reserves[collateral].aToken.change(user, -int256(seized));
        MockToken(debt).mint(address(reserves[debt].aToken), repaid); // stands for the liquidator's own money
        reserves[collateral].aToken.pay(collateral, msg.sender, seized);
    }

    // ---- views

    function getReserveData(address asset) external view returns (ReserveData memory result) {
        result.id = reserves[asset].id;
        result.configuration = (ltvZero[asset] ? 0 : LTV_BPS) | THRESHOLD_BPS << 16 | BONUS_BPS << 32;
        result.aTokenAddress = address(reserves[asset].aToken);
        result.variableDebtTokenAddress = address(reserves[asset].debtToken);
    }

    function getUserConfiguration(address user) external view returns (uint256) {
        return _used[user];
    }

    function getUserAccountData(address user)
        external
        view
        returns (uint256 collateral, uint256 debt, uint256, uint256, uint256, uint256 healthNow)
    {
        require(!accountReverts, "account");
        (collateral, debt) = _totals(user);
        healthNow = health(user);
    }

    function health(address user) public view returns (uint256) {
        (uint256 collateral, uint256 debt) = _totals(user);
        return debt == 0 ? type(uint256).max : Math.mulDiv(collateral * THRESHOLD_BPS, 1e18, debt * 10_000);
    }

    /// @notice Health for onlookers, 0 when there is no price.
    function health_(address user) external view returns (uint256) {
        try this.health(user) returns (uint256 value) {
            return value;
        } catch {
            return 0;
        }
    }

    /// @dev Collateral of an indebted account leaves only with health of at least 1, and while any of it has no loan to value,
    /// only that leaves.
    function _requireHealthAndLtv(address leaving) private view {
        if (_debtOf(msg.sender) == 0) return;
        require(health(msg.sender) >= 1e18, "35");
        if (ltvZero[leaving]) return;
        for (uint256 i; i < tokens.length; ++i) {
            require(!ltvZero[tokens[i]] || _used[msg.sender] & (2 << (i * 2)) == 0, "57");
        }
    }

    function _totals(address user) private view returns (uint256 collateral, uint256 debt) {
        for (uint256 i; i < tokens.length; ++i) {
            Reserve storage reserve = reserves[tokens[i]];
            uint256 supplied = reserve.aToken.balanceOf(user);
            uint256 owed = reserve.debtToken.balanceOf(user);
            bool counts = supplied != 0 && _used[user] & (2 << (i * 2)) != 0;
            if (!counts && owed == 0) continue;
            int256 answer = reserve.feed.answer();
            require(answer > 0, "no price");
            if (counts) collateral += supplied * uint256(answer) / reserve.unit;
            debt += Math.ceilDiv(owed * uint256(answer), reserve.unit);
        }
    }

    function _debtOf(address user) private view returns (uint256 sum) {
        for (uint256 i; i < tokens.length; ++i) {
            sum += reserves[tokens[i]].debtToken.balanceOf(user);
        }
    }
}

/// @notice The terms, as Aave's data provider gives them.
contract MockAaveData is IAaveV3DataProvider {
    MockAave private immutable _aave;
    bool public isPaused;

    constructor(MockAave aave) {
        _aave = aave;
    }

    function setPaused(bool newPaused) external {
        isPaused = newPaused;
    }

    function getReserveConfigurationData(address)
        external
        view
        returns (
            uint256,
            uint256 ltv,
            uint256 lt,
            uint256 bonus,
            uint256,
            bool,
            bool,
            bool,
            bool active,
            bool
        )
    {
        (ltv, lt, bonus, active) = (_aave.LTV_BPS(), _aave.THRESHOLD_BPS(), _aave.BONUS_BPS(), true);
    }

    function getReserveData(address)
        external
        pure
        returns (
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256 supplyRate,
            uint256 borrowRate,
            uint256,
            uint256,
            uint256,
            uint256,
            uint40
        )
    {
        (supplyRate, borrowRate) = (0.02e27, 0.04e27);
    }

    function getPaused(address) external view returns (bool) {
        return isPaused;
    }
}
