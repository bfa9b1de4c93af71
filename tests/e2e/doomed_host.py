"""A host that is to be killed, run as a script: it starts a worker, directly or behind a launcher, and reads all it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

if sys.platform == "win32":
    import msvcrt


def main() -> None:
    order = json.loads(sys.argv[1])
    if "pipes" in order:
        _launch(order["pipes"])
    else:
        _host(order)


def _host(order: dict[str, str]) -> None:
    (from_host, to_worker), (from_worker, to_host) = os.pipe(), os.pipe()
    hello: dict[str, object] = {"command": "hello", "protocol": [1]}
    if order["way"] == "launcher":
        hello["parent_pid"] = os.getpid()
        _start_launcher((from_host, to_host, to_worker, from_worker))
    else:
        _start(from_host, to_host)
    os.close(from_host)
    os.close(to_host)
    os.write(to_worker, f"{json.dumps(hello)}\n{order['batch']}\n".encode("ascii"))
    while os.read(from_worker, 65536):
        continue


def _start_launcher(ends: tuple[int, ...]) -> None:
    for end in ends:
        os.set_inheritable(end, True)  # noqa: FBT003  # it takes no names
    if sys.platform == "win32":
        ends = tuple(map(msvcrt.get_osfhandle, ends))
    subprocess.Popen([sys.executable, __file__, json.dumps({"pipes": ends})], close_fds=False)


def _launch(pipes: list[int]) -> None:
    """Start the worker and sleep, holding both ends of both of its pipes."""
    if sys.platform == "win32":
        pipes = [msvcrt.open_osfhandle(pipe, 0) for pipe in pipes]
    _start(pipes[0], pipes[1])
    threading.Event().wait(300)


def _start(stdin: int, stdout: int) -> None:
    subprocess.Popen([sys.executable, "-m", "ocr_worker"], stdin=stdin, stdout=stdout)


if __name__ == "__main__":
    main()
