"""Figures and panels, one module per subject."""
