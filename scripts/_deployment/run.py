"""Tries a deployment, sends it step by step, and goes on where an earlier run was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3.exceptions import TransactionNotFound, Web3Exception

from keeper.deployment.plan import MANAGER, VENUES_BOUND, Call, Create, Step, resolve
from keeper.deployment.record import Contract, Done, Pending, Record, VaultRecord
from keeper.errors import DeploymentError
from keeper.model.address import ZERO_ADDRESS
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain, Transaction, Tried, create_address, explain

CREATED_BY_SETUP = 1
"""Nonce of the set-up's first creation: a contract's nonces begin at 1."""


class Signer(Protocol):
    """The deployer's account."""

    address: str

    def sign(self, transaction: Transaction, nonce: int) -> tuple[str, Callable[[], Receipt]]:
        """Hash of the signed transaction, and what broadcasts it and waits for it."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction."""

    transaction: str
    block: int
    ok: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A step and its gas; None where the node cannot try it."""

    step: str
    gas: int | None


class Deployment:
    """One vault on its way: `try_out`, then `run`. The record is written after every change."""

    def __init__(
        self, chain: Chain, artifacts: Artifacts, steps: Sequence[Step], tokens: dict[str, str]
    ) -> None:
        """`tokens`: addresses that exist already, by the name steps use for them."""
        self._chain = chain
        self._artifacts = artifacts
        self._steps = steps
        self._tokens = tokens
        names = [step.name for step in steps if isinstance(step, Create)]
        self._errors = artifacts.errors([*names])

    # ------------------------------------------------------------ before

    def try_out(self, deployer: str, entry: VaultRecord, *, seeded: bool = True) -> list[Estimate]:
        """Gas of every step still to come; DeploymentError with the reason if one would revert.

        Who does not hold the vault's seed cannot try the step that takes it.
        """
        nonce = self._chain.w3.eth.get_transaction_count(to_checksum_address(deployer))
        left = self.left(entry)
        addresses = {**self._known(entry), **self._predicted(deployer, nonce, left)}
        if not seeded:
            left = [step for step in left if step.name != VENUES_BOUND]
        transactions = [self._transaction(step, addresses) for step in left]
        tried = self._chain.simulate(deployer, transactions)
        if tried is None:
            return [self._alone(step, deployer, addresses) for step in left]
        for step, result in zip(left, tried, strict=False):
            self._require_ok(step, result)
        return [Estimate(step.name, result.gas) for step, result in zip(left, tried, strict=True)]

    def left(self, entry: VaultRecord) -> list[Step]:
        """Steps not done yet."""
        return [
            s for s in self._steps if s.name not in entry.contracts and s.name not in entry.calls
        ]

    def _alone(self, step: Step, deployer: str, addresses: dict[str, str]) -> Estimate:
        """Where the node cannot try them in a row: those that need nothing but each other's addresses."""
        if not isinstance(step, Create) or not step.standalone:
            return Estimate(step.name, None)
        transaction = self._transaction(step, addresses)
        call: Any = {"from": to_checksum_address(deployer), "data": "0x" + transaction.data.hex()}
        try:
            return Estimate(step.name, int(self._chain.w3.eth.estimate_gas(call)))
        except (Web3Exception, ValueError) as error:
            raise DeploymentError(
                f"step {step.name}",
                f"would fail: {error}",
                "correct the parameters; nothing was sent",
            ) from None

    def _require_ok(self, step: Step, result: Tried) -> None:
        if not result.ok:
            why = explain(result.output, self._errors)
            raise DeploymentError(
                f"step {step.name}",
                f"would fail: {why}",
                "correct the parameters; nothing was sent",
            )

    # ------------------------------------------------------------ addresses

    def _known(self, entry: VaultRecord) -> dict[str, str]:
        known = {**self._tokens, **entry.addresses}
        setup = known.get("AccessSetup")
        return {**known, MANAGER: create_address(setup, CREATED_BY_SETUP)} if setup else known

    def _predicted(self, deployer: str, nonce: int, left: Iterable[Step]) -> dict[str, str]:
        at: dict[str, str] = {}
        for offset, step in enumerate(left):
            if isinstance(step, Create):
                at[step.name] = create_address(deployer, nonce + offset)
            if step.name == "AccessSetup":
                at[MANAGER] = create_address(at[step.name], CREATED_BY_SETUP)
        return at

    def _transaction(self, step: Step, addresses: dict[str, str]) -> Transaction:
        arguments = resolve(step.arguments, addresses)
        if isinstance(step, Create):
            return Transaction(None, self._artifacts[step.name].deployment(arguments))
        return Transaction(resolve(step.target, addresses), self._calldata(step, arguments))

    def _calldata(self, step: Call, arguments: tuple[Any, ...]) -> bytes:
        # A token's ABI is not ours: ERC-20 is the Vault's own as well.
        name = "Vault" if step.target.name in self._tokens else step.target.name
        return self._artifacts[name].calldata(step.function, arguments)

    # ------------------------------------------------------------ sending

    def run(self, signer: Signer, book: RecordBook, say: Callable[[str], None]) -> VaultRecord:
        """Send what is left; `recover` comes first."""
        entry = book.entry
        for step in self.left(entry):
            transaction = self._transaction(step, self._known(entry))
            nonce = self._chain.w3.eth.get_transaction_count(to_checksum_address(signer.address))
            address = create_address(signer.address, nonce) if isinstance(step, Create) else None
            sent, broadcast = signer.sign(transaction, nonce)
            # Before it is broadcast: whatever happens next, the chain can be asked for this hash.
            pending = Pending(step=step.name, nonce=nonce, transaction=sent, address=address)
            entry = book.write(entry.with_pending(pending))
            receipt = broadcast()
            if not receipt.ok:
                book.write(entry.without_pending())
                raise DeploymentError(
                    f"step {step.name}",
                    f"transaction {receipt.transaction} reverted",
                    "see what changed since it was tried, then run again: what is done is kept",
                )
            entry = book.write(self._done(entry, step, receipt, address))
            say(
                f"  {step.name:20} {address or ''}  block {receipt.block}, {receipt.gas_used:,} gas"
            )
        return entry

    def _done(
        self, entry: VaultRecord, step: Step, receipt: Receipt, address: str | None
    ) -> VaultRecord:
        if not isinstance(step, Create) or address is None:
            done = Done(transaction=receipt.transaction, block=receipt.block)
            return entry.with_call(step.name, done)
        arguments = resolve(step.arguments, self._known(entry))
        made = self._contract(step.name, address, arguments, receipt)
        entry = entry.with_contract(step.name, made)
        if step.name == "AccessSetup":
            manager = create_address(address, CREATED_BY_SETUP)
            inside = self._contract(MANAGER, manager, (address,), receipt)
            entry = entry.with_contract(MANAGER, inside)
        return entry

    def _contract(
        self, name: str, address: str, arguments: tuple[Any, ...], receipt: Receipt
    ) -> Contract:
        code = self._chain.code(address)
        # The manager's code is inside the set-up's own, which was compared.
        if not code or (name != MANAGER and not self._artifacts[name].fits(code)):
            raise DeploymentError(
                f"contract {name}",
                f"the code at {address} is not the compiled one",
                "do not use it; check that the project was not recompiled in between",
            )
        return Contract(
            address=address,
            arguments=arguments,
            transaction=receipt.transaction,
            block=receipt.block,
            code_hash="0x" + keccak(code).hex(),
        )

    def recover(self, book: RecordBook, say: Callable[[str], None]) -> VaultRecord:
        """Bring the record up to what the chain says of an interrupted run."""
        pending = book.entry.pending
        if pending is None:
            return self._drop_what_others_bound(book, say)
        found = self.receipt(pending.transaction)
        if found is not None and found.ok:
            say(f"  {pending.step}: was mined in block {found.block} after the interruption")
            step = next(s for s in self._steps if s.name == pending.step)
            return book.write(self._done(book.entry, step, found, pending.address))
        if found is None:
            self._require_unknown(pending)
        say(f"  {pending.step}: {'reverted' if found else 'was not sent'}; it is sent again")
        book.write(book.entry.without_pending())
        return self._drop_what_others_bound(book, say)

    def _drop_what_others_bound(self, book: RecordBook, say: Callable[[str], None]) -> VaultRecord:
        """A mandate or a valuation that a stranger bound before our vault could is of no use to it."""
        entry, at = book.entry, book.entry.addresses
        if "Vault" in at or "Valuation" not in at:
            return entry
        bound = self._chain.view(at["Valuation"], "vault()", ["address"])
        if bound in {None, ZERO_ADDRESS}:
            return entry
        say(f"  Valuation: somebody else bound it, to {bound}; it and the mandate are made again")
        return book.write(entry.without_contracts("Valuation", "Mandate"))

    def _require_unknown(self, pending: Pending) -> None:
        try:
            self._chain.w3.eth.get_transaction(pending.transaction)  # type: ignore[arg-type]
        except TransactionNotFound:
            return
        raise DeploymentError(
            f"step {pending.step}",
            f"its transaction {pending.transaction} waits in the pool",
            "wait until it is mined or dropped, then run again",
        )

    def receipt(self, transaction: str) -> Receipt | None:
        """Of a mined transaction."""
        try:
            raw = self._chain.w3.eth.get_transaction_receipt(transaction)  # type: ignore[arg-type]
        except TransactionNotFound:
            return None
        return Receipt(transaction, raw["blockNumber"], raw["status"] == 1, raw["gasUsed"])


class RecordBook:
    """The file of one chain, and in it the entry of one vault; every write reaches the disk whole."""

    def __init__(self, path: Path, record: Record, vault_id: str, entry: VaultRecord) -> None:
        self.path = path
        self._record = record
        self._id = vault_id
        self.entry = entry

    def write(self, entry: VaultRecord) -> VaultRecord:
        """Replace the entry."""
        self._record = self._record.with_vault(self._id, entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".tmp")
        unfinished.write_text(self._record.render())
        unfinished.replace(self.path)
        self.entry = entry
        return entry
