"""The real data sets: which there are, where their files lie, and whether these are intact."""

import hashlib
import json
import math
import os
import re
import sys
import tempfile
import tomllib
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from tqdm import TqdmWarning, tqdm

from exercise_code.support.paths import DATASETS

FORMS = ("pickles", "folders", "table")
SPLITS = ("train", "test")
SLOW = 250_000  # bytes a second; a mirror below this is left for the next one
PATIENCE = 20  # seconds before a mirror is called slow


class DataError(RuntimeError):
    """A data set cannot be had; the message says why and what to do."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class File:
    """One file of a data set, as the registry describes it."""

    data_set: str
    name: str
    form: str
    splits: tuple[str, ...]
    urls: tuple[str, ...]
    sha256: str
    bytes: int


@dataclass(frozen=True)
class DataSet:
    """One data set of the registry; `files` may hold it in several forms, the preferred first."""

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    classes: tuple[str, ...]
    files: tuple[File, ...]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"https?://[^\s/]+/\S*", value))


def _is_list_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _is_choice_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: _is_list_of(holds)(value) and len(set(value)) == len(value) > 0


Rules = dict[str, tuple[Callable[[Any], bool], str]]

DATA_SET_RULES: Rules = {
    "title": (_is_text, "a line of text"),
    "licence": (_is_text, "a line of text"),
    "citation": (_is_text, "a line of text"),
    "homepage": (_is_url, "an http address"),
    "classes": (_is_choice_of(_is_text), "a list of different names"),
    "files": (
        lambda value: value != [] and _is_list_of(lambda file: isinstance(file, dict))(value),
        "one or more tables",
    ),
}
FILE_RULES: Rules = {
    "name": (
        lambda value: isinstance(value, str) and bool(re.fullmatch(r"\w[\w.+-]*", value)),
        "a file name without folders",
    ),
    "form": (lambda value: value in FORMS, f"one of {', '.join(FORMS)}"),
    "splits": (
        _is_choice_of(lambda split: split in SPLITS),
        f"a list of different names out of {', '.join(SPLITS)}",
    ),
    "urls": (_is_list_of(_is_url), "a list of http addresses"),
    "sha256": (
        lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)),
        "64 hexadecimal digits",
    ),
    "bytes": (lambda value: type(value) is int and value > 0, "a whole number above zero"),
}


def _checked(where: str, table: Any, rules: Rules, optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise DataError(f"{where} must be a table")
    for key in table:
        if key not in rules:
            raise DataError(f"{where} has the unknown key {key!r}: known are {', '.join(rules)}")
    for key, (holds, meaning) in rules.items():
        if key not in table and key not in optional:
            raise DataError(f"{where}.{key} is missing: it must be {meaning}")
        if key in table and not holds(table[key]):
            raise DataError(f"{where}.{key} must be {meaning}")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def read_registry() -> dict[str, DataSet]:
    """All data sets of datasets/registry.toml by name.

    Raises:
        DataError: the file is missing or something in it is wrong.
    """
    path = DATASETS / "registry.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path} is not valid TOML: {error}") from None
    registry = {}
    for name, table in tables.items():
        where = f"{path}: {name}"
        fields = {"classes": (), **_checked(where, table, DATA_SET_RULES, optional=("classes",))}
        fields["files"] = tuple(
            File(
                data_set=name,
                **{"splits": SPLITS}
                | _checked(f"{where}.files[{i}]", file, FILE_RULES, optional=("splits",)),
            )
            for i, file in enumerate(fields["files"])
        )
        registry[name] = DataSet(name=name, **fields)
    return registry


def find(name: str) -> DataSet:
    """The data set of this name.

    Raises:
        DataError: there is none.
    """
    registry = read_registry()
    if name not in registry:
        raise DataError(f"there is no data set {name!r}: choose from {', '.join(['shapes', *registry])}")
    return registry[name]


def homes() -> list[Path]:
    """The folders that files are downloaded to and decoded in: the course's, then the user's."""
    return [DATASETS, Path(_pooch().os_cache("deep-vision-workbook"))]


def _pooch() -> Any:
    """Imported when it is needed, so that checks run without it, and not in red for want of ipywidgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        import pooch
    return pooch


def home() -> Path:
    """The first of `homes` that can be written to.

    Raises:
        DataError: none can.
    """
    for place in homes():
        try:
            (place / "cache").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place / "cache"):
                return place
        except OSError:
            continue
    raise DataError(f"data cannot be stored: neither of {' and '.join(map(str, homes()))} can be written to")


def copies(file: File) -> list[Path]:
    """Where the file lies: in WORKBOOK_DATA, which is only ever read, then in `homes`."""
    mirror = os.environ.get("WORKBOOK_DATA")
    places = [Path(mirror).expanduser().absolute(), *homes()] if mirror else homes()
    paths = [path for place in places for path in (place / file.data_set / file.name, place / file.name)]
    return [path for path in paths if path.is_file()]


def cache_folder(file: File) -> Path | None:
    """The folder that holds the decoded images of the file, if they have been decoded."""
    folders = [place / "cache" / cache_name(file) for place in homes()]
    return next((folder for folder in folders if folder.is_dir()), None)


def cache_name(file: File) -> str:
    """Name of the folder of decoded images: another archive is another folder."""
    return f"{file.data_set}-{file.sha256[:16]}"


def forms(data_set: DataSet, splits: tuple[str, ...] = SPLITS) -> list[list[File]]:
    """The files that hold these splits, form by form, the preferred first."""
    groups = []
    for form in dict.fromkeys(file.form for file in data_set.files):
        files = [file for file in data_set.files if file.form == form and set(file.splits) & set(splits)]
        if set(splits) <= {split for file in files for split in file.splits}:
            groups.append(files)
    return groups


def choose(data_set: DataSet, splits: tuple[str, ...] = SPLITS) -> list[File]:
    """The files of the first form that is here completely, as archives or decoded; none if no form is."""
    for files in forms(data_set, splits):
        if all(copies(file) or cache_folder(file) for file in files):
            return files
    return []


def is_available(data_set: DataSet) -> bool:
    """Whether the data set can be loaded with no network, as far as the sizes of its files tell."""
    files = choose(data_set)
    sizes = {file: [path.stat().st_size for path in copies(file)[:1]] for file in files}
    return bool(files) and all(size in ([], [file.bytes]) for file, size in sizes.items())


def condition(file: File, path: Path) -> Literal["ok", "truncated", "altered"]:
    """Compare size and sha256 of a copy with the registry."""
    try:
        size = path.stat().st_size
        if size != file.bytes:
            return "truncated" if size < file.bytes else "altered"
        with path.open("rb") as stream:
            return "ok" if hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256 else "altered"
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def refuse_damaged(file: File, path: Path) -> None:
    """Hash a copy, unless it was found intact before and has the same size and time of change since.

    Raises:
        DataError: the copy is truncated, altered or cannot be read.
    """
    remedy = f"delete it and run `python -m exercise_code data get {file.data_set}`"
    stat = path.stat()
    stamp: list[str | int] = [file.sha256, stat.st_size, stat.st_mtime_ns]
    if any(_verified(place).get(str(path)) == stamp for place in homes()):
        return
    state = condition(file, path)
    if state == "truncated":
        raise DataError(f"{path} has {stat.st_size:,} of {file.bytes:,} bytes: {remedy}")
    if state == "altered":
        raise DataError(f"{path} is not the file that the registry describes (another sha256): {remedy}")
    with suppress(DataError, OSError):  # where nothing can be written, it is hashed again next time
        _remember(str(path), stamp)


def _remember(path: str, stamp: list[str | int]) -> None:
    cache = home() / "cache"
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        fresh = Path(folder) / "verified.json"
        fresh.write_text(json.dumps(_verified(cache.parent) | {path: stamp}))
        fresh.replace(cache / "verified.json")


def _verified(place: Path) -> dict[str, list[str | int]]:
    try:
        return dict(json.loads((place / "cache" / "verified.json").read_text()))
    except (OSError, ValueError, TypeError):
        return {}


class _TooSlow(Exception):
    pass


class Bar(tqdm):  # type: ignore[misc]
    """Progress on stdout, as nbgrader fails stderr; a log, which keeps redraws, gets the first and last."""

    def __init__(self, *args: Any, **options: Any):
        watched = sys.stdout.isatty() or "ipykernel" in sys.modules
        super().__init__(*args, **options, file=sys.stdout, mininterval=0.1 if watched else math.inf)


class _Download(Bar):
    """Progress of a download that may give up on a slow mirror."""

    def __init__(self, file: File, may_give_up: bool):
        super().__init__(desc=file.name, total=file.bytes, unit="B", unit_scale=True, leave=False)
        self.may_give_up = may_give_up

    def update(self, n: int = 1) -> None:
        super().update(n)
        elapsed = self.format_dict["elapsed"]
        if self.may_give_up and elapsed > PATIENCE and self.n < SLOW * elapsed:
            raise _TooSlow


def fetch(file: File) -> Path:
    """Download a file from the first mirror that delivers it whole; a slow one is tried again at the end.

    Returns:
        Where it lies now.

    Raises:
        DataError: no mirror delivers it.
    """
    from requests import Response, exceptions

    pooch = _pooch()
    pooch.get_logger().disabled = True  # it logs to stderr, and remembers whether it does beyond a setLevel()
    folder = home() / file.data_set
    attempts = [(url, len(file.urls) > 1) for url in file.urls]
    failures = []
    for url, may_give_up in attempts:
        mirror = urlsplit(url).netloc
        try:
            with _Download(file, may_give_up) as bar:
                downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=15)
                path = pooch.retrieve(url, f"sha256:{file.sha256}", file.name, folder, downloader=downloader)
        except _TooSlow:
            attempts.append((url, False))
        except exceptions.HTTPError as error:
            failures.append(f"{mirror} answers {cast(Response, error.response).status_code}")
        except exceptions.Timeout:
            failures.append(f"{mirror} does not answer")
        except exceptions.ConnectionError:
            failures.append(f"{mirror} cannot be reached")
        except exceptions.RequestException:
            failures.append(f"{mirror} broke off")
        except ValueError:
            failures.append(f"{mirror} sends another file")
        except OSError as error:
            raise DataError(f"{folder / file.name} cannot be written: {error.strerror}") from None
        else:
            Path(path).chmod(0o644)  # a download starts as a private temporary file
            return Path(path)
    substitute = "housing_csv()" if file.form == "table" else 'load("shapes")'
    raise DataError(
        f"{file.data_set} cannot be downloaded ({', '.join(failures)}): put {file.urls[0]} into "
        f"{folder} yourself, or name a folder that has it in WORKBOOK_DATA, or use "
        f"`{substitute}`, which needs no network"
    )


def obtain(data_set: DataSet, splits: tuple[str, ...] = SPLITS) -> list[File]:
    """The files that hold these splits, downloaded if no form of them is here.

    Raises:
        DataError: a copy is damaged, or no form is here and none can be downloaded.
    """
    if files := choose(data_set, splits):
        for file in files:
            for path in copies(file)[:1]:
                refuse_damaged(file, path)
        return files
    for files in forms(data_set, splits):
        if all(file.urls or copies(file) for file in files):
            for file in files:
                refuse_damaged(file, path=copies(file)[0] if copies(file) else fetch(file))
            return files
    names = " or ".join(" and ".join(file.name for file in files) for files in forms(data_set, splits))
    raise DataError(f"{data_set.name} has no download address: name a folder with {names} in WORKBOOK_DATA")
