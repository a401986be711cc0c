"""Predictions: kept in a file, compared with what came true, summed up."""

import json
import os

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from test_figures_panels import parts_of

from biornn_lite.errors import InputError
from biornn_lite.exercises import (
    Prediction,
    class_predictions_panel,
    pool_predictions,
    predictions,
    sum_up_predictions,
)
from biornn_lite.exercises.class_predictions import class_histogram
from biornn_lite.exercises.kept import LARGEST, MOST_OPTIONS, file_of_predictions, read_predictions

QUESTION = "How many?"
OPTIONS = {"few": "Hardly any is needed.", "some": "It takes a few.", "many": "It takes them all."}


def asked(at="03, section 2", question=QUESTION, options=OPTIONS):
    prediction = Prediction(question, options, at=at)
    return prediction, parts_of(prediction.ask())["ToggleButtons"]


def test_an_answer_is_compared_with_what_came_true(capsys):
    prediction, choice = asked()
    assert prediction.answer is None
    prediction.reveal("there were 12.", prediction.by_size(12, [3, 10]))
    told = capsys.readouterr().out
    assert told.startswith("You predicted nothing yet.") and "12" not in told and not file_of_predictions().exists()
    choice.value = "some"
    prediction.reveal("there were 12.", prediction.by_size(12, [3, 10]))
    assert capsys.readouterr().out.splitlines() == [
        "You predicted: some ✗ It did not come true.",
        "What happened: there were 12.",
        "What each answer would have meant (✓ marks the answer, not its reason):",
        "  ✗ few: Hardly any is needed.",
        "  ✗ some: It takes a few.",
        "  ✓ many: It takes them all.",
    ]


def test_without_a_prediction_the_outcome_is_folded_away(monkeypatch):
    shown = []
    monkeypatch.setattr(predictions, "display", lambda page: shown.append(page.data))
    prediction, choice = asked(options={"few": "", "<b>many</b>": ""})
    prediction.reveal("there were 12 < 13.", prediction.by_size(12, [3]))
    assert len(shown) == 1 and shown[0].startswith("<details><summary>") and " open" not in shown[0]
    assert "there were 12 &lt; 13." in shown[0] and "✓ &lt;b&gt;many" in shown[0]
    choice.value = "few"
    prediction.reveal("there were 12 < 13.", prediction.by_size(12, [3]))
    assert len(shown) == 1


def test_the_choice_is_said_in_words():
    prediction, choice = asked(options={"few": "", "<b>many</b>": ""})
    status = prediction._status
    assert status.value == ""
    choice.value = "<b>many</b>"
    assert status.value == '<span role="status">You chose: &lt;b&gt;many&lt;/b&gt;</span>'
    again, _ = asked(options={"few": "", "<b>many</b>": ""})
    assert again._status.value == status.value


def test_an_answer_outlives_the_kernel_and_the_first_one_counts(capsys):
    _, choice = asked()
    choice.value = "some"
    again, choice = asked()  # as from another kernel: all that is left is the file
    assert again.answer == "some"
    choice.value = "few"
    again.reveal("there was 1.", again.by_size(1, [3, 10]))  # it had not been shown before, so `few` counts
    assert "few ✓ It came true" in capsys.readouterr().out
    choice.value = "many"
    again.reveal("there was 1.", again.by_size(1, [3, 10]))
    told = capsys.readouterr().out
    assert "few ✓ It came true" in told and "Later you chose: many. The first choice counts." in told
    kept = read_predictions().predictions[QUESTION]
    assert (kept.chosen, kept.counted, kept.right) == ("many", "few", True)


def test_the_first_outcome_counts(capsys):
    prediction, choice = asked()
    choice.value = "few"
    prediction.reveal("it was 1.", ("few",))
    capsys.readouterr()
    prediction.reveal("with other seeds it was 20.", ("many",))
    told = capsys.readouterr().out
    assert "few ✗ It did not come true" in told and "(At first came true: few. The first outcome counts.)" in told
    assert read_predictions().predictions[QUESTION].right
    prediction.reveal("it was 1.", ("few",))
    assert "At first" not in capsys.readouterr().out


def test_another_question_or_other_options_are_asked_anew():
    _, choice = asked()
    choice.value = "some"
    assert asked(question="And how many?")[0].answer is None
    assert asked(options={"some": "", "all": ""})[0].answer == "some"
    prediction, _ = asked(options={"none": "", "all": ""})
    assert prediction.answer is None
    prediction.reveal("all.", prediction.where([False, True]))  # leaves the old answer as it was
    assert read_predictions().predictions[QUESTION].options == (*OPTIONS,)


def test_what_came_true_follows_the_result():
    prediction, _ = asked()
    assert [prediction.by_size(value, [3, 10])[0] for value in (-1, 2.9, 3, 9.9, 10, 1e9)] == [
        "few", "few", "some", "some", "many", "many",
    ]  # fmt: skip
    assert prediction.by_size(float("nan"), [3, 10]) == (), "a network that diverged"
    assert prediction.where([True, False, True]) == ("few", "many")
    assert prediction.where([False] * 3) == ()
    for limits in ([3], [10, 3], [1, 2, 3]):
        with pytest.raises(InputError, match="in increasing order"):
            prediction.by_size(1, limits)
    with pytest.raises(InputError, match="1 values for 3 options"):
        prediction.where([True])
    with pytest.raises(InputError, match="'lots'"):
        prediction.reveal("lots", "lots")


def test_none_of_the_options_may_come_true(capsys):
    prediction, choice = asked()
    choice.value = "few"
    prediction.reveal("it was neither.", ())
    told = capsys.readouterr().out
    assert "; none came true):" in told and "✗ It did not come true" in told


def test_predictions_are_summed_up_beside_chance(capsys):
    sum_up_predictions("03")
    assert capsys.readouterr().out == (
        "In notebook 03, 0 of 0 predictions came true.\nIn the course so far, 0 of 0 predictions came true.\n"
    )
    for at, question, answer, true in (
        ("03, section 2", "a", "few", ("few",)),
        ("03, section 4", "b", "few", ("some", "many")),
        ("04, section 1", "c", "many", ("many",)),
    ):
        prediction, choice = asked(at, question)
        choice.value = answer
        prediction.reveal("so.", true)
    asked("04, section 2", "not shown yet")[1].value = "few"
    capsys.readouterr()
    sum_up_predictions("03")
    told = capsys.readouterr().out.splitlines()
    assert told[:4] == [
        "✓ 03, section 2: few",
        "✗ 03, section 4: few",
        "In notebook 03, 1 of 2 predictions came true; chance alone would give 1.0 on average.",
        "In the course so far, 2 of 3 predictions came true; chance alone would give 1.3 on average.",
    ]
    assert "on this computer only" in " ".join(told[4:])


def test_predictions_of_one_section_are_told_apart_by_their_questions(capsys):
    for at, question in (
        ("03, section 2", "How many?"),
        ("03, section 2", "Of the pairs that are joined by at least one edge, which share\nis within a community?"),
        ("03, section 4", "Why?"),
    ):
        prediction, choice = asked(at, question)
        choice.value = "few"
        prediction.reveal("so.", ("few",))
    capsys.readouterr()
    sum_up_predictions("03")
    assert capsys.readouterr().out.splitlines()[:3] == [
        '✓ 03, section 2, "How many?": few',
        '✓ 03, section 2, "Of the pairs that are joined by at least …": few',
        "✓ 03, section 4: few",
    ]


def test_the_file_holds_no_name_and_is_a_plain_text():
    asked()[1].value = "few"
    held = json.loads(file_of_predictions().read_text(encoding="utf-8"))
    assert set(held) == {"learner", "predictions"} and len(held["learner"]) == 8
    code = held["learner"]
    asked(question="another")[1].value = "many"
    held = json.loads(file_of_predictions().read_text(encoding="utf-8"))
    assert held["learner"] == code and len(held["predictions"]) == 2


def one(**changes):
    """A file of one prediction in which something is wrong."""
    kept = {"at": "03", "question": "q", "options": ["a"], "chosen": "a", "counted": None, "came_true": None}
    return json.dumps({"learner": "x", "predictions": [kept | changes]}).encode()


BROKEN = {
    "no JSON": b"{",
    "another file": b"[1, 2]",
    "not text": b"\xff\xfe",
    "nested too deep": b"[" * 100_000,
    "a foreign answer": b'{"learner": "x", "predictions": [{"at": "03", "question": "q", "options": ["a"], '
    b'"chosen": "b", "counted": null, "came_true": null}]}',
    "a number": b'{"learner": "x", "predictions": [{"at": 3, "question": "q", "options": ["a"], '
    b'"chosen": "a", "counted": null, "came_true": null}]}',
    "too large": b" " * (LARGEST + 1),
    "half a letter": one(question="\ud800"),
    "two options alike": one(options=["a", "a"]),
    "too many options": one(options=["a", *map(str, range(MOST_OPTIONS))]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_left_alone_and_named(what, capsys):
    path = file_of_predictions()
    path.write_bytes(BROKEN[what])
    prediction = Prediction(QUESTION, OPTIONS, at="03")
    parts = parts_of(prediction.ask())
    parts["ToggleButtons"].value = "few"
    prediction.reveal("few.", ("few",))  # goes on without the file
    assert "few ✓ It came true" in capsys.readouterr().out
    sum_up_predictions("03")
    told = capsys.readouterr().out
    assert told.startswith("✗ ") and "anew" in told and str(path) in told
    assert path.read_bytes() == BROKEN[what]


def test_a_folder_that_may_not_be_written_to_loses_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BIORNN_PREDICTIONS", str(tmp_path / "no such folder" / "file.json"))
    prediction, choice = asked()
    choice.value = "few"
    prediction.reveal("few.", ("few",))
    assert "few ✓ It came true" in capsys.readouterr().out
    assert "⚠" in prediction._status.value
    choice.value = "many"
    prediction.reveal("few.", ("few",))
    told = capsys.readouterr().out
    assert "few ✓ It came true" in told and "Later you chose: many. The first choice counts." in told


# A class


@pytest.fixture
def handed_in(tmp_path, monkeypatch):
    """Files of four learners, one of them twice, and one that is none."""
    folder = tmp_path / "class"
    for number, (answer, seen) in enumerate((("few", False), ("few", True), ("many", True), ("some", True))):
        monkeypatch.setenv("BIORNN_PREDICTIONS", str(folder / f"learner {number}" / "my_predictions.json"))
        file_of_predictions().parent.mkdir(parents=True)
        prediction, choice = asked()
        choice.value = answer
        if seen:
            prediction.reveal("many.", ("many",))
        asked("04, section 1", "And $x$ <b>then</b>?")[1].value = "few"
    (folder / "learner 0 (2).json").write_bytes((folder / "learner 0" / "my_predictions.json").read_bytes())
    (folder / "notes.json").write_text("[]")
    return folder


def test_a_class_is_pooled(handed_in):
    predictions, unread = pool_predictions(handed_in)
    assert len(unread) == 1 and "notes.json" in unread[0]
    assert predictions["learner"].nunique() == 4 and len(predictions) == 8
    mine = predictions[predictions["question"] == QUESTION]
    assert mine["predicted"].value_counts().to_dict() == {"few": 2, "many": 1, "some": 1}
    assert mine["came_true"].isna().sum() == 1 and set(mine["came_true"].dropna()) == {("many",)}
    some, _ = pool_predictions([handed_in / "learner 1" / "my_predictions.json", handed_in / "learner 2"])
    assert some["learner"].nunique() == 2


def test_of_two_copies_the_newer_counts(handed_in, monkeypatch):
    old = handed_in / "learner 0 (2).json"
    monkeypatch.setenv("BIORNN_PREDICTIONS", str(handed_in / "learner 0" / "my_predictions.json"))
    asked()[1].value = "many"
    for changed, expected in ((1, "many"), (2e10, "few")):
        os.utime(old, (changed, changed))
        predictions, _ = pool_predictions(handed_in)
        mine = predictions[
            (predictions["learner"] == read_predictions().code) & (predictions["question"] == QUESTION)
        ]
        assert mine["predicted"].tolist() == [expected]


def test_one_file_stops_nobody(handed_in):
    """Neither a link that leads nowhere nor a pipe, whose reading would wait forever."""
    (handed_in / "link.json").symlink_to(handed_in / "nowhere")
    os.mkfifo(handed_in / "pipe.json")
    predictions, unread = pool_predictions(handed_in)
    assert predictions["learner"].nunique() == 4
    assert {name for name in ("link", "pipe", "notes") if any(f"{name}.json" in told for told in unread)} == {
        "link", "pipe", "notes",
    }  # fmt: skip


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        pool_predictions(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no file that ends in \.json"):
        pool_predictions([tmp_path])
    with pytest.raises(InputError, match="nobody"):
        class_histogram(pd.DataFrame(columns=["question"]), "Why?", plt.figure().gca())


def test_the_histogram_is_shown_before_the_outcome_and_marks_it_on_demand(handed_in):
    predictions, _ = pool_predictions(handed_in)
    before, after = (class_histogram(predictions, QUESTION, plt.figure().gca(), reveal) for reveal in (False, True))
    assert [bar.get_width() for bar in before.patches] == [2, 1, 1]
    assert [label.get_text() for label in before.get_yticklabels()] == [*OPTIONS]
    assert len({bar.get_facecolor() for bar in before.patches}) == 1
    assert [label.get_text() for label in after.get_yticklabels()] == ["few", "some", "✓ many"]
    assert before.get_xlabel() == "learners, of 4" and "came true" in after.get_xlabel()


def test_the_panel_of_a_class_follows_its_question(handed_in):
    parts = parts_of(class_predictions_panel(handed_in))
    picture = parts["Picture"]
    before = picture.value
    parts["show what came true"].value = True
    assert picture.value != before
    before = picture.value
    parts["question"].value = "And $x$ <b>then</b>?"
    assert picture.value != before and "<b>then" not in picture.value


def test_a_class_without_predictions_is_told(tmp_path):
    (tmp_path / "empty.json").write_text('{"learner": "a", "predictions": []}')
    with pytest.raises(InputError, match="no prediction yet"):
        class_predictions_panel(tmp_path)
