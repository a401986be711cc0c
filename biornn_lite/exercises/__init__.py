"""Checks of the exercises: each prints what is right or wrong and where to look, and returns whether all is right.

One module per notebook; ``saying`` holds what they share.
"""

from .ablation import check_cliffs_delta, check_median_epochs, check_twelfth_variant
from .connectome import check_density, check_distance, check_in_degree
from .function import check_chance_free_tile, check_correlation, check_sttc
from .own_field import check_neurons_needed, check_own_field, check_positions
from .positive_only import check_largest_network, check_lost_step, check_nan_accuracy
from .start_here import check_memoryless_ceiling

__all__ = [
    "check_chance_free_tile",
    "check_cliffs_delta",
    "check_correlation",
    "check_density",
    "check_distance",
    "check_in_degree",
    "check_largest_network",
    "check_lost_step",
    "check_median_epochs",
    "check_memoryless_ceiling",
    "check_nan_accuracy",
    "check_neurons_needed",
    "check_own_field",
    "check_positions",
    "check_sttc",
    "check_twelfth_variant",
]
