"""`aifd cache`, and the Unix socket over which it asks a running daemon."""
import http.client
import json
import os
import socket
import stat
import threading

import pytest

from harness import PATIENCE, Daemon, eventually, run

KEY = "0" * 63 + "f"
COUNTERS = {"hits", "misses", "away", "stored", "dropped", "evicted"}
STORES = [("LMDB", "lmdb"), ("LevelDB", "leveldb")]


@pytest.fixture
def place(tmp_path):
    """A folder for sockets."""
    return tmp_path


def settings(place, **more):
    return {"CACHE_OPENAI": "true", "XDG_RUNTIME_DIR": str(place), **more}


def socket_of(place, daemon):
    return place / f"aifd-{daemon.port}.sock"


def cache(daemon, place, *arguments, **more):
    """`aifd cache` with the settings of that daemon, and in its folder."""
    return run("cache", *arguments, "--port", str(daemon.port), env=settings(place, **more), cwd=daemon.path)


def logged(daemon, text):
    return eventually(lambda: [line for line in daemon.stderr if text in line], f"a line with {text!r}")


def ready(daemon):
    """Waits until the daemon has its socket."""
    logged(daemon, "the admin socket")
    return daemon


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)

    def ask(self, method, target, body=None):
        self.request(method, target, body)
        answer = self.getresponse()
        return answer.status, answer.read()


def abandon_socket(path):
    """Leaves the file of a socket that nobody listens at."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()


# --- Of a running daemon ---

def test_stat_and_clear_ask_the_daemon(place):
    with Daemon(settings(place)) as daemon:
        ready(daemon)
        result = cache(daemon, place, "stat")
        assert result.returncode == 0 and result.stderr == "", result
        rows = dict(line.split(None, 1) for line in result.stdout.splitlines())
        assert rows["store"] == "MEMORY" and rows["entries"] == "0" and rows["size"] == "0 bytes of 256.0 MiB"
        assert COUNTERS < set(rows)
        result = cache(daemon, place, "stat", "--json")
        found = json.loads(result.stdout)
        assert result.stdout.count("\n") == 1 and COUNTERS < set(found)
        assert found["store"] == "MEMORY" and found["entries"] == 0 and found["max_bytes"] == 256 << 20
        result = cache(daemon, place, "clear")
        assert result.returncode == 0 and result.stdout == "Cleared MEMORY: 0 answers\n", result
        logged(daemon, "clear the cache")


def test_get_of_an_unknown_key_is_1(place):
    with Daemon(settings(place)) as daemon:
        ready(daemon)
        for more in ((), ("--body",)):
            result = cache(daemon, place, "get", KEY, *more)
            assert result.returncode == 1 and result.stdout == "", result
            assert result.stderr == "aifd: MEMORY has no answer of this key\n"
        assert json.loads(cache(daemon, place, "stat", "--json").stdout)["misses"] == 2


@pytest.mark.parametrize("key", ["", "x", "0" * 63, "0" * 65, "g" * 64])
def test_what_is_no_key_is_64(key):
    result = run("cache", "get", key)
    assert result.returncode == 64 and result.stdout == "", result


@pytest.mark.parametrize("arguments", [(), ("get",), ("stat", "x"), ("drop",), ("clear", "--json")])
def test_wrong_usage_is_64(arguments):
    assert run("cache", *arguments).returncode == 64


def test_a_wrong_configuration_is_78():
    assert run("cache", "stat", env={"CACHE_TTL": "soon"}).returncode == 78


@pytest.mark.parametrize("store, folder", STORES)
def test_the_daemon_that_has_the_store_is_asked(place, store, folder):
    with Daemon(settings(place, CACHE_BACKEND=store)) as daemon:
        ready(daemon)
        result = cache(daemon, place, "stat", CACHE_BACKEND=store)
        assert result.returncode == 0 and f"{store} in ./FLAXKV_DB" in result.stdout and "misses" in result.stdout
        assert cache(daemon, place, "clear", CACHE_BACKEND=store).returncode == 0
        eventually(lambda: os.path.isdir(os.path.join(daemon.path, "FLAXKV_DB", folder)), "the store's folder")


def test_what_the_socket_answers(place):
    with Daemon(settings(place)) as daemon:
        ready(daemon)
        connection = UnixConnection(socket_of(place, daemon))
        status, body = connection.ask("GET", "/cache")
        assert status == 200 and json.loads(body)["entries"] == 0
        assert connection.ask("DELETE", "/cache") == (200, b"Cleared MEMORY: 0 answers\n")  # on the same connection
        assert connection.ask("GET", "/cache/" + KEY)[0] == 404
        assert connection.ask("POST", "/cache", b"x" * 1000)[0] == 405
        for target in ("/", "/v1/models", "/healthz", "/cache/../cache", "/cache/%zz"):
            assert connection.ask("GET", target)[0] in (400, 404), target
        assert connection.ask("PUT", "/cache", b"x" * 100_000)[0] == 413
        connection.close()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(socket_of(place, daemon)))
            raw.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert daemon.ask("GET", "/healthz").status == 200


def test_the_port_knows_nothing_of_it(place):
    with Daemon(settings(place, FORWARD_CONFIG='[{"base_url":"http://127.0.0.1:9","route":"/up","type":"openai"}]')) as daemon:
        ready(daemon)
        for method, target in (("GET", "/cache"), ("DELETE", "/cache"), ("GET", "/cache/" + KEY)):
            assert daemon.ask(method, target).status == 404


# --- The socket's file ---

def test_only_its_user_may_use_it_and_it_goes_with_the_daemon(place):
    old = os.umask(0)
    try:
        with Daemon(settings(place)) as daemon:
            ready(daemon)
            path = socket_of(place, daemon)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode)
            daemon.signal()
            assert daemon.wait() == 0
            assert not path.exists()
    finally:
        os.umask(old)


def test_it_goes_before_the_last_answer(place):
    """While a daemon drains, its port may be another's already."""
    with Daemon(settings(place, DRAIN_TIMEOUT="30", BENCHMARK_MODE="true",
                         TOKEN_RATE_LIMIT='{"/benchmark":"2/second"}')) as daemon:
        ready(daemon)
        with daemon.client() as client:
            client.request("POST", "/benchmark/v1/chat/completions", [("Content-Type", "application/json")],
                           b'{"model":"x","stream":true,"messages":[{"role":"user","content":"hi"}]}')
            client.read_head()
            daemon.signal()
            eventually(lambda: not socket_of(place, daemon).exists(), "the socket's end")
            assert daemon.process.poll() is None
            daemon.signal()
            daemon.wait()


@pytest.mark.parametrize("setting", ["off", "OFF"])
def test_off_is_no_socket(place, setting):
    with Daemon(settings(place, ADMIN_SOCKET=setting)) as daemon:
        daemon.ask("GET", "/healthz")
        result = cache(daemon, place, "stat", ADMIN_SOCKET=setting)
        assert result.returncode == 1 and "the admin socket is off" in result.stderr, result
        assert os.listdir(place) == []
    assert "admin socket" not in daemon.output()


def test_without_a_cache_there_is_none(place):
    with Daemon({"XDG_RUNTIME_DIR": str(place)}) as daemon:
        daemon.ask("GET", "/healthz")
        assert os.listdir(place) == []
        result = cache(daemon, place, "stat")
        assert result.returncode == 1 and "no aifd with a cache is running at" in result.stderr, result
        assert str(socket_of(place, daemon)) in result.stderr
    assert "admin socket" not in daemon.output()


def test_a_path_of_ones_own(place):
    path = place / "a.sock"
    with Daemon(settings(place, ADMIN_SOCKET=str(path))) as daemon:
        ready(daemon)
        assert sorted(os.listdir(place)) == ["a.sock"]
        assert run("cache", "stat", env={"ADMIN_SOCKET": str(path)}).returncode == 0


def test_a_service_has_it_in_its_own_folder(place):
    runtime = place / "service"
    runtime.mkdir()
    with Daemon(settings(place, RUNTIME_DIRECTORY=f"{runtime}:/nowhere")) as daemon:
        ready(daemon)
        assert socket_of(runtime, daemon).exists()
        assert cache(daemon, place, "stat", RUNTIME_DIRECTORY=str(runtime)).returncode == 0


def test_without_a_folder_of_its_user_it_is_in_a_private_one():
    with Daemon({"CACHE_OPENAI": "true"}) as daemon:
        ready(daemon)
        folder = f"/tmp/aifd-{os.geteuid()}"
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert os.path.exists(f"{folder}/aifd-{daemon.port}.sock")
        assert run("cache", "stat", "--port", str(daemon.port)).returncode == 0


def test_the_file_of_a_dead_daemon_is_replaced(place):
    path = place / "a.sock"
    dead = Daemon(settings(place, ADMIN_SOCKET=str(path)))
    ready(dead)
    dead.kill()
    assert path.exists()
    result = run("cache", "stat", env={"ADMIN_SOCKET": str(path)})
    assert result.returncode == 1 and "no aifd with a cache is running at" in result.stderr, result
    with Daemon(settings(place, ADMIN_SOCKET=str(path))) as daemon:
        ready(daemon)
        assert run("cache", "stat", env={"ADMIN_SOCKET": str(path)}).returncode == 0
    assert not path.exists()


def test_of_two_daemons_the_first_keeps_it(place):
    path = place / "a.sock"
    with Daemon(settings(place, ADMIN_SOCKET=str(path))) as first:
        ready(first)
        with Daemon(settings(place, ADMIN_SOCKET=str(path))) as second:
            line = logged(second, "there is no admin socket")[0]
            assert "another aifd listens there" in line and str(path) in line
            assert second.ask("GET", "/healthz").status == 200
        assert run("cache", "stat", env={"ADMIN_SOCKET": str(path)}).returncode == 0
        assert not path.is_symlink() and path.exists()


def test_a_file_that_became_anothers_is_left(place):
    path = place / "a.sock"
    with Daemon(settings(place, ADMIN_SOCKET=str(path))) as daemon:
        ready(daemon)
        path.unlink()
        abandon_socket(path)
        inode = path.stat().st_ino
    assert path.stat().st_ino == inode


@pytest.mark.parametrize("make, said", [
    (lambda path: path.write_text("precious"), "is there already, and is no socket"),
    (lambda path: path.mkdir(), "is there already, and is no socket"),
    (lambda path: path.symlink_to("/etc/passwd"), "is there already, and is no socket"),
], ids=["a file", "a folder", "a link"])
def test_what_is_no_socket_is_left_alone(place, make, said):
    path = place / "a.sock"
    make(path)
    before = path.lstat()
    with Daemon(settings(place, ADMIN_SOCKET=str(path))) as daemon:
        assert said in logged(daemon, "there is no admin socket")[0]
        assert daemon.ask("GET", "/healthz").status == 200
    assert path.lstat().st_ino == before.st_ino and path.lstat().st_mode == before.st_mode


@pytest.mark.parametrize("path, said", [("/nowhere/a.sock", "No such file or directory"),
                                        ("/proc/a.sock", ": "), ("/dev/null/a.sock", "Not a directory")])
def test_a_place_where_it_cannot_be_is_a_warning(place, path, said):
    with Daemon(settings(place, ADMIN_SOCKET=path)) as daemon:
        line = logged(daemon, "there is no admin socket")[0]
        assert said in line and path in line and "ADMIN_SOCKET" in line
        assert daemon.ask("GET", "/healthz").status == 200


def test_a_folder_whose_path_is_too_long_is_a_warning(place):
    long = place / ("x" * 100)
    long.mkdir()
    with Daemon(settings(long)) as daemon:
        assert "longer than 107 bytes" in logged(daemon, "there is no admin socket")[0]
        assert daemon.ask("GET", "/healthz").status == 200


def test_a_stranger_at_the_socket_is_told_of(place):
    path = place / "a.sock"
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(path))
        stranger.listen()
        closed = []

        def close_the_first():
            stranger.accept()[0].close()
            closed.append(True)

        thread = threading.Thread(target=close_the_first, daemon=True)
        thread.start()
        result = run("cache", "stat", env={"ADMIN_SOCKET": str(path)})
        thread.join(PATIENCE)
    assert closed and result.returncode == 1 and f"aifd: {path}: " in result.stderr, result


# --- Of a store on disk, where no daemon runs ---

@pytest.mark.parametrize("store, folder", STORES)
def test_an_empty_store_is_opened_by_the_command(place, store, folder):
    with Daemon(settings(place, CACHE_BACKEND=store, CACHE_ROOT_PATH_OR_URL=str(place / "db"))) as daemon:
        ready(daemon)
        eventually(lambda: (place / "db" / folder).is_dir(), "the store's folder")
    environment = {"CACHE_BACKEND": store, "CACHE_ROOT_PATH_OR_URL": str(place / "db")}
    result = run("cache", "stat", env=environment)
    assert result.returncode == 0 and result.stderr == "", result
    rows = dict(line.split(None, 1) for line in result.stdout.splitlines())
    assert rows["store"] == f"{store} in {place / 'db'}" and "of 16.0 GiB" in rows["size"]
    assert not COUNTERS & set(rows)
    found = json.loads(run("cache", "stat", "--json", env=environment).stdout)
    assert found["store"] == rows["store"] and found["entries"] in (0, None)
    result = run("cache", "clear", env=environment)
    assert result.returncode == 0 and result.stdout.startswith(f"Cleared {store} in "), result
    result = run("cache", "get", KEY, env=environment)
    assert result.returncode == 1 and result.stderr == f"aifd: {store} in {place / 'db'} has no answer of this key\n"


@pytest.mark.parametrize("store, folder", STORES)
def test_a_store_that_is_not_there_is_empty_and_is_not_made(place, store, folder):
    environment = {"CACHE_BACKEND": store, "CACHE_ROOT_PATH_OR_URL": str(place / "db")}
    result = run("cache", "stat", env=environment)
    assert result.returncode == 0 and "entries  0\n" in result.stdout, result
    assert result.stderr == f"aifd: {place / 'db' / folder} is not there: nothing is kept yet\n"
    assert run("cache", "clear", env=environment).returncode == 0
    assert run("cache", "get", KEY, env=environment).returncode == 1
    assert os.listdir(place) == []


@pytest.mark.parametrize("store, folder", STORES)
@pytest.mark.parametrize("arguments", [("stat",), ("clear",), ("get", KEY)], ids=["stat", "clear", "get"])
def test_a_store_in_use_is_told_of(place, store, folder, arguments):
    more = {"CACHE_BACKEND": store, "CACHE_ROOT_PATH_OR_URL": str(place / "db"), "ADMIN_SOCKET": "off"}
    with Daemon(settings(place, **more)) as daemon:
        eventually(lambda: (place / "db" / folder).is_dir(), "the store's folder")
        result = run("cache", *arguments, env=more)
        assert result.returncode == 1 and result.stdout == "", result
        assert result.stderr.count("\n") == 1 and "is in use by another process" in result.stderr, result
        assert daemon.ask("GET", "/healthz").status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
@pytest.mark.parametrize("store, folder", STORES)
def test_a_store_of_another_user_is_left_alone(place, store, folder):
    """Else it would get files that its own daemon cannot read."""
    (place / "db" / folder).mkdir(parents=True)
    os.chown(place / "db" / folder, 65532, 65532)
    result = run("cache", "stat", env={"CACHE_BACKEND": store, "CACHE_ROOT_PATH_OR_URL": str(place / "db")})
    assert result.returncode == 1 and "belongs to another user, number 65532" in result.stderr, result
    assert os.listdir(place / "db" / folder) == []


def test_a_damaged_store_is_told_of(place):
    folder = place / "db" / "lmdb"
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(b"nonsense" * 4096)
    result = run("cache", "stat", env={"CACHE_BACKEND": "LMDB", "CACHE_ROOT_PATH_OR_URL": str(place / "db")})
    assert result.returncode == 0 and "is damaged" in result.stderr, result
    assert "entries  0\n" in result.stdout


def test_nothing_can_be_known_of_memory_without_a_daemon(place):
    result = run("cache", "stat", "--port", "1", env=settings(place))
    assert result.returncode == 1 and result.stdout == "", result
    assert f"no aifd with a cache is running at {place}/aifd-1.sock" in result.stderr
    assert "--port" in result.stderr and "ADMIN_SOCKET" in result.stderr
