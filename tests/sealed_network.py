"""A network that leads nowhere and counts who tries: what a program, its children and its native libraries say to the
world, whatever they do when nobody answers.

Run as a script inside a network namespace of its own, it makes every address there is this machine's, answers each
question for a name with an address, and runs a command. Its arguments: the file to write what was counted to, the
folder to run the command in, the command.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_ADDRESS = socket.inet_aton("192.0.2.1")  # set apart for documentation: nobody's
_IP_PKTINFO = 8  # socket.IP_PKTINFO from Python 3.12 on


@dataclass(frozen=True)
class Attempts:
    """What was counted.

    Attributes
    ----------
    names
        The names that were looked up, each as often as it was.
    connections
        TCP connections that were begun, to any address and port, as the kernel counts them.
    datagrams
        UDP datagrams that were sent beside the questions for names.
    """

    names: tuple[str, ...]
    connections: int
    datagrams: int


def obstacle() -> str:
    """Why there can be no such network here; empty if there can."""
    if sys.platform != "linux":
        return "Only Linux has network namespaces."
    if missing := [tool for tool in ("unshare", "ip") if shutil.which(tool) is None]:
        return f"{' and '.join(missing)} not found (Debian: util-linux, iproute2)."
    done = subprocess.run([*_namespace(), "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


def watch(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], timeout: float = 280
) -> tuple[subprocess.CompletedProcess[str], Attempts]:
    """Run a command in such a network.

    Parameters
    ----------
    command
        The program and its arguments.
    folder
        Where it starts.
    environment
        All of its environment.
    timeout
        Seconds after which it is killed.

    Returns
    -------
    done, attempts
        How the command ended and what it said; what was counted until then.
    """
    with tempfile.NamedTemporaryFile("r") as counted:
        whole = [*_namespace(), sys.executable, "-P", __file__, counted.name, str(folder), *map(str, command)]
        done = subprocess.run(
            whole, cwd="/", env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False
        )
        found = json.load(counted)
    return done, Attempts(tuple(found["names"]), found["connections"], found["datagrams"])


def _namespace() -> list[str]:
    """The command before a command that gives it a network of its own."""
    return ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]


# In the namespace


def _main(counted: str, folder: str, *command: str) -> int:
    for line in ("link set lo up", "route add local default dev lo", "-6 route add local default dev lo"):
        subprocess.run(["ip", *line.split()], check="-6" not in line, stderr=subprocess.DEVNULL)  # there may be no IPv6
    names: list[str] = []
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    server.bind(("", 53))
    threading.Thread(target=_answer, args=(server, names), daemon=True).start()
    code = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False).returncode
    connections, datagrams = _count("Tcp", "ActiveOpens"), _count("Udp", "OutDatagrams") + _udp6()
    # Each question for a name is a datagram, and so is the answer.
    attempts = Attempts(tuple(names), connections, datagrams - 2 * len(names))
    Path(counted).write_text(json.dumps(asdict(attempts)))
    return code


def _answer(server: socket.socket, names: list[str]) -> None:
    """Tell whoever asks that the name is at `_ADDRESS`."""
    while True:
        question, ancillary, _, client = server.recvmsg(512, socket.CMSG_SPACE(12))
        with contextlib.suppress(IndexError, struct.error):  # no question for a name: it counts as a datagram
            labels, place = [], 12
            while length := question[place]:
                labels.append(question[place + 1 : place + 1 + length].decode("latin-1"))
                place += 1 + length
            kind = struct.unpack_from("!H", question, place + 1)[0]
            names.append(".".join(labels))
            found = kind == 1  # an IPv4 address
            header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, found, 0, 0)
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + _ADDRESS
            reply = header + question[12 : place + 5] + (record if found else b"")
            server.sendmsg([reply], ancillary, 0, client)  # from the address that was asked


def _count(protocol: str, what: str) -> int:
    """One of the kernel's counters of this namespace."""
    lines = [
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith(f"{protocol}:")
    ]
    return int(dict(zip(*lines, strict=True))[what])


def _udp6() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/snmp6").read_text().splitlines():
            if line.startswith("Udp6OutDatagrams"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
