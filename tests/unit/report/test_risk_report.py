"""The risk report on paper: JSON that its schema describes, words, and a page that stands alone."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from keeper.model.exposure import MarginVenue
from keeper.model.risk_report import SCHEMA, FullReport, Measure, ModuleResult, Standing
from keeper.report.risk_json import plain, risk_json
from keeper.report.risk_page import risk_page
from keeper.report.risk_plots import risk_plots
from keeper.report.risk_schema import risk_schema, risk_schema_text
from keeper.report.risk_text import chance, sections, years
from keeper.risk.deep import assess_deep, with_modules
from tests.builders import make_market, make_readings
from tests.unit.report.schema_check import faults
from tests.unit.risk.books import BTC, cash, inputs, perpetual, series, with_options

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def rich() -> FullReport:
    readings = with_options(series(), series("2", strike=1_800, is_call=False, fault=4))
    given = inputs(
        underlyings=(BTC,),
        exposures=(cash(40_000.0, "perps"), perpetual(), perpetual("btc", underlying="btc")),
        margin_venues=(MarginVenue("perps", 0.05),),
        residuals=tuple((i % 41 - 20) / 10 for i in range(500)),
    )
    report = assess_deep(make_market(readings, faults=("<b>a fault & more</b>",)), given)
    said = ModuleResult("third", Standing.BREACH, "<i>no</i>", (Measure("x", 1.0, "y"),), "")
    return with_modules(report, (said,))


def blind() -> FullReport:
    return assess_deep(make_market(make_readings(price=0)), inputs(None))


def empty() -> FullReport:
    return assess_deep(make_market(make_readings(supplied_base=0, debt_asset=0)), inputs())


def under_water() -> FullReport:
    return assess_deep(make_market(make_readings(price=900)), inputs())


def test_the_schema_describes_every_report(rich: FullReport) -> None:
    schema = risk_schema()
    for report in (rich, blind(), empty(), under_water()):
        assert faults(json.loads(risk_json(report)), schema, schema) == []


def test_the_schema_refuses_what_is_not_a_report(rich: FullReport) -> None:
    schema = risk_schema()
    changes: tuple[dict[str, object], ...] = (
        {"nav": "1"}, {"schema": "gimbal.risk/0"}, {"standing": "fine"}, {"more": 1},
        {"limits": [{}]}, {"problems": [1]}, {"block_number": 1.5},
    )  # fmt: skip
    for change in changes:
        assert faults(json.loads(risk_json(rich)) | change, schema, schema)


def test_the_schema_in_the_docs_is_the_one_of_the_types() -> None:
    kept = (ROOT / "docs" / "risk-report.schema.json").read_text(encoding="utf-8")
    assert kept == risk_schema_text(), "run: keeper risk --schema > docs/risk-report.schema.json"
    assert SCHEMA in kept


def test_every_field_of_the_schema_that_needs_it_says_what_it_means() -> None:
    described = risk_schema()["$defs"]["GreekSet"]["properties"]
    assert described["theta"]["description"] == "Assets a year: decay, interest and funding."


def test_json_is_stable_and_holds_nothing_that_is_not_json(rich: FullReport) -> None:
    assert risk_json(rich) == risk_json(rich)
    json.loads(risk_json(rich), parse_constant=pytest.fail)
    assert plain((1.0, float("nan"), float("inf"), Standing.OK)) == [1.0, None, None, "ok"]


def test_the_words_name_every_limit_failure_and_position(rich: FullReport) -> None:
    text = "\n".join(" ".join(row) for part in sections(rich) for row in part.rows)
    for name in (
        *(v.limit for v in rich.limits),
        *(f.node for f in rich.contagion),
        *(p.id for p in rich.positions),
        *(s.name for s in rich.scenarios),
        "third",
    ):
        assert name in text


def test_what_is_not_known_is_called_unknown_and_not_zero() -> None:
    text = "\n".join(" ".join(row) for part in sections(blind()) for row in part.rows)
    assert "unknown" in text
    assert "nan" not in text.lower().split()
    assert chance(None) == "unknown"
    assert chance(0.0) == "< 1e-300"
    assert (years(2.0), years(1 / 365), years(None)) == (
        "2.0 years",
        "1.0 days",
        "never or unknown",
    )


class _Tags(HTMLParser):
    """Unclosed and outside references."""

    void = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)
        self.outside += [
            v for k, v in attrs if k in {"src", "href"} and v and not v.startswith("#")
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [
            v for k, v in attrs if k in {"src", "href"} and v and not v.startswith("#")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_is_well_formed(rich: FullReport) -> None:
    page = risk_page(rich)
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.outside == []
    assert "<script" not in page
    assert "<b>a fault" not in page
    assert "<i>no</i>" not in page
    assert "&lt;i&gt;no&lt;/i&gt;" in page
    assert page == risk_page(rich)


def test_all_four_plots_are_drawn_where_there_is_something_to_draw(rich: FullReport) -> None:
    assert list(risk_plots(rich)) == ["payoff", "greeks", "heat", "losses"]
    assert risk_plots(blind()) == {}
    assert "heat" not in risk_plots(empty())


def test_plots_take_their_colours_from_the_page(rich: FullReport) -> None:
    """A fixed colour would be unreadable on the other theme; black is matplotlib's default for none."""
    for svg in risk_plots(rich).values():
        assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= {"#000000"}
        assert "var(--" in svg


def test_ids_of_plots_do_not_clash(rich: FullReport) -> None:
    ids = re.findall(r'\bid="([^"]+)"', risk_page(rich))
    assert len(ids) == len(set(ids))


def test_a_page_of_a_vault_without_price_says_why() -> None:
    page = risk_page(blind())
    assert "NAV is not known" in page
    assert "nothing is valued" in page


def test_the_page_names_tokens_as_they_are_called(rich: FullReport) -> None:
    page = risk_page(replace(rich, modules=()), "USDC", "WETH")
    assert "price of WETH in USDC" in page
