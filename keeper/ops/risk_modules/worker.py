"""The process that one module lives in: `python -m keeper.ops.risk_modules.worker NAME VALUE MEGABYTES`.

Questions come in on standard input (eight bytes of length, then a pickle that the keeper made); answers leave on
what was standard output, one line of JSON each. What the module itself prints goes nowhere.
"""

import ctypes
import importlib.metadata
import json
import os
import pickle
import resource
import signal
import sys
from contextlib import suppress

from keeper.ops.risk_modules.answer import LONGEST_TEXT, encode_answer

_PR_SET_PDEATHSIG = 1
READY = b'{"ready": true}\n'


def main(name: str, value: str, megabytes: int) -> None:
    """Import the module, say so, and answer until the keeper closes the pipe."""
    _end_with_the_keeper()
    answers = os.dup(1)
    os.dup2(2, 1)
    limit = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        module = importlib.metadata.EntryPoint(name, value, "gimbal.risk").load()
        os.write(answers, READY)
    except BaseException as error:  # noqa: BLE001 - whatever an import of foreign code may raise
        os.write(answers, _fault(-1, error))
        return
    number = 0
    while len(head := sys.stdin.buffer.read(8)) == 8:
        text = sys.stdin.buffer.read(int.from_bytes(head, "big"))
        try:
            number, market, report = pickle.loads(text)  # noqa: S301 - written by the keeper itself
            line = encode_answer(number, module(market, report))
        except BaseException as error:  # noqa: BLE001 - whatever foreign code may raise, exits included
            line = _fault(number, error)
        _write(answers, line)


def _end_with_the_keeper() -> None:
    """A keeper that is killed cannot end a module that hangs; on Linux the kernel does."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _fault(number: int, error: BaseException) -> bytes:
    text = f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
    return (json.dumps({"id": number, "fault": text}) + "\n").encode()


def _write(to: int, line: bytes) -> None:
    while line:
        line = line[os.write(to, line) :]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
