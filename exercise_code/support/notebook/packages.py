"""Which packages an assignment needs beside those of the course."""

from importlib import metadata

from packaging.requirements import Requirement

from exercise_code.support.checking.assignment import find_assignment


def missing_packages(assignment: str) -> list[str]:
    """The packages that an assignment asks for and that are not here in that version, as pip writes them."""
    return [line for line in find_assignment(assignment).requires if not _is_here(Requirement(line))]


def _is_here(wanted: Requirement) -> bool:
    if wanted.marker and not wanted.marker.evaluate():
        return True
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False
