"""A key that never leaves AWS KMS: it signs digests, and this makes Ethereum signatures of its answers."""

from collections.abc import Callable
from typing import Any

from keeper.errors import KeystoreError, SigningError
from keeper.execution.signers.protocol import Signed
from keeper.execution.signers.secp256k1 import low_s, parity_of, parse_der, spki_address
from keeper.execution.signers.transaction import sealed, unsigned
from keeper.model.secret import Unpicklable

_ALGORITHM = "ECDSA_SHA_256"
_SPEC = "ECC_SECG_P256K1"
_REMEDY = "check key.kms_key_id, the region and the permissions kms:Sign and kms:GetPublicKey"


class KmsSigner(Unpicklable):
    """Signs through `kms:Sign`; holds no key. `client` is a boto3 KMS client."""

    __slots__ = ("_client", "_key_id", "address", "source")

    def __init__(self, client: Any, key_id: str, source: str) -> None:
        self._client = client
        self._key_id = key_id
        self.source = source
        self.address = self._address()

    def __repr__(self) -> str:
        return f"KmsSigner({self.address})"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction signed; the service's high s is lowered, its missing parity found by trial."""
        asked = unsigned(transaction, self.source)
        answer, problem = _asked(
            lambda: self._client.sign(
                KeyId=self._key_id,
                Message=asked.digest,
                MessageType="DIGEST",
                SigningAlgorithm=_ALGORITHM,
            )
        )
        if problem:
            raise SigningError(self.source, problem, _REMEDY)
        try:
            r, s = parse_der(bytes(answer["Signature"]))
        except (KeyError, TypeError, ValueError):
            problem = "answered something that is no ECDSA signature"
            raise SigningError(self.source, problem, _REMEDY) from None
        s = low_s(s)
        parity = parity_of(asked.digest, r, s, self.address)
        if parity is None:
            problem = f"answered a signature that is not of {self.address}"
            raise SigningError(self.source, problem, _REMEDY)
        return sealed(asked, parity, r, s, address=self.address, source=self.source)

    def _address(self) -> str:
        answer, problem = _asked(lambda: self._client.get_public_key(KeyId=self._key_id))
        if not problem:
            spec = answer.get("KeySpec") or answer.get("CustomerMasterKeySpec")  # the older name
            if spec != _SPEC or answer.get("KeyUsage") != "SIGN_VERIFY":
                problem = f"holds no {_SPEC} key for signing"
        if problem:
            raise KeystoreError(self.source, problem, _REMEDY)
        try:
            return spki_address(bytes(answer["PublicKey"]))
        except (KeyError, TypeError, ValueError):
            problem = "answered something that is no secp256k1 public key"
            raise KeystoreError(self.source, problem, _REMEDY) from None


def from_kms(
    key_id: str, *, region: str | None, endpoint_url: str | None, timeout_s: float
) -> KmsSigner:
    """A signer over KMS with credentials as boto3 finds them, each request tried twice.

    Raises KeystoreError if boto3 is missing, or the key cannot be reached or is of another kind.
    """
    source = f"KMS key {key_id}"
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
    except ImportError:
        remedy = "install the extra: pip install 'gimbal[kms]'"
        raise KeystoreError(source, "boto3 is not installed", remedy) from None
    config = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": 2, "mode": "standard"},
    )
    client, problem = _asked(
        lambda: boto3.client("kms", region_name=region, endpoint_url=endpoint_url, config=config)
    )
    if problem:
        raise KeystoreError(source, problem, _REMEDY)
    return KmsSigner(client, key_id, source)


def _asked(call: Callable[[], Any]) -> tuple[Any, str]:
    """The answer, or what went wrong: the kind of error and the service's own code, never its arguments."""
    try:
        return call(), ""
    except Exception as error:  # noqa: BLE001 - botocore's errors have no narrow root, and urllib's come through
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
        return None, f"did not answer ({code or type(error).__name__})"
