"""The course as a site: it builds without a warning, no link leads nowhere, and no solution is in it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from conftest import CHROMIUM, ROOT

import biornn_lite

pytest.importorskip("sphinx_book_theme", reason="needs what builds the site: the extra book")
from bs4 import BeautifulSoup

sys.path.insert(0, str(ROOT / "notebooks"))
from editions import NUMBERED, SOLUTION, sources

NOTEBOOKS = sorted((ROOT / "notebooks").glob(NUMBERED))


def modules() -> Iterator[tuple[str, Path]]:
    """Names of all public modules, without the package, and their files."""
    for path in sorted((ROOT / "biornn_lite").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "biornn_lite").with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith("_"):
            yield name, path


def parsed(site: Path) -> dict[Path, BeautifulSoup]:
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]  # the theme's templates
    return {path: BeautifulSoup(path.read_text(), "html.parser") for path in paths}


def addresses(page: BeautifulSoup) -> Iterator[str]:
    """All that a page links to or loads."""
    for key in ("href", "src"):
        yield from (tag[key] for tag in page.find_all(attrs={key: True}))


def broken_links(pages: dict[Path, BeautifulSoup]) -> list[str]:
    """Links within the site, as page and address, that lead to no file or to no place in it."""
    anchors = {
        path: {tag[key] for key in ("id", "name") for tag in page.find_all(attrs={key: True})}
        for path, page in pages.items()
    }
    broken = []
    for path, page in pages.items():
        for address in addresses(page):
            link = urlsplit(address)
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path
            place = unquote(link.fragment)
            if not target.is_file() or (place and place not in anchors.get(target, ())):
                broken.append(f"{path.name}: {address}")
    return broken


def test_the_search_finds_broken_links(tmp_path):
    (tmp_path / "other.html").write_text('<h1 id="there"></h1>')
    good = '<a href="other.html#there"></a><a href="#here"></a><p id="here"><a href="https://else.where/x.html"></a>'
    bad = '<a href="other.html#gone"></a><a href="#gone"></a><img src="gone.png">'
    (tmp_path / "page.html").write_text(good + bad)
    assert broken_links(parsed(tmp_path)) == [
        f"page.html: {address}" for address in ("other.html#gone", "#gone", "gone.png")
    ]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[Path, BeautifulSoup]:
    """All pages of the site by their path."""
    out = tmp_path_factory.mktemp("site") / "book"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return parsed(out)


@pytest.fixture(scope="module")
def site(pages) -> Path:
    return next(path.parent for path in pages if path.name == "genindex.html")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_notebook_is_a_page_with_figures(pages, site, path):
    page = pages[site / "notebooks" / f"{path.stem}.html"]
    first = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
    assert page.h1.get_text().removesuffix("#") == first.removeprefix("# ")
    pictures = page.select(".cell_output img")
    assert len(pictures) > 1 and all(picture.get("alt") for picture in pictures)
    assert len(page.select(".cell_output details table")) > 0


@pytest.mark.slow
def test_no_link_leads_nowhere(pages):
    assert not broken_links(pages)


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(pages):
    for path, page in pages.items():
        for tag in page.find_all(["script", "link", "img", "iframe"]):
            address = tag.get("src") or tag.get("href") or ""
            assert not urlsplit(address).netloc, f"{path.name}: {address}"


@pytest.mark.slow
def test_every_formula_is_one(pages, site):
    """A formula in the text of a notebook, between dollars, is one in MathML on its page."""
    for path in NOTEBOOKS:
        prose = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]
        formulas = [found for text in prose for found in re.findall(r"(?s)\$\$.+?\$\$|\$.+?\$", text)]
        page = pages[site / "notebooks" / f"{path.stem}.html"]
        assert len(page.find_all("math")) == len(formulas), path.stem
        assert not page.select("math merror")


@pytest.mark.slow
def test_no_solution_is_in_the_site(pages, site):
    for path in site.rglob("*"):
        assert path.is_dir() or b"BEGIN SOLUTION" not in path.read_bytes(), path
    for source in sources():
        text = pages[site / "notebooks" / f"{source.stem}.html"].get_text()
        for cell in nbformat.read(source, as_version=4).cells:
            for solution in SOLUTION.findall(cell.source):
                assert solution.strip() not in text, solution


@pytest.mark.slow
def test_every_public_name_has_its_place_in_the_reference(pages, site):
    sections = {}
    for path, page in pages.items():
        if path.parent == site / "docs" / "api":
            sections |= {
                section.h2.get_text().removesuffix("#"): section for section in page.select("section > section")
            }
    listed = re.findall(r"\]\(biornn_lite/(\w+)\.py\)", (ROOT / "README.md").read_text())
    assert [name for name in sections if name in listed] == listed
    library = pages[site / "docs" / "api" / "library.html"]
    assert [section.h2.get_text().removesuffix("#") for section in library.select("section > section")] == listed
    doors = {link["href"].removeprefix("#") for link in library.select("section > p a.reference")}
    doors = {address.partition("#")[2] or address for address in doors}
    assert {address.rpartition(".")[2] for address in doors} >= set(biornn_lite.__all__)
    for module, path in modules():
        assert module in sections
        there = {tag["id"] for tag in (sections[module], *sections[module].find_all(id=True))}
        assert f"module-biornn_lite.{module}" in there
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert f"biornn_lite.{module}.{node.name}" in there
        assert not [name for name in there if name.startswith("biornn_lite.") and "._" in name]


# The way in leads on at once. Pages from docstrings are many times as long as others: beneath stands for all.
LEFT_OUT = ("index", "docs/api/library", "docs/api/more", "docs/api/notebooks", "genindex")
MEASURED = ("notebooks/00_start_here", "notebooks/07_training", "docs/own_experiment", "docs/api/beneath")
"""Pages whose contrast is measured, in both themes: it takes several seconds a page."""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the path")
def test_no_page_keeps_anybody_out(pages, site, page):
    barriers = pytest.importorskip("barriers")
    for path in pages:
        name = path.relative_to(site).with_suffix("").as_posix()
        if name in LEFT_OUT:
            continue
        for scheme in ("light", "dark") if name in MEASURED else ("light",):
            page.emulate_media(color_scheme=scheme)
            page.goto(path.as_uri())
            assert not barriers.faults(page, "The book", contrast=name in MEASURED), (name, scheme)
