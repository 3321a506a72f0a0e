"""What was handed in: found, read, and who it is from."""
