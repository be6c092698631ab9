"""The demo's keeper: the same pipeline as a live one, from a settings file the demo leaves to be read."""

from dataclasses import fields
from pathlib import Path

from keeper.app import Keeper, build_keeper_for
from keeper.clock import Clock
from keeper.config.endpoints import pool_of
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.strategy import load_strategy
from keeper.demo.observe import KeeperAction
from keeper.demo.twins import ASSET_DECIMALS, BASE_DECIMALS, SWAP_LOSS_BPS
from keeper.execution.signers import from_private_key
from keeper.localnet.cache import write_atomically
from keeper.localnet.paths.path import PricePath
from keeper.localnet.serve import ORACLE_TERMS, dev_keys
from keeper.localnet.vaults import VaultDeployment
from keeper.localnet.world import Accounts, World
from keeper.loop import TickRecord
from keeper.model.block import BlockStamp
from keeper.model.decision import Beat, Intent, Lane, Rebalance, Settle
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.report.moves import TokenName, moves_text
from keeper.report.story import Band, MarkKind

SETTINGS_FILE = "keeper.toml"
JOURNAL_FILE = "journal.sqlite"
_LEAST_DEADLINE_S = 120
_MOST_DEADLINE_S = 3_600


def settings_text(world: World, deployment: VaultDeployment, band: Band, path: PricePath) -> str:
    """The keeper's settings file. What it does not name is the default of a live keeper."""
    longest = int((path.times[1:] - path.times[:-1]).max())
    return f"""# Written by `keeper demo`: the settings its keeper ran with.
chain_id = {world.w3.eth.chain_id}
rpc_url = "{world.http_url}"
vault = "{deployment.vault}"
lens = "{deployment.lens}"

{behaviour_text(band, longest)}
[journal]
path = "{JOURNAL_FILE}"
"""


def behaviour_text(band: Band, longest_block_s: int) -> str:
    """Tables of a settings file: how a keeper on a local mainnet acts for a band."""
    # An intent must outlive a raised fee or two, however long the blocks are.
    deadline = min(_MOST_DEADLINE_S, max(_LEAST_DEADLINE_S, 4 * longest_block_s))
    return f"""[strategy]
name = "collateral_guard"
parameters = {{ low = {band.low}, target = {band.target}, high = {band.high} }}

[market]
# As far as the vault's own oracle goes: a fast fall leaves its average behind.
max_deviation_bps = {ORACLE_TERMS.max_deviation_bps}

[planning]
# Half of what the mandate lets a swap lose: prices move between a decision and its block.
slippage_bps = {SWAP_LOSS_BPS // 2}
loss_margin_bps = {SWAP_LOSS_BPS // 2}

[tick]
deadline_s = {deadline}
"""


class Pilot:
    """Ticks the keeper block by block and remembers why it sent what it sent."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self._actions: dict[str, KeeperAction] = {}
        self._by_intent: dict[str, KeeperAction] = {}

    def close(self) -> None:
        """Close the keeper: connections and journal."""
        self.keeper.close()

    def verify(self) -> None:
        """Raises if the keeper could not run against this chain and vault."""
        self.keeper.verify()

    def tick(self, block: BlockStamp) -> TickOutcome:
        """One tick for a mined block."""
        outcome = self.keeper.tick(block)
        record = self.keeper.last
        if outcome.status is TickStatus.SENT and outcome.tx_hash and record and record.intent:
            action = _action(record.intent, record)
            self._actions[outcome.tx_hash.lower()] = action
            self._by_intent[outcome.intent_id or ""] = action
        return outcome

    def action_of(self, tx_hash: str) -> KeeperAction | None:
        """Why a transaction was sent; replacements answer for their intent."""
        known = self._actions.get(tx_hash.lower())
        if known is None:
            for attempt in self.keeper.journal.actions(limit=20):
                if attempt.tx_hash.lower() == tx_hash.lower():
                    known = self._by_intent.get(attempt.intent_id)
        return known


def build_pilot(
    world: World,
    deployment: VaultDeployment,
    band: Band,
    *,
    path: PricePath,
    out: Path,
    clock: Clock,
) -> Pilot:
    """The keeper for one vault, built from the settings file it leaves in `out`."""
    file = out / SETTINGS_FILE
    write_atomically(file, settings_text(world, deployment, band, path))
    journal = out / JOURNAL_FILE
    for stale in out.glob(f"{JOURNAL_FILE}*"):
        stale.unlink()  # of an earlier demo: another chain
    settings = load(file, environment={}).settings
    keeper = build_keeper_for(
        pool=pool_of(settings),
        chain_id=settings.chain_id,
        vault=settings.vault,
        lens=settings.lens,
        strategy=load_strategy(settings.strategy.name, settings.strategy.parameters),
        policies=policies(settings, ASSET_DECIMALS),
        journal_path=journal,
        signer=from_private_key(_keeper_key(), "the local mainnet's development accounts"),
        clock=clock,
        rules=tick_rules(settings, dry_run=False),
        gas=gas_policy(settings),
        follow=follow_policy(settings),
    )
    return Pilot(keeper)


def _keeper_key() -> str:
    roles = [field.name for field in fields(Accounts)]
    return dev_keys(len(roles))[roles.index("keeper")]


def _action(intent: Intent, record: TickRecord) -> KeeperAction:
    payload = intent.payload
    if not isinstance(payload, Rebalance):
        known = {Beat: "beat", Settle: "settle the epoch"}
        what = known.get(type(payload), intent.reason.partition(":")[2].strip())
        return KeeperAction(MarkKind.UPKEEP, what, intent.reason)
    readings = record.market.readings if record.market else None
    tokens = {}
    if readings is not None:
        tokens[readings.asset.address] = TokenName("USDC", ASSET_DECIMALS, is_asset=True)
        tokens[readings.base.address] = TokenName("WETH", BASE_DECIMALS, is_asset=False)
    protective = intent.lane is Lane.PROTECTIVE
    return KeeperAction(
        kind=MarkKind.DELEVERAGE if protective else MarkKind.REBALANCE,
        what=moves_text(payload.plan.moves, tokens),
        why=intent.reason,
    )
