"""Names of a vault's two tokens, for people: asked of the tokens, or else what they are to the vault."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keeper.config.settings import Settings
    from keeper.model.market import Readings
    from keeper.report.moves import TokenName

_SYMBOL_CALL = "0x95d89b41"
_LONGEST = 16


def symbols(settings: "Settings", readings: "Readings") -> tuple[str, str]:
    """Of asset and base; `asset` and `base` where a token does not say."""
    from keeper.config.endpoints import pool_of
    from keeper.errors import ReadError

    endpoint = pool_of(settings)
    tokens = (readings.asset.address, readings.base.address)
    calls: list[Any] = [
        ("eth_call", [{"to": token, "data": _SYMBOL_CALL}, "latest"]) for token in tokens
    ]
    try:
        asset, base = endpoint.batch(calls)
    except ReadError:
        return "asset", "base"
    finally:
        endpoint.close()
    return _symbol(asset) or "asset", _symbol(base) or "base"


def token_names(settings: "Settings", readings: "Readings") -> "dict[str, TokenName]":
    """Both tokens by address, to write moves with."""
    from keeper.report.moves import TokenName

    asset, base = symbols(settings, readings)
    return {
        readings.asset.address: TokenName(asset, readings.asset.decimals, is_asset=True),
        readings.base.address: TokenName(base, readings.base.decimals, is_asset=False),
    }


def _symbol(answer: Any) -> str:
    """A short, printable name, or nothing: a token may answer whatever it likes."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        (name,) = decode(["string"], bytes.fromhex(str(answer).removeprefix("0x")))
    except (DecodingError, ValueError, OverflowError):
        return ""
    return name if len(name) <= _LONGEST and name.isascii() and name.isprintable() else ""
