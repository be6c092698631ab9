"""Starts the local mainnet: protocols from the cache, a market at the wanted price and time, and a fork of it all."""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from web3 import HTTPProvider, Web3

from keeper.errors import LocalnetError
from keeper.localnet import artifacts
from keeper.localnet.anvil import Anvil, AnvilOptions
from keeper.localnet.cache import cache_dir, cached_entry, digest, files_digest, package_versions
from keeper.localnet.protocols.aave import LendingSeed, deploy_aave, seed_lending
from keeper.localnet.protocols.chainlink import answer_of, deploy_feed, deploy_link, submit
from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.protocols.tokens import (
    DOLLAR,
    ETHER,
    approve_all,
    deploy_tokens,
    fund_accounts,
)
from keeper.localnet.protocols.uniswap import (
    Pair,
    Uniswap,
    add_liquidity,
    create_pool,
    deploy_uniswap,
)
from keeper.localnet.rpc import rpc
from keeper.localnet.world import Accounts, Addresses, World

Progress = Callable[[str], None]

GENESIS_TIME = 1_483_228_800
"""2017-01-01: before any price history the paths use; the chain's clock can only be moved forward from here."""
DEFAULT_START_TIME = 1_700_000_000
WARM_UP_S = 7_200
"""The market stands this long before the start, so that any TWAP window in use has a past."""
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
class MarketSpec:
    """The market at the start.

    price_usd: WETH in USD, oracle and pool alike. pool_usd: value of all liquidity in the pool.
    lent_usd: lent in each reserve; of it the two utilisations are borrowed again.
    """

    price_usd: float = 2_000.0
    start_time: int = DEFAULT_START_TIME
    pool_usd: float = 150_000_000
    lent_usd: float = 200_000_000
    weth_utilisation: float = 0.50
    usdc_utilisation: float = 0.70

    def __post_init__(self) -> None:
        if not 1 <= self.price_usd <= 1_000_000:
            raise LocalnetError(
                "market", f"initial price {self.price_usd} USD", "choose one from 1 to 1000000"
            )
        if self.start_time < GENESIS_TIME + 2 * WARM_UP_S:
            raise LocalnetError(
                "market",
                f"start time {self.start_time}",
                "choose one after 2017-01-01 (unix seconds)",
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


def accounts_of(w3: Web3) -> Accounts:
    """Roles of the development accounts, in the mnemonic's order."""
    return Accounts(*w3.eth.accounts[: len(fields(Accounts))])


def _build(root: Path, target: Path) -> None:
    with Anvil(
        root, AnvilOptions(timestamp=GENESIS_TIME), log_dir=_log_dir(root), name="build"
    ) as node:
        w3 = connect(node.http_url)
        rpc(w3, "anvil_setBlockTimestampInterval", 1)
        addresses = _deploy_protocols(w3, root)
        state = gzip.decompress(bytes.fromhex(str(rpc(w3, "anvil_dumpState"))[2:]))
    (target / "state.json").write_bytes(state)
    (target / "addresses.json").write_text(json.dumps(asdict(addresses), indent=2))


def _deploy_protocols(w3: Web3, root: Path) -> Addresses:
    accounts = accounts_of(w3)
    deployer = Deployer(w3, root, accounts.deployer)
    weth, usdc = deploy_tokens(deployer)
    fund_accounts(deployer, weth, usdc, accounts)
    link = deploy_link(deployer)
    eth_usd, eth_usd_feed = deploy_feed(deployer, link, accounts.oracle, "ETH / USD")
    usdc_usd, usdc_usd_feed = deploy_feed(deployer, link, accounts.oracle, "USDC / USD")
    uniswap = deploy_uniswap(deployer, weth.address)
    aave = deploy_aave(
        deployer, weth.address, eth_usd_feed.address, usdc.address, usdc_usd_feed.address
    )
    rpc(w3, "anvil_setCode", artifacts.MULTICALL3_ADDRESS, artifacts.multicall3_runtime(root))
    tokens = (weth, usdc)
    approve_all(deployer, tokens, uniswap.position_manager, (accounts.liquidity_provider,))
    approve_all(
        deployer,
        tokens,
        uniswap.router,
        (accounts.arbitrageur, accounts.noise, accounts.liquidator),
    )
    approve_all(deployer, tokens, aave.pool, (accounts.liquidity_provider, accounts.liquidator))
    return Addresses(
        weth=weth.address,
        usdc=usdc.address,
        eth_usd_aggregator=eth_usd.address,
        eth_usd_feed=eth_usd_feed.address,
        usdc_usd_aggregator=usdc_usd.address,
        usdc_usd_feed=usdc_usd_feed.address,
        uniswap_factory=uniswap.factory,
        uniswap_position_manager=uniswap.position_manager,
        uniswap_router=uniswap.router,
        uniswap_quoter=uniswap.quoter,
        uniswap_pool="",
        aave_addresses_provider=aave.addresses_provider,
        aave_pool=aave.pool,
        aave_oracle=aave.oracle,
        aave_data_provider=aave.data_provider,
        multicall3=artifacts.MULTICALL3_ADDRESS,
    )


def make_market(w3: Web3, root: Path, addresses: Addresses, market: MarketSpec) -> Addresses:
    """First answers, pool, liquidity and loans, `WARM_UP_S` before the start; fresh answers at the start."""
    accounts = accounts_of(w3)
    deployer = Deployer(w3, root, accounts.deployer)
    rpc(w3, "anvil_setBlockTimestampInterval", 1)
    rpc(w3, "evm_setNextBlockTimestamp", market.start_time - WARM_UP_S)
    _answer(deployer, addresses, accounts.oracle, market.price_usd)
    wrapped = int((market.pool_usd + market.lent_usd) / market.price_usd) + 1
    weth = deployer.at("WETH9", addresses.weth)
    deployer.send(
        weth.functions.deposit(), sender=accounts.liquidity_provider, value=wrapped * ETHER
    )
    pool = _make_pool(deployer, addresses, accounts.liquidity_provider, market)
    seed_lending(
        deployer, addresses.aave_pool, accounts.liquidity_provider, _loans(addresses, market)
    )
    rpc(w3, "evm_setNextBlockTimestamp", market.start_time - 1)
    _answer(deployer, addresses, accounts.oracle, market.price_usd)
    return replace(addresses, uniswap_pool=pool)


def _make_pool(deployer: Deployer, addresses: Addresses, provider: str, market: MarketSpec) -> str:
    uniswap = Uniswap(
        addresses.uniswap_factory,
        addresses.uniswap_position_manager,
        addresses.uniswap_router,
        addresses.uniswap_quoter,
    )
    pair = Pair(addresses.weth, addresses.usdc)
    pool = create_pool(deployer, uniswap, pair, market.price_usd)
    add_liquidity(
        deployer, uniswap, pair, provider, price_usd=market.price_usd, value_usd=market.pool_usd
    )
    return pool


def _loans(addresses: Addresses, market: MarketSpec) -> tuple[LendingSeed, ...]:
    weth = int(market.lent_usd / market.price_usd * 10**6) * 10**12
    usdc = int(market.lent_usd * DOLLAR)
    return (
        LendingSeed(addresses.weth, weth, int(weth * market.weth_utilisation)),
        LendingSeed(addresses.usdc, usdc, int(usdc * market.usdc_utilisation)),
    )


def _answer(deployer: Deployer, addresses: Addresses, oracle: str, price_usd: float) -> None:
    for aggregator, price in (
        (addresses.eth_usd_aggregator, price_usd),
        (addresses.usdc_usd_aggregator, 1.0),
    ):
        submit(deployer, deployer.at("FluxAggregator", aggregator), oracle, answer_of(price))


def _log_dir(root: Path) -> Path:
    return cache_dir(root) / "logs"


def _say(progress: Progress | None, what: str) -> None:
    if progress is not None:
        progress(what)
