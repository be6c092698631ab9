"""Starts the local mainnet: protocols from the cache, a market at the wanted price and time, and a fork of it all."""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from web3 import HTTPProvider, Web3

from keeper.localnet import artifacts
from keeper.localnet.anvil import Anvil, AnvilOptions
from keeper.localnet.cache import cache_dir, cached_entry, digest, files_digest, package_versions
from keeper.localnet.market import GENESIS_TIME, MarketSpec, make_market
from keeper.localnet.protocols.deployment import deploy_protocols
from keeper.localnet.rpc import accounts_of, rpc
from keeper.localnet.world import Addresses, World

Progress = Callable[[str], None]

BLOCK_S = 12
_BUILD_SOURCES = (
    "artifacts.py",
    "compile.py",
    "mainnet.py",
    "protocols/*.py",
    "rpc.py",
    "world.py",
)


@dataclass(frozen=True, slots=True)
class Protocols:
    """What the cached chain holds: everything but the pool and the market."""

    state: Path
    addresses: Addresses  # uniswap_pool is empty


@contextlib.contextmanager
def start_local_mainnet(
    root: Path,
    *,
    market: MarketSpec | None = None,
    auto_mine: bool = True,
    block_time_s: float | None = None,
    block_interval_s: int | None = BLOCK_S,
    base_fee_wei: int = 20 * 10**9,
    port: int | None = None,
    progress: Progress | None = None,
) -> Iterator[World]:
    """The local mainnet, ended with the block.

    auto_mine: a block for each transaction; otherwise `evm_mine`, or one every `block_time_s` of wall time.
    block_interval_s: simulated seconds between blocks; None lets the chain's clock run with the wall clock.
    """
    with start_upstream(root, market=market, progress=progress) as (upstream, addresses):
        options = AnvilOptions(
            auto_mine=auto_mine,
            block_time_s=block_time_s,
            base_fee_wei=base_fee_wei,
            port=port,
        )
        _say(progress, "forking the local mainnet")
        with fork_world(upstream, root, addresses, options) as world:
            if block_interval_s is not None:
                rpc(world.w3, "anvil_setBlockTimestampInterval", block_interval_s)
            rpc(world.w3, "anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
            yield world


@contextlib.contextmanager
def start_upstream(
    root: Path,
    *,
    market: MarketSpec | None = None,
    port: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Anvil, Addresses]]:
    """The chain that is forked: protocols restored, market made, clock at the start."""
    protocols = built_protocols(root, progress)
    _say(progress, "restoring the protocols")
    # Without a genesis time the node would start at the wall clock and refuse to go back.
    options = AnvilOptions(load_state=protocols.state, timestamp=GENESIS_TIME, port=port)
    with Anvil(root, options, log_dir=_log_dir(root), name="upstream") as upstream:
        w3 = connect(upstream.http_url)
        _say(progress, "making the market")
        addresses = make_market(w3, root, protocols.addresses, market or MarketSpec())
        yield upstream, addresses


@contextlib.contextmanager
def start_unforked(root: Path, *, market: MarketSpec | None = None) -> Iterator[World]:
    """The same protocols and market without a fork between, for several readers at once.

    A forked anvil (1.7) that is asked by several at once for past blocks can lock up: one call, under the lock on past
    states, waits for a slot from the chain that is forked, and the others wait for the lock on the threads that would
    have fetched it.
    """
    with start_upstream(root, market=market) as (node, addresses):
        w3 = connect(node.http_url)
        rpc(w3, "anvil_removeBlockTimestampInterval")  # the market was made with one
        yield World(w3, node.http_url, node.ws_url, addresses, accounts_of(w3), root)


@contextlib.contextmanager
def fork_world(
    upstream: Anvil, root: Path, addresses: Addresses, options: AnvilOptions
) -> Iterator[World]:
    """Fork a running upstream (its address goes into `options.fork_url`); the World talks to the fork."""
    with Anvil(
        root, replace(options, fork_url=upstream.http_url), log_dir=_log_dir(root), name="fork"
    ) as node:
        w3 = connect(node.http_url)
        yield World(
            w3=w3,
            http_url=node.http_url,
            ws_url=node.ws_url,
            addresses=addresses,
            accounts=accounts_of(w3),
            root=root,
            upstream_url=upstream.http_url,
        )


def built_protocols(root: Path, progress: Progress | None = None) -> Protocols:
    """The protocols' state from the cache; deployed first if the packages or the deploying code changed."""
    directory = cache_dir(root)
    directory.mkdir(parents=True, exist_ok=True)

    def build(target: Path) -> None:
        _say(progress, "deploying Chainlink, Uniswap v3 and Aave v3 (once)")
        _build(root, target)

    entry = cached_entry(directory, "protocols", protocols_key(root), build)
    found = json.loads((entry / "addresses.json").read_text())
    return Protocols(entry / "state.json", Addresses(**found))


def protocols_key(root: Path) -> str:
    """Changes with the packages and with the code that deploys them."""
    here = Path(__file__).parent
    sources = [file for pattern in _BUILD_SOURCES for file in here.glob(pattern)]
    return digest(package_versions(root, artifacts.PACKAGES), files_digest(sources, here))


def connect(url: str) -> Web3:
    """A client of our own node."""
    return Web3(HTTPProvider(url, request_kwargs={"timeout": 60}))


def _build(root: Path, target: Path) -> None:
    with Anvil(
        root, AnvilOptions(timestamp=GENESIS_TIME), log_dir=_log_dir(root), name="build"
    ) as node:
        w3 = connect(node.http_url)
        rpc(w3, "anvil_setBlockTimestampInterval", 1)
        addresses = deploy_protocols(w3, root)
        state = gzip.decompress(bytes.fromhex(str(rpc(w3, "anvil_dumpState"))[2:]))
    (target / "state.json").write_bytes(state)
    (target / "addresses.json").write_text(json.dumps(asdict(addresses), indent=2))


def _log_dir(root: Path) -> Path:
    return cache_dir(root) / "logs"


def _say(progress: Progress | None, what: str) -> None:
    if progress is not None:
        progress(what)
