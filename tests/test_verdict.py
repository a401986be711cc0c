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
    SWEPT_STARTS,
    TWELVE_FIELDS,
    specification,
    with_names,
)
from biornn_lite.contrasts import variance_explained
from biornn_lite.errors import InputError
from biornn_lite.replication import load_replication
from biornn_lite.results import ceilings
from biornn_lite.seeds import run_seed
from biornn_lite.tasks import TASKS
from biornn_lite.verdict import (
    CURVE_FACTORS,
    FIELD_CONTRASTS,
    answers,
    choice_answers,
    cursors,
    curve,
    curve_factors,
    factorial_effects,
    factorial_shares,
    field_differences,
    function_answers,
    general_answers,
    harder_answers,
    harder_rows,
    load_audit,
    penalty_answers,
    pooled_fields,
    position_answers,
    verdicts,
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


def starts(gains: dict[str, float]) -> dict[str, float]:
    return {f"{start} | D* | C*": gain for start, gain in gains.items()}


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
        made("starts", starts({"orthogonal": 0.1}), "published, others", runs=10),
        made("tuned", starts({"functional": 0.8}), "λ = 0.3"),
        made("tuned", starts({"diagonal alone": 0.83, "off-diagonal shuffled": 0.65}), "λ = 0.1"),
        made("6_6_2", starts({"functional": 0.5, "same spectrum": 0.8}), field="6_6_2"),
    )


def test_function_is_compared_with_its_controls_in_three_studies():
    found = by_contrast(function_answers(planted_function()))
    planted = {
        ("5_3_4, published penalty", "diagonal alone"): (0, "equivalent"),
        ("5_3_4, published penalty", "off-diagonal shuffled"): (0.3, "first"),
        ("5_3_4, published penalty", "same spectrum"): (0.6, "first"),
        ("5_3_4, λ tuned for each start", "diagonal alone"): (-0.03, "equivalent"),
        ("5_3_4, λ tuned for each start", "off-diagonal shuffled"): (0.15, "first"),
        ("6_6_2, published penalty", "same spectrum"): (-0.3, "second"),
    }
    assert set(found) == {(context, "functional", other) for context, other in planted}
    for (context, other), (difference, says) in planted.items():
        answer = found[context, "functional", other]
        assert answer.found.difference == near(difference) and answer.found.says == says, (context, other)
        assert (answer.question, answer.found.runs, answer.networks) == (1, 20, 80)
        assert answer.found.low < answer.found.difference < answer.found.high
    spectrum = found["5_3_4, published penalty", "functional", "same spectrum"]
    assert spectrum.learns_first > 0.95 and spectrum.learns_second < 0.1 and spectrum.found.improvement > 0.99
    row = spectrum.row()
    assert row["claim"] == "function" and row["p"] == spectrum.found.p and "found" not in row


def test_positions_are_compared_at_each_lambda_and_between_starts():
    functional = {f"functional | {space} | no C": 0.7 for space in ("cortical", "permuted", "lattice", "equal")}
    functional["functional | lattice | no C"], functional["functional | equal | no C"] = 0.45, 0.9
    others = {f"relabelled | {space} | no C": 0.7 for space in ("cortical", "lattice")}
    others |= {"relabelled | permuted | no C": 0.4, "functional | reshaped | no C": 0.1}
    rows = table_of(
        *(made("positions", functional, f"λ = {v}") for v in ("0.3", "3")),
        *(made("positions", others, f"λ = {v}, others", runs=10) for v in ("0.3", "3")),
        made("starts", {"functional | cortical | no C": 0.0}),
    )
    found = by_contrast(position_answers(rows))
    assert len(found) == 8
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
    names = ("0.95 I", "connectome", "connectome shuffled", "connectome with degrees kept")
    wired = {f"{start} | D* | no C": gain for start, gain in zip(names, (0.9, 0.7, 0.7, 0.5), strict=True)}
    found = by_contrast(
        wiring_answers(
            table_of(
                made("targets", targets, "matched", runs=10, field="7_3_8"),
                made("connectome", wired, field="7_3_8"),
            )
        )
    )
    planted = {
        ("7_3_8, functional start", "C*", "random C*"): 0,
        ("7_3_8, functional start", "C*", "degree-matched C*"): 0.2,
        ("7_3_8, orthogonal start", "C*", "random C*"): -0.3,
        ("7_3_8, orthogonal start", "C*", "degree-matched C*"): 0,
        ("7_3_8, true positions", "connectome", "0.95 I"): -0.2,
        ("7_3_8, true positions", "connectome", "connectome shuffled"): 0,
        ("7_3_8, true positions", "connectome", "connectome with degrees kept"): 0.2,
    }
    assert set(found) == set(planted)
    for contrast, difference in planted.items():
        assert found[contrast].found.difference == near(difference), contrast
        assert found[contrast].found.runs == (20 if contrast[1] == "connectome" else 10)


def test_the_functional_start_is_compared_with_nine_others_each_at_its_own_lambda():
    gains = {start: 0.8 - 0.1 * k for k, start in enumerate(SWEPT_STARTS)}
    blocks = [
        made("tuned", {f"{start} | D* | no C": gain}, f"λ = {k}", runs=20 if k < 5 else 10)
        for k, (start, gain) in enumerate(gains.items())
    ]
    found = penalty_answers(table_of(*blocks))
    assert [answer.second for answer in found] == [start for start in SWEPT_STARTS if start != "functional"]
    for answer in found:
        assert answer.first == "functional" and answer.question == 4
        assert answer.found.difference == near(0.8 - gains[answer.second])
        assert answer.found.runs == (20 if SWEPT_STARTS.index(answer.second) < 5 else 10)


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
    gains = {"functional": 0.7, "diagonal alone": 0.7, "off-diagonal shuffled": 0.5}
    blocks, harder = [], ("Go/NoGo, delay 40", "perceptual, noise 0.2", "perceptual, easy to hard")
    for weight, own in (("0.3", gains), ("0.0003", {"0.95 I": 0.95})):
        named = {f"{start} | D* | no C": gain for start, gain in own.items()}
        blocks += [
            made("harder", named, f"harder tasks, λ = {weight}", 10, harder),
            made("harder", named, f"input noise 0.2, λ = {weight}", 10, ("one_choice_inference",)),
            made("harder", named, f"a tenth of the trials, λ = {weight}", 10, tuple(TASKS)),
        ]
    return table_of(*blocks)


def test_harder_conditions_are_pooled_within_runs_whatever_the_lambda():
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
        assert answer.context == "5_3_4, 7 harder conditions, λ tuned" and answer.networks == 2 * 7 * 10


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
    assert (alike["difference"] == 0).all() and (alike["standard_error"] == 0.01).all()


def test_p_is_corrected_within_each_question():
    rows = pd.concat([planted_function(), planted_harder(), planted_fields()])
    found = answers(rows)
    assert set(found["question"]) == {1, 4, 5, 7, 8}
    for question, block in found.groupby("question"):
        np.testing.assert_allclose(
            block["p_holm"], multipletests(block["p"], method="holm")[1], err_msg=str(question)
        )
    assert (found["p_holm"] > found["p"]).any() and set(found["says"]) <= {
        "first", "second", "equivalent", "not told apart",
    }  # fmt: skip
    assert found["runs"].notna().all() and (found["networks"] > 0).all()


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
    words = found[found["question"] == 1].set_index("second")["word"]
    assert words["diagonal alone"] == "not supported"
    assert words["same spectrum"] == "holds only under 5_3_4, published penalty"
    shuffled = found[(found["question"] == 1) & (found["second"] == "off-diagonal shuffled")].iloc[0]
    assert shuffled["contexts"] == 2 and shuffled["word"].startswith("holds")
    assert (shuffled["least"], shuffled["most"]) == (near(0.15), near(0.3))


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


def test_no_penalty_has_no_logarithm_and_is_told_apart():
    table = curve(drawn_curve(30, kept))
    found, zero = curve_factors(table), table["penalty_weight"] == 0
    assert zero.any() and (found["has_penalty"] == np.where(zero, "no", "yes")).all()
    logs = np.log10(table.loc[~zero, "penalty_weight"])
    np.testing.assert_allclose(found.loc[~zero, "log_weight"], logs)
    np.testing.assert_allclose(found.loc[zero, "log_weight"], logs.mean())
    assert all(isinstance(value, str) for name in CURVE_CHOICES for value in found[name])


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
    with pytest.raises(InputError, match="no study 'nonsense'; there are starts, sweep"):
        load_audit("nonsense")
    monkeypatch.setattr(verdict, "data_folder", lambda: tmp_path)
    verdict._tables.cache_clear()
    with pytest.raises(InputError, match=r"no such file; in a clone, data/make_audit\.py makes it"):
        load_audit()
    verdict._tables.cache_clear()
