"""`python -m exercise_code data list | get NAME | verify [NAME]`."""

import argparse
import sys

from exercise_code.support.data import LOADERS, DataError, load, registry
from exercise_code.support.data.shapes import CLASSES


def _list() -> int:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table("name", "what", "size", "licence", Column("where", overflow="fold"))
    what = f"{len(CLASSES)} kinds of shapes, drawn by the course itself"
    table.add_row("shapes", what, "0 MB", "that of the course", "always here")
    for data_set in registry.read_registry().values():
        files = registry.choose(data_set)
        size = sum(file.bytes for file in files or registry.forms(data_set)[0])
        places = dict.fromkeys(map(_place, files))
        where = ", ".join(places) or "not here"
        row = (data_set.name, data_set.title, f"{size / 1e6:.0f} MB", data_set.licence, where)
        table.add_row(*map(escape, row))
    Console().print(table)
    return 0


def _place(file: registry.File) -> str:
    path = next(iter(registry.copies(file)), None)
    if path is None:
        return "decoded"
    return str(path.parent) if path.stat().st_size == file.bytes else f"{path} is damaged"


def _get(name: str) -> int:
    if name in LOADERS:
        load(name, num_train=1, num_test=1)
    else:
        registry.obtain(registry.find(name))
    print(f"{name} is here")
    return 0


def _verify(name: str | None) -> int:
    data_sets = [registry.find(name)] if name else list(registry.read_registry().values())
    bad = name is not None and not registry.choose(data_sets[0])
    for file in (file for data_set in data_sets for file in data_set.files):
        paths = registry.copies(file)
        for path in paths:
            state = registry.condition(file, path)
            bad |= state != "ok"
            print(f"{state:9}  {path} ({path.stat().st_size:,} of {file.bytes:,} bytes)")
        if not paths:
            needed = not registry.choose(registry.find(file.data_set))
            print(f"{'missing' if needed else 'not used':9}  {file.name} of {file.data_set}")
    return int(bad)


def main(argv: list[str]) -> int:
    """List, fetch or verify data sets.

    Args:
        argv: the words after `python -m exercise_code data`.

    Returns:
        The exit code: 1 if a data set cannot be had, or a file is not what it should be.
    """
    parser = argparse.ArgumentParser(
        prog="python -m exercise_code data", description="The course's data sets."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="which data sets there are, and which are here")
    commands.add_parser("get", help="download and decode a data set").add_argument("name")
    verify = commands.add_parser("verify", help="hash every file that is here")
    verify.add_argument("name", nargs="?", help="only this data set, which must then be here completely")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "list":
            return _list()
        return (_get if arguments.command == "get" else _verify)(arguments.name)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
