#!/usr/bin/env python3
"""Log outputs and clocks that need a terminal, privileges or a tool, with the real program.

    tests/scripts/log_output.py PROGRAM

- A terminal stopped by Ctrl-S: calls and probes are answered, SIGTERM ends the server.
- A full disk under the log file (root: it mounts a tmpfs of 1 MiB): the same; with room again lines go on, none torn.
- A clock that jumps ten years ahead and back (needs libfaketime, Debian: `faketime`): told when it begins and when it is over.

Prints one line for each; exit code 0 if all that could run has passed.
"""

import glob
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request

PROGRAM = os.path.abspath(sys.argv[1])
ALL_LINES = ["--set", "log.filter=trace", "--set", "log.max_lines_per_second=1000000"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, folder, stderr, more=(), environment=None):
        self.grpc, self.operations = (f"127.0.0.1:{free_port()}" for _ in range(2))
        command = [PROGRAM, "serve", "--insecure", "--database-url", f"sqlite://{folder}/cp.db"]
        command += ["--grpc-address", self.grpc, "--operations-address", self.operations]
        command += ["--set", "grpc.lame_duck=0s", "--set", "grpc.drain=2s", *more]
        environment = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment)
        for _ in range(600):
            if self.status("/readyz") == 200:
                return
            time.sleep(0.05)
        raise SystemExit("the server is not ready")

    def status(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.operations}{path}", timeout=5) as answer:
                self.text = answer.read().decode()
                return answer.status
        except OSError:
            return None

    def metric(self, name):
        assert self.status("/metrics") == 200
        return next(float(line.rsplit(" ", 1)[1]) for line in self.text.splitlines() if line.startswith(name))

    def run(self, *words, environment=None):
        command = [PROGRAM, *words, "--server", f"http://{self.grpc}"]
        environment = {**os.environ, **(environment or {})}
        return subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment)

    def calls(self, times):
        for _ in range(times):
            assert "NOT_FOUND" in self.run("get", "email:nobody@shop.com").stderr

    def lives(self):
        assert [self.status(path) for path in ("/livez", "/readyz", "/metrics")] == [200] * 3

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0


def stopped_terminal(folder):
    terminal, slave = pty.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    server = Server(folder, slave, ALL_LINES)
    server.calls(20)
    server.lives()
    server.stop()
    os.close(terminal)


def full_disk(folder):
    if os.geteuid() != 0:
        return "needs root"
    disk = f"{folder}/disk"
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        server = Server(folder, subprocess.DEVNULL, [*ALL_LINES, "--set", f"log.file={disk}/cp.log", "--log-format", "json"])
        while server.metric('customer_profile_trouble_active{what="log output"}') == 0:
            server.calls(5)
        server.lives()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        for _ in range(100):
            if server.metric('customer_profile_trouble_active{what="log output"}') == 0:
                break
            time.sleep(0.1)
        server.stop()
        with open(f"{disk}/cp.log") as log:
            torn = [line for line in log if not (line.startswith("{") and line.endswith("}\n"))]
        assert not torn, torn[:3]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def clock_ahead(folder):
    library = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]
    if not library:
        return "needs libfaketime"
    clock = f"{folder}/clock"

    def set_clock(offset):
        with open(f"{clock}.new", "w") as file:
            file.write(offset)
        os.rename(f"{clock}.new", clock)

    set_clock("+0")
    fake = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
    with open(f"{folder}/log", "w") as log:
        server = Server(folder, log, ["--log-format", "json"], fake)
        for offset, active in (("+3650d", 1), ("+0", 0)):
            set_clock(offset)
            # Whoever asks for the time notices; background work does so every second.
            for _ in range(100):
                if server.metric('customer_profile_trouble_active{what="system clock"}') == active:
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(f"the clock at {offset} was not noticed")
        server.stop()
    with open(f"{folder}/log") as log:
        told = [line for line in log if "system clock" in line]
    assert len(told) == 2, told


failed = False
for check in (stopped_terminal, full_disk, clock_ahead):
    folder = tempfile.mkdtemp()
    try:
        skipped = check(folder)
        print(f"{check.__name__}: {f'not run, {skipped}' if skipped else 'passed'}", flush=True)
    except Exception as error:  # Each check is told, whatever it failed with.
        failed = True
        print(f"{check.__name__}: FAILED: {error!r}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
sys.exit(failed)
