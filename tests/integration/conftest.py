import tempfile

import pytest

from harness import Authority, Daemon, Upstream, routes


@pytest.fixture(scope="session")
def authority():
    with tempfile.TemporaryDirectory() as directory:
        yield Authority(directory)


@pytest.fixture(scope="module")
def shared_upstream(request):
    """A file's own kind of upstream, if it names one as UPSTREAM."""
    with getattr(request.module, "UPSTREAM", Upstream)() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def daemon(request, shared_upstream):
    """One daemon a file, with everything at `/` going to the upstream; a file's SETTINGS are added."""
    settings = getattr(request.module, "SETTINGS", {})
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url)), **settings}) as running:
        yield running


@pytest.fixture
def upstream(shared_upstream):
    """The file's upstream, as new; what reached it is checked when the test ends."""
    shared_upstream.reset()
    yield shared_upstream
    shared_upstream.verify()


@pytest.fixture
def client(daemon):
    with daemon.client() as client:
        yield client
