"""The deployer's account, from Ape: signs first, so that the hash is known before anything is broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ape
from ape.exceptions import AccountsError, ApeException

from keeper.errors import DeploymentError
from scripts._deployment.chain import Transaction
from scripts._deployment.run import Receipt

TEST_PREFIX = "TEST::"


def load_account(alias: str) -> Any:
    """By alias; `TEST::n` is a development account."""
    try:
        if alias.startswith(TEST_PREFIX):
            return ape.accounts.test_accounts[int(alias.removeprefix(TEST_PREFIX))]
        return ape.accounts.load(alias)
    except (AccountsError, KeyError, IndexError, ValueError):
        raise DeploymentError(
            f"account {alias!r}", "is not known to Ape", "see `ape accounts list`"
        ) from None


class ApeSigner:
    """Signs with an Ape account and broadcasts through its provider."""

    def __init__(self, account: Any, provider: Any) -> None:
        self._account = account
        self._provider = provider
        self.address: str = account.address

    def sign(self, transaction: Transaction, nonce: int) -> tuple[str, Callable[[], Receipt]]:
        """Hash of the signed transaction, and what broadcasts it and waits for it."""
        fields = {"data": transaction.data, "nonce": nonce, "sender": self.address}
        if transaction.to is not None:
            fields["receiver"] = transaction.to
        try:
            unsigned = self._provider.network.ecosystem.create_transaction(**fields)
            prepared = self._account.prepare_transaction(unsigned)
            signed = self._account.sign_transaction(prepared)
        except ApeException as error:
            raise _failed("could not be prepared", error) from None
        if signed is None:
            raise DeploymentError("signing", "was declined", "nothing was sent; run again to go on")
        return "0x" + bytes(signed.txn_hash).hex(), lambda: self._broadcast(signed)

    def _broadcast(self, signed: Any) -> Receipt:
        try:
            receipt = self._provider.send_transaction(signed)
        except ApeException as error:
            raise _failed("failed", error) from None
        return Receipt(receipt.txn_hash, receipt.block_number, not receipt.failed, receipt.gas_used)


def _failed(what: str, error: ApeException) -> DeploymentError:
    return DeploymentError(
        "transaction", f"{what}: {error}", "run again to go on: what is done is recorded"
    )
