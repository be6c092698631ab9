"""A refusal for too many requests, among the answers to a batch."""

from typing import Any

from keeper.errors import RateLimitedError, RpcError

LIMIT_EXCEEDED = frozenset({-32005, 429})
_PAUSE_S = 1.0


def is_limit(error: RpcError) -> bool:
    """True if the endpoint refused for the number of requests, not for what was asked."""
    return error.code in LIMIT_EXCEEDED


def refuse_limited(results: list[Any], endpoint: str) -> list[Any]:
    """The results; RateLimitedError if one of them is a refusal for too many requests."""
    for result in results:
        if isinstance(result, RpcError) and is_limit(result):
            raise RateLimitedError(endpoint, result.method, "refused: too many requests", _PAUSE_S)
    return results
