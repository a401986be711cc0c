"""Replicate and audit recurrent networks that start from cortical function, position and wiring.

The modules stand in the order of the notebooks: ``field``, ``datasets``, ``activity``, ``weights``, ``space``,
``communicability``, ``tasks``, ``variants``, ``network``, ``training``, ``topology``, ``study``, ``statistics``; ``plots`` and
``widgets`` show what they compute.
"""

__version__ = "0.1.0"
