"""The capstone and the relabelling test of notebook 13: what a design lacks, its outcome, its report."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from biornn_lite import Settings, Variant
from biornn_lite.errors import InputError
from biornn_lite.exercises import Prediction, check_design, check_relabelling_test, design_faults, design_outcome
from biornn_lite.exercises.design import Design
from biornn_lite.exercises.design_faults import what_is_missing
from biornn_lite.exercises.design_outcome import NONE_LEARNED, Outcome, carry_out, report_of, write_report
from biornn_lite.tasks import GoNoGo, Task
from biornn_lite.weights import Functional, Identity

LIMITS = [-0.1, 0.1]
OPTIONS = {"lower": "It would harm.", "alike": "It would not matter.", "higher": "It would help."}


def by_first_two(prediction, accuracies):
    return prediction.by_size((accuracies.iloc[:, 0] - accuracies.iloc[:, 1]).mean(), [-0.1, 0.1])


def by_difference(prediction, accuracies):
    return prediction.by_size((accuracies["W*"] - accuracies["diagonal"]).mean(), [-0.1, 0.1])


@dataclass(frozen=True)
class Untold(Task):
    """A task that does not say its ceilings."""

    name: str = "untold"
    title: str = "Untold"
    inputs: int = 2
    steps: int = 4
    classes: int = 2

    def trials(self, count, rng):
        labels = rng.integers(2, size=count)
        return np.repeat(np.eye(2)[labels][:, None], self.steps, axis=1), labels


@dataclass(frozen=True)
class Told(Untold):
    name: str = "told"

    def memoryless_ceiling(self):
        return 1.0

    def best_ceiling(self, input_noise=0.0):
        return 1.0


@pytest.fixture
def design(column, monkeypatch):
    monkeypatch.setattr(design_faults, "_FIRST", {})
    monkeypatch.setattr(design_faults, "_ASKED", {})
    controls = (Variant("diagonal", Functional(self_connections="only")), Variant("I", Identity(0.95)))
    tiny = Settings(epochs=1, batches=2, batch_size=8, test_trials=20)
    prediction = Prediction("W* or its diagonal?", OPTIONS, at="13, section 8")
    field = column.select(range(12))
    return Design(field, GoNoGo(), "W*", controls, prediction, by_difference, "alike", runs=3, settings=tiny)


def test_a_complete_design_lacks_nothing(design, capsys):
    assert what_is_missing(design) == [] and check_design(design)
    out = capsys.readouterr().out
    assert "✓ 9 networks" in out and "a mean of 3 runs by up to 0.167" in out and "one control" not in out
    assert check_design(replace(design, controls=design.controls[:1]))
    assert "There is one control: if nobody learns" in capsys.readouterr().out
    assert check_design(replace(design, controls=(*design.controls, "WD")))
    assert "More than one thing tells WD from the start" in capsys.readouterr().out


def test_another_experiment_needs_a_question_of_its_own(design, capsys):
    """Whatever part of the question changes: the answer to an earlier experiment would be taken for one to this."""
    design.prediction._choice.value = "alike"
    assert check_design(design)
    alone = Variant("diagonal", Functional(self_connections="only"))
    for change in (
        {"task": GoNoGo(name="long", title="Long", delay=20)},
        {"field": design.field.select(range(11))},
        {"start": "W!", "rule": by_first_two, "controls": [alone]},
    ):
        capsys.readouterr()
        assert not check_design(replace(design, **change, seed=5))
        out = capsys.readouterr().out
        assert "asked of another field, task or start" in out and "at='13, section 8'" in out
        copied = Prediction(design.prediction.question, OPTIONS, at="13, section 8")
        assert copied.answer == "alike" and not check_design(replace(design, **change, prediction=copied))
        anew = Prediction(f"Another question about {[*change]}?", OPTIONS, at="13, section 8")
        assert check_design(replace(design, **change, prediction=anew))
    assert check_design(design) and check_design(replace(design, seed=5, runs=4))


def test_a_question_without_an_answer_can_be_asked_of_what_changed(design):
    assert check_design(design)
    asked_again = Prediction(design.prediction.question, OPTIONS, at="13, section 8")
    assert check_design(replace(design, field=design.field.select(range(11)), prediction=asked_again))


def always(prediction, accuracies):
    return "alike"


def overlapping(prediction, accuracies):
    apart = (accuracies["W*"] - accuracies["diagonal"]).mean()
    return prediction.where([apart < 0, abs(apart) <= 0.1, apart > 0.1])


def with_a_gap(prediction, accuracies):
    apart = (accuracies["W*"] - accuracies["diagonal"]).mean()
    return prediction.where([apart < -0.1, 0 < abs(apart) <= 0.1, apart > 0.1])


def at_random(prediction, accuracies):
    return [*prediction.options][np.random.default_rng().integers(3)]


class Counting:
    """A rule that keeps something from one call to the next."""

    calls = 0

    def __call__(self, prediction, accuracies):
        self.calls += 1
        return [*prediction.options][self.calls % 3]


def wrong_name(prediction, accuracies):
    return prediction.by_size(accuracies["orthogonal"].mean(), [0.1, 0.9])


def too_few(prediction, accuracies):
    return prediction.where([accuracies["W*"].mean() > 0.5, True])


def truth_values(prediction, accuracies):
    apart = (accuracies["W*"] - accuracies["diagonal"]).mean()
    return [apart < -0.1, abs(apart) <= 0.1, apart > 0.1]


def failing_on_nan(prediction, accuracies):
    if accuracies["W*"].isna().any():
        raise RuntimeError("not a number")
    return prediction.by_size((accuracies["W*"] - accuracies["diagonal"]).mean(), [-0.1, 0.1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": failing_on_nan}, "NaN where a network diverged), the rule fails: RuntimeError: not a number"),
        ({"runs": True}, "runs is True; a whole number"),
        ({"controls": None}, "controls is no list"),
        ({"expected": ["alike"]}, "what is expected are texts"),
        ({"controls": (), "rule": lambda p, a: p.by_size(a["W*"].mean(), [0.6, 0.9])}, "There is no control"),
        ({"controls": ("WD*", Variant("diagonal", Functional(self_connections="only"), "cortical"))}, "two causes"),
        ({"task": Untold()}, "does not say its ceilings"),
        ({"task": Told()}, "needs no memory"),
        ({"runs": 1}, "One run shows what can happen"),
        ({"runs": 2}, "Two runs show"),
        ({"prediction": Prediction("q", dict.fromkeys(OPTIONS, ""), at="13")}, "It is not said what 'lower'"),
        ({"prediction": Prediction("q", {"alike": "It is so."}, at="13"), "rule": always}, "it cannot fail"),
        ({"expected": "no idea"}, "none of the options"),
        ({"rule": None}, "no function"),
        ({"rule": always}, "'lower' and 'higher' came true in none of 1,000"),
        ({"rule": overlapping}, "'lower' and 'alike': they overlap"),
        ({"rule": with_a_gap}, "if all are equal, no option comes true"),
        ({"rule": at_random}, "two answers for the same"),
        ({"rule": Counting()}, "two answers for the same"),
        ({"rule": lambda p, a: p.by_size(a["diagonal"].mean(), [0.6, 0.9])}, "not look at the start"),
        ({"rule": lambda p, a: p.by_size(a["W*"].mean(), [0.6, 0.9])}, "looks at no control"),
        (
            {"rule": lambda p, a: p.by_size(float((a["W*"] - a["diagonal"]).iloc[0]), [-0.1, 0.1])},
            "order of the runs",
        ),
        ({"rule": lambda p, a: by_difference(p, a)}, "The rule uses `by_difference` from outside of it"),
        ({"rule": lambda p, a: p.by_size((a["W*"] - a["I"]).mean(), LIMITS)}, "The rule uses `LIMITS` from outside"),
        ({"controls": (Variant("diagonal", Functional()),)}, "diagonal is W* under another name"),
        ({"controls": (Variant("diagonal", Functional(self_connections="only")), "W!")}, "W! is W* with its units"),
        ({"controls": "W"}, "controls is one str; a list"),
        ({"task": GoNoGo}, "task is a class; make a task of it: GoNoGo()"),
        ({"prediction": Prediction("?", OPTIONS, at="13")}, "has no question"),
        ({"prediction": Prediction("q", OPTIONS | {"higher": "It would harm."}, at="13")}, "the same meaning"),
        ({"rule": wrong_name}, "come out, the rule fails: KeyError: 'orthogonal' is none of the columns W*, diag"),
        ({"rule": too_few}, "come out, the rule fails: `where` was given 2 values for 3 options."),
        ({"rule": truth_values}, "return prediction.where([…]), with one truth value for each option"),
        ({"rule": lambda p, a: "better"}, "'better'"),
        ({"controls": ("W*",)}, "cannot be carried out: each variant is to be named once"),
        ({"task": "no such task"}, "cannot be carried out"),
        ({"prediction": "W* is better"}, "cannot be carried out: prediction is a str; write Prediction("),
    ],
)
def test_what_a_design_lacks_is_named(design, change, told, capsys):
    assert not check_design(replace(design, **change))
    out = capsys.readouterr().out
    assert told in out and all(line.startswith("✗ ") for line in out.splitlines())
    assert len(out.splitlines()) == 1, out


def in_order(prediction, accuracies):
    means = [*accuracies.mean()]
    return prediction.where([means == sorted(means), means != sorted(means)])


def by_resampling(prediction, accuracies):
    print("resampling")
    apart = (accuracies["W*"] - accuracies["diagonal"]).to_numpy()
    draws = np.random.default_rng(0).choice(apart, (200, len(apart))).mean(axis=1)
    np.log(apart * 0)  # a warning of each table
    low, high = np.quantile(draws, [0.025, 0.975])
    return prediction.where([high < 0, low <= 0 <= high, low > 0])


@pytest.mark.filterwarnings("error")
def test_good_designs_are_not_refused(design, capsys):
    assert check_design(replace(design, rule=by_resampling))
    assert "resampling" not in capsys.readouterr().out
    many = (*design.controls, Variant("0.8 I", Identity(0.8)), Variant("0.6 I", Identity(0.6)), "W", "WD*", "WD")
    two = Prediction("q", {"in order": "Each would help.", "not": "Some would not."}, at="13")
    ordered = replace(design, controls=many, prediction=two, rule=in_order, expected="not", runs=20)
    assert check_design(ordered)
    assert "So many take minutes" in capsys.readouterr().out


def test_the_trial_of_a_slow_rule_ends(design, capsys, monkeypatch):
    def slow(prediction, accuracies):
        time.sleep(0.05)
        return prediction.by_size((accuracies["W*"] - accuracies["diagonal"]).mean(), [-0.1, 0.1])

    monkeypatch.setattr(design_faults, "PATIENCE", 0.5)
    assert not check_design(replace(design, rule=slow))
    assert "The rule is slow: after 0.5 s" in capsys.readouterr().out


def test_an_outcome_in_which_nothing_was_learned_says_so(design):
    accuracies = pd.DataFrame(0.5, index=range(3), columns=["W*", "diagonal", "I"])
    outcome = Outcome(design, accuracies, ("alike",), ())
    assert NONE_LEARNED in outcome.told and NONE_LEARNED in report_of(outcome)
    assert NONE_LEARNED not in replace(outcome, accuracies=accuracies + 0.4).told


def test_without_ceilings_nothing_is_said_of_learning(design):
    accuracies = pd.DataFrame(1.0, index=range(3), columns=["W*", "diagonal", "I"])
    outcome = Outcome(replace(design, task=Untold()), accuracies, ("alike",), ())
    assert NONE_LEARNED not in outcome.told and "no ceilings" in outcome.told
    assert outcome.table["runs that learned"].isna().all() and "nan" in report_of(outcome)


def test_a_network_that_diverged_confirms_nothing(design):
    gone = pd.DataFrame(np.nan, index=range(3), columns=["W*", "diagonal", "I"])
    assert by_difference(design.prediction, gone) == ()
    assert check_design(replace(design, runs=np.int64(3)))


def test_no_design_is_no_answer(capsys):
    assert not check_design(None) and not check_design("mine")
    out = capsys.readouterr().out
    assert "not answered yet" in out and "a Design is needed" in out


def test_the_outcome_follows_the_rule_and_stands_beside_ceilings(design):
    outcome = carry_out(design, progress=False)
    assert [*outcome.accuracies] == ["W*", "diagonal", "I"] and len(outcome.accuracies) == 3
    assert outcome.came_true == by_difference(design.prediction, outcome.accuracies)
    assert outcome.lacking == ()
    table = outcome.table
    assert table["best possible"].tolist() == [1.0] * 3 and table["without memory"].tolist() == [0.5] * 3
    apart = outcome.accuracies["W*"] - outcome.accuracies["I"]
    assert math.isclose(table.loc["I", "start minus this"], apart.mean(), abs_tol=1e-12)
    assert table["runs that learned"].tolist() == (outcome.accuracies > 0.75).sum().tolist()
    assert "mean of 3 runs" in outcome.told and "0.500" in outcome.told


def test_a_rule_that_changes_after_the_outcome_is_noticed(design, capsys):
    carry_out(design, progress=False)
    assert check_design(design) and check_design(replace(design, runs=4))
    assert check_design(replace(design, controls=(*design.controls, "W")))
    capsys.readouterr()
    for change in ({"expected": "higher"}, {"rule": lambda p, a: p.by_size((a["W*"] - a["I"]).mean(), [-0.2, 0.2])}):
        assert not check_design(replace(design, **change))
        out = capsys.readouterr().out
        assert "not fixed beforehand" in out and "in this session" in out and "seed=1. (Its runs share nothing" in out
        assert check_design(replace(design, **change, seed=1)), "new seeds have not been seen"
    assert "not fixed beforehand" in " ".join(carry_out(replace(design, expected="lower"), progress=False).lacking)


def test_a_rule_cannot_give_what_is_no_option(design):
    with pytest.raises(InputError, match="'better'"):
        carry_out(replace(design, rule=lambda p, a: "better"), progress=False)


def test_the_report_holds_the_code_of_a_class_that_a_notebook_defines():
    shell = InteractiveShell()
    code = "class Mine(GoNoGo):\n    def trials(self, count, rng):\n        return 3"
    cell = f"from biornn_lite.tasks import GoNoGo\n\n\n{code}"
    shell.run_cell(cell)
    assert design_outcome._source(shell.user_ns["Mine"]) == code


def test_the_report_holds_what_another_needs(design, tmp_path):
    outcome = carry_out(replace(design, runs=1), progress=False)
    path = write_report(outcome, tmp_path / "report.md")
    text = path.read_text(encoding="utf-8")
    assert text == report_of(outcome)
    for part in (
        "# W* or its diagonal?", "12 neurons", "Go/NoGo", "**Controls.** diagonal, I.", "It would not matter.",
        "**Expected.** alike.", "def by_difference(prediction, accuracies):", "1 of each", "from seed 0",
        "test accuracy, one run", "By the rule: ", "One run shows what can happen", "does not hold it: keep its file",
        "task: GoNoGo(name='go_nogo',", "W*: weights='functional', space='none', communicability='none'",
        "I: weights=Identity(", "settings: Settings(epochs=1,",
    ):  # fmt: skip
        assert part in text, part
    assert text.count("```python") == 1, "of the library's own code no source is needed"
    with pytest.raises(InputError):
        write_report(outcome, tmp_path / "no such folder" / "report.md")


def ones(field, rng):
    return np.full((field.neurons, field.neurons), 1 / field.neurons)


@dataclass(frozen=True)
class MyTask(GoNoGo):
    """A task of a learner's own."""

    name: str = "my_task"


def test_the_report_holds_the_source_of_what_is_not_in_the_library(design):
    mine = replace(design, task=MyTask(), controls=(*design.controls, Variant("ones", ones)))
    accuracies = pd.DataFrame(0.5, index=range(3), columns=["W*", "diagonal", "I", "ones"])
    text = report_of(Outcome(mine, accuracies, ("alike",), ()))
    assert "ones: weights=ones, space='none'" in text and "def ones(field, rng):" in text
    assert "task: MyTask(name='my_task'" in text and "class MyTask(GoNoGo):" in text


def labels(graph, rng):
    order = rng.permutation(len(graph))
    return graph[order][:, order]


def entries(graph, rng):
    mixed, off = graph.copy(), ~np.eye(len(graph), dtype=bool)
    mixed[off] = rng.permutation(graph[off])
    return mixed


def anywhere(graph, rng):
    return rng.permutation(graph.ravel()).reshape(graph.shape)


def by_synapses(distances, connectome, rng):
    def mean(graph):
        return (distances * graph).sum() / graph.sum()

    return (1 + sum(mean(labels(connectome, rng)) <= mean(connectome) for _ in range(999))) / 1000


def nearer(distances, connectome, rng):
    here = distances[connectome > 0].mean()
    return (1 + sum(distances[labels(connectome, rng) > 0].mean() < here for _ in range(999))) / 1000


def relabelling(deal=labels, *, truly=1, sides=1, far=False):
    def test(distances, connectome, rng):
        here = distances[connectome > 0].mean()
        dealt = np.array([distances[deal(connectome, rng) > 0].mean() for _ in range(999)])
        return sides * (truly + (dealt >= here if far else dealt <= here).sum()) / (truly + 999)

    return test


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (3, "expected a function"),
        (relabelling(), "✓"),
        (relabelling(truly=0), "never gives 0"),
        (relabelling(far=True), "as *far* apart"),
        (relabelling(entries), "Single synapses were dealt out"),
        (relabelling(anywhere), "Single synapses were dealt out"),
        (by_synapses, "A pair counts once here"),
        (relabelling(lambda graph, rng: rng.permutation(graph)), "Rows were dealt out and columns not"),
        (relabelling(sides=2), "one side only"),
        (nearer, "Take <="),
        (relabelling(sides=1000), "at most 1"),
        (lambda distances, connectome, rng: 0.5, "999 draws"),
        (lambda distances, connectome, rng: "near", "expected one number"),
        (lambda distances, connectome, rng: np.nan, "not a number"),
        (lambda distances, connectome, rng: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_check_of_a_relabelling_test(capsys, answer, told):
    assert check_relabelling_test(answer) == (told == "✓")
    assert told in capsys.readouterr().out
