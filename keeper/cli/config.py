"""keeper config show and keeper config init."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli.run import Config, route_logs

if TYPE_CHECKING:
    from keeper.config.show import Row

_WIDE = 140
_PIPED_WIDTH = 180

app = typer.Typer(help="Settings: show them, or write a commented example.", no_args_is_help=True)


@app.command("show")
def show(
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Every setting with value, unit, default, source and meaning; secrets masked, faults marked."""
    from keeper.config.load import survey
    from keeper.config.show import rows

    loaded, faults = survey(config)
    route_logs(loaded)
    found = list(rows(loaded, faults))
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps([asdict(row) for row in found], indent=2))
    else:
        _print_table(found, str(loaded.file or "the environment"))
    for fault in faults:
        typer.echo(f"keeper: {fault}", err=True)
    if faults:
        raise typer.Exit(2)


def _print_table(found: "list[Row]", origin: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)
    wide = console.width >= _WIDE
    table = Table(title=f"Settings from {origin}", title_justify="left")
    table.add_column("name", no_wrap=True)
    for name in ("value", "unit", "default", "source", *(("meaning",) if wide else ())):
        table.add_column(name, overflow="fold")
    for row in found:
        style = "bold red" if row.fault else "bold" if row.source != "default" else ""
        value = f"! {row.fault}" if row.fault else row.value
        cells = (row.name, value, row.unit, row.default, row.source)
        table.add_row(*map(escape, (*cells, *((row.meaning,) if wide else ()))), style=style)
    console.print(table)
    if not wide:
        console.print("A terminal of 140 columns also shows what each setting means.")


@app.command("init")
def init(
    path: Annotated[
        Path, typer.Argument(help="File to write; - prints the example instead.")
    ] = Path("keeper.toml"),
) -> None:
    """Write a commented example; never over a file that holds anything."""
    from keeper.config.show import example
    from keeper.errors import SettingError

    if str(path) == "-":
        typer.echo(example(), nl=False)
        return
    try:
        # an empty file holds nothing: a shell makes one for `keeper config init > keeper.toml`
        with path.open("a", encoding="utf-8") as file:
            empty = file.tell() == 0
            if empty:
                file.write(example())
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise SettingError(str(path), problem, "name another file", "settings file") from None
    if not empty:
        problem, remedy = "exists already", "name another file"
        raise SettingError(str(path), problem, remedy, "settings file")
    typer.echo(
        f"wrote {path}: fill in chain_id, rpc_url, vault and lens, then `keeper run --dry-run`",
        err=True,  # standard output may be the file itself
    )
