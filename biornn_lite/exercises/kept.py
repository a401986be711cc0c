"""The file in which a learner's predictions are kept, on this computer and nowhere else."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..plumbing.files import written_atomically

FILE = "my_predictions.json"
"""Name of the file, in the folder of the notebooks; ``BIORNN_PREDICTIONS`` gives another path."""

LARGEST = 1_000_000
"""Largest size in bytes of a file that is read."""

LONGEST = 500
"""Largest number of letters of a question or an option that is read."""

MOST_OPTIONS, MOST_QUESTIONS = 20, 500
"""Largest numbers of options of a question, and of questions of a file, that are read."""


@dataclass(frozen=True)
class Kept:
    """What a learner predicted, and what came true.

    Attributes
    ----------
    at : str
        Where it was asked, such as ``"03, section 2"``.
    question : str
    options : tuple of str
    chosen : str
        The option that was chosen last.
    counted : str or None
        The option that was chosen when the outcome was first shown. A later choice does not change it.
    came_true : tuple of str or None
        The options that came true when the outcome was first shown; None before that. A later outcome, as of other
        seeds, does not change it.
    """

    at: str
    question: str
    options: tuple[str, ...]
    chosen: str
    counted: str | None = None
    came_true: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        texts = (self.at, self.question, *self.options)
        if not all(isinstance(text, str) and len(text) <= LONGEST for text in texts):
            raise InputError("a question or an option is not a text, or too long")
        if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):  # halves of a letter
            raise InputError("a question or an option holds what is no letter")
        if not 1 <= len(set(self.options)) == len(self.options) <= MOST_OPTIONS:
            raise InputError(f"the options of {self.question!r} are too many, or two are the same")
        if self.chosen not in self.options or self.counted not in (None, *self.options):
            raise InputError(f"the answer to {self.question!r} is none of its options")
        if not set(self.came_true or ()) <= set(self.options):
            raise InputError(f"what came true of {self.question!r} is none of its options")

    @property
    def notebook(self) -> str:
        """The number of the notebook, such as 03."""
        return self.at.partition(",")[0]

    @property
    def predicted(self) -> str:
        """The option that counts."""
        return self.counted or self.chosen

    @property
    def right(self) -> bool | None:
        """Whether the prediction came true; None before the outcome was shown."""
        return None if self.came_true is None else self.predicted in self.came_true

    @property
    def luck(self) -> float:
        """The probability that an option chosen at random came true."""
        return len(self.came_true or ()) / len(self.options)


@dataclass(frozen=True)
class Learner:
    """The predictions of one learner.

    Attributes
    ----------
    code : str
        Random letters in the place of a name. They tell two copies of one file from the files of two learners.
    predictions : mapping of str to Kept
        By question.
    """

    code: str
    predictions: Mapping[str, Kept]

    def with_prediction(self, kept: Kept) -> Learner:
        """Return the same learner with one prediction added or changed."""
        return replace(self, predictions={**self.predictions, kept.question: kept})


def file_of_predictions() -> Path:
    """Return the path of the learner's own file."""
    return Path(os.environ.get("BIORNN_PREDICTIONS") or FILE)


def read_predictions(path: str | Path | None = None) -> Learner:
    """Read a file of predictions; if the learner's own does not exist yet, return a learner without any.

    Parameters
    ----------
    path : str or Path, optional
        The learner's own file when left out.

    Raises
    ------
    InputError
        If the file cannot be read or does not hold predictions.
    """
    own = path is None
    path = file_of_predictions() if own else Path(path)
    if own and not path.exists():
        return Learner(secrets.token_hex(4), {})
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to read a pipe could take forever
            raise InputError("it is not a file")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise InputError(f"it is larger than {LARGEST:,} bytes")
        held = json.loads(text.decode())
        found = [_kept(**one) for one in held["predictions"]]
        if len(found) > MOST_QUESTIONS:
            raise InputError(f"it holds more than {MOST_QUESTIONS} predictions")
        return Learner(str(held["learner"])[:LONGEST], {kept.question: kept for kept in found})
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except InputError as error:
        raise InputError(f"{path}: {error}; move this file away to begin anew") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: is no file of predictions; move it away to begin anew") from None


def _kept(options: Sequence[str], came_true: Sequence[str] | None, **others: str | None) -> Kept:
    return Kept(options=tuple(options), came_true=None if came_true is None else tuple(came_true), **others)


def write_predictions(learner: Learner) -> None:
    """Write the learner's own file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    held = {"learner": learner.code, "predictions": [asdict(kept) for kept in learner.predictions.values()]}
    with written_atomically(file_of_predictions()) as temporary:
        temporary.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
