"""Charts survive every story: no debt, no marks, an unusable price, a single block."""

from collections.abc import Callable
from dataclasses import replace

from keeper.model.units import INFINITE_HEALTH
from keeper.report.charts import PANELS, png_chart, svg_charts
from keeper.report.story import Story

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def test_one_drawing_per_panel_with_a_legend_of_every_kind_of_transaction(
    make_story: Callable[..., Story],
) -> None:
    charts = svg_charts(make_story())
    assert list(charts) == [name for name, _ in PANELS]
    for label in ("deleveraged (1)", "rebalanced (1)", "reverted (1)", "liquidated (1)"):
        assert label in charts["health"]
    assert "oracle update" in charts["price"]
    assert "oracle price unusable" in charts["price"]


def test_picture_is_a_png(make_story: Callable[..., Story]) -> None:
    assert png_chart(make_story()).startswith(PNG_SIGNATURE)


def test_draws_vaults_without_debt(make_story: Callable[..., Story]) -> None:
    story = make_story()
    samples = tuple(
        replace(
            s,
            protected=replace(s.protected, health_wad=INFINITE_HEALTH),
            unprotected=replace(s.unprotected, health_wad=INFINITE_HEALTH),
        )
        for s in story.samples
    )
    assert set(svg_charts(replace(story, samples=samples))) == {"price", "health", "delta", "nav"}


def test_draws_a_single_block(make_story: Callable[..., Story]) -> None:
    story = make_story(marks=())
    assert svg_charts(replace(story, samples=story.samples[:1]))
