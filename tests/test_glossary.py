"""The glossary: sorted, true to where its terms are used first, and linked from every notebook.

The rule: a notebook names, in the line *New words* of its first cell, exactly the terms of the glossary that it uses
first, each linked to its entry.

What the rule cannot see: words that ought to be in the glossary and are not; words in code, in figures and in what a
check prints; a term written in another form than its own or its plural; and whether a word is meant in the sense of
the glossary (those known to differ stand in :data:`OTHER_SENSE`).
"""

import re
import sys

import nbformat
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "notebooks"))
from editions import number, sources

OTHER_SENSE = {"state": {"00"}, "null": {"01"}, "gain": {"00", "03", "09"}}
"""Notebooks that use a word before its first notebook, and mean something else by it."""

ENTRY = re.compile(r"^## (.+)\n\n(.+) First in \[(\w+)\]\((\w+\.ipynb)\)\.$", re.M)
TEXT = (ROOT / "notebooks" / "GLOSSARY.md").read_text(encoding="utf-8")
ENTRIES = {term: (told, first, name) for term, told, first, name in ENTRY.findall(TEXT)}
NEW = "**New words**"


def first_cell(path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def words_line(path) -> str:
    (line,) = (line for line in first_cell(path).splitlines() if line.startswith(NEW))
    return line


def prose(path) -> str:
    """What a notebook says: without code, addresses, titles of papers and the line of new words."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\]\([^)]*\)", " ", text)
    return re.sub(r"(?m)^\*\*(New words\*\*|Further reading\.\*\*).*$", "", text)


def mentions(term: str, text: str) -> bool:
    """Say whether a text has a term, in any case, or its plural."""
    stem = re.escape(term[:-1]) + "(y|ies)" if term.endswith("y") else re.escape(term) + "(e?s)?"
    return re.search(rf"(?<![\w-]){stem}(?![\w-])", text, re.I) is not None


def anchor(term: str) -> str:
    """Return the name that GitHub and the book give to a heading."""
    return re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-")


PROSE = {number(path): prose(path) for path in sources()}
names = pytest.mark.parametrize("path", sources(), ids=[path.stem for path in sources()])


def test_terms_are_mentioned_by_whole_words():
    assert mentions("batch", "two batches") and mentions("community", "Communities") and mentions("loss", "a loss,")
    assert not mentions("entropy", "cross-entropy") and not mentions("unit", "unity") and not mentions("field", "")


def test_every_entry_is_read_and_terms_are_sorted_and_differ():
    assert TEXT.count("\n## ") == len(ENTRIES) > 60
    assert list(ENTRIES) == sorted(ENTRIES, key=str.casefold)
    assert len({anchor(term) for term in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("term", ENTRIES)
def test_a_link_to_an_entry_jumps_in_jupyterlab_too(term):
    """JupyterLab keeps capitals and apostrophes in the name of a heading; GitHub and the book do not."""
    place = f'<a id="{anchor(term)}"></a>\n\n## {term}\n'
    assert (place in TEXT) == (anchor(term) != term.replace(" ", "-"))


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_is_one_or_two_sentences(term):
    told, *_ = ENTRIES[term]
    sentences = len(re.findall(r"\.(?=\)? |\)?$)", told))
    assert 1 <= sentences <= 2 and told.endswith((".", ".)")) and len(told) < 260, told


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_is_used_in_its_first_notebook_and_not_before(term):
    _, first, name = ENTRIES[term]
    assert (ROOT / "notebooks" / "source" / name).exists() and name.startswith(f"{first}_")
    found = [which for which, text in PROSE.items() if mentions(term, text)]
    assert next(which for which in found if which not in OTHER_SENSE.get(term, ())) == first


def test_words_in_another_sense_are_there_and_are_used_before():
    for term, notebooks in OTHER_SENSE.items():
        assert all(which < ENTRIES[term][1] and mentions(term, PROSE[which]) for which in notebooks), term


@names
def test_a_notebook_links_the_words_that_it_uses_first(path):
    mine = [term for term, (_, first, _) in ENTRIES.items() if first == number(path)]
    line = words_line(path)
    assert "[glossary](GLOSSARY.md)" in line
    assert re.findall(r"\[([^]]+)\]\(GLOSSARY\.md#([\w-]+)\)", line) == [(term, anchor(term)) for term in mine]


@names
def test_a_learners_notebook_has_the_same_line(path):
    assert words_line(ROOT / "notebooks" / path.name) == words_line(path)
