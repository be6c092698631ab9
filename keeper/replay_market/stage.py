"""The chain a segment is played on: protocols, one vault with its position, and the real keeper of a settings file."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from keeper.app import Keeper, build_keeper_for
from keeper.clock import Clock
from keeper.config.endpoints import pool_of
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.settings import Settings
from keeper.config.strategy import load_strategy
from keeper.errors import LocalnetError
from keeper.execution.signers import from_private_key
from keeper.localnet.cache import write_atomically
from keeper.localnet.mainnet import start_unforked
from keeper.localnet.market import MarketSpec, advance_to
from keeper.localnet.paths.path import PricePath
from keeper.localnet.position import open_leveraged
from keeper.localnet.protocols.tokens import DOLLAR
from keeper.localnet.rpc import rpc, send
from keeper.localnet.serve import ORACLE_TERMS, dev_keys
from keeper.localnet.vaults import DEFAULT_TERMS, VaultDeployment, deploy_vault, deposit, terms_for
from keeper.localnet.world import Accounts, World
from keeper.model.mandate import Terms
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.model.units import WAD, Bps
from keeper.replay_market.around import Around
from keeper.replay_market.segment import Segment

SETTINGS_FILE, JOURNAL_FILE = "keeper.toml", "journal.sqlite"
SET_UP_S = 3 * 86_400
"""Chain time before the segment: buckets that the opening charged are full again when it begins."""
WRITTEN = "# Written by `keeper replay-market`: the settings its keeper ran with."
"""First line of the settings in a folder of replays: what is in any other folder is somebody's own."""
READY_S = 2 * 3_600
"""Left of it for the averages, when all stands."""
ASSET_DECIMALS = 6
IDLE_BPS = 400
"""Of the deposit: left idle by an opening with leverage, the first thing a keeper repays from."""
SWAP_LOSS_BPS = 200
WIDE_BAND_BPS = 100_000
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Vault:
    """What the vault starts as, and who runs it."""

    strategy: str
    parameters: Mapping[str, Any]
    deposit_usd: int = 250_000
    health: float | None = None
    """Levered long to it; None: all idle."""
    noise: bool = True
    seed: int = 1


@dataclass(slots=True)
class Stage:
    """All that stands before the first block of the segment."""

    world: World
    deployment: VaultDeployment
    keeper: Keeper
    settings: Settings
    policies: Policies
    strategy: Strategy
    around: Around


def terms_of(vault: Vault) -> Terms:
    """A mandate for the health that leaves every strategy room: a wide delta band, options none."""
    base = DEFAULT_TERMS if vault.health is None else terms_for(vault.health)
    limits = replace(base.limits, max_swap_loss_bps=Bps(SWAP_LOSS_BPS), max_borrow_bps=Bps(8_200))
    caps = replace(base.caps, delta_target_bps=Bps(0), delta_band_bps=Bps(WIDE_BAND_BPS))
    return replace(base, limits=limits, caps=caps)


def settings_text(world: World, deployment: VaultDeployment, vault: Vault) -> str:
    """The keeper's settings file. What it does not name is the default of a live keeper."""
    # text is quoted as JSON quotes it, which TOML reads alike
    given = ", ".join(f"{name} = {json.dumps(str(v))}" for name, v in vault.parameters.items())
    return f"""{WRITTEN}
chain_id = {world.w3.eth.chain_id}
rpc_url = "{world.http_url}"
vault = "{deployment.vault}"
lens = "{deployment.lens}"

[strategy]
name = {json.dumps(vault.strategy)}
parameters = {{ {given} }}

[market]
# As far as the vault's own oracle goes: a fast fall leaves its average behind.
max_deviation_bps = {ORACLE_TERMS.max_deviation_bps}

[planning]
# Half of what the mandate lets a swap lose: prices move between a decision and its block.
slippage_bps = {SWAP_LOSS_BPS // 2}
loss_margin_bps = {SWAP_LOSS_BPS // 2}

[journal]
path = "{JOURNAL_FILE}"
"""


@contextlib.contextmanager
def staged(
    root: Path, segment: Segment, vault: Vault, out: Path, *, clock: Clock, say: Any
) -> Iterator[Stage]:
    """Everything stands; ended with the block, the chain's process too.

    LocalnetError where the chain cannot be had, SettingError for a strategy or parameters that are none.
    """
    load_strategy(vault.strategy, dict(vault.parameters))  # told before anything is started
    first = segment.moments[0]
    market = MarketSpec(price_usd=first.price_wad / WAD, start_time=first.time - SET_UP_S)
    say("starting the local mainnet")
    with start_unforked(root, market=market) as world:
        rpc(world.w3, "anvil_setBlockTimestampInterval", 1)
        say("deploying the vault and opening its position")
        deployment = _opened(world, vault, first.time)
        keeper, parts = _keeper(world, deployment, vault, out, clock)
        with contextlib.closing(keeper):
            keeper.verify()
            yield Stage(world, deployment, keeper, *parts)


def priming_path(segment: Segment, seed: int) -> PricePath:
    """The first moment twice: where the driver brings pool and feeds before the segment."""
    first = segment.moments[0]
    price, step = first.price_wad / WAD, segment.block_s
    return PricePath(
        name=segment.name,
        seed=seed,
        start_time=first.time,
        block_seconds=step,
        times=np.array([first.time, first.time + step], dtype=np.int64),
        market_price=np.array([price, price]),
        oracle_online=np.ones(2, dtype=np.bool_),
        base_fee_wei=np.array([max(1, first.base_fee_wei)] * 2, dtype=np.int64),
        description="",
    )


def _opened(world: World, vault: Vault, begins: int) -> VaultDeployment:
    """Deployed, funded, levered where wanted; the clock just before the segment; the heart has just beaten."""
    deployment = deploy_vault(
        world,
        terms=terms_of(vault),
        keepers=(world.accounts.keeper,),
        oracle_terms=ORACLE_TERMS,
        name="Gimbal replay",
    )
    deposit(world, deployment, world.accounts.depositor, vault.deposit_usd * DOLLAR)
    if vault.health is not None:
        idle = vault.deposit_usd * DOLLAR * IDLE_BPS // BPS
        open_leveraged(world, deployment, round(vault.health * 10**6) * WAD // 10**6, idle)
    ready = begins - READY_S
    now = int(world.w3.eth.get_block("latest")["timestamp"])
    if now >= ready:
        problem = f"the opening ended {now - ready} s too late"
        raise LocalnetError("opening a position", problem, "ask for a smaller deposit")
    advance_to(world, ready)
    mandate = world.contract("Mandate", deployment.mandate)
    send(world.w3, mandate.functions.beat(), world.accounts.keeper)
    return deployment


def _keeper(
    world: World, deployment: VaultDeployment, vault: Vault, out: Path, clock: Clock
) -> tuple[Keeper, tuple[Settings, Policies, Strategy, Around]]:
    file = out / SETTINGS_FILE
    write_atomically(file, settings_text(world, deployment, vault))
    for stale in out.glob(f"{JOURNAL_FILE}*"):
        stale.unlink()  # of an earlier replay: another chain
    settings = load(file, environment={}).settings
    strategy = load_strategy(settings.strategy.name, settings.strategy.parameters)
    found = policies(settings, ASSET_DECIMALS)
    around = Around(found.risk.volatility)
    roles = [field.name for field in fields(Accounts)]
    key = dev_keys(len(roles))[roles.index("keeper")]
    keeper = build_keeper_for(
        pool=pool_of(settings),
        chain_id=settings.chain_id,
        vault=settings.vault,
        lens=settings.lens,
        strategy=strategy,
        policies=found,
        journal_path=out / JOURNAL_FILE,
        signer=from_private_key(key, "the local mainnet's development accounts"),
        clock=clock,
        rules=tick_rules(settings, dry_run=False),
        gas=gas_policy(settings),
        follow=follow_policy(settings),
        surroundings=around,
    )
    return keeper, (settings, found, strategy, around)
