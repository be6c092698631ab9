"""Addresses as people write them."""

from eth_utils.address import is_checksum_formatted_address, to_checksum_address

ZERO_ADDRESS = f"0x{0:040x}"


def checked_address(value: str) -> str:
    """The checksummed form; ValueError says what is wrong with `value`. The zero address is refused."""
    digits = value.removeprefix("0x")
    if len(digits) != 40 or not value.startswith("0x"):
        raise ValueError("is not an address (0x and 40 hexadecimal digits)")
    try:
        address: str = to_checksum_address(value.lower())
    except ValueError as error:
        raise ValueError("is not an address (0x and 40 hexadecimal digits)") from error
    if is_checksum_formatted_address(value) and value != address:
        raise ValueError("has a wrong checksum: a digit or a letter's case is mistyped")
    if int(address, 16) == 0:
        raise ValueError("is the zero address")
    return address
