"""Runs node/*.test.mjs by Node's own test runner against a daemon with the small OpenAI behind it."""
import os
import pathlib
import shutil
import subprocess
import threading

import pytest
from websockets.sync.server import serve

from harness import Daemon, routes

NODE = pathlib.Path(__file__).resolve().parent / "node"


def run_node(name: str, **environment: str) -> None:
    if not shutil.which("node") or not (NODE / "node_modules" / "openai").is_dir():
        pytest.skip("Node.js or its test packages are not installed: scripts/test does that")
    result = subprocess.run(["node", "--test", name], cwd=NODE, env={**os.environ, **environment}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=110)
    assert result.returncode == 0, result.stdout


def test_sdk(daemon):
    run_node("openai.test.mjs", AIFD_URL=daemon.url)


def test_websocket():
    def echo(socket):
        for message in socket:
            socket.send(message)
    with serve(echo, "127.0.0.1", 0,
               select_subprotocol=lambda _, offered: "realtime" if "realtime" in offered else None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        with Daemon({"FORWARD_CONFIG": routes(("/", f"http://127.0.0.1:{port}"))}) as daemon:
            run_node("websocket.test.mjs", AIFD_URL=daemon.url)
        server.shutdown()
