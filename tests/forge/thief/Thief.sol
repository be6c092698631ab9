// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOptionAuction} from "../../../contracts/interfaces/IOptionAuction.sol";
import {IOptionBook} from "../../../contracts/interfaces/IOptionBook.sol";
import {IUniswapV3SwapCallback} from "../../../contracts/interfaces/external/IUniswapV3Pool.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {BlackScholes} from "../../../contracts/libraries/BlackScholes.sol";
import {SystemFixture} from "../invariants/SystemFixture.sol";
import {CurvePool} from "./CurvePool.sol";

/// @notice Who stole a keeper's key: this contract, with money of its own, every share of the pool's liquidity, two bidders' accounts and,
/// in some tests, the poster's key. It does one action at a time; a genome is a list of actions. What is refused is refused.
abstract contract Thief is SystemFixture, IUniswapV3SwapCallback {
    /// @dev Bytes of one action: kind, size, aux.
    uint256 internal constant GENE = 3;
    uint256 internal constant KINDS = 16;
    uint256 internal constant CASH = 100_000_000e6;
    uint256 internal constant BASE = 50_000e18;
    uint256 internal constant DEPTH = 100_000_000e6;
    uint256 internal constant LEVEL_PPM = 600_000;

    CurvePool internal curve;
    uint256[] internal ids;
    uint256 internal startedAt;
    /// @dev By strike, as marked when the day began.
    mapping(uint256 strike => uint256) private _fairVolWad;
    uint256 internal levelPpm = LEVEL_PPM;
    bool internal hasPoster;
    uint256 internal effects; // actions that did something
    uint256 internal rescues;
    /// @dev Raw dollars of one base outside; the oracle says `PRICE`.
    uint256 internal marketPrice = PRICE * 1e6;

    function setUp() public virtual override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 400_000e6)));
        _fresh();
        curve.setPrice(PRICE * 1e6, 1e18);
        vm.warp(vm.getBlockTimestamp() + 60);
        _run(_one(_swapMove(address(usdc), 400_000e6)));
        curve.setPrice(PRICE * 1e6, 1e18);
        _live(1 days); // what building the position cost is refilled
        _post(_smiles(LEVEL_PPM));
        curve.setPrice(PRICE * 1e6, 1e18);
        usdc.mint(address(this), CASH);
        weth.mint(address(this), BASE);
        usdc.approve(address(auction), ALL);
        usdc.approve(address(vault), ALL);
        book.setOperator(address(auction), true);
        vm.startPrank(bob);
        usdc.approve(address(auction), ALL);
        book.setOperator(address(auction), true);
        vm.stopPrank();
        _offer(false, 1700e18, 1600e18, 30 days);
        _offer(true, 2400e18, 2600e18, 30 days);
        _offer(true, 2300e18, 0, 30 days);
        _offer(false, 1900e18, 0, 8 days);
        startedAt = vm.getBlockTimestamp();
    }

    function _offer(bool isCall, uint128 strike, uint128 second, uint256 tenor) private {
        ids.push(_create(isCall, strike, second, tenor));
        uint256 expiry = vm.getBlockTimestamp() + tenor;
        (, _fairVolWad[strike],) = vols.volWad(strike, PRICE * 1e18, expiry);
        if (second != 0) (, _fairVolWad[second],) = vols.volWad(second, PRICE * 1e18, expiry);
    }

    function _makePool() internal override returns (address) {
        curve = new CurvePool(address(usdc), address(weth), _fee(), DEPTH, DEPTH * 1e12 / PRICE);
        return address(curve);
    }

    function _fee() internal pure virtual returns (uint24) {
        return 500;
    }

    // ---------------------------------------------------------------- wealth

    /// @dev The thief's own, in dollars at the oracle's price: tokens, liquidity, and options at the marks the day began with.
    function _wealth() internal view virtual returns (uint256 sum) {
        sum = usdc.balanceOf(address(this)) + usdc.balanceOf(bob) + curve.reserve0();
        uint256 base = weth.balanceOf(address(this)) + weth.balanceOf(bob) + curve.reserve1();
        sum += base * PRICE / 1e12;
        for (uint256 i; i < ids.length; ++i) {
            uint256 held = book.balanceOf(address(this), ids[i]) + book.balanceOf(bob, ids[i]);
            if (held != 0) sum += held * _fairWad(ids[i]) / 1e30;
        }
    }

    function _fairWad(uint256 id) internal view returns (uint256 value) {
        IOptionBook.Series memory series = book.seriesOf(id);
        if (vm.getBlockTimestamp() >= series.expiry) return 0; // out of the money, all of them
        value = _modelWad(series, series.strikeWad);
        if (series.secondStrikeWad != 0) value -= _modelWad(series, series.secondStrikeWad);
    }

    function _modelWad(IOptionBook.Series memory series, uint256 strike) private view returns (uint256) {
        (uint256 call, uint256 put) = BlackScholes.price(
            PRICE * 1e18, strike, series.expiry - vm.getBlockTimestamp(), _fairVolWad[strike], 0
        );
        return series.isCall ? call : put;
    }

    /// @dev The day is over and nobody has the key any more: the pool is taken back to the market's price, shares are redeemed.
    function _goHome() internal {
        _push(marketPrice);
        _act(14, 0, 0);
        uint256 shares = vault.balanceOf(address(this));
        if (shares != 0) vault.requestRedeem(shares, address(this), address(this));
        startedAt = vm.getBlockTimestamp(); // time may go on
        _pass(EPOCH);
        _settleAndClaim();
    }

    // ---------------------------------------------------------------- a day

    /// @dev The profit of one day lived by a genome, in real tokens.
    function _live(bytes memory genome) internal returns (int256 profit) {
        uint256 before = _wealth();
        for (uint256 i; i + GENE <= genome.length; i += GENE) {
            if (_act(uint8(genome[i]) % KINDS, uint8(genome[i + 1]), uint8(genome[i + 2]))) ++effects;
            _flatten();
        }
        _goHome();
        _flatten();
        profit = int256(_wealth()) - int256(before);
    }

    function _act(uint256 kind, uint256 size, uint256 aux) internal returns (bool) {
        if (kind == 0) return _sandwich(address(usdc), size, aux);
        if (kind == 1) return _sandwich(address(weth), size, aux);
        if (kind == 2) return _pass([uint256(60), 300, 900, 3600][aux % 4]);
        if (kind == 3) return _turnMarket(aux);
        if (kind == 4) return _lend(IVault.MoveKind.Supply, size, aux);
        if (kind == 5) return _lend(IVault.MoveKind.Borrow, size, aux);
        if (kind == 6) return _lend(IVault.MoveKind.Withdraw, size, aux);
        if (kind == 7) return _lend(IVault.MoveKind.Repay, size, aux);
        if (kind == 8) return _write(ids[aux % ids.length], size);
        if (kind == 9) return _fill(IOptionAuction.Kind.Sale, aux);
        if (kind == 10) return _buyBack(ids[aux % ids.length]);
        if (kind == 11) return _fill(IOptionAuction.Kind.Purchase, aux);
        if (kind == 12) return _postMarks(aux);
        if (kind == 13) return _join(size, aux);
        if (kind == 14) return _settleAndClaim();
        return _stranger(aux);
    }

    // ---------------------------------------------------------------- the pool

    /// @dev Push the pool until the vault's swap is as bad as it may be, let the vault swap, take the pool back.
    function _sandwich(address token, uint256 size, uint256 aux) internal returns (bool done) {
        uint256 amount = vault.idle(token) * (size + 1) / 256;
        uint256 edgeBps = aux % 8 == 7 ? 0 : 92 + aux % 8;
        for (uint256 i; i < 4 && !done && amount > 1e6; ++i) {
            _pushFor(token, amount, edgeBps);
            done = _rebalance(_swapMove(token, amount));
            _push(marketPrice);
            amount /= 2;
        }
    }

    /// @dev Where the vault's `amount` brings the oracle's price less `edgeBps`: the positive root of r^2 + amount r = k / price.
    function _pushFor(address token, uint256 amount, uint256 edgeBps) private {
        uint256 k = curve.reserve0() * curve.reserve1();
        uint256 kept = 1e6 - uint256(curve.fee());
        uint256 net = amount * kept / 1e6;
        uint256 priceUp = PRICE * 1e6 * (10_000 - edgeBps) / 10_000 + 1;
        uint256 root;
        if (token == address(weth)) {
            root = _root(net, Math.mulDiv(k, 1e12 * kept, priceUp));
            _push(Math.mulDiv(k / root, 1e18, root));
        } else {
            priceUp = PRICE * 1e6 * 10_000 / (10_000 - edgeBps) - 1;
            root = _root(net, Math.mulDiv(k, priceUp * kept / 1e6, 1e18));
            _push(Math.mulDiv(root, 1e18, k / root));
        }
    }

    function _root(uint256 b, uint256 c) private pure returns (uint256) {
        return (Math.sqrt(b * b + 4 * c) - b) / 2;
    }

    /// @dev Trade until a whole base costs `price` raw dollars, with the thief's own tokens.
    function _push(uint256 price) internal {
        (uint256 r0, uint256 r1) = (curve.reserve0(), curve.reserve1());
        if (r0 == 0) return;
        uint256 next0 = Math.sqrt(Math.mulDiv(r0 * r1, price, 1e18));
        bool up = next0 > r0;
        uint256 amount = up ? next0 - r0 : r0 * r1 / next0 - Math.min(r1, r0 * r1 / next0);
        if (amount < 10) return;
        curve.swap(address(this), up, int256(amount), 0, "");
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        require(msg.sender == address(curve), "pool only");
        if (amount0 > 0) usdc.transfer(address(curve), uint256(amount0));
        if (amount1 > 0) weth.transfer(address(curve), uint256(amount1));
    }

    // ---------------------------------------------------------------- time and market

    function _pass(uint256 time) internal returns (bool) {
        uint256 now_ = vm.getBlockTimestamp();
        if (now_ + time > startedAt + 1 days) return false;
        vm.warp(now_ + time);
        _fresh();
        try vols.observe() {} catch {}
        return true;
    }

    function _fresh() internal {
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
    }

    /// @dev The market moves within the feed's deviation threshold: nothing at constant prices.
    function _turnMarket(uint256) internal virtual returns (bool) {
        return _pass(1800);
    }

    /// @dev Hedge what was bought or sold: nothing at constant prices.
    function _flatten() internal virtual {}

    // ---------------------------------------------------------------- the keeper's key

    function _rebalance(IVault.Move memory move) internal returns (bool) {
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, _one(move)) {
            return true;
        } catch {
            return false;
        }
    }

    function _lend(IVault.MoveKind kind, uint256 size, uint256 aux) internal returns (bool done) {
        address token = aux % 2 == 0 ? address(usdc) : address(weth);
        (uint256 supplied, uint256 debt) = lending.balances(token);
        uint256 whole = kind == IVault.MoveKind.Withdraw
            ? supplied
            : kind == IVault.MoveKind.Repay ? Math.min(debt, vault.idle(token)) : vault.idle(token);
        if (kind == IVault.MoveKind.Borrow) {
            (uint256 asset,) = lending.balances(address(usdc));
            (uint256 base,) = lending.balances(address(weth));
            whole = asset + base * PRICE / 1e12;
            if (token == address(weth)) whole = whole * 1e12 / PRICE;
        }
        uint256 amount = whole * (size + 1) / 256;
        for (uint256 i; i < 4 && !done && amount != 0; ++i) {
            done = _rebalance(IVault.Move(kind, address(lending), token, amount, 0, 0));
            amount /= 2;
        }
    }

    function _write(uint256 id, uint256 size) internal returns (bool done) {
        IOptionBook.Series memory series = book.seriesOf(id);
        address token = series.isCall ? address(weth) : address(usdc);
        (bool known, uint256 mid) = _midWad(series);
        if (!known) return false;
        uint256 amount = vault.idle(token) * 1e18 / book.collateralUp(id, 1e18) * (size + 1) / 256;
        for (uint256 i; i < 4 && !done && amount > 1e12; ++i) {
            done = _rebalance(_writeMove(id, token, amount, mid + 1));
            amount /= 2;
        }
    }

    function _buyBack(uint256 id) internal returns (bool done) {
        uint256 held = book.balanceOf(address(this), id);
        (bool known, uint256 mid) = _midWad(book.seriesOf(id));
        if (held == 0 || !known) return false;
        uint256 limit = mid * 110 / 100;
        for (uint256 i; i < 4 && !done && held > 1e12; ++i) {
            done = _rebalance(
                IVault.Move(IVault.MoveKind.BuyBack, address(desk), address(usdc), held, limit, id)
            );
            held /= 2;
        }
    }

    /// @dev The mark a sale must start at; a mark nobody knows writes nothing.
    function _midWad(IOptionBook.Series memory series) internal view returns (bool, uint256) {
        uint256 spot = PRICE * 1e18;
        uint256 time = series.expiry - vm.getBlockTimestamp();
        try vols.volWad(series.strikeWad, spot, series.expiry) returns (uint256, uint256 vol, uint256) {
            (uint256 call, uint256 put) = BlackScholes.price(spot, series.strikeWad, time, vol, 0);
            uint256 mid = series.isCall ? call : put;
            if (series.secondStrikeWad == 0) return (true, mid);
            (, vol,) = vols.volWad(series.secondStrikeWad, spot, series.expiry);
            (call, put) = BlackScholes.price(spot, series.secondStrikeWad, time, vol, 0);
            return (true, mid - Math.min(mid, series.isCall ? call : put));
        } catch {
            return (false, 0);
        }
    }

    // ---------------------------------------------------------------- the auctions

    /// @dev Both accounts take all they may of every auction that runs: at once, or, where `aux` is odd, in its last second.
    function _fill(IOptionAuction.Kind kind, uint256 aux) internal returns (bool any) {
        uint256 opened = auction.auctionCount();
        for (uint256 i = opened; i > 0 && i + 3 > opened; --i) {
            IOptionAuction.Auction memory a = auction.auctionOf(i);
            if (a.kind != kind || auction.over(i)) continue;
            uint256 at = aux % 2 == 1 ? a.endAt : a.startAt;
            if (at > vm.getBlockTimestamp() && !_pass(at - vm.getBlockTimestamp())) continue;
            if (kind == IOptionAuction.Kind.Purchase) {
                book.transfer(bob, a.seriesId, book.balanceOf(address(this), a.seriesId) / 2);
            }
            if (_take(address(this), i, a)) any = true;
            if (_take(bob, i, a)) any = true;
        }
    }

    function _take(address who, uint256 id, IOptionAuction.Auction memory a) private returns (bool done) {
        uint256 most = Math.saturatingSub(
            Math.ceilDiv(uint256(a.amount) * a.maxBidBps, 10_000), auction.takenBy(id, who)
        );
        most = Math.min(most, auction.auctionOf(id).left);
        if (a.kind == IOptionAuction.Kind.Purchase) most = Math.min(most, book.balanceOf(who, a.seriesId));
        for (uint256 i; i < 5 && !done && most != 0; ++i) {
            if (who != address(this)) {
                uint256 cash = usdc.balanceOf(address(this)) / 2;
                usdc.transfer(who, cash);
                vm.prank(who);
            }
            if (a.kind == IOptionAuction.Kind.Sale) {
                try auction.bid(id, most, ALL, address(this)) {
                    done = true;
                } catch {}
            } else {
                try auction.offer(id, most, 0, address(this)) {
                    done = true;
                } catch {}
            }
            most /= 2;
        }
    }

    // ---------------------------------------------------------------- the poster's key

    function _postMarks(uint256 aux) internal returns (bool) {
        if (!hasPoster) return false;
        uint256 next = aux % 4 == 3 ? levelPpm * 10_000 / 10_620 : levelPpm * 10_620 / 10_000;
        vm.prank(poster);
        try vols.post(_smiles(next), type(uint256).max) {
            levelPpm = next;
            return true;
        } catch {
            return _pass(300);
        }
    }

    // ---------------------------------------------------------------- a depositor, a stranger

    function _join(uint256 size, uint256 aux) internal returns (bool) {
        if (aux % 2 == 0) {
            uint256 cash = usdc.balanceOf(address(this)) * (size + 1) / 1024;
            try vault.requestDeposit(cash, address(this), address(this)) {
                return true;
            } catch {
                return false;
            }
        }
        uint256 shares = vault.balanceOf(address(this)) * (size + 1) / 256;
        if (shares == 0) return false;
        vault.requestRedeem(shares, address(this), address(this));
        return true;
    }

    function _settleAndClaim() internal returns (bool) {
        try vault.settle() {} catch {}
        uint256 most = vault.maxDeposit(address(this));
        if (most != 0) vault.deposit(most, address(this));
        uint256 shares = vault.maxRedeem(address(this));
        if (shares != 0) vault.redeem(shares, address(this), address(this));
        return most + shares != 0;
    }

    function _stranger(uint256 aux) internal returns (bool) {
        if (aux % 4 == 0) {
            try vault.protect() {
                ++rescues;
                return true;
            } catch {
                return false;
            }
        }
        if (aux % 4 == 1) return usdc.transfer(address(vault), 1e6); // a gift
        uint256 last = auction.auctionCount();
        if (last == 0) return false;
        return _rebalance(
            IVault.Move(IVault.MoveKind.Cancel, address(desk), address(usdc), 0, 0, last - aux % last)
        );
    }
}
