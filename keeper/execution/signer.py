"""The signing key: from an encrypted keystore or from the environment, never printed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import HexStr

from keeper.errors import KeystoreError


@dataclass(frozen=True, slots=True)
class Signed:
    """Raw bytes and hash of a signed transaction, 0x-prefixed."""

    raw: str
    tx_hash: str


class Signer:
    """Signs for one account; its text form shows the address only (K-09)."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address: str = account.address

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction signed."""
        signed = self._account.sign_transaction(transaction)
        return Signed("0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex())


def from_private_key(key: str, source: str) -> Signer:
    """A signer from 32 hex bytes; `source` names where they came from."""
    try:
        return Signer(Account.from_key(key.strip()))
    except Exception:  # noqa: BLE001 - whatever the library says may quote the key
        problem = "is not a private key (64 hexadecimal digits)"
    raise KeystoreError(source, problem, "set it to the key of the keeper's account")


def from_keystore(path: Path, password: str) -> Signer:
    """A signer from a version 3 keystore file."""
    source = f"keystore {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = "no such file" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise KeystoreError(source, problem, "set key.keystore to a readable file") from None
    try:
        content = json.loads(text)
        if content["version"] == 3:
            return Signer(Account.from_key(Account.decrypt(content, password)))
    except ValueError as error:
        if "MAC" in str(error):
            problem = "wrong password"
            remedy = "give the password the keystore was encrypted with"
            raise KeystoreError(source, problem, remedy) from None
    except (KeyError, TypeError, AttributeError, NotImplementedError):
        pass
    problem = "is not a version 3 keystore"
    raise KeystoreError(source, problem, "make one with an Ethereum wallet or with eth-account")


def encrypt_keystore(private_key: str, password: str, *, iterations: int | None = None) -> str:
    """JSON text of a version 3 keystore; fewer scrypt iterations only for development keys."""
    return json.dumps(Account.encrypt(HexStr(private_key), password, iterations=iterations))
