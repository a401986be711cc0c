"""Shared code that no lesson is about: arrays, files, processes and matrix products."""
