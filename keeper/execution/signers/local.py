"""A key in this process: from an encrypted keystore or from the environment, never printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_account import Account
from eth_typing import HexStr

from keeper.errors import KeystoreError
from keeper.execution.signers.protocol import Signed
from keeper.execution.signers.secp256k1 import address_of
from keeper.execution.signers.transaction import sealed, unsigned
from keeper.model.secret import Secret, Unpicklable

_KEY_BYTES = 32


class LocalSigner(Unpicklable):
    """Signs with a key held in memory; its text form shows the address only (K-09)."""

    __slots__ = ("__sign", "address", "source")

    def __init__(self, key: PrivateKey, source: str) -> None:
        self.address: str = address_of(key.public_key)
        self.source = source
        self.__sign: Callable[[bytes], bytes] = lambda digest: key.sign_recoverable(
            digest, hasher=None
        )

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction signed (deterministic nonce, RFC 6979)."""
        asked = unsigned(transaction, self.source)
        signature = self.__sign(asked.digest)
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
        return sealed(asked, signature[64], r, s, address=self.address, source=self.source)


def from_private_key(key: str | Secret, source: str) -> LocalSigner:
    """A signer from 32 hex bytes; `source` names where they came from."""
    signer = _signer(key if isinstance(key, Secret) else Secret(key), source)
    del key  # a traceback may be shown with the values of its frames
    if signer is None:
        problem = "is not a private key (64 hexadecimal digits)"
        raise KeystoreError(source, problem, "set it to the key of the keeper's account")
    return signer


def _signer(key: Secret, source: str) -> LocalSigner | None:
    """None if it is no key; whatever a library says may quote it, so nothing of that leaves."""
    try:
        raw = bytes.fromhex(key.reveal().strip().removeprefix("0x"))
        return LocalSigner(PrivateKey(raw), source) if len(raw) == _KEY_BYTES else None
    except Exception:  # noqa: BLE001 - see above
        return None


def from_keystore(path: Path, password: str | Secret) -> LocalSigner:
    """A signer from a version 3 keystore file."""
    secret = password if isinstance(password, Secret) else Secret(password)
    del password
    source = f"keystore {path}"
    content, problem = _read(path)
    if problem:
        raise KeystoreError(source, problem, "set key.keystore to a readable file")
    key, problem = _decrypted(content, secret)
    signer = _signer(key, source) if key else None
    if problem == "wrong password":
        remedy = "give the password the keystore was encrypted with"
        raise KeystoreError(source, problem, remedy)
    if signer is None:
        problem = "is not a version 3 keystore"
        raise KeystoreError(source, problem, "make one with an Ethereum wallet or with eth-account")
    return signer


def _read(path: Path) -> tuple[str, str]:
    """The text, or what is wrong with the file."""
    try:
        return path.read_text(encoding="utf-8"), ""
    except FileNotFoundError:
        return "", "no such file"
    except (OSError, UnicodeDecodeError):
        return "", "cannot be read"


def _decrypted(text: str, password: Secret) -> tuple[Secret | None, str]:
    """The key, or what is wrong. Nothing is raised: the frames of the library hold the password."""
    try:
        content = json.loads(text)
        if content["version"] == 3:
            return Secret(Account.decrypt(content, password.reveal()).hex()), ""
    except ValueError as error:
        return None, "wrong password" if "MAC" in str(error) else "no keystore"
    except Exception:  # noqa: BLE001, S110 - a file of somebody else: anything in it may be wrong
        pass
    return None, "no keystore"


def encrypt_keystore(private_key: str, password: str, *, iterations: int | None = None) -> str:
    """JSON text of a version 3 keystore; fewer scrypt iterations only for development keys."""
    return json.dumps(Account.encrypt(HexStr(private_key), password, iterations=iterations))
