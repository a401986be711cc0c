"""The page of the look inside: its answer, its words and its predictions, of rows whose answer is known."""

import re

import numpy as np
import pytest
from conftest import ROOT, script
from test_dynamics_verdict import (
    FIRST,
    FREE,
    GROUP_VALUES,
    IDENTITY_LIKE,
    PENALTY,
    TRAINED,
    USUAL,
    part_of,
    rows,
    two_mechanisms,
)

from biornn_lite import dynamics_verdict as verdict
from biornn_lite.dynamics_studies import OTHER_STARTS
from biornn_lite.tasks import TASKS

RIGHT, WRONG, PARTLY, OPEN = "right", "**wrong**", "**in part**", "not decided"


@pytest.fixture
def page(monkeypatch):
    """The script of the page, with intervals that cost nothing."""
    made = script("docs/make_dynamics_page.py")
    for module in ("tables", "biornn_lite.statistics"):
        monkeypatch.setattr(f"{module}.bootstrap_interval", lambda values: (np.min(values), np.max(values)))
    return made


@pytest.fixture(scope="module")
def made():
    return rows(two_mechanisms)


def table_below(page: str, title: str) -> list[list[str]]:
    """The cells of the first table below a title, without its head."""
    lines = page.split(f"# {title}\n")[1].splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("| "))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("| "):
            return found
        found.append(line.strip("| ").split(" | "))
    return found


def answer_of(whole: str) -> list[str]:
    return re.findall(r"^\d+\. (.*)$", whole, re.M)


def outcomes(page, made) -> list[str]:
    return [row[3] for row in page.predicted.rows(page.Evidence(made))]


# The answer


def test_the_answer_stands_first_in_ten_lines_of_the_rows(page, made):
    whole = page.compose(made)
    lines = answer_of(whole)
    assert len(lines) == 10 and whole.index(lines[0]) < whole.index("## ")
    functional, orthogonal = lines[:4], lines[4:8]
    assert functional[0].startswith("`W*D*C*` learns Go/NoGo in 10 of 10 runs. Where: *self-connections* (10 of 10).")
    assert "it loses 0.81 of gain, without all others 0.09" in functional[0]
    assert "*slow or moving* (10 of 10)" in functional[1] and "1.00 is left after 1, 0.10 after 10" in functional[1]
    assert "0.900 before training and 0.980 after it; a time constant of 40 steps" in functional[2]
    assert "with accuracy 0.95, the ten with the largest self-connections with 0.90, ten at random" in functional[3]
    assert "Where: *others* (10 of 10)" in orthogonal[0] and "*decay* (10 of 10)" in orthogonal[1]
    assert "no penalty: *different* (similarity" in lines[8]
    assert "published penalty: *open*, too few networks of one start learned" in lines[8]
    assert "no penalty: *same* in 3; published penalty: *same* in 3" in lines[9]


def test_in_short_counts_the_networks_that_learned(page, made):
    learned = page.Evidence(made).scores.query("learns")
    counts = learned["how"].value_counts()
    told = page.in_short(page.Evidence(made))
    assert f"of {len(learned)} networks that learned, {counts.get('unbounded', 0)} are *unbounded*" in told
    for kind in ("slow or moving", "decay"):
        assert f"{counts.get(kind, 0)}" in told.split(f"*{kind}*")[0].split()[-2:]
    assert told in page.compose(made)


def test_the_words_follow_the_rows(page):
    def of(study, start, task, run):
        kind = ("attractors", "decay")[run % 2] if start == "functional" else "attractors"
        gone = run < 6 and start == "orthogonal"
        return {"fate": {FIRST: "decay", TRAINED: kind}} | ({"gain": 0.2} if gone else {})

    lines = answer_of(page.compose(rows(of)))
    assert "*mixed* (at most 5 of 10 alike)" in lines[1]
    assert (
        "Where: *too few* (4 of 10 learned)" in lines[4]
        and "*open*, too few networks of one start learned" in lines[8]
    )
    assert "*open* in 3" in lines[9]


def test_what_has_no_rows_is_pending(page, made):
    whole = page.compose(part_of(made, lambda table: table["study"] == FREE))
    lines = answer_of(whole)
    assert [line.split(":")[1].strip(" .") for line in lines[1:4]] == ["pending"] * 3 and "pending" in lines[0]
    assert "pending" not in "".join(lines[4:8]) and "published penalty: *pending*" in lines[8]
    assert "**180 of the 624 networks of the plan are there**" in whole
    runs = {cells[0]: cells[1:] for cells in table_below(whole, "What was not run")}
    assert runs == {
        FREE: ["216", "180", "10", "0–9 of 0–11", "0"],
        PENALTY: ["216", "0", "0", "–", "0"],
        "other starts": ["192", "0", "0", "–", "0"],
    }
    nothing = page.compose(part_of(made, lambda table: table["run"] < 0))
    assert len(answer_of(nothing)) == 10 and not re.search(r"\bnan\b", nothing)


def test_tables_are_those_of_the_rows(page, made):
    whole = page.compose(made)
    assert not re.search(r"\bnan\b|[{}]", whole)
    classes = {tuple(cells[:2]): cells[2:] for cells in table_below(whole, "The classes")}
    assert len(classes) == 12
    assert classes[FREE, "orthogonal"] == ["*others* (10 of 10); *decay* (10 of 10)"] * 3
    assert classes[PENALTY, "orthogonal, `WD*C*`"] == ["; ".join(["*too few* (0 of 10 learned)"] * 2)] * 3
    contrasts = {tuple(cells[:2]): cells[2:] for cells in table_below(whole, "The contrasts")}
    answers = verdict.answers(made).set_index(["number", "against"])
    assert len(contrasts) == 12
    for (number, against), row in answers.iterrows():
        cells = contrasts[number, f"functional − {against}"]
        assert cells[:2] == [f"{row['runs']}", f"{row['pairs']}"] and cells[5] == f"±{row['bound']:.2f}"
        assert cells[2].startswith(f"{row['difference']:.2f}".replace("-", "−"))
    assert contrasts["loss without the others", "functional − orthogonal"][-1] == "**functional lower**"
    losses = {tuple(cells[:2]): cells[2:] for cells in table_below(whole, "Cuts")}
    assert losses[FREE, "functional"] == ["30 of 30", "0.81", "0.09", "0.45", "0.02", "5.00"]
    assert losses[PENALTY, "orthogonal, `WD*C*`"] == ["0 of 30", *["–"] * 5]
    eigenvalues = {tuple(cells[:2]): cells[2:] for cells in table_below(whole, "Memory eigenvalue")}
    assert eigenvalues[FREE, "functional"] == ["0.900", "0.980", "40", "40"]
    mechanisms = table_below(whole, "The same mechanism?")
    assert [cells[3] for cells in mechanisms if cells[2] == "functional and orthogonal"] == [
        *["**different**"] * 3, *["**open** (too few)"] * 3,
    ]  # fmt: skip


def test_infinite_and_huge_numbers_are_said_in_words(page):
    assert page.median_text(page.pd.Series([np.inf] * 3)) == "infinite"
    assert page.median_text(page.pd.Series([1.0, 2.0, 3.0, np.inf])) == "2.00 (1.00 to 3.00)"
    assert page.median_text(page.pd.Series([123456.7, 123456.7])) == "123,457"
    assert page.median_text(page.pd.Series([4.9e25, 4.9e25])) == "5 · 10²⁵"
    assert page.median_text(page.pd.Series([], dtype=float)) == "–"
    assert page.finite_mean_text(page.pd.Series([np.inf], page.pd.Index([0], name="run"))) == "–"


def test_other_starts_are_shown_without_a_class(page):
    made = rows(starts=OTHER_STARTS[:2], studies=("other starts",), runs=4)
    cells = table_below(page.compose(made), "The other starts")
    assert [row[:5] for row in cells] == [
        ["other starts", start, "12 of 12", "self-connections 12 of 12", "slow or moving 12 of 12"]
        for start in OTHER_STARTS[:2]
    ]


# Predictions


def as_predicted(study, start, task, run):
    more = {"largest self-connections": 0.93} if start != "0.95 I" else {"largest self-connections": 0.72}
    return two_mechanisms(study, start, task, run) | {"decoding": {FIRST: GROUP_VALUES, TRAINED: GROUP_VALUES | more}}


def not_as_predicted(study, start, task, run):
    both = {"diagonal": 0.1, "others": 0.1, "within communities": 0.9, "between communities": 0.3}
    more = {"largest self-connections": 0.6 if start == "functional" else 0.94, "at random": 0.8}
    return {
        "left": both | ({"diagonal": 0.98} if start == "diagonal alone" else {}),
        "fate": {FIRST: "decay", TRAINED: "attractors"},
        "decoding": {
            FIRST: GROUP_VALUES | {"all": 0.6 if start == "functional" else 0.95},
            TRAINED: GROUP_VALUES | more,
        },
        "eigenvalue": {FIRST: 1.3, TRAINED: 1.2},
        "mantel r": 0.2,
        "mantel p": 0.01,
    }


def test_predictions_that_come_true_are_right(page):
    assert outcomes(page, rows(as_predicted)) == [RIGHT] * 9


def test_predictions_that_do_not_come_true_are_wrong(page):
    assert outcomes(page, rows(not_as_predicted)) == [WRONG] * 9


def test_predictions_of_which_a_part_comes_true_are_right_in_part(page):
    def of(study, start, task, run):
        one = as_predicted(study, start, task, run)
        left = USUAL["left"] | {"between communities": 0.8}
        if study == PENALTY and start in IDENTITY_LIKE:
            left = left | {"diagonal": 0.98, "others": 0.05}
        if start == "orthogonal":
            left = left | {"diagonal": 0.8, "others": 0.05}
        fate = "unbounded" if start == "relabelled" else one.get("fate", USUAL["fate"])[TRAINED]
        trained = GROUP_VALUES | {"largest self-connections": 0.82, "at random": 0.7}
        eigenvalue = {FIRST: 0.9, TRAINED: 1.1 if start == "functional" else 0.9}
        return one | {
            "left": left, "fate": {FIRST: "decay", TRAINED: fate}, "eigenvalue": eigenvalue, "mantel p": 0.01,
            "decoding": {FIRST: GROUP_VALUES, TRAINED: trained}, "gain": 0.9,
            "pattern": 1 if start == "diagonal alone" else 0,
        }  # fmt: skip

    # Of prediction 8, functional and diagonal alone are open, and functional and orthogonal different, as predicted.
    assert outcomes(page, rows(of)) == [PARTLY] * 5 + [RIGHT] + [PARTLY] * 3


def test_open_and_mixed_do_not_count_as_came_true(page):
    def of(study, start, task, run):
        one = as_predicted(study, start, task, run)
        return one | ({"pattern": 2} if start == "diagonal alone" and task == "go_nogo" else {})

    found = page.predicted.rows(page.Evidence(rows(of)))
    assert found[7][3] == PARTLY and "open (unlike) 1" in found[7][2], "different from orthogonal, and one is open"

    def mixed(study, start, task, run):
        one = as_predicted(study, start, task, run)
        lost = start == "0.95 I" and task == "go_nogo" and run % 2
        return one | ({"left": USUAL["left"] | {"others": 0.1}} if lost else {})

    found = page.predicted.rows(page.Evidence(rows(mixed)))
    assert found[0][3] == WRONG and "self-connections 8, mixed 1" in found[0][2]


def test_too_few_networks_decide_nothing(page, made):
    few = rows(lambda *_: {"gain": 0.2})
    found = outcomes(page, few)
    assert found == [*[OPEN] * 5, RIGHT, *[OPEN] * 3], "the sixth is about first weights, and counts all networks"
    seven = rows(as_predicted, runs=7)
    found = outcomes(page, seven)
    assert [found[k] for k in (0, 2, 7)] == [RIGHT] * 3, "classes need five networks"
    assert found[1] == PARTLY and [found[k] for k in (3, 4, 5, 6, 8)] == [OPEN] * 5, "means need eight runs"
    nothing = part_of(made, lambda table: table["run"] < 0)
    assert outcomes(page, nothing) == [OPEN] * 9


def test_the_page_counts_its_predictions(page):
    whole = page.compose(rows(as_predicted))
    assert "9 right, 0 wrong, 0 in part, 0 not decided" in whole
    assert [cells[-1] for cells in table_below(whole, "Predictions")] == [RIGHT] * 9


# The shipped page


def test_the_page_says_what_its_rows_say():
    written = (ROOT / "docs" / "dynamics.md").read_text(encoding="utf-8")
    made = script("docs/make_dynamics_page.py")
    assert script("docs/pictures.py").described(made.compose(), made.figures()) == written


def test_the_page_shows_its_figures():
    written = (ROOT / "docs" / "dynamics.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\]\((dynamics_\w+\.png)\)", written))
    assert len(names) == 6 and all((ROOT / "docs" / name).exists() for name in names)


def test_shipped_rows_are_of_the_three_tasks():
    shipped = verdict.load_dynamics()
    assert set(shipped.networks["task"]) == set(TASKS)


def told(row) -> str:
    return f"{row['difference']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def test_readme_and_notebook_say_what_the_rows_say():
    """The figures in their sentences, which no code writes."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    notebook = (ROOT / "notebooks" / "source" / "15_inside_a_network.ipynb").read_text(encoding="utf-8")
    shipped = verdict.load_dynamics()
    table = verdict.scores(shipped)
    learned = table[table["learns"]]
    fates = learned["how"].value_counts()
    left = verdict.of_learners(shipped, verdict.values_of(shipped, "difference left", "1"))
    assert (len(learned), fates["unbounded"], fates["attractors"], (left > 1).sum()) == (458, 427, 2, 447)
    for text in (readme, notebook):
        assert all(number in text for number in ("458", "427", "447"))
    where = learned.groupby(level=["study", "start"])["where"].value_counts().unstack(fill_value=0)
    free, priced = where.loc[FREE], where.loc[PENALTY]
    assert [free.loc[start, "both"] for start in ("functional", "diagonal alone", "0.95 I")] == [34, 34, 33]
    assert (free.loc["orthogonal", "others"], free.loc["orthogonal"].sum()) == (24, 35)
    assert "34 of 36, 34 of 35 and 33 of 36 networks" in notebook and "24 of 35 need the *others* only" in notebook
    assert (priced.loc["0.95 I", "self-connections"], priced.loc["0.95 I"].sum()) == (25, 36)
    assert "orthogonal" not in priced.index and "alone in 25 of 36 networks" in notebook
    found = verdict.answers(shipped).set_index(["number", "against"])
    assert told(found.loc[(verdict.LOSSES["diagonal"], "orthogonal")]) == "0.69 [0.57, 0.79]"
    for number in (verdict.LOSSES["diagonal"], verdict.ADVANTAGE):
        assert found.loc[(number, "diagonal alone"), "says"] == "equivalent"
    assert "0.69 [0.57, 0.79] more" in readme and "0.69 [0.57, 0.79] more" in notebook
    pairs = verdict.mechanisms(shipped)
    says = pairs[(pairs["study"] == FREE) & (pairs["first"] == "functional")].groupby("second")["says"].agg(list)
    assert says["diagonal alone"] == ["same"] * 3 and says["orthogonal"] == ["open", "open", "different"]
    learning = learned.loc[FREE].groupby(level="start").size().loc[lambda size: size > 30].index
    assert len(learning) == 5 and "within ±0.025, before and after training" in notebook
    for when in (FIRST, TRAINED):
        r = verdict.of_learners(shipped, verdict.values_of(shipped, "mantel r", "memory end", when)).loc[FREE]
        assert r.groupby(level="start").mean().loc[learning].abs().max() < 0.025
    judged = [
        row[-1]
        for row in script("docs/dynamics_predictions.py").predicted.rows(
            script("docs/make_dynamics_page.py").Evidence(shipped)
        )
    ]
    assert judged.count(RIGHT) == 1 and "nine predictions of the plan: one was right" in notebook
