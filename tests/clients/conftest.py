import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from fake_openai import FakeOpenAI  # noqa: E402
from harness import Daemon, routes  # noqa: E402


@pytest.fixture(scope="module")
def fake():
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture(scope="module")
def daemon(fake):
    with Daemon({"FORWARD_CONFIG": routes(("/", fake.url)), "OPENAI_API_KEY_CONFIG": '{"sk-real": [0]}',
                 "FORWARD_KEY_CONFIG": '{"fk-mine": 0}', "BENCHMARK_MODE": "true"}) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def verified(fake):
    fake.requests.clear()
    fake.left.clear()
    yield
    fake.verify()
    for request in fake.requests:
        assert b"fk-mine" not in request.raw
        assert request.get("authorization") == "Bearer sk-real"
