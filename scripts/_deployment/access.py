"""Reads who may do what from an access manager: events name accounts and functions, views say what holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.deployment.roles import (
    MANDATE,
    MARKS,
    WIRING,
    AccessState,
    Member,
    Operation,
    Role,
    Target,
)
from keeper.errors import WrongVaultError
from keeper.model.address import ZERO_ADDRESS
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain

EVENTS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    name: (f"{name}({','.join(types)})", indexed, plain)
    for name, types, indexed, plain in (
        ("RoleGranted", ("uint64", "address", "uint32", "uint48", "bool"), ("uint64", "address"), ()),
        ("RoleAdminChanged", ("uint64", "uint64"), ("uint64", "uint64"), ()),
        ("RoleGuardianChanged", ("uint64", "uint64"), ("uint64", "uint64"), ()),
        ("TargetClosed", ("address", "bool"), ("address",), ()),
        ("TargetFunctionRoleUpdated", ("address", "bytes4", "uint64"), ("address", "uint64"), ("bytes4",)),
        ("TargetAdminDelayUpdated", ("address", "uint32", "uint48"), ("address",), ("uint32", "uint48")),
        (
            "OperationScheduled",
            ("bytes32", "uint32", "uint48", "address", "address", "bytes"),
            ("bytes32", "uint32"),
            ("uint48", "address", "address", "bytes"),
        ),
    )
}  # fmt: skip
TOPICS = {keccak(text=signature): name for name, (signature, _, _) in EVENTS.items()}


@dataclass
class Seen:
    """What the manager's events ever named."""

    accounts: dict[int, set[str]] = field(default_factory=dict)
    roles: set[int] = field(default_factory=lambda: {int(role) for role in Role})
    functions: dict[str, set[bytes]] = field(default_factory=dict)
    admin_delays: dict[str, int] = field(default_factory=dict)
    scheduled: dict[bytes, tuple[str, str, bytes]] = field(default_factory=dict)

    def take(self, name: str, indexed: tuple[Any, ...], plain: tuple[Any, ...]) -> None:
        """One event."""
        if name == "RoleGranted":
            self.accounts.setdefault(indexed[0], set()).add(indexed[1])
            self.roles.add(indexed[0])
        elif name in {"RoleAdminChanged", "RoleGuardianChanged"}:
            self.roles |= {indexed[0], indexed[1]}
        elif name == "TargetFunctionRoleUpdated":
            self.functions.setdefault(indexed[0], set()).add(plain[0])
            self.roles.add(indexed[1])
        elif name == "OperationScheduled":
            self.scheduled[indexed[0]] = (plain[1], plain[2], plain[3])
        else:
            self.functions.setdefault(indexed[0], set())
            if name == "TargetAdminDelayUpdated":
                self.admin_delays[indexed[0]] = plain[0]


def read_access(
    chain: Chain, artifacts: Artifacts, vault: str, first_block: int = 0
) -> AccessState:
    """The state of the manager behind a vault; events from `first_block` on."""
    mandate = chain.view(vault, "mandate()", ["address"])
    manager = chain.view(mandate, "authority()", ["address"]) if mandate else None
    if manager is None or chain.view(manager, "expiration()", ["uint32"]) is None:
        problem = "has no mandate under an access manager"
        raise WrongVaultError(vault, problem, "check the address and the network")
    block = chain.w3.eth.get_block("latest")
    seen = _seen(chain.logs(manager, first_block, int(block["number"])))
    marks = _marks_of(chain, vault)
    kinds = {mandate: MANDATE, **({marks: MARKS} if marks else {})}
    for address in kinds:
        seen.functions.setdefault(address, set())
    return AccessState(
        manager=to_checksum_address(manager),
        timestamp=int(block["timestamp"]),
        mandate=to_checksum_address(mandate),
        members=tuple(_members(chain, manager, seen)),
        admins=_relations(chain, manager, "getRoleAdmin(uint64)", seen),
        guardians=_relations(chain, manager, "getRoleGuardian(uint64)", seen),
        targets=tuple(
            _target(
                chain,
                manager,
                address,
                seen,
                kind=kinds.get(address, ""),
                names=artifacts[kinds[address]].selectors() if address in kinds else {},
            )
            for address in sorted(seen.functions, key=lambda a: (a not in kinds, a))
        ),
        operations=tuple(_operations(chain, artifacts, manager, kinds, seen)),
    )


def _seen(logs: Iterable[Any]) -> Seen:
    seen = Seen()
    for log in logs:
        name = TOPICS.get(bytes(log["topics"][0]))
        if name is None:
            continue
        _, indexed, plain = EVENTS[name]
        topics = b"".join(bytes(topic) for topic in log["topics"][1:])
        seen.take(name, decode(indexed, topics), decode(plain, bytes(log["data"])) if plain else ())
    return seen


def _marks_of(chain: Chain, vault: str) -> str | None:
    desk = chain.view(vault, "desk()", ["address"])
    if desk in {None, ZERO_ADDRESS}:
        return None
    found: str | None = chain.view(desk, "volatilityOracle()", ["address"])
    return found


def _members(chain: Chain, manager: str, seen: Seen) -> Iterable[Member]:
    for role, accounts in sorted(seen.accounts.items()):
        for account in sorted(accounts):
            since, delay, coming, effect = chain.view(
                manager,
                "getAccess(uint64,address)",
                ["uint48", "uint32", "uint32", "uint48"],
                role,
                account,
            )
            if since:
                yield Member(role, to_checksum_address(account), since, delay, coming, effect)


def _relations(chain: Chain, manager: str, signature: str, seen: Seen) -> dict[int, int]:
    public = 2**64 - 1
    roles = sorted(seen.roles - {int(Role.OWNER), public})
    return {role: chain.view(manager, signature, ["uint64"], role) for role in roles}


def _target(
    chain: Chain, manager: str, address: str, seen: Seen, *, kind: str, names: Mapping[str, str]
) -> Target:
    functions = {}
    # Every function of the contract, not only those an event named: what nobody was given is the owner's.
    wanted = {bytes.fromhex(s[2:]) for s, name in names.items() if name in WIRING.get(kind, {})}
    for selector in sorted(seen.functions[address] | wanted):
        role = chain.view(
            manager, "getTargetFunctionRole(address,bytes4)", ["uint64"], address, selector
        )
        text = "0x" + selector.hex()
        if role != Role.OWNER:
            functions[names.get(text, text)] = role
    holders = ("owner()", "guardian()") if kind == MARKS else ("authority()",)
    obeyed = {chain.view(address, holder, ["address"]) for holder in holders}
    return Target(
        address=to_checksum_address(address),
        contract=kind,
        functions=functions,
        closed=bool(chain.view(manager, "isTargetClosed(address)", ["bool"], address)),
        admin_delay_s=seen.admin_delays.get(address, 0),
        managed=obeyed == {manager},
    )


def _operations(
    chain: Chain, artifacts: Artifacts, manager: str, kinds: Mapping[str, str], seen: Seen
) -> Iterable[Operation]:
    for identifier, (caller, target, data) in seen.scheduled.items():
        at = chain.view(manager, "getSchedule(bytes32)", ["uint48"], identifier)
        if not at:
            continue
        text = "0x" + data[:4].hex()
        kind = kinds.get(target, "")
        names = artifacts[kind].selectors() if kind else MANAGER_FUNCTIONS
        where = kind or ("AccessManager" if target.lower() == manager.lower() else target)
        yield Operation(to_checksum_address(caller), where, names.get(text, text), at)


MANAGER_FUNCTIONS = {
    "0x" + keccak(text=signature)[:4].hex(): signature.partition("(")[0]
    for signature in (
        "grantRole(uint64,address,uint32)",
        "labelRole(uint64,string)",
        "revokeRole(uint64,address)",
        "setGrantDelay(uint64,uint32)",
        "setRoleAdmin(uint64,uint64)",
        "setRoleGuardian(uint64,uint64)",
        "setTargetAdminDelay(address,uint32)",
        "setTargetClosed(address,bool)",
        "setTargetFunctionRole(address,bytes4[],uint64)",
        "updateAuthority(address,address)",
    )
}
