"""deployments/<chain id>.json: what was deployed, written as it goes, so that an interrupted deployment can go on.

Before a signed transaction is broadcast its hash (and the address it creates) is written down as `pending`; afterwards
what it did. So after an interruption the chain tells whether the pending step happened.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from keeper.errors import DeploymentError

_JSON_SAFE = 2**53 - 1


class Entry(BaseModel):
    """Part of the file: nothing unknown, nothing changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Contract(Entry):
    """One contract, as created."""

    address: str
    arguments: tuple[Any, ...]
    transaction: str
    block: int
    code_hash: str


class Done(Entry):
    """One call, as mined."""

    transaction: str
    block: int


class Pending(Entry):
    """The step being sent."""

    step: str
    nonce: int
    transaction: str
    address: str | None = None


class VaultRecord(Entry):
    """One vault."""

    status: Literal["unfinished", "complete"]
    parameters: str
    deployer: str
    first_block: int
    contracts: Mapping[str, Contract] = {}
    calls: Mapping[str, Done] = {}
    pending: Pending | None = None

    def with_pending(self, pending: Pending) -> "VaultRecord":
        """About to send a step."""
        return self.model_copy(update={"pending": pending})

    def with_contract(self, name: str, contract: Contract) -> "VaultRecord":
        """A contract is there."""
        contracts = {**self.contracts, name: contract}
        return self.model_copy(update={"contracts": contracts, "pending": None})

    def with_call(self, name: str, done: Done) -> "VaultRecord":
        """A call is mined."""
        return self.model_copy(update={"calls": {**self.calls, name: done}, "pending": None})

    def without_pending(self) -> "VaultRecord":
        """The pending step did not happen."""
        return self.model_copy(update={"pending": None})

    def without_contracts(self, *names: str) -> "VaultRecord":
        """Contracts that cannot be used any more."""
        kept = {name: c for name, c in self.contracts.items() if name not in names}
        return self.model_copy(update={"contracts": kept})

    def completed(self) -> "VaultRecord":
        """Everything is there and verified."""
        return self.model_copy(update={"status": "complete", "pending": None})

    @property
    def addresses(self) -> dict[str, str]:
        """Contract -> address."""
        return {name: contract.address for name, contract in self.contracts.items()}


class Record(Entry):
    """The file."""

    chain_id: int
    vaults: Mapping[str, VaultRecord] = {}

    def with_vault(self, vault_id: str, vault: VaultRecord) -> "Record":
        """The same file with one vault's entry replaced."""
        return self.model_copy(update={"vaults": {**self.vaults, vault_id: vault}})

    def find(self, address: str) -> VaultRecord | None:
        """The entry of a vault's address."""
        wanted = address.lower()
        return next(
            (v for v in self.vaults.values() if v.addresses.get("Vault", "").lower() == wanted),
            None,
        )

    def render(self) -> str:
        """The text of the file."""
        return json.dumps(_plain(self.model_dump()), indent=2) + "\n"


def parse_record(text: str | None, chain_id: int, source: str) -> Record:
    """The file's content; an empty record if there is none yet."""
    if text is None:
        return Record(chain_id=chain_id)
    try:
        record = Record.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise DeploymentError(
            f"record {source}", f"{where}: {first['msg']}", "restore it from version control"
        ) from None
    if record.chain_id != chain_id:
        raise DeploymentError(
            f"record {source}",
            f"is of chain id {record.chain_id}, not {chain_id}",
            "put it back under its own name",
        )
    return record


def begin(
    record: Record, vault_id: str, parameters: str, deployer: str, block: int
) -> tuple[VaultRecord, bool]:
    """The entry to fill and whether it goes on from an interrupted run; refuses to touch a vault that is complete."""
    found = record.vaults.get(vault_id)
    if found is None:
        fresh = VaultRecord(
            status="unfinished", parameters=parameters, deployer=deployer, first_block=block
        )
        return fresh, False
    vault = f"vault {vault_id!r}"
    if found.status == "complete":
        where = found.addresses.get("Vault", "unknown")
        raise DeploymentError(
            vault, f"is already deployed, at {where}", "give the new one another vault.id"
        )
    if found.parameters != parameters:
        raise DeploymentError(
            vault,
            "was begun with other parameters",
            "go on with that file, or give the new one another vault.id",
        )
    if found.deployer.lower() != deployer.lower():
        raise DeploymentError(
            vault,
            f"was begun by {found.deployer}",
            "go on with that account, or choose another vault.id",
        )
    return found, True


def _plain(value: Any) -> Any:
    """JSON that every reader keeps exact: integers beyond 2^53 as text."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _JSON_SAFE:
        return str(value)
    return value
