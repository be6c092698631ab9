"""The signer from where the settings say: keystore and password, KMS, a remote signer, or the environment.

Secrets live in `Secret` and `Environment` on the way, so that no frame of a traceback shows them.
"""

import json
import sys
from collections.abc import Callable, Mapping
from getpass import getpass
from pathlib import Path

from eth_utils.address import to_checksum_address

from keeper.config.settings import KeySettings
from keeper.config.variables import Environment
from keeper.errors import KeystoreError
from keeper.execution.signers import Signer, from_keystore, from_private_key
from keeper.model.secret import Secret

Prompt = Callable[[str], str]


def load_signer(
    key: KeySettings,
    environment: Mapping[str, str] | None = None,
    prompt: Prompt | None = None,
) -> Signer | None:
    """The signer; None if the settings name no key at all. KeystoreError if it cannot be had."""
    env = Environment(environment)
    del environment
    if key.kms_key_id is not None:
        from keeper.execution.signers.kms import from_kms

        return from_kms(
            key.kms_key_id,
            region=key.kms_region,
            endpoint_url=key.kms_endpoint_url,
            timeout_s=key.signer_timeout_s,
        )
    if key.remote_url is not None:
        from keeper.chain.endpoint import Endpoint
        from keeper.execution.signers.remote import from_remote

        rpc = Endpoint(key.remote_url, key.signer_timeout_s)
        return from_remote(rpc, key.address, key.remote_style)
    if key.keystore is not None:
        if not key.keystore.is_file():  # before a person is asked for its password
            source = f"keystore {key.keystore}"
            raise KeystoreError(source, "no such file", "set key.keystore to a readable file")
        return from_keystore(key.keystore, _password(key, env, prompt))
    secret = env.secret(key.private_key_env)
    return from_private_key(secret, f"${env.shown(key.private_key_env)}") if secret else None


def load_address(key: KeySettings, environment: Mapping[str, str] | None = None) -> str | None:
    """The keeper's address without asking for any password: for dry runs and status."""
    if key.address is not None:
        return key.address
    if key.keystore is not None:
        return _address_in(key.keystore) if key.keystore.is_file() else None
    signer = load_signer(key, environment)
    close = getattr(signer, "close", None)
    if close is not None:  # asked for its address only
        close()
    return signer.address if signer else None


def _address_in(keystore: Path) -> str | None:
    """Version 3 keystores name their account in clear."""
    try:
        address = json.loads(keystore.read_text(encoding="utf-8")).get("address")
        return to_checksum_address(address) if address else None
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _password(key: KeySettings, env: Environment, prompt: Prompt | None) -> Secret:
    found = env.secret(key.password_env)
    if found is not None:
        return found
    if key.password_file is not None:
        return _first_line(key.password_file)
    if prompt is None and sys.stdin.isatty():
        prompt = getpass
    if prompt is None:
        variable = env.shown(key.password_env)
        remedy = f"set ${variable} or key.password_file, or run in a terminal to be asked"
        if variable != key.password_env:
            remedy = "no variable has the name in key.password_env: it takes a name, not a password"
        raise KeystoreError(f"keystore {key.keystore}", "there is no password for it", remedy)
    return Secret(prompt(f"Password of {key.keystore}: "))


def _first_line(path: Path) -> Secret:
    try:
        return Secret((path.read_text(encoding="utf-8").splitlines() or [""])[0])
    except (OSError, UnicodeDecodeError):
        problem, remedy = "cannot be read", "set key.password_file to a readable file"
        raise KeystoreError(f"password file {path}", problem, remedy) from None
