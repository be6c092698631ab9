// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultLens} from "../../contracts/VaultLens.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MockAave} from "./mocks/MockAave.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice A vault with its venues, one keeper and one depositor, at 2,000 USDC per WETH.
abstract contract Fixture is Test {
    uint256 internal constant ALL = type(uint256).max;
    uint256 internal constant WAD = 1e18;
    uint256 internal constant PRICE = 2000;
    uint256 internal constant DUST = 5;

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal keeper = makeAddr("keeper");
    address internal alice = makeAddr("alice");
    address internal mallory = makeAddr("mallory");

    MockToken internal usdc;
    MockToken internal weth;
    MockFeed internal ethFeed;
    MockFeed internal usdcFeed;
    MockPool internal pool;
    MockAave internal aave;
    PriceOracle internal oracle;
    Vault internal vault;
    AaveV3Adapter internal lending;
    UniswapV3Adapter internal swapper;
    VaultLens internal lens;
    uint256 private _intents;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        usdc = new MockToken("USDC", 6);
        weth = new MockToken("WETH", 18);
        ethFeed = new MockFeed(8, "ETH / USD", int256(PRICE * 1e8));
        usdcFeed = new MockFeed(8, "USDC / USD", 1e8);
        pool = new MockPool(address(usdc), address(weth));
        pool.setPrice(PRICE * 1e6, 1e18);
        aave = new MockAave();
        aave.list(usdc, usdcFeed);
        aave.list(weth, ethFeed);
        oracle = new PriceOracle(_oracleConfig());
        vault = new Vault(
            IERC20Metadata(address(usdc)),
            IERC20Metadata(address(weth)),
            oracle,
            owner,
            guardian,
            _limits(),
            "Gimbal USDC",
            "gUSDC"
        );
        lending = new AaveV3Adapter(address(vault), aave);
        swapper = new UniswapV3Adapter(address(vault), address(pool));
        lens = new VaultLens();
        vm.startPrank(owner);
        vault.setVenues(lending, swapper);
        vault.addKeeper(keeper);
        vm.stopPrank();
        usdc.mint(address(pool), 1e30);
        weth.mint(address(pool), 1e42);
        _lendersSupply();
    }

    // ---------------------------------------------------------------- settings

    function _oracleConfig() internal view virtual returns (PriceOracle.Config memory) {
        return PriceOracle.Config({
            base: address(weth),
            quote: address(usdc),
            baseFeed: address(ethFeed),
            quoteFeed: address(usdcFeed),
            baseMaxAge: 3900,
            quoteMaxAge: 1 days,
            pool: address(pool),
            twapWindow: 300,
            maxDeviationBps: 200,
            baseMinAnswer: 10 ** ethFeed.decimals(),
            baseMaxAnswer: 1e6 * 10 ** ethFeed.decimals(),
            quoteMinAnswer: 10 ** usdcFeed.decimals() / 10,
            quoteMaxAnswer: 10 * 10 ** usdcFeed.decimals(),
            blockTime: 12,
            sequencerFeed: address(0),
            graceSeconds: 0
        });
    }

    function _limits() internal pure virtual returns (IVault.Limits memory) {
        return IVault.Limits({
            minHealthWad: 1.05e18,
            maxSwapLossBps: 100,
            maxLossBps: 100,
            maxLossPerDayBps: 200,
            maxBorrowBps: 7500
        });
    }

    function _lendersSupply() private {
        address lender = makeAddr("lender");
        usdc.mint(lender, 1e18);
        weth.mint(lender, 1e30);
        vm.startPrank(lender);
        usdc.approve(address(aave), ALL);
        weth.approve(address(aave), ALL);
        aave.supply(address(usdc), 1e18, lender, 0);
        aave.supply(address(weth), 1e30, lender, 0);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- the world moves

    /// @dev Feed, pool and its mean move together; `cents` per WETH.
    function _setPrice(uint256 cents) internal {
        ethFeed.set(int256(cents * 1e6));
        usdcFeed.set(1e8);
        pool.setPrice(cents * 1e4, 1e18);
    }

    function _makeStale() internal {
        vm.warp(block.timestamp + 3901);
    }

    // ---------------------------------------------------------------- people act

    function _deposit(address who, uint256 assets) internal returns (uint256 shares) {
        usdc.mint(who, assets);
        vm.startPrank(who);
        usdc.approve(address(vault), assets);
        shares = vault.deposit(assets, who);
        vm.stopPrank();
    }

    function _intent(uint256 maxLoss) internal returns (IVault.Intent memory) {
        return IVault.Intent({id: bytes32(++_intents), deadline: uint64(block.timestamp), maxLoss: maxLoss});
    }

    function _run(IVault.Move[] memory moves) internal {
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
    }

    function _expectRefused(IVault.Move[] memory moves, bytes memory reason) internal {
        IVault.Intent memory intent = _intent(ALL);
        vm.expectRevert(reason);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
    }

    function _expectRefused(IVault.Move[] memory moves, bytes4 selector) internal {
        IVault.Intent memory intent = _intent(ALL);
        vm.expectPartialRevert(selector);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
    }

    /// @dev Deposit, buy base with `exposureBps` of it, supply the base, borrow `borrowBps` of its value in USDC.
    function _lever(uint256 assets, uint256 exposureBps, uint256 borrowBps) internal {
        _deposit(alice, assets);
        uint256 spend = assets * exposureBps / 10_000;
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _swapMove(address(usdc), spend);
        moves[1] = _supplyMove(address(weth), ALL);
        moves[2] = _borrowMove(address(usdc), spend * borrowBps / 10_000);
        _run(moves);
    }

    // ---------------------------------------------------------------- moves

    function _one(IVault.Move memory move) internal pure returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](1);
        moves[0] = move;
    }

    function _supplyMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Supply, address(lending), token, amount, 0);
    }

    function _withdrawMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Withdraw, address(lending), token, amount, 0);
    }

    function _borrowMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Borrow, address(lending), token, amount, 0);
    }

    function _repayMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Repay, address(lending), token, amount, 0);
    }

    function _swapMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Swap, address(swapper), token, amount, 0);
    }

    /// @dev Withdraw collateral, sell it, repay with all of it.
    function _deleverMoves(uint256 baseAmount) internal view returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](3);
        moves[0] = _withdrawMove(address(weth), baseAmount);
        moves[1] = _swapMove(address(weth), baseAmount);
        moves[2] = _repayMove(address(usdc), ALL);
    }
}
