// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../contracts/Vault.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Bounds} from "../../contracts/libraries/Bounds.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockExactLending, MockExactSwapper} from "./mocks/MockExactVenues.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice Each move is held to what the tokens say, to the unit: adapters that take, pay or lose exactly so much, and report what
/// they like (V-07, V-15).
contract VaultMovesTest is MandateFixture {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        weth.mint(address(vault), 100e18);
    }

    function _exactSwapper() private returns (MockExactSwapper) {
        vm.etch(address(swapper), address(new MockExactSwapper()).code);
        return MockExactSwapper(address(swapper));
    }

    function _exactLending() private returns (MockExactLending) {
        vm.etch(address(lending), address(new MockExactLending()).code);
        return MockExactLending(address(lending));
    }

    // ---------------------------------------------------------------- swaps

    struct Sale {
        MockToken sold;
        uint256 amount;
        uint256 fair;
        uint256 least;
        uint256 value; // of what was sold, asset units
    }

    /// @dev At a price that divides nothing; rounded against the keeper throughout.
    function _saleOf(uint256 amount, bool ofBase) private returns (Sale memory sale) {
        _setPrice(200_033);
        uint256 price = oracle.priceWad();
        sale.sold = ofBase ? weth : usdc;
        sale.amount = ofBase ? bound(amount, 1e9, 10e18) : bound(amount, 1, 10_000e6);
        sale.fair = ofBase
            ? Math.mulDiv(sale.amount, price, 1e30, Math.Rounding.Ceil)
            : Math.mulDiv(sale.amount, 1e30, price, Math.Rounding.Ceil);
        sale.least = Math.mulDiv(sale.fair, 99, 100, Math.Rounding.Ceil);
        sale.value = ofBase ? sale.fair : sale.amount;
    }

    /// What arrives is held against the oracle and the keeper's own bound, whichever is higher, whatever the adapter reports; the
    /// bound itself passes. What was traded is told the mandate in dollars, rounded up.
    function testFuzz_a_swap_brings_what_it_must_to_the_unit(uint256 amount, uint256 more, bool ofBase)
        external
    {
        Sale memory sale = _saleOf(amount, ofBase);
        IVault.Move memory move = _swapMove(address(sale.sold), sale.amount);
        uint256 least = sale.least;
        if (more % 2 == 0) least = move.limit = sale.least + bound(more, 1, sale.least);
        else move.limit = bound(more, 0, least);
        MockExactSwapper exact = _exactSwapper();
        exact.tell(ofBase ? usdc : weth, sale.amount, least - 1);
        bytes memory reason = abi.encodeWithSelector(
            IVault.SwapLossTooLarge.selector, address(sale.sold), sale.amount, least - 1, least
        );
        _expectRefused(_one(move), reason);
        exact.tell(ofBase ? usdc : weth, sale.amount, least);
        _expectTold(sale.value, ofBase, least);
        _run(_one(move));
    }

    /// @dev The mandate is told what was traded, and five units of dust for the one move.
    function _expectTold(uint256 turnover, bool ofBase, uint256 received) private {
        IMandate.Traded memory traded;
        traded.turnover = turnover;
        if (ofBase) traded.boughtAsset = received;
        else traded.boughtBase = Math.mulDiv(received, oracle.priceWad(), 1e30, Math.Rounding.Ceil);
        bytes memory measured = abi.encode(valuation.measure());
        vm.expectCall(address(mandate), abi.encodeCall(IMandate.close, (measured, traded, ALL, 5)));
    }

    // ---------------------------------------------------------------- without a price

    /// Without a price a lending move may lose five units to rounding and not a sixth (V-07).
    function testFuzz_without_a_price_a_move_loses_at_most_the_dust(uint8 which, uint256 amount) external {
        IVault.MoveKind kind = which % 3 == 0
            ? IVault.MoveKind.Supply
            : which % 3 == 1 ? IVault.MoveKind.Withdraw : IVault.MoveKind.Repay;
        MockExactLending exact = _exactLending();
        uint256 debt = kind == IVault.MoveKind.Withdraw ? 0 : 200_000e6;
        amount = bound(amount, 10, 200_000e6);
        _makeStale();
        IVault.Move memory move = IVault.Move(kind, address(lending), address(usdc), amount, 0, 0);
        exact.tell(usdc, 300_000e6, debt, 6);
        uint256 credited = _idleUsdc() + 300_000e6 + debt;
        uint256 given = credited;
        // Each side of the sum as it was and as it is, what is owed on the other.
        if (kind == IVault.MoveKind.Supply) (given, credited) = (credited, credited - 6);
        else if (kind == IVault.MoveKind.Withdraw) credited -= 6;
        else (given, credited) = (credited - amount + 6, credited - amount);
        _expectRefused(
            _one(move),
            abi.encodeWithSelector(IVault.NotConserved.selector, kind, address(usdc), given, credited)
        );
        exact.tell(usdc, 300_000e6, debt, 5);
        _run(_one(move));
    }

    // ---------------------------------------------------------------- rescues

    function _rescued(uint256 priceWad, IVault.Move memory move) private {
        IMandate.Rescue memory rescue;
        (rescue.priceWad, rescue.swapLossBps) = (priceWad, 100);
        _mock(address(mandate), IMandate.openRescue.selector, abi.encode(rescue));
        _mock(address(valuation), IValuation.rescueMoves.selector, abi.encode(_one(move)));
        _mock(address(mandate), IMandate.closeRescue.selector, abi.encode(uint256(0)));
        bool sells = move.kind == IVault.MoveKind.Swap;
        bytes memory close = abi.encodeCall(IMandate.closeRescue, (rescue, sells, address(this)));
        vm.expectCall(address(mandate), close);
        vm.expectEmit(address(vault));
        emit IVault.MoveApplied(bytes32(0), move.kind, move.adapter, move.token, move.amount, move.amount);
        vault.protect();
    }

    function _mock(address whom, bytes4 question, bytes memory answer) private {
        vm.mockCall(whom, abi.encodePacked(question), answer);
    }

    /// A rescue that sold a single unit has sold; its moves belong to no intent.
    function testFuzz_a_rescue_that_sold_one_unit_has_sold(uint256 amount) external {
        amount = bound(amount, 1, 1e9);
        _exactSwapper().tell(usdc, amount, amount);
        _rescued(PRICE * 1e18, _swapMove(address(weth), amount));
    }

    /// A rescue at any price at all is judged by its price; at none, each move by the tokens.
    function testFuzz_a_rescue_without_a_price_conserves(uint256 priceWad) external {
        MockExactLending exact = _exactLending();
        exact.tell(usdc, 0, 200_000e6, 6);
        IVault.Move memory move = _repayMove(address(usdc), 1000e6);
        _rescued(bound(priceWad, 1, 2), move);
        exact.tell(usdc, 0, 200_000e6, 5);
        _rescued(0, move);
        exact.tell(usdc, 0, 200_000e6, 6);
        IMandate.Rescue memory rescue;
        _mock(address(mandate), IMandate.openRescue.selector, abi.encode(rescue));
        vm.expectPartialRevert(IVault.NotConserved.selector);
        vault.protect();
    }

    // ---------------------------------------------------------------- approvals, adapters, decimals

    /// Nothing is left approved after any move (V-15).
    function testFuzz_nothing_stays_approved(uint256 amount, bool ofBase) external {
        MockToken token = ofBase ? weth : usdc;
        amount = ofBase ? bound(amount, 1e12, 90e18) : bound(amount, 1e6, 900_000e6);
        _run(_one(_supplyMove(address(token), amount)));
        assertEq(token.allowance(address(vault), address(lending)), 0);
        if (!ofBase) _run(_one(_borrowMove(address(weth), 1e12)));
        if (!ofBase) _run(_one(_repayMove(address(weth), 1e9)));
        assertEq(weth.allowance(address(vault), address(lending)), 0);
        _run(_one(_swapMove(address(token), ofBase ? 1e12 : 1e6)));
        assertEq(token.allowance(address(vault), address(swapper)), 0);
    }

    /// A vault without a desk knows no adapter for options, not even none.
    function test_without_a_desk_no_option_moves() external {
        for (uint8 kind = uint8(IVault.MoveKind.Write); kind <= uint8(IVault.MoveKind.BuyBack); ++kind) {
            IVault.MoveKind its = IVault.MoveKind(kind);
            bytes memory reason = abi.encodeWithSelector(IVault.AdapterNotAllowed.selector, its, address(0));
            _expectRefused(_one(IVault.Move(its, address(0), address(weth), 1, 1, 1)), reason);
        }
    }

    function build(Vault.Config calldata config) external returns (Vault) {
        return new Vault(config);
    }

    /// A base of nineteen decimals is refused as such, before anybody asks what prices it.
    function testFuzz_a_base_has_six_to_eighteen_decimals(uint8 decimals) external {
        vm.assume(decimals < 6 || decimals > 18);
        Vault.Config memory config = _config();
        config.base = IERC20Metadata(address(new MockToken("B", decimals)));
        vm.expectRevert(abi.encodeWithSelector(Bounds.OutOfBounds.selector, "baseDecimals", decimals, 6, 18));
        this.build(config);
    }
}
