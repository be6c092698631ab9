"""A tear sheet on the screen, as JSON, or as a page in a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from keeper.report.performance import Performance
    from keeper.report.tearsheet import TearSheet


def show(sheet: "TearSheet", *, json: bool, html: Path | None) -> None:
    """Print the figures, or JSON; and write the page where one is wanted."""
    from keeper.report.tearsheet import performance_of, sheet_json

    found = performance_of(sheet)
    if html is not None:
        write_page(sheet, found, html)
    if json:
        from json import dumps

        typer.echo(dumps(sheet_json(sheet, found), indent=2, allow_nan=False))
        return
    _print(sheet, found)


def refuse_unwritable(option: str, path: Path | None, *, folder: bool = False) -> None:
    """Before what takes long: SettingError for a file or folder that could not be written afterwards. Makes nothing."""
    from keeper.errors import SettingError

    if path is None:
        return
    remedy = f"give a writable {'folder' if folder else 'file'}"
    above = next(p for p in (path, *path.absolute().parents) if os.path.exists(p))  # noqa: PTH110 - False, where Path raises for a forbidden folder
    wrong = None
    if above.is_dir() != (folder or above != path):
        wrong = "is a directory" if above.is_dir() else f"{above} is no directory"
    elif not os.access(above, os.W_OK):
        wrong = f"{above} is not writable"
    if wrong:
        raise SettingError(option, f"{path}: {wrong}", remedy)


def write_page(sheet: "TearSheet", found: "Performance", html: Path) -> None:
    """The page into a file; SettingError where it cannot be written."""
    from keeper.errors import SettingError
    from keeper.report.tearsheet_page import sheet_page

    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(sheet_page(sheet, found), encoding="utf-8")
    except OSError as error:
        raise SettingError("--html", f"{html}: {error.strerror}", "give a writable file") from error
    typer.echo(f"tear sheet: {html}", err=True)


def _print(sheet: "TearSheet", found: "Performance") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from keeper.report.tearsheet import rows

    console = Console()
    console.print(f"[bold]{escape(sheet.title)}[/bold]")
    for note in sheet.notes:
        console.print(f"[yellow]! {escape(note)}[/yellow]")
    figures = Table(show_header=False, box=None)
    for name, value, worth in rows(found, sheet):
        figures.add_row(escape(name), escape(value), f"[dim]{escape(worth)}[/dim]")
    parts = Table(title=f"Change of NAV, {escape(sheet.asset)}", title_justify="left", box=None)
    parts.add_column("part", header_style="dim")
    parts.add_column("amount", justify="right", header_style="dim")
    for name, amount in (*sheet.parts, ("sum", sum(a for _, a in sheet.parts))):
        if amount or name == "sum":
            parts.add_row(escape(name), f"{amount:,.2f}")
    facts = Table(show_header=False, box=None)
    for name, value in sheet.facts:
        facts.add_row(escape(name), escape(value))
    console.print(figures, "", parts, "", facts)
