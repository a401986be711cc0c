"""Exercises as nbgrader takes them: one source, learners' notebooks without solutions, solved ones that pass."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "notebooks"))
from editions import build, number, solved, sources, student

SOURCES = sources()
names = pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])


def exercises_of(notebook) -> list[tuple]:
    """Pairs of cells: where a learner answers, and what checks it."""
    marked = [(k, cell) for k, cell in enumerate(notebook.cells) if "nbgrader" in cell.metadata]
    answers, checks = marked[::2], marked[1::2]
    for (k, answer), (after, check) in zip(answers, checks, strict=True):
        assert after == k + 1 and answer.metadata.nbgrader.solution and check.metadata.nbgrader.grade
        assert check.metadata.nbgrader.grade_id == answer.metadata.nbgrader.grade_id + "-check"
    return [(answer, check) for (_, answer), (_, check) in zip(answers, checks, strict=True)]


@names
def test_a_learners_notebook_is_what_its_source_makes(path):
    made, committed = build(path, student), nbformat.read(ROOT / "notebooks" / path.name, as_version=4)
    for notebook in (made, committed):
        assert not re.search("SOLUTION|HIDDEN", "".join(cell.source for cell in notebook.cells))
    assert [(c.id, c.cell_type, c.source) for c in made.cells] == [
        (c.id, c.cell_type, c.source) for c in committed.cells
    ], f"run python notebooks/run_all.py {path.name}"


@names
def test_at_least_three_exercises_with_points_a_stub_and_a_solution(path):
    exercises = exercises_of(nbformat.read(path, as_version=4))
    assert len(exercises) >= 3
    for answer, check in exercises:
        assert answer.metadata.nbgrader.grade_id.startswith(number(path) + "-")
        assert check.metadata.nbgrader.points >= 1
        stub = student(answer.source)
        name = re.findall(r"^(\w+) = None", stub, re.M)[-1]
        assert re.search(rf"^(def )?{name}\b", solved(answer.source)[len(stub) :], re.M), "the solution answers"
        assert re.search(rf"^right = check_\w+\({name}\b.*\)$", student(check.source), re.M)
        assert check.source.endswith("### BEGIN HIDDEN TESTS\nassert right\n### END HIDDEN TESTS")


def packed_by(project: Path, out: Path, **environment: str) -> Path:
    """Make a handout by a project's own command."""
    make = [sys.executable, str(project / "notebooks" / "editions.py"), "handout", str(out)]
    subprocess.run(make, check=True, capture_output=True, env=os.environ | environment)
    return out


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """The folder that a learner finds in a handout."""
    folder = tmp_path_factory.mktemp("handed_out")
    shutil.unpack_archive(packed_by(ROOT, folder / "handout.zip"), folder)
    return folder / "biornn_lite"


def test_a_handout_has_what_learners_need_and_no_answers(handed_out):
    assert not re.search("BEGIN (SOLUTION|HIDDEN)", "".join(p.read_text() for p in handed_out.rglob("*.ipynb")))
    assert not [*handed_out.rglob("source"), *handed_out.rglob("INSTRUCTOR.md"), *handed_out.glob("tests")]
    for path in SOURCES:
        notebook = nbformat.read(handed_out / "notebooks" / path.name, as_version=4)
        assert not any(cell.get("outputs") for cell in notebook.cells)
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", "".join(cell.source + "\n" for cell in notebook.cells)):
            assert (handed_out / "notebooks" / target).exists(), target
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--quiet", f"{handed_out}[lab]"]
    subprocess.run(install, check=True)


def test_a_handouts_pages_name_what_it_holds(handed_out):
    for page in handed_out.rglob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page, link)
    readme = (handed_out / "README.md").read_text(encoding="utf-8")
    assert not re.search("INSTRUCTOR|editions|tests/|<!-- clone", readme) and "## The library" in readme
    makefile = (handed_out / "Makefile").read_text(encoding="utf-8")
    called = re.findall(r"\bpython (\w\S+\.py)", readme)
    targets = re.findall(r"\bmake (\w+)", readme)
    assert called and targets
    for target in targets:
        rule = re.search(rf"^(?:[\w-]+ )*{target}(?: [\w-]+)*:.*\n((?:\t.*\n)+)", makefile, re.M)
        assert rule, target
        called += re.findall(r"\b(?:notebooks|tests|docs|data)\b[\w/.]*", rule[1])
    assert not [name for name in called if not (handed_out / name).exists()]


@pytest.fixture
def downloaded(tmp_path):
    """The project as a ZIP download has it, without git, after some use."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("needs a clone made by git")
    project = tmp_path / "project"
    for name in tracked.split("\0")[:-1]:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    for name in (
        "build/a", "solutions/1.ipynb", "mine/1.ipynb", "env/pyvenv.cfg", "env/a.py", "docs/__pycache__/a", "docs/.b"
    ):  # fmt: skip
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).touch()
    return project


@pytest.mark.parametrize("environment", [{}, {"PATH": ""}], ids=["no clone", "no git"])
def test_a_downloaded_project_packs_what_a_clone_packs(handed_out, downloaded, environment):
    out = downloaded / "again.zip"
    out.touch()  # what is packed is not part of itself
    ours, theirs = handed_out.parent / "handout.zip", packed_by(downloaded, out, **environment)
    assert sorted(zipfile.ZipFile(theirs).namelist()) == sorted(zipfile.ZipFile(ours).namelist())


def test_a_project_that_cannot_tell_its_files_says_so(downloaded, tmp_path):
    (downloaded / ".gitignore").unlink()
    with pytest.raises(subprocess.CalledProcessError) as error:
        packed_by(downloaded, tmp_path / "handout.zip")
    assert re.fullmatch(r"handout: .* is no clone and has no \.gitignore, .*\n", error.value.stderr.decode())
    assert not (tmp_path / "handout.zip").exists()


def test_names_of_exercises_are_unique():
    ids = [
        cell.metadata.nbgrader.grade_id
        for path in SOURCES
        for pair in exercises_of(nbformat.read(path, 4))
        for cell in pair
    ]
    assert len(ids) == len(set(ids)) > 70


def test_commands_write_both_sets(tmp_path):
    for what, kept in (("student", False), ("solutions", True)):
        subprocess.run([sys.executable, ROOT / "notebooks" / "editions.py", what, tmp_path / what], check=True)
        written = sorted((tmp_path / what).glob("*.ipynb"))
        assert [path.name for path in written] == [path.name for path in SOURCES]
        text = nbformat.read(written[0], 4).cells
        assert ("4 / 6" in "".join(cell.source for cell in text)) is kept


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A copy of the project that was told where on GitHub it is."""
    root = tmp_path_factory.mktemp("published")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copy(ROOT / "README.md", root)
    command = [sys.executable, root / "notebooks" / "editions.py", "online"]
    unknown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unknown.returncode == 2 and "expected https://github.com/owner/name" in unknown.stderr
    subprocess.run([*command, "--repository", "https://github.com/owner/a.name.git"], check=True)
    return root


def test_notebooks_for_colab_install_the_library_and_link_to_each_other(published):
    for path in SOURCES:
        first, *rest = nbformat.read(published / "online" / path.name, as_version=4).cells
        assert first.source == '%pip install --quiet "biornn_lite[export] @ git+https://github.com/owner/a.name@main"'
        for cell, ours in zip(rest, build(path, student).cells, strict=True):
            assert cell.cell_type == "markdown" or cell.source == ours.source
            for target in re.findall(r"\]\(([^)#]+)", cell.source) if cell.cell_type == "markdown" else ():
                assert target.startswith("https://")
                here = re.fullmatch(r"https://[\w./]+/owner/a.name/blob/main/(.+)", target)
                assert not here or (published / here[1]).exists() or (ROOT / here[1]).exists(), target


def test_the_readme_of_a_published_copy_opens_the_course_online(published):
    readme = (published / "README.md").read_text(encoding="utf-8")
    begin = "mybinder.org/v2/gh/owner/a.name/main?urlpath=lab/tree/notebooks/00_start_here.ipynb"
    assert begin in readme and "does not know its address" not in readme
    on_colab = re.findall(r"colab\.research\.google\.com/github/owner/a\.name/blob/main/(online/\w+\.ipynb)", readme)
    assert [(published / name).is_file() for name in on_colab] == [True] * len(SOURCES)


def test_what_colab_installs_can_be_installed(published):
    """From this clone in place of GitHub; nothing is kept."""
    here = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if here.returncode:
        pytest.skip("needs a clone made by git")
    cell = nbformat.read(published / "online" / SOURCES[0].name, as_version=4).cells[0].source
    wanted = re.search(r'"(.+)"', cell)[1].replace(
        "https://github.com/owner/a.name@main", f"file://{ROOT}@{here.stdout.strip()}"
    )
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--quiet", "--report=-", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [found["metadata"]["name"] for found in json.loads(done.stdout)["install"]] == ["biornn_lite"]


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    """nbgrader on a course of all sources, released."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "notebooks" / "source", root / "source" / "course")
    config = PyFileConfigLoader("nbgrader_config.py", str(root / "source" / "course")).load_config()
    config.CourseDirectory.root = str(root)
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader calls alembic, which lies beside Python.
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        api = NbGraderAPI(config=config)
        released = api.generate_assignment("course")
        assert released["success"], released["log"]
        yield root, api


def test_nbgrader_releases_the_learners_notebooks(grader):
    root, _ = grader
    for path in SOURCES:
        theirs = nbformat.read(root / "release" / "course" / path.name, as_version=4)
        ours = build(path, student)
        assert [c.source.rstrip() for c in theirs.cells] == [c.source.rstrip() for c in ours.cells]


@names
def test_a_stub_fails_its_check(path):
    """As the learners' notebooks were run: each check says that there is no answer, and then its cell is no pass."""
    for _, check in exercises_of(nbformat.read(ROOT / "notebooks" / path.name, as_version=4)):
        (said,) = check.outputs
        assert said.text.startswith("… not answered yet")


def points(grader, who: str, paths: list[Path], answered: bool) -> dict[str, tuple[float, float]]:
    """Hand in released notebooks, answered or as they are, and have nbgrader grade them: points, of how many."""
    root, api = grader
    folder = root / "submitted" / who / "course"
    folder.mkdir(parents=True)
    for path in paths:
        notebook = nbformat.read(root / "release" / "course" / path.name, as_version=4)
        for cell, answer in zip(notebook.cells, build(path, solved).cells, strict=True):
            if answered and cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = answer.source
        nbformat.write(notebook, folder / path.name)
    done = api.autograde("course", who)
    assert done["success"], done["log"]
    with api.gradebook as book:
        graded = book.find_submission("course", who).notebooks
        return {n.name: (n.score, n.max_score) for n in graded if n.name in {path.stem for path in paths}}


# nbgrader's own way with its database
nbgrader_warns = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.mark.slow
@nbgrader_warns
def test_nbgrader_gives_all_points_for_the_solutions(grader):
    scores = points(grader, "solver", SOURCES, answered=True)
    assert len(scores) == len(SOURCES)
    for name, (score, most) in scores.items():
        assert score == most >= 3, name


@pytest.mark.slow
@nbgrader_warns
def test_nbgrader_gives_no_point_for_stubs(grader):
    """On two notebooks that are quickly run; test_a_stub_fails_its_check looks at all."""
    two = [path for path in SOURCES if path.stem in ("03_functional_weights", "05_communicability")]
    assert [score for score, _ in points(grader, "beginner", two, answered=False).values()] == [0, 0]
