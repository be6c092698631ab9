"""A vault on the local mainnet with a leveraged position, and keepers for it, as tests need them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.app import Keeper, build_keeper_for
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.settings import Settings
from keeper.config.strategy import load_strategy
from keeper.localnet.market import set_market_price
from keeper.localnet.position import open_leveraged
from keeper.localnet.rpc import rpc
from keeper.localnet.serve import dev_keys
from keeper.localnet.vaults import VaultDeployment, deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.units import WAD, wad_float

DOLLAR = 10**6
KEEPER_INDEX = 6
LOW, TARGET, HIGH = 1.35, 1.5, 5.0
AVERAGE_BLOCKS = 55
"""Blocks of 12 s until the pool's 600 s average has followed a move of the market."""


@dataclass(frozen=True)
class Kept:
    """One vault and where its keeper's files lie."""

    world: World
    deployment: VaultDeployment
    folder: Path

    @property
    def key(self) -> str:
        """The keeper's private key: a development key everybody knows."""
        return dev_keys(KEEPER_INDEX + 1)[KEEPER_INDEX]

    @property
    def file(self) -> Path:
        """A settings file for this vault."""
        file = self.folder / "keeper.toml"
        if not file.exists():
            file.write_text(
                f'chain_id = 1\nrpc_url = "{self.world.http_url}"\nws_url = "{self.world.ws_url}"\n'
                f'vault = "{self.deployment.vault}"\nlens = "{self.deployment.lens}"\n'
                f"[strategy.parameters]\nlow = {LOW}\ntarget = {TARGET}\nhigh = {HIGH}\n"
                "[guard]\nmax_loss_bps = 200\n[tick]\nmax_head_age_s = 4000000000\n"  # chain time
            )
        return file

    @property
    def settings(self) -> Settings:
        """The file, without this machine's environment."""
        return load(self.file, {}).settings

    def keeper(self, *, dry_run: bool = False) -> Keeper:
        """A keeper of this vault on chain time; the same journal every time."""
        settings = self.settings
        return build_keeper_for(
            rpc_url=self.world.http_url,
            chain_id=1,
            vault=self.deployment.vault,
            lens=self.deployment.lens,
            strategy=load_strategy(settings.strategy.name, settings.strategy.parameters),
            policies=policies(settings, 6),
            journal_path=settings.journal.path,
            private_key=self.key,
            clock=self.now,
            rules=tick_rules(settings, dry_run=dry_run),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
        )

    def now(self) -> float:
        """The chain's clock."""
        return float(self.world.w3.eth.get_block("latest")["timestamp"])

    def health(self) -> float:
        """As the venue says."""
        pool = self.world.contract("AavePool", self.world.addresses.aave_pool)
        account = pool.functions.getUserAccountData(self.deployment.lending).call()
        return wad_float(account[5])

    def nonce(self) -> int:
        """Mined transactions of the keeper's account."""
        return self.world.w3.eth.get_transaction_count(self._account)

    def pending(self) -> int:
        """Transactions of the keeper's account in the node's pool."""
        return self.world.w3.eth.get_transaction_count(self._account, "pending") - self.nonce()

    @property
    def _account(self) -> Any:
        return self.world.accounts.keeper

    def rebalances(self) -> int:
        """How often the vault was rebalanced by its keeper."""
        vault = self.world.contract("Vault", self.deployment.vault)
        logs = vault.events.Rebalanced().get_logs(from_block=0)
        return sum(log["args"]["keeper"] == self.world.accounts.keeper for log in logs)

    def market(self, price_usd: float) -> None:
        """Oracle and pool at a price, and time for the pool's average to follow."""
        set_market_price(self.world, price_usd)
        self.mine(AVERAGE_BLOCKS)

    def mine(self, blocks: int = 1) -> None:
        """Blocks of 12 s."""
        rpc(self.world.w3, "anvil_mine", hex(blocks), hex(12))


def open_kept(world: World, folder: Path, *, health: float = 1.5, idle: int = 1_000) -> Kept:
    """Three hundred thousand dollars at a health, with `idle` dollars left."""
    deployment = deploy_vault(world, keepers=[world.accounts.keeper])
    deposit(world, deployment, world.accounts.depositor, 300_000 * DOLLAR)
    open_leveraged(world, deployment, int(health * WAD), idle * DOLLAR)
    kept = Kept(world, deployment, folder)
    kept.mine(AVERAGE_BLOCKS)
    return kept
