"""What endpoints' answers to a broadcast mean for the fate of a transaction. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum

from keeper.errors import EndpointError, RpcError


class Fate(Enum):
    """What is known after a broadcast."""

    ACCEPTED = "accepted"  # in the pool, or was there already
    UNKNOWN = "unknown"  # no answer or one we do not understand: keep following, send again
    NONCE_USED = "nonce used"  # something with this nonce is mined: maybe ours
    UNFUNDED = "unfunded"  # refused, nothing burned
    UNDERPRICED = "underpriced"  # refused: fees too low for this pool or this replacement
    OVER_CAP = "over cap"  # refused: the endpoint bounds gas limit x max fee itself
    REFUSED = "refused"  # refused for good: malformed, wrong chain, gas beyond the block
    WITHHELD = "withheld"  # not offered to anybody: the keeper may not send now


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


def fate_of(error: Exception | None) -> tuple[Fate, str]:
    """Fate and words of one endpoint's answer."""
    if error is None:
        return Fate.ACCEPTED, ""
    if isinstance(error, RpcError):
        return classify(error.message), error.message
    return Fate.UNKNOWN, error.problem if isinstance(error, EndpointError) else str(error)


_STRENGTH = (
    Fate.ACCEPTED,
    Fate.UNKNOWN,  # it may be in that endpoint's pool: a refusal elsewhere proves nothing
    Fate.NONCE_USED,
    Fate.UNDERPRICED,
    Fate.OVER_CAP,
    Fate.UNFUNDED,
    Fate.REFUSED,
)
"""What counts when endpoints differ, first wins: any success, then whatever must be followed."""


def together(answers: Sequence[tuple[Fate, str]]) -> tuple[Fate, str]:
    """The fate after several endpoints answered; UNKNOWN if none did."""
    if not answers:
        return Fate.UNKNOWN, "no endpoint is healthy"
    return min(answers, key=lambda answer: _STRENGTH.index(answer[0]))


def fee_cap_wei(words: str) -> int:
    """What one transaction may cost at an endpoint that answered OVER_CAP, wei; 1 ETH if it does not say."""
    found = _CAP.search(words.lower())
    shown = Decimal(found[1]) if found else _USUAL_CAP
    return int((max(shown, 2 * _ROUNDING) - _ROUNDING) * 10**18)
