"""keeper replay-market: a part of history through the real contracts, beside the same blocks in the backtest."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.errors import GimbalError, SettingError

if TYPE_CHECKING:
    from keeper.replay_market.run import Replayed

Help = typer.Option
File = Path | None
DEFAULT_OUT = Path("build/replay-market")
_STRATEGY = "collateral_guard"
_INTERRUPTED = 130


def replay_market(  # noqa: PLR0917 - one option each
    strategy: Annotated[str, Help("--strategy", help="Name of a registered strategy.")] = _STRATEGY,
    settings: Annotated[
        list[str] | None, Help("--set", help="A parameter of the strategy: key=value.")
    ] = None,
    data: Annotated[
        File, Help("--data", help="Prices: bars, ticks, rounds, 10-minute slots, pool minutes.")
    ] = None,
    scenario: Annotated[
        str | None,
        Help(help="A generated path instead: crash, oracle_stall, ... (default: crash)."),
    ] = None,
    seed: Annotated[int, Help(help="Of the scenario and the noise traders.")] = 1,
    rounds: Annotated[File, Help(help="The oracle's own rounds.")] = None,
    gas: Annotated[File, Help(help="Gas prices.")] = None,
    start: Annotated[str | None, Help("--from", help="First day or time, UTC, ISO 8601.")] = None,
    end: Annotated[str | None, Help("--to", help="Where it ends, not included.")] = None,
    every: Annotated[
        int, Help(min=0, help="Least seconds between two prices that are played.")
    ] = 0,
    inside: Annotated[bool, Help(help="Play the inside of bars too, and tick there.")] = False,
    max_missing: Annotated[int, Help(min=0, help="Largest gap accepted, in steps.")] = 0,
    accept_zero_volume: Annotated[bool, Help(help="Take bars in which nothing traded.")] = False,
    deposit: Annotated[
        int, Help(min=1_000, max=5_000_000, help="Of the vault, dollars.")
    ] = 250_000,
    health: Annotated[
        float | None, Help(min=1.04, max=3.0, help="Start levered long, at this health.")
    ] = None,
    noise: Annotated[bool, Help(help="Noise traders in the pool.")] = True,
    out: Annotated[Path, Help(help="Folder for journal, settings and log.")] = DEFAULT_OUT,
    html: Annotated[File, Help(help="Write a page to this file.")] = None,
    json: Annotated[bool, Help("--json", help="For programs.")] = False,
) -> None:
    """A part of history through the real contracts and through the backtest: decisions compared, the gap explained.

    Exit code 1 if recorded readings decided again gave another plan, or books that do not add up.
    """
    from keeper.cli.backtest_options import moment, pairs
    from keeper.cli.sheets import refuse_unwritable
    from keeper.history.table import found_data
    from keeper.replay_market.run import ReplayOptions
    from keeper.replay_market.run import replay_market as play
    from keeper.replay_market.source import Wanted
    from keeper.replay_market.stage import Vault

    def found(file: File) -> File:
        return None if file is None else found_data(file)

    wanted = Wanted(
        scenario=scenario,
        seed=seed,
        prices=found(data),
        rounds=found(rounds),
        gas=found(gas),
        start=moment("--from", start),
        end=moment("--to", end),
        every_s=every,
        inside=inside,
        max_missing=max_missing,
        accept_no_volume=accept_zero_volume,
    )
    given = pairs("--set", settings or [])
    vault = Vault(strategy, given, deposit, _health(strategy, health), noise, seed)
    refuse_unwritable("--html", html)
    try:
        replayed = play(ReplayOptions(wanted, vault, out), say=_say, progress=_progress())
    except (KeyboardInterrupt, GimbalError) as error:
        if not _interrupted(error):
            raise
        typer.echo("keeper: stopped; nothing is left running", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    faults = _recorded_again(out)
    if html is not None:
        _write_page(replayed, html, _command(locals()))
    _show(replayed, json=json)
    if faults or not replayed.gap.exact or replayed.again.identical != replayed.again.decided:
        raise typer.Exit(1)


def _interrupted(error: BaseException | None) -> bool:
    """Whether somebody stopped it; a database that is stopped in a write answers with an error of its own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _health(strategy: str, health: float | None) -> float | None:
    """The guard of collateral has nothing to guard without a debt."""
    return 1.5 if health is None and strategy == _STRATEGY else health


def _say(text: str) -> None:
    typer.echo(f"  {text}", err=True)


def _progress() -> Any:
    """A line on a terminal, nothing elsewhere."""
    import sys

    shown = -1

    def report(done: int, whole: int) -> None:
        nonlocal shown
        part = 100 * done // whole
        if sys.stderr.isatty() and part != shown:
            shown = part
            end = "\n" if done == whole else ""
            print(f"\r  replay {part:3d} %", end=end, file=sys.stderr, flush=True)

    return report


def _recorded_again(out: Path) -> int:
    """Every decision of the journal made again, as `keeper replay` does; how many came out otherwise."""
    from keeper.cli.replay import Tally, replay_one
    from keeper.errors import ReplayError
    from keeper.journal.query import Filter, decision_ids
    from keeper.journal.store import open_journal
    from keeper.replay_market.stage import JOURNAL_FILE

    tally, faults = Tally(), 0
    journal = open_journal(out / JOURNAL_FILE)
    try:
        for number in decision_ids(journal, Filter()):
            try:
                different = replay_one(journal, number, tally)
            except ReplayError as error:
                typer.echo(f"decision {number} cannot be replayed: {error}", err=True)
                faults += error.fault
                continue
            faults += bool(different)
            tally.replayed += 1
            tally.identical += not different
    finally:
        journal.close()
    typer.echo(f"  journal: {tally.identical} of {tally.replayed} decisions identical", err=True)
    return faults


def _show(replayed: "Replayed", *, json: bool) -> None:
    from keeper.replay_market.summary import summary_of

    if json:
        from json import dumps

        typer.echo(dumps(summary_of(replayed), indent=1, allow_nan=False))
        return
    _print(replayed)


def _print(replayed: "Replayed") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from keeper.replay_market.summary import MEANINGS, facts_of, stamp

    console, unit, gap = Console(), replayed.unit, replayed.gap
    facts = Table(show_header=False, box=None)
    for name, value in facts_of(replayed):
        facts.add_row(escape(name), escape(value))
    parts = Table(title="The execution gap", title_justify="left", box=None)
    parts.add_column("part", header_style="dim")
    parts.add_column("assets", justify="right", header_style="dim")
    parts.add_column("what it is", header_style="dim", style="dim")
    for part, amount in gap.parts.items():
        parts.add_row(str(part), f"{amount / unit:+,.2f}", MEANINGS.get(str(part), ""))
    parts.add_row("sum", f"{gap.whole / unit:+,.2f}", "exact" if gap.exact else "NOT exact")
    console.print(facts, "", parts)
    for difference in replayed.comparison.differences[:10]:
        why = f" ({'; '.join(difference.why)})" if difference.why else ""
        console.print(escape(f"{stamp(difference.time)}: {difference.what}{why}"), highlight=False)
    left = len(replayed.comparison.differences) - 10
    if left > 0:
        console.print(f"... and {left} more; --json has all")


def _command(options: dict[str, Any]) -> str:
    """The command that makes this run again."""
    words = ["keeper replay-market"]
    for name, option in (
        ("strategy", "--strategy"),
        ("data", "--data"),
        ("scenario", "--scenario"),
        ("seed", "--seed"),
        ("rounds", "--rounds"),
        ("gas", "--gas"),
        ("start", "--from"),
        ("end", "--to"),
        ("every", "--every"),
        ("deposit", "--deposit"),
        ("health", "--health"),
    ):
        if options.get(name):
            words.append(f"{option} {quote(str(options[name]))}")
    words += [f"--set {quote(each)}" for each in options.get("settings") or []]
    words += ["--inside"] if options.get("inside") else []
    words += [] if options.get("noise") else ["--no-noise"]
    return " ".join(words)


def _write_page(replayed: "Replayed", html: Path, command: str) -> None:
    from keeper.replay_market.page import page_of

    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page_of(replayed, command), encoding="utf-8")
    except OSError as error:
        raise SettingError("--html", f"{html}: {error.strerror}", "give a writable file") from error
    typer.echo(f"  page: {html}", err=True)
