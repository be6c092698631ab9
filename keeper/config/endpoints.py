"""The pool of endpoints that the settings name."""

from keeper.chain.budget import RateBudget
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool, PoolMember, PoolPolicy
from keeper.chain.standing import Role
from keeper.chain.subscription import Feed
from keeper.chain.urls import public_name, scheme_of
from keeper.config.settings import EndpointSettings, Settings


def pool_of(settings: Settings) -> EndpointPool:
    """Every endpoint of the settings; nothing is connected yet. Close it after use."""
    members = [
        PoolMember(
            Endpoint(
                node.url,
                settings.rpc_timeout_s,
                name=_name(node),
                timeouts_s=settings.rpc_timeouts_s,
                budget=RateBudget(node.requests_per_second, node.requests_per_day),
            ),
            Role(node.role),
            node.weight,
        )
        for node in settings.nodes()
    ]
    longest_s = max([settings.rpc_timeout_s, *settings.rpc_timeouts_s.values()])
    policy = PoolPolicy(k=settings.agreement.k, patience_s=longest_s)
    return EndpointPool(members, chain_id=settings.chain_id, policy=policy)


def feeds_of(settings: Settings) -> tuple[Feed, ...]:
    """Where endpoints that read announce heads."""
    found = []
    for node in settings.nodes():
        own = node.url if scheme_of(node.url) in {"ws", "wss", "ipc"} else None
        address = node.ws_url or own
        if address and node.role != "write":
            found.append(Feed(_name(node), address))
    return tuple(found)


def _name(node: EndpointSettings) -> str:
    return node.name or public_name(node.url)
