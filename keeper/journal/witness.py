"""Remembers what the ends answered to a tick, so that its decision can be made again from the journal alone.

A decision depends on more than the readings: reverts counted, a cooldown known to the executor, what risk modules
said. The witness stands before such an end, passes every call on and keeps the answers of the questions.
"""

import functools
from collections.abc import Callable
from typing import Any

from keeper.journal.codec import CodecError, decode_loose, encode_loose

_ACTS = frozenset(
    {
        "close",
        "follow",
        "mark",
        "move_intent",
        "next_fence",
        "record_attempt",
        "record_cost",
        "record_decision",
        "record_outcome",
        "rehearse",
        "reopen",
        "settle",
        "start",
        "submit",
    }
)
"""Calls that change the world: never replayed."""


def question(end: str, method: str, args: tuple[Any, ...]) -> str:
    """The name under which an answer is kept; arguments that are whole states are not told apart."""
    plain = [str(a) if isinstance(a, str | int | float | None) else "..." for a in args]
    return f"{end}.{method}({', '.join(plain)})"


class Answers:
    """Of one tick; the next one begins with none."""

    def __init__(self) -> None:
        self._given: dict[str, Any] = {}

    def keep(self, name: str, answer: Any) -> None:
        """The newest answer to a question."""
        self._given[name] = answer

    def clear(self) -> None:
        """Forget all."""
        self._given.clear()

    def text(self) -> str | None:
        """For the journal; an answer that is no plain value is left out, and a replay will say that it lacks."""
        texts = {}
        for name, answer in self._given.items():
            try:
                encode_loose(answer)
            except CodecError:
                continue
            texts[name] = answer
        return encode_loose(texts) if texts else None


class Witness:
    """Stands before an end and listens."""

    def __init__(self, name: str, end: Any, answers: Answers) -> None:
        self._name, self._end, self._answers = name, end, answers

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._end, method)
        if method in _ACTS:
            return found
        if not callable(found):
            self._answers.keep(f"{self._name}.{method}", found)
            return found
        heard = self._heard(method, found)
        self.__dict__[method] = heard  # the next call does not come here
        return heard

    def _heard(self, method: str, found: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(found)
        def call(*args: Any, **named: Any) -> Any:
            answer = found(*args, **named)
            self._answers.keep(question(self._name, method, (*args, *named.values())), answer)
            return answer

        return call


def read_answers(text: str | None) -> dict[str, Any]:
    """What was kept; CodecError for what cannot be read."""
    found = decode_loose(text) if text else {}
    if not isinstance(found, dict):
        raise CodecError("answers are no mapping")
    return found
