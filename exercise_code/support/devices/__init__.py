"""Devices: the best one of this machine, and a pretended accelerator for machines without any."""
