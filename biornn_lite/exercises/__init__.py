"""Checks of the exercises: each prints what is right or wrong and where to look, and returns whether all is right.

One module per notebook; ``saying`` holds what they share. ``predictions`` asks before a result, ``kept`` is
the file of the answers.
"""

from .ablation import check_cliffs_delta, check_median_epochs, check_paired_bootstrap, check_twelfth_variant
from .across_cortex import check_fixed_effect, check_interval_held, check_odds_ratio, check_share_below_zero
from .audit import check_isolating_contrast, check_row_shuffle, check_share_within, check_word
from .class_predictions import class_predictions_panel, pool_predictions
from .communicability import check_communicability, check_silent_neuron, check_sorted_distance, check_two_neurons
from .connectome import check_density, check_distance, check_in_degree, check_restored, check_shared
from .cortical_space import (
    check_depth_share,
    check_distance_matrix,
    check_permutation_test,
    check_reshaped,
    check_wiring_cost,
)
from .decisions import (
    check_accuracy_by_hand,
    check_observer,
    check_steps_held,
    check_task_of_a_third,
    check_trials_of_pairs,
    task_to_train,
)
from .function import check_chance_free_tile, check_lagged_correlation, check_sttc
from .functional_weights import check_angle, check_bad_pair, check_scaling, check_steps_kept, check_without_diagonal
from .inside import check_decoder, check_fixed_point, check_needed, check_time_constant
from .own_experiment import check_match_task, check_own_penalty, check_own_start, check_sign_flips
from .own_field import (
    check_control_field,
    check_design,
    check_neurons_needed,
    check_positions,
    check_relabelling_test,
)
from .positive_only import check_growth, check_largest_network, check_lost_step, check_origins
from .predictions import Prediction, sum_up_predictions
from .primer import check_next_state, check_orthogonal, check_slope, check_trial, check_updates
from .robustness import check_front, check_median_trials, check_rounding, check_sparse_share
from .small_worlds import check_clustering, check_graph_of_unlike, check_rewired, check_sources
from .start_here import check_ceiling, check_memoryless_ceiling, check_three_variants, check_variant_name
from .topology import check_edges, check_modularity, check_two_triangles, check_within
from .training import check_adam, check_chance_loss, check_last_state, check_leaky, check_small_penalty

__all__ = [
    "Prediction",
    "check_accuracy_by_hand",
    "check_adam",
    "check_angle",
    "check_bad_pair",
    "check_ceiling",
    "check_chance_free_tile",
    "check_chance_loss",
    "check_cliffs_delta",
    "check_clustering",
    "check_communicability",
    "check_control_field",
    "check_decoder",
    "check_density",
    "check_depth_share",
    "check_design",
    "check_distance",
    "check_distance_matrix",
    "check_edges",
    "check_fixed_effect",
    "check_fixed_point",
    "check_front",
    "check_graph_of_unlike",
    "check_growth",
    "check_in_degree",
    "check_interval_held",
    "check_isolating_contrast",
    "check_lagged_correlation",
    "check_largest_network",
    "check_last_state",
    "check_leaky",
    "check_lost_step",
    "check_match_task",
    "check_median_epochs",
    "check_median_trials",
    "check_memoryless_ceiling",
    "check_modularity",
    "check_needed",
    "check_neurons_needed",
    "check_next_state",
    "check_observer",
    "check_odds_ratio",
    "check_origins",
    "check_orthogonal",
    "check_own_penalty",
    "check_own_start",
    "check_paired_bootstrap",
    "check_permutation_test",
    "check_positions",
    "check_relabelling_test",
    "check_reshaped",
    "check_restored",
    "check_rewired",
    "check_rounding",
    "check_row_shuffle",
    "check_scaling",
    "check_share_below_zero",
    "check_share_within",
    "check_shared",
    "check_sign_flips",
    "check_silent_neuron",
    "check_slope",
    "check_small_penalty",
    "check_sorted_distance",
    "check_sources",
    "check_sparse_share",
    "check_steps_held",
    "check_steps_kept",
    "check_sttc",
    "check_task_of_a_third",
    "check_three_variants",
    "check_time_constant",
    "check_trial",
    "check_trials_of_pairs",
    "check_twelfth_variant",
    "check_two_neurons",
    "check_two_triangles",
    "check_updates",
    "check_variant_name",
    "check_wiring_cost",
    "check_within",
    "check_without_diagonal",
    "check_word",
    "class_predictions_panel",
    "pool_predictions",
    "sum_up_predictions",
    "task_to_train",
]
