"""Failures travel along dependences, cycles and all, and cost no more than there is."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.exposure import Dependence
from keeper.model.risk_report import FailureCost, FullReport
from keeper.risk.contagion import severities
from keeper.risk.deep import assess_deep
from tests.builders import make_market, make_readings
from tests.unit.risk.books import inputs, series, with_options

NODES = st.sampled_from("abcdef")
EDGES = st.lists(st.builds(Dependence, NODES, NODES, st.floats(0, 1)), max_size=20)


def by_node(found: FullReport) -> dict[str, FailureCost]:
    return {f.node: f for f in found.contagion}


def test_severity_is_the_heaviest_path() -> None:
    edges = [
        Dependence("a", "b", 0.5),
        Dependence("b", "c", 0.5),
        Dependence("a", "c", 0.2),
    ]
    found = severities("a", edges)
    assert found["c"] == (0.25, ("a", "b", "c"))


def test_a_cycle_ends() -> None:
    edges = [Dependence("a", "b", 1.0), Dependence("b", "a", 1.0), Dependence("b", "b", 1.0)]
    assert {n: s for n, (s, _) in severities("a", edges).items()} == {"a": 1.0, "b": 1.0}


@given(edges=EDGES)
def test_severities_are_parts_and_paths_are_real(edges: list[Dependence]) -> None:
    known = {(d.upstream, d.downstream) for d in edges}
    for severity, path in severities("a", edges).values():
        assert 0.0 < severity <= 1.0
        assert len(set(path)) == len(path)
        assert all(step in known for step in itertools.pairwise(path))


@given(edges=EDGES, more=st.builds(Dependence, NODES, NODES, st.floats(0, 1)))
def test_another_dependence_never_makes_a_failure_cheaper(
    edges: list[Dependence], more: Dependence
) -> None:
    before, after = severities("a", edges), severities("a", [*edges, more])
    assert all(after[node][0] >= severity for node, (severity, _) in before.items())


def test_a_feed_reaches_the_lender_through_the_oracle() -> None:
    found = by_node(assess_deep(make_market(), inputs()))["feed:base"]
    assert found.direct == 0.0
    assert found.chain == ("feed:base", "oracle", "lending")
    assert found.total == pytest.approx(100_000.0)


def test_a_venues_failure_takes_its_net_value_and_no_more() -> None:
    found = by_node(assess_deep(make_market(make_readings(idle_asset=500_000)), inputs()))
    assert found["lending"].total == pytest.approx(1_000_000.0)
    assert found["lending"].share_of_nav == pytest.approx(1_000_000 / 1_500_000)


def test_a_depeg_costs_who_holds_dollars_and_not_who_owes_them() -> None:
    lender = make_readings(supplied_base=0, supplied_asset=1e6, debt_asset=0)
    held, owed = (
        by_node(assess_deep(make_market(r), inputs()))["asset"] for r in (lender, make_readings())
    )
    assert held.direct == pytest.approx(100_000.0, rel=0.01)
    assert owed.direct == 0.0


def test_a_wrong_settlement_price_may_take_all_collateral_of_options() -> None:
    found = by_node(assess_deep(make_market(with_options(series())), inputs()))
    assert ("options", 1.0) in {(s.name, s.amount) for s in found["oracle"].reaches}
    assert found["oracle"].total > by_node(assess_deep(make_market(), inputs()))["oracle"].total


def test_given_dependences_lengthen_the_chain() -> None:
    more = (Dependence("cloud", "feed:base", 1.0), Dependence("lending", "cloud", 0.1))
    found = by_node(assess_deep(make_market(), inputs(dependences=more)))
    assert found["cloud"].chain == ("cloud", "feed:base", "oracle", "lending")
    assert found["cloud"].total == pytest.approx(100_000.0)


def test_no_failure_costs_more_than_nav() -> None:
    found = assess_deep(make_market(with_options(series(sold=500))), inputs())
    assert found.nav is not None
    assert all(f.direct <= f.total <= found.nav for f in found.contagion)
    assert [f.total for f in found.contagion] == sorted((f.total for f in found.contagion), reverse=True)  # fmt: skip
