// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {OptionLimits} from "../../../contracts/libraries/OptionLimits.sol";
import {Fixture} from "../Fixture.sol";
import {OptionVaultFixture} from "../OptionVaultFixture.sol";
import {SettlementFixture} from "../SettlementFixture.sol";
import {BlackScholesHarness} from "../libraries/BlackScholesHarness.sol";
import {GasLog} from "./GasLog.sol";

/// @notice A price that is read. Views are the call alone.
/// forge-config: default.isolate = true
contract PriceGasTest is Fixture, GasLog {
    function test_a_price_is_read() external {
        oracle.priceWad();
        _log("oracles", "price, priceWad");
        oracle.marks();
        _log("oracles", "price, marks");
        oracle.read();
        _log("oracles", "price, read");
    }
}

/// @notice A settlement price, from its recording to its use.
/// forge-config: default.isolate = true
contract SettlementGasTest is SettlementFixture, GasLog {
    function test_a_price_settles() external {
        _rounds(2000);
        _record();
        _log("oracles", "settlement, record");
        _prove();
        _log("oracles", "settlement, prove and settle");
        oracle.settlementPriceWad(EXPIRY);
        _log("oracles", "settlement, price");
    }
}

/// @notice The model, with arguments and results on the stack: an option of one month, near the money.
contract ModelGasTest is Test {
    function test_one_option() external {
        BlackScholesHarness model = new BlackScholesHarness();
        BlackScholesHarness.Option memory option =
            BlackScholesHarness.Option(2000e18, 2200e18, 30 days, 0.65e18, 0);
        vm.snapshotValue("model", "BlackScholes, price", model.gasOfPrice(option));
        vm.snapshotValue("model", "BlackScholes, price, delta, vega", model.gasOfPriceDeltaVega(option));
        vm.snapshotValue("model", "BlackScholes, price and all Greeks", model.gasOfGreeks(option));
    }
}

/// @notice One call for everything of a vault with 64 series, sold in part: nothing answers by rote.
/// forge-config: default.isolate = true
contract LensGasTest is OptionVaultFixture, GasLog {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1e14);
        _run(_one(_swapMove(address(usdc), 4e13)));
        uint64 expiry = uint64(block.timestamp + 20 days);
        for (uint256 i; i < 64; ++i) {
            uint256 id = _series(true, uint128(2100e18 + i * 6e18), 0, expiry + uint64(i % 3) * 10 days);
            _run(_one(_writeMove(true, id, 10e18, 400e18)));
            uint256 sale = _lastAuction();
            _toStart(sale);
            _bidAll(sale, 4e18);
            if (i % 2 == 1) _hour();
        }
    }

    function _optionLimits() internal pure override returns (OptionLimits memory limits) {
        limits = super._optionLimits();
        (limits.maxSeries, limits.maxTenor) = (64, 90 days);
    }

    function test_a_snapshot_of_64_series() external {
        lens.snapshot(address(vault), keeper);
        assertLt(_log("vault: keeper", "lens, snapshot with 64 series"), 10_000_000);
    }
}

/// @notice Claims by the other unit, and the way out of a vault that winds down.
/// forge-config: default.isolate = true
contract ClaimGasTest is Fixture, GasLog {
    string private constant SHARES = "vault: shares";

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1e12);
    }

    function test_claims_by_the_other_unit() external {
        _request(alice, 1e9);
        _settle();
        uint256 shares = vault.maxMint(alice);
        vm.prank(alice);
        vault.mint(shares, alice);
        _log(SHARES, "mint, later claim");
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        uint256 assets = vault.maxWithdraw(alice);
        vm.prank(alice);
        vault.withdraw(assets, alice, alice);
        _log(SHARES, "withdraw, first claim");
    }

    function test_an_exit_in_kind() external {
        _lever(1e12, 5000, 5000);
        vm.prank(guardian);
        mandate.windDown();
        _log("vault: keeper", "windDown");
        usdc.mint(alice, 1e12);
        uint256 shares = vault.balanceOf(alice) / 4;
        vm.prank(alice);
        usdc.approve(address(vault), ALL);
        vm.prank(alice);
        vault.exitInKind(shares, alice);
        _log(SHARES, "exitInKind");
    }
}
