"""Commands, and how every end of one looks: an exit code and, when something is wrong, one clear line."""

import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from keeper import __version__
from keeper.cli import backtest as backtest_command
from keeper.cli import config as config_commands
from keeper.cli import (
    control,
    data,
    demo,
    doctor,
    journal,
    localnet,
    quant,
    replay,
    replay_market,
    report,
    risk,
    run,
    status,
    strategy,
    sweep,
    tx,
    volatility,
)
from keeper.errors import GimbalError

CRASH_LOG = Path("keeper-crash.log")
_USAGE_ERROR: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
"""typer brings its own copy of click in some versions and uses the installed one in others."""
_INTERRUPTED = 130
_UNEXPECTED = 70

app = typer.Typer(
    name="keeper",
    help="Gimbal: an autonomous keeper for on-chain vaults.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keeper {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del debug, version  # both act before any command does


app.command("run")(run.run)
app.command("once")(run.once)
app.command("status")(status.status)
app.command("risk")(risk.risk)
app.command("doctor")(doctor.doctor)
app.command("kill")(control.kill)
app.command("revive")(control.revive)
app.command("pause")(control.pause)
app.command("resume")(control.resume)
app.add_typer(tx.app, name="tx")
app.add_typer(config_commands.app, name="config")
app.add_typer(journal.app, name="journal")
app.command("replay")(replay.replay)
app.add_typer(strategy.app, name="strategy")
app.command("report")(report.report)
app.command("backtest")(backtest_command.backtest)
app.command("sweep")(sweep.sweep)
app.add_typer(data.app, name="data")
app.add_typer(volatility.app, name="volatility")
app.add_typer(quant.app, name="quant")
app.command("demo")(demo.demo)
app.command("replay-market")(replay_market.replay_market)
app.command("localnet")(localnet.localnet)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script."""
    sys.exit(invoke(sys.argv[1:] if arguments is None else arguments))


def invoke(arguments: list[str]) -> int:
    """Run one command; returns its exit code. Never lets a traceback out unless asked."""
    debug = "--debug" in arguments  # wherever it stands
    arguments = [a for a in arguments if a != "--debug"]
    try:
        return _exit_code(app(arguments, standalone_mode=False))
    except GimbalError as error:
        return _said(str(error), error.exit_code)
    except _USAGE_ERROR as error:
        return _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        return _said("interrupted", _INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last edge: nothing above can act on it
        if debug:
            print(_redacted(traceback.format_exc()), file=sys.stderr)
        return _said(_unexpected(error), _UNEXPECTED)


def _exit_code(result: object) -> int:
    return result if isinstance(result, int) else 0


def _misused(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    return _said(f"{error.format_message()}; see keeper --help", int(error.exit_code))


def _said(line: str, code: int) -> int:
    one_line = " ".join(_redacted(line).split())
    print(f"keeper: {one_line}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> str:
    what = f"unexpected {type(error).__name__}: {error}"
    try:
        CRASH_LOG.write_text(_redacted(traceback.format_exc()), encoding="utf-8")
    except OSError:
        return f"{what}; run with --debug to see where"
    return f"{what}; where it happened is in {CRASH_LOG.resolve()}, please report it"


def _redacted(text: str) -> str:
    redactor = run.REDACTOR.get(None)
    return redactor.text(text) if redactor else text
