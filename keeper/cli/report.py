"""keeper report: what a vault did under this keeper, out of its journal: table, JSON, tear sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.journal_options import FromOption, JournalFile, JsonOption, ToOption, opened, point
from keeper.cli.run import Config

if TYPE_CHECKING:
    from keeper.report.tearsheet import TearSheet

_SHORTEST_S = 1
_MOST_SAMPLES = 20_000


def report(
    config: Config = None,
    *,
    journal: JournalFile = None,
    from_: FromOption = None,
    to: ToOption = None,
    vault: Annotated[str | None, typer.Option(help="Address, where there are several.")] = None,
    every: Annotated[str, typer.Option(help="Time between the states used: 1h, 10m.")] = "1h",
    html: Annotated[Path | None, typer.Option(help="Write the tear sheet to this file.")] = None,
    names: Annotated[str, typer.Option(help="Of asset and base.")] = "asset,base",
    json: JsonOption = False,
) -> None:
    """Returns, drawdown, Greeks, trades, costs and where the change of NAV came from."""
    from keeper.cli.sheets import show
    from keeper.errors import QuantityError, SettingError

    sheet = _sheet(config, journal, (from_, to), vault, (every, names))
    try:
        show(sheet, json=json, html=html)
    except QuantityError as error:
        if error.field != "times":
            raise
        remedy = "take a longer one, or wait: `keeper journal list` shows what there is"
        problem = f"the states of this part of the journal {error.problem}"
        raise SettingError("--from", problem, remedy) from None


def _sheet(
    config: Path | None,
    file: Path | None,
    span: tuple[str | None, str | None],
    vault: str | None,
    how: tuple[str, str],
) -> "TearSheet":
    from keeper.cli.journal_options import age_s
    from keeper.clock import system_clock
    from keeper.errors import SettingError
    from keeper.journal import reporting
    from keeper.journal.query import Filter
    from keeper.report.live_sheet import live_sheet

    every, given = how
    step_s = max(_SHORTEST_S, age_s("--every", every))
    asset, _, base = given.partition(",")
    now = system_clock()
    from_block, since = point("--from", span[0], now)
    to_block, until = point("--to", span[1], now)
    with opened(config, file) as book:
        known = reporting.vaults(book)
        if vault is None and len(known) > 1:
            raise SettingError("--vault", "the journal holds several", f"one of {', '.join(known)}")
        if vault is not None and vault.lower() not in known:
            there = ", ".join(known) or "none"
            raise SettingError("--vault", "nothing was decided for it", f"known are {there}")
        wanted = Filter(from_block, to_block, since, until, vault, limit=_MOST_SAMPLES)
        seen = list(reporting.samples(book, wanted, step_s))
        done = list(reporting.done(book, wanted))
    command = _command(file, span, vault, how)
    return live_sheet(seen, done, names=(asset or "asset", base or "base"), command=command)


def _command(
    file: Path | None, span: tuple[str | None, str | None], vault: str | None, how: tuple[str, str]
) -> str:
    given: list[tuple[str, Any]] = [
        ("--journal", file),
        ("--from", span[0]),
        ("--to", span[1]),
        ("--vault", vault),
        ("--every", how[0]),
    ]
    return " ".join(["keeper report", *(f"{name} {value}" for name, value in given if value)])
