"""node/cache.test.mjs against a daemon that answers from its cache."""
from harness import CacheUpstream, caching
from test_openai_node import run_node


def test_sdk():
    with CacheUpstream() as upstream, caching(upstream, DEFAULT_REQUEST_CACHING_VALUE="true") as daemon:
        run_node("cache.test.mjs", AIFD_URL=daemon.url)
        kinds = {request.target for request in upstream.requests}
        assert kinds == {"/v1/chat/completions", "/v1/responses", "/v1/embeddings"}
