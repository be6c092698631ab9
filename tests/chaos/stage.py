"""The stage of a schedule: one local mainnet, one vault in danger, three proxies, and a keeper between them."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.abi import function_signature_to_4byte_selector
from web3 import HTTPProvider, Web3

from keeper.chain.endpoint import Endpoint
from keeper.chain.source import Call
from keeper.demo.start import band_for
from keeper.demo.twins import mandate_for
from keeper.errors import EndpointError
from keeper.localnet.driver import BlockRecord
from keeper.localnet.mainnet import start_upstream
from keeper.localnet.market import MarketSpec
from keeper.localnet.position import open_leveraged
from keeper.localnet.protocols.tokens import DOLLAR
from keeper.localnet.rpc import accounts_of, rpc
from keeper.localnet.serve import ORACLE_TERMS, dev_keys
from keeper.localnet.vaults import VaultDeployment, deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.units import WAD, wad_float
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.schedule import BASE_FEE_WEI, ENDPOINTS, START_PRICE

HEALTH = 1.5
_DEPOSIT_USD, _IDLE_USD = 250_000, 10_000
_PAST = 8
NODE_PATIENCE_S = 15.0
"""With the stage's own node, which answers in milliseconds: longer, and the schedule ends as a failure with a name."""
_ROUTINE_INDEX, _PROTECTIVE_INDEX = 6, 9
ROOT = Path(__file__).resolve().parents[2]


class NodeHangs(Exception):  # noqa: N818 - what the node does
    """The stage's own node does not answer. No error of the keeper's, which must not be able to catch it."""


class Node:
    """The node itself, without any fault between."""

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint(url, timeout_s=NODE_PATIENCE_S)
        self.close = self._endpoint.close

    def call(self, method: str, params: list[Any]) -> Any:
        """The result."""
        try:
            return self._endpoint.call(method, params)
        except EndpointError as error:
            raise NodeHangs(str(error)) from error

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in order."""
        try:
            return self._endpoint.batch(calls)
        except EndpointError as error:
            raise NodeHangs(str(error)) from error


@dataclass
class Stage:
    """What every schedule of a campaign shares."""

    world: World
    node: Node
    deployment: VaultDeployment
    proxies: tuple[Proxy, ...]
    folder: Path
    chain_time: float = 0.0
    newest: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    price_wad: int = 0
    health: float = 0.0
    """Of the vault's position, as the venue says."""
    waited_s: float = 0.0
    """Since the newest block, while the keeper tried again."""
    passes_left: int = 0
    """How many blocks may still go by during one tick."""

    @property
    def keys(self) -> tuple[str, str]:
        """Of the routine and of the protective lane."""
        keys = dev_keys(_PROTECTIVE_INDEX + 1)
        return keys[_ROUTINE_INDEX], keys[_PROTECTIVE_INDEX]

    @property
    def accounts(self) -> tuple[str, str]:
        """Of the same."""
        return self.world.accounts.keeper, self.world.accounts.developer

    def __post_init__(self) -> None:
        a = self.world.addresses
        user = self.deployment.lending.removeprefix("0x").lower().rjust(64, "0")
        self._price = _asked(a.eth_usd_aggregator, "latestAnswer()")
        self._account = _asked(a.aave_pool, "getUserAccountData(address)", user)

    def saw(self, record: BlockRecord) -> None:
        """A block was mined."""
        self.chain_time = float(record.timestamp)
        self.look()

    def look(self) -> None:
        """The chain as it is: heights, hashes, health, and the price that a liar must know to lie about."""
        head, price, account = self.node.batch(
            [("eth_getBlockByNumber", ["latest", False]), self._price, self._account]
        )
        number = int(head["number"], 16)
        if self.hashes.get(number - 1) != head["parentHash"]:
            past = range(max(0, number - _PAST), number)
            blocks = self.node.batch([("eth_getBlockByNumber", [hex(n), False]) for n in past])
            self.hashes.update({n: b["hash"] for n, b in zip(past, blocks, strict=True)})
        self.hashes[number] = head["hash"]
        self.newest, self.chain_time = number, float(int(head["timestamp"], 16))
        self.price_wad = int(price, 16) * 10**10
        self.health = wad_float(int(account[2:][5 * 64 : 6 * 64], 16))

    def pass_block(self) -> bool:
        """A block goes by while the keeper is at something else; False if no more may in this tick."""
        if self.passes_left:
            self.passes_left -= 1
            with self.quiet():
                self.node.call("evm_setNextBlockTimestamp", [hex(int(self.chain_time) + 12)])
                self.node.call("evm_mine", [])
            self.look()
            return True
        return False

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing of the keeper's is at the node meanwhile."""
        with contextlib.ExitStack() as stack:
            for between in self.proxies:
                stack.enter_context(between.quiet)
            yield

    def wait(self, seconds: float) -> None:
        """Time goes by within a block."""
        self.waited_s += seconds

    def clock(self) -> float:
        """The chain's."""
        return self.chain_time + self.waited_s


def _asked(to: str, signature: str, words: str = "") -> Call:
    data = "0x" + function_signature_to_4byte_selector(signature).hex() + words
    return "eth_call", [{"to": to, "data": data}, "latest"]


@contextlib.contextmanager
def _unforked(say: Callable[[str], None]) -> Iterator[World]:
    """The local mainnet itself, and no fork of it as elsewhere.

    A forked anvil locks up when several readers ask for older blocks at once, as a keeper of three endpoints does: one
    holds the lock on past states while it waits for a slot from the chain that is forked, the others wait for that lock
    on the threads that would have fetched the slot (as many as there are cores). A node that fetches nothing cannot.
    """
    market = MarketSpec(price_usd=START_PRICE)
    with start_upstream(ROOT, market=market, progress=say) as (node, addresses):
        w3 = Web3(HTTPProvider(node.http_url, request_kwargs={"timeout": NODE_PATIENCE_S}))
        rpc(w3, "anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))
        yield World(w3, node.http_url, node.ws_url, addresses, accounts_of(w3), ROOT)


@contextlib.contextmanager
def set_stage(folder: Path, say: Callable[[str], None] = print) -> Iterator[Stage]:
    """Everything up, a position open."""
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(_unforked(say))
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
        node = Node(world.http_url)
        stack.callback(node.close)
        yield Stage(world, node, deployment, proxies, folder)


@contextlib.contextmanager
def rolled_back(stage: Stage) -> Iterator[None]:
    """The chain as it was, afterwards."""
    snapshot = rpc(stage.world.w3, "evm_snapshot")
    try:
        yield
    finally:
        with stage.quiet():
            rpc(stage.world.w3, "anvil_dropAllTransactions")
            rpc(stage.world.w3, "evm_revert", snapshot)
        for between in stage.proxies:
            between.faults = ()
            between.mend()
            between.seen_raw.clear()
        stage.hashes.clear()
