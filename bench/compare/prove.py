"""Whether a contender does what it is measured for; otherwise the comparison is void."""
import json
import pathlib
import ssl
import time
import urllib.error
import urllib.request

from .contenders import API_KEY, FORWARD_KEY, Contender
from .place import Place
from .servers import BenchError, Server
from .setups import Setup

PATH = "/v1/chat/completions"


def post(place: Place, setup: Setup, port: int, body: dict, fields: dict[str, str]) -> tuple[int, str]:
    scheme, context = "http", None
    if setup.client_tls:
        scheme, context = "https", ssl.create_default_context(cafile=str(place.certificate))
    request = urllib.request.Request(f"{scheme}://127.0.0.1:{port}{PATH}", json.dumps(body).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {FORWARD_KEY}", **fields})
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def echo_request(model: str) -> dict:
    """Orders the head of the request as it arrived at the mock upstream."""
    orders = "bench id=00000001 bytes=0 events=0 gap_us=0 echo=1 pad=0:"
    return {"model": model, "messages": [{"role": "user", "content": orders}]}


def prove(place: Place, contender: Contender, setup: Setup, server: Server) -> None:
    """Each must forward, and those that are to do more must do it."""
    fields = dict(field.split(": ", 1) for field in contender.fields(place))
    status, body = post(place, setup, server.port, echo_request("gpt-4o"), fields)
    if status != 200:
        raise BenchError(f"{contender.title} answers with status {status}: {body[:500]}")
    if contender.swaps_key and (API_KEY not in body or FORWARD_KEY in body):
        raise BenchError(f"{contender.title} does not exchange the key: {body[:800]}")
    if contender.checks_model and post(place, setup, server.port, echo_request("o1-large"), fields)[0] != 403:
        raise BenchError(f"{contender.title} does not refuse a model that the key may not use")
    for log in contender.logs:
        wait_for_log(contender, server.folder / log)


def wait_for_log(contender: Contender, path: pathlib.Path) -> None:
    end = time.monotonic() + 5
    while not path.exists() or path.stat().st_size == 0:
        if time.monotonic() > end:
            raise BenchError(f"{contender.title} writes nothing to {path.name}")
        time.sleep(0.05)
