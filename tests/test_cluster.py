"""A Dask cluster of separate processes: workers come and go, work is routed, scores are the same."""

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from conftest import grade_all
from distributed import Client

from exercise_code.support.paths import ROOT
from grading.cluster import on_cluster
from grading.collect import Submission

FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"


@contextmanager
def running(*arguments: str):
    """One of Dask's own programs."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def worker(address: str, *arguments: str):
    """A worker without a nanny, so that it is gone when it is killed."""
    program = "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"
    return running(*program, *arguments)


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler on loopback."""
    place = tmp_path / "scheduler.json"
    program = "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
    with running(*program, "--scheduler-file", str(place)):
        while not place.exists():
            time.sleep(0.05)
        with Client(scheduler_file=str(place)) as client:
            yield client.scheduler.address


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


def test_a_worker_leaves_and_another_comes(a01, scheduler, tmp_path):
    with worker(scheduler) as first, worker(scheduler) as second, Client(scheduler) as client:
        client.wait_for_workers(2)
        more = []

        def join() -> None:
            more.append(worker(scheduler))
            more[0].__enter__()

        steps = {2: join, 5: first.kill}

        def pool(job):
            return Changing(on_cluster(job, scheduler=scheduler), steps)

        records = grade_all(submissions(14), a01, 3, tmp_path, pool=pool)
        more[0].__exit__(None, None, None)
        assert first.poll() is not None and second.poll() is None
    assert [record.score for record in records] == [a01.max_points] * 14


def test_work_for_a_gpu_goes_where_one_is(a01, scheduler, tmp_path):
    def pool(job):
        return on_cluster(job, scheduler=scheduler)

    plain, gpu = ("--name", "plain"), ("--name", "gpu", "--resources", "GPU=1")
    with worker(scheduler, *plain), worker(scheduler, *gpu), Client(scheduler) as client:
        client.wait_for_workers(2)
        grade_all(submissions(3), replace(a01, gpu=True), 3, tmp_path, pool=pool)
        done = client.run(lambda dask_worker: (dask_worker.name, dask_worker.state.executed_count))
    counts = dict(done.values())
    assert counts["plain"] == 0 and counts["gpu"] >= 3
