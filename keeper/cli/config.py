"""keeper config show and keeper config init."""

from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.run import Config, settings_of

_WIDE = 140
_PIPED_WIDTH = 180

app = typer.Typer(help="Settings: show them, or write a commented example.", no_args_is_help=True)


@app.command("show")
def show(
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Every setting with value, unit, default, source and meaning; secrets masked."""
    loaded = settings_of(config)
    from keeper.config.show import rows

    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps([asdict(row) for row in rows(loaded)], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)
    wide = console.width >= _WIDE
    table = Table(title=f"Settings from {loaded.file or 'the environment'}", title_justify="left")
    table.add_column("name", no_wrap=True)
    for name in ("value", "unit", "default", "source", *(("meaning",) if wide else ())):
        table.add_column(name, overflow="fold")
    for row in rows(loaded):
        style = "bold" if row.source != "default" else ""
        cells = (row.name, row.value, row.unit, row.default, row.source)
        table.add_row(*cells, *((row.meaning,) if wide else ()), style=style)
    console.print(table)
    if not wide:
        console.print("A terminal of 140 columns also shows what each setting means.")


@app.command("init")
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("keeper.toml"),
) -> None:
    """Write a commented example; never over an existing file."""
    from keeper.config.show import example
    from keeper.errors import SettingError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        raise SettingError(str(path), "exists already", "name another file") from None
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise SettingError(str(path), problem, "name another file") from None
    typer.echo(
        f"wrote {path}: fill in chain_id, rpc_url, vault and lens, then `keeper run --dry-run`"
    )
