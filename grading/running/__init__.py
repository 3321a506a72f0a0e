"""From submissions to verdicts: each once, in a process of its own, whatever happens in between."""
