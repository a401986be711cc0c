"""Checks of the exercises: each prints what is right or wrong and where to look, and returns whether all is right.

One module per notebook; ``saying`` holds what they share.
"""

from .ablation import check_cliffs_delta, check_median_epochs, check_twelfth_variant
from .communicability import check_communicability, check_silent_neuron, check_sorted_distance, check_two_neurons
from .connectome import check_density, check_distance, check_in_degree
from .function import check_chance_free_tile, check_correlation, check_sttc
from .functional_weights import check_min_max, check_scaling, check_steps_kept, check_without_diagonal
from .own_field import check_neurons_needed, check_own_field, check_positions
from .positive_only import check_largest_network, check_lost_step, check_nan_accuracy
from .start_here import check_memoryless_ceiling

__all__ = [
    "check_chance_free_tile",
    "check_cliffs_delta",
    "check_communicability",
    "check_correlation",
    "check_density",
    "check_distance",
    "check_in_degree",
    "check_largest_network",
    "check_lost_step",
    "check_median_epochs",
    "check_memoryless_ceiling",
    "check_min_max",
    "check_nan_accuracy",
    "check_neurons_needed",
    "check_own_field",
    "check_positions",
    "check_scaling",
    "check_silent_neuron",
    "check_sorted_distance",
    "check_steps_kept",
    "check_sttc",
    "check_twelfth_variant",
    "check_two_neurons",
    "check_without_diagonal",
]
