"""Checksummed addresses; the same few come with every snapshot."""

from functools import lru_cache

from eth_utils.address import to_checksum_address


@lru_cache(maxsize=256)
def address(value: str) -> str:
    """An address in its checksummed form."""
    return to_checksum_address(value)
