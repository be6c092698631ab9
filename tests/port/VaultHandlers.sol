// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../contracts/Vault.sol";
import {AaveV3Adapter} from "../../contracts/adapters/AaveV3Adapter.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MockAave} from "./mocks/MockAave.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockPool} from "./mocks/MockPool.sol";
import {MockToken} from "./mocks/MockToken.sol";

struct System {
    Vault vault;
    AaveV3Adapter lending;
    address swapper;
    MockAave aave;
    MockPool pool;
    MockFeed ethFeed;
    MockFeed usdcFeed;
    MockToken usdc;
    MockToken weth;
    address keeper;
    address guardian;
    address owner;
}

/// @notice Keeper, thief, depositors and market act in any order; ghosts remember what the invariants speak of.
contract VaultHandlers is CommonBase, StdCheats, StdUtils {
    uint256 private constant ALL = type(uint256).max;
    uint256 private constant CAPACITY_BPS = 200;
    uint256 private constant DUST = 5;

    System private s;
    address[3] private _people = [address(0xA11CE), address(0xB0B), address(0xCA401)];
    uint256 public cents = 200_000;
    uint256 private _nonce;

    /// @dev Ghosts.
    uint256 public rebalances;
    uint256 public unhealthyEnds; // V-05
    uint256 public exposedWithoutPrice; // V-07
    uint256 public usedTwice; // V-12
    uint256 public riskRaisedInPause; // V-08, the other way round
    uint256 public profits; // V-02
    uint256 public lossWad; // V-04: fractions of share value lost to keeper actions
    uint256 public moves;
    uint256 public immutable startedAt = block.timestamp;

    constructor(System memory system) {
        s = system;
    }

    // ---------------------------------------------------------------- keeper and thief

    /// @notice A plausible rebalance: one or two moves of sensible size.
    function keep(uint8 kind, uint256 amount, bool ofBase) external {
        IVault.Move[] memory list = new IVault.Move[](1);
        list[0] = _move(kind, amount, ofBase);
        _rebalance(list);
    }

    /// @notice Withdraw, sell, repay.
    function delever(uint256 amount) external {
        amount = bound(amount, 1e15, 20e18);
        IVault.Move[] memory list = new IVault.Move[](3);
        list[0] = IVault.Move(IVault.MoveKind.Withdraw, address(s.lending), address(s.weth), amount, 0);
        list[1] = IVault.Move(IVault.MoveKind.Swap, s.swapper, address(s.weth), amount, 0);
        list[2] = IVault.Move(IVault.MoveKind.Repay, address(s.lending), address(s.usdc), ALL, 0);
        _rebalance(list);
    }

    /// @notice Buy, supply, borrow.
    function lever(uint256 amount) external {
        amount = bound(amount, 1e6, 200_000e6);
        IVault.Move[] memory list = new IVault.Move[](3);
        list[0] = IVault.Move(IVault.MoveKind.Swap, s.swapper, address(s.usdc), amount, 0);
        list[1] = IVault.Move(IVault.MoveKind.Supply, address(s.lending), address(s.weth), ALL, 0);
        list[2] = IVault.Move(IVault.MoveKind.Borrow, address(s.lending), address(s.usdc), amount * 6 / 10, 0);
        _rebalance(list);
    }

    /// @notice The key is stolen: the pool gives as little as it likes, moves are anything.
    function steal(uint256 seed, uint256 haircut) external {
        s.pool.setHaircut(bound(haircut, 0, 150));
        IVault.Move[] memory list = new IVault.Move[](seed % 6 + 1);
        for (uint256 i; i < list.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            list[i] = _move(uint8(seed), seed >> 8, seed & 128 == 0);
        }
        _rebalance(list);
        s.pool.setHaircut(0);
    }

    /// @notice The last intent once more.
    function replay() external {
        IVault.Move[] memory list = new IVault.Move[](1);
        list[0] = IVault.Move(IVault.MoveKind.Repay, address(s.lending), address(s.usdc), 1, 0);
        if (!s.vault.intentUsed(bytes32(_nonce))) return;
        vm.prank(s.keeper);
        try s.vault.rebalance(IVault.Intent(bytes32(_nonce), uint64(block.timestamp), ALL), list) {
            ++usedTwice;
        } catch {}
    }

    // ---------------------------------------------------------------- depositors

    function deposit(uint256 who, uint256 assets) external {
        address person = _people[who % 3];
        assets = bound(assets, 1, 500_000e6);
        s.usdc.mint(person, assets);
        vm.startPrank(person);
        s.usdc.approve(address(s.vault), assets);
        try s.vault.deposit(assets, person) {} catch {}
        vm.stopPrank();
    }

    function redeem(uint256 who, uint256 shares) external {
        address person = _people[who % 3];
        shares = bound(shares, 0, s.vault.maxRedeem(person));
        if (shares == 0) return;
        vm.prank(person);
        s.vault.redeem(shares, person, person);
    }

    /// @notice In and out at once must not profit (V-02).
    function roundTrip(uint256 assets) external {
        assets = bound(assets, 1, 1_000_000e6);
        address person = address(0xDEAD01);
        s.usdc.mint(person, assets);
        vm.startPrank(person);
        s.usdc.approve(address(s.vault), assets);
        try s.vault.deposit(assets, person) returns (uint256 shares) {
            if (s.vault.redeem(shares, person, person) > assets) ++profits;
        } catch {}
        vm.stopPrank();
    }

    function donate(uint256 amount, bool ofBase) external {
        if (ofBase) s.weth.mint(address(s.vault), bound(amount, 1, 1e18));
        else s.usdc.mint(address(s.vault), bound(amount, 1, 1000e6));
    }

    // ---------------------------------------------------------------- guardian, owner, market

    function pauseOrNot(bool pause) external {
        vm.prank(s.owner);
        if (pause) s.vault.pause();
        else s.vault.unpause();
    }

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 2 hours));
        if (seconds_ & 3 != 0) _answer(); // else the feed stays silent and may go stale
    }

    function trade(uint256 step, bool up) external {
        step = bound(step, 0, 300);
        cents = up ? cents * (10_000 + step) / 10_000 : cents * (10_000 - step) / 10_000;
        cents = Math.min(Math.max(cents, 50_000), 800_000);
        _answer();
        _liquidate();
    }

    function breakFeed(uint8 way) external {
        if (way % 4 == 0) s.ethFeed.set(0);
        if (way % 4 == 1) s.ethFeed.setRound(99, int256(cents * 1e6), block.timestamp, 98);
        if (way % 4 == 2) s.pool.setPrice(cents * 1.05e4, 1e18);
        if (way % 4 == 3) _answer();
    }

    function _answer() private {
        s.ethFeed.set(int256(cents * 1e6));
        s.usdcFeed.set(1e8);
        s.pool.setPrice(cents * 1e4, 1e18);
    }

    function _liquidate() private {
        try s.aave.liquidate(address(s.weth), address(s.usdc), address(s.lending)) {} catch {}
    }

    // ---------------------------------------------------------------- one rebalance, watched

    function _move(uint8 kind, uint256 amount, bool ofBase) private view returns (IVault.Move memory) {
        IVault.MoveKind what = IVault.MoveKind(kind % 5);
        address adapter = what == IVault.MoveKind.Swap ? s.swapper : address(s.lending);
        if (amount % 8 == 0) amount = ALL;
        else amount = ofBase ? bound(amount, 1, 200e18) : bound(amount, 1, 400_000e6);
        return IVault.Move(what, adapter, ofBase ? address(s.weth) : address(s.usdc), amount, 0);
    }

    function _rebalance(IVault.Move[] memory list) private {
        (bool priced, uint256 valueBefore) = _shareValue();
        uint256 healthBefore = s.aave.health_(address(s.lending));
        uint256 debtBefore = _debt();
        bool exposed = _exposed(list);
        IVault.Intent memory intent = IVault.Intent(bytes32(++_nonce), uint64(block.timestamp), ALL);
        vm.prank(s.keeper);
        try s.vault.rebalance(intent, list) {}
        catch {
            return;
        }
        ++rebalances;
        moves += list.length;
        uint256 healthAfter = s.aave.health_(address(s.lending));
        if (healthAfter < s.vault.limits().minHealthWad && healthAfter <= healthBefore && exposed) {
            ++unhealthyEnds;
        }
        if (exposed && !_usable()) ++exposedWithoutPrice;
        if (s.vault.paused() && (_debt() > debtBefore || healthAfter < healthBefore)) ++riskRaisedInPause;
        if (!priced) return;
        (, uint256 valueAfter) = _shareValue();
        if (valueAfter < valueBefore) lossWad += (valueBefore - valueAfter) * 1e18 / valueBefore;
    }

    /// @dev What V-04 bounds, as a WAD fraction, with room for the venue's rounding.
    function lossBoundWad() external view returns (uint256) {
        uint256 elapsed = block.timestamp - startedAt;
        return CAPACITY_BPS * 1e14 * (1 days + elapsed) / 1 days + moves * DUST * 1e18 / 1e9;
    }

    function _exposed(IVault.Move[] memory list) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].kind == IVault.MoveKind.Borrow || list[i].kind == IVault.MoveKind.Swap) return true;
        }
        return false;
    }

    function _usable() private view returns (bool) {
        (bool ok,) = s.vault.oracle().staticcall(abi.encodeWithSignature("priceWad()"));
        return ok;
    }

    function _shareValue() private view returns (bool, uint256) {
        try s.vault.convertToAssets(1e24) returns (uint256 value) {
            return (value > 1e9, value);
        } catch {
            return (false, 0);
        }
    }

    function _debt() private view returns (uint256) {
        (, uint256 debtAsset) = s.lending.balances(address(s.usdc));
        (, uint256 debtBase) = s.lending.balances(address(s.weth));
        return debtAsset + debtBase;
    }
}
