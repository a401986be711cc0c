"""Figures and panels, one module per subject; importing them lets a notebook show figures with alternative texts."""

from .showing import show_alternative_texts

show_alternative_texts()
