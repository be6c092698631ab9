"""What a person orders while a keeper runs: a file that the keeper picks up at its next tick, and its answer.

Only the process that holds the journal may sign and write; a command beside it hands its order over. An order
outlives a crash of either side, is carried out at most a few minutes after it was given, and may be carried out
twice (after a crash in between), which is why every action behind it must bear that.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keeper.clock import Clock, system_clock
from keeper.ops.control import write_durably

ACTIONS = ("cancel", "speed-up", "abandon")
GOOD_FOR_S = 600
"""An older order is answered with a refusal: who gave it does not wait any more."""
_KEEP_ANSWERS_S = 86_400


@dataclass(frozen=True, slots=True)
class Request:
    """One order about one intent."""

    id: str
    action: str
    intent_id: str
    asked_at: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order."""

    done: bool
    text: str
    answered_at: int


class Requests:
    """The orders of one keeper, in one directory."""

    def __init__(self, directory: Path, clock: Clock = system_clock) -> None:
        self._directory = directory
        self._clock = clock

    def ask(self, action: str, intent_id: str) -> Request:
        """Leave an order; it is durable when this returns. ControlError if it cannot be."""
        now = int(self._clock())
        request = Request(f"{now:012d}-{secrets.token_hex(4)}", action, intent_id, now)
        write_durably(self._directory / f"{request.id}.json", asdict(request))
        return request

    def answer(self, request: Request) -> Answer | None:
        """What became of an order; None while it waits."""
        content = _read(self._directory / f"{request.id}.answer")
        try:
            return Answer(bool(content["done"]), str(content["text"]), int(content["answered_at"]))
        except (KeyError, TypeError, ValueError):
            return None

    def waiting(self) -> tuple[Request, ...]:
        """Orders without an answer, oldest first; what is no order is left alone."""
        found = (_request(_read(path)) for path in sorted(self._directory.glob("*.json")))
        return tuple(r for r in found if r is not None and self.answer(r) is None)

    def carry_out(self, act: Callable[[Request], str]) -> tuple[tuple[Request, Answer], ...]:
        """Let `act` do what waits; its text, or that of what it raises, is the answer."""
        done = []
        for request in self.waiting():
            answer = self._carried_out(request, act)
            write_durably(self._directory / f"{request.id}.answer", asdict(answer))
            (self._directory / f"{request.id}.json").unlink(missing_ok=True)
            done.append((request, answer))
        if done:
            self._forget()
        return tuple(done)

    def _carried_out(self, request: Request, act: Callable[[Request], str]) -> Answer:
        from keeper.errors import GimbalError

        now = int(self._clock())
        if now - request.asked_at > GOOD_FOR_S:
            age_s = now - request.asked_at
            return Answer(
                False, f"the order is {age_s} s old: give it again if it still holds", now
            )
        try:
            return Answer(True, act(request), now)
        except GimbalError as error:
            return Answer(False, str(error), now)

    def _forget(self) -> None:
        """Old answers: who asked has read them or never will."""
        for path in self._directory.glob("*.answer"):
            answered = _read(path).get("answered_at")
            if not isinstance(answered, int) or self._clock() - answered > _KEEP_ANSWERS_S:
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _request(content: dict[str, Any]) -> Request | None:
    try:
        request = Request(**content)
    except TypeError:
        return None
    good = request.action in ACTIONS and all(
        isinstance(text, str) for text in (request.id, request.intent_id)
    )
    return request if good and type(request.asked_at) is int else None
