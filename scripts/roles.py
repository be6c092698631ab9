"""`ape run roles --network ... --vault 0x...`: who can do what with a live vault, from chain state alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import ConnectedProviderCommand

from keeper.deployment.record import parse_record
from keeper.deployment.roles import AccessState, deviations
from keeper.errors import GimbalError, WrongVaultError
from keeper.model.address import checked_address
from scripts._deployment.access import read_access
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain
from scripts._deployment.show import Say, show_access

DEVIATES = 3


def roles(project: Any, chain: Chain, vault: str, first_block: int | None, say: Say) -> AccessState:
    """Print the table and return what was read."""
    try:
        address = checked_address(vault)
    except ValueError as error:
        raise WrongVaultError(vault, str(error), "give the vault's address") from None
    since = first_block if first_block is not None else _recorded_block(chain, address)
    state = read_access(chain, Artifacts(project), address, since)
    show_access(state, say)
    return state


def _recorded_block(chain: Chain, vault: str) -> int:
    """Where the vault's events begin, if this project deployed it; else the chain's beginning."""
    path = Path("deployments") / f"{chain.chain_id}.json"
    if not path.exists():
        return 0
    found = parse_record(path.read_text(), chain.chain_id, str(path)).find(vault)
    return found.first_block if found else 0


@click.command(cls=ConnectedProviderCommand, name="roles")
@click.option("--vault", required=True, help="Address of the vault.")
@click.option(
    "--from-block", type=int, default=None, help="Block at or before the manager's deployment."
)
def cli(vault: str, from_block: int | None) -> None:
    """Who can do what with a live vault, and after what delay. Exit code 3 if anything is not as intended."""
    try:
        ape.project.load_contracts()
        state = roles(ape.project, Chain(ape.chain.provider.web3), vault, from_block, click.echo)
    except GimbalError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    if deviations(state):
        sys.exit(DEVIATES)
