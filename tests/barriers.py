"""What keeps people from a page: serious faults that axe-core finds, and controls beyond the edge of the page."""

import re

from axe_playwright_python.base import AXE_SCRIPT
from conftest import ROOT

TALL = 30_000
"""Height in pixels of a window in which a whole notebook is seen at once."""

LIST = ROOT / "docs" / "accessibility.md"
"""Its tables have the faults of other software, as rules of axe-core and selectors of CSS."""

# JupyterLab's page cuts off what is beyond it: axe takes that for hidden, and measures no contrast there.
FAULTS = """async ([within, known, rules]) => {
    const style = document.createElement('style');
    style.textContent = `body, .jp-LabShell { overflow: visible !important; min-height: 100vh }
        .jp-Cell { content-visibility: visible !important }`;
    document.head.append(style);
    const folded = [...document.querySelectorAll('details:not([open])')];
    folded.forEach(each => { each.open = true });
    try {
        const contrast = group => group.flatMap(({id, nodes}) => id === 'color-contrast' ? nodes : []).length;
        const run = await axe.run(within, {elementRef: true, selectors: false, rules});
        if (rules['color-contrast'].enabled && contrast(run.passes) <= contrast(run.incomplete)) return null;
        const isIn = ([rule, place], {id, node}) => rule === id && node.element.matches(place);
        const found = run.violations.flatMap(({id, nodes}) => nodes
            .filter(node => ['serious', 'critical'].includes(node.impact)).map(node => ({id, node})));
        const others = found.filter(fault => !known.some(entry => isIn(entry, fault)))
            .map(({id, node}) => `${id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`);
        return {others: [...new Set(others)], met: known.filter(entry => found.some(fault => isIn(entry, fault)))};
    } finally {
        folded.forEach(each => { each.open = false });
        style.remove();
    }
}"""

OUT_OF_REACH = """notebook => {
    const kinds = ':is(button, input, select, .noUi-handle, .widget-readout)';
    const controls = [...notebook.querySelectorAll(`.jp-OutputArea .jupyter-widgets ${kinds}`)];
    if (!controls.length) throw new Error('no control was looked at');
    const clipped = control => {
        const {left, right, width} = control.getBoundingClientRect();
        if (!width) return false;
        for (let around = control.parentElement; around; around = around.parentElement) {
            const edge = around.getBoundingClientRect();
            const cuts = around === notebook || getComputedStyle(around).overflowX !== 'visible';
            if (cuts && (left < edge.left - 1 || right > edge.right + 1)) return true;
            if (around === notebook) break;
        }
        return control.tagName === 'BUTTON' && control.scrollWidth > control.clientWidth + 1;  // ends in an ellipsis
    };
    return controls.filter(clipped).map(control => control.closest('.jupyter-widgets').textContent.slice(0, 80));
}"""


def known(section: str) -> list[tuple[str, str]]:
    """Rules and selectors in the table of a section of the list."""
    text = LIST.read_text(encoding="utf-8").partition(f"\n### {section}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \|", text, flags=re.MULTILINE)


def faults(page, section: str, within: str = "html", contrast: bool = False, met: set | None = None) -> list[str]:
    """Serious faults of a page that are not in the list; folded parts are looked at, too.

    To measure the contrast of all texts takes several seconds. The faults of the list that the page has are added to
    ``met``.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    size = page.viewport_size
    if contrast:  # axe cannot measure what is scrolled out of sight
        page.set_viewport_size({"width": size["width"], "height": TALL})
        page.wait_for_timeout(1000)
    try:
        for _ in range(10):
            found = page.evaluate(FAULTS, [within, known(section), {"color-contrast": {"enabled": contrast}}])
            if found is not None:
                if met is not None:
                    met.update(map(tuple, found["met"]))
                return found["others"]
            page.wait_for_timeout(1000)  # something covers the page, as while its theme changes
        raise AssertionError("the contrast of most texts cannot be measured")
    finally:
        page.set_viewport_size(size)


def out_of_reach(notebook) -> list[str]:
    """Panels that have a control beyond the visible width, or a button whose text is cut."""
    return notebook.evaluate(OUT_OF_REACH)
