"""Who signs: a key in this process, a key in a cloud's safe, or another process. One protocol for all."""

from keeper.execution.signers.local import (
    LocalSigner,
    encrypt_keystore,
    from_keystore,
    from_private_key,
)
from keeper.execution.signers.protocol import Signed, Signer

__all__ = [
    "LocalSigner",
    "Signed",
    "Signer",
    "encrypt_keystore",
    "from_keystore",
    "from_private_key",
]
