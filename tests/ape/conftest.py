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
SEED = DOLLAR
SUPPLY, WITHDRAW, BORROW, REPAY, SWAP = range(5)

EPOCH_S = 600

TERMS = (
    (  # limits: least health, swap, rebalance and daily loss, debt over gross assets
        1_150_000_000_000_000_000,
        100,
        100,
        300,
        7_500,
    ),
    (  # caps: delta target and band, venue, options, turnover, cooldown, oracle age, protective loss
        10_000,
        100_000,
        10_000,
        0,
        200_000,
        0,
        4_500,
        300,
    ),
    (  # emergency: health, critical health, silence, slice, cooldown, bounty, its most
        1_080_000_000_000_000_000,
        1_040_000_000_000_000_000,
        3_600,
        2_500,
        60,
        50,
        1_000 * DOLLAR,
    ),
    (  # options: none
        3_600,
        86_400,
        500,
        5_000,
        0,
        0,
        500,
        500,
        3_600,
        600,
        0,
        5_000,
        0,
    ),
)
"""IMandate.Terms, in its order."""


class Bench:
    """The vault, its parts, and the protocols it stands on."""

    def __init__(self, project, accounts, addresses):
        self._ids = itertools.count(1)
        self.at = addresses
        (
            self.deployer,
            self.transmitter,
            self.guardian,
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
        setup = project.AccessSetup.deploy(sender=self.owner)
        self.manager = setup.manager()
        self.valuation = project.Valuation.deploy(self.oracle, sender=self.owner)
        self.mandate = project.Mandate.deploy(
            self.manager, self.valuation, TERMS, sender=self.owner
        )
        policy, no_fees = (2**100, 1, False), (ZERO_ADDRESS, 0, 0)
        names = ("Gimbal test vault", "gTEST")
        config = (at["usdc"], at["weth"], self.mandate, *names, EPOCH_S, policy, no_fees)
        self.vault = project.Vault.deploy(config, sender=self.owner)
        self.lending = project.AaveV3Adapter.deploy(
            self.vault, at["aave_addresses_provider"], sender=self.owner
        )
        self.swapper = project.UniswapV3Adapter.deploy(
            self.vault, at["uniswap_pool"], sender=self.owner
        )
        self.lens = project.VaultLens.deploy(sender=self.owner)
        self.usdc.transfer(self.owner, SEED, sender=self.lp)
        self.usdc.approve(self.vault, SEED, sender=self.owner)
        self.vault.setVenues(self.lending, self.swapper, ZERO_ADDRESS, sender=self.owner)
        holders = (self.owner, self.owner, self.guardian, [self.keeper], 2 * 86_400, 3_600)
        setup.finish(self.mandate, ZERO_ADDRESS, holders, sender=self.owner)

    def protocol(self, name, address):
        """A third-party contract by its artifact's name."""
        return ape.Contract(address, abi=abi_of(ROOT, name))

    # --- what people do

    def deposit(self, dollars):
        """The depositor puts in whole dollars."""
        amount = dollars * DOLLAR
        self.request(dollars)
        self.settle()
        return self.vault.deposit(amount, self.depositor, self.depositor, sender=self.depositor)

    def request(self, dollars):
        """The depositor hands over whole dollars that wait."""
        amount = dollars * DOLLAR
        self.usdc.transfer(self.depositor, amount, sender=self.lp)
        self.usdc.approve(self.vault, amount, sender=self.depositor)
        who = self.depositor
        return self.vault.requestDeposit(amount, who, who, sender=who)

    def settle(self):
        """Anybody settles, once the epoch is over."""
        due = self.vault.epochState().dueAt
        if ape.chain.pending_timestamp < due:
            ape.chain.mine(timestamp=due)
        return self.vault.settle(sender=self.stranger)

    def intent(self, max_loss=10_000 * DOLLAR):
        """A new one, on the state of now."""
        number = next(self._ids).to_bytes(32, "big")
        return (number, ape.chain.pending_timestamp + 600, self.mandate.stateHash(), max_loss)

    def rebalance(self, *moves, max_loss=10_000 * DOLLAR, sender=None):
        """The keeper's moves: (kind, token, amount[, least output])."""
        intent = self.intent(max_loss)
        full = [
            (
                kind,
                self.swapper if kind == SWAP else self.lending,
                token,
                amount,
                rest[0] if rest else 0,
                0,
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
