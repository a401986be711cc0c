"""Replicate and audit recurrent networks that start from cortical function, position and wiring.

The modules stand in the order of the notebooks: ``released_order``, ``field``, ``datasets``, ``activity``,
``synthetic``, ``comparison``, ``alignment``, ``deconvolution``, ``source``, ``weights``, ``memory``, ``space``,
``communicability``, ``tasks``, ``variants``, ``priors``, ``products``, ``network``, ``training``, ``watching``,
``topology``, ``graphs``, ``relations``, ``results``, ``study``, ``summary``, ``statistics``, ``replication``,
``growth`` and ``wiring``. ``plots`` and those that end in ``_plots`` or ``_widgets`` draw for the notebooks,
``exercises`` checks their answers; ``arrays``, ``unpickling`` and ``files`` read and write safely.
"""

__version__ = "0.2.0"
