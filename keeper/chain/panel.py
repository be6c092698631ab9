"""The endpoints of a pool, and the few threads that ask them at the same time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from keeper.chain.endpoint import Endpoint
from keeper.chain.member import Member
from keeper.chain.round import Round
from keeper.errors import EndpointError, ReadError

_BUSIEST = 2
"""Requests an endpoint may leave open before rounds go on without it: a hanging one must not take every thread."""

T = TypeVar("T")


class Panel:
    """Members and their threads. Any thread may start a round."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self._threads: ThreadPoolExecutor | None = None
        self._guard = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """End what is under way."""
        with self._guard:
            self._closed = True
            threads = self._threads
        for member in self.members:
            member.endpoint.close()
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    def ranked(self, fit: Callable[[Member], bool]) -> list[Member]:
        """Who may be asked, the best first; then, as a last resort, those left out for failing."""
        able = sorted((m for m in self.members if fit(m)), key=lambda m: m.state.cost)
        now = [m for m in able if m.open()]
        last = [m for m in able if m not in now and m.honest()]
        return now + last or able

    def voters(self, k: int) -> list[Member]:
        """Who is asked to agree: everyone able; with fewer than k of them, also those left out for failing."""
        idle = [m for m in self.members if m.reads() and m.busy < _BUSIEST]
        now = [m for m in idle if m.open()]
        if len(now) < k:
            now += [m for m in idle if m not in now and m.honest()]
        return now

    def start(
        self, members: Sequence[Member], question: Callable[[Endpoint], T]
    ) -> Round[T | ReadError]:
        """Put a question to all of them at once."""
        found: Round[T | ReadError] = Round(tuple(m.name for m in members))
        for member in members:
            self._submit(member, question, found)
        return found

    def _submit(
        self, member: Member, question: Callable[[Endpoint], T], answers: Round[T | ReadError]
    ) -> None:
        def work() -> None:
            try:
                answer: T | ReadError = member.ask(question)
            except ReadError as error:
                answer = error
            except BaseException:
                answers.put(member.name, EndpointError(member.name, "", "was not asked"))
                raise
            finally:
                with self._guard:
                    member.busy -= 1
            answers.put(member.name, answer)

        with self._guard:
            if self._closed:
                raise EndpointError(member.name, "", "is closed")
            if self._threads is None:
                workers = _BUSIEST * len(self.members)
                self._threads = ThreadPoolExecutor(workers, thread_name_prefix="endpoint")
            member.busy += 1
            self._threads.submit(work)
