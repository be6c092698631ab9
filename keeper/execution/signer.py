"""Another name for keeper.execution.signers, for callers of old."""

from keeper.execution.signers import (
    LocalSigner,
    Signed,
    Signer,
    encrypt_keystore,
    from_keystore,
    from_private_key,
)

__all__ = [
    "LocalSigner",
    "Signed",
    "Signer",
    "encrypt_keystore",
    "from_keystore",
    "from_private_key",
]
