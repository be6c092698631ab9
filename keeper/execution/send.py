"""Broadcasting one signed transaction, and what the endpoint's answer means for its fate."""

from enum import Enum

from keeper.errors import EndpointError, RpcError
from keeper.execution.ports import Rpc


class Fate(Enum):
    """What is known after a broadcast."""

    ACCEPTED = "accepted"  # in the pool, or was there already
    UNKNOWN = "unknown"  # no answer or one we do not understand: keep following, send again
    NONCE_USED = "nonce used"  # something with this nonce is mined: maybe ours
    UNFUNDED = "unfunded"  # refused, nothing burned
    UNDERPRICED = "underpriced"  # refused: fees too low for this pool or this replacement
    REFUSED = "refused"  # refused for good: malformed, wrong chain, gas beyond the block


# First match wins. Wordings of geth, nethermind, erigon, besu, reth and anvil, lower case.
_WORDS: tuple[tuple[str, Fate], ...] = (
    ("already known", Fate.ACCEPTED),
    ("already imported", Fate.ACCEPTED),
    ("known transaction", Fate.ACCEPTED),
    ("alreadyknown", Fate.ACCEPTED),
    ("insufficient funds", Fate.UNFUNDED),
    ("insufficient balance", Fate.UNFUNDED),
    ("nonce too low", Fate.NONCE_USED),
    ("oldnonce", Fate.NONCE_USED),
    ("nonce is too low", Fate.NONCE_USED),
    ("underpriced", Fate.UNDERPRICED),
    ("fee too low", Fate.UNDERPRICED),
    ("feetoolow", Fate.UNDERPRICED),
    ("less than block base fee", Fate.UNDERPRICED),
    ("max fee per gas less", Fate.UNDERPRICED),
    ("exceeds block gas limit", Fate.REFUSED),
    ("intrinsic gas too low", Fate.REFUSED),
    ("invalid sender", Fate.REFUSED),
    ("invalid chain", Fate.REFUSED),
    ("chain id", Fate.REFUSED),
    ("invalid signature", Fate.REFUSED),
    ("oversized data", Fate.REFUSED),
    ("max initcode", Fate.REFUSED),
    ("not supported", Fate.REFUSED),
)


def classify(message: str) -> Fate:
    """Fate by the endpoint's words; what is not understood is UNKNOWN, never a failure."""
    text = message.lower()
    return next((fate for words, fate in _WORDS if words in text), Fate.UNKNOWN)


def broadcast(rpc: Rpc, raw: str) -> tuple[Fate, str]:
    """Send once; the fate and the endpoint's words."""
    try:
        rpc.call("eth_sendRawTransaction", [raw])
    except RpcError as error:
        return classify(error.message), error.message
    except EndpointError as error:
        return Fate.UNKNOWN, error.problem
    return Fate.ACCEPTED, ""
