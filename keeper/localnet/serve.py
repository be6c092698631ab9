"""A local mainnet for a developer: started, described, and kept until a signal."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import FrameType
from typing import Any

from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

from keeper.localnet.anvil import require_port_free
from keeper.localnet.cache import write_atomically
from keeper.localnet.driver import Driver
from keeper.localnet.mainnet import Progress, start_local_mainnet
from keeper.localnet.market import MarketSpec, advance_to, refresh_answers
from keeper.localnet.paths.path import PricePath
from keeper.localnet.position import CHUNK_USD, OpenedPosition, open_leveraged
from keeper.localnet.protocols.tokens import DOLLAR
from keeper.localnet.rpc import rpc
from keeper.localnet.vaults import (
    DEFAULT_TERMS,
    OracleTerms,
    VaultDeployment,
    deploy_vault,
    deposit,
    terms_for,
)
from keeper.localnet.world import Accounts, World
from keeper.model.units import WAD

DEV_MNEMONIC = "test test test test test test test test test test test junk"
"""Printed by every anvil and hardhat at start: known to everybody, worth nothing on a real chain."""
HEARTBEAT_S = 1_800.0
"""How often the feeds are answered again while nothing else moves them."""
DEFAULT_PORT = 8_545
LOCALNET_FILE = Path("build") / "localnet" / "localnet.json"
ORACLE_TERMS = OracleTerms(twap_window_s=120, max_deviation_bps=500, block_s=1)
"""A short average follows a crash closely, so that it vetoes a lying oracle and not a falling market."""
_PATH_BLOCK_S = 1.0
_SET_UP_S = 3_600
_SAID_EVERY = 20
"""Blocks of a path between two lines about it."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What stands when the prompt says ready.

    health and the two amounts (whole dollars) are those of the vault's open position. With `auto_mine` each
    transaction gets its block at once; `block_time_s` mines by the wall clock, besides or instead.
    """

    price_usd: float = 2_000.0
    deposit_usd: int = 2_000_000
    idle_usd: int = 200_000
    health: float = 1.6
    auto_mine: bool = True
    block_time_s: float | None = None
    port: int | None = DEFAULT_PORT
    file: Path | None = None  # None: `localnet_file`
    path: PricePath | None = None  # the market goes along it, one block each `block_time_s`


@dataclass(frozen=True, slots=True)
class Served:
    """The running local mainnet, what it says of itself, and where that is written for programs."""

    world: World
    deployment: VaultDeployment
    position: OpenedPosition
    text: str
    file: Path


def serve(
    root: Path,
    *,
    options: ServeOptions | None = None,
    out: Callable[[str], None] = print,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Start, show what stands where, and wait for Ctrl-C, SIGTERM or `stop`; then end every process started."""
    ended = stop or threading.Event()
    with _signals_set(ended), serving(root, options=options, progress=progress) as served:
        out(served.text)
        if options is not None and options.path is not None:
            _follow(served.world, options.path, options.block_time_s, ended=ended, out=out)
        while not ended.wait(HEARTBEAT_S):
            refresh_answers(served.world)


def localnet_file(root: Path, port: int | None) -> Path:
    """Where a local mainnet describes itself: one folder for each port, so that several can run."""
    file = root / LOCALNET_FILE
    return file if port in (None, DEFAULT_PORT) else file.parent / f"port-{port}" / file.name


def _follow(
    world: World,
    path: PricePath,
    block_time_s: float | None,
    *,
    ended: threading.Event,
    out: Callable[[str], None],
) -> None:
    """The market goes along a path with its actors, by the wall clock; then the chain mines as before.

    The chain's own clock runs with the path, and so faster than the wall's.
    """
    pause = block_time_s or _PATH_BLOCK_S
    with Driver(world, path) as driver:
        driver.prime()
        out(f"The market now follows {path.name}: {len(path)} blocks, one every {pause:g} s.")
        due = time.monotonic()
        while driver.blocks_left and not ended.wait(max(0.0, due - time.monotonic())):
            record = driver.step()
            due = max(due + pause, time.monotonic())  # a slow block is not made up for
            if record.index % _SAID_EVERY == 0 or not driver.blocks_left:
                out(
                    f"block {record.number} ({record.index + 1} of {len(path)}): "
                    f"market {record.market_price:,.2f}, oracle {record.oracle_price:,.2f}"
                )
    if not ended.is_set():
        rpc(world.w3, "evm_setAutomine", True)
        rpc(world.w3, "evm_setIntervalMining", max(1, round(pause)))
        out("The path is at its end; the market stays where it is.")


@contextlib.contextmanager
def serving(
    root: Path, *, options: ServeOptions | None = None, progress: Progress | None = None
) -> Iterator[Served]:
    """The local mainnet with a funded vault and an open leveraged position, on the wall clock."""
    wanted = options or ServeOptions()
    if wanted.port is not None:
        require_port_free(wanted.port)  # before anything is built for it
    price = wanted.price_usd if wanted.path is None else float(wanted.path.market_price[0])
    market = MarketSpec(price_usd=price, start_time=int(time.time()) - _set_up_s(wanted))
    with (
        start_local_mainnet(
            root,
            market=market,
            auto_mine=wanted.auto_mine,
            # along a path each block is made for it
            block_time_s=wanted.block_time_s if wanted.path is None else None,
            block_interval_s=1,  # until all stands: deposits and cooldowns take time that nobody waits for
            port=wanted.port,
            progress=progress,
        ) as world
    ):
        if progress is not None:
            progress("deploying a vault and opening its position")
        deployment = deploy_vault(
            world,
            terms=terms_for(wanted.health),
            keepers=[world.accounts.keeper],
            oracle_terms=ORACLE_TERMS,
        )
        deposit(world, deployment, world.accounts.depositor, wanted.deposit_usd * DOLLAR)
        position = open_leveraged(
            world, deployment, int(wanted.health * WAD), wanted.idle_usd * DOLLAR
        )
        _join_the_wall_clock(world)
        file = wanted.file or localnet_file(root, wanted.port)
        description = describe(world, deployment)
        write_atomically(file, json.dumps(description, indent=2) + "\n")
        try:
            yield Served(world, deployment, position, _text(description, position, file), file)
        finally:
            file.unlink(missing_ok=True)


def _set_up_s(options: ServeOptions) -> int:
    """Chain time that the set-up may take at most: it starts so long ago, and ends before now."""
    steps = options.deposit_usd * options.health / (options.health - 0.83) / CHUNK_USD
    return _SET_UP_S + int(steps + 10) * (DEFAULT_TERMS.caps.cooldown_s + 10)


def _join_the_wall_clock(world: World) -> None:
    """From here on the chain's clock is that of this machine, and the feeds are fresh at it."""
    rpc(world.w3, "anvil_removeBlockTimestampInterval")
    advance_to(world, max(int(time.time()), world.w3.eth.get_block("latest")["timestamp"] + 1))


def dev_keys(count: int) -> list[str]:
    """Private keys (0x...) of the development accounts, in the mnemonic's order."""
    seed = seed_from_mnemonic(DEV_MNEMONIC, "")
    return ["0x" + key_from_seed(seed, f"m/44'/60'/0'/0/{index}").hex() for index in range(count)]


def describe(world: World, deployment: VaultDeployment) -> dict[str, Any]:
    """Everything a program needs to use this chain: written to localnet.json."""
    roles = [field.name for field in fields(Accounts)]
    accounts = {
        role: {"address": Account.from_key(key).address, "private_key": key}
        for role, key in zip(roles, dev_keys(len(roles)), strict=True)
    }
    return {
        "chain_id": world.w3.eth.chain_id,
        "rpc_url": world.http_url,
        "ws_url": world.ws_url,
        "upstream_url": world.upstream_url,
        **asdict(deployment),
        "addresses": asdict(world.addresses),
        "accounts": accounts,
    }


def _text(description: dict[str, Any], position: OpenedPosition, file: Path) -> str:
    lines = [
        "Local mainnet (chain id 1, a fork of freshly deployed real protocols)",
        f"  RPC        {description['rpc_url']}",
        f"  websocket  {description['ws_url']}",
        "",
        f"Vault with an open position: health {position.health_wad / WAD:.3f}, collateral "
        f"{position.collateral_usd8 / 1e8:,.0f} USD, debt {position.debt_usd8 / 1e8:,.0f} USD, "
        f"idle {position.idle_usdc / DOLLAR:,.0f} USDC",
        *(
            f"  {name:<26} {description[name]}"
            for name in ("vault", "mandate", "manager", "lens", "oracle", "lending", "swapper")
        ),
        "",
        "Protocols",
        *(f"  {name:<26} {address}" for name, address in description["addresses"].items()),
        "",
        "Accounts. These keys are public, the same on every anvil: never send anything of value to them.",
        *(
            f"  {role:<20} {account['address']}  {account['private_key']}"
            for role, account in description["accounts"].items()
        ),
        "",
        f"For programs: {file}",
        "Ends with Ctrl-C.",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _signals_set(event: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set the event instead of ending the process; as before afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread; the caller has the event
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
