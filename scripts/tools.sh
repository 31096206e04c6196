# Sourced by the other scripts: is the Python or Node.js on PATH good enough for the tests?
# shellcheck shell=bash

usable_python() {  # $1: the command. The clients need Python 3.11 and a venv with pip.
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

usable_node() {
  command -v npm >/dev/null &&
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' 2>/dev/null
}
