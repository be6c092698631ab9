"""A key in every form in which it could be found."""

import base64

KEY = "0x" + "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
PASSWORD = "hunter2hunter2"


def forms(key: str = KEY, password: str = PASSWORD) -> tuple[bytes, ...]:
    """Hexadecimal, raw, base64, decimal, and as Python writes bytes and lists of them."""
    digits = key.removeprefix("0x")
    raw = bytes.fromhex(digits)
    texts = (
        digits.lower(),
        digits.upper(),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        str(int(digits, 16)),
        repr(raw)[2:-1],
        str(list(raw))[1:-1],
        password,
    )
    return (raw, raw[::-1], *(text.encode() for text in texts))


def found_in(content: bytes | str, key: str = KEY, password: str = PASSWORD) -> list[bytes]:
    """Forms of the secrets that stand in something; upper and lower digits mixed as well."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
    mixed = [key.removeprefix("0x").lower().encode()]
    return [f for f in forms(key, password) if f in data] + [f for f in mixed if f in data.lower()]
