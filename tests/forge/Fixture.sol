// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {AccessSetup} from "../../contracts/AccessSetup.sol";
import {Mandate} from "../../contracts/Mandate.sol";
import {PriceOracle} from "../../contracts/PriceOracle.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultLens} from "../../contracts/VaultLens.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {IAccessSetup} from "../../contracts/interfaces/IAccessSetup.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {OptionLimits} from "../../contracts/libraries/OptionLimits.sol";
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

    uint32 internal constant CURATOR_DELAY = 1 hours;
    uint32 internal constant OWNER_DELAY = 2 days;
    uint256 internal constant EPOCH = 30 minutes;

    address internal owner = makeAddr("owner");
    address internal curator = makeAddr("curator");
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
    AccessManager internal manager;
    Valuation internal valuation;
    Mandate internal mandate;
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
        _deployVault();
        lens = new VaultLens();
        usdc.mint(address(pool), 1e30);
        weth.mint(address(pool), 1e42);
        _lendersSupply();
    }

    /// @dev As it is deployed: everything bound, roles wired, a seed of one dollar in.
    function _deployVault() internal {
        AccessSetup setup = new AccessSetup();
        manager = setup.manager();
        valuation = new Valuation(oracle);
        mandate = new Mandate(manager, valuation, _terms());
        vault = new Vault(_config());
        lending = new AaveV3Adapter(address(vault), aave);
        swapper = new UniswapV3Adapter(address(vault), address(pool));
        uint256 seed = 10 ** usdc.decimals();
        usdc.mint(address(this), seed);
        usdc.approve(address(vault), seed);
        vault.setVenues(address(lending), address(swapper), _deployDesk());
        setup.finish(address(mandate), address(0), _holders());
    }

    /// @dev Zero: this vault writes no options.
    function _deployDesk() internal virtual returns (address) {
        return address(0);
    }

    // ---------------------------------------------------------------- settings

    function _config() internal view virtual returns (Vault.Config memory) {
        return Vault.Config({
            asset: IERC20Metadata(address(usdc)),
            base: IERC20Metadata(address(weth)),
            mandate: mandate,
            name: "Gimbal USDC",
            symbol: "gUSDC",
            epochLength: EPOCH,
            policy: IVaultShares.DepositPolicy({cap: 1e30, minimum: 1, allowListed: false}),
            fees: IVaultShares.Fees({recipient: address(0), managementBps: 0, performanceBps: 0})
        });
    }

    function _holders() internal view returns (IAccessSetup.Holders memory holders) {
        holders.owner = owner;
        holders.curator = curator;
        holders.guardian = guardian;
        holders.ownerDelay = OWNER_DELAY;
        holders.curatorDelay = CURATOR_DELAY;
        holders.keepers = new address[](1);
        holders.keepers[0] = keeper;
    }

    function _terms() internal view virtual returns (IMandate.Terms memory) {
        return
            IMandate.Terms({
                limits: _limits(), caps: _caps(), emergency: _emergency(), options: _optionLimits()
            });
    }

    /// @dev Wide: what narrows is set by the tests of the cap it narrows.
    function _caps() internal pure virtual returns (IMandate.Caps memory) {
        return IMandate.Caps({
            deltaTargetBps: 10_000,
            deltaBandBps: 100_000,
            maxVenueBps: 10_000,
            maxOptionBps: 5000,
            turnoverPerDayBps: 200_000,
            cooldown: 0,
            maxOracleAge: 3900,
            protectiveLossPerDayBps: 200
        });
    }

    function _emergency() internal pure virtual returns (IMandate.Emergency memory) {
        return IMandate.Emergency({
            emergencyHealthWad: 1.045e18,
            criticalHealthWad: 1.02e18,
            silence: 10 minutes,
            sliceBps: 2500,
            cooldown: 1 minutes,
            bountyBps: 50,
            maxBounty: 1000e6
        });
    }

    function _optionLimits() internal pure virtual returns (OptionLimits memory) {
        return OptionLimits({
            minTenor: 1 days,
            maxTenor: 60 days,
            minDeltaBps: 500,
            maxDeltaBps: 5000,
            maxNotionalBps: 5000,
            maxVegaBps: 5000,
            reserveDiscountBps: 300,
            buyBackPremiumBps: 300,
            auctionDuration: 1 hours,
            startWindow: 30 minutes,
            minBidBps: 100,
            maxBidBps: 5000,
            maxSeries: 8
        });
    }

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

    function _limits() internal pure virtual returns (IMandate.Limits memory) {
        return IMandate.Limits({
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

    /// @dev Asked for, settled when due, claimed. The price is as fresh after as it was before.
    function _deposit(address who, uint256 assets) internal returns (uint256 shares) {
        _request(who, assets);
        _settle();
        vm.prank(who);
        shares = vault.deposit(assets, who);
    }

    function _request(address who, uint256 assets) internal {
        usdc.mint(who, assets);
        vm.startPrank(who);
        usdc.approve(address(vault), assets);
        vault.requestDeposit(assets, who, who);
        vm.stopPrank();
    }

    /// @dev As much as idle assets pay, at once.
    function _redeem(address who, uint256 shares) internal returns (uint256 assets) {
        vm.prank(who);
        vault.requestRedeem(shares, who, who);
        _settle();
        uint256 settled = vault.maxRedeem(who);
        if (settled == 0) return 0;
        vm.prank(who);
        assets = vault.redeem(settled, who, who);
    }

    function _settle() internal {
        _wait(EPOCH);
        vault.settle();
    }

    /// @dev Time passes, feeds answer as before.
    function _wait(uint256 time) internal {
        vm.warp(block.timestamp + time);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
    }

    /// @dev What a curator does: scheduled, waited for, executed.
    function _asCurator(bytes memory call_) internal {
        vm.prank(curator);
        manager.schedule(address(mandate), call_, 0);
        _wait(CURATOR_DELAY);
        vm.prank(curator);
        manager.execute(address(mandate), call_);
    }

    function _setTerms(IMandate.Terms memory terms) internal {
        _asCurator(abi.encodeCall(IMandate.setTerms, (mandate.termsHash(), terms)));
    }

    function _intent(uint256 maxLoss) internal returns (IVault.Intent memory) {
        return IVault.Intent({
            id: bytes32(++_intents),
            deadline: uint64(block.timestamp),
            stateHash: mandate.stateHash(),
            maxLoss: maxLoss
        });
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
        return IVault.Move(IVault.MoveKind.Supply, address(lending), token, amount, 0, 0);
    }

    function _withdrawMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Withdraw, address(lending), token, amount, 0, 0);
    }

    function _borrowMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Borrow, address(lending), token, amount, 0, 0);
    }

    function _repayMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Repay, address(lending), token, amount, 0, 0);
    }

    function _swapMove(address token, uint256 amount) internal view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Swap, address(swapper), token, amount, 0, 0);
    }

    /// @dev Withdraw collateral, sell it, repay with all of it.
    function _deleverMoves(uint256 baseAmount) internal view returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](3);
        moves[0] = _withdrawMove(address(weth), baseAmount);
        moves[1] = _swapMove(address(weth), baseAmount);
        moves[2] = _repayMove(address(usdc), ALL);
    }
}
