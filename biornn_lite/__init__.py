"""Replicate and audit recurrent networks that start from cortical function, position and wiring.

The modules stand in the order of the notebooks: ``field``, ``datasets``, ``synthetic``, ``activity``, ``weights``,
``space``, ``communicability``, ``tasks``, ``variants``, ``priors``, ``network``, ``training``, ``topology``,
``study`` and ``statistics``; ``plots``, ``widgets`` and ``exercises`` serve the notebooks.
"""

__version__ = "0.1.0"
