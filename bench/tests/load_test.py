#!/usr/bin/env python3
"""bench_load must notice whatever a proxy does to an answer, and find nothing wrong with a faithful one.

    load_test.py FOLDER-OF-THE-PROGRAMS
"""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAMS = pathlib.Path(sys.argv.pop() if len(sys.argv) > 1 else "build/bench")


def flipped(data):
    return data.replace(b"w000010 ", b"w000011 ").replace(b".00003@", b".00004@")


def doubled(data):
    at = data.find(b"data: ")
    return data if at < 0 else data.replace(b".00002@", b".00001@")


def shortened(data):
    return data.replace(b"w000010 ", b"w00010 ").replace(b"data: [DONE]", b"data: [DON]")


def of_another(data):
    return data.replace(b"chatcmpl-0", b"chatcmpl-9")


def longer(data):
    return data + b"x"


def faithful(data):
    return data


class Proxy:
    """A relay that changes what comes back."""

    def __init__(self, upstream, change):
        self.upstream, self.change = upstream, change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.upstream))
            for source, target, change in ((client, upstream, faithful), (upstream, client, self.change)):
                threading.Thread(target=self.pump, args=(source, target, change), daemon=True).start()

    @staticmethod
    def pump(source, target, change):
        try:
            while data := source.recv(1 << 20):
                target.sendall(change(data))
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Upstream:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAMS / "bench_upstream", *arguments], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def certificate(folder, name):
    files = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "7", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", files[0], "-keyout", files[1]], check=True, stderr=subprocess.DEVNULL)
    return files


class LoadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        upstream = Upstream()
        cls.addClassCleanup(upstream.stop)
        cls.port = upstream.port

    def load(self, change, *arguments):
        proxy = Proxy(self.port, change)
        done = subprocess.run([PROGRAMS / "bench_load", "--port", str(proxy.port), "--connections", "2", "--seconds", "0.1",
                               "--patience", "1", *arguments], stdout=subprocess.PIPE, text=True)
        proxy.listener.close()
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["errors"] else 0)
        return report

    def test_faithful(self):
        for arguments in ([], ["--events", "5"], ["--events", "5", "--gap-us", "1000"], ["--fresh"], ["--pad", "100000"],
                          ["--rate", "100"], ["--text-only"], ["--text-only", "--events", "5"]):
            with self.subTest(arguments):
                report = self.load(faithful, *arguments)
                self.assertEqual(report["errors"], 0, report.get("first_error"))
                self.assertGreater(report["requests"], 0)
                self.assertEqual(report["events"], report["requests"] * (5 if "--events" in arguments else 0))

    def test_json(self):
        for change in (flipped, shortened, of_another, longer):
            with self.subTest(change.__name__):
                self.assertGreater(self.load(change)["errors"], 0)

    def test_streams(self):
        for change in (flipped, doubled, shortened, of_another, longer):
            with self.subTest(change.__name__):
                self.assertGreater(self.load(change, "--events", "5")["errors"], 0)

    def test_texts(self):
        for change in (flipped, shortened):
            with self.subTest(change.__name__):
                self.assertGreater(self.load(change, "--text-only")["errors"], 0)
        self.assertGreater(self.load(flipped, "--text-only", "--events", "5")["errors"], 0)

    def test_damaged_request(self):
        """The mock upstream refuses a request that did not arrive as it was sent."""
        proxy = Proxy(self.port, faithful)
        body = b'{"messages":[{"content":"bench id=00000001 bytes=600 events=0 gap_us=0 echo=0 pad=8:w000001 "}]}'
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 400 "))

    def test_same(self):
        """Requests that are all alike have answers that are."""
        self.assertEqual(self.load(faithful, "--same")["errors"], 0)
        self.assertGreater(self.load(of_another, "--same")["errors"], 0)


class TlsTest(unittest.TestCase):
    """The proxy of these tests passes the records on, and cannot read them."""

    load = LoadTest.load

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.trusted, key = certificate(pathlib.Path(folder.name), "trusted")
        cls.other, _ = certificate(pathlib.Path(folder.name), "other")
        upstream = Upstream("--tls", cls.trusted, key)
        cls.addClassCleanup(upstream.stop)
        cls.port = upstream.port

    def test_faithful(self):
        for arguments in ([], ["--events", "5"], ["--events", "5", "--gap-us", "1000"], ["--fresh"], ["--pad", "100000"],
                          ["--bytes", "300000"], ["--rate", "100"]):
            with self.subTest(arguments):
                report = self.load(faithful, "--tls", self.trusted, *arguments)
                self.assertEqual(report["errors"], 0, report.get("first_error"))
                self.assertGreater(report["requests"], 0)

    def test_damage(self):
        def damaged(data):
            return data[:-1] + bytes([data[-1] ^ 1])

        self.assertGreater(self.load(damaged, "--tls", self.trusted)["errors"], 0)

    def test_wrong_certificate(self):
        self.assertGreater(self.load(faithful, "--tls", self.other)["errors"], 0)

    def test_without_tls(self):
        self.assertGreater(self.load(faithful)["errors"], 0)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
