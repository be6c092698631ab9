"""A vault on Ape's fork of the local mainnet: real Chainlink, Uniswap v3 and Aave v3 contracts."""

import itertools
import json
import os
from pathlib import Path

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from keeper.localnet.artifacts import abi_of

ROOT = Path(__file__).resolve().parents[2]
DOLLAR = 10**6
ETHER = 10**18
WAD = 10**18
ALL = 2**256 - 1
SUPPLY, WITHDRAW, BORROW, REPAY, SWAP = range(5)

LIMITS = {
    "minHealthWad": 1_150_000_000_000_000_000,
    "maxSwapLossBps": 100,
    "maxLossBps": 100,
    "maxLossPerDayBps": 300,
    "maxBorrowBps": 7_500,
}


class Bench:
    """The vault, its parts, and the protocols it stands on."""

    def __init__(self, project, accounts, addresses):
        self._ids = itertools.count(1)
        self.at = addresses
        (
            self.deployer,
            self.transmitter,
            _,
            self.liquidator,
            _,
            self.lp,
            self.keeper,
            self.owner,
            self.depositor,
            self.stranger,
        ) = accounts[:10]
        self.usdc = self.protocol("ERC20", addresses["usdc"])
        self.weth = self.protocol("ERC20", addresses["weth"])
        self.aave = self.protocol("AavePool", addresses["aave_pool"])
        self.aggregator = self.protocol("FluxAggregator", addresses["eth_usd_aggregator"])
        self._deploy(project)

    def _deploy(self, project):
        at = self.at
        self.oracle = project.PriceOracle.deploy(
            (
                at["weth"],
                at["usdc"],
                at["eth_usd_feed"],
                at["usdc_usd_feed"],
                4_500,
                86_400,
                at["uniswap_pool"],
                180,
                500,
                10**8,  # answers: a dollar to a million for ether, a tenth to ten for the dollar
                10**14,
                10**7,
                10**9,
                12,
                ZERO_ADDRESS,  # no sequencer
                0,
            ),
            sender=self.owner,
        )
        self.vault = project.Vault.deploy(
            at["usdc"],
            at["weth"],
            self.oracle,
            self.owner,
            self.owner,
            tuple(LIMITS.values()),
            "Gimbal test vault",
            "gTEST",
            sender=self.owner,
        )
        self.lending = project.AaveV3Adapter.deploy(
            self.vault, at["aave_addresses_provider"], sender=self.owner
        )
        self.swapper = project.UniswapV3Adapter.deploy(
            self.vault, at["uniswap_pool"], sender=self.owner
        )
        self.lens = project.VaultLens.deploy(sender=self.owner)
        self.vault.setVenues(self.lending, self.swapper, sender=self.owner)
        self.vault.addKeeper(self.keeper, sender=self.owner)

    def protocol(self, name, address):
        """A third-party contract by its artifact's name."""
        return ape.Contract(address, abi=abi_of(ROOT, name))

    # --- what people do

    def deposit(self, dollars):
        """The depositor puts in whole dollars."""
        amount = dollars * DOLLAR
        self.usdc.transfer(self.depositor, amount, sender=self.lp)
        self.usdc.approve(self.vault, amount, sender=self.depositor)
        return self.vault.deposit(amount, self.depositor, sender=self.depositor)

    def rebalance(self, *moves, max_loss=10_000 * DOLLAR, sender=None):
        """The keeper's moves: (kind, token, amount[, min_out])."""
        intent = (
            next(self._ids).to_bytes(32, "big"),
            ape.chain.pending_timestamp + 600,
            max_loss,
        )
        full = [
            (
                kind,
                self.swapper if kind == SWAP else self.lending,
                token,
                amount,
                rest[0] if rest else 0,
            )
            for kind, token, amount, *rest in moves
        ]
        return self.vault.rebalance(intent, full, sender=sender or self.keeper)

    def lever(self):
        """50,000 dollars of WETH supplied, 25,000 borrowed: health 1.66."""
        self.deposit(100_000)
        self.rebalance((SWAP, self.usdc, 50_000 * DOLLAR))
        self.rebalance((SUPPLY, self.weth, ALL), (BORROW, self.usdc, 25_000 * DOLLAR))

    def answer(self, dollars):
        """Chainlink's transmitter publishes a price of ETH."""
        next_round = self.aggregator.latestRound() + 1
        self.aggregator.submit(next_round, int(dollars * 10**8), sender=self.transmitter)

    def snapshot(self):
        """What the keeper sees."""
        return self.lens.snapshot(self.vault, self.keeper)


@pytest.fixture(scope="session")
def addresses():
    return json.loads(os.environ["GIMBAL_LOCALNET"])


@pytest.fixture
def bench(project, accounts, addresses):
    return Bench(project, accounts, addresses)
