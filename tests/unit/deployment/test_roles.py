"""V-14 from outside: the table of who may do what, and every way to deviate from the intended wiring."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeper.deployment.bounds import DAY, HOUR
from keeper.deployment.roles import (
    ADMINS,
    GUARDIANS,
    MANDATE,
    MARKS,
    PUBLIC_ROLE,
    WIRING,
    AccessState,
    Member,
    Role,
    Target,
    deviations,
    span,
    table,
)

CONTRACTS = Path(__file__).parents[3] / "contracts"
OWNER, CURATOR, WATCHER, KEEPER, MANDATE_AT, OTHER = "0xA", "0xB", "0xC", "0xD", "0xE", "0xF"
NOW = 1_700_000_000
GRANTED_BY: Mapping[int, int] = {int(role): int(admin) for role, admin in ADMINS.items()}
WIRED: Mapping[str, int] = dict(WIRING[MANDATE])


def sound() -> AccessState:
    """As the set-up leaves it."""
    members = (
        Member(Role.OWNER, OWNER, 1, 3 * DAY),
        Member(Role.CURATOR, CURATOR, 1, DAY),
        *(Member(Role.GUARDIAN, account, 1, 0) for account in (WATCHER, CURATOR, OWNER)),
        Member(Role.KEEPER, KEEPER, 1, 0),
        Member(Role.KEEPER_ADMIN, MANDATE_AT, 1, 0),
    )
    targets = tuple(
        Target(address, kind, WIRING[kind], closed=False, admin_delay_s=3 * DAY, managed=True)
        for kind, address in ((MANDATE, MANDATE_AT), (MARKS, f"0x{9:040x}"))
    )
    guardians: dict[int, int] = {role: GUARDIANS.get(role, Role.OWNER) for role in ADMINS}
    return AccessState(
        f"0x{8:040x}", NOW, MANDATE_AT, members, dict(GRANTED_BY), guardians, targets, ()
    )


def with_member(old: Member | None, *new: Member) -> AccessState:
    state = sound()
    kept = tuple(member for member in state.members if member != old)
    assert old is None or len(kept) == len(state.members) - 1
    return replace(state, members=(*kept, *new))


def with_target(**changes: Any) -> AccessState:
    state = sound()
    return replace(state, targets=(replace(state.targets[0], **changes), state.targets[1]))


def test_the_intended_wiring_deviates_in_nothing() -> None:
    assert deviations(sound()) == ()


OWNER_MEMBER = Member(Role.OWNER, OWNER, 1, 3 * DAY)
CURATOR_MEMBER = Member(Role.CURATOR, CURATOR, 1, DAY)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (with_member(None, Member(Role.OWNER, OTHER, 1, 3 * DAY)), "there are 2: "),
        (with_member(OWNER_MEMBER), "there are 0: nobody"),
        (with_member(OWNER_MEMBER, replace(OWNER_MEMBER, delay_s=0)), "OWNER 0xA waits at once"),
        (with_member(OWNER_MEMBER, replace(OWNER_MEMBER, delay_s=DAY - 1)), "at least 1 day is intended"),
        (with_member(OWNER_MEMBER, replace(OWNER_MEMBER, next_delay_s=0, next_at=NOW + 5)), "will wait at once from"),
        (with_member(CURATOR_MEMBER, replace(CURATOR_MEMBER, delay_s=HOUR - 1)), "at least 1 hour is intended"),
        (with_member(CURATOR_MEMBER, replace(CURATOR_MEMBER, delay_s=4 * DAY)), "at least 4 days is intended"),
        (with_member(None, Member(Role.CURATOR, OTHER, 1, 0)), "CURATOR 0xF waits at once"),
        (with_member(None, Member(Role.GUARDIAN, OTHER, 1, HOUR)), "GUARDIAN 0xF waits 1 hour"),
        (with_member(None, Member(Role.KEEPER, OTHER, 1, 60)), "KEEPER 0xF waits 1 minute"),
        (with_member(None, Member(Role.GUARDIAN, KEEPER, 1, 0)), "is GUARDIAN too: that key is online"),
        (with_member(None, Member(Role.KEEPER_ADMIN, OTHER, 1, 0)), "KEEPER_ADMIN is to be the mandate alone"),
        (with_member(Member(Role.KEEPER_ADMIN, MANDATE_AT, 1, 0)), "the mandate alone; it is nobody"),
        (with_member(None, Member(77, OTHER, 1, 0)), "is in role 77, which this version does not know"),
        (replace(sound(), members=tuple(m for m in sound().members if m.role != Role.GUARDIAN)), "nobody is GUARDIAN"),
        (replace(sound(), admins={**GRANTED_BY, Role.KEEPER: Role.OWNER}), "KEEPER is granted by OWNER"),
        (replace(sound(), admins={**GRANTED_BY, Role.CURATOR: PUBLIC_ROLE}), "CURATOR is granted by PUBLIC"),
        (replace(sound(), guardians={Role.CURATOR: Role.OWNER}), "what CURATOR schedules is cancelled by OWNER"),
        (with_target(closed=True), "Mandate is closed"),
        (with_target(managed=False), "Mandate does not obey this manager"),
        (with_target(admin_delay_s=0), "rewiring Mandate waits at once of its own"),
        (with_target(contract=""), "is no part of the vault this version knows"),
        (with_target(functions={**WIRED, "unpause": Role.GUARDIAN}), "Mandate.unpause is GUARDIAN's, not CURATOR's"),
        (with_target(functions={**WIRED, "unpause": PUBLIC_ROLE}), "Mandate.unpause is PUBLIC's, not CURATOR's"),
        (with_target(functions={**WIRED, "0xdeadbeef": Role.GUARDIAN}), "Mandate 0xdeadbeef is given to GUARDIAN"),
        (with_target(functions={k: v for k, v in WIRED.items() if k != "pause"}), "Mandate.pause is given to nobody"),
    ],
)  # fmt: skip
def test_every_deviation_is_told(state: AccessState, said: str) -> None:
    assert any(said in deviation for deviation in deviations(state)), deviations(state)


def test_the_table_says_who_may_do_what_and_after_what_delay() -> None:
    rows = {(row.account, row.role): row for row in table(sound())}
    assert rows[OWNER, "OWNER"].after == "3 days"
    assert "grant and revoke CURATOR, GUARDIAN, KEEPER_ADMIN" in rows[OWNER, "OWNER"].may
    assert rows[CURATOR, "CURATOR"].after == "1 day"
    assert rows[CURATOR, "CURATOR"].may.startswith("setTerms, addKeeper, unpause")
    assert "VolatilityOracle.setLimits" in rows[CURATOR, "CURATOR"].may
    assert rows[CURATOR, "GUARDIAN"].after == "at once"
    assert "cancel what CURATOR scheduled" in rows[WATCHER, "GUARDIAN"].may
    assert rows[KEEPER, "KEEPER"].may == "beat; rebalance"
    assert rows[MANDATE_AT, "KEEPER_ADMIN"].may == "grant and revoke KEEPER"
    assert rows["anybody", "PUBLIC"].after == "at once"


def test_the_table_shows_a_change_of_delay_that_waits() -> None:
    state = with_member(OWNER_MEMBER, replace(OWNER_MEMBER, next_delay_s=DAY, next_at=NOW + 9))
    assert table(state)[0].after == f"3 days, 1 day from {NOW + 9}"


def test_what_is_open_to_everybody_is_shown_as_such() -> None:
    state = with_target(functions={**WIRED, "unpause": PUBLIC_ROLE})
    assert table(state)[-1].may.endswith("unpause")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "at once"), (1, "1 seconds"), (60, "1 minute"), (5_400, "90 minutes"), (HOUR, "1 hour"), (2 * DAY, "2 days")],
)  # fmt: skip
def test_delays_are_said_as_people_do(seconds: int, said: str) -> None:
    assert span(seconds) == said


# ---------------------------------------------------------------- the wiring is the contracts'


def listed(function: str) -> set[str]:
    """Names in one of AccessSetup's lists."""
    text = (CONTRACTS / "AccessSetup.sol").read_text()
    body = re.search(rf"function {function}\(\).*?\n    }}", text, flags=re.DOTALL)
    assert body is not None
    return set(re.findall(r"I\w+\.(\w+)\.selector", body[0]))


@pytest.mark.parametrize(
    ("contract", "role", "function"),
    [
        (MANDATE, Role.CURATOR, "curatorFunctions"),
        (MANDATE, Role.GUARDIAN, "guardianFunctions"),
        (MANDATE, Role.KEEPER, "keeperFunctions"),
        (MARKS, Role.CURATOR, "markCuratorFunctions"),
        (MARKS, Role.GUARDIAN, "markGuardianFunctions"),
    ],
)
def test_the_set_up_wires_what_the_table_says(contract: str, role: Role, function: str) -> None:
    assert listed(function) == {name for name, held in WIRING[contract].items() if held == role}


def guarded(file: str, guards: str) -> set[str]:
    """Functions of a source file that carry one of the modifiers."""
    text = re.sub(r"//[^\n]*", "", (CONTRACTS / file).read_text())
    functions = re.findall(r"function (\w+)\([^)]*\)([^{;]*)\{", text)
    return {name for name, qualities in functions if re.search(rf"\b({guards})\b", qualities)}


def test_every_restricted_function_of_the_mandate_has_a_role_and_nothing_else_has() -> None:
    restricted = guarded("Mandate.sol", "restricted")
    # A keeper's beat asks for the role itself.
    assert restricted | {"beat"} == set(WIRING[MANDATE])
    assert "beat" in re.findall(
        r"function (\w+)\(\) external \{\s+_requireKeeper", (CONTRACTS / "Mandate.sol").read_text()
    )


def test_only_the_mandate_answers_to_roles() -> None:
    for file in CONTRACTS.rglob("*.sol"):
        if file.name != "Mandate.sol":
            assert not guarded(str(file.relative_to(CONTRACTS)), "restricted"), file


def test_what_an_owner_or_guardian_may_do_with_marks_has_a_role_but_for_changing_them() -> None:
    owned = guarded("VolatilityLimits.sol", "onlyOwner|onlyGuardianOrOwner")
    assert owned - {"setGuardian"} == set(WIRING[MARKS])
    assert "setGuardian" in owned


def test_role_ids_are_the_contracts() -> None:
    text = (CONTRACTS / "libraries" / "Roles.sol").read_text()
    there = {name: int(number) for name, number in re.findall(r"constant (\w+) = (\d+);", text)}
    assert there == {role.name: role.value for role in Role}
