"""The signing key from where the settings say: keystore and password, or an environment variable."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from getpass import getpass
from pathlib import Path

from eth_utils.address import to_checksum_address

from keeper.config.settings import KeySettings
from keeper.errors import KeystoreError
from keeper.execution.signer import Signer, from_keystore, from_private_key

Prompt = Callable[[str], str]


def load_signer(
    key: KeySettings,
    environment: Mapping[str, str] | None = None,
    prompt: Prompt | None = None,
) -> Signer | None:
    """The signer; None if the settings name no key at all."""
    env = os.environ if environment is None else environment
    if key.keystore is not None:
        if not key.keystore.is_file():  # before a person is asked for its password
            source = f"keystore {key.keystore}"
            raise KeystoreError(source, "no such file", "set key.keystore to a readable file")
        return from_keystore(key.keystore, _password(key, env, prompt))
    secret = env.get(key.private_key_env)
    return from_private_key(secret, f"${key.private_key_env}") if secret else None


def load_address(key: KeySettings, environment: Mapping[str, str] | None = None) -> str | None:
    """The keeper's address without asking for any password: for dry runs and status."""
    env = os.environ if environment is None else environment
    if key.address is not None:
        return key.address
    if key.keystore is not None and key.keystore.is_file():
        return _address_in(key.keystore)
    signer = load_signer(key, env) if key.keystore is None else None
    return signer.address if signer else None


def _address_in(keystore: Path) -> str | None:
    """Version 3 keystores name their account in clear."""
    try:
        address = json.loads(keystore.read_text(encoding="utf-8")).get("address")
        return to_checksum_address(address) if address else None
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _password(key: KeySettings, env: Mapping[str, str], prompt: Prompt | None) -> str:
    if key.password_env in env:
        return env[key.password_env]
    if key.password_file is not None:
        return _first_line(key.password_file)
    if prompt is None and sys.stdin.isatty():
        prompt = getpass
    if prompt is None:
        remedy = f"set ${key.password_env} or key.password_file, or run in a terminal to be asked"
        raise KeystoreError(f"keystore {key.keystore}", "there is no password for it", remedy)
    return prompt(f"Password of {key.keystore}: ")


def _first_line(path: Path) -> str:
    try:
        return (path.read_text(encoding="utf-8").splitlines() or [""])[0]
    except (OSError, UnicodeDecodeError):
        problem, remedy = "cannot be read", "set key.password_file to a readable file"
        raise KeystoreError(f"password file {path}", problem, remedy) from None
