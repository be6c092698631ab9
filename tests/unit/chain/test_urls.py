"""No part of an address that may be a key is ever shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.urls import public_name, secret_parts


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@node.example/v3/0123secret", "https://node.example"),
        ("http://10.0.0.1:8545/?key=abc", "http://10.0.0.1:8545"),
        ("wss://node.example:443/ws/secret", "wss://node.example:443"),
        ("http://[::1]:8545/secret", "http://[::1]:8545"),
        ("http://u:secret@exa\u2100mple/", "?://?"),
        ("http://u:secret/x@127.0.0.1:9/", "?://?"),
        ("http://node.example/v3@secret", "?://?"),
        ("http://node.example/?a=b@secret", "?://?"),
        ("http://node.example:secret/", "http://node.example"),
        ("secret://node.example/", "?://node.example"),
        ("secret", "?://?"),
        ("", "?://?"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert public_name(url) == shown


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("http://127.0.0.1:8545", set()),
        ("https://node.example/v3/abcdefgh", {"v3/abcdefgh", "abcdefgh"}),
        ("https://node.example/?a=1&k=abcdefgh", {"a=1&k=abcdefgh", "abcdefgh"}),
        ("https://TOKEN:@node.example/", {"TOKEN:", "TOKEN"}),
        ("http://u:pass/x@127.0.0.1:9/", {"u:pass/x", "pass/x"}),
        ("http://u:abcdefg%2Fh@h/", {"u:abcdefg%2Fh", "abcdefg%2Fh", "u:abcdefg/h", "abcdefg/h"}),
        ("http://u:secret@exa\u2100mple/", {"u:secret", "secret"}),
    ],
)
def test_whatever_may_be_a_secret_is_known_whole_and_in_parts(url: str, secrets: set[str]) -> None:
    assert secret_parts(url) == secrets


@given(st.text(max_size=40))
def test_no_address_is_too_odd(rest: str) -> None:
    for url in (rest, "http://" + rest):
        public_name(url)
        secret_parts(url)
