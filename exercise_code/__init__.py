"""The functions you write, one module a topic; `support` is given."""
