"""The steps of a deployment: in order, complete, in units the contracts take."""

from decimal import Decimal

import pytest

from keeper.deployment.plan import (
    MANAGER,
    Create,
    Decimals,
    Ref,
    amount_problems,
    price_oracle,
    resolve,
    settlement_oracle,
    steps,
    terms,
    vault,
    volatility_oracle,
)
from keeper.model.address import ZERO_ADDRESS
from tests.unit.deployment.test_violations import DESK, GOOD, changed

DECIMALS = Decimals(asset=6, base_feed=8, quote_feed=8)


def refs(value: object) -> set[str]:
    if isinstance(value, Ref):
        return {value.name}
    if isinstance(value, dict):
        return set().union(*(refs(inner) for inner in value.values())) if value else set()
    if isinstance(value, tuple):
        return set().union(*(refs(inner) for inner in value)) if value else set()
    return set()


@pytest.mark.parametrize("parameters", [GOOD, DESK], ids=["plain", "with options"])
def test_a_step_needs_only_what_earlier_steps_made(parameters: object) -> None:
    there = {"asset"}
    for step in steps(DESK if parameters is DESK else GOOD, DECIMALS):
        needed = refs(step.arguments) | (set() if isinstance(step, Create) else {step.target.name})
        assert needed <= there, step.name
        there |= {step.name} | ({MANAGER} if step.name == "AccessSetup" else set())


def test_roles_are_handed_over_last_and_the_vault_opens_just_before() -> None:
    assert [step.name for step in steps(DESK, DECIMALS)][-3:] == [
        "seed approved",
        "venues bound",
        "roles handed over",
    ]


def test_without_options_there_is_no_desk() -> None:
    names = {step.name for step in steps(GOOD, DECIMALS)}
    assert not names & {"OptionDesk", "OptionBook", "OptionAuction", "VolatilityOracle"}
    calls = {step.name: step for step in steps(GOOD, DECIMALS)}
    assert calls["venues bound"].arguments[-1] == ZERO_ADDRESS
    assert calls["roles handed over"].arguments[1] == ZERO_ADDRESS


def test_a_lens_that_is_given_is_not_deployed() -> None:
    given = changed(GOOD, lens=GOOD.vault.asset)
    assert "VaultLens" not in {step.name for step in steps(given, DECIMALS)}


def test_only_what_needs_nothing_can_be_tried_alone() -> None:
    for step in steps(DESK, DECIMALS):
        if isinstance(step, Create) and step.standalone and step.name != "VolatilityOracle":
            assert refs(step.arguments) == set()


def test_marks_belong_to_the_manager_so_that_its_delays_hold() -> None:
    setup = volatility_oracle(DESK)[0]
    assert setup["owner"] == setup["guardian"] == Ref(MANAGER)


def test_amounts_are_in_units_of_their_token_and_feed() -> None:
    assert vault(GOOD, 6)["policy"] == {"cap": 10**12, "minimum": 10**8, "allowListed": False}
    assert terms(GOOD, 6)["emergency"]["maxBounty"] == 500 * 10**6
    assert terms(GOOD, 6)["limits"]["minHealthWad"] == 125 * 10**16
    assert price_oracle(GOOD, DECIMALS)["quoteMinAnswer"] == 5 * 10**7
    assert settlement_oracle(DESK, DECIMALS)["baseMaxAnswer"] == 10**13
    assert {s.name: s for s in steps(GOOD, DECIMALS)}["seed approved"].arguments[1] == 10**6


def test_amounts_keep_every_digit() -> None:
    cap = Decimal("123456789012345678901.123456789012345678")
    policy = vault(changed(GOOD, deposits__cap=cap), 18)["policy"]
    assert policy["cap"] == 123456789012345678901123456789012345678


def test_amounts_that_do_not_fit_their_units_are_refused() -> None:
    assert amount_problems(DESK, DECIMALS) == ()
    odd = changed(
        GOOD,
        deposits__cap=Decimal(10**33),
        deposits__minimum=Decimal("0.0000001"),
        oracle__quote__min_answer=Decimal("0.500000001"),
    )
    assert amount_problems(odd, DECIMALS) == (
        "deposits.cap: 1000000000000000000000000000000000 does not fit into 128 bits",
        "deposits.minimum: 0.0000001 has more than 6 decimals",
        "oracle.quote.min_answer: 0.500000001 has more than 8 decimals",
    )


def test_references_are_resolved_however_deep() -> None:
    addresses = {"Vault": "0x1", "Mandate": "0x2"}
    value = ({"a": Ref("Vault"), "b": (Ref("Mandate"), 3)}, "text")
    assert resolve(value, addresses) == ({"a": "0x1", "b": ("0x2", 3)}, "text")
    with pytest.raises(KeyError):
        resolve(Ref("nothing"), addresses)
