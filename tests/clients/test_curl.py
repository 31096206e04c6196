"""curl, with the flags that people use."""
import json
import shutil
import subprocess

import pytest

from fake_openai import FILE, TEXT

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
BODY = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}'
KEY = ["-H", "Authorization: Bearer fk-mine"]


def curl(*arguments: str, code: int = 0, stdin: bytes = b"") -> bytes:
    result = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*", *KEY, *arguments],
                            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert result.returncode == code, (result.returncode, result.stderr, result.stdout[:500])
    return result.stdout


def test_chat(daemon):
    answer = json.loads(curl(daemon.url + "/v1/chat/completions", "-H", "Content-Type: application/json", "-d", BODY))
    assert answer["choices"][0]["message"]["content"] == TEXT


def test_chat_streamed(daemon):
    text = curl("-N", daemon.url + "/v1/chat/completions", "-d", BODY[:-1] + ',"stream":true}').decode()
    assert text.count("data: ") > 20 and text.endswith("data: [DONE]\n\n")


def test_http10(daemon):
    text = curl("--http1.0", daemon.url + "/v1/chat/completions", "-d", BODY[:-1] + ',"stream":true}').decode()
    assert text.endswith("data: [DONE]\n\n")


def test_large_body_with_expect(daemon, fake, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(FILE * 20)
    curl(daemon.url + "/v1/files", "-H", "Expect: 100-continue", "-F", "purpose=assistants", "-F", f"file=@{large}")
    assert FILE * 20 in fake.requests[0].body


def test_chunked_upload_from_a_pipe(daemon, fake):
    curl(daemon.url + "/v1/files", "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/octet-stream",
         "--data-binary", "@-", stdin=FILE * 10)
    assert fake.requests[0].body == FILE * 10


def test_head_and_status(daemon):
    assert curl("-o", "/dev/null", "-w", "%{http_code} %{content_type}", daemon.url + "/healthz") == b"200 application/json"
    assert b"404" in curl("-I", daemon.url + "/v1/v1/models").splitlines()[0]


def test_download(daemon):
    assert curl(daemon.url + "/v1/files/file-1/content") == FILE


def test_a_cut_stream_is_an_error_of_transfer(daemon):
    """18: partial file, 56: failure in receiving."""
    body = BODY.replace("gpt-4o-mini", "cut")
    result = subprocess.run(["curl", "-sS", "--max-time", "30", "--noproxy", "*", *KEY, daemon.url + "/v1/chat/completions",
                             "-d", body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert result.returncode in (18, 56), result


def test_two_requests_on_one_connection(daemon):
    out = curl("-w", "%{num_connects}\n", daemon.url + "/v1/models", daemon.url + "/v1/models", "-o", "/dev/null",
               "-o", "/dev/null")
    assert out == b"1\n0\n"


def test_gzip_is_decoded_by_the_client_only(daemon):
    answer = json.loads(curl("--compressed", daemon.url + "/v1/models"))
    assert answer["data"][0]["id"] == "gpt-4o-mini"
