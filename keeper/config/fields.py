"""What settings are made of: the types of their values, and how one says its unit, default, bounds and meaning."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keeper.chain.urls import scheme_of
from keeper.model.address import checked_address

_VAULT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def _http(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value


def _websocket(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("must start with ws:// or wss://")
    return value


def _endpoint_address(value: str) -> str:
    if not scheme_of(value):
        raise ValueError(
            "must start with http://, https://, ws:// or wss://, or be a path to a unix socket"
        )
    return value


def _timeouts(value: dict[str, float]) -> dict[str, float]:
    if any(not 0 < seconds <= 600 for seconds in value.values()):
        raise ValueError("must be from 0 to 600 s for every method")
    return value


EndpointUrl = Annotated[str, AfterValidator(_endpoint_address)]
Timeouts = Annotated[dict[str, float], AfterValidator(_timeouts)]


def _variable_name(value: str) -> str:
    """Not quoted when it is refused: a password may stand where its variable's name should."""
    if not _VARIABLE_NAME.fullmatch(value):
        raise ValueError("must be the name of an environment variable, in capitals, not its value")
    return value


def _vault_name(value: str) -> str:
    if not _VAULT_NAME.fullmatch(value):
        raise ValueError("must be up to 32 small letters, digits, - and _")
    return value


def _loopback(value: str) -> str:
    host, _, port = value.rpartition(":")
    if (
        host not in {"127.0.0.1", "localhost", "[::1]"}
        or not port.isdecimal()
        or int(port) > 65_535
    ):
        raise ValueError("must be 127.0.0.1:port: what is shown there is for this machine only")
    return value


Address = Annotated[str, AfterValidator(checked_address)]
AddressOrNone = Annotated[str, AfterValidator(lambda value: value and checked_address(value))]
"""Empty for none."""
HttpUrl = Annotated[str, AfterValidator(_http)]
LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
VaultName = Annotated[str, AfterValidator(_vault_name)]
WebsocketUrl = Annotated[str, AfterValidator(_websocket)]


def setting(default: Any, meaning: str, *, unit: str = "", **bounds: Any) -> Any:
    """One setting."""
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **bounds)


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
