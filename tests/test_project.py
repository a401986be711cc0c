"""The project around the library: its lists agree, it works away from the clone, its texts keep promises."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, script

import biornn_lite
from biornn_lite.study import check_task
from biornn_lite.tasks import draw_trials

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
    "torch": "pytorch-cpu",
    "playwright": "playwright-python",
}


def lines_of(extra):
    """What an extra needs, with what the extras need that it names."""
    for line in PYPROJECT["project"]["optional-dependencies"][extra]:
        named = re.fullmatch(r"biornn_lite\[(\w+)\]", line)
        yield from lines_of(named[1]) if named else [line]


def test_conda_and_pip_install_the_same():
    lines = [*PYPROJECT["project"]["dependencies"], *lines_of("lab"), *lines_of("test")]
    bounds = {re.match(r"[\w-]+", line)[0]: line for line in lines}  # an extra's bound is the higher one
    pip = {re.sub(r"^[\w-]+", lambda m: CONDA_NAMES.get(m[0], m[0]), line) for line in bounds.values()}
    pip.add("python" + PYPROJECT["project"]["requires-python"])
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(line["pip"] for line in conda if isinstance(line, dict))  # what conda-forge does not have
    assert {line for line in (*conda, *by_pip) if isinstance(line, str)} - {"pip", "--editable ."} == pip


def test_pip_takes_the_lines_that_conda_hands_to_it(tmp_path):
    """Conda writes them into a file of requirements, which allows few of pip's options."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    lines = next(line["pip"] for line in conda if isinstance(line, dict))
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "-r", str(tmp_path / "lines.txt")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_dependencies_have_lower_bounds_and_no_upper_ones():
    for line in [*PYPROJECT["project"]["dependencies"], *lines_of("lab")]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line


def test_learners_can_export_without_a_network():
    """`make lab` and environment.yml install what exporting needs."""
    assert set(lines_of("export")) < set(lines_of("lab"))
    assert ".[lab]" in (ROOT / "Makefile").read_text() and '".[lab]"' in (ROOT / "README.md").read_text()


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PYPROJECT["project"]["version"] == biornn_lite.__version__ == citation["version"]
    assert f", version {biornn_lite.__version__}.\n" in (ROOT / "README.md").read_text()
    assert "2606.14975" in json.dumps(citation["references"])


def test_it_works_from_a_wheel_away_from_the_clone(tmp_path):
    """Without its dependencies, which this environment lends; the package itself comes from the wheel."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import biornn_lite; from biornn_lite.datasets import load_field, released_fields\n"
        "from biornn_lite.replication import load_replication, published_table\n"
        "print(biornn_lite.__file__, load_field('synthetic_column').neurons, len(released_fields()), "
        "len(load_replication('6_6_2').networks), len(published_table()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path / "site" / "biornn_lite" / "__init__.py"), "96", "56", "660", "165"]


@pytest.mark.parametrize("what", [["check", "."], ["format", "--check", "."]])
def test_style(what):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *what], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def public_functions():
    for path in sorted((ROOT / "biornn_lite").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield path, node


def test_functions_are_short_enough_to_see_whole():
    long = {f"{path.name}:{node.name}" for path, node in public_functions() if node.end_lineno - node.lineno > 110}
    assert not long


def test_the_readme_names_what_there_is():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", readme):
        assert re.search(rf"^(\w+ )*{target}( \w+)*:", makefile, re.M), target
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        assert (ROOT / link).exists(), link
    shown = ""
    for command in ("replicate", "fetch", "export"):
        call = [sys.executable, "-m", "biornn_lite", command, "--help"]
        shown += subprocess.run(call, capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"(--[a-z]+)", readme)):
        assert option in shown, option


def test_the_readme_lists_the_modules_to_read():
    """Few enough for one sitting, each once; the folders are named beside them and hold no further ones."""
    readme = (ROOT / "README.md").read_text()
    listed = re.findall(r"\]\(biornn_lite/(\w+)\.py\)", readme)
    assert 10 <= len(set(listed)) == len(listed) <= 17
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "biornn_lite").rglob("*.py")}
    assert folders - {"biornn_lite"} == set(re.findall(r"\]\((biornn_lite/\w+)\)", readme))


def python_of(page: str) -> str:
    """All Python of a page but that for a cluster, in a row."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    return "\n".join(block for block in blocks if "distributed" not in block)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "shorter"),
    [
        ("README.md", [("runs=10", "runs=2"), ("epochs=5", "epochs=1, batches=4")]),
        ("docs/own_experiment.md", []),
    ],
)
def test_the_code_of_the_pages_runs(page, shorter, tmp_path):
    """In a script, as a reader would run it: functions and classes of the script reach the processes of a study."""
    code = python_of(page)
    for long, short in shorter:
        assert long in code
        code = code.replace(long, short)
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", "mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_trials_of_an_environment_become_a_task(monkeypatch):
    """With an environment that has what neurogym's have: trials of several lengths, and the answer at each step."""

    class Environment:
        def seed(self, seed):
            self.rng = np.random.RandomState(seed)

        def new_trial(self):
            steps, answer = self.rng.randint(20, 45), self.rng.randint(1, 3)
            self.ob = np.full((steps, 3), answer, dtype=np.float32)
            self.gt = np.array([0] * (steps - 1) + [answer])

    def make(name, dt):
        return types.SimpleNamespace(unwrapped=Environment())

    monkeypatch.setitem(sys.modules, "neurogym", types.SimpleNamespace(make=make))
    code = python_of("docs/own_experiment.md")
    names = {"__name__": "mine"}
    monkeypatch.setitem(sys.modules, "mine", types.ModuleType("mine"))
    exec(code[: code.index("def squared")], names)
    decision = names["decision"]
    check_task(decision)
    inputs, labels = draw_trials(decision, 50, np.random.default_rng(0))
    assert (inputs[:, -1] == labels[:, None]).all() and set(labels) == {1, 2}
    lengths = (inputs[:, :, 0] > 0).sum(axis=1)
    assert lengths.min() >= 20 and len(set(lengths)) > 5
    assert all((row[-n:] > 0).all() for row, n in zip(inputs[:, :, 0], lengths, strict=True)), "zeros at the front"


def test_the_repository_carries_no_real_data():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [ROOT / name for name in tracked.stdout.split()] or list(ROOT.glob("data/*"))
    assert not [f for f in files if re.search(r"(positions|spikes|connectome|root_ids)_\d_\d_\d", f.name)]
    assert all(f.stat().st_size < 1_000_000 for f in files if Path(f).exists())


def test_pictures_of_the_readme_say_what_they_show():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    made = script("docs/make_readme_picture.py")
    assert script("docs/pictures.py").described(made.LINE, made.figures()) in readme
    page = (ROOT / "docs" / "replication.md").read_text(encoding="utf-8")
    line = re.search(r"^!\[.*\]\(replication\.png\)$", page, re.M)[0]
    assert line.replace("(replication.png)", "(docs/replication.png)") in readme
    assert readme.index("docs/replication.png") > readme.index("## What it found")


def test_the_readme_has_the_minutes_of_each_notebook():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\]\(notebooks/(\w+)\.ipynb\) \| (\d+) \|", readme))
    sources = sorted((ROOT / "notebooks" / "source").glob("*.ipynb"))
    in_notebooks = {
        path.stem: re.search(r"\*\*Time\*\* about (\d+) minutes", path.read_text(encoding="utf-8"))[1]
        for path in sources
    }
    assert told == in_notebooks
