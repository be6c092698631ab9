// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IUniswapV3SwapCallback} from "../../../contracts/interfaces/external/IUniswapV3Pool.sol";
import {MockAave, MockIndexed} from "../mocks/MockAave.sol";
import {MockFeed} from "../mocks/MockFeed.sol";
import {MockPool} from "../mocks/MockPool.sol";

/// @notice A position at the same venues without a vault: the calls alone, or together with the questions that any check of
/// the outcome must put to feeds, pool, tokens and lending venue before and after. What it holds is the tests'.
contract BareAccount is IUniswapV3SwapCallback {
    /// @param asks whether the questions are asked too
    struct Venues {
        MockAave aave;
        MockPool pool;
        IERC20 asset;
        IERC20 base;
        MockFeed baseFeed;
        MockFeed quoteFeed;
        bool asks;
    }

    uint160 private constant MIN_SQRT_PRICE = 4_295_128_740;
    uint160 private constant MAX_SQRT_PRICE =
        1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;
    MockAave private immutable _aave;
    MockPool private immutable _pool;
    IERC20 private immutable _asset;
    IERC20 private immutable _base;
    MockFeed private immutable _baseFeed;
    MockFeed private immutable _quoteFeed;
    MockIndexed private immutable _assetAToken;
    MockIndexed private immutable _assetDebt;
    MockIndexed private immutable _baseAToken;
    MockIndexed private immutable _baseDebt;
    bool private immutable _asks;

    /// @dev `lends`: the account at the venue changes in between.
    modifier asking(bool lends) {
        if (_asks) {
            _askPrice();
            _askBalances(true);
        }
        _;
        if (_asks) _askBalances(lends);
    }

    constructor(Venues memory venues) {
        (_aave, _pool) = (venues.aave, venues.pool);
        (_asset, _base) = (venues.asset, venues.base);
        (_baseFeed, _quoteFeed) = (venues.baseFeed, venues.quoteFeed);
        (, _assetAToken, _assetDebt,,,) = venues.aave.reserves(address(venues.asset));
        (, _baseAToken, _baseDebt,,,) = venues.aave.reserves(address(venues.base));
        _asks = venues.asks;
    }

    // ---------------------------------------------------------------- moves

    function supply(IERC20 token, uint256 amount) external asking(true) {
        token.approve(address(_aave), amount);
        _aave.supply(address(token), amount, address(this), 0);
    }

    function withdraw(IERC20 token, uint256 amount) external asking(true) {
        _aave.withdraw(address(token), amount, address(this));
    }

    function borrow(IERC20 token, uint256 amount) external asking(true) {
        _aave.borrow(address(token), amount, 2, 0, address(this));
    }

    function repay(IERC20 token, uint256 amount) external asking(true) {
        _repay(token, amount);
    }

    function swap(IERC20 token, uint256 amount) external asking(false) {
        _swap(token, amount);
    }

    function delever(uint256 baseAmount, uint256 repaid) external asking(true) {
        _aave.withdraw(address(_base), baseAmount, address(this));
        _swap(_base, baseAmount);
        _repay(_asset, repaid);
    }

    function _repay(IERC20 token, uint256 amount) private {
        token.approve(address(_aave), amount);
        _aave.repay(address(token), amount, 2, address(this));
    }

    function _swap(IERC20 token, uint256 amount) private {
        bool zeroForOne = address(token) == _pool.token0();
        _pool.swap(
            address(this), zeroForOne, int256(amount), zeroForOne ? MIN_SQRT_PRICE : MAX_SQRT_PRICE, ""
        );
    }

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        (IERC20 token, int256 owed) =
            amount0 > 0 ? (IERC20(_pool.token0()), amount0) : (IERC20(_pool.token1()), amount1);
        token.transfer(address(_pool), uint256(owed));
    }

    // ---------------------------------------------------------------- questions

    function _askPrice() private view {
        _baseFeed.latestRoundData();
        _baseFeed.decimals();
        _quoteFeed.latestRoundData();
        _quoteFeed.decimals();
        uint32[] memory ago = new uint32[](2);
        ago[0] = 300;
        _pool.observe(ago);
    }

    function _askBalances(bool lent) private view {
        _asset.balanceOf(address(this));
        _base.balanceOf(address(this));
        if (!lent) return;
        _assetAToken.balanceOf(address(this));
        uint256 owed = _assetDebt.balanceOf(address(this));
        _baseAToken.balanceOf(address(this));
        owed += _baseDebt.balanceOf(address(this));
        if (owed != 0) _aave.getUserAccountData(address(this));
    }
}
