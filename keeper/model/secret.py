"""Texts that must not be seen, and things that must not leave the process."""

from collections.abc import Callable
from typing import Any, NoReturn


class Unpicklable:
    """Never leaves the process as bytes: neither by pickle nor by copy."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied")


class Secret(Unpicklable):
    """A text that no repr, format or traceback with local values shows; `reveal` is the only way to it."""

    __slots__ = ("__reveal",)

    def __init__(self, text: str) -> None:
        self.__reveal: Callable[[], str] = lambda: text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.__reveal())

    def reveal(self) -> str:
        """The text itself: for the call that needs it, never into a variable of a frame that may raise."""
        return self.__reveal()
