"""Many workers at once: processes of this machine, or those of any Dask cluster."""

import atexit
import contextlib
import itertools
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, cast

import dask
from distributed import (
    Client,
    Future,
    LocalCluster,
    Reschedule,
    Worker,
    WorkerPlugin,
    as_completed,
    get_worker,
)

from grading.course import CourseError
from grading.logs import LOGGER, show_log
from grading.running.grader import Grader, Job
from grading.running.incremental import Pool, Task
from grading.running.sandbox import Sandbox, detect
from grading.scratch import scratch_folder
from grading.submissions.records import Part, Result, Submission

LOG = logging.getLogger(__name__)
IN_FLIGHT = 3
"""Submissions that wait or run, for each worker: enough to keep all busy, few enough to stay in memory."""

SECONDS_BETWEEN_COUNTS = 1.0
"""Between two questions for the number of workers, which cost a journey to the scheduler and back."""

WITHOUT_PROFILE = {"distributed.worker.profile.enabled": False}
"""Otherwise each worker is looked at 100 times a second."""


def sandbox_of_workers(scheduler: str) -> Sandbox:
    """What keeps submissions from the workers of a Dask scheduler, where it is least.

    A worker that comes later and offers less is closed.
    """
    with _client(None, scheduler) as client:
        return min(
            client.run(detect).values(),
            key=lambda sandbox: (sandbox.level, -len(sandbox.missing)),
            default=detect(),
        )


@contextmanager
def on_cluster(
    job: Job,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    tell: Callable[[str], object] = lambda line: None,
) -> Iterator[Pool]:
    """A pool of Dask workers.

    Args:
        job: what was asked; every worker gets it once.
        workers: processes to start on this machine, where no scheduler is given; one a core if None.
        scheduler: address of a running Dask scheduler (`tcp://...` or `tls://...`); its workers need the same
            version of this package. An assignment with `gpu = true` runs where there is a resource `GPU`.
        tell: takes a line about the dashboard, where there is one.
    """
    with _client(workers, scheduler) as client:
        if scheduler or find_spec("bokeh"):
            tell(f"Dashboard   {client.dashboard_link}")
        name = f"workbook-{job.name[:16]}"
        client.register_plugin(_Station(job), name=name)
        resources = {"GPU": 1} if job.gpu else None

        def run(tasks: Iterable[Task]) -> Iterator[tuple[Submission, Result]]:
            tasks = iter(tasks)
            waiting: dict[Future[Any], Submission] = {}
            done = as_completed(with_results=True, raise_errors=False)
            workers, asked = 0, -math.inf

            def fill() -> None:
                nonlocal workers, asked
                if time.monotonic() > asked + SECONDS_BETWEEN_COUNTS:
                    workers, asked = max(1, len(client.nthreads())), time.monotonic()
                room = IN_FLIGHT * workers - len(waiting)
                for submission, parts in itertools.islice(tasks, max(room, 0)):
                    key = f"grade-{job.state(submission, name)}"
                    future = client.submit(
                        _grade, name, submission, parts, key=key, pure=False, resources=resources
                    )
                    waiting[future] = submission
                    done.add(future)

            fill()
            for future, result in done:
                submission = waiting.pop(future)
                fill()
                yield submission, result if isinstance(result, Result) else _give_up(submission, job, future)

        yield run
        if scheduler:
            with contextlib.suppress(OSError):  # a worker may go at this very moment
                client.unregister_worker_plugin(name)


@contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    if scheduler:
        try:
            client = Client(scheduler)
        except (OSError, ValueError) as error:
            raise CourseError(
                f"no scheduler answers at {scheduler} ({error}): give tcp://HOST:8786"
            ) from None
        with client:
            yield client
    else:
        with (
            scratch_folder() as scratch,
            dask.config.set({**WITHOUT_PROFILE, "temporary-directory": str(scratch)}),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
            ) as cluster,
            Client(cluster, direct_to_workers=True) as client,
        ):
            client.run(_settle)
            yield client


def _settle() -> None:
    """Prepare a worker of this machine: Ctrl-C is for the run alone, and tidying up takes Python seconds.

    What it has not finished when it is closed is no news.
    """
    logging.getLogger("distributed.worker.state_machine").setLevel(logging.ERROR)
    signal.signal(signal.SIGINT, lambda *_: None)
    atexit.register(os._exit, 0)


class _Station(WorkerPlugin):
    """A grader on each worker."""

    def __init__(self, job: Job) -> None:
        self._job, self._log = job, LOGGER.getEffectiveLevel()

    def setup(self, worker: Worker) -> None:
        show_log(self._log)
        self.grader, self.turn = None, threading.Lock()
        if detect().level >= self._job.level:
            self.grader = Grader(self._job)
        else:
            worker.loop.add_callback(worker.close)

    def teardown(self, worker: Worker) -> None:
        if self.grader:
            self.grader.close()


def _grade(name: str, submission: Submission, parts: list[Part] | None) -> Result:
    station = cast(_Station, get_worker().plugins[name])
    if station.grader is None:  # it is about to leave
        time.sleep(SECONDS_BETWEEN_COUNTS)
        raise Reschedule
    with station.turn:
        LOG.debug("%s is graded by worker %s", submission.id, get_worker().name)
        return station.grader.grade(submission, parts)


def _give_up(submission: Submission, job: Job, future: "Future[Any]") -> Result:
    LOG.warning("no worker could run %s (%s)", submission.id, future.exception())
    with Grader(job) as grader:
        return grader.give_up(submission, f"no worker could run it ({future.exception()})")
