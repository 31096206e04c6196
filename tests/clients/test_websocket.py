"""A WebSocket client and server of the websockets library, with the daemon between them."""
import contextlib
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from harness import Daemon, routes


def realtime_if_offered(_socket, offered):
    return "realtime" if "realtime" in offered else None


def echo(socket) -> None:
    for message in socket:
        if message == "close please":
            socket.close(4001, "as asked")
            return
        socket.send(message)


@pytest.fixture(scope="module")
def server():
    with serve(echo, "127.0.0.1", 0, select_subprotocol=realtime_if_offered, max_size=None,
               process_request=lambda socket, request: note(request)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


seen = []


def note(request) -> None:
    seen.append(request)


@pytest.fixture(scope="module")
def tunnel(server):
    port = server.socket.getsockname()[1]
    with Daemon({"FORWARD_CONFIG": routes(("/", f"http://127.0.0.1:{port}")), "OPENAI_API_KEY_CONFIG": '{"sk-real": [0]}',
                 "FORWARD_KEY_CONFIG": '{"fk-mine": 0}'}) as daemon:
        yield daemon


def open_socket(tunnel, **more):
    return connect(tunnel.url.replace("http", "ws", 1) + "/v1/realtime?model=gpt-4o", max_size=None, proxy=None,
                   additional_headers={"Authorization": "Bearer fk-mine"}, **more)


def test_text_binary_and_subprotocol(tunnel):
    with open_socket(tunnel, subprotocols=["realtime", "openai-beta.realtime-v1"]) as socket:
        assert socket.subprotocol == "realtime"
        for message in ("hello", "\u4f60\u597d" * 1000, b"\x00\xff" * 50000):
            socket.send(message)
            assert socket.recv(timeout=30) == message
    assert seen[-1].headers["Authorization"] == "Bearer sk-real"
    assert seen[-1].path == "/v1/realtime?model=gpt-4o"


def test_forward_key_in_the_subprotocol(tunnel):
    with open_socket(tunnel, subprotocols=["realtime", "openai-insecure-api-key.fk-mine"]) as socket:
        socket.send("x")
        assert socket.recv(timeout=30) == "x"
    assert seen[-1].headers["Sec-WebSocket-Protocol"].replace(" ", "") == "realtime,openai-insecure-api-key.sk-real"


def test_close_code_passes(tunnel):
    with open_socket(tunnel) as socket:
        socket.send("close please")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
    assert closed.value.rcvd.code == 4001 and closed.value.rcvd.reason == "as asked"


def test_ping_and_large_messages(tunnel):
    with open_socket(tunnel) as socket:
        assert socket.ping().wait(30)
        large = b"x" * (5 << 20)
        socket.send(large)
        assert socket.recv(timeout=60) == large


def test_refusal_passes(server, tunnel):
    with pytest.raises(InvalidStatus) as refused:
        connect(tunnel.url.replace("http", "ws", 1) + "/v1/v1/realtime", proxy=None).close()
    assert refused.value.response.status_code == 404


def test_many_sockets(tunnel):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(open_socket(tunnel)) for _ in range(20)]
        for number, socket in enumerate(sockets):
            socket.send(str(number))
        assert [socket.recv(timeout=30) for socket in sockets] == [str(number) for number in range(20)]
