"""Notebooks as nbgrader sees them: the course, the verdicts in them, the kernel they run on."""
