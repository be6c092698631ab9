"""The process a foreign strategy lives in: `python -m keeper.hosted.worker MEGABYTES`.

The first message is the strategy's name and parameters, each later one a question (eight bytes of length, then a
pickle that the keeper made). Answers leave on what was standard output, one line of JSON each. What the strategy
itself prints goes nowhere.
"""

import ctypes
import json
import os
import pickle
import resource
import signal
import sys
from contextlib import suppress

from keeper.config.strategy import load_strategy
from keeper.hosted.answer import encode_target

_PR_SET_PDEATHSIG = 1
_LONGEST_TEXT = 300


def main(megabytes: int) -> None:
    """Make the strategy, say so, and answer until the keeper closes the pipe."""
    _end_with_the_keeper()
    answers = os.dup(1)
    os.dup2(2, 1)
    limit = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    number = -1
    try:
        name, parameters = pickle.loads(_message() or b"")  # noqa: S301 - written by the keeper itself
        strategy = load_strategy(name, parameters)
        _write(answers, json.dumps({"ready": _recorded(strategy)}).encode() + b"\n")
    except BaseException as error:  # noqa: BLE001 - whatever an import of foreign code may raise
        _write(answers, _fault(number, error))
        return
    while text := _message():
        try:
            number, market, risk = pickle.loads(text)  # noqa: S301 - written by the keeper itself
            line = encode_target(number, strategy(market, risk))
        except BaseException as error:  # noqa: BLE001 - whatever foreign code may raise, exits included
            line = _fault(number, error)
        _write(answers, line)


def _recorded(strategy: object) -> dict[str, object]:
    """As the journal keeps it; nothing of it if it is not of plain values."""
    from keeper.journal.context import described

    name, parameters = described(strategy)
    try:
        json.dumps(parameters)
    except (TypeError, ValueError):
        parameters = None
    return {"strategy": name, "parameters": parameters}


def _message() -> bytes:
    head = sys.stdin.buffer.read(8)
    return sys.stdin.buffer.read(int.from_bytes(head, "big")) if len(head) == 8 else b""


def _end_with_the_keeper() -> None:
    """A keeper that is killed cannot end a strategy that hangs; on Linux the kernel does."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _fault(number: int, error: BaseException) -> bytes:
    text = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_TEXT]
    return (json.dumps({"id": number, "fault": text}) + "\n").encode()


def _write(to: int, line: bytes) -> None:
    while line:
        line = line[os.write(to, line) :]


if __name__ == "__main__":
    main(int(sys.argv[1]))
