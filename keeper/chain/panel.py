"""The endpoints of a pool, and the few threads that ask them at the same time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from keeper.chain.endpoint import Endpoint
from keeper.chain.member import Member
from keeper.chain.round import Round
from keeper.errors import EndpointError, ReadError

_BUSIEST = 2
"""Requests an endpoint may leave open before rounds go on without it: a hanging one must not take every thread."""
_MOST = 4
"""Requests it may have open with those that are sent to it all the same."""

T = TypeVar("T")


class Panel:
    """Members and their threads. Any thread may start a round."""

    def __init__(self, members: Sequence[Member], threads: Executor | None = None) -> None:
        self.members = tuple(members)
        self._threads = threads
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
        self,
        members: Sequence[Member],
        question: Callable[[Endpoint], T],
        *,
        any_chain: bool = False,
    ) -> Round[T | ReadError]:
        """Put a question to all of them at once; `any_chain` if it cannot matter which they serve."""
        found: Round[T | ReadError] = Round(tuple(m.name for m in members))
        for member in members:
            self._submit(member, lambda m: m.ask(question, any_chain=any_chain), found)
        return found

    def _submit(
        self, member: Member, question: Callable[[Member], T], answers: Round[T | ReadError]
    ) -> None:
        def work() -> None:
            try:
                answer: T | ReadError = question(member)
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
            if member.busy >= _MOST:
                answers.put(member.name, EndpointError(member.name, "", "hangs: not asked again"))
                return
            if self._threads is None:
                workers = _MOST * len(self.members)
                self._threads = ThreadPoolExecutor(workers, thread_name_prefix="endpoint")
            member.busy += 1
            threads = self._threads
        threads.submit(work)
