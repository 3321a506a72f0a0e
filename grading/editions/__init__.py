"""What students get, and the classes that are made up of it."""
