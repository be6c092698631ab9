"""Weights that keep every constraint, are beaten by nothing that does, and come with the reasons."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant.allocation import (
    Allocation,
    Candidate,
    Goal,
    Infeasible,
    Objective,
    Problem,
    allocate,
    expected_shortfall,
)
from keeper.quant.allocation.infeasible import NOTHING, _elastic
from keeper.quant.allocation.programme import Programme

SCENARIOS = 200


def candidates(seed: int, count: int = 5) -> tuple[Candidate, ...]:
    """Candidates that earn more the more they lose in the same bad days."""
    draw = np.random.default_rng(seed)
    market = draw.standard_t(4, SCENARIOS) * 0.02
    found = []
    for i in range(count):
        beta = draw.uniform(-0.5, 1.5)
        losses = beta * market + draw.normal(0, 0.01, SCENARIOS)
        found.append(
            Candidate(
                f"c{i}",
                float(draw.uniform(0.0, 0.3) + 0.1 * abs(beta)),
                tuple(float(x) for x in losses),
                venue=("aave", "perp", "")[i % 3],
                exposures=(("delta", float(-beta)),),
                collateral=float(draw.uniform(0.5, 1.0)),
                debt=float(draw.uniform(0.0, 0.5)),
            )
        )
    return tuple(found)


LIMITS = Objective(
    es_limit=0.03,
    es_confidence=0.95,
    least_health=1.6,
    most_per_venue=0.40,
    reserve=0.05,
    bands=(("delta", -0.1, 0.1),),
)


def kept(problem: Problem, weights: NDArray[np.float64], slack: float = 1e-7) -> bool:
    """Every constraint, reckoned here and not by the programme."""
    objective, chosen = problem.objective, problem.candidates
    ok = bool((weights >= -slack).all()) and weights.sum() <= 1 - objective.reserve + slack
    ok &= all(c.least - slack <= w <= c.most + slack for c, w in zip(chosen, weights, strict=True))
    if objective.es_limit is not None:
        found = expected_shortfall(problem.losses @ weights, objective.es_confidence)
        ok &= found <= objective.es_limit + slack
    mean = sum(w * c.expected_return for c, w in zip(chosen, weights, strict=True))
    ok &= objective.least_return is None or mean >= objective.least_return - slack
    for venue in {c.venue for c in chosen if c.venue}:
        here = [(w, c) for c, w in zip(chosen, weights, strict=True) if c.venue == venue]
        if objective.most_per_venue is not None:
            ok &= sum(w for w, _ in here) <= objective.most_per_venue + slack
        if objective.least_health is not None:
            debt = sum(w * c.debt for w, c in here) * objective.least_health
            ok &= sum(w * c.collateral for w, c in here) >= debt - slack
    for name, least, most in objective.bands:
        total = sum(
            w * dict(c.exposures).get(name, 0.0) for c, w in zip(chosen, weights, strict=True)
        )
        ok &= least - slack <= total <= most + slack
    return bool(ok)


def weights_of(answer: Allocation) -> NDArray[np.float64]:
    return np.array([w for _, w in answer.weights])


def solved(problem: Problem) -> Allocation:
    answer = allocate(problem)
    assert isinstance(answer, Allocation)
    return answer


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_keeps_every_constraint_and_no_random_mix_that_does_earns_more(seed: int) -> None:
    problem = Problem(candidates(seed), LIMITS)
    answer = solved(problem)
    assert kept(problem, weights_of(answer))
    draw = np.random.default_rng(seed + 1)
    mean = np.array([c.expected_return for c in problem.candidates])
    for _ in range(300):
        other = draw.dirichlet(np.ones(len(mean))) * draw.uniform(0, 1)
        if kept(problem, other, 0.0):
            assert mean @ other <= answer.expected_return + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.9, 0.95, 0.99, 0.973]))
def test_least_risk_is_the_shortfall_of_its_own_losses(seed: int, confidence: float) -> None:
    """Rockafellar and Uryasev's programme reaches what sorting the losses gives."""
    objective = Objective(goal=Goal.RISK, es_confidence=confidence, least_return=0.08)
    problem = Problem(candidates(seed), objective)
    answer = solved(problem)
    programme = Programme(problem)
    assert answer.expected_shortfall == pytest.approx(
        expected_shortfall(problem.losses @ weights_of(answer), confidence), abs=1e-12
    )
    draw = np.random.default_rng(seed)
    for _ in range(100):
        other = draw.dirichlet(np.ones(5)) * draw.uniform(0, 1)
        if kept(problem, other, 0.0):
            found = expected_shortfall(problem.losses @ other, confidence)
            assert found >= (answer.expected_shortfall or 0.0) - 1e-9
    assert programme.scenarios == SCENARIOS


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.005, 0.05), st.floats(0.0, 0.05))
def test_a_wider_limit_never_earns_less(seed: int, limit: float, more: float) -> None:
    tight = solved(Problem(candidates(seed), replace(LIMITS, es_limit=limit)))
    wide = solved(Problem(candidates(seed), replace(LIMITS, es_limit=limit + more)))
    assert wide.expected_return >= tight.expected_return - 1e-9


def test_shadow_prices_are_what_one_unit_more_is_worth() -> None:
    """Against solving again with the bound moved."""
    problem = Problem(candidates(3), replace(LIMITS, es_limit=0.01))
    answer = solved(problem)
    prices = {one.constraint: one for one in answer.binding}
    assert "expected shortfall" in prices
    step = 1e-6
    moved = replace(problem, objective=replace(problem.objective, es_limit=0.01 + step))
    gain = (solved(moved).expected_return - answer.expected_return) / step
    assert prices["expected shortfall"].shadow_price == pytest.approx(gain, rel=1e-3)
    assert prices["expected shortfall"].value == pytest.approx(0.01, abs=1e-9)
    for name, venue in (("at aave", "aave"), ("at perp", "perp")):
        if name in prices:
            here = [
                w
                for (_, w), c in zip(answer.weights, problem.candidates, strict=True)
                if c.venue == venue
            ]
            assert sum(here) == pytest.approx(0.40)


def test_what_does_not_bind_is_not_named() -> None:
    answer = solved(Problem(candidates(3), replace(LIMITS, es_limit=10.0)))
    assert "expected shortfall" not in {one.constraint for one in answer.binding}
    assert all(abs(one.shadow_price) > 0 for one in answer.binding)


def flat(name: str, mean: float, loss: float, **given: object) -> Candidate:
    """A candidate that loses the same in every scenario."""
    return Candidate(name, mean, (loss,) * 100, **given)  # type: ignore[arg-type]


def test_a_hand_sized_problem_comes_out_as_by_hand() -> None:
    """Two candidates: the better one up to its venue's cap, the other up to the shortfall that is left."""
    problem = Problem(
        (
            flat("basis", 0.20, 0.02, venue="perp"),
            flat("calls", 0.10, 0.05),
            flat("lending", 0.04, 0.0, venue="aave"),
        ),
        Objective(es_limit=0.02, es_confidence=0.99, most_per_venue=0.5),
    )
    answer = solved(problem)
    # 0.5 x 0.02 of shortfall for basis leaves 0.01: 0.2 of calls; the rest is lent.
    assert dict(answer.weights) == pytest.approx({"basis": 0.5, "calls": 0.2, "lending": 0.3})
    prices = {one.constraint: one.shadow_price for one in answer.binding}
    # One more shortfall moves 20 of lending into calls: 20 x 0.06.
    assert prices["expected shortfall"] == pytest.approx(1.2)
    assert prices["invested"] == pytest.approx(0.04)
    # One more of basis costs its shortfall and its place.
    assert prices["at perp"] == pytest.approx(0.20 - 0.04 - 0.02 * 1.2)


def test_health_is_kept_at_each_venue_for_itself() -> None:
    levered = flat("loop", 0.3, 0.0, venue="aave", collateral=1.6, debt=1.2)
    safe = flat("lend", 0.02, 0.0, venue="aave", collateral=0.8)
    elsewhere = flat("other", 0.02, 0.0, venue="morpho", collateral=8.0)
    problem = Problem((levered, safe, elsewhere), Objective(least_health=1.6))
    answer = solved(problem)
    w = dict(answer.weights)
    assert 1.6 * w["loop"] + 0.8 * w["lend"] == pytest.approx(1.6 * 1.2 * w["loop"])
    assert w["loop"] == pytest.approx(1 / 1.4)
    assert {one.constraint for one in answer.binding} >= {"health at aave", "invested"}


def test_the_cost_of_changing_keeps_small_gains_where_they_are() -> None:
    old = flat("old", 0.050, 0.0, held=1.0, cost=0.002)
    new = flat("new", 0.053, 0.0, cost=0.002)
    stays = solved(Problem((old, new)))
    assert dict(stays.weights) == pytest.approx({"old": 1.0, "new": 0.0})
    assert stays.cost == 0.0
    moves = solved(Problem((old, replace(new, expected_return=0.055))))
    assert dict(moves.weights) == pytest.approx({"old": 0.0, "new": 1.0})
    assert moves.cost == pytest.approx(0.004)


def test_turnover_is_bounded() -> None:
    old = flat("old", 0.01, 0.0, held=1.0)
    new = flat("new", 0.10, 0.0)
    answer = solved(Problem((old, new), Objective(most_turnover=0.5)))
    assert dict(answer.weights) == pytest.approx({"old": 0.75, "new": 0.25})


def test_delta_neutral_mixes_what_alone_is_not() -> None:
    long = flat("long", 0.10, 0.0, exposures=(("delta", 1.0),))
    short = flat("short", 0.02, 0.0, exposures=(("delta", -1.0),))
    answer = solved(Problem((long, short), Objective(bands=(("delta", -0.02, 0.02),))))
    assert dict(answer.exposures)["delta"] == pytest.approx(0.02)
    assert {one.constraint for one in answer.binding} == {"invested", "most delta"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_choosing_is_as_good_as_the_best_of_all_choices(seed: int) -> None:
    """Integers against every pair tried one after the other."""
    found = candidates(seed)
    objective = replace(LIMITS, most_chosen=2, least_weight=0.1)
    answer = solved(Problem(found, objective))
    chosen = [(name, w) for name, w in answer.weights if w > 0]
    assert len(chosen) <= 2
    assert all(w >= 0.1 - 1e-9 for _, w in chosen)
    best = 0.0
    for size in (1, 2):
        for some in combinations(found, size):
            bound = tuple(replace(c, least=0.1) for c in some)
            tried = allocate(Problem(bound, LIMITS))
            best = max(best, tried.expected_return if isinstance(tried, Allocation) else 0.0)
    assert answer.expected_return == pytest.approx(best, abs=1e-7)


# When it cannot be


def infeasible(problem: Problem) -> Infeasible:
    answer = allocate(problem)
    assert isinstance(answer, Infeasible)
    return answer


def test_says_which_constraints_exclude_each_other_and_nothing_else() -> None:
    problem = Problem(
        (flat("calls", 0.10, 0.05, venue="a"), flat("puts", 0.12, 0.04, venue="b")),
        Objective(es_limit=0.01, least_return=0.08, most_per_venue=0.9, reserve=0.02),
    )
    answer = infeasible(problem)
    assert set(answer.conflict) == {"expected shortfall", "return"}
    (gives,) = answer.relaxation
    # By puts alone: 0.08 / 0.12 of them lose 0.0267, or 0.25 of them return 0.03, which is relatively less to give.
    assert gives.constraint == "return"
    assert gives.bound == 0.08
    assert gives.needed == pytest.approx(0.03)


def test_a_promise_to_hold_more_than_there_is() -> None:
    problem = Problem((flat("a", 0.1, 0.0, least=0.7), flat("b", 0.1, 0.0, least=0.6)))
    answer = infeasible(problem)
    assert set(answer.conflict) == {"invested", "least a", "least b"}
    assert sum(abs(one.needed - one.bound) for one in answer.relaxation) == pytest.approx(0.3)


def test_what_gives_in_makes_it_possible() -> None:
    """Relaxing exactly the named bounds by what they need, and no less, is enough."""
    tight = replace(LIMITS, es_limit=0.002, least_return=0.2)
    problem = Problem(candidates(11), tight)
    answer = infeasible(problem)
    needed = {one.constraint: one.needed for one in answer.relaxation}
    slack = 1e-6
    gives = replace(
        tight,
        es_limit=needed.get("expected shortfall", 0.002) + slack,
        least_return=needed.get("return", 0.2) - slack,
    )
    assert set(needed) <= {"expected shortfall", "return"}
    assert isinstance(allocate(replace(problem, objective=gives)), Allocation)
    half = replace(
        tight,
        es_limit=(0.002 + gives.es_limit) / 2 if gives.es_limit else None,
        least_return=(0.2 + gives.least_return) / 2 if gives.least_return else None,
    )
    assert isinstance(allocate(replace(problem, objective=half)), Infeasible)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.6), st.booleans())
def test_a_conflict_is_irreducible(seed: int, least_return: float, discrete: bool) -> None:
    """What is named excludes itself; without any one of it the others can all be met."""
    objective = replace(LIMITS, es_limit=0.002, least_return=least_return, reserve=0.3)
    objective = replace(objective, most_chosen=1 if discrete else None)
    programme = Programme(Problem(candidates(seed), objective))
    answer = allocate(programme.problem)
    if isinstance(answer, Allocation):
        return
    rows = tuple(row for row in programme.rows if row.name in answer.conflict)
    assert max(_elastic(programme, rows)) > NOTHING
    for row in rows:
        rest = tuple(other for other in rows if other is not row)
        assert max(_elastic(programme, rest), default=0.0) <= NOTHING


# What is refused


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Problem(()), "none"),
        (lambda: Problem((flat("a", 0, 0), flat("a", 0, 0))), "one name"),
        (lambda: Problem((flat("a", 0, 0), Candidate("b", 0.0, (0.0,)))), "scenarios"),
        (lambda: Candidate("a", float("nan"), ()), "finite"),
        (lambda: Candidate("a", 0.1, (float("inf"),)), "finite"),
        (lambda: Candidate("a", 0.1, (), least=0.5, most=0.4), "weights from"),
        (lambda: Candidate("a", 0.1, (), cost=-1.0), "negative"),
        (lambda: Objective(es_confidence=1.0), "not in"),
        (lambda: Objective(least_health=0.9), "under 1"),
        (lambda: Objective(bands=(("delta", 1, -1),)), "least <= most"),
        (lambda: Objective(es_limit=-0.1), "negative"),
        (lambda: Objective(reserve=2), "not in"),
        (lambda: Objective(most_chosen=-1), "negative"),
        (
            lambda: Problem((Candidate("a", 0.1, (0.1,) * 50),), Objective(es_limit=0.1)),
            "beyond the confidence",
        ),
    ],
)
def test_refuses_what_makes_no_problem(make: object, says: str) -> None:
    with pytest.raises(QuantityError, match=says):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("confidence", "want"),
    [(0.5, 3.5), (0.75, 4.0), (0.9, 4.0), (0.6, (4 + 0.6 * 3) / 1.6)],
)
def test_shortfall_counts_the_edge_in_part(confidence: float, want: float) -> None:
    """Of 1, 2, 3, 4: the worst 1.6 at 60 % are 4 and 0.6 of 3."""
    assert expected_shortfall([4, 1, 3, 2], confidence) == pytest.approx(want)
