"""A newer edition comes into a student's copy: what was written there stays."""

import shutil
import zipfile
from pathlib import Path

import pytest

from exercise_code.support.edition import MANIFEST, Edition, EditionError, bring_in, update

WRITTEN = {"exercise_code/knn.py", "assignments/a01_knn/knn.ipynb", "assignments/a02_linear/linear.ipynb"}
FIRST = {
    "exercise_code/knn.py": "stub",
    "assignments/a01_knn/knn.ipynb": "notebook",
    "assignments/a01_knn/checks.py": "checks",
    "exercise_code/support/engine.py": "engine",
    "exercise_code/support/old.py": "old",
    "requirements.txt": "torch",
}
SECOND = {
    "exercise_code/knn.py": "stub",
    "assignments/a01_knn/knn.ipynb": "notebook",
    "assignments/a01_knn/checks.py": "better checks",
    "assignments/a02_linear/linear.ipynb": "second notebook",
    "exercise_code/support/engine.py": "better engine",
    "requirements.txt": "torch and h5py",
}


def publish(folder: Path, files: dict[str, str], *assignments: str) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    Edition.of(folder, dict.fromkeys(assignments, "origin"), WRITTEN).save(folder)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def packed(folder: Path, archive: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in contents(folder).items():
            target.writestr(prefix + name, text)
    return archive


@pytest.fixture
def copy(tmp_path):
    """A student's copy of the first edition, in which an exercise is written and a model saved."""
    folder = publish(tmp_path / "copy", FIRST, "a01_knn")
    (folder / "exercise_code/knn.py").write_text("my solution")
    (folder / "models").mkdir()
    (folder / "models/best.pt").write_text("my model")
    return folder


@pytest.fixture
def newer(tmp_path):
    """The second edition."""
    return publish(tmp_path / "newer", SECOND, "a01_knn", "a02_linear")


@pytest.mark.parametrize("form", ["folder", "zip", "zip of a folder"])
def test_what_is_new_comes_and_what_is_written_stays(copy, newer, tmp_path, form):
    prefix = "course-main/" if form == "zip of a folder" else ""
    source = newer if form == "folder" else packed(newer, tmp_path / "newer.zip", prefix)
    done = update(source, copy)
    written = {"exercise_code/knn.py": "my solution", "models/best.pt": "my model"}
    assert contents(copy) == contents(newer) | written
    assert (done.new, done.kept, done.newer) == (["a02_linear"], ["exercise_code/knn.py"], [])
    assert "Kept as you wrote them: exercise_code/knn.py." in str(done)
    assert "pip install -r requirements.txt" in str(done)
    again = update(source, copy)
    assert again.changed == []
    assert contents(copy) == contents(newer) | written


def test_a_newer_notebook_replaces_one_that_is_not_begun_and_no_other(copy, newer):
    publish(newer, SECOND | {"assignments/a01_knn/knn.ipynb": "newer notebook"}, "a01_knn", "a02_linear")
    fresh = shutil.copytree(copy, copy.with_name("fresh"))
    notebook = "assignments/a01_knn/knn.ipynb"
    (copy / notebook).write_text("my notebook")
    done = bring_in(newer, copy)
    assert (copy / notebook).read_text() == "my notebook"
    assert done.newer == [notebook]
    assert f"The course has a newer {notebook}" in str(done)
    assert bring_in(newer, fresh).newer == []
    assert (fresh / notebook).read_text() == "newer notebook"
    (copy / notebook).rename(copy / "mine.ipynb")
    bring_in(newer, copy)
    assert (copy / notebook).read_text() == "newer notebook"
    assert (copy / "mine.ipynb").read_text() == "my notebook"


def test_a_given_file_that_was_changed_is_put_right(copy, newer):
    (copy / "exercise_code/support/engine.py").write_text("broken")
    bring_in(newer, copy)
    assert (copy / "exercise_code/support/engine.py").read_text() == "better engine"


def damaged_zip(newer, tmp_path):
    archive = packed(newer, tmp_path / "bad.zip")
    content = bytearray(archive.read_bytes())
    content[60:90] = bytes(30)
    archive.write_bytes(content)
    return archive


def cut_zip(newer, tmp_path):
    archive = packed(newer, tmp_path / "cut.zip")
    archive.write_bytes(archive.read_bytes()[:300])
    return archive


def zip_that_leads_outside(newer, tmp_path):
    archive = packed(newer, tmp_path / "outside.zip")
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("../outside.py", "x")
    return archive


def zip_of_something_else(newer, tmp_path):
    (newer / MANIFEST).unlink()
    return packed(newer, tmp_path / "other.zip")


def nothing(newer, tmp_path):
    return tmp_path / "nothing.zip"


def folder_without_an_edition(newer, tmp_path):
    (newer / MANIFEST).unlink()
    return newer


def folder_with_a_changed_file(newer, tmp_path):
    (newer / "exercise_code/support/engine.py").write_text("changed on the way")
    return newer


def folder_that_leads_outside(newer, tmp_path):
    (newer / MANIFEST).write_text('{"given": {"../outside.py": "0"}}')
    return newer


def folder_with_damaged_list(newer, tmp_path):
    (newer / MANIFEST).write_text("[1, 2")
    return newer


def older_edition(newer, tmp_path):
    return publish(tmp_path / "older", SECOND, "a02_linear")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (damaged_zip, "damaged"),
        (cut_zip, "damaged"),
        (zip_that_leads_outside, "lead outside"),
        (zip_of_something_else, "no edition"),
        (nothing, "not there"),
        (folder_without_an_edition, "no edition"),
        (folder_with_a_changed_file, "not as it was published"),
        (folder_that_leads_outside, "outside of its folder"),
        (folder_with_damaged_list, "damaged"),
        (older_edition, "lacks a01_knn"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(copy, newer, tmp_path, make, complaint):
    source, before = make(newer, tmp_path), contents(copy)
    with pytest.raises(EditionError, match=complaint):
        update(source, copy)
    assert contents(copy) == before
    assert not (tmp_path / "outside.py").exists()


def test_only_a_copy_of_the_course_is_updated(newer, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(EditionError, match="no edition"):
        update(newer, tmp_path / "elsewhere")


@pytest.mark.parametrize("after", range(5))
def test_an_interruption_leaves_whole_files_and_the_next_run_goes_on(copy, newer, monkeypatch, after):
    before, replace = contents(copy), Path.replace
    moved = []

    def interrupted(path, target):
        if len(moved) == after:
            raise KeyboardInterrupt
        moved.append(target)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update(newer, copy)
    whole = before.items() | contents(newer).items()
    assert contents(copy).items() <= whole
    assert (copy / "exercise_code/knn.py").read_text() == "my solution"
    monkeypatch.setattr(Path, "replace", replace)
    update(newer, copy)
    written = {"exercise_code/knn.py": "my solution", "models/best.pt": "my model"}
    assert contents(copy) == contents(newer) | written
