"""keeper quant: the numerics by themselves."""

import typer

app = typer.Typer(help="The numerics: compile them ahead of time.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keeps `warm` a command of its own name while it is the only one."""


@app.command("warm")
def warm() -> None:
    """Compile every kernel and keep the machine code on disk, so that no first block waits for it."""
    from keeper.quant.compiled import cache_folder
    from keeper.quant.warm import warm as warm_all

    done = warm_all()
    for module in done:
        typer.echo(f"{module.seconds:8.2f} s  {module.name}")
    total = sum(module.seconds for module in done)
    typer.echo(f"{total:8.2f} s  all; kept in {cache_folder()}")
