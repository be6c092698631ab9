"""What the chain and the journal say after a schedule: the properties the campaign is about."""

from dataclasses import dataclass
from typing import Any

from keeper.localnet.rpc import rpc
from keeper.localnet.vaults import VaultDeployment
from keeper.localnet.world import World
from keeper.model.intent_state import ENDS, IntentState


@dataclass(frozen=True, slots=True)
class Effects:
    """From the chain alone."""

    by_intent: dict[str, int]
    """How often each intent took effect."""
    liquidations: int
    stuck: int
    """Transactions of the keeper's accounts still in the pool."""

    @property
    def double(self) -> tuple[str, ...]:
        """Intents that took effect more than once (K-01)."""
        return tuple(i for i, times in self.by_intent.items() if times > 1)


def effects(
    world: World, deployment: VaultDeployment, since_block: int, accounts: tuple[str, ...]
) -> Effects:
    """Everything the chain says of the vault from a block on."""
    vault = world.contract("Vault", deployment.vault)
    by_intent: dict[str, int] = {}
    for log in vault.events.Rebalanced().get_logs(from_block=since_block):
        args = log["args"]
        intent = "0x" + bytes(args["intentId"]).hex()
        by_intent[intent] = by_intent.get(intent, 0) + 1
    pool = world.contract("AavePool", world.addresses.aave_pool)
    liquidated = pool.events.LiquidationCall().get_logs(
        from_block=since_block, argument_filters={"user": deployment.lending}
    )
    return Effects(by_intent, len(liquidated), _stuck(world, accounts))


def _stuck(world: World, accounts: tuple[str, ...]) -> int:
    found = 0
    content: dict[str, Any] = rpc(world.w3, "txpool_content")
    for part in content.values():
        for account, entries in part.items():
            found += len(entries) if account.lower() in {a.lower() for a in accounts} else 0
    return found


def lost_intents(journal: Any, seen: Effects, chain_id: int) -> tuple[str, ...]:
    """Intents that are forgotten, or of which journal and chain tell different things (K-03)."""
    problems = [
        f"{record.intent_id} is still {record.state}" for record in journal.open_intents(chain_id)
    ]
    for intent_id in seen.by_intent:
        record = journal.intent(intent_id)
        if record is None:
            problems.append(f"{intent_id} took effect and is not in the journal")
        elif record.state in ENDS and record.state is not IntentState.FINALISED:
            problems.append(f"{intent_id} took effect and the journal says {record.state}")
    return tuple(problems)
