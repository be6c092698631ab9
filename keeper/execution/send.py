"""Broadcasting one signed transaction, and what the endpoint's answer means for its fate."""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum

from keeper.errors import EndpointError, RpcError
from keeper.execution.ports import AttemptBook, Rpc
from keeper.model.attempt import Attempt
from keeper.model.outcome import AttemptStatus


class Fate(Enum):
    """What is known after a broadcast."""

    ACCEPTED = "accepted"  # in the pool, or was there already
    UNKNOWN = "unknown"  # no answer or one we do not understand: keep following, send again
    NONCE_USED = "nonce used"  # something with this nonce is mined: maybe ours
    UNFUNDED = "unfunded"  # refused, nothing burned
    UNDERPRICED = "underpriced"  # refused: fees too low for this pool or this replacement
    OVER_CAP = "over cap"  # refused: the endpoint bounds gas limit x max fee itself
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
    ("exceeds the configured cap", Fate.OVER_CAP),
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


_CAP = re.compile(r"configured cap \((\d{1,9}(?:\.\d{1,18})?) ether\)")
_USUAL_CAP = Decimal(1)
_ROUNDING = Decimal("0.005")
"""The endpoint shows hundredths: the true cap may be half of one less."""


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


def fee_cap_wei(words: str) -> int:
    """What one transaction may cost at an endpoint that answered OVER_CAP, wei; 1 ETH if it does not say."""
    found = _CAP.search(words.lower())
    shown = Decimal(found[1]) if found else _USUAL_CAP
    return int((max(shown, 2 * _ROUNDING) - _ROUNDING) * 10**18)


def publish(
    rpc: Rpc, book: AttemptBook, attempt: Attempt, lowered: Callable[[Attempt, int], Attempt | None]
) -> tuple[Attempt, Fate, str]:
    """Journal, then broadcast (K-03); what was sent last, its fate and the endpoint's words.

    An endpoint that bounds the cost of a transaction gets it once more, `lowered` to the max fee that fits.
    """
    book.record_attempt(attempt)
    fate, words = broadcast(rpc, attempt.raw)
    if fate is not Fate.OVER_CAP:
        return attempt, fate, words
    fitting = lowered(attempt, fee_cap_wei(words) // attempt.gas_limit)
    if fitting is None:
        return attempt, fate, words
    book.mark(attempt.tx_hash, AttemptStatus.REFUSED, words)
    book.record_attempt(fitting)
    return fitting, *broadcast(rpc, fitting.raw)
