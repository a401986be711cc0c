"""Replicate and audit recurrent networks that start from cortical function, position and wiring.

The modules stand in the order of the notebooks: ``field``, ``datasets``, ``activity``, ``synthetic``,
``comparison``, ``deconvolution``, ``source``, ``weights``, ``space``, ``communicability``, ``tasks``, ``variants``,
``priors``, ``network``, ``training``, ``topology``, ``results``, ``study``, ``summary``, ``statistics``,
``replication`` and ``growth``; ``plots``, ``field_plots``, ``study_plots``, ``widgets``, ``field_widgets``,
``study_widgets``, ``growth_widgets`` and ``exercises`` serve the notebooks; ``arrays``, ``unpickling`` and ``files``
read and write safely.
"""

__version__ = "0.2.0"
