"""Who may do what with a vault, and after what delay: the intended wiring, and how a live one deviates from it.

Pure: `scripts/roles.py` reads an `AccessState` from a chain; here it becomes a table and warnings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from keeper.deployment.bounds import DAY, HOUR, MIN_OWNER_DELAY_S

MIN_CURATOR_DELAY_S = HOUR
PUBLIC_ROLE = 2**64 - 1


class Role(IntEnum):
    """Role ids of the access manager, as in contracts/libraries/Roles.sol."""

    OWNER = 0
    CURATOR = 1
    KEEPER = 2
    GUARDIAN = 3
    KEEPER_ADMIN = 4


MANDATE = "Mandate"
MARKS = "VolatilityOracle"

WIRING: Mapping[str, Mapping[str, Role]] = {
    MANDATE: {
        **dict.fromkeys(
            (
                "setTerms",
                "addKeeper",
                "unpause",
                "resume",
                "setDepositPolicy",
                "setFees",
                "allow",
                "resolveUnhedged",
            ),
            Role.CURATOR,
        ),
        **dict.fromkeys(
            ("tighten", "removeKeeper", "pause", "windDown", "lowerCap", "disallow"), Role.GUARDIAN
        ),
        "beat": Role.KEEPER,
    },
    MARKS: {
        **dict.fromkeys(("setLimits", "setPoster", "unfreeze"), Role.CURATOR),
        **dict.fromkeys(("raiseFloor", "widen", "freeze"), Role.GUARDIAN),
    },
}
"""Contract -> function -> role. What is restricted and not named is the owner's."""

ADMINS: Mapping[Role, Role] = {
    Role.CURATOR: Role.OWNER,
    Role.KEEPER: Role.KEEPER_ADMIN,
    Role.GUARDIAN: Role.OWNER,
    Role.KEEPER_ADMIN: Role.OWNER,
}
GUARDIANS: Mapping[Role, Role] = {Role.CURATOR: Role.GUARDIAN}


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a role, from `since` on; a change of its delay that waits is `next_delay_s` from `next_at`."""

    role: int
    account: str
    since: int
    delay_s: int
    next_delay_s: int = 0
    next_at: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A contract under the manager; `contract` is its kind, empty if unknown. Functions by name, else by selector."""

    address: str
    contract: str
    functions: Mapping[str, int]
    closed: bool
    admin_delay_s: int
    """What rewiring it waits for at least, as last set; in force five days after that."""
    managed: bool
    """Whether the contract itself obeys this manager."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something scheduled and neither done, cancelled nor lapsed."""

    caller: str
    target: str
    function: str
    at: int


@dataclass(frozen=True, slots=True)
class AccessState:
    """What one access manager says at one block."""

    manager: str
    timestamp: int
    mandate: str
    members: tuple[Member, ...]
    admins: Mapping[int, int]
    guardians: Mapping[int, int]
    targets: tuple[Target, ...]
    operations: tuple[Operation, ...]

    def holders(self, role: int) -> tuple[Member, ...]:
        """Members of a role, those to begin included."""
        return tuple(member for member in self.members if member.role == role)

    def target(self, contract: str) -> Target | None:
        """The target of a kind."""
        return next((t for t in self.targets if t.contract == contract), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    account: str
    role: str
    may: str
    after: str


def role_name(role: int) -> str:
    """A role's name; the number of one this version does not know."""
    if role == PUBLIC_ROLE:
        return "PUBLIC"
    return Role(role).name if role in set(Role) else f"role {role}"


def span(seconds: int) -> str:
    """A delay as people say it."""
    if seconds == 0:
        return "at once"
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", 60)):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} seconds"


def table(state: AccessState) -> tuple[Row, ...]:
    """Who may do what, after what delay; riskiest first."""
    order = (Role.OWNER, Role.CURATOR, Role.GUARDIAN, Role.KEEPER, Role.KEEPER_ADMIN)
    others = sorted({m.role for m in state.members} - set(order))
    rows = [
        Row(member.account, role_name(role), _may(state, role), _after(member, state.timestamp))
        for role in (*order, *others)
        for member in sorted(state.holders(role), key=lambda m: m.account)
    ]
    public = _functions(state, PUBLIC_ROLE)
    anybody = "settle, protect, declareAbandoned; and exitInKind while winding down"
    rows.append(Row("anybody", "PUBLIC", "; ".join(filter(None, (anybody, public))), "at once"))
    return tuple(rows)


def _may(state: AccessState, role: int) -> str:
    parts = [_functions(state, role)]
    administered = [role_name(r) for r, admin in sorted(state.admins.items()) if admin == role]
    if role == Role.OWNER:
        parts.append("wiring, delays, authority, everything not named")
    if role == Role.KEEPER:
        parts.append("rebalance")
    if administered:
        parts.append(f"grant and revoke {', '.join(administered)}")
    watched = [role_name(r) for r, guard in sorted(state.guardians.items()) if guard == role and r]
    if watched and role != Role.OWNER:
        parts.append(f"cancel what {', '.join(watched)} scheduled")
    return "; ".join(filter(None, parts)) or "nothing"


def _functions(state: AccessState, role: int) -> str:
    named = [
        f"{'' if target.contract == MANDATE else (target.contract or target.address) + '.'}{name}"
        for target in state.targets
        for name, held in target.functions.items()
        if held == role and (role != Role.OWNER or not target.contract)
    ]
    return ", ".join(named)


def _after(member: Member, now: int) -> str:
    text = span(member.delay_s)
    if member.since > now:
        text += f" (from {member.since})"
    if member.next_at > now:
        text += f", {span(member.next_delay_s)} from {member.next_at}"
    return text


def deviations(state: AccessState) -> tuple[str, ...]:
    """Every way in which the live wiring is not the intended one."""
    return (
        *_member_faults(state),
        *_prompt_faults(state),
        *_relation_faults(state),
        *(fault for target in state.targets for fault in _target_faults(target)),
    )


def _member_faults(state: AccessState) -> Iterator[str]:
    owners, curators = state.holders(Role.OWNER), state.holders(Role.CURATOR)
    if len(owners) != 1:
        who = ", ".join(member.account for member in owners) or "nobody"
        yield f"there is to be one owner; there are {len(owners)}: {who}"
    slowest = max((member.delay_s for member in curators), default=0)
    for member in owners:
        yield from _delay_faults(member, max(MIN_OWNER_DELAY_S, slowest))
    for member in curators:
        yield from _delay_faults(member, MIN_CURATOR_DELAY_S)
    administrators = [member.account for member in state.holders(Role.KEEPER_ADMIN)]
    if administrators != [state.mandate]:
        who = ", ".join(administrators) or "nobody"
        yield f"KEEPER_ADMIN is to be the mandate alone; it is {who}"
    for member in state.members:
        if member.role not in set(Role):
            who = role_name(member.role)
            yield f"{member.account} is in {who}, which this version does not know"


def _prompt_faults(state: AccessState) -> Iterator[str]:
    """Of those who are to act at once: guardians and keepers."""
    if not state.holders(Role.GUARDIAN):
        yield "nobody is GUARDIAN: nothing can be tightened or cancelled at once"
    for member in (*state.holders(Role.GUARDIAN), *state.holders(Role.KEEPER)):
        delay = member.delay_s or member.next_delay_s
        if delay:
            name = f"{role_name(member.role)} {member.account}"
            yield f"{name} waits {span(delay)}: it is to act at once"
    online = {member.account for member in state.holders(Role.KEEPER)}
    for member in state.members:
        if member.account in online and member.role != Role.KEEPER:
            yield f"KEEPER {member.account} is {role_name(member.role)} too: that key is online"


def _delay_faults(member: Member, least: int) -> Iterator[str]:
    name = f"{role_name(member.role)} {member.account}"
    if member.delay_s < least:
        yield f"{name} waits {span(member.delay_s)}: at least {span(least)} is intended"
    if member.next_at and member.next_delay_s < least:
        yield f"{name} will wait {span(member.next_delay_s)} from {member.next_at}: at least {span(least)} is intended"


def _relation_faults(state: AccessState) -> Iterator[str]:
    for role, admin in sorted(state.admins.items()):
        wanted = ADMINS.get(Role(role), Role.OWNER) if role in set(Role) else Role.OWNER
        if admin != wanted:
            yield f"{role_name(role)} is granted by {role_name(admin)}, not by {wanted.name}"
    for role, guardian in sorted(state.guardians.items()):
        wanted = GUARDIANS.get(Role(role), Role.OWNER) if role in set(Role) else Role.OWNER
        if guardian != wanted:
            yield f"what {role_name(role)} schedules is cancelled by {role_name(guardian)}, not by {wanted.name}"


def _target_faults(target: Target) -> Iterator[str]:
    name = target.contract or target.address
    if target.closed:
        yield f"{name} is closed: nobody can call its restricted functions, safer ones included"
    if not target.managed:
        yield f"{name} does not obey this manager"
    if target.contract in WIRING and target.admin_delay_s < MIN_OWNER_DELAY_S:
        yield f"rewiring {name} waits {span(target.admin_delay_s)} of its own: at least a day is intended"
    wiring = WIRING.get(target.contract)
    if wiring is None:
        yield f"{name} is under the manager and is no part of the vault this version knows"
        return
    for function, role in sorted(target.functions.items()):
        wanted = wiring.get(function)
        if wanted is None and function.startswith("0x"):
            yield f"{name} {function} is given to {role_name(role)}: a function this version does not know"
        elif role != (wanted if wanted is not None else Role.OWNER):
            yield f"{name}.{function} is {role_name(role)}'s, not {(wanted or Role.OWNER).name}'s"
    for function in sorted(wiring.keys() - target.functions.keys()):
        yield f"{name}.{function} is given to nobody: it is the owner's, after its delay"
