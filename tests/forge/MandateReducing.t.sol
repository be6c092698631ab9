// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice V-08: a rebalance that reduces every measured risk is never blocked by pause, wind-down, cooldown, turnover, caps, a spent
/// routine bucket or a mandate that wants fresher prices, in any combination; what does not reduce is.
contract MandateReducingTest is MandateFixture {
    uint256 private constant OBSTACLES = 7;
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0);
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    /// @dev Base as collateral for dollars, an option written, some base and dollars idle.
    function _long() private {
        _lever(1_000_000e6, 7000, 5000);
        _run(_one(_swapMove(address(usdc), 100_000e6)));
        desk.setNext(10e18, 1000e6);
        _run(_one(_optionMove(IVault.MoveKind.Write, 20e18)));
        desk.setNext(0, 0);
    }

    function _optionMove(IVault.MoveKind kind, uint256 amount) private view returns (IVault.Move memory) {
        return IVault.Move(kind, address(desk), address(weth), amount, 1e18, 1);
    }

    /// @dev Everything that may stand in the way, as the bits of `mask` say.
    function _obstruct(uint256 mask) private {
        IMandate.Terms memory terms = mandate.terms();
        if (mask & 1 != 0) _pause();
        if (mask & 2 != 0) {
            vm.prank(guardian);
            mandate.windDown();
        }
        if (mask & 4 != 0) terms.caps.cooldown = 1 days; // the position was taken this minute
        if (mask & 8 != 0) terms.caps.turnoverPerDayBps = 0;
        if (mask & 16 != 0) {
            (terms.caps.maxVenueBps, terms.caps.maxOptionBps, terms.limits.maxBorrowBps) = (0, 0, 0);
            (terms.options.maxNotionalBps, terms.options.maxVegaBps, terms.options.maxSeries) = (0, 0, 0);
        }
        if (mask & 32 != 0) {
            desk.fill(vault.nav() / 101);
            desk.fill(vault.nav() / 101);
        }
        if (mask & 64 != 0) {
            terms.caps.maxOracleAge = 60;
            vm.warp(block.timestamp + 61);
        }
        _tighten(terms);
    }

    // ---------------------------------------------------------------- what passes

    function testFuzz_nothing_stands_in_the_way_of_a_repayment(uint256 mask, uint256 amount) external {
        _long();
        _obstruct(bound(mask, 0, 127));
        _run(_one(_repayMove(address(usdc), bound(amount, 1, 300_000e6))));
    }

    function testFuzz_nor_of_withdraw_sell_repay(uint256 mask, uint256 amount, uint256 haircut) external {
        _long();
        _obstruct(bound(mask, 0, 127));
        pool.setHaircut(bound(haircut, 0, 90));
        uint256 health = lending.healthWad();
        _run(_deleverMoves(bound(amount, 1e15, 80e18)));
        assertGt(lending.healthWad(), health);
    }

    function testFuzz_nor_of_topping_up_collateral(uint256 mask, uint256 amount, bool ofBase) external {
        _long();
        _obstruct(bound(mask, 0, 127));
        amount = ofBase ? bound(amount, 1e15, 30e18) : bound(amount, 1e6, 400_000e6);
        _run(_one(_supplyMove(ofBase ? address(weth) : address(usdc), amount)));
    }

    function testFuzz_nor_of_a_cancelled_auction(uint256 mask, uint256 amount) external {
        _long();
        _obstruct(bound(mask, 0, 127));
        if (amount & 1 == 0) desk.setVolatilityKnown(false);
        _run(_one(_optionMove(IVault.MoveKind.Cancel, 0)));
        assertEq(weth.balanceOf(address(desk)), 0);
    }

    function testFuzz_nor_of_the_way_to_cash_when_no_base_is_owed(
        uint256 mask,
        uint256 amount,
        uint256 haircut
    ) external {
        _long();
        _obstruct(bound(mask, 0, 127));
        pool.setHaircut(bound(haircut, 0, 90));
        _run(_one(_swapMove(address(weth), bound(amount, 1e12, 30e18))));
    }

    function testFuzz_nor_of_coming_home_when_nothing_is_owed(uint256 mask, uint256 amount, bool ofBase)
        external
    {
        _long();
        _run(_one(_repayMove(address(usdc), ALL)));
        _run(_one(_supplyMove(address(usdc), 100_000e6)));
        _obstruct(bound(mask, 0, 127));
        amount = ofBase ? bound(amount, 1e12, 340e18) : bound(amount, 1, 100_000e6);
        _run(_one(_withdrawMove(ofBase ? address(weth) : address(usdc), amount)));
    }

    function testFuzz_nor_of_buying_the_base_that_is_owed(uint256 mask, uint256 spent, uint256 haircut)
        external
    {
        _goShort();
        _run(_one(_swapMove(address(weth), 90e18)));
        _obstruct(bound(mask, 0, 127));
        pool.setHaircut(bound(haircut, 0, 90));
        spent = bound(spent, 10e6, 150_000e6);
        _run(_two(_swapMove(address(usdc), spent), _repayMove(address(weth), ALL)));
    }

    // ---------------------------------------------------------------- what does not

    /// One way of raising risk after another, each refused by each obstacle alone.
    function testFuzz_what_raises_a_risk_is_refused_in_a_halted_vault(
        uint256 which,
        uint256 amount,
        bool windsDown
    ) external {
        _long();
        IVault.Move[] memory moves = _raising(which, amount);
        uint256 snapshot = vm.snapshotState();
        _run(moves); // it is the halt that refuses it, and nothing else
        vm.revertToState(snapshot);
        _obstruct(windsDown ? 2 : 1);
        _expectRefused(moves, _refusedAs(moves));
    }

    function testFuzz_and_in_the_cooldown_or_at_an_old_price(uint256 which, uint256 amount, bool cools)
        external
    {
        _long();
        IVault.Move[] memory moves = _raising(which, amount);
        _obstruct(cools ? 4 : 64);
        _expectRefused(moves, cools ? IMandate.CooldownActive.selector : IMandate.OracleTooOld.selector);
    }

    function _raising(uint256 which, uint256 amount) private view returns (IVault.Move[] memory) {
        which = bound(which, 0, 5);
        if (which == 0) return _one(_borrowMove(address(usdc), bound(amount, 1e6, 50_000e6)));
        if (which == 1) return _one(_borrowMove(address(weth), bound(amount, 1e12, 20e18)));
        if (which == 2) return _one(_withdrawMove(address(weth), bound(amount, 1e12, 20e18)));
        if (which == 3) return _one(_swapMove(address(usdc), bound(amount, 1e6, 200_000e6)));
        if (which == 4) return _one(_optionMove(IVault.MoveKind.Write, bound(amount, 1e12, 20e18)));
        // What reduces does not carry what raises along.
        return _three(
            _repayMove(address(usdc), bound(amount, 1e6, 50_000e6)),
            _swapMove(address(usdc), 1e6),
            _withdrawMove(address(weth), 1e12)
        );
    }

    function _refusedAs(IVault.Move[] memory moves) private view returns (bytes4) {
        if (moves[0].kind == IVault.MoveKind.Write) return IVault.PausedMove.selector;
        bool buys;
        for (uint256 i; i < moves.length; ++i) {
            buys = buys || (moves[i].kind == IVault.MoveKind.Swap && moves[i].token == address(usdc));
        }
        return buys ? IMandate.PausedSwapTooLarge.selector : IMandate.PausedRiskRaised.selector;
    }

    // ---------------------------------------------------------------- wash trades

    /// While no base is owed base is bought back by no reducing rebalance, in any order, beside any repayment.
    function testFuzz_no_wash_trade_counts_as_reducing(uint256 seed, uint8 count, uint256 repaid) external {
        _long();
        _pause();
        count = uint8(bound(count, 1, 6));
        IVault.Move[] memory moves = new IVault.Move[](uint256(count) + 2);
        moves[0] = _repayMove(address(usdc), bound(repaid, 1e6, 200_000e6));
        moves[count + 1] = _swapMove(address(usdc), 1e6 + seed % 1e9); // one of them buys
        for (uint256 i = 1; i <= count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            moves[i] = seed & 1 == 0
                ? _swapMove(address(usdc), (seed >> 8) % 1e10 + 1e6)
                : _swapMove(address(weth), (seed >> 8) % 3e18 + 1e12);
        }
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
    }

    /// Base that was borrowed for it does not make a wash trade: what counts is what is owed afterwards.
    function testFuzz_base_borrowed_in_between_pays_for_no_swap(uint256 amount, uint256 traded) external {
        _long();
        _pause();
        amount = bound(amount, 1e15, 20e18);
        traded = bound(traded, 1e14, amount);
        IVault.Move[] memory moves = new IVault.Move[](4);
        moves[0] = _borrowMove(address(weth), amount);
        moves[1] = _swapMove(address(weth), traded);
        moves[2] = _swapMove(address(usdc), traded * PRICE / 1e12 + 1);
        moves[3] = _repayMove(address(weth), ALL);
        _expectRefused(moves, IMandate.PausedSwapTooLarge.selector);
    }

    /// Dollars borrowed and repaid in one rebalance: only what is owed in the end counts.
    function testFuzz_borrowing_and_repaying_in_one_rebalance_is_judged_by_its_end(
        uint256 borrowed,
        uint256 repaid
    ) external {
        _long();
        _pause();
        borrowed = bound(borrowed, 1e6, 50_000e6);
        repaid = bound(repaid, 1e6, 100_000e6);
        IVault.Move[] memory moves =
            _two(_borrowMove(address(usdc), borrowed), _repayMove(address(usdc), repaid));
        (, uint256 before) = lending.balances(address(usdc));
        if (repaid >= borrowed) {
            _run(moves);
            (, uint256 debt) = lending.balances(address(usdc));
            assertEq(debt, before + borrowed - repaid);
        } else {
            _expectRefused(moves, IMandate.PausedRiskRaised.selector);
        }
    }

    /// A debt of dollars turned into one of base is no reduction, however much smaller.
    function testFuzz_a_debt_that_changes_its_token_is_new_debt(uint256 repaid, uint256 borrowed) external {
        _long();
        _pause();
        repaid = bound(repaid, 1000e6, 200_000e6);
        borrowed = bound(borrowed, 1e12, 1e17);
        _expectRefused(
            _two(_repayMove(address(usdc), repaid), _borrowMove(address(weth), borrowed)),
            IMandate.PausedRiskRaised.selector
        );
    }

    // ---------------------------------------------------------------- base is bought while base is owed

    function testFuzz_base_is_bought_while_base_is_owed_as_the_mandate_allows(uint256 spent) external {
        _goShort();
        _run(_one(_swapMove(address(weth), 90e18)));
        spent = bound(spent, 1e6, 500_000e6);
        (uint256 before,) = mandate.turnoverLeft();
        _run(_one(_swapMove(address(usdc), spent))); // routine: nothing is repaid
        (uint256 left,) = mandate.turnoverLeft();
        assertLt(left, before);
        _pause();
        _expectRefused(_one(_swapMove(address(usdc), 10e6)), IMandate.PausedSwapTooLarge.selector);
    }

    /// A short that is bought back past flat is a long: the part beyond is not protection.
    function testFuzz_more_than_is_owed_is_not_bought_as_protection(uint256 beyond) external {
        _goShort();
        _run(_one(_swapMove(address(weth), ALL)));
        _pause();
        beyond = bound(beyond, 103, 180); // percent of what is owed
        _expectRefused(
            _two(_swapMove(address(usdc), 2000e6 * beyond), _repayMove(address(weth), 100e18)),
            IMandate.PausedSwapTooLarge.selector
        );
        _run(_two(_swapMove(address(usdc), 200_500e6), _repayMove(address(weth), 100e18)));
        (, uint256 debt) = lending.balances(address(weth));
        assertEq(debt, 0);
    }

    // ---------------------------------------------------------------- a keeper that is gone

    function testFuzz_a_removed_keeper_does_nothing_not_even_what_is_safer(uint256 amount, bool stale)
        external
    {
        _long();
        vm.prank(guardian);
        mandate.removeKeeper(keeper);
        if (stale) _makeStale();
        _expectRefused(
            _one(_repayMove(address(usdc), bound(amount, 1, 1e9))),
            abi.encodeWithSelector(IMandate.NotKeeper.selector, keeper)
        );
    }

    /// The desk may take what a write or a purchase needs, and nothing afterwards (V-15).
    function testFuzz_nothing_stays_approved_to_the_desk(uint256 amount) external {
        _long();
        amount = bound(amount, 1e12, 10e18);
        _run(_one(_optionMove(IVault.MoveKind.Write, amount)));
        assertEq(weth.allowance(address(vault), address(desk)), 0);
        IVault.Move memory move = _optionMove(IVault.MoveKind.BuyBack, amount);
        move.token = address(usdc);
        assertTrue(_tries(move));
        assertEq(usdc.allowance(address(vault), address(desk)), 0);
    }

    function test_each_obstacle_is_one() external {
        _long();
        _obstruct(2 ** OBSTACLES - 1);
        assertTrue(mandate.paused() && mandate.windingDown());
        assertEq(mandate.terms().caps.cooldown, 1 days);
        (uint256 turnover,) = mandate.turnoverLeft();
        assertEq(turnover, 0);
        assertLt(_left(IMandate.Bucket.Routine), 0.0005e18);
    }
}
