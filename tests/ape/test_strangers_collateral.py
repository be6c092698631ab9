"""A stranger's collateral on the vault's behalf, at the real Aave: the published contracts, a third reserve."""

from dataclasses import asdict, replace

import ape
import pytest

from keeper.localnet.artifacts import load
from keeper.localnet.protocols.aave import WETH_TERMS
from keeper.localnet.protocols.deployer import ZERO_ADDRESS
from tests.ape.conftest import ALL, ETHER, REPAY, ROOT, SWAP, WITHDRAW

CURVE = (*asdict(WETH_TERMS.curve).values(), 0, 0, 10**25, 0, 2 * 10**26)
"""Interest like WETH's; stable rates are off, their parameters only well formed."""
TERMS = replace(WETH_TERMS, name="Third", symbol="THIRD")


class ThirdReserve:
    """A token listed at Aave on WETH's terms and with WETH's price, which governance can change."""

    def __init__(self, bench):
        at, admin = bench.at, bench.deployer
        self._bench = bench
        provider = bench.protocol("PoolAddressesProvider", at["aave_addresses_provider"])
        self._configurator = bench.protocol("AavePoolConfigurator", provider.getPoolConfigurator())
        self.token = self._deploy("WETH9")
        made = [
            self._deploy(n, at["aave_pool"])
            for n in ("AToken", "StableDebtToken", "VariableDebtToken")
        ]
        curve = self._deploy("AaveRateStrategy", at["aave_addresses_provider"], *CURVE)
        names = ("A third", "aThird", "V third", "vThird", "S third", "sThird")
        listing = (*made, 18, curve, self.token, admin, ZERO_ADDRESS, *names, b"")
        self._configurator.initReserves([listing], sender=admin)
        self.set_ltv(TERMS.ltv)
        oracle = bench.protocol("AaveOracle", at["aave_oracle"])
        oracle.setAssetSources([self.token], [at["eth_usd_feed"]], sender=admin)

    def _deploy(self, name, *arguments):
        artifact = load(ROOT, name)
        kind = ape.types.ContractType.model_validate(
            {
                "contractName": name,
                "abi": artifact.abi,
                "deploymentBytecode": {"bytecode": artifact.bytecode},
            }
        )
        return ape.contracts.ContractContainer(kind).deploy(*arguments, sender=self._bench.deployer)

    def set_ltv(self, ltv):
        """What governance does to a token it no longer wants as collateral for new debt."""
        self._configurator.configureReserveAsCollateral(
            self.token,
            ltv,
            TERMS.liquidation_threshold,
            TERMS.liquidation_bonus,
            sender=self._bench.deployer,
        )

    def give(self, amount):
        """A stranger supplies on the vault's behalf."""
        stranger, pool = self._bench.stranger, self._bench.aave
        self.token.deposit(sender=stranger, value=amount)
        self.token.approve(pool, amount, sender=stranger)
        pool.supply(self.token, amount, self._bench.lending, 0, sender=stranger)


@pytest.fixture
def third(bench):
    return ThirdReserve(bench)


def deleverage(bench):
    """Withdraw, sell, repay: the way out."""
    bench.rebalance(
        (WITHDRAW, bench.weth, 2 * ETHER), (SWAP, bench.weth, ALL), (REPAY, bench.usdc, ALL)
    )


def test_dust_that_lost_its_loan_to_value_holds_no_collateral_once_dropped(bench, third):
    bench.lever()
    third.give(2)
    third.set_ltv(0)
    with ape.reverts("57"):
        deleverage(bench)
    bench.lending.dropCollateral(third.token, sender=bench.stranger)
    before = bench.lending.healthWad()
    deleverage(bench)
    assert bench.lending.healthWad() > before


def test_a_gift_that_holds_the_vault_up_is_not_pulled_from_under_it(bench, third):
    bench.lever()
    bench.answer(1_330)  # 1.10 of its own
    third.give(20 * ETHER)
    assert bench.lending.healthWad() > 1.15 * ETHER
    with ape.reverts(bench.lending.CollateralNeeded):
        bench.lending.dropCollateral(third.token, sender=bench.stranger)


def test_a_gift_the_vault_does_not_need_is_dropped_by_anybody(bench, third):
    bench.lever()
    own = bench.lending.healthWad()
    third.give(20 * ETHER)
    bench.lending.dropCollateral(third.token, sender=bench.stranger)
    assert bench.lending.healthWad() == pytest.approx(own, rel=1e-6)
