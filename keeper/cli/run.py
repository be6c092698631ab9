"""keeper run and keeper once."""

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keeper.cli.logs import Redactor
    from keeper.config.load import Loaded
    from keeper.config.settings import Settings
    from keeper.loop import TickRecord
    from keeper.model.outcome import TickOutcome

REDACTOR: ContextVar["Redactor"] = ContextVar("redactor")
"""Of the running command; the last edge uses it as well."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Settings file (default: $GIMBAL_CONFIG or ./keeper.toml)."
    ),
]
_BAD_ENDS = frozenset({"skipped", "refused", "failed"})


def settings_of(config: Path | None) -> "Loaded":
    """Load settings and route logs, with their secrets blotted out. From here on no other process looks in here:

    risk modules and strategies of others run as the same user, and the environment may hold the key.
    """
    from keeper.config.load import load
    from keeper.ops.secrecy import forbid_dumps

    forbid_dumps()
    loaded = load(config)
    route_logs(loaded)
    return loaded


def route_logs(loaded: "Loaded") -> None:
    """Logs as the settings say, with their secrets blotted out."""
    from keeper.cli.logs import Redactor, configure, secrets_of

    redactor = Redactor(secrets_of(loaded.settings, os.environ))
    REDACTOR.set(redactor)
    configure(loaded.settings.log.format, loaded.settings.log.level, redactor)


def prompt() -> Callable[[str], str] | None:
    """How to ask for a password: in a terminal only."""
    return _ask if sys.stdin.isatty() else None


def _ask(question: str) -> str:
    """A password from the terminal, known to the redactor from then on."""
    password: str = typer.prompt(question.rstrip(": "), hide_input=True, err=True)
    REDACTOR.get().add(password)
    return password


def run(
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decide and simulate; sign and send nothing.")
    ] = False,
    blocks: Annotated[int | None, typer.Option(min=1, help="Stop after this many ticks.")] = None,
) -> None:
    """Keep the vaults: one tick each for each new block, until stopped. Exit code 1 if every tick failed."""
    loaded = settings_of(config)
    import structlog

    from keeper.app import build_heads, build_keeper
    from keeper.cli.operate import Operation, stopping
    from keeper.cli.term import Ended, begin_term, lead, remembered
    from keeper.cli.tokens import token_names
    from keeper.report.moves import TokenName, moves_text

    log = structlog.get_logger("keeper")
    settings = loaded.settings
    ask = remembered(prompt())
    statuses: Counter[str] = Counter()
    done = [0]
    with Operation(settings, dry_run=dry_run) as operation, stopping(operation.switches) as stop:

        def keep() -> None:
            """One term: from taking the journal to losing leadership, or to the end."""
            with build_keeper(settings, dry_run=dry_run, prompt=ask, gate=operation.gate) as keeper:
                begin_term(operation, keeper, settings, dry_run=dry_run)
                tokens: dict[str, dict[str, TokenName]] = {}

                def seen(record: "TickRecord") -> None:
                    statuses[str(record.outcome.status)] += 1
                    if str(record.outcome.status) == "dry" and record.market and record.plan:
                        readings = record.market.readings
                        if record.vault not in tokens:
                            tokens[record.vault] = token_names(settings, readings)
                        moves = moves_text(record.plan.moves, tokens[record.vault])
                        log.info("would " + moves, vault=record.vault)
                    operation.ticked(keeper, record)

                left = None if blocks is None else blocks - done[0]
                heads = operation.watched(build_heads(settings, keeper), keeper)
                try:
                    done[0] += keeper.run(heads, Ended(stop, operation.leader), left, seen)
                finally:
                    heads.close()

        lead(operation, settings, stop, keep, done=lambda: done[0] == blocks)
        log.info("keeper stopped", ticks=statuses.total())
    if set(statuses) == {"failed"}:
        log.error("every tick failed: see the reasons above", ticks=statuses.total())
        raise typer.Exit(1)


def once(
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decide and simulate; sign and send nothing.")
    ] = False,
) -> None:
    """One tick of each vault on the newest block. Exit code 0 if all held, were done or rehearsed, 1 otherwise."""
    loaded = settings_of(config)
    from keeper.app import build_keeper
    from keeper.cli.operate import one_term

    settings = loaded.settings
    with (
        one_term(settings, dry_run=dry_run) as gate,
        build_keeper(settings, dry_run=dry_run, prompt=prompt(), gate=gate) as keeper,
    ):
        outcomes = keeper.once(patience_s=float(settings.tick.deadline_s))
        lines = [
            _line(settings, outcome, kept.last, kept.terms.name)
            for outcome, kept in zip(outcomes, keeper.vaults, strict=True)
        ]
    for line in lines:
        typer.echo(REDACTOR.get().text(line))
    if any(outcome.status in _BAD_ENDS for outcome in outcomes):
        raise typer.Exit(1)


def _line(
    settings: "Settings", outcome: "TickOutcome", record: "TickRecord | None", name: str
) -> str:
    """How one tick ended, for people."""
    from keeper.cli.tokens import token_names
    from keeper.report.moves import moves_text

    plan = ""
    if str(outcome.status) == "dry" and record and record.market and record.plan:
        names = token_names(settings, record.market.readings)
        plan = f"; would {moves_text(record.plan.moves, names)}"
    before = f"{name}: " if name else ""
    line = f"{before}block {outcome.block_number}: {outcome.status}: {outcome.reason}{plan}"
    return f"{line}; transaction {outcome.tx_hash}" if outcome.tx_hash else line
