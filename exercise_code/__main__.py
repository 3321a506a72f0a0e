"""The student's commands: `python -m exercise_code check a01`, `progress`, `submit a01`, `update`, `data`."""

import argparse
import sys
import zipfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from exercise_code.support.edition import EditionError, update
from exercise_code.support.paths import ROOT


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["data"]:
        from exercise_code.support.data import cli

        return cli.main(arguments[1:])

    parser = argparse.ArgumentParser(prog="python -m exercise_code", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("check", help="check what is written so far")
    add.add_argument("name", help="an assignment (a01), a module (knn) or an exercise (knn.predict_labels)")
    add.add_argument("--written", action="store_true", help="fail only for what is written and not right")
    add = commands.add_parser("submit", help="check, then pack what is to be handed in")
    add.add_argument("name", help="an assignment (a01)")
    add = commands.add_parser("progress", help="say what is done, what is left, and where to go on")
    add.add_argument("name", nargs="?", default="", help="an assignment (a01); all if not given")
    add = commands.add_parser("update", help="bring in a newer edition of the course; what you wrote stays")
    add.add_argument("source", type=Path, help="its folder or zip archive")
    commands.add_parser("data", help="list, get and verify data sets")
    options = parser.parse_args(arguments)
    console = Console()
    if options.command == "update":
        return _update(options.source, console)

    from exercise_code.support.checking import AssignmentError, check
    from exercise_code.support.checking.assignment import find_assignment
    from exercise_code.support.checking.render import to_text
    from exercise_code.support.progress import progress

    try:
        if options.command == "progress":
            progress(options.name).to_text(console)
            return 0
        if options.command == "submit":
            assignment = find_assignment(options.name)
        found = check(options.name)
    except AssignmentError as error:
        console.print(f"[red]{error}[/]", highlight=False)
        return 2
    verdicts = found.verdicts
    to_text(verdicts, console, found.notes)
    if options.command == "check":
        fine = {"passed", "not_written", "blocked"} if options.written else {"passed"}
        return 0 if all(verdict.status in fine for verdict in verdicts) else 1

    due = [*assignment.editable, *assignment.notebook_paths]
    missing = [name for name in due if not (ROOT / name).is_file()]
    if missing:
        console.print(f"[red]{missing[0]} is missing: put it back before you submit[/]")
        return 2
    files = []
    for name, limit in assignment.largest.items():
        if not (ROOT / name).is_file():
            console.print(f"[yellow]{name} is not there yet: what it is worth is not handed in[/]")
        elif (size := (ROOT / name).stat().st_size) > limit:
            console.print(f"[red]{name} has {size / 2**20:.1f} MiB: at most {limit / 2**20:g} are taken[/]")
            return 2
        else:
            files.append(name)
    files += assignment.notebook_paths
    archive = ROOT / f"{assignment.name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in files:
            packed.write(ROOT / name, name)
    console.print(
        f"Packed {', '.join(files)} into [bold]{archive.name}[/]: hand in this file.", highlight=False
    )
    return 0


def _update(source: Path, console: Console) -> int:
    try:
        done = update(source, ROOT)
    except (EditionError, OSError) as error:
        console.print(f"[red]{escape(str(error))}[/]", highlight=False)
        return 2
    console.print(str(done), highlight=False, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
