"""Charts of a story, drawn without a display: SVG for the page, PNG for the README."""

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from keeper.report.story import BlockSample, MarkKind, Story, Twin
from keeper.report.theme import LIGHT, to_css_roles

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gimbal",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": LIGHT["grid"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.8,
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "legend.frameon": False,
    "legend.fontsize": 8.2,
    "lines.linewidth": 1.6,
}

_LABELS = {Twin.PROTECTED: "with the keeper", Twin.UNPROTECTED: "left alone"}


@dataclass(frozen=True, slots=True)
class _Glyph:
    """How one kind of transaction is drawn."""

    label: str
    marker: str
    colour: str
    size: float


_GLYPHS: dict[MarkKind, _Glyph] = {
    MarkKind.DELEVERAGE: _Glyph("deleveraged", "^", "protected", 48),
    MarkKind.REBALANCE: _Glyph("rebalanced", "o", "rebalance", 34),
    MarkKind.UPKEEP: _Glyph("beat or settled", "d", "rebalance", 20),
    MarkKind.FAILED: _Glyph("reverted", "s", "danger", 34),
    MarkKind.LIQUIDATION: _Glyph("liquidated", "X", "danger", 64),
    MarkKind.ORACLE: _Glyph("oracle update", "|", "oracle", 26),
}


class _Time:
    """The horizontal axis: chain time since the first sample in the unit that reads best."""

    def __init__(self, story: Story) -> None:
        span = story.samples[-1].elapsed_s
        self.unit, self.seconds = ("hours", 3600.0) if span >= 3 * 3600 else ("minutes", 60.0)

    def of(self, samples: Iterable[BlockSample]) -> list[float]:
        return [s.elapsed_s / self.seconds for s in samples]

    def at(self, elapsed_s: int) -> float:
        return elapsed_s / self.seconds


def price_panel(axes: Axes, story: Story, time: _Time) -> None:
    """Market and oracle price; oracle updates as ticks at the foot."""
    xs = time.of(story.samples)
    axes.plot(xs, [s.market_price for s in story.samples], color=LIGHT["market"], label="market")
    axes.step(
        xs,
        [s.oracle_price for s in story.samples],
        where="post",
        color=LIGHT["oracle"],
        label="oracle",
        linewidth=1.3,
    )
    updates = [time.at(m.elapsed_s) for m in story.marks if m.kind is MarkKind.ORACLE]
    if updates:
        glyph = _GLYPHS[MarkKind.ORACLE]
        axes.scatter(
            updates,
            [0.015] * len(updates),
            marker="|",
            s=glyph.size,
            linewidths=0.8,
            color=LIGHT[glyph.colour],
            transform=axes.get_xaxis_transform(),
            label=glyph.label,
        )
    _shade_unusable(axes, story, time)
    axes.set_ylabel(f"{story.base} in {story.asset}")
    _mark(axes, story, time, lambda s, _: s.oracle_price)


def health_panel(axes: Axes, story: Story, time: _Time) -> None:
    """Health of both with the liquidation line at 1 and the strategy's band."""
    band = story.band
    axes.axhspan(band.low, band.high, color=LIGHT["band"], alpha=0.10, linewidth=0)
    axes.axhline(
        band.target,
        color=LIGHT["band"],
        linewidth=0.8,
        linestyle=(0, (4, 3)),
        label="target, band",
    )
    axes.axhline(1.0, color=LIGHT["danger"], linewidth=1.1, label="liquidation at 1")
    tops = [band.high, 1.0]
    for twin in (Twin.UNPROTECTED, Twin.PROTECTED):
        ys = [s.of(twin).health for s in story.samples]
        axes.plot(
            time.of(story.samples),
            [float("nan") if y is None else y for y in ys],
            color=LIGHT[twin.value],
            label=_LABELS[twin],
        )
        tops += [y for y in ys if y is not None]
    axes.set_ylabel("health")
    low = min([*tops, 1.0])
    # A vault whose debt is nearly all repaid has a health in the hundreds; the story is near 1.
    high = min(max(tops), max(2.5, band.high * 1.5))
    axes.set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low))
    _mark(axes, story, time, lambda s, twin: min(s.of(twin).health or high, high))


def delta_panel(axes: Axes, story: Story, time: _Time) -> None:
    """Net base exposure of both."""
    _two_lines(axes, story, time, lambda s, twin: s.of(twin).net_delta / 10**story.base_decimals)
    axes.set_ylabel(f"delta, {story.base}")


def nav_panel(axes: Axes, story: Story, time: _Time) -> None:
    """Net asset value of both at oracle price; gaps where that price is unusable."""

    def nav(sample: BlockSample, twin: Twin) -> float:
        value = sample.of(twin).nav
        return float("nan") if value is None else value / 10**story.asset_decimals

    _two_lines(axes, story, time, nav)
    axes.set_ylabel(f"NAV, {story.asset}")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))


Panel = Callable[[Axes, Story, _Time], None]

PANELS: tuple[tuple[str, Panel], ...] = (
    ("price", price_panel),
    ("health", health_panel),
    ("delta", delta_panel),
    ("nav", nav_panel),
)
"""Name and drawing function of each chart, in the order to show."""


def svg_charts(story: Story) -> dict[str, str]:
    """One inline SVG per panel, by name, without metadata, outside reference or fixed colour."""
    return {name: _svg(name, panel, story) for name, panel in PANELS}


def png_chart(story: Story) -> bytes:
    """The main chart as a picture: price, health and NAV over the same time."""
    chosen = [(name, panel) for name, panel in PANELS if name != "delta"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 8.2), dpi=110, facecolor=LIGHT["paper"], layout="constrained")
        grid = figure.subplots(len(chosen), 1, sharex=True, height_ratios=[1.0, 1.25, 1.0])
        time = _Time(story)
        for axes, (_, panel) in zip(grid, chosen, strict=True):
            _draw(axes, panel, story, time)
        grid[-1].set_xlabel(f"{time.unit} from the start")
        for axes in grid[:-1]:
            axes.set_xlabel("")
        title = f"Two equal vaults, one keeper: {story.period or story.scenario}"
        figure.suptitle(title, fontsize=12, x=0.01, ha="left")
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
        return out.getvalue()


def _draw(axes: Axes, panel: Panel, story: Story, time: _Time) -> None:
    panel(axes, story, time)
    axes.set_xlabel(f"{time.unit} from the start")
    axes.margins(x=0.01)
    axes.set_title(" ", fontsize=9)  # keeps the legend's line free
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 3, 5, 6, 10]))
    axes.tick_params(length=0)
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=9,
        borderaxespad=0.2,
        handlelength=1.1,
        handletextpad=0.4,
        columnspacing=0.9,
    )
    # The layout would otherwise narrow every panel to fit the widest legend.
    legend.set_in_layout(False)


def _svg(name: str, panel: Panel, story: Story) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.4))
        # The same margins for every panel, so that one moment stands at one place on the page.
        figure.subplots_adjust(left=0.075, right=0.99, top=0.88, bottom=0.14)
        figure.patch.set_alpha(0)
        _draw(figure.subplots(), panel, story, _Time(story))
        out = io.StringIO()
        figure.savefig(
            out,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return inline_svg(out.getvalue(), name)


def inline_svg(svg: str, name: str) -> str:
    """Fit for a page: only the element, ids of its own, colours by role, size by the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg, count=0)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'(<svg[^>]*?)\swidth="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?)\sheight="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg ", '<svg role="img" ', 1)
    return to_css_roles(svg.strip())


def _two_lines(
    axes: Axes, story: Story, time: _Time, value: Callable[[BlockSample, Twin], float]
) -> None:
    xs = time.of(story.samples)
    for twin in (Twin.UNPROTECTED, Twin.PROTECTED):
        axes.plot(
            xs,
            [value(s, twin) for s in story.samples],
            color=LIGHT[twin.value],
            label=_LABELS[twin],
        )
    _shade_unusable(axes, story, time)
    _mark(axes, story, time, value)


def _mark(
    axes: Axes, story: Story, time: _Time, height: Callable[[BlockSample, Twin], float]
) -> None:
    """Every transaction on a vault, on that vault's line."""
    by_block = {s.block: s for s in story.samples}
    for kind, glyph in _GLYPHS.items():
        shown = [
            (time.at(m.elapsed_s), height(by_block[m.block], m.twin))
            for m in story.marks
            if m.kind is kind and m.twin is not None and m.block in by_block
        ]
        if shown:
            axes.scatter(
                [x for x, _ in shown],
                [y for _, y in shown],
                marker=glyph.marker,
                s=glyph.size,
                color=LIGHT[glyph.colour],
                edgecolors=LIGHT["paper"],
                linewidths=0.7,
                zorder=5,
                label=f"{glyph.label} ({len(shown)})",
            )


def _shade_unusable(axes: Axes, story: Story, time: _Time) -> None:
    """Grey over the time in which the oracle price could not be used."""
    label: str | None = "oracle price unusable"
    start: BlockSample | None = None
    for sample in (*story.samples, None):
        if sample is not None and sample.price_fault:
            start = start or sample
            end = sample
        elif start is not None:
            axes.axvspan(
                time.at(start.elapsed_s),
                time.at(end.elapsed_s),
                color=LIGHT["muted"],
                alpha=0.15,
                linewidth=0,
                label=label,
            )
            start, label = None, None
