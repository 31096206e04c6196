"""What is measured, and how each is set up. A contender is a class; `everything` lists them in order."""
import json
import shutil
import time
import urllib.error
import urllib.request

from .proxies import HAPROXY, NGINX, NGINX_LUA_HTTP, NGINX_LUA_SERVER, PLAIN_HTTP
from .servers import PROXY_CORE, BenchError, Server, free_port

FORWARD_KEY, API_KEY = "fk-bench", "sk-bench"


class Contender:
    name = title = ""
    slow = False             # a gateway in a script language: fewer slow streams
    rewrites_json = False    # writes the JSON anew, so that texts are compared, not bytes
    swaps_key = False        # the upstream must see the API key
    checks_model = False     # other models must be refused
    logs = ()                # files that grow with each request
    only = None              # names of scenarios, or all
    patience = 20            # seconds to start

    def missing(self, place):
        """Why it cannot be measured here, or None."""
        return None

    def fields(self, place):
        """Header fields that it needs on top."""
        return []

    def command(self, place, port, folder):
        """Its command line, and its environment."""
        raise NotImplementedError

    def start(self, place, suffix=""):
        folder = place.folder(self.name + suffix)
        port = free_port()
        command, environment = self.command(place, port, folder)
        server = Server(self.title, list(map(str, command)), folder, PROXY_CORE, environment, port, self.patience)
        server.folder = folder
        return server

    def load_arguments(self, place):
        fields = [word for field in self.fields(place) for word in ("--field", field)]
        return fields + (["--text-only"] if self.rewrites_json else [])


class Direct(Contender):
    name, title = "direct", "direct"

    def start(self, place, suffix=""):
        return None


class Relay(Contender):
    name, title = "relay", "TCP relay"

    def start(self, place, suffix=""):
        server = Server(self.title, [str(place.tools / "bench_relay"), str(place.upstream_port)],
                        place.folder(self.name + suffix), PROXY_CORE)
        server.folder = place.folder(self.name + suffix)
        return server


class Nginx(Contender):
    name, title = "nginx", "nginx"
    logs = ("access.log",)
    buffers = ""  # nginx's own: 4 KiB
    modules, http, server = "", PLAIN_HTTP, ""

    def missing(self, place):
        return None if shutil.which("nginx") else "nginx is not installed: scripts/install-deps bench"

    def command(self, place, port, folder):
        path = folder / "nginx.conf"
        path.write_text(NGINX.format(
            folder=folder, port=port, upstream=place.upstream_port, connections=place.connections,
            files=place.file_limit, modules=self.modules, buffers=self.buffers,
            http=self.http.replace("@FOLDER@", str(folder)), server=self.server))
        return ["nginx", "-e", folder / "start.error", "-c", path], {}


class NginxLargeBuffers(Nginx):
    name, title = "nginx-16k", "nginx, 16 KiB buffers"
    buffers = "proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k;"
    only = ("json-30k",)


class NginxLua(Nginx):
    name, title = "nginx-lua", "nginx + Lua, equal work"
    logs = ("access.log", "chat.log")
    swaps_key = checks_model = True
    modules = ("load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
               "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;")
    http, server = NGINX_LUA_HTTP, NGINX_LUA_SERVER

    def missing(self, place):
        found = shutil.os.path.exists("/usr/lib/nginx/modules/ngx_http_lua_module.so")
        return super().missing(place) or (None if found else "nginx's Lua module is not installed: scripts/install-deps bench")


class Haproxy(Contender):
    name, title = "haproxy", "HAProxy"
    logs = ("output",)

    def missing(self, place):
        return None if shutil.which("haproxy") else "haproxy is not installed: scripts/install-deps bench"

    def command(self, place, port, folder):
        path = folder / "haproxy.cfg"
        path.write_text(HAPROXY.format(port=port, upstream=place.upstream_port, connections=place.connections // 2))
        return ["haproxy", "-db", "-f", path], {}


class Aifd(Contender):
    name, title = "aifd-log", "aifd, access log"
    logs = ("access.log",)
    settings = {"ACCESS_LOG": "access.log"}

    def missing(self, place):
        return None if shutil.which(place.binary) else f"{place.binary} is not there"

    def command(self, place, port, folder):
        route = [{"base_url": f"http://127.0.0.1:{place.upstream_port}", "route": "/", "type": "openai"}]
        environment = {"FORWARD_CONFIG": json.dumps(route), "ADMIN_SOCKET": "off", **self.settings}
        return [place.binary, "run", "--host", "127.0.0.1", "--port", port, "--workers", 1], environment


class AifdOff(Aifd):
    name, title = "aifd-off", "aifd, features off"
    logs = ()
    settings = {"ACCESS_LOG": "off"}


class AifdModel(Aifd):
    name, title = "aifd-model", "aifd, keys, limit and models, no conversation log"
    swaps_key = checks_model = True
    only = ("json-600", "body-100k")
    settings = {
        "ACCESS_LOG": "access.log",
        "IP_WHITELIST": "127.0.0.0/8,10.0.0.0/8",
        "REQUIRE_FORWARD_KEY": "true",
        "FORWARD_KEY_CONFIG": json.dumps({"0": ["fk-other"], "1": [FORWARD_KEY]}),
        "OPENAI_API_KEY_CONFIG": json.dumps({API_KEY: [0, 1]}),
        "LEVEL_MODELS": json.dumps({"1": ["gpt-4o*", "gpt-5*"]}),
        "REQ_RATE_LIMIT": json.dumps({"/v1/chat/completions": "1000000000/minute"}),
    }


class AifdAll(AifdModel):
    name, title = "aifd-all", "aifd, everything on"
    logs = ("access.log", "Log/openai/chat/chat.log")
    only = None
    settings = {**AifdModel.settings, "LOG_OPENAI": "true", "LOG_KEEP": "2"}


ALL = [Direct(), Relay(), Nginx(), NginxLargeBuffers(), NginxLua(), Haproxy(), AifdOff(), Aifd(), AifdModel(), AifdAll()]


def post(port, path, body, fields):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {FORWARD_KEY}", **fields})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def echo_request(model):
    """Orders the head of the request as it arrived at the mock upstream."""
    orders = "bench id=00000001 bytes=0 events=0 gap_us=0 echo=1 pad=0:"
    return {"model": model, "messages": [{"role": "user", "content": orders}]}


def prove(contender, server, place):
    """Each must forward, and those that are to do more must do it; otherwise the comparison is void."""
    fields = dict(field.split(": ", 1) for field in contender.fields(place))
    path = "/v1/chat/completions"
    status, body = post(server.port, path, echo_request("gpt-4o"), fields)
    if status != 200:
        raise BenchError(f"{contender.title} answers with status {status}: {body[:500]}")
    if contender.swaps_key and (API_KEY not in body or FORWARD_KEY in body):
        raise BenchError(f"{contender.title} does not exchange the key: {body[:800]}")
    if contender.checks_model and post(server.port, path, echo_request("o1-large"), fields)[0] != 403:
        raise BenchError(f"{contender.title} does not refuse a model that the key may not use")
    for log in contender.logs:
        wait_for_log(contender, server.folder / log)


def wait_for_log(contender, path):
    end = time.monotonic() + 5
    while not path.exists() or path.stat().st_size == 0:
        if time.monotonic() > end:
            raise BenchError(f"{contender.title} writes nothing to {path.name}")
        time.sleep(0.05)
