"""The page stands alone: nothing is loaded, nothing is scripted, what it shows is escaped."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

from keeper.report.page import render_page
from keeper.report.story import MarkKind, Story, Twin
from keeper.report.summary import summarise


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.endswith(("src", "href")):
                self.references.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def _render(story: Story) -> str:
    return render_page(story, summarise(story, 3.2))


def test_loads_nothing_from_anywhere(make_story: Callable[..., Story]) -> None:
    text = _render(make_story())
    page = _Page(text)
    assert all(r.startswith("#") for r in page.references)
    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"@import|url\((?!#)", text)


def test_has_no_script_and_one_drawing_per_chart(make_story: Callable[..., Story]) -> None:
    page = _Page(_render(make_story()))
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert page.tags.count("svg") == 4


def test_ids_are_unique_and_every_inner_reference_has_its_target(
    make_story: Callable[..., Story],
) -> None:
    text = _render(make_story())
    page = _Page(text)
    inner = re.findall(r"url\(#([^)]+)\)", text) + [r[1:] for r in page.references]
    assert len(page.ids) == len(set(page.ids))
    assert set(inner) <= set(page.ids)


def test_drawings_follow_the_pages_theme(make_story: Callable[..., Story]) -> None:
    drawings = re.findall(r"<svg.*?</svg>", _render(make_story()), flags=re.S)
    assert all("var(--ink)" in d for d in drawings)
    assert not any(re.search(r"#[0-9a-f]{6}\b", d) for d in drawings)


def test_shows_every_action_with_its_reason_escaped(make_story: Callable[..., Story]) -> None:
    text = _render(make_story())
    assert "health 1.31 &lt; low &lt;1.40&gt; &amp; falling" in text
    assert "Actions (5)" in text
    assert "Oracle updates (1)" in text


def test_says_how_to_see_it_again(make_story: Callable[..., Story]) -> None:
    assert "keeper demo --scenario crash --seed 7" in _render(make_story())


def test_says_so_when_the_vault_with_the_keeper_was_liquidated(
    make_story: Callable[..., Story],
) -> None:
    story = make_story()
    lost = tuple(
        replace(m, twin=Twin.PROTECTED) if m.kind is MarkKind.LIQUIDATION else m
        for m in story.marks
    )
    assert "The vault with the keeper was liquidated once." in _render(replace(story, marks=lost))


def test_a_quiet_run_says_that_nothing_had_to_be_done(make_story: Callable[..., Story]) -> None:
    text = _render(make_story(marks=()))
    assert "Neither vault was liquidated." in text
    assert "nothing had to be done" in text


def test_is_the_same_twice(make_story: Callable[..., Story]) -> None:
    assert _render(make_story()) == _render(make_story())
