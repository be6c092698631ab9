"""The private relay of the settings, reached over HTTP."""

from collections.abc import Mapping

from keeper.chain.urls import public_name
from keeper.chain.wire import NoAnswer
from keeper.config.settings import Settings
from keeper.errors import EndpointError, KeystoreError, SettingError
from keeper.execution.ports import Relay
from keeper.execution.relay import Authentication, FlashbotsRelay, Post, RelayMethod

_MAX_ANSWER_BYTES = 2**20


def build_relay(settings: Settings, environment: Mapping[str, str]) -> Relay | None:
    """The relay; None without one. SettingError or KeystoreError where it cannot be used."""
    relay = settings.relay
    if relay.url is None:
        return None
    variable = relay.authentication_key_env
    key = environment.get(variable)
    if not key:
        remedy = f"set ${variable} to a fresh key that holds no money"
        raise SettingError("relay.authentication_key_env", "there is no key for the relay", remedy)
    try:
        authentication = Authentication(key)
    except Exception:  # noqa: BLE001 - whatever the library says may quote the key
        authentication = None
    if authentication is None:
        raise KeystoreError(f"${variable}", "is not a private key", "set 64 hexadecimal digits")
    name = public_name(relay.url)
    post = http_post(relay.url, relay.timeout_s)
    return FlashbotsRelay(name, post, authentication, method=RelayMethod(relay.method))


def http_post(url: str, timeout_s: float) -> Post:
    """Posts JSON to one address; EndpointError, which never shows the address whole, when none comes."""
    from keeper.chain.transport import HttpLine

    line, name = HttpLine(url), public_name(url)

    def post(body: bytes, headers: Mapping[str, str]) -> bytes:
        try:
            status, answer = line.post(body, headers, timeout_s)
        except NoAnswer as error:
            raise EndpointError(name, "relay", str(error)) from None
        if status >= 300 and not answer.startswith(b"{"):
            raise EndpointError(name, "relay", f"answered HTTP {status}")
        if len(answer) > _MAX_ANSWER_BYTES:
            raise EndpointError(name, "relay", "answered too much")
        return answer

    return post
