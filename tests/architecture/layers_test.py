#!/usr/bin/env python3
"""Checks that the sources keep to the architecture: what may include what, and how files look.

    layers_test.py CHECK [ROOT]

One ctest test a check; needs nothing but Python 3. Each finding is a line "file:line: what".
"""

import re
import sys
from pathlib import Path

# Which modules of aifd a module may include; its own always.
MAY_USE = {
    "base": set(),
    "config": {"base"},
    "protocol": {"base"},
    "chain": {"protocol", "base"},
    "services": {"chain", "protocol", "config", "base"},
    "net": {"chain", "protocol", "config", "base"},
    "middleware": {"services", "chain", "protocol", "config", "base"},
    "admin": {"services", "chain", "protocol", "config", "base"},
    "convert": {"protocol", "config", "base"},
    "app": {
        "convert", "admin", "middleware", "services", "net", "chain", "protocol", "config", "base",
    },
}
MAIN_MAY_USE = {"app"}

# Which headers of Boost, OpenSSL, hiredis, LMDB, LevelDB, RE2 and compressors a module may include, as regular
# expressions; none where it is not named. Beast, TLS and sockets stand in net alone.
RESULT = r"boost/system/.*"
DIGESTS = r"openssl/(crypto|evp|sha)\.h"
EXTERNAL = ("boost/", "openssl/", "asio", "beast", "hiredis", "lmdb.h", "leveldb/", "re2/", "zstd.h", "zlib.h")
MAY_USE_EXTERNAL = {
    "base": [RESULT, DIGESTS],
    "chain": [
        RESULT,
        r"boost/asio/(async_result|awaitable|io_context|post|use_awaitable)\.hpp",
        r"boost/container/small_vector\.hpp",
    ],
    "config": [r"re2/.*"],
    "services": [RESULT, DIGESTS, r"boost/asio/(?!ssl/).*", r"hiredis/.*", r"lmdb\.h", r"leveldb/.*",
                 r"re2/.*", r"zstd\.h"],
    "convert": [r"zstd\.h", r"zlib\.h"],
    "net": [r"boost/.*", r"openssl/.*"],
}

MOST_LINES = 400
MOST_LINES_OF_MAIN = 120
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


class Tree:
    """The sources below a root folder, each with its module."""

    def __init__(self, root):
        self.root = Path(root)
        self.headers = sorted((self.root / "include/aifd").rglob("*.hpp"))
        private = sorted((self.root / "src").rglob("*.hpp"))
        self.sources = sorted((self.root / "src").rglob("*.cpp"))
        self.all_headers = self.headers + private
        self.files = self.all_headers + self.sources

    def module(self, path):
        """The module's name; "main" for what is not in a folder of one."""
        parts = path.relative_to(self.root).parts
        inner = parts[2:] if parts[0] == "include" else parts[1:]
        return inner[0] if len(inner) > 1 else "main"

    def name(self, path):
        return str(path.relative_to(self.root))


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def includes(path):
    """(line number, what is included) of each include."""
    for number, line in enumerate(lines_of(path), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def check_layers(tree):
    """An include only points down."""
    for path in tree.files:
        module = tree.module(path)
        allowed = MAIN_MAY_USE if module == "main" else MAY_USE.get(module, set()) | {module}
        for number, included in includes(path):
            match = re.match(r"aifd/([^/]+)/", included)
            if match and match.group(1) not in allowed:
                yield f"{tree.name(path)}:{number}: {module} may not include {included}"


def check_external(tree):
    """Beast, TLS and Asio stand only where the architecture has them."""
    for path in tree.files:
        module = tree.module(path)
        allowed = MAY_USE_EXTERNAL.get(module, [])
        for number, included in includes(path):
            if not included.startswith(EXTERNAL):
                continue
            if not any(re.fullmatch(pattern, included) for pattern in allowed):
                yield f"{tree.name(path)}:{number}: {module} may not include {included}"


def check_private_headers(tree):
    """A quoted include that is not of aifd/ names a header beside the file itself."""
    for path in tree.files:
        for number, line in enumerate(lines_of(path), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not match or match.group(1).startswith("aifd/"):
                continue
            if "/" in match.group(1) or not (path.parent / match.group(1)).is_file():
                yield f"{tree.name(path)}:{number}: {match.group(1)} is not beside it"


def check_cmake(tree):
    """Each module links only the modules that it may include."""
    text = (tree.root / "src/CMakeLists.txt").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^aifd_module\((\w+)((?:\s+[^\s)]+)*)\)", text, re.MULTILINE))
    for module in MAY_USE.keys() - listed.keys():
        yield f"src/CMakeLists.txt: no module {module}"
    for module, links in listed.items():
        for link in re.findall(r"\baifd_(\w+)", links):
            if link in MAY_USE and link not in MAY_USE.get(module, set()):
                yield f"src/CMakeLists.txt: {module} may not link {link}"


def check_length(tree):
    """No file is too long to be read at once."""
    for path in tree.files:
        count = len(lines_of(path))
        most = MOST_LINES_OF_MAIN if path.name == "main.cpp" else MOST_LINES
        if count > most:
            yield f"{tree.name(path)}:{most + 1}: {count} lines, over {most}: split it"


def check_headers(tree):
    """Every header says first what it is for, and is guarded."""
    for path in tree.all_headers:
        lines = lines_of(path)
        comment = 0
        while comment < len(lines) and lines[comment].startswith("//"):
            comment += 1
        if comment == 0:
            yield f"{tree.name(path)}:1: no comment that says what the header is for"
        if comment >= len(lines) or lines[comment] != "#pragma once":
            yield f"{tree.name(path)}:{comment + 1}: #pragma once must follow the comment"


def check_places(tree):
    """One name in three places: include/aifd/<module>, src/<module>, tests/unit/<module>."""
    def folders(path):
        return {entry.name for entry in path.iterdir() if entry.is_dir()}

    known = set(MAY_USE)
    found = folders(tree.root / "src"), folders(tree.root / "include/aifd")
    for where, modules in zip(("src", "include/aifd"), found):
        for module in sorted(modules ^ known):
            yield f"{where}/{module}: a folder without a module, or a module without its folder"
    for module in sorted(known - folders(tree.root / "tests/unit")):
        yield f"tests/unit/{module}: the module has no unit tests"
    for path in tree.files:
        if not re.fullmatch(r"[a-z0-9_]+\.(hpp|cpp)", path.name):
            yield f"{tree.name(path)}: file names are in snake_case"


def check_coroutines(tree):
    """No co_await in a conditional expression: GCC 12 destroys its temporaries twice."""
    in_conditional = re.compile(r"\?[^;{}?]*?\bco_await\b")
    for path in tree.files:
        text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
        for match in in_conditional.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            yield f"{tree.name(path)}:{number}: co_await in a conditional expression"


CHECKS = {
    "layers": check_layers,
    "external": check_external,
    "private_headers": check_private_headers,
    "cmake": check_cmake,
    "length": check_length,
    "headers": check_headers,
    "places": check_places,
    "coroutines": check_coroutines,
}


def main(arguments):
    if not arguments or arguments[0] not in CHECKS:
        print(f"usage: layers_test.py {{{','.join(CHECKS)}}} [ROOT]", file=sys.stderr)
        return 64
    root = arguments[1] if len(arguments) > 1 else Path(__file__).parents[2]
    tree = Tree(root)
    if len(tree.sources) < 10 or len(tree.headers) < 10:
        print(f"{root} holds no sources of aifd", file=sys.stderr)
        return 1
    findings = list(CHECKS[arguments[0]](tree))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
