// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {console} from "forge-std/console.sol";
import {Valuation} from "../../contracts/Valuation.sol";
import {VaultLens} from "../../contracts/VaultLens.sol";
import {IAdapter, ILendingAdapter, ISwapAdapter} from "../../contracts/interfaces/IAdapters.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IOptionDesk} from "../../contracts/interfaces/IOptionDesk.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultLens} from "../../contracts/interfaces/IVaultLens.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {OptionVenueFixture} from "./OptionVenueFixture.sol";

/// @dev A cheat code this forge-std does not name: storage and account are cold again.
interface ICool {
    function cool(address target) external;
}

/// @notice Lens, valuation, desk, book, auction and volatility are real; vault, mandate and lending venue answer by rote.
contract VaultLensOptionsTest is OptionVenueFixture {
    Valuation private valuation;
    VaultLens private lens;
    address private constant LENDING = address(0x1e4d);
    address private constant SWAPPER = address(0x5a4b);
    address private constant MANDATE = address(0x3a4d);

    function setUp() public override {
        super.setUp();
        lens = new VaultLens();
        valuation = new Valuation(IPriceOracle(address(prices)));
        _answerAsVault();
        _answerAsMandate();
        _answerAsVenues();
        _answerAsOracle(FORWARD);
        vm.startPrank(MANDATE);
        valuation.bind(address(vault), address(quote), address(base));
        valuation.setVenues(LENDING, SWAPPER, address(desk));
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- what answers by rote

    function _answer(address who, bytes4 selector, bytes memory answer) private {
        vm.mockCall(who, abi.encodeWithSelector(selector), answer);
    }

    function _answerAsVault() private {
        IVaultShares.EpochState memory epoch;
        IVaultShares.DepositPolicy memory policy;
        IVaultShares.Fees memory fees;
        address v = address(vault);
        _answer(v, IVault.mandate.selector, abi.encode(MANDATE));
        _answer(v, IVault.lending.selector, abi.encode(LENDING));
        _answer(v, IVault.swapper.selector, abi.encode(SWAPPER));
        _answer(v, IVault.desk.selector, abi.encode(desk));
        _answer(v, IVault.idle.selector, abi.encode(uint256(1e12)));
        _answer(v, IVault.unhedged.selector, abi.encode(false));
        _answer(v, IVaultShares.locked.selector, abi.encode(false));
        _answer(v, IVaultShares.depositsHalted.selector, abi.encode(false));
        _answer(v, IVaultShares.epochState.selector, abi.encode(epoch));
        _answer(v, IVaultShares.depositPolicy.selector, abi.encode(policy));
        _answer(v, IVaultShares.fees.selector, abi.encode(fees, fees));
        _answer(v, bytes4(keccak256("totalSupply()")), abi.encode(uint256(1e24)));
    }

    function _answerAsMandate() private {
        IMandate.Terms memory terms;
        vm.etch(MANDATE, hex"00");
        _answer(MANDATE, IMandate.valuation.selector, abi.encode(valuation));
        _answer(MANDATE, IMandate.terms.selector, abi.encode(terms));
        _answer(MANDATE, IMandate.termsHash.selector, abi.encode(bytes32(0)));
        _answer(MANDATE, IMandate.stateHash.selector, abi.encode(bytes32(0)));
        _answer(MANDATE, IMandate.lastBeat.selector, abi.encode(uint256(0)));
        _answer(MANDATE, IMandate.lastRoutineAt.selector, abi.encode(uint256(0)));
        _answer(MANDATE, IMandate.paused.selector, abi.encode(false));
        _answer(MANDATE, IMandate.windingDown.selector, abi.encode(false));
        _answer(MANDATE, IMandate.isKeeper.selector, abi.encode(true));
        _answer(MANDATE, IMandate.budget.selector, abi.encode(uint256(0), uint256(0)));
        _answer(MANDATE, IMandate.optionLimits.selector, abi.encode(_optionLimits()));
        _answer(MANDATE, IMandate.turnoverLeft.selector, abi.encode(uint256(0), uint256(0)));
    }

    /// The mock oracle has a price and no more.
    function _answerAsOracle(uint256 price) private {
        prices.set(price);
        IPriceOracle.Reading memory reading;
        (reading.priceWad, reading.twapWad) = (price, price);
        _answer(address(prices), IPriceOracle.read.selector, abi.encode(reading));
        _answer(
            address(prices),
            IPriceOracle.marks.selector,
            abi.encode(IPriceOracle.Fault.None, price, price, block.timestamp)
        );
    }

    function _answerAsVenues() private {
        ILendingAdapter.Account memory account;
        ISwapAdapter.PoolState memory pool;
        vm.etch(LENDING, hex"00");
        vm.etch(SWAPPER, hex"00");
        _answer(LENDING, IAdapter.vault.selector, abi.encode(vault));
        _answer(SWAPPER, IAdapter.vault.selector, abi.encode(vault));
        _answer(LENDING, ILendingAdapter.healthWad.selector, abi.encode(type(uint256).max));
        _answer(LENDING, ILendingAdapter.balances.selector, abi.encode(uint256(0), uint256(0)));
        _answer(LENDING, ILendingAdapter.changes.selector, abi.encode(uint256(0)));
        _answer(LENDING, ILendingAdapter.account.selector, abi.encode(account));
        _answer(
            LENDING, ILendingAdapter.positions.selector, abi.encode(new ILendingAdapter.TokenPosition[](2))
        );
        _answer(SWAPPER, ISwapAdapter.poolState.selector, abi.encode(pool));
    }

    /// Calls and puts, sold in part, with strikes apart and three expiries.
    function _open(uint256 count) private {
        for (uint256 i; i < count; ++i) {
            expiry = uint64(block.timestamp + 10 days + (i % 3) * 15 days);
            bool isCall = i % 2 == 0;
            uint256 id = _create(isCall, uint128(isCall ? 2100e18 + i * 2e18 : 1900e18 - i * 2e18), 0);
            uint256 auctionId = vault.write(id, 10 * ONE, START);
            uint256 now_ = block.timestamp;
            vm.warp(auction.auctionOf(auctionId).startAt);
            _bid(alice, auctionId, 5 * ONE);
            vm.warp(now_);
        }
    }

    // ---------------------------------------------------------------- what holds

    function test_one_call_for_64_series_costs_less_than_10_million_gas() external {
        _open(64);
        address[4] memory cold = [address(desk), address(auction), address(vols), address(book)];
        for (uint256 i; i < cold.length; ++i) {
            ICool(address(vm)).cool(cold[i]);
        }
        uint256 left = gasleft();
        IVaultLens.Snapshot memory s = lens.snapshot(address(vault), address(this));
        uint256 used = left - gasleft();
        console.log("snapshot of 64 series", used);
        assertLt(used, 10_000_000);
        assertTrue(s.options.positionsReadable, "positions");
        assertTrue(s.state.navValid && s.state.measureValid && s.state.marksValid, "value");
        assertEq(s.options.positions.length, 64);
        assertEq(s.options.value.openSeries, 64);
    }

    function test_positions_carry_greeks_and_marks_and_add_up_to_the_book() external {
        _open(6);
        IVaultLens.OptionState memory o = lens.snapshot(address(vault), address(this)).options;
        assertEq(o.desk, address(desk));
        assertTrue(o.valueReadable && o.volatilityKnown && o.positionsReadable);
        assertEq(keccak256(abi.encode(o.value)), keccak256(abi.encode(desk.measure(FORWARD))));
        assertEq(keccak256(abi.encode(o.positions)), keccak256(abi.encode(desk.positions(FORWARD))));
        uint256 sold;
        uint256 high;
        for (uint256 i; i < 6; ++i) {
            IOptionDesk.Position memory p = o.positions[i];
            assertTrue(p.deltaBase != 0 && p.gammaBase != 0 && p.vegaAsset < 0);
            assertTrue(0 < p.markLow && p.markLow <= p.markMid && p.markMid <= p.markHigh);
            sold += p.sold;
            high += p.markHigh;
        }
        assertEq(sold, o.value.notionalBase);
        assertApproxEqAbs(high, o.value.liabilityHigh, 6);
    }

    /// V-08: what the mandate counts by then is what the keeper sees.
    function test_without_volatility_options_count_at_intrinsic_value() external {
        _open(2);
        vm.warp(block.timestamp + 4 days);
        _answerAsOracle(3000e18);
        IVaultLens.Snapshot memory s = lens.snapshot(address(vault), address(this));
        assertFalse(s.options.volatilityKnown || s.state.measure.optionsKnown || s.state.navValid);
        assertTrue(s.options.valueReadable && s.options.positionsReadable && s.state.measure.priced);
        // One call of two is in the money: five options over a strike of 2,100, paid in base.
        assertEq(s.options.value.liabilityMid, uint256(5) * 900 * 1e6);
        assertEq(s.options.positions[0].markMid, 0);
        assertTrue(uint8(s.options.positions[0].fault) != 0);
    }

    function test_a_vault_without_options_has_an_empty_book() external view {
        IVaultLens.OptionState memory o = lens.snapshot(address(vault), address(this)).options;
        assertTrue(o.valueReadable && o.volatilityKnown && o.positionsReadable);
        assertEq(o.positions.length + o.value.openSeries, 0);
    }
}
