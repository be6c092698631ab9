"""What a foreign signature or public key on secp256k1 must be turned into before Ethereum takes it (SEC 1, SEC 2)."""

import functools

from coincurve import PublicKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group."""
HALF_ORDER = ORDER // 2
_SPKI_HEAD = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""SubjectPublicKeyInfo (RFC 5480) of an uncompressed point on secp256k1; no other encoding of it is DER."""
_UNCOMPRESSED = b"\x04"
_SEQUENCE, _INTEGER = 0x30, 0x02


def low_s(s: int) -> int:
    """The one form of s that is accepted: (r, s) and (r, n - s) sign the same (EIP-2)."""
    return ORDER - s if s > HALF_ORDER else s


def parse_der(signature: bytes) -> tuple[int, int]:
    """r and s of an ECDSA-Sig-Value (RFC 3279) in strict DER; ValueError for anything else."""
    if len(signature) < 8 or signature[0] != _SEQUENCE or signature[1] != len(signature) - 2:
        raise ValueError("not a DER sequence")
    r, rest = _integer(signature[2:])
    s, rest = _integer(rest)
    if rest:
        raise ValueError("bytes after the signature")
    return r, s


def _integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != _INTEGER or not 1 <= data[1] <= 33 or len(data) < 2 + data[1]:
        raise ValueError("not a DER integer")
    body, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
    if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
        raise ValueError("an integer that is negative or longer than it must be")
    value = int.from_bytes(body, "big")
    if not 0 < value < ORDER:
        raise ValueError("an integer outside of the group")
    return value, rest


def spki_address(key: bytes) -> str:
    """Address of a DER SubjectPublicKeyInfo; ValueError unless it is an uncompressed secp256k1 key."""
    head, point = key[: len(_SPKI_HEAD)], key[len(_SPKI_HEAD) :]
    if head != _SPKI_HEAD or len(point) != 65 or point[:1] != _UNCOMPRESSED:
        raise ValueError("not an uncompressed secp256k1 public key")
    return address_of(PublicKey(point))  # which checks that the point is on the curve


def address_of(key: PublicKey) -> str:
    """Last 20 bytes of the hash of the point, checksummed."""
    return _checksummed(keccak(key.format(compressed=False)[1:])[-20:])


@functools.lru_cache(maxsize=64)
def _checksummed(raw: bytes) -> str:
    """Of the few accounts that sign here, again and again."""
    return str(to_checksum_address(raw))


def recovered_address(digest: bytes, parity: int, r: int, s: int) -> str | None:
    """Whose signature of `digest` this is; None if nobody's."""
    try:
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
        return address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None))
    except Exception:  # noqa: BLE001 - the library raises bare Exception for a point that does not exist
        return None


def parity_of(digest: bytes, r: int, s: int, address: str) -> int | None:
    """Which of the two points gives `address`: a signature of a safe does not say. None: neither."""
    found = (p for p in (0, 1) if recovered_address(digest, p, r, s) == address)
    return next(found, None)
