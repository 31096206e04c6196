"""A certificate authority for one test run, made by the openssl command."""
import os
import ssl
import subprocess
from typing import Tuple


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Authority:
    def __init__(self, directory: str, name: str = "aifd test CA"):
        self.directory = directory
        self.certificate = os.path.join(directory, "ca.pem")
        self.key = os.path.join(directory, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def issue(self, *names: str) -> Tuple[str, str]:
        """(certificate, key) for host names and addresses, signed by this authority."""
        stem = os.path.join(self.directory, names[0].replace(":", "_").replace("*", "any"))
        alternatives = ",".join(("IP:" if _is_address(name) else "DNS:") + name for name in names)
        with open(stem + ".ext", "w") as file:
            file.write(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={names[0]}", "-keyout", stem + ".key", "-out", stem + ".csr")
        _openssl("x509", "-req", "-in", stem + ".csr", "-CA", self.certificate, "-CAkey", self.key, "-days", "2",
                 "-CAcreateserial", "-extfile", stem + ".ext", "-out", stem + ".pem")
        return stem + ".pem", stem + ".key"

    def server_context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(*names))
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()
