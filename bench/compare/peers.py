"""Gateways from the package managers. `scripts/bench --peers` installs them under build/bench/peers."""
import json
import pathlib
import shutil
import subprocess
import sys

from .contenders import API_KEY, FORWARD_KEY, Command, Contender
from .place import Place
from .servers import BenchError
from .setups import PLAIN, Setup

# Fixed versions: what is measured can be named, and no release is tried out by being measured.
# openai-forward needs pyyaml, but does not ask for it.
PYTHON_PACKAGES = {"openai-forward": ["openai-forward==0.8.1", "pyyaml"], "litellm": ["litellm[proxy]==1.106.12"]}
# Portkey's streams fail with later versions of node-server, though it accepts them.
NODE_PROJECT = {"private": True, "dependencies": {"@portkey-ai/gateway": "1.15.2"},
                "overrides": {"@hono/node-server": "1.3.3"}}
HINT = "is not installed: scripts/bench --peers"


class OpenaiForward(Contender):
    name, title = "openai-forward", "openai-forward"
    slow = True
    settings: dict[str, str] = {}

    def missing(self, place: Place) -> str | None:
        return None if self.program(place).exists() else f"openai-forward {HINT}"

    def program(self, place: Place) -> pathlib.Path:
        return place.peers / "openai-forward/bin/openai-forward"

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        route = [{"base_url": place.upstream_url(setup), "route": "/", "type": "openai"}]
        environment = {"FORWARD_CONFIG": json.dumps(route), **self.settings}
        return [self.program(place), "run", "--port", port, "--workers", 1], environment


class OpenaiForwardAll(OpenaiForward):
    name, title = "openai-forward-all", "openai-forward, log and limit"
    logs = ("Log/openai/chat/chat.log",)
    swaps_key = True
    settings = {
        "FORWARD_KEY_CONFIG": json.dumps({FORWARD_KEY: 0}),
        "OPENAI_API_KEY_CONFIG": json.dumps({API_KEY: [0]}),
        "REQ_RATE_LIMIT": json.dumps({"/v1/chat/completions": [{"level": 0, "limit": "1000000000/minute"}]}),
        "LOG_OPENAI": "true",
    }


class Litellm(Contender):
    name, title = "litellm", "LiteLLM proxy"
    slow = rewrites_json = swaps_key = True
    patience = 120

    def missing(self, place: Place) -> str | None:
        return None if self.program(place).exists() else f"LiteLLM {HINT}"

    def program(self, place: Place) -> pathlib.Path:
        return place.peers / "litellm/bin/litellm"

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        parameters = {"model": "openai/gpt-4o", "api_key": API_KEY,
                      "api_base": f"{place.upstream_url(setup)}/v1"}
        config = {"model_list": [{"model_name": "gpt-4o", "litellm_params": parameters}],
                  "general_settings": {"master_key": FORWARD_KEY}}
        path = folder / "config.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "ERROR",
                 "PATH": f"{self.program(place).parent}:/usr/bin:/bin"}
        return [self.program(place), "--config", path, "--host", "127.0.0.1", "--port", port, "--num_workers", 1], quiet


class Portkey(Contender):
    name, title = "portkey", "Portkey gateway"
    slow = True
    patience = 60

    def missing(self, place: Place) -> str | None:
        if not shutil.which("node"):
            return "Portkey's gateway needs Node.js"
        return None if self.program(place).exists() else f"Portkey's gateway {HINT}"

    def program(self, place: Place) -> pathlib.Path:
        return place.peers / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

    def fields(self, place: Place) -> list[str]:
        return ["x-portkey-provider: openai", f"x-portkey-custom-host: {place.upstream_url(PLAIN)}/v1"]

    def command(self, place: Place, setup: Setup, port: int, folder: pathlib.Path) -> Command:
        environment = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
        return [shutil.which("node"), self.program(place), f"--port={port}", "--headless"], environment


ALL = [OpenaiForward(), OpenaiForwardAll(), Litellm(), Portkey()]


def run(name: str, *command: object, cwd: pathlib.Path | None = None) -> None:
    done = subprocess.run(list(map(str, command)), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BenchError(f"{name} cannot be installed; the last lines:\n" + "\n".join(done.stdout.splitlines()[-15:]))


def install_one(name: str, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if name in PYTHON_PACKAGES:
        run(name, sys.executable, "-m", "venv", folder)
        run(name, folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES[name])
    else:
        (folder / "package.json").write_text(json.dumps(NODE_PROJECT))
        run(name, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)


def install(folder: pathlib.Path) -> None:
    """Each by itself: one that cannot be had does not keep the others away."""
    for name in [*PYTHON_PACKAGES, "portkey"]:
        print(f"[bench] installing {name}", flush=True)
        try:
            install_one(name, folder / name)
        except (BenchError, OSError) as error:
            print(f"[bench] {error}", flush=True)
