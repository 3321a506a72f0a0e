"""Pages for students, graders and authors."""
