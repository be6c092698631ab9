"""keeper strategy: what there is, what each takes, a new one to begin with, and weights for an objective."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli.run import Config, route_logs

if TYPE_CHECKING:
    from keeper.cli.strategy_shown import Shown
    from keeper.config.objective import ObjectiveSettings
    from keeper.quant.allocation import Allocation, Infeasible

app = typer.Typer(help="Strategies: list, show, begin a new one, weigh them.", no_args_is_help=True)
_OF_A_VAULT = frozenset({"chain_id", "rpc_url", "vault", "lens"})
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="Its entry point in group gimbal.strategies.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Every installed strategy, with the package it comes from and what it does."""
    from keeper.cli.strategy_shown import listed

    found = listed()
    if json:
        _print_json([{"name": n, "package": p, "summary": s} for n, p, s in found])
        return
    width = max((len(name) for name, _, _ in found), default=0)
    for name, package, summary in found:
        origin = "" if package == "gimbal" else f" [{package}]"
        typer.echo(f"{name:<{width}}  {summary}{origin}")
    if not found:
        typer.echo("no strategy is installed")


@app.command("show")
def show(name: Name, json: Json = False) -> None:
    """What a strategy earns, risks and takes: parameters with units, bounds and defaults."""
    from keeper.cli.strategy_shown import shown

    found = shown(name)
    if json:
        from dataclasses import asdict

        _print_json(asdict(found))
    else:
        _print_shown(found)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Lower case with underscores, such as my_carry.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where its package is made; must not have it yet.")
    ] = Path(),
) -> None:
    """A package of one's own with a strategy, its parameters and its test, ready to install."""
    from keeper.cli.strategy_new import scaffold

    made = scaffold(name, folder)
    for path in made.files:
        typer.echo(f"wrote {path}")
    typer.echo(
        f"now: pip install -e {made.root}; pytest {made.root}; then set strategy.name = {name!r}"
    )


@app.command("allocate")
def allocate(
    candidates: Annotated[
        Path, typer.Argument(help="JSON: name, expected_return, losses, venue, ... of each.")
    ],
    config: Config = None,
    json: Json = False,
) -> None:
    """Weights for the objective of the settings, what binds them, or why there are none (exit code 1)."""
    from dataclasses import asdict

    from keeper.config.candidates import read_candidates
    from keeper.quant.allocation import Allocation, Problem
    from keeper.quant.allocation import allocate as solve

    objective = _objective(config).stated()
    answer = solve(Problem(read_candidates(candidates), objective))
    feasible = isinstance(answer, Allocation)
    if json:
        _print_json({"feasible": feasible, **asdict(answer)})
    else:
        _print_answer(answer)
    if not feasible:
        raise typer.Exit(1)


def _objective(config: Path | None) -> "ObjectiveSettings":
    """Of the settings, which need not name a chain and a vault for it; any other fault in them is raised."""
    from keeper.config.load import survey

    loaded, faults = survey(config)
    for fault in faults:
        if fault.field not in _OF_A_VAULT:
            raise fault
    route_logs(loaded)
    return loaded.settings.objective


def _print_json(value: object) -> None:
    from json import dumps

    typer.echo(dumps(value, indent=2))


def _print_shown(found: "Shown") -> None:
    typer.echo(f"{found.name} ({found.value}, {found.package})")
    typer.echo("")
    typer.echo(found.doc)
    typer.echo("")
    for one in found.parameters:
        bounds = f" [{one.bounds}]" if one.bounds else ""
        typer.echo(f"  {one.name}: {one.type} = {one.default}{bounds}")
        if one.doc:
            typer.echo(f"      {one.doc}")


def _print_answer(answer: "Allocation | Infeasible") -> None:
    from keeper.quant.allocation import Allocation

    if not isinstance(answer, Allocation):
        typer.echo("infeasible: these exclude each other: " + ", ".join(answer.conflict))
        for gives in answer.relaxation:
            typer.echo(
                f"  possible if {gives.constraint} went from {gives.bound:g} to {gives.needed:g}"
            )
        return
    for name, weight in answer.weights:
        typer.echo(f"{weight:>8.2%}  {name}")
    shortfall = answer.expected_shortfall
    risk = "" if shortfall is None else f", expected shortfall {shortfall:.2%} of NAV"
    typer.echo(f"expected return {answer.expected_return:.2%} a year{risk}, cost {answer.cost:.2%}")
    for one in answer.binding:
        typer.echo(
            f"  bound by {one.constraint} ({one.value:.4g}): one unit more is worth "
            f"{one.shadow_price:+.4g}"
        )
