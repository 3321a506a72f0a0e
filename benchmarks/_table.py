"""What every benchmark ends with: a table on the console, and the same numbers as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from exercise_code.support.paths import ROOT

RESULTS = ROOT / "build" / "benchmarks"


def show(title: str, found: Mapping[str, object], name: str) -> None:
    """Print what was found, and write it to build/benchmarks/`name`.json."""
    table = Table("what", "value", title=title)
    for what, value in found.items():
        table.add_row(what, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)
    save(found, name)


def save(found: object, name: str) -> Path:
    """Write numbers to build/benchmarks/`name`.json; returns the file."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path
