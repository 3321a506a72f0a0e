"""Kernels that are forks of a warm process: they run notebooks, in the sandbox, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from exercise_code.support.isolation import confine
from exercise_code.support.paths import ROOT
from grading.notebooks.kernelspec import NAME, install, write_spec
from grading.running.sandbox import detect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks in a sandbox take Linux")
needs_l3 = pytest.mark.skipif(
    sys.platform != "linux" or detect().level != "L3",
    reason="this machine has no full sandbox: workbook doctor",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A runtime folder of its own: no server but that of these tests."""
    folder = tmp_path_factory.mktemp("home")
    write_spec(folder / "kernels" / NAME)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture
def manager(home):
    """Makes managers of kernels, and shuts them down."""
    made = []

    def make() -> KernelManager:
        specs = KernelSpecManager(kernel_dirs=[str(home / "kernels")], ensure_native_kernel=False)
        made.append(KernelManager(kernel_name=NAME, kernel_spec_manager=specs))
        return made[-1]

    yield make
    for each in made:
        if each.has_kernel:
            each.shutdown_kernel(now=True)


@pytest.fixture
def course(tmp_path):
    """A folder with a package of its own, and a place in it to work."""
    (tmp_path / "exercise_code").mkdir()
    (tmp_path / "exercise_code/__init__.py").write_text("ANSWER = 42\n")
    (tmp_path / "assignments/a01").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/etc/passwd")
    return tmp_path / "assignments/a01"


def run(manager, folder: Path, *cells: str, timeout: int = 60) -> list[str]:
    """Text of the outputs of some cells in one kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook, km=manager(), timeout=timeout, allow_errors=True, interrupt_on_timeout=True
    )
    client.execute(cwd=str(folder))
    return ["".join(text_of(output) for output in cell.outputs) for cell in notebook.cells]


def text_of(output) -> str:
    if output.output_type == "stream":
        return output.text
    return f"{output.ename}: {output.evalue}" if output.output_type == "error" else output.data["text/plain"]


def test_a_notebook_runs_on_the_code_of_its_own_folder(manager, course):
    found = run(
        manager,
        course,
        "import sys; sys.path.insert(0, '../..')\nimport exercise_code; exercise_code.ANSWER",
        "import os; os.path.basename(os.getcwd()), os.path.exists('../../link')",
        "import torch; torch.ones(3).sum()",
        "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1]); plt.show()",
        "1 / 0",
    )
    assert found[0] == "42"
    assert found[1] == "('a01', False)"
    assert found[2] == "tensor(3.)"
    assert "Figure" in found[3]
    assert found[4] == "ZeroDivisionError: division by zero"


def test_torch_is_there_from_the_start_and_the_course_is_not(manager, course):
    ours = "[name for name in sys.modules if 'grading' in name or 'exercise' in name]"
    (found,) = run(manager, course, f"import sys; 'torch' in sys.modules, {ours}")
    assert found == "(True, [])"


def test_kernels_are_apart_and_draw_other_random_numbers(manager, course):
    (first,), (second,) = (
        run(
            manager,
            course,
            "import random, torch, numpy as np; seen = 1; random.random(), torch.rand(2), np.random.rand()",
        )
        for _ in range(2)
    )
    assert first != second
    assert run(manager, course, "seen")[0].startswith("NameError")


def test_what_a_kernel_writes_goes_with_it(manager, course):
    assert run(manager, course, "open('x.txt', 'w').write('x')", "open('x.txt').read()") == ["1", "'x'"]
    assert not (course / "x.txt").exists()


READ = "open('/etc/passwd').read()"
IN_A_NEW_THREAD = f"""
import threading
found = []
thread = threading.Thread(target=lambda: found.append({READ}))
thread.start(); thread.join(); found[0]
"""
IN_A_THREAD_OF_IPYTHON = f"""
import concurrent.futures
from ipykernel.kernelapp import IPKernelApp
found = concurrent.futures.Future()
def attempt():
    try: found.set_result({READ})
    except OSError as error: found.set_exception(error)
IPKernelApp.instance().control_thread.io_loop.add_callback(attempt); found.result(10)
"""


@needs_l3
@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (READ, "PermissionError"),
        (f"open({str(ROOT / 'exercise_code/knn.py')!r}).read()", "PermissionError"),
        (f"open({str(ROOT / 'tests/conftest.py')!r}, 'a')", "Read-only file system"),
        ("import socket; socket.create_connection(('127.0.0.1', 22), 1)", "PermissionError"),
        ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "PermissionError"),
        ("import os; os.kill(-1, 9)", "ProcessLookupError"),
        ("import os; os.listdir('/proc/1/root/home')", "PermissionError"),
        ("import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0", "AssertionError"),
        ("bytearray(10**12)", "MemoryError"),
        (IN_A_NEW_THREAD, "IndexError"),
        (IN_A_THREAD_OF_IPYTHON, "PermissionError"),
    ],
)
def test_a_kernel_is_in_the_sandbox(manager, course, attempt, refusal):
    """In the thread of the cells, in a new one, and in those that IPython had before."""
    tried, after = run(manager, course, attempt, "1 + 1")
    assert refusal in tried and after == "2"


def test_environment_is_not_passed_on(manager, course, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "x")
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    (found,) = run(manager, course, "import os; 'COURSE_SECRET' in os.environ, os.environ['WORKBOOK_QUICK']")
    assert found == "(False, '1')"


def started(kernel, folder: Path):
    """A client of a kernel that is now ready."""
    if not kernel.has_kernel:
        kernel.start_kernel(cwd=str(folder))
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    return client


def test_interrupts_work(manager, course):
    kernel = manager()
    client = started(kernel, course)
    endless = "print('begun', flush=True)\nimport time\nwhile True: time.sleep(0.1)"
    asked = client.execute(endless, stop_on_error=False)  # else what comes right behind it may be dropped
    while client.get_iopub_msg(timeout=30)["content"].get("text") != "begun\n":
        pass
    kernel.interrupt_kernel()
    while (message := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != asked:
        pass
    reply = message["content"]
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    assert client.execute("1 + 1", reply=True, timeout=30)["content"]["status"] == "ok"
    client.stop_channels()


def test_restarts_work(manager, course):
    kernel = manager()
    for now in (False, True):
        client = started(kernel, course)
        reply = client.execute("assert 'x' not in dir()\nx = 1", reply=True, timeout=30)
        assert reply["content"]["status"] == "ok"
        client.stop_channels()
        kernel.restart_kernel(now=now)
    assert kernel.is_alive()


def test_a_kernel_that_ends_itself_is_seen_to_have_ended(manager, course):
    kernel = manager()
    client = started(kernel, course)
    client.execute("import os; os._exit(3)")
    ends = time.monotonic() + 30
    while kernel.is_alive() and time.monotonic() < ends:
        time.sleep(0.05)
    assert not kernel.is_alive()
    client.stop_channels()


def test_a_folder_that_is_too_large_is_refused_in_a_sentence(home, manager, course, capfd):
    for number in range(4):
        (course / f"{number}.bin").write_bytes(bytes(15 * 2**20))
    with pytest.raises(RuntimeError, match="Kernel died"):
        run(manager, course, "1")
    assert "is larger than" in capfd.readouterr().err


PROGRAM = """
import sys, time
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
specs = KernelSpecManager(kernel_dirs=[sys.argv[1]], ensure_native_kernel=False)
kernels = [KernelManager(kernel_name="workbook-warm", kernel_spec_manager=specs) for _ in range(2)]
for kernel in kernels:
    kernel.start_kernel(cwd=sys.argv[2])
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute_interactive("import os, time\\nif os.fork() == 0:\\n    os.setsid(); time.sleep(1000)")
print("ready", flush=True)
sys.stdin.read()
for kernel in kernels:
    kernel.shutdown_kernel()
"""


@pytest.mark.parametrize("ending", ["orderly", "killed", "server killed"])
def test_nothing_is_left_behind(home, course, tmp_path, ending):
    """Neither the server nor a kernel nor what a kernel has started, once who started them is gone."""
    place = tmp_path / "run"
    place.mkdir()
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(place), "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", PROGRAM, str(home / "kernels"), str(course)]
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert program.stdout.readline() == "ready\n"
    (folder,) = place.iterdir()
    assert [each.name for each in folder.iterdir()] and family(folder)
    if ending == "killed":
        program.kill()
    if ending == "server killed":
        os.kill(min(map(int, family(folder))), signal.SIGKILL)
        (folder / next(folder.iterdir())).unlink()
    program.communicate("", timeout=60)
    ends = time.monotonic() + 30
    while (family(folder) or [*folder.iterdir()]) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not family(folder) and not [*folder.iterdir()]


def family(folder: Path) -> list[str]:
    """Processes that serve in a folder: the server, its kernels, and what they have started."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes()
        except OSError:
            continue
        if b"serve" in command and os.fsencode(folder) in command:
            found.append(process.parent.name)
    return found


FORGED = """
import json, socket, sys
sys.path.insert(0, {root!r})
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from exercise_code.support.isolation import confine
from grading.notebooks import warm_kernel
file, connection = write_connection_file()
request = json.dumps({{**connection, "connection": connection, **{more!r}}}).encode()
with warm_kernel._connection() as server:
    confine.enter({layers!r}, [])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as inside:
        inside.connect(str(warm_kernel.socket_place()))
        inside.settimeout(60)
        inside.send(request)
        if {layers!r}:
            print(inside.recv(2**17).decode())
        else:
            client = BlockingKernelClient(connection_file=file)
            client.load_connection_file()
            client.hb_channel.time_to_dead = 60.0
            client.start_channels()
            client.wait_for_ready(timeout=60)
            client.execute_interactive(
                "import os; print(os.environ.get('PYTHONSTARTUP'), os.path.basename(os.getcwd()))"
            )
            client.stop_channels()
"""


@pytest.fixture
def place():
    """A folder for a server, with a name that is short enough for a socket in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def asked(place: Path, where: Path, layers: list[str], more: dict) -> str:
    """What comes of a request that a program sends to a server of its own; the server ends with it."""
    program = FORGED.format(root=str(ROOT), layers=layers, more=more)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(place), "JUPYTER_RUNTIME_DIR": str(place / "jupyter")}
    found = subprocess.run(
        ["sh", "-c", '"$0" -c "$1"; true', sys.executable, program],  # its parent ends with it
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    (served,) = place.glob("workbook-*")
    ends = time.monotonic() + 30
    while (family(served) or [*served.iterdir()]) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not family(served)
    return found.stdout.strip() or found.stderr


def test_a_request_names_no_code_and_nobody_to_stay_for(course, place):
    """Folder, environment and who is waited for are what the machine knows of the program that asks."""
    (course / "start.py").write_text("print('evil')")
    evil = {"folder": "/", "variables": {"PYTHONSTARTUP": "start.py"}, "starter": 1}
    assert asked(place, course, [], evil) == "None a01"


@needs_l3
def test_a_program_in_the_sandbox_gets_no_kernel(course, place):
    found = asked(place, course, [confine.NAMESPACES], {})
    assert "a program in a sandbox gets no warm kernel" in found


def test_the_kernel_is_installed_where_jupyter_finds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    place = install()
    assert place == tmp_path / "share/jupyter/kernels" / NAME
    spec = json.loads((place / "kernel.json").read_text())
    assert spec["argv"][0] == sys.executable and Path(spec["argv"][3]).is_file()
