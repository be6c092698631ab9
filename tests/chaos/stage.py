"""The stage of a schedule: one local mainnet, one vault in danger, three proxies, and a keeper between them."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from keeper.demo.start import band_for
from keeper.demo.twins import mandate_for
from keeper.localnet.driver import BlockRecord
from keeper.localnet.mainnet import start_local_mainnet
from keeper.localnet.market import MarketSpec
from keeper.localnet.position import open_leveraged
from keeper.localnet.protocols.tokens import DOLLAR
from keeper.localnet.rpc import rpc
from keeper.localnet.serve import ORACLE_TERMS, dev_keys
from keeper.localnet.vaults import VaultDeployment, deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.units import WAD
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.schedule import ENDPOINTS, START_PRICE

HEALTH = 1.5
_DEPOSIT_USD, _IDLE_USD = 250_000, 10_000
_ROUTINE_INDEX, _PROTECTIVE_INDEX = 6, 9
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Stage:
    """What every schedule of a campaign shares."""

    world: World
    deployment: VaultDeployment
    proxies: tuple[Proxy, ...]
    folder: Path
    chain_time: float = 0.0
    newest: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    price_wad: int = 0

    @property
    def keys(self) -> tuple[str, str]:
        """Of the routine and of the protective lane."""
        keys = dev_keys(_PROTECTIVE_INDEX + 1)
        return keys[_ROUTINE_INDEX], keys[_PROTECTIVE_INDEX]

    @property
    def accounts(self) -> tuple[str, str]:
        """Of the same."""
        return self.world.accounts.keeper, self.world.accounts.developer

    def saw(self, record: BlockRecord) -> None:
        """A block was mined."""
        self.chain_time = float(record.timestamp)
        self.look()

    def look(self) -> None:
        """The chain as it is: heights, hashes, and the price that a liar must know to lie about."""
        block = self.world.w3.eth.get_block("latest")
        self.newest = int(block["number"])
        self.chain_time = float(block["timestamp"])
        for number in range(max(0, self.newest - 8), self.newest + 1):
            found = self.world.w3.eth.get_block(number)
            self.hashes[number] = "0x" + bytes(found["hash"]).hex()
        feed = self.world.contract("FluxAggregator", self.world.addresses.eth_usd_aggregator)
        self.price_wad = int(feed.functions.latestAnswer().call()) * 10**10

    def clock(self) -> float:
        """The chain's."""
        return self.chain_time


@contextlib.contextmanager
def set_stage(folder: Path, say: Callable[[str], None] = print) -> Iterator[Stage]:
    """Everything up, a position open."""
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(
            start_local_mainnet(
                ROOT, market=MarketSpec(price_usd=START_PRICE), block_interval_s=1, progress=say
            )
        )
        band = band_for(HEALTH)
        deployment = deploy_vault(
            world,
            terms=mandate_for(HEALTH, band),
            keepers=[world.accounts.keeper, world.accounts.developer],
            oracle_terms=ORACLE_TERMS,
        )
        deposit(world, deployment, world.accounts.depositor, _DEPOSIT_USD * DOLLAR)
        open_leveraged(world, deployment, int(HEALTH * WAD), _IDLE_USD * DOLLAR)
        proxies = tuple(stack.enter_context(proxy(world.http_url)) for _ in range(ENDPOINTS))
        yield Stage(world, deployment, proxies, folder)


@contextlib.contextmanager
def rolled_back(stage: Stage) -> Iterator[None]:
    """The chain as it was, afterwards."""
    snapshot = rpc(stage.world.w3, "evm_snapshot")
    try:
        yield
    finally:
        rpc(stage.world.w3, "anvil_dropAllTransactions")
        rpc(stage.world.w3, "evm_revert", snapshot)
        for between in stage.proxies:
            between.faults = ()
        stage.hashes.clear()
