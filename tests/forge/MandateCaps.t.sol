// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {LossBudget} from "../../contracts/libraries/LossBudget.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice The caps on everything that does not reduce risk: shares of venue and options, notional, vega, turnover, cooldown, oracle age.
contract MandateCapsTest is MandateFixture {
    uint256 private constant NAV = 1_000_001e6;
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0); // NAV stays what it is
        _deposit(alice, 1_000_000e6);
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function _writeMove(uint256 amount) private view returns (IVault.Move memory) {
        return IVault.Move(IVault.MoveKind.Write, address(desk), address(weth), amount, 1e18, 1);
    }

    function _cap(IMandate.Cap cap, uint256 value, uint256 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMandate.ShareTooLarge.selector, cap, value, most);
    }

    // ---------------------------------------------------------------- shares

    function testFuzz_the_venue_holds_at_most_its_share(uint16 cap, uint256 amount) external {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.maxVenueBps = uint16(bound(cap, 0, 10_000));
        _tightenCaps(caps);
        amount = bound(amount, 2, NAV);
        uint256 share = Math.mulDiv(amount, 10_000, NAV, Math.Rounding.Ceil);
        IVault.Move[] memory moves = _one(_supplyMove(address(usdc), amount));
        if (share > caps.maxVenueBps) {
            _expectRefused(moves, _cap(IMandate.Cap.Venue, share, caps.maxVenueBps));
        } else {
            _run(moves);
        }
    }

    /// Over the cap because the cap fell: nothing goes in, everything comes out, and what does not touch it passes.
    function testFuzz_over_the_venues_cap_only_the_way_out_is_open(uint256 supplied, uint256 amount)
        external
    {
        supplied = bound(supplied, 200_000e6, 900_000e6);
        _run(_one(_supplyMove(address(usdc), supplied)));
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.maxVenueBps = 1000;
        _tightenCaps(caps);
        amount = bound(amount, 2, 90_000e6);
        _expectRefused(_one(_supplyMove(address(usdc), amount)), IMandate.ShareTooLarge.selector);
        _run(_one(_swapMove(address(usdc), amount)));
        _run(_one(_withdrawMove(address(usdc), amount)));
    }

    /// A stranger who supplies for the vault fills its cap, and stops nothing but supplying.
    function testFuzz_a_gift_at_the_venue_stops_only_supplying(uint256 gift) external {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.maxVenueBps = 500;
        _tightenCaps(caps);
        gift = bound(gift, 60_000e6, 1_000_000e6);
        usdc.mint(mallory, gift);
        vm.startPrank(mallory);
        usdc.approve(address(aave), gift);
        aave.supply(address(usdc), gift, address(lending), 0);
        vm.stopPrank();
        _expectRefused(_one(_supplyMove(address(usdc), 1e6)), IMandate.ShareTooLarge.selector);
        _run(_one(_swapMove(address(usdc), 1e6)));
        _run(_one(_withdrawMove(address(usdc), ALL)));
    }

    function testFuzz_options_tie_up_at_most_their_share(uint16 cap, uint256 amount) external {
        _run(_one(_swapMove(address(usdc), 900_000e6)));
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.maxOptionBps = uint16(bound(cap, 0, 5000));
        _tightenCaps(caps);
        amount = bound(amount, 1e10, 450e18);
        uint256 share = Math.mulDiv(amount * PRICE / 1e12, 10_000, NAV, Math.Rounding.Ceil);
        if (share > caps.maxOptionBps) {
            _expectRefused(_one(_writeMove(amount)), _cap(IMandate.Cap.Options, share, caps.maxOptionBps));
        } else {
            _run(_one(_writeMove(amount)));
        }
    }

    function testFuzz_notional_and_vega_have_their_caps(uint256 notional, uint256 vega) external {
        _run(_one(_swapMove(address(usdc), 900_000e6)));
        notional = bound(notional, 0, 450e18);
        vega = bound(vega, 0, 900_000e6);
        desk.setNext(notional, vega);
        uint256 notionalBps =
            Math.mulDiv(Math.ceilDiv(notional * PRICE, 1e12), 10_000, NAV, Math.Rounding.Ceil);
        uint256 vegaBps = Math.mulDiv(vega, 10_000, NAV, Math.Rounding.Ceil);
        IVault.Move[] memory moves = _one(_writeMove(1e15));
        if (notionalBps > 5000) _expectRefused(moves, _cap(IMandate.Cap.Notional, notionalBps, 5000));
        else if (vegaBps > 5000) _expectRefused(moves, _cap(IMandate.Cap.Vega, vegaBps, 5000));
        else _run(moves);
    }

    /// Over a cap already: what leaves it alone is not held up by it.
    function testFuzz_a_cap_that_fell_holds_nothing_else_up(uint256 amount) external {
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        desk.setNext(100e18, 300_000e6);
        _run(_one(_writeMove(200e18)));
        IMandate.Terms memory terms = mandate.terms();
        (terms.caps.maxOptionBps, terms.options.maxNotionalBps, terms.options.maxVegaBps) = (0, 0, 0);
        _tighten(terms);
        desk.setNext(0, 0);
        _expectRefused(_one(_writeMove(1e15)), IMandate.ShareTooLarge.selector);
        amount = bound(amount, 1e6, 100_000e6);
        _run(_one(_swapMove(address(usdc), amount)));
        _run(_one(_supplyMove(address(usdc), amount)));
    }

    // ---------------------------------------------------------------- options without a volatility

    function testFuzz_without_a_volatility_no_option_is_traded_and_everything_else_is(uint256 amount)
        external
    {
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        desk.setNext(10e18, 1000e6);
        _run(_one(_writeMove(100e18)));
        desk.setVolatilityKnown(false);
        amount = bound(amount, 1e15, 50e18);
        _expectRefused(
            _one(_writeMove(amount)),
            abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Write)
        );
        IVault.Move memory buy = _writeMove(amount);
        (buy.kind, buy.token) = (IVault.MoveKind.BuyBack, address(usdc));
        _expectRefused(
            _one(buy), abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.BuyBack)
        );
        _run(_one(_swapMove(address(weth), amount)));
        _run(_one(_supplyMove(address(weth), amount)));
        IVault.Move memory cancel = _writeMove(0);
        cancel.kind = IVault.MoveKind.Cancel;
        _run(_one(cancel));
    }

    // ---------------------------------------------------------------- turnover

    /// What is swapped is charged at the oracle's price, refilled in a day, and no more than is left passes.
    function testFuzz_turnover_is_a_bucket(uint32 cap, uint256 first, uint256 second, uint256 pause)
        external
    {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.turnoverPerDayBps = uint32(bound(cap, 1, 15_000));
        _tightenCaps(caps);
        uint256 capacity = uint256(caps.turnoverPerDayBps) * 1e14;
        first = bound(first, 2, 900_000e6) / 2 * 2;
        uint256 used = Math.mulDiv(first, 1e18, NAV, Math.Rounding.Ceil);
        if (used > capacity) {
            _expectRefused(
                _one(_swapMove(address(usdc), first)),
                abi.encodeWithSelector(LossBudget.BudgetExceeded.selector, used, capacity)
            );
            return;
        }
        _run(_one(_swapMove(address(usdc), first)));
        pause = bound(pause, 0, 1 days);
        _wait(pause);
        used -= Math.min(used, pause * capacity / 1 days);
        (uint256 left,) = mandate.turnoverLeft();
        assertEq(left, capacity - used);
        second = bound(second, 2, _idleUsdc()) / 2 * 2;
        uint256 wanted = Math.mulDiv(second, 1e18, NAV, Math.Rounding.Ceil);
        if (wanted > left) {
            _expectRefused(_one(_swapMove(address(usdc), second)), LossBudget.BudgetExceeded.selector);
        } else {
            _run(_one(_swapMove(address(usdc), second)));
        }
    }

    /// Every swap of one rebalance counts, in whichever direction: there and back is twice.
    function testFuzz_turnover_counts_both_directions(uint256 spent, uint8 rounds) external {
        spent = bound(spent, 1e6, 100_000e6) / 2e6 * 2e6 + 2e6;
        rounds = uint8(bound(rounds, 1, 4));
        IVault.Move[] memory moves = new IVault.Move[](2 * uint256(rounds));
        for (uint256 i; i < rounds; ++i) {
            moves[2 * i] = _swapMove(address(usdc), spent);
            moves[2 * i + 1] = _swapMove(address(weth), spent * 1e12 / PRICE * 999 / 1000);
        }
        (uint256 before,) = mandate.turnoverLeft();
        _run(moves);
        (uint256 left,) = mandate.turnoverLeft();
        uint256 sold = rounds * (spent + spent * 999 / 1000);
        assertApproxEqAbs(before - left, Math.mulDiv(sold, 1e18, NAV), 1e18 / uint256(1e9));
    }

    /// Reducing swaps are not turnover, and do not need any to be left (V-08).
    function testFuzz_the_way_to_cash_is_no_turnover(uint256 sold) external {
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.turnoverPerDayBps = 0;
        _tightenCaps(caps);
        _expectRefused(_one(_swapMove(address(usdc), 1e6)), LossBudget.BudgetExceeded.selector);
        (uint256 before,) = mandate.turnoverLeft();
        _run(_one(_swapMove(address(weth), bound(sold, 1e12, 250e18))));
        (uint256 left,) = mandate.turnoverLeft();
        assertEq(left, before);
    }

    // ---------------------------------------------------------------- cooldown

    function testFuzz_routine_rebalances_keep_their_distance(uint32 cooldown, uint256 pause) external {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.cooldown = uint32(bound(cooldown, 0, 1 days));
        _tightenCaps(caps);
        _run(_one(_supplyMove(address(usdc), 1e6)));
        uint256 last = block.timestamp;
        assertEq(mandate.lastRoutineAt(), last);
        pause = bound(pause, 0, 2 * uint256(caps.cooldown));
        _wait(pause);
        // What reduces neither waits nor makes anything wait.
        _run(_one(_withdrawMove(address(usdc), 1e6)));
        assertEq(mandate.lastRoutineAt(), last);
        IVault.Move[] memory moves = _one(_supplyMove(address(usdc), 1e6));
        if (pause < caps.cooldown) {
            _expectRefused(
                moves,
                abi.encodeWithSelector(
                    IMandate.CooldownActive.selector, last + caps.cooldown, block.timestamp
                )
            );
        } else {
            _run(moves);
            assertEq(mandate.lastRoutineAt(), block.timestamp);
        }
    }

    /// A refused rebalance starts no cooldown.
    function test_what_is_refused_makes_nobody_wait() external {
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.cooldown = 1 hours;
        _tightenCaps(caps);
        _expectRefused(_one(_borrowMove(address(weth), 1)), abi.encodeWithSignature("Error(string)", "36"));
        _run(_one(_supplyMove(address(usdc), 1e6)));
    }

    // ---------------------------------------------------------------- oracle age

    /// The mandate may ask for fresher prices than the oracle itself.
    function testFuzz_a_price_too_old_for_the_mandate_is_too_old_for_risk(uint32 most, uint256 age) external {
        _run(_one(_supplyMove(address(usdc), 1000e6)));
        IMandate.Caps memory caps = mandate.terms().caps;
        caps.maxOracleAge = uint32(bound(most, 60, 3900));
        _tightenCaps(caps);
        ethFeed.set(ethFeed.answer());
        age = bound(age, 0, 3900);
        vm.warp(block.timestamp + age);
        _run(_one(_withdrawMove(address(usdc), 1e6)));
        IVault.Move[] memory moves = _one(_supplyMove(address(usdc), 1e6));
        if (age > caps.maxOracleAge) {
            _expectRefused(
                moves, abi.encodeWithSelector(IMandate.OracleTooOld.selector, age, caps.maxOracleAge)
            );
        } else {
            _run(moves);
        }
    }
}
