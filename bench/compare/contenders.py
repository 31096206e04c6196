"""What is measured, and how each is set up. A contender is a class; ALL lists them in order."""
import json
import pathlib
import shutil

from . import proxies
from .place import Place
from .servers import PROXY_CORE, Server, free_port
from .setups import BOTH_TLS, CACHED, PLAIN, TWO_WORKERS, UPSTREAM_TLS, Setup

Command = tuple[list, dict[str, str]]  # words, and the environment on top
EVERY_SETUP = (PLAIN, UPSTREAM_TLS, BOTH_TLS, CACHED, TWO_WORKERS)
FORWARD_KEY, API_KEY = "fk-bench", "sk-bench"


class Contender:
    name = title = ""
    slow = False             # a gateway in a script language: fewer slow streams
    rewrites_json = False    # writes the JSON anew, so that texts are compared, not bytes
    swaps_key = False        # the upstream must see the API key
    checks_model = False     # other models must be refused
    logs: tuple[str, ...] = ()               # files that grow with each request
    only: tuple[str, ...] | None = None      # names of scenarios, or all
    setups: tuple[Setup, ...] = (PLAIN,)     # in which it can be measured
    patience = 20            # seconds to start

    def missing(self, place: Place) -> str | None:
        """Why it cannot be measured here, or None."""
        return None

    def fields(self, place: Place) -> list[str]:
        """Header fields that it needs on top."""
        return []

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        """What starts it in `folder`."""
        raise NotImplementedError

    def complaint(self, server: Server) -> str | None:
        """What it did not do of the work that is compared, if it says so."""
        return None

    def start(self, place: Place, setup: Setup = PLAIN, suffix: str = "") -> Server | None:
        """Each worker has a core, from PROXY_CORE on."""
        folder = place.folder(f"{self.name}-{setup.name}{suffix}")
        port = free_port()
        command, environment = self.command(place, setup, port, folder)
        cores = set(range(PROXY_CORE, PROXY_CORE + setup.workers))
        return Server(self.title + setup.title, list(map(str, command)), folder, cores, environment, port, self.patience)

    def load_arguments(self, place: Place, setup: Setup) -> list[str]:
        fields = [word for field in self.fields(place) for word in ("--field", field)]
        tls = ["--tls", str(place.certificate)] if self.speaks_tls(setup) else []
        return fields + tls + (["--text-only"] if self.rewrites_json else [])

    def speaks_tls(self, setup: Setup) -> bool:
        return setup.client_tls


class Direct(Contender):
    name, title = "direct", "direct"
    setups = (PLAIN, UPSTREAM_TLS, BOTH_TLS, CACHED)

    def start(self, place: Place, setup: Setup = PLAIN, suffix: str = "") -> None:
        return None

    def speaks_tls(self, setup: Setup) -> bool:
        return setup.upstream_tls


class Relay(Contender):
    name, title = "relay", "TCP relay"

    def start(self, place: Place, setup: Setup = PLAIN, suffix: str = "") -> Server:
        command = [str(place.tools / "bench_relay"), str(place.upstream_port(setup))]
        return Server(self.title, command, place.folder(self.name + suffix), {PROXY_CORE})


class Nginx(Contender):
    name, title = "nginx", "nginx"
    logs = ("access.log",)
    setups = EVERY_SETUP
    buffers = ""  # nginx's own: 4 KiB
    modules, http, server = "", "", ""

    def missing(self, place: Place) -> str | None:
        return None if shutil.which("nginx") else "nginx is not installed: scripts/install-deps bench"

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        http, listen, server = proxies.nginx_parts(setup)
        for word, value in (("@FOLDER@", folder), ("@CERTIFICATE@", place.certificate), ("@KEY@", place.key)):
            http, server = http.replace(word, str(value)), server.replace(word, str(value))
        path = folder / "nginx.conf"
        path.write_text(proxies.NGINX.format(
            folder=folder, port=port, upstream=place.upstream_port(setup), connections=place.connections,
            files=place.file_limit, modules=self.modules, buffers=self.buffers, workers=setup.workers,
            scheme="https" if setup.upstream_tls else "http", listen=listen,
            http=self.http.replace("@FOLDER@", str(folder)) + http, server=self.server + server))
        return ["nginx", "-e", folder / "start.error", "-c", path], {}


class NginxLargeBuffers(Nginx):
    name, title = "nginx-16k", "nginx, 16 KiB buffers"
    setups = (PLAIN,)
    buffers = "proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k;"
    only = ("json-30k",)


class NginxLua(Nginx):
    name, title = "nginx-lua", "nginx + Lua, equal work"
    setups = (PLAIN,)
    logs = ("access.log", "chat.log")
    swaps_key = checks_model = True
    modules = ("load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
               "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;")
    http, server = proxies.NGINX_LUA_HTTP, proxies.NGINX_LUA_SERVER

    def missing(self, place: Place) -> str | None:
        found = pathlib.Path("/usr/lib/nginx/modules/ngx_http_lua_module.so").exists()
        return super().missing(place) or (None if found else "nginx's Lua module is not installed: scripts/install-deps bench")


class Haproxy(Contender):
    name, title = "haproxy", "HAProxy"
    setups = (PLAIN, UPSTREAM_TLS, BOTH_TLS)
    logs = ("output",)

    def missing(self, place: Place) -> str | None:
        return None if shutil.which("haproxy") else "haproxy is not installed: scripts/install-deps bench"

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        path = folder / "haproxy.cfg"
        bind = proxies.HAPROXY_CLIENT_TLS.format(both=place.certificate_and_key)
        server = proxies.HAPROXY_UPSTREAM_TLS.format(certificate=place.certificate)
        path.write_text(proxies.HAPROXY.format(
            port=port, upstream=place.upstream_port(setup), connections=place.connections // 2,
            bind=bind if setup.client_tls else "", server=server if setup.upstream_tls else ""))
        return ["haproxy", "-db", "-f", path], {}


class Aifd(Contender):
    name, title = "aifd-log", "aifd, access log"
    setups = (PLAIN, CACHED)
    logs = ("access.log",)
    settings = {"ACCESS_LOG": "access.log"}

    def missing(self, place: Place) -> str | None:
        return None if shutil.which(place.binary) else f"{place.binary} is not there"

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        route = [{"base_url": place.upstream_url(setup), "route": "/", "type": "openai"}]
        environment = {"FORWARD_CONFIG": json.dumps(route), "ADMIN_SOCKET": "off", **self.settings}
        if setup.upstream_tls:
            environment["SSL_CERT_FILE"] = str(place.certificate)
        if setup.client_tls:
            environment |= {"ssl_certfile": str(place.certificate), "ssl_keyfile": str(place.key)}
        if setup.cache:
            environment |= {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY", "DEFAULT_REQUEST_CACHING_VALUE": "true"}
        return [place.binary, "run", "--host", "127.0.0.1", "--port", port, "--workers", setup.workers], environment

    def complaint(self, server: Server) -> str | None:
        lines = [line for line in server.output.read_text(errors="replace").splitlines() if "lost" in line]
        return lines[-1] if lines else None


class AifdOff(Aifd):
    name, title = "aifd-off", "aifd, features off"
    setups = (PLAIN, UPSTREAM_TLS, BOTH_TLS, TWO_WORKERS)
    logs = ()
    settings = {"ACCESS_LOG": "off"}


class AifdModel(Aifd):
    name, title = "aifd-model", "aifd, all but chat log"
    setups = (PLAIN,)
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
    setups = EVERY_SETUP
    settings = {**AifdModel.settings, "LOG_OPENAI": "true", "LOG_KEEP": "2"}


ALL = [Direct(), Relay(), Nginx(), NginxLargeBuffers(), NginxLua(), Haproxy(), AifdOff(), Aifd(), AifdModel(), AifdAll()]
