"""Submissions are found in whatever a platform gives, and odd archives harm nobody."""

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import normalize

import pytest
from helpers import packed, write
from hypothesis import given
from hypothesis import strategies as st

from grading.course import CourseError
from grading.scores.feedback_zip import write_feedback_zip
from grading.submissions import archives
from grading.submissions.archives import MAX_FILES, opened
from grading.submissions.collect import KINDS, collect, read_submission
from grading.submissions.roster import Roster, Student, read_roster, usable_id

FILE, NOTEBOOK = "exercise_code/knn.py", "assignments/a01_knn/knn.ipynb"
WORK = {FILE: b"x = 1\n", NOTEBOOK: b"{}"}


def canvas(folder: Path) -> None:
    write(
        folder,
        {"lovelaceada_11_900_a01.zip": packed(WORK), "lovelaceada_11_950_a01-1.zip": packed({FILE: b"y"})},
    )
    write(
        folder, {"hoppergrace_LATE_12_901_knn.py": b"x = 2\n", "hoppergrace_LATE_12_902_knn-1.ipynb": b"{}"}
    )


def moodle(folder: Path) -> None:
    write(folder / "Ada Lovelace_11_assignsubmission_file_", {"a01.zip": packed(WORK)})
    write(folder / "Grace Hopper_12_assignsubmission_file", {"knn.py": b"x = 2\n", "knn.ipynb": b"{}"})


def gradescope(folder: Path) -> None:
    write(folder / "submission_1", WORK)
    write(folder / "submission_2", {**WORK, FILE: b"x = 2\n"})
    (folder / "submission_metadata.yml").write_text(
        """---
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '11'
    :email: ada@example.org
  :created_at: 2026-10-16 20:00:00.000000000 Z
submission_2:
  :submitters:
  - :name: Grace Hopper
    :sid:
    :email: grace@example.org
  :created_at: 2026-10-17 20:00:00.000000000 Z
"""
    )


def github(folder: Path) -> None:
    for login, text in (("a01-ada", b"x = 1\n"), ("a01_knn-grace", b"x = 2\n")):
        write(folder / login, {**WORK, FILE: text})
        environment = {**os.environ, "GIT_COMMITTER_DATE": "2026-10-16T20:00:00+02:00"}
        for command in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *command], cwd=folder / login, check=True, env=environment)


def nbgrader(folder: Path) -> None:
    for id, text in (("11", b"x = 1\n"), ("12", b"x = 2\n")):
        write(folder / id / "a01_knn", {**WORK, FILE: text, "timestamp.txt": b"2026-10-16 18:00:00 UTC"})


def folders(folder: Path) -> None:
    write(folder / "Ada Lovelace", WORK)
    write(folder, {"grace@example.org.tar.gz": packed({**WORK, FILE: b"x = 2\n"}, "gz")})


ROSTER = Roster(
    [
        Student("ada", "Ada Lovelace", "ada@example.org", {"canvas_id": "11", "github": "ada"}),
        Student("grace", "Grace Hopper", "grace@example.org", {"canvas_id": "12", "github": "Grace"}),
        Student("alan", "Alan Turing"),
    ]
)
LAYOUTS = [canvas, moodle, gradescope, github, nbgrader, folders]


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.__name__ for layout in LAYOUTS])
def test_every_layout_is_recognised_and_everybody_found(a01, tmp_path, layout):
    layout(tmp_path)
    found = collect(tmp_path, a01, ROSTER)
    assert found.kind == layout.__name__
    assert found.missing == ["alan"] and not found.unknown
    submissions = {each.id: each for each in found.submissions(a01)}
    assert {*submissions} == {"ada", "grace"}
    assert submissions["grace"].files[FILE] == b"x = 2\n"
    assert submissions["ada"].files[FILE] == (b"y" if layout is canvas else b"x = 1\n")
    assert submissions["grace"].files[NOTEBOOK] == b"{}"
    if layout in (gradescope, github, nbgrader):
        assert submissions["ada"].submitted.astimezone(UTC).date() == datetime(2026, 10, 16).date()
    if layout is canvas:
        assert submissions["grace"].notes == ["Canvas calls it late"]


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.__name__ for layout in LAYOUTS])
@pytest.mark.parametrize("within", [".", "export"])
def test_a_class_is_read_from_the_zip_that_was_downloaded(a01, tmp_path, layout, within):
    layout(tmp_path / "x" / within)
    archive = shutil.make_archive(str(tmp_path / "downloaded"), "zip", tmp_path / "x")
    found = collect(Path(archive), a01, ROSTER)
    assert (found.kind, found.missing) == (layout.__name__, ["alan"])
    submissions = {each.id: each for each in found.submissions(a01)}
    assert submissions["grace"].files[FILE] == b"x = 2\n"


def test_a_damaged_or_huge_archive_of_a_class_is_one_sentence(a01, tmp_path, monkeypatch):
    whole = packed({f"ada/{FILE}": b"x = 1\n" * 1000})
    (tmp_path / "a.zip").write_bytes(whole.replace(whole[60:64], b"\0\0\0\0", 1))
    with pytest.raises(CourseError, match=r"a\.zip cannot be read: "):
        collect(tmp_path / "a.zip", a01)
    (tmp_path / "b.zip").write_bytes(whole)
    monkeypatch.setattr("grading.submissions.collect.MAX_CLASS", 10)
    with pytest.raises(CourseError, match=r"b\.zip cannot be read: it unpacks to more than"):
        collect(tmp_path / "b.zip", a01)


def test_feedback_has_the_names_that_platforms_take_back(a01, tmp_path):
    def names(layout) -> set[str]:
        folder, pages = tmp_path / layout.__name__, tmp_path / "pages"
        folder.mkdir()
        layout(folder)
        write(pages, {"ada.html": b"Ada's", "grace.html": b"Grace's"})
        target = tmp_path / f"{layout.__name__}.zip"
        assert write_feedback_zip(collect(folder, a01, ROSTER), pages, target) == []
        with zipfile.ZipFile(target) as archive:
            assert {archive.read(name) for name in archive.namelist()} == {b"Ada's", b"Grace's"}
            return {*archive.namelist()}

    assert names(canvas) == {
        "lovelaceada_11_950_feedback.html",
        "hoppergrace_LATE_12_902_feedback.html",
    }
    for name in names(moodle):  # as Moodle's importer takes a name apart
        who, number, *plugin, file = name.split("_", 4)
        assert (who, number) in {("Ada Lovelace", "11"), ("Grace Hopper", "12")}
        assert (plugin, file) == (["assignsubmission", "file"], "feedback.html")
    assert names(nbgrader) == {"ada.html", "grace.html"}


def test_a_notebook_with_large_pictures_is_taken(a01, tmp_path):
    notebook = b'{"cells": [], "picture": "' + bytes(6 * 2**20).replace(b"\0", b"x") + b'"}'
    write(tmp_path / "ada", {FILE: b"x = 1\n", NOTEBOOK: notebook})
    (found,) = collect(tmp_path, a01, kind="folders").submissions(a01)
    assert found.files[NOTEBOOK] == notebook and not found.notes


def test_who_has_no_page_is_named(a01, tmp_path):
    write(tmp_path / "in", {f"ada/{FILE}": b"", f"bob/{FILE}": b""})
    found, pages = collect(tmp_path / "in", a01), tmp_path / "pages"
    with pytest.raises(CourseError, match="there are no pages"):
        write_feedback_zip(found, pages, tmp_path / "f.zip")
    write(pages, {"bob.html": b""})
    assert write_feedback_zip(found, pages, tmp_path / "f.zip") == ["ada"]


def test_all_layouts_are_tested():
    assert {layout.__name__ for layout in LAYOUTS} == {*KINDS}


def test_of_two_by_one_student_the_later_counts(a01, tmp_path):
    write(tmp_path / "ada", WORK)
    write(tmp_path / "ada@example.org", {FILE: b"later"})
    write(tmp_path / "stranger", WORK)
    found = collect(tmp_path, a01, ROSTER)
    assert found.unknown == ["stranger"]
    ada, stranger = found.submissions(a01)
    assert ada.files[FILE] == b"later"
    assert "handed in twice: ada@example.org counts, ada does not" in " ".join(ada.notes)
    assert "is not in the roster" in stranger.notes


def test_a_submission_that_is_gone_when_its_turn_comes_costs_itself(a01, tmp_path):
    write(tmp_path, {f"{id}/{FILE}": b"x = 1\n" for id in ("ann", "bob", "cid")})
    waiting = collect(tmp_path, a01).submissions(a01)
    assert next(waiting).files
    shutil.rmtree(tmp_path / "bob")
    bob, cid = waiting
    assert not bob.files and "bob is no file and no folder" in bob.notes
    assert cid.files


def test_one_name_in_two_forms_of_unicode_is_two_students(a01, tmp_path):
    """Where the file system tells them apart; each has a page of its own."""
    write(tmp_path, {f"{normalize(form, 'Zoé')}/{FILE}": b"x = 1\n" for form in ("NFC", "NFD")})
    found = [each.id for each in collect(tmp_path, a01).submissions(a01)]
    assert len({*found}) == len([*tmp_path.iterdir()])


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("name\nx\n", "has no column `id`: it has name"),
        ("id\na\na\n", "has the id 'a' twice"),
        ("id\na/b\n", "has the id 'a/b', no name for a file: take 'a_b-"),
    ],
)
def test_a_wrong_roster_is_named(tmp_path, text, sentence):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(CourseError, match=sentence):
        read_roster(tmp_path / "roster.csv")


def test_rosters_of_spreadsheets_are_read(tmp_path):
    (tmp_path / "roster.csv").write_bytes("\ufeffID;Name;Canvas ID\nada;Ada Lovelace;11\n;;\n".encode())
    roster = read_roster(tmp_path / "roster.csv")
    assert roster.students == [Student("ada", "Ada Lovelace", "", {"canvas_id": "11"})]
    assert roster.find("nobody", "ADA  lovelace").id == "ada"


def notes_of(path: Path, a01) -> str:
    return " | ".join(read_submission(path, "eve", a01).notes)


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mode", ["zip", "", "gz", "bz2", "xz"])
def test_every_archive_is_read(a01, tmp_path, mode):
    found = read_submission(put(tmp_path / "x.tar", packed(WORK, mode)), "ann", a01)
    assert found.files == WORK and not found.notes


@pytest.mark.parametrize("mode", ["zip", "gz"])
@pytest.mark.parametrize("name", [f"../{FILE}", f"/{FILE}", f"C:\\{FILE}", f"a/../../{FILE}", f"..\\{FILE}"])
def test_names_that_point_outside_are_left_out(a01, tmp_path, mode, name):
    path = put(tmp_path / "x.zip", packed({name: b"x"}, mode))
    assert "points outside of the archive" in notes_of(path, a01)
    assert not read_submission(path, "eve", a01).files
    assert [each.name for each in tmp_path.iterdir()] == ["x.zip"]


def test_links_and_devices_are_left_out(a01, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"{kind.decode()}/{FILE}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    notes = notes_of(put(tmp_path / "x.tar", buffer.getvalue()), a01)
    assert notes.count("is a link or a device") == 4
    link = zipfile.ZipInfo(FILE)
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link or a device" in notes_of(tmp_path / "x.zip", a01)
    (tmp_path / "folder/exercise_code").mkdir(parents=True)
    (tmp_path / "folder" / FILE).symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "folder/knn.py")
    assert notes_of(tmp_path / "folder", a01).count("is a link or a device") == 2


@pytest.mark.parametrize(
    ("header", "count"),
    [
        (b"9" * 2_000_000, 1),
        (b"9" * 6_000, 1000),
        (b"3 a" * 2_000 + b"=", 1000),
        (b"26 comment=is a short one\n", 100_000),
    ],
)
def test_a_header_that_takes_long_to_read_is_refused(a01, tmp_path, header, count):
    """Before Python 3.11.10 one of 2 kB keeps `tarfile` busy for hours (CVE-2024-6232)."""
    info = tarfile.TarInfo("eve")
    info.type, info.size = tarfile.XHDTYPE, len(header)
    block = info.tobuf() + header + bytes(-len(header) % 512)
    (tmp_path / "eve.tar.gz").write_bytes(gzip.compress(block * count))
    (tmp_path / "ann").mkdir()
    notes = {submission.id: submission.notes for submission in collect(tmp_path, a01).submissions(a01)}
    assert [*notes] == ["ann", "eve"]
    assert any("eve.tar.gz cannot be read" in note for note in notes["eve"])


def test_a_pipe_called_as_an_archive_is_left_out(a01, tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "ann").mkdir()
    assert [found.id for found in collect(tmp_path, a01).found] == ["ann"]
    assert read_submission(tmp_path / "pipe.zip", "eve", a01).notes


@pytest.mark.parametrize("count", [40_000, 70_000])
def test_a_list_of_many_names_is_refused_before_it_is_read(a01, tmp_path, monkeypatch, count):
    """With more than 65,535 names the list's length stands in another record."""
    content = packed({f"{number}.py": b"" for number in range(count)})
    put(tmp_path / "many.zip", content)
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 2**20)
    read: list[str] = []
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda file: read.append("read"))
    assert "its list of names has" in notes_of(tmp_path / "many.zip", a01)
    with pytest.raises(CourseError, match="its list of names has"):
        collect(tmp_path / "many.zip", a01)
    assert not read


def test_bombs_are_not_unpacked(a01, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED", 2**22)
    huge = packed({FILE: bytes(2**23)}, "xz")
    assert "unpacks to more than" in notes_of(put(tmp_path / "x.tar.xz", huge), a01)
    many = packed({f"{number}.py": b"" for number in range(MAX_FILES + 2)})
    assert "more than 5,000 files" in notes_of(put(tmp_path / "many.zip", many), a01)
    assert "larger than" in notes_of(put(tmp_path / "huge.zip", packed({FILE: bytes(6 * 2**20)})), a01)


def test_what_is_damaged_or_locked_is_named(a01, tmp_path):
    whole = packed(WORK)
    assert "cannot be read" in notes_of(put(tmp_path / "cut.zip", whole[:-30]), a01)
    assert "cannot be read" in notes_of(put(tmp_path / "cut.tar.gz", packed(WORK, "gz")[:-40]), a01)
    broken = bytearray(whole)
    broken[40:44] = b"\xff\xff\xff\xff"
    assert "cannot be read" in notes_of(put(tmp_path / "broken.zip", bytes(broken)), a01)
    locked = bytearray(whole)
    for mark in (whole.index(b"PK\x03\x04") + 6, whole.index(b"PK\x01\x02") + 8):
        locked[mark] |= 1
    assert "behind a password" in notes_of(put(tmp_path / "locked.zip", bytes(locked)), a01)
    assert "is not a zip" in notes_of(put(tmp_path / "x.7z", b"7z\xbc\xaf\x27\x1c"), a01)
    inner = packed({"work.zip": whole})
    assert not notes_of(put(tmp_path / "nested.zip", inner), a01)


def test_what_systems_add_or_change_is_healed(a01, tmp_path):
    files = {f"my work\\{name.replace('/', chr(92))}": content for name, content in WORK.items()}
    files |= {f"__MACOSX/{FILE}": b"no", "my work/.ipynb_checkpoints/knn.py": b"no", ".DS_Store": b"no"}
    found = read_submission(put(tmp_path / "x.zip", packed(files)), "ann", a01)
    assert found.files == WORK and not found.notes
    found = read_submission(
        put(tmp_path / "y.zip", packed({"Exercise_Code/KNN.py": b"x", "KNN.ipynb": b"{}"})), "a", a01
    )
    assert found.files == {FILE: b"x", NOTEBOOK: b"{}"}
    assert f"{FILE} was found as Exercise_Code/KNN.py" in found.notes


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubled_entries_are_named_and_the_later_counts(a01, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(FILE, b"first")
        archive.writestr(FILE, b"second")
    found = read_submission(tmp_path / "x.zip", "ann", a01)
    assert found.files[FILE] == b"second"
    assert "is there twice" in found.notes[0]


def test_utf_16_is_named(a01, tmp_path):
    path = put(tmp_path / "x.zip", packed({FILE: "x = 1".encode("utf-16")}))
    assert "is UTF-16" in notes_of(path, a01)


@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"7z\xbc\xaf"]),
)
def test_arbitrary_bytes_are_a_sentence_at_most(tmp_path_factory, data, start):
    path = put(tmp_path_factory.mktemp("any") / "x.zip", start + data)
    with opened(path) as contents:
        for name in contents.sizes:
            contents.read(name, 100)
        assert all(isinstance(note, str) for note in contents.notes)


def test_an_unknown_kind_is_named(a01, tmp_path):
    with pytest.raises(CourseError, match="choose from gradescope, canvas"):
        collect(tmp_path, a01, kind="blackboard")
    (tmp_path / "submission_metadata.yml").write_text(json.dumps({"x": 1}))
    with pytest.raises(CourseError, match="not as Gradescope writes it"):
        collect(tmp_path, a01)


def test_a_repository_among_folders_hides_nobody(a01, tmp_path):
    """Students hand in folders with `.git` in them; a class of clones is one in which all have it."""
    for name in ("ada", "grace", "alan"):
        write(tmp_path / name, WORK)
    subprocess.run(["git", "init", "-q", tmp_path / "grace"], check=True)
    found = collect(tmp_path, a01, ROSTER)
    assert (found.kind, {each.id for each in found.found}) == ("folders", {"ada", "grace", "alan"})
    found = collect(tmp_path, a01, ROSTER, "github")
    assert ([each.id for each in found.found], found.left_out) == (["grace"], ["ada", "alan"])


@pytest.mark.parametrize("start", ["hw1-", "spring-26_hw2-", "a01-"])
@pytest.mark.parametrize("roster", [ROSTER, None])
def test_what_all_repositories_begin_with_is_no_students_name(a01, tmp_path, start, roster):
    logins = ("ada", "Grace", "al-an", "al-b")
    for login in logins:
        (tmp_path / f"{start}{login}/.git").mkdir(parents=True)
    found = collect(tmp_path, a01, roster)
    assert {each.id for each in found.found} == {"ada", "grace" if roster else "Grace", "al-an", "al-b"}


def test_logins_that_begin_alike_are_found_in_the_roster(a01, tmp_path):
    roster = Roster([Student("ada", other={"github": "ada-l"}), Student("eve", other={"github": "ada-m"})])
    for login in ("ada-l", "ada-m"):
        (tmp_path / login / ".git").mkdir(parents=True)
    assert collect(tmp_path, a01, roster).missing == []


def test_zeros_before_a_number_are_a_spreadsheets_matter(a01, tmp_path):
    roster = Roster(
        [Student("42", "Ada"), Student("0043", "Grace"), Student("7"), Student("07"), Student("8")]
    )
    write(tmp_path, {f"{id}/{FILE}": b"x = 1\n" for id in ("0042", "43", "007", "8", "0", "00009")})
    found = collect(tmp_path, a01, roster)
    notes = {each.id: each.notes for each in found.found}
    assert not notes["42"] + notes["0043"] + notes["8"]
    assert (found.unknown, found.missing) == (["0", "00009", "007"], ["7", "07"])
    assert notes["007"] == [
        "is not in the roster, where this number may be 7 or 07: write it as the roster has it"
    ]
    assert notes["00009"] == ["is not in the roster"]


RUBY = """
submission_{number}: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
  :submitters: !ruby/array:Set
  - !ruby/object:Person
    :name: Ada
    :sid: !ruby/sym s{number}
    :email: !!python/object/apply:os.system ["touch ran"]
  :created_at: {created}
"""
ZONED = (
    "!ruby/object:ActiveSupport::TimeWithZone\n    utc: 2026-10-16 20:00:00.000000000 Z\n    zone: !ruby/x {}"
)


def test_tags_of_ruby_in_gradescopes_listing_are_read_and_nothing_is_run(a01, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    created = [ZONED, "!ruby/object:Odd {}", "2026-10-17 20:00:00.000000000 Z"]
    text = "".join(RUBY.format(number=n, created=each) for n, each in enumerate(created))
    write(tmp_path, {f"submission_{n}/{FILE}": b"x = 1\n" for n in range(3)})
    (tmp_path / "submission_metadata.yml").write_text(text)
    found = collect(tmp_path, a01).found
    assert [each.id for each in found] == ["s0", "s1", "s2"]
    assert [each.submitted and each.submitted.day for each in found] == [16, None, 17]
    assert not found[0].notes and "in which no time is known: it counts as in time" in found[1].notes[0]
    assert not (tmp_path / "ran").exists()
    (tmp_path / "submission_metadata.yml").write_text("x: &x !ruby/y [*x]\n")
    with pytest.raises(CourseError, match="is not as Gradescope writes it"):
        collect(tmp_path, a01)


def test_what_a_platform_does_not_write_is_told_of(a01, tmp_path):
    moodle(tmp_path)
    write(tmp_path / "by mail", WORK)
    assert collect(tmp_path, a01, ROSTER).left_out == ["by mail"]


def test_a_repository_runs_nothing(a01, tmp_path):
    """Its settings name programs that git would start for signed commits, and to fetch what is missing."""
    write(tmp_path / "eve", {**WORK, "evil": b"#!/bin/sh\ntouch ../ran\n"})
    (tmp_path / "eve/evil").chmod(0o755)

    def git(*command: str, **options) -> str:
        command = ["git", "-C", tmp_path / "eve", *command]
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout.strip()

    git("init", "-q")
    who = "eve <eve> 1792000000 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nx\n"
    signed = f"tree {git('write-tree')}\nauthor {who}\ncommitter {who}\n{signature}"
    commit = git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input=signed)
    git("update-ref", "HEAD", commit)
    for name, value in {
        "log.showSignature": "true",
        "gpg.program": "./evil",
        "core.sshCommand": "./evil",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://example.org/x",
    }.items():
        git("config", name, value)
    (found,) = collect(tmp_path, a01).found
    assert found.submitted == datetime.fromtimestamp(1792000000, UTC)
    (tmp_path / "eve/.git/objects" / commit[:2] / commit[2:]).unlink()
    (found,) = collect(tmp_path, a01).found
    assert found.submitted is None
    assert not (tmp_path / "ran").exists()


ODD_NAMES = [
    "../../escaped",
    "/etc/passwd",
    "a/b",
    "C:\\x",
    "..",
    "x" * 250,
    os.fsdecode(b"ad\xe4"),
    "\0",
    "?",
    " ",
    "\x9b31mann",
    "ann\u202elmth.",
    "\u2066ann",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_whoever_hands_in_has_a_name_for_a_file(a01, tmp_path, name):
    """Students choose their names on platforms, and archives are unpacked with names of any encoding."""
    write(tmp_path / "1", WORK)
    person = {":name": name, ":sid": "", ":email": ""}
    (tmp_path / "submission_metadata.yml").write_text(json.dumps({"1": {":submitters": [person]}}))
    (found,) = collect(tmp_path, a01).found
    place = tmp_path / "feedback" / f"{found.id}.html"
    place.parent.mkdir()
    place.write_text(found.name, encoding="utf-8")
    assert [each.name for each in place.parent.iterdir()] == [place.name]
    assert len(found.id) <= 128 and usable_id(found.id) == found.id
    assert (found.id + found.name).isprintable()


def test_other_names_stay_as_they_are():
    for name in ("ada", "Ada Lovelace", "ada@example.org", "Łukasz Żółć", "李", "o'neil", "a.b-c_d+e (1)"):
        assert usable_id(name) == name
    assert usable_id("a/b") != usable_id("a_b") != usable_id("a?b")


def test_people_of_one_name_are_not_one(a01, tmp_path):
    write(tmp_path, {"smithjohn_11_900_knn.py": b"x = 1\n", "smithjohn_12_901_knn.py": b"x = 2\n"})
    assert {each.id for each in collect(tmp_path, a01).found} == {"smithjohn-11", "smithjohn-12"}
    twins = [Student(f"s{n}", "John Smith", other={"canvas_id": str(n), "section": "12"}) for n in (11, 12)]
    found = collect(tmp_path, a01, Roster([*twins, Student("12")]))
    assert {each.id: each.files[FILE] for each in found.submissions(a01)} == {
        "s11": b"x = 1\n",
        "s12": b"x = 2\n",
    }
    assert Roster(twins).find("john smith") is None
    assert Roster(twins).find("12").id == "s12"


def test_all_of_a_group_get_its_score(a01, tmp_path):
    write(tmp_path / "1", WORK)
    people = [{":name": name, ":sid": name, ":email": ""} for name in ("ada", "grace")]
    (tmp_path / "submission_metadata.yml").write_text(json.dumps({"1": {":submitters": people}}))
    assert [each.id for each in collect(tmp_path, a01, ROSTER).submissions(a01)] == ["ada", "grace"]


def test_a_damaged_time_stamp_stops_nobody(a01, tmp_path):
    nbgrader(tmp_path)
    (tmp_path / "11/a01_knn/timestamp.txt").write_bytes(b"2026-10-16 18:00:00 PST \xff")
    damaged, whole = collect(tmp_path, a01).found
    assert damaged.submitted is None and "counts as in time" in damaged.notes[0]
    assert whole.submitted and not whole.notes


def test_one_damaged_file_costs_itself(a01, tmp_path):
    whole = bytearray(packed(WORK))
    whole[whole.index(b"knn.py") + 6] ^= 0xFF
    found = read_submission(put(tmp_path / "x.zip", bytes(whole)), "ann", a01)
    assert [*found.files] == [NOTEBOOK]
    assert f"{FILE} cannot be read" in " ".join(found.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_rosters_are_read_in_every_encoding_of_spreadsheets(tmp_path, encoding):
    put(tmp_path / "roster.csv", "id;name\nzoe;Zoë Größ\n".encode(encoding))
    assert read_roster(tmp_path / "roster.csv").students == [Student("zoe", "Zoë Größ")]


def test_canvas_own_gradebook_is_a_roster(tmp_path):
    put(
        tmp_path / "roster.csv",
        b"Student,ID,SIS User ID,SIS Login ID,Section,a01 (4711)\n"
        b"    Points Possible,,,,,40\n"
        b'"Lovelace, Ada",11,S1,ada,A,3\n"Hopper, Grace",12,S2,grace,A,\n',
    )
    ada, grace = read_roster(tmp_path / "roster.csv").students
    assert (ada.id, ada.name, grace.id) == ("ada", "Lovelace, Ada", "grace")
    assert (ada.called("canvas_id"), ada.called("sis_id"), ada.called("section")) == ("11", "S1", "A")


def test_canvas_names_of_groups_and_of_nobody_are_found(a01, tmp_path):
    names = [
        "team_a_12_901_knn.py",
        "team_b_LATE_13_902_knn.py",
        "anon_AbC1x_903_knn.py",
        "LATE_anon_Zz9yx_904_knn.py",
    ]
    write(tmp_path, dict.fromkeys(names, b"x = 1\n"))
    found = collect(tmp_path, a01)
    assert found.kind == "canvas" and not found.left_out
    late = {each.id: "Canvas calls it late" in each.notes for each in found.submissions(a01)}
    assert late == {"team_a": False, "team_b": True, "anon_AbC1x": False, "anon_Zz9yx": True}
    assert all(each.files[FILE] for each in found.submissions(a01))


def test_moodles_flat_files_are_found(a01, tmp_path):
    start = "{}_assignsubmission_file_"
    files = {start.format("Ada Lovelace_11") + "knn.py": b"x = 1\n"}
    files |= {start.format("Ada Lovelace_11") + "knn.ipynb": b"{}"}
    files |= {start.format("Grace Hopper_12") + "a01.zip": packed(WORK)}
    found = collect(write(tmp_path, files), a01, ROSTER)
    assert (found.kind, found.left_out) == ("moodle", [])
    assert {each.id: {*each.files} for each in found.submissions(a01)} == {"ada": {*WORK}, "grace": {*WORK}}


def test_repositories_are_called_as_github_calls_them(a01, tmp_path):
    for name in ("a01-knn-ada", "a01_knn-grace", "a01-alan"):
        write(tmp_path / name, WORK)
        subprocess.run(["git", "init", "-q", tmp_path / name], check=True)
    found = collect(tmp_path, a01, ROSTER)
    assert ({each.id for each in found.found}, found.unknown) == ({"ada", "grace", "alan"}, [])
