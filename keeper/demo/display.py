"""What a person sees while a demo runs: a live panel on a terminal, plain lines anywhere else."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from keeper.demo.observe import Observation
from keeper.demo.twins import ASSET_DECIMALS, BASE_DECIMALS, DEPOSIT_USD
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.report.format import amount, bps_percent, clock, percent, times
from keeper.report.story import BlockSample, Mark, MarkKind, Story, Twin
from keeper.report.summary import Summary, TwinResult

PLAIN_EVERY = 0.05
"""Share of the blocks between two progress lines where there is no terminal."""
_SHOWN_ACTIONS = 6
_STYLES = {
    MarkKind.DELEVERAGE: "cyan",
    MarkKind.REBALANCE: "blue",
    MarkKind.UPKEEP: "dim",
    MarkKind.FAILED: "red",
    MarkKind.LIQUIDATION: "bold red",
    MarkKind.ORACLE: "dim",
}
_NAMES = {Twin.PROTECTED: "with the keeper", Twin.UNPROTECTED: "left alone"}


class Display(Protocol):
    """Where progress goes."""

    def say(self, text: str) -> None:
        """One line that stays."""
        ...

    @contextmanager
    def blocks(self, total: int) -> Iterator[None]:
        """Surrounds the simulated blocks."""
        ...

    def block(self, seen: Observation, outcome: TickOutcome) -> None:
        """One more block."""
        ...


class Silent:
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    @contextmanager
    def blocks(self, total: int) -> Iterator[None]:
        """Nothing."""
        del total
        yield

    def block(self, seen: Observation, outcome: TickOutcome) -> None:
        """Nothing."""


class Plain:
    """A line every few per cent, and one for every transaction on a vault."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = self._done = 0
        self._next = 0.0
        self._trouble = ""

    def say(self, text: str) -> None:
        """The line, as it is."""
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    @contextmanager
    def blocks(self, total: int) -> Iterator[None]:
        """Counts from here."""
        self._total, self._done, self._next = total, 0, 0.0
        yield

    def block(self, seen: Observation, outcome: TickOutcome) -> None:
        """Progress when it is due, actions always."""
        self._done += 1
        for mark in seen.marks:
            if mark.twin is not None:
                self.say(f"          {action_line(mark)}")
        share = self._done / self._total
        if share >= self._next or self._done == self._total:
            self._next = share + PLAIN_EVERY
            self.say(f"  {share * 100:4.0f} %  {sample_line(seen.sample)}")
        troubled = outcome.status in (TickStatus.FAILED, TickStatus.REFUSED)
        trouble = outcome.reason.split(":")[0] if troubled else ""
        if trouble and trouble != self._trouble:  # the same trouble, block after block, is one line
            self.say(f"          {clock(seen.sample.elapsed_s)}  keeper: {outcome.reason}")
        self._trouble = trouble


class Rich:
    """A panel that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._actions: deque[Mark] = deque(maxlen=_SHOWN_ACTIONS)
        self._seen: Observation | None = None
        self._outcome: TickOutcome | None = None
        self._live: Live | None = None
        self._progress = Progress(
            TextColumn("block"),
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TimeElapsedColumn(),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("blocks", total=None)

    def say(self, text: str) -> None:
        """The line, above the panel."""
        self._console.print(text, highlight=False, markup=False)

    @contextmanager
    def blocks(self, total: int) -> Iterator[None]:
        """The panel stands while the blocks go by."""
        self._progress.reset(self._task, total=total)
        with Live(
            get_renderable=self._panel, console=self._console, refresh_per_second=8, transient=True
        ) as self._live:
            yield

    def block(self, seen: Observation, outcome: TickOutcome) -> None:
        """Shown at the next redraw."""
        self._seen, self._outcome = seen, outcome
        self._actions.extend(m for m in seen.marks if m.twin is not None)
        self._progress.advance(self._task)

    def _panel(self) -> RenderableType:
        if self._seen is None or self._outcome is None:
            return self._progress
        sample = self._seen.sample
        return Group(
            Text(price_line(sample), style="bold"),
            self._twins(sample),
            *(Text(action_line(m), style=_STYLES[m.kind], no_wrap=True) for m in self._actions),
            Text(f"keeper: {self._outcome.status}: {self._outcome.reason}", "dim", no_wrap=True),
            self._progress,
        )

    def _twins(self, sample: BlockSample) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("", "health", "delta", "NAV", "debt", "liquidations"):
            table.add_column(name, justify="left" if not name else "right")
        for twin, name in _NAMES.items():
            of = sample.of(twin)
            health = of.health
            style = "red" if health is not None and health < 1 else ""
            table.add_row(
                name,
                Text(_health(health), style),
                amount(of.net_delta, BASE_DECIMALS),
                "price unusable" if of.nav is None else amount(of.nav, ASSET_DECIMALS, 0),
                amount(of.debt, ASSET_DECIMALS, 0),
                str(of.liquidations),
            )
        return table


def make_display(*, quiet: bool) -> Display:
    """What fits the place: nothing, a live panel, or lines."""
    if quiet:
        return Silent()
    console = Console()
    return Rich(console) if console.is_terminal else Plain(console)


def price_line(sample: BlockSample) -> str:
    """Time and prices."""
    fault = f"  oracle price unusable: {sample.price_fault}" if sample.price_fault else ""
    return (
        f"{clock(sample.elapsed_s)}  market {sample.market_price:,.2f}  "
        f"oracle {sample.oracle_price:,.2f}  base fee {sample.base_fee_wei / 1e9:.0f} gwei{fault}"
    )


def sample_line(sample: BlockSample) -> str:
    """Prices, both healths and both deltas in one line."""
    one, other = sample.protected, sample.unprotected
    return (
        f"{price_line(sample)}  health {_health(one.health)} with the keeper, "
        f"{_health(other.health)} left alone  delta {amount(one.net_delta, BASE_DECIMALS)} "
        f"and {amount(other.net_delta, BASE_DECIMALS)} WETH"
    )


def action_line(mark: Mark) -> str:
    """One transaction in one line."""
    vault = _NAMES[mark.twin] if mark.twin else ""
    why = f" ({mark.why})" if mark.why else ""
    return f"{clock(mark.elapsed_s)}  {vault}: {mark.who}: {mark.what}{why}"


def print_result(
    story: Story, summary: Summary, files: tuple[str, ...], *, quiet: bool = False
) -> None:
    """The table and the verdict, on any kind of output; the verdict alone when quiet."""
    console = Console()
    if not quiet:
        _print_table(console, story, summary, files)
    console.print(Text(verdict(summary), "bold green" if summary.saved else "bold white on red"))


def _print_table(console: Console, story: Story, summary: Summary, files: tuple[str, ...]) -> None:
    table = Table(title=f"{summary.scenario}, seed {summary.seed}", title_justify="left")
    table.add_column("")
    for name in _NAMES.values():
        table.add_column(name, justify="right")
    both = (summary.protected, summary.unprotected)
    decimals = story.asset_decimals
    rows: tuple[tuple[str, list[str]], ...] = (
        ("liquidations", [str(r.liquidations) for r in both]),
        ("lowest health", [_health(r.min_health) for r in both]),
        (f"NAV at the start, {story.asset}", [amount(r.nav_start, decimals) for r in both]),
        (f"NAV at the end, {story.asset}", [amount(r.nav_end, decimals) for r in both]),
        ("change", [_change(r) for r in both]),
        ("charged to the routine loss bucket", [bps_percent(r.routine_loss_bps) for r in both]),
        ("charged to the protective one", [bps_percent(r.protective_loss_bps) for r in both]),
        ("keeper transactions", [str(r.keeper_txs) for r in both]),
        ("gas paid, ETH", [amount(r.gas_spent_wei, 18, 5) for r in both]),
        (f"gas paid, {story.asset} at market", [f"{g:,.2f}" for g in (summary.gas_value, 0.0)]),
    )
    for name, cells in rows:
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        f"{summary.blocks} blocks in {summary.wall_s:.1f} s; lowest oracle price "
        f"{summary.price_low:,.2f}",
        highlight=False,
    )
    for note in notes(story, summary):
        console.print(note, highlight=False, soft_wrap=True)
    for file in files:
        console.print(file, highlight=False, soft_wrap=True, markup=False)


def notes(story: Story, summary: Summary) -> Iterator[str]:
    """What the table's figures need to be understood."""
    first = story.after_opening()[0].protected
    lever = f" at a leverage of {first.collateral / first.nav:.2f}" if first.nav else ""
    change = percent(summary.price_end / summary.price_start - 1)
    yield (
        f"{story.base} went from {summary.price_start:,.2f} to {summary.price_end:,.2f} "
        f"{story.asset} ({change}); both vaults began{lever}, which multiplies that."
    )
    yield (
        f"NAV at the start is the deposit of {DEPOSIT_USD:,} {story.asset} less what opening cost "
        "(swaps). Gas is paid by the keeper's account and is not in NAV."
    )


def verdict(summary: Summary) -> str:
    """How it ended, in one sentence."""
    kept, left = summary.protected.liquidations, summary.unprotected.liquidations
    if kept:
        return f"FAILED: the vault with the keeper was liquidated {times(kept)}."
    if left:
        return f"The vault with the keeper was never liquidated; its twin was, {times(left)}."
    return "Neither vault was liquidated."


def _health(health: float | None) -> str:
    return "no debt" if health is None else f"{health:.3f}"


def _change(result: TwinResult) -> str:
    return percent(result.nav_end / result.nav_start - 1) if result.nav_start else "none"
