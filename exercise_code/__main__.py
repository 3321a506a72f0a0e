"""The student's commands: `python -m exercise_code check a01`, `progress`, `submit a01`, `update`, `data`."""

import argparse
import sys
from pathlib import Path

try:
    from rich.console import Console
except ModuleNotFoundError:
    sys.exit(
        f"The course's packages are not in {sys.executable}: run this with the environment's own python "
        "(.venv/bin/python), or in a notebook as %run -m exercise_code …"
    )

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
    add.add_argument(
        "name",
        nargs="?",
        help="an assignment (a01), a module (knn) or an exercise (knn.predict_labels); all if not given",
    )
    add.add_argument("--written", action="store_true", help="fail only for what is written and not right")
    add = commands.add_parser("submit", help="check, then pack what is to be handed in")
    add.add_argument("name", help="an assignment (a01)")
    add = commands.add_parser("progress", help="say what is done, what is left, and where to go on")
    add.add_argument("name", nargs="?", default="", help="an assignment (a01); all if not given")
    add = commands.add_parser("reveal", help="show a solution after three honest tries, if you learn alone")
    add.add_argument("name", help="an exercise (knn.predict_labels)")
    add = commands.add_parser("save", help="keep what you have written in an archive elsewhere")
    add.add_argument("folder", help="where; earlier archives stay")
    add = commands.add_parser(
        "restore", help="bring back what save has kept; what it replaces is saved first"
    )
    add.add_argument("folder", help="where, or one archive")
    add = commands.add_parser("update", help="bring in a newer edition of the course; what you wrote stays")
    add.add_argument("source", type=Path, help="its folder or zip archive")
    commands.add_parser("data", help="list, get and verify data sets")
    options = parser.parse_args(arguments)
    console = Console()
    if options.command == "update":
        return _update(options.source, console)

    from exercise_code.support.checking import AssignmentError, check
    from exercise_code.support.checking.assignment import all_folders, find_assignment
    from exercise_code.support.checking.render import to_text
    from exercise_code.support.notebook.work import WorkError, pack, restore, save
    from exercise_code.support.progress import progress
    from exercise_code.support.reveal import reveal

    try:
        if options.command in ("save", "restore"):
            {"save": save, "restore": restore}[options.command](options.folder, ROOT)
            return 0
        if options.command == "progress":
            progress(options.name).to_text(console)
            return 0
        if options.command == "reveal":
            print(reveal(options.name))
            return 0
        if options.command == "submit":
            assignment = find_assignment(options.name)
        verdicts = []
        for name in [options.name] if options.name else [folder.name for folder in all_folders()]:
            found = check(name)
            to_text(found.verdicts, console, found.notes)
            verdicts += found.verdicts
    except (AssignmentError, WorkError) as error:
        return _refuse(console, error)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    if options.command == "check":
        fine = {"passed", "not_written", "blocked"} if options.written else {"passed"}
        return 0 if all(verdict.status in fine for verdict in verdicts) else 1

    try:
        notes = pack(assignment, ROOT, verdicts)
    except WorkError as error:
        return _refuse(console, error)
    console.print(*notes, sep="\n", highlight=False, markup=False)
    return 0


def _update(source: Path, console: Console) -> int:
    try:
        done = update(source, ROOT)
    except (EditionError, OSError) as error:
        return _refuse(console, error)
    console.print(str(done), highlight=False, markup=False)
    return 0


def _refuse(console: Console, error: Exception) -> int:
    console.print(str(error), style="red", highlight=False, markup=False)
    return 2


if __name__ == "__main__":
    sys.exit(main())
