"""`ape run deploy --network ... --parameters FILE`: deploy one vault, verify it, and say who can do what with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import ConnectedProviderCommand

from keeper.deployment.parameters import Parameters, parse
from keeper.deployment.plan import VENUES_BOUND, amount_problems, steps
from keeper.deployment.record import VaultRecord, begin, parse_record
from keeper.deployment.surroundings import Surroundings, notes, problems
from keeper.deployment.violations import violations
from keeper.errors import DeploymentError, GimbalError, ParametersError
from scripts._deployment.access import read_access
from scripts._deployment.account import ApeSigner, load_account
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain
from scripts._deployment.run import Deployment, Estimate, RecordBook, Signer
from scripts._deployment.show import Say, columns, show_access
from scripts._deployment.survey import survey
from scripts._deployment.verify import faults

NOBODY = f"0x{0xD1ED:040x}"
"""Stands for the deployer in a dry run without an account."""


def load_parameters(path: Path) -> Parameters:
    """A file within every hard bound; ParametersError lists what is wrong."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ParametersError(str(path), (f"cannot be read: {error}",)) from None
    parameters = parse(text, str(path))
    found = violations(parameters)
    if found:
        raise ParametersError(str(path), found)
    return parameters


class Run:
    """One run of the script on one chain."""

    def __init__(self, project: Any, chain: Chain, source: str, p: Parameters, say: Say) -> None:
        self._chain, self._source, self._p, self._say = chain, source, p, say
        self._artifacts = Artifacts(project)
        self._found = self._survey()
        self._decimals = self._found.decimals
        tokens = {"asset": p.vault.asset}
        self._deployment = Deployment(chain, self._artifacts, steps(p, self._decimals), tokens)

    def _survey(self) -> Surroundings:
        found = survey(self._chain, self._artifacts, self._p)
        wrong = problems(self._p, found) or amount_problems(self._p, found.decimals)
        if wrong:
            raise ParametersError(self._source, wrong)
        return found

    def book(self, path: Path, deployer: str) -> RecordBook:
        """The record, and this vault's entry in it."""
        text = path.read_text() if path.exists() else None
        record = parse_record(text, self._p.chain_id, str(path))
        block = self._chain.w3.eth.block_number
        entry, goes_on = begin(record, self._p.vault.id, self._p.digest, deployer, block)
        book = RecordBook(path, record, self._p.vault.id, entry)
        if goes_on:
            self._say(
                f"Going on with an interrupted deployment ({len(entry.contracts)} contracts are there)."
            )
            self._deployment.recover(book, self._say)
        return book

    def plan(self, deployer: str, entry: VaultRecord) -> None:
        """Try everything, and print what is to be sent."""
        p, say = self._p, self._say
        self._require_seed(deployer, entry)
        estimates = self._deployment.try_out(deployer, entry, seeded=deployer != NOBODY)
        say(
            f"Vault {p.vault.id!r}: {p.vault.name} ({p.vault.symbol}) on chain id {p.chain_id}, parameters {p.digest}"
        )
        for note in notes(p, self._found):
            say(f"  {note}")
        say(f"Transactions of {deployer}")
        columns(
            [(e.step, f"{e.gas:,} gas" if e.gas else "tried when sent") for e in estimates], say
        )
        self._total(estimates)

    def _total(self, estimates: list[Estimate]) -> None:
        gas = sum(e.gas or 0 for e in estimates)
        price = int(self._chain.w3.eth.gas_price)
        more = "at least " if any(e.gas is None for e in estimates) else ""
        self._say(
            f"  in all {more}{gas:,} gas, {gas * price / 1e18:.6f} ETH at {price / 1e9:.3f} gwei"
        )

    def _require_seed(self, deployer: str, entry: VaultRecord) -> None:
        if VENUES_BOUND in entry.calls:
            return
        seed = 10**self._decimals.asset
        asset = self._p.vault.asset
        held = self._chain.view(asset, "balanceOf(address)", ["uint256"], deployer) or 0
        if held < seed and deployer != NOBODY:
            symbol = self._found.asset.symbol
            raise DeploymentError(
                f"account {deployer}",
                f"holds {held / seed:g} {symbol} and the vault's seed is 1 {symbol}",
                "send it the seed",
            )

    def send(self, signer: Signer, book: RecordBook) -> VaultRecord:
        """Send, verify, close the record, and print who can do what."""
        self._say("Sending")
        entry = self._deployment.run(signer, book, self._say)
        at = entry.addresses
        access = read_access(self._chain, self._artifacts, at["Vault"], entry.first_block)
        wrong = faults(
            self._chain,
            self._artifacts,
            self._p,
            decimals=self._decimals,
            at=at,
            access=access,
        )
        if wrong:
            raise DeploymentError(
                f"vault {self._p.vault.id!r}",
                "is not what the parameters say:\n  " + "\n  ".join(wrong),
                "do not use it",
            )
        entry = book.write(entry.completed())
        self._say(f"\nDeployed and verified: vault {at['Vault']}, recorded in {book.path}\n")
        show_access(access, self._say)
        return entry


def record_path(network: str, chain_id: int, folder: Path | None) -> Path:
    """deployments/ is for live networks; what happens on a fork or a development chain stays under build/."""
    live = not (network.endswith("-fork") or network == "local")
    usual = Path("deployments") if live else Path("build") / "deployments" / network
    return (folder or usual) / f"{chain_id}.json"


@click.command(cls=ConnectedProviderCommand, name="deploy")
@click.option(
    "--parameters", "file", type=click.Path(path_type=Path), required=True, help="TOML file."
)
@click.option(
    "--account",
    default=None,
    help="Alias of the deployer's account; TEST::0 for a development one.",
)
@click.option("--dry-run", is_flag=True, help="Check, try and print everything; send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@click.option(
    "--deployments", type=click.Path(path_type=Path), default=None, help="Folder of the record."
)
def cli(
    file: Path, account: str | None, dry_run: bool, yes: bool, deployments: Path | None
) -> None:
    """Deploy one vault with its mandate, oracles, adapters and roles."""
    try:
        parameters = load_parameters(file)
        deployer = load_account(account) if account else None
        if deployer is None and not dry_run:
            raise DeploymentError(
                "option --account", "is missing", "name the deployer, or add --dry-run"
            )
        provider = ape.chain.provider
        # Compiled anew: what is deployed is what the sources say now, not what a cache remembers.
        ape.project.load_contracts(use_cache=False)
        run = Run(ape.project, Chain(provider.web3), str(file), parameters, click.echo)
        path = record_path(provider.network.name, parameters.chain_id, deployments)
        book = run.book(path, deployer.address if deployer else NOBODY)
        run.plan(deployer.address if deployer else NOBODY, book.entry)
        if dry_run or deployer is None:
            click.echo("Dry run: nothing was sent.")
            return
        if not yes and not click.confirm("Send?"):
            click.echo("Nothing was sent.")
            return
        run.send(ApeSigner(deployer, provider), book)
    except GimbalError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
