"""The students' pages as an archive that a course platform takes back."""

import zipfile
from pathlib import Path

from grading.course import CourseError
from grading.submissions.collect import CANVAS, MOODLE, Collection, Found

PAGE = "feedback.html"


def write_feedback_zip(collection: Collection, pages: Path, target: Path) -> list[str]:
    """Pack the pages, each under the name that its platform knows the submission by.

    Canvas goes by the last number before the file's name, which is the latest file that was handed in; Moodle
    by the number of the participant. What a group handed in gets the page of its first member.

    Args:
        collection: what was graded, as it was downloaded.
        pages: the folder with a page for each student.
        target: the archive.

    Returns:
        The students who have no page there.

    Raises:
        CourseError: nobody has one.
    """
    there = [found for found in collection.found if (pages / f"{found.id}.html").is_file()]
    if not there:
        raise CourseError(f"there are no pages of these students in {pages}: grade first")
    target.parent.mkdir(parents=True, exist_ok=True)
    first = {_name(found): found.id for found in reversed(there)}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, id in reversed(first.items()):
            archive.write(pages / f"{id}.html", name)
    return [found.id for found in collection.found if found not in there]


def _name(found: Found) -> str:
    latest = found.paths[-1].name
    if match := CANVAS.fullmatch(latest):
        return latest[: match.start("file")] + PAGE
    if match := MOODLE.fullmatch(latest):
        return f"{match['name']}_{match['user']}_assignsubmission_file_{PAGE}"
    return f"{found.id}.html"
