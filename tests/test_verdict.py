"""What the audit answers to made-up networks whose differences are known, and the words that follow from them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

from biornn_lite import verdict
from biornn_lite.audit import (
    CURVE_CHOICES,
    FACTORS,
    HARDER_TASKS,
    SPACES,
    SWEPT_STARTS,
    TARGETS,
    TWELVE_FIELDS,
    parts,
    specification,
    with_names,
)
from biornn_lite.contrasts import corrected, variance_explained
from biornn_lite.errors import InputError
from biornn_lite.priors import Priors
from biornn_lite.replication import load_replication
from biornn_lite.results import ceilings
from biornn_lite.seeds import run_seed
from biornn_lite.tasks import TASKS
from biornn_lite.variants import Protocol, Variant
from biornn_lite.verdict import (
    CONTEXTS,
    CURVE_FACTORS,
    FIELD_CONTRASTS,
    answers,
    choice_answers,
    cursors,
    curve,
    curve_factors,
    exploratory_answers,
    factorial_effects,
    factorial_shares,
    field_differences,
    function_again_answers,
    function_answers,
    general_answers,
    harder_answers,
    harder_rows,
    load_audit,
    penalty_answers,
    pooled_fields,
    position_answers,
    radius_answers,
    verdicts,
    wiring_again_answers,
    wiring_answers,
    with_gain,
    word,
)

KNOWN = TASKS | HARDER_TASKS


def accuracy_of(gain, task: str):
    low, best = ceilings(KNOWN[task], "test")
    return low + gain * (best - low)


def made(
    study: str,
    gains: dict[str, float],
    part: str = "published",
    runs: int = 20,
    tasks=("go_nogo", "one_choice_inference"),
    field: str = "5_3_4",
    noise: float = 0.02,
) -> pd.DataFrame:
    """Rows of networks with these gains by variant. What a run adds is shared; each network has its own noise."""
    rows = []
    for variant, gain in gains.items():
        for run, task in product(range(runs), tasks):
            shared = np.random.default_rng([run, len(task)]).normal(0, 0.1)
            own = np.random.default_rng([run, *f"{variant} {task} {part} {field}".encode()]).normal(0, noise)
            accuracy = accuracy_of(gain + shared + own, task)
            rows.append((study, part, field, variant, task, run, run_seed(18, run), "ok", accuracy))
    columns = ["study", "part", "field", "variant", "task", "run", "seed", "status", "test_accuracy"]
    return pd.DataFrame(rows, columns=columns)


def table_of(*blocks: pd.DataFrame) -> pd.DataFrame:
    """Rows as the audit loads them, in any order."""
    rows = pd.concat(blocks, ignore_index=True).sample(frac=1, random_state=0)
    return with_gain(with_names(rows))


def by_contrast(found: list) -> dict[tuple[str, str, str], object]:
    return {(answer.context, answer.first, answer.second): answer for answer in found}


def near(difference: float):
    return pytest.approx(difference, abs=0.02)


def starts(gains: dict[str, float], target: str = "C*") -> dict[str, float]:
    return {f"{start} | D* | {target}": gain for start, gain in gains.items()}


def plain(gains: dict[str, float]) -> dict[str, float]:
    return starts(gains, "no C")


# Answers


def test_a_gain_above_one_half_is_learned():
    rows = table_of(made("starts", starts({"functional": 0.51, "orthogonal": 0.49}), noise=0, runs=1))
    assert rows["gain"].between(0, 1).all()
    flat = rows.assign(test_accuracy=[accuracy_of(0.49, task) for task in rows["task"]])
    assert not with_gain(flat)["learns"].any()
    flat["test_accuracy"] = [accuracy_of(0.51, task) for task in rows["task"]]
    assert with_gain(flat)["learns"].all()
    assert not with_gain(flat.assign(status="diverged"))["learns"].any()


def planted_function() -> pd.DataFrame:
    published = {"functional": 0.8, "diagonal alone": 0.8, "off-diagonal shuffled": 0.5, "same spectrum": 0.2}
    return table_of(
        made("starts", starts(published)),
        made("starts", starts({"orthogonal": 0.1}), "published, others"),
        made("tuned", plain({"functional": 0.8, "diagonal alone": 0.83, "same spectrum": 0.78}), "λ = 0"),
        made("tuned", plain({"off-diagonal shuffled": 0.65, "orthogonal": 0.1}), "λ = 0"),
        made("tuned", plain({"lognormal": 0.2}), "λ = 0.03"),
        made("same λ", plain({"functional": 0.8, "diagonal alone": 0.8, "off-diagonal shuffled": 0.6}), "λ = 3"),
        made("6_6_2", starts({"functional": 0.5, "same spectrum": 0.8}), field="6_6_2"),
        made("6_6_2", starts({"diagonal alone": 0.5, "off-diagonal shuffled": 0.5}), field="6_6_2"),
        made("strong function", plain(STRONG), "λ = 0"),
    )


STRONG = {"0.5 I + function": 0.8, "0.5 I + function shuffled": 0.8, "0.5 I": 0.6}


def test_function_is_compared_with_its_controls_at_one_lambda_in_four_contexts():
    found = by_contrast(function_answers(planted_function()))
    planted = {
        ("5_3_4, published penalty", "diagonal alone"): (0, "equivalent"),
        ("5_3_4, published penalty", "off-diagonal shuffled"): (0.3, "first"),
        ("5_3_4, published penalty", "same spectrum"): (0.6, "first"),
        ("5_3_4, λ = 0", "diagonal alone"): (-0.03, "equivalent"),
        ("5_3_4, λ = 0", "off-diagonal shuffled"): (0.15, "first"),
        ("5_3_4, λ = 0", "same spectrum"): (0.02, "equivalent"),
        ("5_3_4, λ = 3", "diagonal alone"): (0, "equivalent"),
        ("5_3_4, λ = 3", "off-diagonal shuffled"): (0.2, "first"),
        ("6_6_2, published penalty", "diagonal alone"): (0, "equivalent"),
        ("6_6_2, published penalty", "off-diagonal shuffled"): (0, "equivalent"),
        ("6_6_2, published penalty", "same spectrum"): (-0.3, "second"),
        ("5_3_4, λ = 0", "0.5 I + function shuffled"): (0, "equivalent"),
        ("5_3_4, λ = 0", "0.5 I"): (0.2, "first"),
    }
    first = {other: "0.5 I + function" if other in STRONG else "functional" for _, other in planted}
    assert set(found) == {(context, first[other], other) for context, other in planted}
    for (context, other), (difference, says) in planted.items():
        answer = found[context, first[other], other]
        assert answer.claim == ("strong function" if other in STRONG else "function")
        assert answer.found.difference == near(difference) and answer.found.says == says, (context, other)
        assert (answer.question, answer.found.runs, answer.networks) == (1, 20, 80)
        assert answer.found.low < answer.found.difference < answer.found.high
    spectrum = found["5_3_4, published penalty", "functional", "same spectrum"]
    assert spectrum.learns_first > 0.95 and spectrum.learns_second < 0.1 and spectrum.found.improvement > 0.99
    assert spectrum.median_first == near(0.8) and spectrum.median_second == pytest.approx(0.2, abs=0.1)
    assert set(spectrum.by_task) == {"go_nogo", "one_choice_inference"}
    assert np.mean(list(spectrum.by_task.values())) == pytest.approx(spectrum.found.difference)
    row = spectrum.row()
    assert row["claim"] == "function" and row["p"] == spectrum.found.p and "found" not in row


def test_starts_that_were_tuned_to_other_lambdas_do_not_answer_about_function():
    rows = planted_function()
    apart = (rows["study"] == "tuned") & (rows["start"] != "functional")
    moved = rows.assign(part=rows["part"].mask(apart, "λ = 3"))
    found = [answer for answer in function_answers(moved) if answer.claim == "function"]
    assert {answer.context for answer in found} == {
        "5_3_4, published penalty", "5_3_4, λ = 3", "6_6_2, published penalty",
    }  # fmt: skip
    assert [answer.second for answer in found if answer.context == "5_3_4, λ = 3"] == [
        "diagonal alone", "off-diagonal shuffled",
    ]  # fmt: skip
    (tuned,) = (answer for answer in penalty_answers(moved) if answer.second == "diagonal alone")
    assert tuned.found.difference == near(-0.03), "question 4 takes each start at its own λ"


def test_both_sides_of_an_answer_come_from_the_same_seeds():
    rows = planted_function().query("study == 'starts' and start in ('functional', 'diagonal alone')")
    functional, alone = rows["start"] == "functional", rows["start"] == "diagonal alone"
    few = rows[functional | (rows["run"] < 10)].copy()
    few.loc[functional & (few["run"] >= 10), ["gain", "learns"]] = -1.0, False  # runs that nothing is paired with
    for this in (few, few.assign(start=few["start"].map({"functional": "diagonal alone"}).fillna("functional"))):
        (answer,) = function_answers(this)
        assert (answer.found.runs, answer.networks) == (10, 2 * 10 * 2)
        assert answer.learns_first > 0.9 and answer.learns_second > 0.9
        assert 0.3 < answer.found.improvement < 0.7 and answer.found.difference == near(0)
    whole = {seed for seed, run in zip(rows["seed"], rows["run"], strict=True) if run < 10}
    (same,) = function_answers(rows[rows["seed"].isin(whole) & (functional | alone)])
    assert same.row() == function_answers(few)[0].row()


def test_positions_are_compared_at_each_lambda_and_between_starts():
    functional = {f"functional | {space} | no C": 0.7 for space in ("cortical", "permuted", "lattice", "equal")}
    functional["functional | lattice | no C"], functional["functional | equal | no C"] = 0.45, 0.9
    others = {f"relabelled | {space} | no C": 0.7 for space in ("cortical", "lattice")}
    others |= {"relabelled | permuted | no C": 0.4, "functional | reshaped | no C": 0.1}
    spaces = {"cortical": 0.5, "permuted": 0.3, "lattice": 0.5, "equal": 0.6}
    orthogonal = {f"orthogonal | {space} | no C": gain for space, gain in spaces.items()}
    rows = table_of(
        *(made("positions", functional, f"λ = {v}") for v in ("0.3", "3")),
        *(made("positions", others, f"λ = {v}, others", runs=10) for v in ("0.3", "3")),
        made("positions", orthogonal, "λ = 0.003, orthogonal", runs=10),
        made("starts", {"functional | cortical | no C": 0.0}),
    )
    found = by_contrast(position_answers(rows))
    assert len(found) == 11
    for space, difference in (("permuted", 0.2), ("lattice", 0), ("equal", -0.1)):
        answer = found["5_3_4, orthogonal start, λ = 0.003", "cortical", space]
        assert answer.found.difference == near(difference) and answer.found.runs == 10
    for v in ("0.3", "3"):
        context = f"5_3_4, functional start, λ = {v}"
        for space, difference in (("permuted", 0), ("lattice", 0.25), ("equal", -0.2)):
            answer = found[context, "cortical", space]
            assert answer.found.difference == near(difference) and answer.found.runs == 20
        together = found[f"5_3_4, λ = {v}", "cortical − permuted, functional", "the same, relabelled"]
        assert together.found.difference == near(-0.3) and together.found.runs == 10
        assert together.found.says == "second" and "belong together" in together.claim


def test_wiring_is_compared_as_a_target_with_each_start_and_as_a_start():
    targets = {
        "functional | D* | C*": 0.8, "functional | D* | random C*": 0.8, "functional | D* | degree-matched C*": 0.6,
        "functional | D* | no C": 0.1,
        "orthogonal | D* | C*": 0.3, "orthogonal | D* | random C*": 0.6, "orthogonal | D* | degree-matched C*": 0.3,
    }  # fmt: skip
    own, shuffled, degrees = (f"0.5 I + connectome{more}" for more in ("", " shuffled", ", degrees kept"))
    wired = plain({"0.5 I": 0.9, own: 0.7, shuffled: 0.7, degrees: 0.5})
    found = by_contrast(
        wiring_answers(
            table_of(
                made("targets", targets, "λ_EMD = 100", runs=10, field="7_3_8"),
                made("connectome", wired, "λ = 0", runs=10, field="7_3_8"),
            )
        )
    )
    planted = {
        ("7_3_8, functional start", "C*", "random C*"): 0,
        ("7_3_8, functional start", "C*", "degree-matched C*"): 0.2,
        ("7_3_8, orthogonal start", "C*", "random C*"): -0.3,
        ("7_3_8, orthogonal start", "C*", "degree-matched C*"): 0,
        ("7_3_8, λ = 0", own, "0.5 I"): -0.2,
        ("7_3_8, λ = 0", own, shuffled): 0,
        ("7_3_8, λ = 0", own, degrees): 0.2,
    }
    assert set(found) == set(planted)
    for contrast, difference in planted.items():
        assert found[contrast].found.difference == near(difference), contrast
        assert found[contrast].found.runs == 10


def test_wiring_is_asked_again_in_two_fields_and_corrected_apart():
    gains = {"0.5 I + connectome": 0.6, "0.5 I": 0.1, "0.5 I + connectome shuffled": 0.6}
    gains |= {"0.5 I + connectome, degrees kept": 0.4}
    fields = ("7_3_8", "8_5_8")
    rows = table_of(
        *(made("connectome again", plain(gains), name, field=name) for name in fields),
        made("connectome", plain(gains), "λ = 0", field="7_3_8"),
    )
    found = by_contrast(wiring_again_answers(rows))
    assert {(context, other) for context, _, other in found} == {
        (f"{name}, λ = 0, new runs", other)
        for name in fields
        for other in ("0.5 I + connectome shuffled", "0.5 I + connectome, degrees kept")
    }
    assert [answer.found.says for answer in found.values()] == ["equivalent", "first"] * 2
    table = answers(rows)
    again = table[table["claim"] == "wiring as start, again"]
    np.testing.assert_allclose(again["p_holm"], multipletests(again["p"], method="holm")[1])


def test_strong_function_is_asked_again_in_two_fields_and_corrected_apart():
    gains = {"0.5 I + function": 0.6, "0.5 I + function shuffled": 0.4, "0.5 I + function, strengths kept": 0.6}
    fields = ("5_3_4", "5_3_2")
    rows = table_of(
        *(made("strong function again", plain(gains), name, field=name) for name in fields),
        made("strong function", plain(gains), "λ = 0"),
    )
    found = by_contrast(function_again_answers(rows))
    assert {(context, other) for context, _, other in found} == {
        (f"{name}, λ = 0, new runs", other) for name in fields for other in list(gains)[1:]
    }
    assert [answer.found.says for answer in found.values()] == ["first", "equivalent"] * 2
    table = answers(rows)
    again = table[table["claim"] == "strong function, again"]
    np.testing.assert_allclose(again["p_holm"], multipletests(again["p"], method="holm")[1])


def test_at_one_radius_the_connectome_is_compared_with_its_random_versions():
    gains = {"0.5 I + connectome": 0.6, "0.5 I + connectome shuffled, its radius": 0.4}
    gains |= {"0.5 I + connectome, degrees kept, its radius": 0.6}
    found = by_contrast(radius_answers(table_of(made("one radius", plain(gains), "λ = 0", field="7_3_8"))))
    assert [(context, other) for context, _, other in found] == [
        ("7_3_8, λ = 0, new runs", other) for other in list(gains)[1:]
    ]
    assert [answer.found.says for answer in found.values()] == ["first", "equivalent"]


def test_the_functional_start_is_compared_with_nine_others_each_at_its_own_lambda():
    gains = {start: 0.8 - 0.1 * k for k, start in enumerate(SWEPT_STARTS)}
    blocks = [
        made("tuned", {f"{start} | D* | no C": gain}, f"λ = {k}") for k, (start, gain) in enumerate(gains.items())
    ]
    found = penalty_answers(table_of(*blocks))
    assert [answer.second for answer in found] == [start for start in SWEPT_STARTS if start != "functional"]
    for answer in found:
        assert answer.first == "functional" and answer.question == 4
        assert answer.found.difference == near(0.8 - gains[answer.second])
        assert answer.found.runs == 20 and answer.context == "5_3_4, λ tuned for each start"


def test_the_functional_start_is_compared_with_the_orthogonal_at_each_learning_rate_and_after_longer_training():
    orthogonal = {"0.0001": 0.3, "0.0003": 0.75, "0.003": 0.4}
    blocks = [
        made(
            "learning rate",
            plain({"functional": 0.7, "0.95 I": 0.9, "orthogonal": gain}),
            f"learning rate {rate}",
            10,
        )
        for rate, gain in orthogonal.items()
    ]
    found = penalty_answers(
        table_of(*blocks, made("longer", plain({"functional": 0.8, "orthogonal": 0.1}), "40 epochs", 10))
    )
    planted = {f"5_3_4, λ = 0, learning rate {rate}": 0.7 - gain for rate, gain in orthogonal.items()}
    planted["5_3_4, published penalty, 40 epochs"] = 0.7
    assert {answer.context: answer.found.difference for answer in found} == {k: near(v) for k, v in planted.items()}
    assert [answer.claim for answer in found] == 3 * ["start, at any learning rate"] + ["start, trained for longer"]
    for answer in found:
        assert (answer.question, answer.first, answer.second) == (4, "functional", "orthogonal")
        assert answer.found.runs == 10


def shifted(rows: pd.DataFrame, by: float) -> pd.DataFrame:
    """Rows whose gain is higher by so much, in one run a little more and in the next a little less."""
    steps = rows["task"].map({task: accuracy_of(1, task) - accuracy_of(0, task) for task in TASKS})
    return rows.assign(test_accuracy=rows["test_accuracy"] + steps * (by + 0.01 * (-1) ** rows["run"]))


def turned_choices() -> pd.DataFrame:
    published = load_replication("5_3_4").networks
    ten = published[published["run"] < 10]
    assert (ten["status"] == "ok").all()
    functional, orthogonal = (ten[ten["variant"].isin(names)] for names in (("W*D*C", "W!D*C"), ("W", "WD")))
    rows = [
        shifted(functional, -0.6).assign(part="self_connections=removed"),
        ten.assign(part="units=micrometres"),
        shifted(orthogonal, 0.4).assign(part="penalty_start=matched"),
        orthogonal.assign(part="positive, published", sign="positive", test_accuracy=[0.6] * len(orthogonal)),
    ]
    rows.append(shifted(rows[-1], 0.25).assign(part="positive, positive_start=rescaled"))
    return pd.concat(rows, ignore_index=True).assign(study="choices")


def test_each_choice_is_compared_with_the_shipped_rows_it_turns():
    found = {answer.first: answer for answer in choice_answers(table_of(turned_choices()))}
    planted = {
        "self_connections=removed": (-0.6, 2, ""), "units=micrometres": (0, 11, ""),
        "penalty_start=matched": (0.4, 2, ""), "positive_start=rescaled": (0.25, 2, ", positive only"),
    }  # fmt: skip
    assert set(found) == {*planted, "function=sttc", "function=precision"}
    for choice, (difference, variants, more) in planted.items():
        answer = found[choice]
        assert answer.found.difference == pytest.approx(difference, abs=1e-9), choice
        assert answer.context == f"5_3_4, {variants} variants{more}" and answer.second == "published"
        assert (answer.found.runs, answer.networks) == (10, 2 * 10 * 3 * variants)
    assert found["units=micrometres"].found.says == "equivalent" and found["units=micrometres"].found.p == 1


def test_measures_of_function_are_compared_with_the_paper_field_run_by_run():
    nothing = table_of(turned_choices()).query("part == 'nothing'")
    found = {answer.first: answer for answer in choice_answers(nothing)}
    assert set(found) == {"function=sttc", "function=precision"}
    for measure in ("sttc", "precision"):
        answer = found[f"function={measure}"]
        turned, base = (with_gain(load_replication(f"6_6_2{name}").networks) for name in (f" {measure}", ""))
        base = base[base["variant"].isin(turned["variant"])]
        means = turned["gain"].mean() - base["gain"].mean()
        assert answer.found.difference == pytest.approx(means) and answer.found.runs == 20
        assert answer.context == f"6_6_2, {turned['variant'].nunique()} variants"


def planted_harder() -> pd.DataFrame:
    gains = {"functional": 0.7, "diagonal alone": 0.7, "off-diagonal shuffled": 0.5, "0.95 I": 0.95}
    named, harder = plain(gains), ("Go/NoGo, delay 40", "perceptual, noise 0.2", "perceptual, easy to hard")
    return table_of(
        made("harder", named, "harder tasks", 10, harder),
        made("harder", named, "input noise 0.2", 10, ("one_choice_inference",)),
        made("harder", named, "a tenth of the trials", 10, tuple(TASKS)),
    )


def test_harder_conditions_are_pooled_within_runs():
    conditions = harder_rows(planted_harder()).groupby("condition").size()
    assert set(conditions.index) == {
        "Go/NoGo, delay 40", "perceptual, noise 0.2", "perceptual, easy to hard",
        "one-choice, input noise 0.2", "one-choice, a tenth of the trials", "Go/NoGo, a tenth of the trials",
        "perceptual, a tenth of the trials",
    }  # fmt: skip
    assert set(conditions) == {4 * 10}
    found = {answer.second: answer for answer in harder_answers(planted_harder())}
    for other, difference in (("diagonal alone", 0), ("off-diagonal shuffled", 0.2), ("0.95 I", -0.25)):
        answer = found[other]
        assert answer.found.difference == near(difference) and answer.found.runs == 10
        assert answer.context == "5_3_4, 7 harder conditions, λ = 0 (incomplete)" and answer.networks == 2 * 7 * 10
        assert set(answer.by_task) == set(conditions.index)


def planted_fields(of_field=lambda k: 0.0, fields=TWELVE_FIELDS) -> pd.DataFrame:
    functional, *others = dict.fromkeys(side for sides in FIELD_CONTRASTS.values() for side in sides)
    blocks = []
    for k, field in enumerate(fields):
        gains = {functional: 0.8, **dict(zip(others, (0.8, 0.6 + of_field(k), 0.7), strict=True))}
        blocks.append(made("fields", gains, field, 5, field=field, noise=0.05))
    return table_of(*blocks)


def test_fields_are_pooled_by_contrast():
    found = {(answer.first, answer.second): answer for answer in general_answers(planted_fields())}
    planted = {
        ("functional", "diagonal alone"): (0, "equivalent"),
        ("functional", "off-diagonal shuffled"): (0.2, "first"),
        ("cortical", "permuted"): (0.1, "first"),
    }
    assert set(found) == set(planted)
    for names, (difference, says) in planted.items():
        answer = found[names]
        assert answer.found.difference == pytest.approx(difference, abs=0.03) and answer.found.says == says, names
        assert answer.found.runs == 12 and answer.context == "12 fields, pooled" and answer.networks == 2 * 12 * 5 * 2
        assert answer.found.low < answer.found.difference < answer.found.high


def test_a_few_large_differences_keep_fields_from_being_equivalent():
    rows = planted_fields()
    alone = rows["variant"] == FIELD_CONTRASTS["functional − diagonal alone"][1]
    some = alone & rows["run"].isin([0, 1])
    (answer,) = (
        a
        for a in general_answers(rows.assign(gain=rows["gain"].mask(some, rows["gain"] - 0.15)))
        if a.second == "diagonal alone"
    )
    assert answer.found.difference == pytest.approx(0.06, abs=0.02) and answer.found.p_equivalence > 0.05


def test_a_difference_that_changes_from_field_to_field_has_a_wide_prediction():
    contrast = "functional − off-diagonal shuffled"
    steady, changing = (
        pooled_fields(planted_fields(of), contrast) for of in (lambda k: 0.0, lambda k: 0.3 * (k % 2))
    )
    assert steady.tau < 0.03 and changing.tau == pytest.approx(0.15, abs=0.03)
    assert np.ptp(steady.prediction) < 0.15 < 0.6 < np.ptp(changing.prediction)
    table = field_differences(planted_fields(lambda k: 0.3 * (k % 2)), contrast)
    assert set(table.index) == set(TWELVE_FIELDS) and (table["runs"] == 5).all()
    odd = [k % 2 == 1 for k in range(12)]
    ordered = table.loc[list(TWELVE_FIELDS), "difference"]
    assert ordered[odd].max() < 0 < 0.1 < ordered[[not k for k in odd]].min()


def test_runs_that_agree_keep_an_error_and_two_fields_are_not_pooled():
    rows = planted_fields(fields=TWELVE_FIELDS[:2])
    assert general_answers(rows) == []
    alike = field_differences(rows.assign(gain=0.5), "cortical − permuted")
    assert (alike["difference"] == 0).all() and (alike["standard_error"] > 0).all()
    assert alike["standard_error"].max() < 0.001


def test_one_standard_error_is_pooled_over_fields():
    contrast = "functional − diagonal alone"
    first, second = FIELD_CONTRASTS[contrast]
    apart = {"5_3_8": [0.0] * 5, "5_3_4": [0.0, 0.0, 1 / 3, 0.0, 0.0], "5_3_2": [0.1, -0.2, 0.3], "6_6_8": [0.2]}
    rows = [
        (field, variant, seed, "go_nogo", 0.5 + value * (variant == first))
        for field, values in apart.items()
        for seed, value in enumerate(values)
        for variant in (first, second)
    ]
    columns = ["field", "variant", "seed", "task", "gain"]
    table = pd.DataFrame(rows, columns=columns).assign(study="fields").sample(frac=1, random_state=0)
    found = field_differences(table, contrast)
    squares = sum(((np.array(values) - np.mean(values)) ** 2).sum() for values in apart.values())
    spread = squares / (4 + 4 + 2)
    assert found["runs"].to_dict() == {"5_3_8": 5, "5_3_4": 5, "5_3_2": 3}, "one run has no spread"
    for field, row in found.iterrows():
        assert row["difference"] == pytest.approx(np.mean(apart[field]))
        assert row["standard_error"] == pytest.approx(np.sqrt(spread / len(apart[field]))), field
    over = pooled_fields(table, contrast)
    assert over.fields == 3 and abs(over.mean - np.mean([0, 1 / 15, 1 / 15])) < 0.02, (
        "the field of zeros is not exact"
    )


def test_p_is_corrected_within_each_question():
    apart = made("6_6_2 no penalty", plain({"functional": 0.9, "orthogonal": 0.1}), "learning rate 0.001", 5)
    rows = pd.concat([planted_function(), planted_harder(), planted_fields(), table_of(apart)])
    found = answers(rows)
    assert set(found["question"]) == {1, 4, 5, 7, 8} and "exploratory" not in set(found["claim"])
    for question, block in found.groupby("question"):
        np.testing.assert_allclose(
            block["p_holm"], multipletests(block["p"], method="holm")[1], err_msg=str(question)
        )
    assert (found["p_holm"] > found["p"]).any() and set(found["says"]) <= {
        "first", "second", "equivalent", "not told apart",
    }  # fmt: skip
    assert found["runs"].notna().all() and (found["networks"] > 0).all()


def test_what_was_not_planned_is_answered_apart():
    task = ("one_choice_inference",)
    gains = {"0.001": (0.9, 0.9, 0.1), "0.0003": (0.9, 0.6, 0.9)}
    names = ("functional", "diagonal alone", "orthogonal")
    blocks = [
        made("6_6_2 no penalty", plain(dict(zip(names, of, strict=True))), f"learning rate {rate}", 5, task, "6_6_2")
        for rate, of in gains.items()
    ]
    first = [
        made("tuned by the first rule", plain({"functional": 0.8}), "λ = 0.1"),
        made("tuned by the first rule", plain({"diagonal alone": 0.8, "off-diagonal shuffled": 0.6}), "λ = 3"),
    ]
    strong = [
        made("strong function", plain(STRONG), "λ = 0"),
        made("strong function, more controls", plain({"0.5 I + function, strengths kept": 0.5}), "λ = 0"),
    ]
    graphs = ("0.5 I + connectome shuffled", "0.5 I + connectome, degrees kept")
    scaled = {"0.5 I + connectome": 0.6} | {f"{graph}, its radius": 0.6 for graph in graphs}
    earlier = plain({"0.5 I + connectome": 0.6, **dict.fromkeys(graphs, 0.4)})
    wired = [
        made("one radius", plain(scaled), "λ = 0", field="7_3_8"),
        made("one radius, not scaled", plain(dict.fromkeys(graphs, 0.3)), "λ = 0", 20, task, "7_3_8"),
        made("connectome again", earlier, "7_3_8", field="7_3_8").assign(seed=lambda rows: rows["seed"] + 1000),
    ]
    found = exploratory_answers(
        table_of(*blocks, *first, *strong, *wired, made("starts", starts({"functional": 0, "orthogonal": 1})))
    )
    assert set(found["claim"]) == {"exploratory"}
    assert found["first"].value_counts().to_dict() == {
        "functional": 6, "0.5 I + function": 2, "0.5 I + connectome": 4, **dict.fromkeys(list(scaled)[1:], 1),
    }  # fmt: skip
    planted = {
        ("6_6_2, one-choice inference, λ = 0, learning rate 0.001", "diagonal alone"): (0, "not told apart"),
        ("6_6_2, one-choice inference, λ = 0, learning rate 0.001", "orthogonal"): (0.8, "not told apart"),
        ("6_6_2, one-choice inference, λ = 0, learning rate 0.0003", "diagonal alone"): (0.3, "not told apart"),
        ("6_6_2, one-choice inference, λ = 0, learning rate 0.0003", "orthogonal"): (0, "not told apart"),
        ("5_3_4, λ = 0", "0.5 I + function, strengths kept"): (0.3, "first"),
        ("5_3_4, λ = 0, both sets of seeds", "0.5 I + function shuffled"): (0, "equivalent"),
        ("5_3_4, λ = 0.1 against λ = 3", "diagonal alone"): (0, "equivalent"),
        ("5_3_4, λ = 0.1 against λ = 3", "off-diagonal shuffled"): (0.2, "first"),
    }
    wiring = found["context"].str.startswith("7_3_8, one-choice inference, λ = 0, ")
    assert found[wiring]["difference"].to_list() == [near(0.3)] * 4 + [near(0.25)] * 2
    assert found[wiring]["runs"].to_list() == [20] * 4 + [40] * 2 and set(found[wiring]["second"]) == set(graphs)
    rows = {(row["context"], row["second"]): row for row in found[~wiring].to_dict("records")}
    assert set(rows) == set(planted)
    for key, (difference, says) in planted.items():
        assert rows[key]["difference"] == near(difference) and rows[key]["says"] == says, key
    np.testing.assert_allclose(found["p_holm"], multipletests(found["p"], method="holm")[1])
    with pytest.raises(InputError, match="no rows of the exploratory studies"):
        exploratory_answers(planted_fields())


# Words


def contexts(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """A contrast in several contexts: difference, p after correction, and p of equivalence."""
    table = pd.DataFrame(rows, columns=["difference", "p_holm", "p_equivalence"])
    return table.assign(context=[f"context {k}" for k in range(len(rows))])


HOLDS, EQUIVALENT, OPPOSITE, OPEN = (0.3, 0.001, 1), (0.02, 0.4, 0.01), (-0.3, 0.001, 1), (0.15, 0.2, 0.8)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([HOLDS], "holds"),
        ([HOLDS, HOLDS], "holds"),
        ([(0.10, 0.049, 0.5)], "holds"),
        ([HOLDS, EQUIVALENT, HOLDS], "holds only under context 0; context 2"),
        ([OPEN, HOLDS], "holds only under context 1"),
        ([OPPOSITE, HOLDS], "holds only under context 1"),
        ([EQUIVALENT], "not supported"),
        ([OPPOSITE], "not supported"),
        ([EQUIVALENT, OPPOSITE], "not supported"),
        ([(-0.02, 0.001, 0.01)], "not supported"),
        ([(0.05, 0.001, 0.01)], "not supported"),  # there, and too small
        ([OPEN], "open"),
        ([OPEN, EQUIVALENT], "open"),
        ([(0.09, 0.001, 0.3)], "open"),  # there, and perhaps too small
        ([(0.3, 0.05, 1)], "open"),
        ([(-0.3, 0.06, 1)], "open"),
        ([(0.0, 0.9, 0.06)], "open"),
    ],
)
def test_the_words_are_those_of_the_plan(rows, says):
    assert word(contexts(*rows)) == says


def test_each_contrast_has_one_word_over_its_contexts():
    found = verdicts(answers(planted_function()))
    assert set(found["question"]) == {1, 4}, "question 5 claims no direction"
    function = found[found["claim"] == "function"].set_index("second")
    words = function["word"]
    assert words["diagonal alone"] == "not supported"
    assert words["same spectrum"] == "holds only under 5_3_4, published penalty"
    assert words["off-diagonal shuffled"] == ("holds only under 5_3_4, published penalty; 5_3_4, λ = 0; 5_3_4, λ = 3")
    assert function["contexts"].to_dict() == {"diagonal alone": 4, "off-diagonal shuffled": 4, "same spectrum": 3}
    shuffled = function.loc["off-diagonal shuffled"]
    assert (shuffled["least"], shuffled["most"]) == (near(0), near(0.3))
    strong = found[found["claim"] == "strong function"].set_index("second")["word"]
    assert strong.to_dict() == {"0.5 I + function shuffled": "not supported", "0.5 I": "holds"}


def worded(found: list) -> pd.DataFrame:
    return verdicts(corrected(pd.DataFrame([answer.row() for answer in found])))


@pytest.mark.parametrize("study", ["starts", "tuned", "same λ", "6_6_2"])
def test_a_claim_is_pending_while_a_context_lacks_rows(study):
    rows = planted_function()
    found = worded(function_answers(rows[rows["study"] != study])).set_index(["claim", "second"])
    pending = set(found.index[found["word"] == "pending"])
    wanted = {("function", other) for other in ("diagonal alone", "off-diagonal shuffled", "same spectrum")}
    assert pending == wanted - ({("function", "same spectrum")} if study == "same λ" else set())
    assert found.loc["strong function", "word"].notna().all(), "other claims have their rows"
    assert (found.loc["function", "contexts"] < 4).all()


ASKED = {
    function_answers: ("starts", "tuned", "same λ", "6_6_2", "strong function"),
    position_answers: ("positions",),
    wiring_answers: ("targets", "connectome"),
    function_again_answers: ("strong function again",),
    wiring_again_answers: ("connectome again",),
    radius_answers: ("one radius",),
    penalty_answers: ("tuned", "learning rate", "longer"),
    harder_answers: ("harder",),
    general_answers: ("fields",),
}
"""Studies of each question that has a claim."""


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_with_the_rows_of_its_studies_no_claim_is_pending(ask):
    chosen = dict.fromkeys(SWEPT_STARTS, 0.0)
    blocks = []
    for part in (part for study in ASKED[ask] for part in parts(study, chosen)):
        gains = {each.name: 0.6 for each in part.variants}
        tasks = [task if isinstance(task, str) else task.name for task in part.tasks]
        blocks.append(made(part.study, gains, part.name, 3, tasks, part.field))
    found = ask(table_of(*blocks))
    counts = (
        pd.DataFrame([answer.row() for answer in found]).groupby(["claim", "first", "second"])["context"].nunique()
    )
    for (claim, _, second), contexts in counts.items():
        assert contexts == CONTEXTS[claim] - (claim == "function" and second == "same spectrum"), (claim, second)
    words = worded(found)
    assert words["takes_away"].all(), "each control says what it takes away"
    assert len(words) == len(counts) and (words["word"] != "pending").all()
    for claim in words["claim"].unique():
        if CONTEXTS[claim] > 1:
            first = next(answer.context for answer in found if answer.claim == claim)
            fewer = worded([answer for answer in found if answer.context != first])
            assert (fewer.loc[fewer["claim"] == claim, "word"] == "pending").all(), claim


# The factorial


EFFECTS = {
    "start": dict(zip(FACTORS["start"], (0.2, 0.1, -0.1, -0.2), strict=True)),
    "space": dict(zip(FACTORS["space"], (0.03, -0.01, -0.02, 0.0), strict=True)),
    "target": dict(zip(FACTORS["target"], (0.05, 0.0, -0.05), strict=True)),
    "task": dict(zip(TASKS, (0.1, 0.0, -0.1), strict=True)),
}
"""Each factor's add up to 0."""


def factorial(interaction: float = 0.0, noise: float = 0.0, runs: int = 4) -> pd.DataFrame:
    """All cells; start and space interact in a square of four cells, whose rows and columns add up to 0."""
    r = np.random.default_rng(0)
    square = {
        (start, space): interaction * sign_a * sign_b
        for start, sign_a in zip(FACTORS["start"][:2], (1, -1), strict=True)
        for space, sign_b in zip(FACTORS["space"][:2], (1, -1), strict=True)
    }
    rows = []
    for levels in product(*EFFECTS.values()):
        cell = 0.5 + sum(of[level] for of, level in zip(EFFECTS.values(), levels, strict=True))
        cell += square.get(levels[:2], 0.0)
        rows += [(*levels, run, cell + 0.01 * run + r.normal(0, noise)) for run in range(runs)]
    table = pd.DataFrame(rows, columns=[*EFFECTS, "seed", "gain"]).assign(study="factorial")
    return pd.concat([table, table.assign(study="starts", gain=9.0)]).sample(frac=1, random_state=0)


def test_the_factorial_gives_main_effects_and_an_interaction_back():
    found = factorial_effects(factorial(interaction=0.08), resamples=200).set_index(["factors", "level"])
    for factor, levels in EFFECTS.items():
        for level, effect in levels.items():
            row = found.loc[(factor, level)]
            assert tuple(row) == pytest.approx((effect,) * 3, abs=1e-12), "runs differ by a constant alone"
    for (start, a), (space, b) in product(enumerate(FACTORS["start"]), enumerate(FACTORS["space"])):
        expected = 0.08 * (-1) ** (start + space) if start < 2 and space < 2 else 0
        assert found.loc[("start × space", f"{a}, {b}"), "effect"] == pytest.approx(expected, abs=1e-12)
    for pair in ("start × target", "space × target"):
        assert (found.loc[pair, "effect"].abs() < 1e-12).all()
    assert not [name for name in found.index.get_level_values(0) if "task" in name and name != "task"]
    assert len(found) == 4 + 4 + 3 + 3 + 16 + 12 + 12


def test_effects_of_the_factorial_have_intervals_over_runs():
    found = factorial_effects(factorial(noise=0.1), resamples=200).set_index(["factors", "level"])
    assert (found["low"] < found["effect"]).all() and (found["effect"] < found["high"]).all()
    assert found.loc[("start", "functional"), "low"] > 0.1 and found.loc[("start", "orthogonal"), "high"] < -0.1


def test_the_shares_of_the_factorial_are_those_of_an_anova_of_type_i():
    rows = factorial(interaction=0.08, noise=0.1)
    found = factorial_shares(rows)
    assert found.sum() == pytest.approx(1) and found.index[0] == "start"
    mine = rows[rows["study"] == "factorial"]
    theirs = anova_lm(ols("gain ~ (C(start) + C(space) + C(target) + C(task)) ** 2", mine).fit(), typ=1)["sum_sq"]
    theirs /= theirs.sum()
    for name in found.index.drop(["higher interactions", "runs"]):
        term = ":".join(f"C({factor})" for factor in name.split(" × "))
        assert found[name] == pytest.approx(theirs[term]), name
    assert found["higher interactions"] + found["runs"] == pytest.approx(theirs["Residual"])
    assert found["start"] > 10 * (found["space"] + found["target"]) / 2 and (found > -1e-12).all()


def test_without_noise_the_shares_of_the_factorial_are_those_of_the_effects():
    found = factorial_shares(factorial(interaction=0.08, runs=1))
    squares = {name: np.mean(np.square(list(levels.values()))) for name, levels in EFFECTS.items()}
    squares["start × space"] = 4 * 0.08**2 / 16
    whole = sum(squares.values())
    for name, share in found.items():
        assert share == pytest.approx(squares.get(name, 0) / whole, abs=1e-12), name


# The specification curve


def drawn_curve(count: int, advantage) -> pd.DataFrame:
    """Two networks of each combination, apart by what `advantage` says of it."""
    blocks = []
    for number in range(count):
        of = specification(number)
        gains = {"functional": 0.4 + advantage(of), "orthogonal": 0.4}
        named = {f"{start} | {of['space']} | {of['target']}": gain for start, gain in gains.items()}
        blocks.append(made("curve", named, f"{number:04}", 1, (of["task"],), noise=0))
    return table_of(*blocks)


def kept(of) -> float:
    return -0.3 if of["self_connections"] == "removed" else 0.3


def test_the_curve_has_a_row_per_combination_with_its_choices_and_its_difference():
    rows = drawn_curve(30, kept)
    fixed = {"functional | D* | C*": 0.9, "orthogonal | D* | C*": 0.2}
    table = curve(pd.concat([rows, table_of(made("curve", fixed, "published", 10))]))
    assert list(table.index) == [f"{number:04}" for number in range(30)] and table.index.name == "part"
    for part, row in table.iterrows():
        of = specification(int(part))
        assert {name: row[name] for name in of} == of
        assert row["difference"] == pytest.approx(kept(of)) and row["with"] - row["without"] == row["difference"]
    assert table["difference"].dtype == table["penalty_weight"].dtype == float


def test_a_combination_of_which_one_side_is_trained_is_left_out():
    rows = drawn_curve(6, kept)
    half = rows[(rows["part"] != "0002") | (rows["start"] == "functional")]
    assert list(curve(half[half["part"] != "0004"]).index) == ["0000", "0001", "0003", "0005"]


def test_a_regression_on_the_curve_finds_the_choice_that_matters():
    table = curve_factors(curve(drawn_curve(150, kept)))
    assert set(CURVE_FACTORS) == {*CURVE_CHOICES, "log_weight", "has_penalty"} <= set(table)
    found = variance_explained(table, "difference", CURVE_FACTORS, resamples=30)
    assert found["share"].idxmax() == "self_connections" and found.attrs["r2"] == pytest.approx(1)
    assert found.loc["self_connections", "share"] > 0.7 and (found["share"].drop("self_connections") < 1e-9).all()


def ignored(of) -> bool:
    """Whether λ is ignored: only in W, which has neither distances nor communicability."""
    return (of["space"], of["target"], of["lambda_in_w"]) == ("no space", "no C", "ignored")


def test_no_penalty_has_no_logarithm_and_is_told_apart():
    table = curve(drawn_curve(30, kept))
    acts = pd.Series({part: 1.0 if ignored(row) else row["penalty_weight"] for part, row in table.iterrows()})
    assert (acts != table["penalty_weight"]).sum() == sum(ignored(specification(number)) for number in range(30)) > 0
    found, zero = curve_factors(table), acts == 0
    assert zero.any() and (found["has_penalty"] == np.where(zero, "no", "yes")).all()
    logs = np.log10(acts[~zero])
    np.testing.assert_allclose(found.loc[~zero, "log_weight"], logs)
    assert (found["penalty_weight"] == table["penalty_weight"]).all(), "what was drawn stays"
    np.testing.assert_allclose(found.loc[zero, "log_weight"], logs.mean())
    assert all(isinstance(value, str) for name in CURVE_CHOICES for value in found[name])


@pytest.mark.parametrize("drawn", [0.0, 0.05])
def test_lambda_counts_as_1_where_training_ignores_it(small, drawn):
    kinds = list(product(("no space", "D", "D*"), ("no C", "C"), ("ignored", "applied")))
    template = curve(drawn_curve(3, kept)).iloc[[0] * len(kinds)].reset_index(drop=True)
    named = pd.DataFrame(kinds, columns=["space", "target", "lambda_in_w"])
    found = curve_factors(template.assign(**named, penalty_weight=drawn))
    for (space, target, how), row in zip(kinds, found.to_dict("records"), strict=True):
        priors = Priors(small, Protocol(lambda_in_w=how, penalty_weight=drawn))
        start = priors.start(Variant("own", "orthogonal", SPACES[space], TARGETS[target]), 3)
        acts = 1.0 if (space, target, how) == ("no space", "no C", "ignored") else drawn
        np.testing.assert_allclose(start.cost, acts * priors.distances(SPACES[space]))
        assert row["has_penalty"] == ("yes" if acts else "no")
        assert not acts or row["log_weight"] == pytest.approx(np.log10(acts))


def test_cursors_are_the_two_fixed_specifications_run_by_run():
    both = {"functional | D* | C*": 0.8, "orthogonal | D* | C*": 0.2}
    blocks = [made("curve", both, "published", 10), made("curve", dict.fromkeys(both, 0.5), "sound", 10)]
    found = cursors(table_of(*blocks))
    assert list(found.columns) == ["published", "sound"] and found.index.name == "seed"
    assert set(found.index) == {run_seed(18, run) for run in range(10)}
    assert found["published"].mean() == near(0.6) and found["sound"].mean() == near(0)
    assert list(cursors(table_of(blocks[1])).columns) == ["sound"]


# The shipped rows


def test_rows_that_are_not_there_are_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no study 'nonsense'; there are starts, same λ"):
        load_audit("nonsense")
    monkeypatch.setattr(verdict, "data_folder", lambda: tmp_path)
    verdict._tables.cache_clear()
    with pytest.raises(InputError, match=r"no such file; in a clone, data/make_audit\.py makes it"):
        load_audit()
    verdict._tables.cache_clear()


def test_a_claim_with_some_of_its_conditions_or_fields_is_pending():
    table = corrected(pd.DataFrame([answer.row() for answer in harder_answers(planted_harder())]))
    assert set(verdicts(table)["word"]) == {"pending"}


def test_two_groups_that_share_one_seed_are_not_compared():
    rows = planted_function()
    keep = (rows["start"] != "diagonal alone") | (rows["run"] == 0)
    assert "diagonal alone" not in {answer.second for answer in function_answers(rows[keep])}
