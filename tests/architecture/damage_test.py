#!/usr/bin/env python3
"""Shows that layers_test.py finds what it is there for, in copies of the sources with one fault."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import layers_test  # noqa: E402

ROOT = Path(__file__).parents[2]


class Damage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        shutil.copytree(ROOT / "src", self.root / "src")
        shutil.copytree(ROOT / "include", self.root / "include")
        for module in layers_test.MAY_USE:
            (self.root / "tests/unit" / module).mkdir(parents=True)

    def findings(self, check):
        return list(layers_test.CHECKS[check](layers_test.Tree(self.root)))

    def write(self, path, text):
        (self.root / path).write_text(text, encoding="utf-8")

    def test_includes_that_point_up_or_sideways(self):
        cases = [
            ("src/base/x.cpp", "aifd/config/settings.hpp"),
            ("src/config/x.cpp", "aifd/protocol/fields.hpp"),
            ("src/protocol/x.cpp", "aifd/chain/task.hpp"),
            ("src/chain/x.cpp", "aifd/config/settings.hpp"),
            ("src/services/x.cpp", "aifd/net/stream.hpp"),
            ("src/net/x.cpp", "aifd/services/key_ring.hpp"),
            ("src/middleware/x.cpp", "aifd/net/stream.hpp"),
            ("src/admin/x.cpp", "aifd/middleware/route.hpp"),
            ("src/convert/x.cpp", "aifd/services/key_ring.hpp"),
            ("include/aifd/net/x.hpp", "aifd/app/services.hpp"),
            ("src/main.cpp", "aifd/net/server.hpp"),
        ]
        for path, included in cases:
            with self.subTest(path=path):
                self.write(path, f'#include "{included}"\n')
                self.assertTrue(any(path in finding for finding in self.findings("layers")))

    def test_beast_tls_and_asio_out_of_place(self):
        cases = [
            ("src/services/x.cpp", "boost/beast/http.hpp"),
            ("src/services/x.cpp", "boost/asio/ssl/context.hpp"),
            ("src/services/x.cpp", "openssl/ssl.h"),
            ("src/middleware/x.cpp", "boost/asio/ip/tcp.hpp"),
            ("src/middleware/x.cpp", "lmdb.h"),
            ("src/net/x.cpp", "leveldb/db.h"),
            ("src/chain/x.cpp", "boost/asio/steady_timer.hpp"),
            ("src/protocol/x.cpp", "boost/asio/awaitable.hpp"),
            ("src/config/x.cpp", "boost/beast/core.hpp"),
            ("src/main.cpp", "boost/asio/io_context.hpp"),
            ("src/net/x.cpp", "hiredis/read.h"),
            ("src/app/x.cpp", "zstd.h"),
            ("src/convert/x.cpp", "boost/asio/post.hpp"),
        ]
        for path, included in cases:
            with self.subTest(path=path, included=included):
                self.write(path, f"#include <{included}>\n")
                self.assertTrue(any(included in finding for finding in self.findings("external")))

    def test_links_that_point_sideways(self):
        path = self.root / "src/CMakeLists.txt"
        text = path.read_text(encoding="utf-8")
        text = text.replace("aifd_module(net ", "aifd_module(net aifd_services ")
        self.write("src/CMakeLists.txt", text)
        self.assertEqual(self.findings("cmake"), ["src/CMakeLists.txt: net may not link services"])

    def test_co_await_in_a_conditional_expression(self):
        cases = [
            "auto x = a ? co_await f() : co_await g();",
            "co_return a\n    ? f(b)\n    : co_await g();",
        ]
        for text in cases:
            with self.subTest(text=text):
                self.write("src/net/x.cpp", text + "\n")
                self.assertTrue(any("src/net/x.cpp" in f for f in self.findings("coroutines")))
        self.write("src/net/x.cpp", "if (a) co_await f();\n// b ? co_await f() : g()\n")
        self.assertEqual(self.findings("coroutines"), [])

    def test_long_files(self):
        self.write("src/net/x.cpp", "\n" * 401)
        self.assertTrue(any("src/net/x.cpp" in finding for finding in self.findings("length")))

    def test_headers_without_comment_or_guard(self):
        self.write("include/aifd/net/x.hpp", "#pragma once\n")
        self.write("include/aifd/net/y.hpp", "// What it is for.\n#include <map>\n")
        self.write("src/net/z.hpp", "")
        names = " ".join(self.findings("headers"))
        for name in ("include/aifd/net/x.hpp", "include/aifd/net/y.hpp", "src/net/z.hpp"):
            self.assertIn(name, names)

    def test_folders_that_do_not_match(self):
        (self.root / "src/extra").mkdir()
        shutil.rmtree(self.root / "include/aifd/admin")
        shutil.rmtree(self.root / "tests/unit/net")
        self.write("src/net/CamelCase.cpp", "")
        self.assertEqual(len(self.findings("places")), 4)

    def test_quoted_headers_of_other_folders(self):
        self.write("src/net/x.cpp", '#include "../protocol/chars.hpp"\n#include "chars.hpp"\n')
        self.assertEqual(len(self.findings("private_headers")), 2)


if __name__ == "__main__":
    unittest.main()
