"""What follows from verdicts: results, lateness, gradebook, tables for other platforms."""
