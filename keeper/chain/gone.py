"""How endpoints say that they do not know a block."""

from keeper.errors import RpcError

_GONE = ("not found", "unknown block", "header not", "not canonical", "missing block")


def is_gone(error: RpcError) -> bool:
    """True if the endpoint says it does not know the pinned block."""
    if error.code == 3:  # a revert speaks for the contract, not for the block
        return False
    text = error.message.lower()
    return any(word in text for word in _GONE)
