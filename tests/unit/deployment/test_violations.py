"""Hard bounds: each end is taken, one beyond is refused by name, and all that is wrong is told at once."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from keeper.deployment.bounds import (
    BOUNDS,
    CONSTANTS,
    DESK_BOUNDS,
    DESK_CONSTANTS,
    MARK_BOUNDS,
    SEQUENCER_BOUNDS,
    Bound,
)
from keeper.deployment.parameters import Parameters, parse
from keeper.deployment.violations import violations
from tests.unit.deployment.test_parameters import EXAMPLES, PLAIN, WITH_OPTIONS

GOOD = parse(PLAIN, "f")
ON_A_ROLLUP = f'{WITH_OPTIONS}\n[oracle.sequencer]\nfeed = "0x{7:040x}"\ngrace_s = 3_600\n'
DESK = parse(ON_A_ROLLUP, "f")
assert DESK.volatility is not None
DESK_MARKS = DESK.volatility.marks


def changed(p: Parameters, **fields: Any) -> Parameters:
    """With `table__field=value` replaced."""
    for path, value in fields.items():
        *tables, name = path.split("__")
        nodes = [p]
        for table in tables:
            nodes.append(getattr(nodes[-1], table))
        new: Any = nodes[-1].model_copy(update={name: value})
        for table, node in zip(reversed(tables), reversed(nodes[:-1]), strict=True):
            new = node.model_copy(update={table: new})
        p = new
    return p


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_within_all_bounds(path: Path) -> None:
    assert violations(parse(path.read_text(), str(path))) == ()


def ends() -> Iterator[Any]:
    for bound in BOUNDS + CONSTANTS + DESK_BOUNDS + DESK_CONSTANTS + SEQUENCER_BOUNDS:
        for end, step in ((bound.least, -1), (bound.most, 1)):
            if end is not None:
                yield pytest.param(bound, end, step, id=f"{bound.field}{'<' if step < 0 else '>'}")


def at(bound: Bound, value: int) -> Parameters:
    scaled: Any = Decimal(value) / bound.unit if bound.unit != 1 else value
    return changed(DESK, **{bound.field.replace(".", "__"): scaled})


@pytest.mark.parametrize(("bound", "end", "step"), list(ends()))
def test_an_end_is_taken_and_one_beyond_is_refused(bound: Bound, end: int, step: int) -> None:
    def own(p: Parameters) -> list[str]:
        return [v for v in violations(p) if v.startswith(f"{bound.field}:") and bound.contract in v]

    assert own(at(bound, end)) == []
    beyond = own(at(bound, end + step))
    assert len(beyond) == 1
    assert ("below" if step < 0 else "above") in beyond[0]
    assert bound.parameter in beyond[0]


@pytest.mark.parametrize("bound", MARK_BOUNDS, ids=lambda b: b.field)
def test_every_mark_is_held_to_its_bounds(bound: Bound) -> None:
    mark = DESK_MARKS[1]
    for value in (bound.least, bound.most):
        if value is None:
            continue
        step = -1 if value == bound.least else 1
        if bound.field == "skew_bps" and value == 0:
            continue  # a magnitude has no lower end
        for given, fits in ((value, True), (value + step, False)):
            marks = (DESK_MARKS[0], mark.model_copy(update={bound.field: given}))
            found = [
                v
                for v in violations(changed(DESK, volatility__marks=marks))
                if v.startswith(f"volatility.marks.1.{bound.field}")
            ]
            assert (found == []) == fits


@pytest.mark.parametrize("skew", [-7_001, 7_001])
def test_skew_is_bounded_on_both_sides(skew: int) -> None:
    marks = (DESK_MARKS[0].model_copy(update={"skew_bps": skew}),)
    assert "skew_bps" in violations(changed(DESK, volatility__marks=marks))[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"oracle__base__min_answer": Decimal(0)}, "oracle.base.min_answer: is 0"),
        ({"oracle__base__max_answer": Decimal(59)}, "oracle.base.max_answer: 59 is not in 1.2 to"),
        ({"oracle__quote__max_answer": Decimal(500_001)}, "oracle.quote.max_answer: 500001 is not in 1.2"),
        (
            {"roles__curator_delay_s": 259_201},
            "roles.owner_delay_s: 259200 is below curator_delay_s, 259201",
        ),
        ({"emergency__emergency_health": Decimal("1.26")}, "anybody could soon sell what a keeper may hold"),
        (
            {"emergency__emergency_health": Decimal("1.245000000000000001")},
            "emergency.emergency_health: 1.245000000000000001 is not 0.005 under limits.min_health, 1.25",
        ),
        ({"emergency__critical_health": Decimal("1.13")}, "emergency.critical_health: 1.13 is above"),
        ({"options__min_tenor_s": 2_678_401}, "options.min_tenor_s: 2678401 is above max_tenor_s"),
        ({"options__min_delta_bps": 3_501}, "options.min_delta_bps: 3501 is above max_delta_bps"),
        ({"options__min_bid_bps": 5_001}, "options.min_bid_bps: 5001 is above max_bid_bps"),
        ({"settlement": None}, "volatility, settlement: an option desk needs both tables"),
        ({"settlement": None, "volatility": None}, "options.max_series: is 4 without the tables"),
        ({"vault__base": DESK.vault.asset}, "vault.base: is the asset"),
        ({"deposits__minimum": Decimal(1_000_001)}, "deposits.minimum: 1000001 is above cap"),
        ({"fees__management_bps": 1}, "fees.recipient: is missing"),
        ({"roles__guardian": DESK.roles.owner}, "roles.guardian: is the owner"),
        ({"roles__guardian": DESK.roles.curator}, "roles.guardian: is the curator"),
        ({"roles__keepers": (DESK.roles.guardian,)}, "roles.keepers.0: is the guardian"),
        ({"roles__keepers": DESK.roles.keepers * 2}, "roles.keepers.1: is there twice"),
        ({"volatility__poster": DESK.roles.owner}, "volatility.poster: is the owner"),
        ({"volatility__slack_s": 901}, "volatility.slack_s: 901 is above 900"),
        ({"volatility__min_returns": 41}, "volatility.min_returns: 41 is below 42"),
        ({"volatility__min_returns": 169}, "volatility.min_returns: 169 is above 168"),
        ({"volatility__max_observation_age_s": 4_199}, "volatility.max_observation_age_s: 4199 is below"),
        ({"volatility__expire_age_s": 7_200}, "volatility.expire_age_s: 7200 is below 7201"),
        ({"volatility__stale_half_spread_bps": 299}, "volatility.stale_half_spread_bps: 299 is below"),
        ({"volatility__marks": ()}, "volatility.marks: 0 is below 1"),
        ({"volatility__marks": DESK_MARKS * 5}, "volatility.marks: 10 is above 8"),
        ({"volatility__marks": DESK_MARKS[::-1]}, "volatility.marks.1.tenor_s: 604800 is below"),
        ({"limits__min_health": Decimal("1.2500000000000000001")}, "has more than 18 decimals"),
    ],
)  # fmt: skip
def test_what_parameters_do_to_one_another_is_checked(change: dict[str, Any], said: str) -> None:
    assert violations(DESK) == ()
    assert any(said in violation for violation in violations(changed(DESK, **change)))


def test_an_emergency_may_be_just_its_margin_under_the_minimum() -> None:
    at_margin = changed(DESK, emergency__emergency_health=Decimal("1.245"))
    assert violations(at_margin) == ()


def test_every_violation_is_listed() -> None:
    worst = changed(
        GOOD,
        limits__min_health=Decimal("1.0"),
        limits__max_loss_bps=501,
        roles__curator_delay_s=3_599,
        vault__epoch_length_s=0,
    )
    fields = [violation.split(":")[0] for violation in violations(worst)]
    assert fields == [
        "limits.min_health",
        "limits.max_loss_bps",
        "vault.epoch_length_s",
        "roles.curator_delay_s",
        "emergency.emergency_health",
    ]
