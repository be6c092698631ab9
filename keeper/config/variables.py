"""Environment variables: what they hold is secret, and so may be what stands where their name should."""

import os
from collections.abc import Mapping

from keeper.config.sending import (
    PASSWORD_ENV,
    PRIVATE_KEY_ENV,
    PROTECTIVE_KEY_ENV,
    PROTECTIVE_PASSWORD_ENV,
    RELAY_KEY_ENV,
)
from keeper.model.secret import Secret, Unpicklable

_OURS = frozenset(
    {PASSWORD_ENV, PRIVATE_KEY_ENV, PROTECTIVE_KEY_ENV, PROTECTIVE_PASSWORD_ENV, RELAY_KEY_ENV}
)


class Environment(Unpicklable):
    """Environment variables that do not show themselves."""

    __slots__ = ("__get",)

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.__get = (os.environ if variables is None else variables).get

    def __repr__(self) -> str:
        return "Environment(***)"

    def secret(self, name: str) -> Secret | None:
        """The value of a variable, None if it is not set or empty."""
        value = self.__get(name)
        return Secret(value) if value else None

    def shown(self, name: str) -> str:
        """A variable's name for people: *** for what is no variable here, it may be the secret itself."""
        return name if name in _OURS or self.__get(name) is not None else "***"
