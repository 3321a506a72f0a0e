"""A Dask cluster of separate processes: workers come and go, work is routed, scores are the same."""

import itertools
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from distributed import Client
from helpers import grade_all
from rich.console import Console

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.paths import ROOT
from grading.class_run import Settings, grade_class
from grading.course import CourseError
from grading.running.dask_pool import on_cluster, sandbox_of_workers
from grading.running.grader import Job
from grading.running.sandbox import detect
from grading.submissions.records import Submission

FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"


WEAK = """\
from grading.running import sandbox
sandbox.detect = lambda: sandbox.Sandbox("L1", [], ["Landlock: not in this kernel"])
"""


class Network:
    """Where scheduler and workers run: each in a network namespace of its own, with one cable to a bridge.

    The bridge is in the scheduler's; these tests have a cable too. Where namespaces are not allowed,
    everything is on loopback.
    """

    def __init__(self) -> None:
        self._name, self._subnet = f"workbook{os.getpid()}", "198.18.77"  # a subnet for tests: RFC 2544
        self._made: list[str] = []
        self.apart = shutil.which("ip") is not None and self._add(self._name)
        if self.apart:
            self._inside(self._name, "link add bridge type bridge", "link set bridge up")
            self._inside(self._name, f"addr add {self._subnet}.1/24 dev bridge")
            self._cable(f"{self._subnet}.2")
        self.scheduler = f"{self._subnet}.1" if self.apart else "127.0.0.1"

    def place(self, number: int) -> tuple[list[str], str]:
        """What a command begins with, and the address it has: 0 is the scheduler's place."""
        if not self.apart:
            return [], "127.0.0.1"
        name = f"{self._name}-{number}" if number else self._name
        address = f"{self._subnet}.{10 + number}" if number else self.scheduler
        if name not in self._made:
            assert self._add(name)
            self._cable(address, name)
        return ["ip", "netns", "exec", name], address

    def close(self) -> None:
        """Take it down; cables go with their ends."""
        for name in self._made:
            ip("netns", "del", name)

    def _add(self, name: str) -> bool:
        if ip("netns", "add", name):
            self._made.append(name)
            return self._inside(name, "link set lo up")
        return False

    def _cable(self, address: str, name: str = "") -> None:
        """Connect a namespace, or this process's own, with the bridge."""
        end = f"wb{os.getpid()}n{address.rpartition('.')[2]}"
        here = ["-n", name] if name else []
        assert ip(*here, "link", "add", end, "type", "veth", "peer", "name", f"{end}b", "netns", self._name)
        self._inside(self._name, f"link set {end}b master bridge", f"link set {end}b up")
        assert ip(*here, "addr", "add", f"{address}/24", "dev", end) and ip(*here, "link", "set", end, "up")

    @staticmethod
    def _inside(name: str, *commands: str) -> bool:
        return all(ip("-n", name, *command.split()) for command in commands)


def ip(*arguments: str) -> bool:
    """Run the tool; whether it succeeded."""
    return subprocess.run(["ip", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def network():
    network = Network()
    yield network
    network.close()


@contextmanager
def running(before: list[str], *arguments: str, env: dict[str, str] | None = None):
    """One of Dask's own programs."""
    command = [*before, sys.executable, "-m", *arguments]
    environment = {**os.environ, **(env or {})}
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def worker(network, scheduler):
    """Start a worker without a nanny, so that it is gone when it is killed, in a place of its own."""
    numbers = itertools.count(1)

    def start(*arguments: str, env: dict[str, str] | None = None):
        before, address = network.place(next(numbers))
        options = "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", address
        return running(before, "distributed.cli.dask_worker", scheduler, *options, *arguments, env=env)

    return start


@pytest.fixture
def scheduler(network, tmp_path):
    """The address of a scheduler."""
    place = tmp_path / "scheduler.json"
    before, address = network.place(0)
    program = "distributed.cli.dask_scheduler", "--host", address, "--port", "0", "--no-dashboard"
    with running(before, *program, "--scheduler-file", str(place)):
        while not place.exists():
            time.sleep(0.05)
        with Client(scheduler_file=str(place)) as client:
            yield client.scheduler.address


def test_scheduler_and_workers_are_apart_where_that_is_allowed(network, scheduler, worker):
    if not network.apart:
        pytest.skip("network namespaces are not allowed here: everything runs on loopback")

    def namespace() -> str:
        return str(Path("/proc/self/ns/net").readlink())

    with worker(), worker(), Client(scheduler) as client:
        client.wait_for_workers(2)
        places = {*client.run(namespace).values(), client.run_on_scheduler(namespace), namespace()}
    assert len(places) == 4 and scheduler.startswith(f"tcp://{network.scheduler}:")


def test_the_address_of_a_dashboard_is_told_where_there_is_one(a01):
    job = Job.make(a01, make_answers([], [], 3))
    told = []
    with on_cluster(job, workers=1, tell=told.append):
        assert len(told) == bool(find_spec("bokeh"))
        for line in told:
            assert urllib.request.urlopen(line.split()[1], timeout=30).status == 200


def submissions(count: int) -> list[Submission]:
    return [Submission(f"s{n:02}", {FILE: f"{RIGHT}\n# {n}\n".encode()}) for n in range(count)]


class Changing:
    """A pool that does something after some results."""

    def __init__(self, pool, steps) -> None:
        self._pool, self._steps = pool, steps

    def __enter__(self):
        run = self._pool.__enter__()

        def watched(tasks):
            for number, found in enumerate(run(tasks)):
                yield found
                if number in self._steps:
                    self._steps[number]()

        return watched

    def __exit__(self, *exception):
        return self._pool.__exit__(*exception)


def test_a_worker_leaves_and_another_comes(a01, scheduler, worker, tmp_path):
    with worker() as first, worker() as second, Client(scheduler) as client:
        client.wait_for_workers(2)
        more = []

        def join() -> None:
            more.append(worker())
            more[0].__enter__()

        steps = {2: join, 5: first.kill}

        def pool(job):
            return Changing(on_cluster(job, scheduler=scheduler), steps)

        records = grade_all(submissions(14), a01, 3, tmp_path, pool=pool)
        more[0].__exit__(None, None, None)
        assert first.poll() is not None and second.poll() is None
    assert [record.score for record in records] == [a01.max_points] * 14


def test_work_for_a_gpu_goes_where_one_is(a01, scheduler, worker, tmp_path):
    def pool(job):
        return on_cluster(job, scheduler=scheduler)

    plain, gpu = ("--name", "plain"), ("--name", "gpu", "--resources", "GPU=1")
    with worker(*plain), worker(*gpu), Client(scheduler) as client:
        client.wait_for_workers(2)
        grade_all(submissions(3), replace(a01, gpu=True), 3, tmp_path, pool=pool)
        done = client.run(lambda dask_worker: (dask_worker.name, dask_worker.state.executed_count))
    counts = dict(done.values())
    assert counts["plain"] == 0 and counts["gpu"] >= 3


def test_the_isolation_of_a_cluster_is_that_of_its_workers(a01, scheduler, worker, tmp_path, monkeypatch):
    """Their least is told and required; a worker with less than was promised is closed."""
    weak = {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text(WEAK)
    with worker(), Client(scheduler) as client:
        client.wait_for_workers(1)
        assert sandbox_of_workers(scheduler) == detect()
        with worker(env=weak):
            client.wait_for_workers(2)
            assert sandbox_of_workers(scheduler).level == "L1"
            with pytest.raises(CourseError, match="isolation is only L1"):
                settings = Settings(tmp_path / "out", scheduler=scheduler, require_sandbox=True)
                grade_class(a01, tmp_path, settings, Console(quiet=True))

            def pool(job):
                return on_cluster(replace(job, level=detect().level), scheduler=scheduler)

            records = grade_all(submissions(6), a01, 3, tmp_path, pool=pool)
            assert [record.score for record in records] == [a01.max_points] * 6


def test_who_comes_later_takes_over(a01, scheduler, worker, tmp_path):
    with worker() as first, Client(scheduler) as client:
        client.wait_for_workers(1)
        more = []

        def join() -> None:
            more.append(worker())
            more[0].__enter__()
            client.wait_for_workers(2)

        def pool(job):
            return Changing(on_cluster(job, scheduler=scheduler), {1: join, 3: first.kill})

        records = grade_all(submissions(8), a01, 3, tmp_path, pool=pool)
        more[0].__exit__(None, None, None)
    assert [record.score for record in records] == [a01.max_points] * 8
