"""How far submissions can be kept from this machine."""

import functools
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from exercise_code.support.isolation import confine

ALWAYS = ["a process of its own", "no environment", "a wall clock"]
ADVICE = {
    confine.NAMESPACES: "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 on Debian, "
    "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu, --security-opt seccomp=unconfined in Docker",
    confine.LANDLOCK: "use Linux 5.13 or later with landlock in its list of security modules (lsm=…)",
    confine.SECCOMP: "use a kernel with CONFIG_SECCOMP_FILTER on x86-64 or aarch64",
    confine.LIMITS: "use Linux",
    confine.USER: "grade as an ordinary user, or let Python and the course lie where other users can read",
}


@dataclass(frozen=True)
class Sandbox:
    """What keeps a submission from the machine it runs on, and what is missing and why.

    L3 has namespaces, Landlock, seccomp and limits; L2 does without namespaces; L1 is a plain child process
    that knows no answers, but can do what the person who grades can do.
    """

    level: str
    layers: list[str]
    missing: list[str]

    @property
    def confines(self) -> list[str]:
        """The layers that the child takes itself."""
        return [layer for layer in self.layers if layer in confine.LAYERS]

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        return asdict(self)


def sandbox_of(offered: dict[str, str]) -> Sandbox:
    """The level that some layers make; each is given with the reason why it cannot be had, or nothing."""
    layers = [layer for layer, reason in offered.items() if not reason]
    least = {confine.LANDLOCK, confine.SECCOMP, confine.LIMITS}
    level = "L1" if least - {*layers} else "L3" if confine.NAMESPACES in layers else "L2"
    return Sandbox(level, [*ALWAYS, *layers], [reason for reason in offered.values() if reason])


def detect() -> Sandbox:
    """What this machine offers."""
    return sandbox_of(offered())


@functools.cache
def offered() -> dict[str, str]:
    """Try each layer in a process that is thrown away; what cannot be had comes with the reason."""
    command = [sys.executable, "-I", "-B", confine.__file__]
    found = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True)
    missing: dict[str, str] = json.loads(found.stdout)
    return missing
