"""The relay of the settings: reached over HTTP, and refused with one line where it cannot be used."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from keeper.app.relay import build_relay, http_post
from keeper.errors import EndpointError, KeystoreError, SettingError
from tests.rpc_server import rpc_server
from tests.unit.config.test_load import settings

KEY = "0x" + "11" * 32
RELAY = '[relay]\nurl = "http://127.0.0.1:9/secret-path-0123456789abcdef"\n'


def test_a_body_is_posted_and_the_answer_comes_back() -> None:
    with rpc_server(lambda body: b'{"result":"' + body + b'"}') as url:
        assert (
            http_post(url, 2.0)(b"ping", {"X-Flashbots-Signature": "a:b"}) == b'{"result":"ping"}'
        )


def test_an_endless_answer_is_cut() -> None:
    with rpc_server(lambda _: b"x" * (2**20 + 1)) as url, pytest.raises(EndpointError):
        http_post(url, 2.0)(b"{}", {})


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"


@pytest.mark.parametrize("at_once", [b"", HEAD])
def test_a_relay_that_answers_a_byte_at_a_time_is_not_waited_for(at_once: bytes) -> None:
    """The whole answer has one deadline: patience that begins anew with each byte would never end."""
    gone = threading.Event()

    def drip(server: socket.socket) -> None:
        line, _ = server.accept()
        with line, suppress(OSError):
            line.recv(2**16)
            line.sendall(at_once)
            for byte in (HEAD + b" " * 60).removeprefix(at_once):
                if gone.wait(0.05):
                    return
                line.sendall(bytes([byte]))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(EndpointError):
                http_post(f"http://127.0.0.1:{server.getsockname()[1]}", 0.4)(b"{}", {})
        finally:
            gone.set()
            thread.join()


def test_a_relay_that_is_away_is_the_relays_fault_and_its_address_is_not_told() -> None:
    """K-09."""
    with pytest.raises(EndpointError) as told:
        http_post("http://127.0.0.1:9/secret-path-0123456789abcdef", 0.5)(b"{}", {})
    assert "secret-path" not in str(told.value)


def test_without_a_relay_there_is_none(tmp_path: Path) -> None:
    assert build_relay(settings(tmp_path).settings, {}) is None


def test_a_relay_needs_a_key_of_its_own_and_a_bad_one_is_not_shown(tmp_path: Path) -> None:
    """K-09."""
    chosen = settings(tmp_path, RELAY).settings
    assert build_relay(chosen, {"GIMBAL_RELAY_KEY": KEY}) is not None
    with pytest.raises(SettingError, match="GIMBAL_RELAY_KEY"):
        build_relay(chosen, {})
    with pytest.raises(KeystoreError) as told:
        build_relay(chosen, {"GIMBAL_RELAY_KEY": "0x1234beef"})
    assert "beef" not in str(told.value)
