"""A process for untrusted code: how it is started, and how far it is kept from the machine."""
