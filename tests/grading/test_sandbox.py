"""What each level of isolation holds, tried from within a submission."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hostile.attacks import CHECK, FILE, RIGHT, attempt, inside
from typer.testing import CliRunner

from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.isolation import confine
from exercise_code.support.paths import ROOT
from grading import cli
from grading.editions.student_files import write_student_files
from grading.running.check_process import CheckProcess
from grading.running.sandbox import ADVICE, detect, sandbox_of

LEVEL = detect().level
EVERYTHING = dict.fromkeys(confine.LAYERS, "")
WITHOUT_NAMESPACES = {**EVERYTHING, confine.NAMESPACES: "not asked for", confine.USER: "not asked for"}
NOTHING = dict.fromkeys(confine.LAYERS, "not asked for")
TRIES = {
    "read users": "open('/etc/passwd').read()",
    "write to /tmp": "open('/tmp/workbook-was-here', 'w').close()\nos.unlink('/tmp/workbook-was-here')",
    "open TCP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "open Unix": "socket.socket(socket.AF_UNIX)",
    "pairs of sockets": "socket.socketpair()",
    "write to scratch": "open('x', 'w').close()",
    "change the grader's file": "os.chmod({mine!r}, 0o600)",
    "change its times": "os.utime({mine!r}, (0, 0))",
    "give it attributes": "os.setxattr({mine!r}, 'user.eve', b'x')",
    "watch it": "libc = ctypes.CDLL(None)\nassert libc.inotify_add_watch(libc.inotify_init(), b'/', 2) >= 0",
    "memory in a file without a name": "os.memfd_create('x')",
    "shared memory that stays": "assert ctypes.CDLL(None).shmget(0, 4096, 0o600) >= 0",
    "read libraries": "open(torch.__file__).read()",
    "see the parent": "assert os.getppid()",
    "new namespaces": "assert ctypes.CDLL(None).unshare(0x10000000) == 0",
}


def linux_only(level: str):
    return pytest.mark.skipif(level > LEVEL, reason=f"this machine offers {LEVEL}: see `workbook doctor`")


def outcomes(offered: dict[str, str]) -> dict[str, bool]:
    """Which tries succeed with the layers that are offered."""
    a01 = find_assignment("a01")
    with tempfile.TemporaryDirectory() as folder:
        write_student_files(a01, Path(folder) / "pristine")
        mine = Path(folder) / "mine.txt"
        mine.touch()
        with CheckProcess(Path(folder) / "pristine", a01, sandbox_of(offered)) as worker:
            found = {}
            for name, lines in TRIES.items():
                text = attempt(lines.format(mine=str(mine)))
                (evidence,) = worker.run({FILE: text.encode()}, 1, [CHECK])
                found[name] = bool(next(iter(evidence.runs["float32"].outputs.values()))[0])
    return found


@linux_only("L3")
def test_level_3_leaves_scratch_libraries_and_pairs_of_sockets():
    offered = dict.fromkeys(detect().confines, "")
    allowed = {name for name, won in outcomes(offered).items() if won}
    assert allowed == {"pairs of sockets", "write to scratch", "read libraries"}


@linux_only("L2")
def test_level_2_differs_by_the_process_namespace_alone():
    allowed = {name for name, won in outcomes(WITHOUT_NAMESPACES).items() if won}
    assert allowed == {"pairs of sockets", "write to scratch", "read libraries", "see the parent"}


@linux_only("L2")
def test_level_1_holds_nothing_and_says_so():
    allowed = {name for name, won in outcomes(NOTHING).items() if won}
    assert {"read users", "open TCP", "see the parent"} <= allowed
    assert sandbox_of(NOTHING).level == "L1"


LOADER = """
from torch.utils.data import DataLoader, TensorDataset
numbers = TensorDataset(torch.arange(12.0).reshape(6, 2), torch.arange(6))
total = sum(int(labels.sum()) for _, labels in DataLoader(numbers, batch_size=2, num_workers=2))
return torch.full((dists.shape[1],), total)
"""


@linux_only("L3")
def test_workers_of_a_data_loader_need_no_socket(a01, tmp_path):
    write_student_files(a01, tmp_path / "pristine")
    with CheckProcess(tmp_path / "pristine", a01) as worker:
        (evidence,) = worker.run({FILE: inside(LOADER).encode()}, 1, [CHECK])
    run = evidence.runs["float32"]
    assert run.error is None
    assert {int(leaf[0]) for leaf in run.outputs.values()} == {15}


@linux_only("L2")
def test_what_a_submission_leaves_behind_ends_with_it_even_without_namespaces():
    lines = """
    import os, time
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            os.fork()
            time.sleep(1000)
            os._exit(0)
    """
    a01 = find_assignment("a01")
    with tempfile.TemporaryDirectory() as folder:
        write_student_files(a01, Path(folder) / "pristine")
        before = psutil.Process().children()
        with CheckProcess(Path(folder) / "pristine", a01, sandbox_of(WITHOUT_NAMESPACES)) as worker:
            worker.run({FILE: inside(lines).encode()}, 1, [CHECK])
            (server,) = set(psutil.Process().children()) - {*before}
            _, alive = psutil.wait_procs(server.children(recursive=True), timeout=5)
            assert len(alive) == 1, "there is more than the fork that is ready for the next submission"


CHILDREN = """
import os, time
for _ in range({count}):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (250 * 2**20)
        time.sleep({seconds})
        os._exit(0)
for _ in range({count}): os.wait()
"""


@linux_only("L2")
@pytest.mark.parametrize("offered", [None, WITHOUT_NAMESPACES])
def test_memory_is_limited_for_all_that_a_submission_starts_together(a01, tmp_path, offered):
    """Each child stays below the limit; a neighbour with a child of its own loses nothing."""
    write_student_files(a01, tmp_path / "pristine")
    small = replace(a01, limits=replace(a01.limits, memory_mb=400, seconds_per_check=60))
    greed, modesty = (inside(CHILDREN.format(count=n, seconds=s)) for n, s in ((4, 1000), (1, 0.5)))
    box = sandbox_of(offered) if offered else detect()
    with CheckProcess(tmp_path / "pristine", small, box) as worker:
        (greedy,) = worker.run({FILE: greed.encode()}, 1, [CHECK])
        (neighbour,) = worker.run({FILE: modesty.encode()}, 1, [CHECK])
    assert greedy.problem == ("crashed", "its processes took more than 400 MiB of memory together")
    assert neighbour.problem is None and neighbour.runs["float32"].error is None


@linux_only("L2")
def test_what_else_the_user_runs_takes_no_process_from_a_submission(a01, tmp_path):
    """Without namespaces of its own, where the kernel counts all processes of a user together."""
    box = sandbox_of({**dict.fromkeys(detect().confines, ""), confine.NAMESPACES: "not asked for"})
    user = {} if os.geteuid() else {"user": confine.NOBODY}
    others = [subprocess.Popen(["sleep", "100"], **user) for _ in range(confine.MAX_PROCESSES)]
    lines = "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()"
    write_student_files(a01, tmp_path / "pristine")
    try:
        with CheckProcess(tmp_path / "pristine", a01, box) as worker:
            (evidence,) = worker.run({FILE: inside(lines).encode()}, 1, [CHECK])
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert evidence.runs["float32"].error is None


BUSY = """
import time
started = time.thread_time()
while time.thread_time() < started + 0.3: pass
"""


@linux_only("L2")
def test_waiting_for_a_processor_is_not_counted(a01, tmp_path, monkeypatch):
    """Five others want the same processor: what takes 3 seconds of it takes three times as long.

    They have sessions of their own, since Linux may share a processor among sessions.
    """
    write_student_files(a01, tmp_path / "pristine")
    hasty = replace(a01, limits=replace(a01.limits, seconds_per_check=5))
    processors = os.sched_getaffinity(0)
    with CheckProcess(tmp_path / "pristine", hasty) as worker:
        worker.run({FILE: RIGHT.encode()}, 1, [CHECK])
        os.sched_setaffinity(0, {min(processors)})
        busily = [sys.executable, "-c", "while True: pass"]
        others = [subprocess.Popen(busily, start_new_session=True) for _ in range(5)]
        try:
            for process in psutil.Process().children(recursive=True):
                process.cpu_affinity([min(processors)])
            (busy,) = worker.run({FILE: inside(BUSY).encode()}, 1, [CHECK])
            (asleep,) = worker.run({FILE: inside("import time; time.sleep(100)").encode()}, 1, [CHECK])
        finally:
            for other in others:
                other.kill()
                other.wait()
            os.sched_setaffinity(0, processors)
    assert busy.seconds > hasty.limits.seconds_per_check
    assert busy.problem is None
    assert asleep.problem == ("timeout", "it took longer than 5 seconds")


GATHER = """
import hashlib, os, platform
from pathlib import Path
from exercise_code.support.isolation import confine
def huge():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))
data = [os.urandom(64 * 2**10) for _ in range(1000)]
before, pages = [hashlib.sha256(each).digest() for each in data], huge()
confine.gather_memory()
assert [hashlib.sha256(each).digest() for each in data] == before
has_them = Path("/sys/kernel/mm/transparent_hugepage").exists()
new = tuple(map(int, platform.release().split(".")[:2])) >= (6, 1)
print(huge() - pages if has_them and new else "none here")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_memory_in_huge_pages_holds_what_it_held():
    found = subprocess.run([sys.executable, "-c", GATHER], capture_output=True, text=True, cwd=ROOT)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "none here" or int(found.stdout) >= 32 * 2**10


@linux_only("L2")
def test_a_layer_that_fails_ends_the_run_instead_of_going_on_without(monkeypatch, tmp_path):
    from grading.course import CourseError

    a01 = find_assignment("a01")
    write_student_files(a01, tmp_path / "pristine")
    confined = tmp_path / "pristine/exercise_code/support/isolation/confine.py"
    text = confined.read_text().replace("if version < 1:", "if version:")
    confined.write_text(text)
    with (
        CheckProcess(tmp_path / "pristine", a01, sandbox_of(WITHOUT_NAMESPACES)) as worker,
        pytest.raises(CourseError, match="cannot be kept apart as asked"),
    ):
        worker.run({FILE: RIGHT.encode()}, 1)


ORDINARY = """
import json, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from exercise_code.support.isolation import confine
confine.enter([confine.USER], [*confine.libraries(), Path(sys.prefix), Path(sys.base_prefix), Path({root!r})])
import os
import test_sandbox
from grading.running.sandbox import detect
found = test_sandbox.outcomes({{layer: "" for layer in detect().confines}})
print(json.dumps([os.geteuid(), detect().level, found]))
"""


@linux_only("L3")
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_has_the_same(tmp_path):
    tests = ROOT / "tests"
    program = ORDINARY.format(root=str(ROOT), paths=[str(ROOT), str(tests), str(tests / "grading")])
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd="/")
    assert found.returncode == 0, found.stderr
    user, level, tries = json.loads(found.stdout.splitlines()[-1])
    assert user == confine.NOBODY
    assert level == "L3"
    assert {name for name, won in tries.items() if won} == {
        "pairs of sockets",
        "write to scratch",
        "read libraries",
    }


@linux_only("L2")
def test_limits_of_processes_and_scratch(a01, tmp_path):
    """As many processes as the limit says, as much scratch as it holds."""
    lines = """
    import os, time
    count = 0
    try:
        while True:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            count += 1
    except OSError:
        pass
    return torch.full((dists.shape[1],), count)
    """
    write_student_files(a01, tmp_path / "pristine")
    with CheckProcess(tmp_path / "pristine", a01) as worker:
        (evidence,) = worker.run({FILE: inside(lines).encode()}, 1, [CHECK])
    (count,) = {int(leaf[0]) for leaf in list(evidence.runs["float32"].outputs.values())[:1]}
    assert 0 < count <= confine.MAX_PROCESSES


@linux_only("L2")
@pytest.mark.parametrize(
    "settings", ["umask 077; ulimit -n 200", "ulimit -t 50", "export LC_ALL=C; unset HOME"]
)
def test_settings_of_the_graders_shell_cost_nobody_a_point(tmp_path, settings):
    """The umask, limits below those that submissions get, plain ASCII, and no home."""
    (tmp_path / "in/ann" / FILE).parent.mkdir(parents=True)
    (tmp_path / "in/ann" / FILE).write_text(RIGHT)
    command = f'{settings}; "$0" -m grading.cli grade a01 "$1/in" --out "$1/out" --workers 1 --json'
    found = subprocess.run(
        ["bash", "-c", command, sys.executable, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert found.returncode == 0, found.stderr
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert [each["score"] for each in results["submissions"]] == [28]
    assert results["sandbox"]["level"] == LEVEL


def test_doctor_names_every_layer_and_require_sandbox_fails_where_one_is_missing(monkeypatch):
    outcome = CliRunner().invoke(cli.app, ["doctor", "--require-sandbox"])
    assert outcome.exit_code == int(bool(detect().missing))
    assert f"Isolation {LEVEL}" in outcome.output
    offered = {**EVERYTHING, confine.LANDLOCK: "Landlock: the kernel has none"}
    monkeypatch.setattr("grading.running.sandbox.offered", lambda: offered)
    outcome = CliRunner().invoke(cli.app, ["doctor"])
    assert outcome.exit_code == 0
    assert "Isolation L1" in outcome.output
    assert ADVICE[confine.LANDLOCK][:15] in outcome.output
    assert CliRunner().invoke(cli.app, ["doctor", "--require-sandbox"]).exit_code == 1


@pytest.mark.parametrize(("layer", "level"), [(confine.NAMESPACES, "L2"), (confine.USER, "L3")])
def test_grading_refuses_where_the_sandbox_is_required_and_missing(
    layer, level, monkeypatch, tmp_path, capsys
):
    offered = {**EVERYTHING, layer: "Operation not permitted"}
    monkeypatch.setattr("grading.running.sandbox.offered", lambda: offered)
    (tmp_path / "ann").mkdir()
    arguments = [
        "workbook",
        "grade",
        "a01",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
        "--require-sandbox",
    ]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert f"isolation is only {level} (Operation not permitted)" in capsys.readouterr().err
