"""Labels: which texts of the figures on a page lie over each other, or are cut off at the edge.

    overlapping(tab.page, ".jp-OutputArea")  -->  ["“#3 I have it.” lies over “#4 Where are you?”"]

A slanted text is measured as the slanted box that it is, not as the upright box around it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def overlapping(page: "Page", where: str) -> list[str]:
    """Return a sentence for each pair of texts of one figure that lie over each other, and for each that is cut off."""
    found: list[str] = page.evaluate(MEASURE, where)
    return found


MEASURE = """(where) => {
  const INSIDE = 2; // pixels of a box that may lie over another: a line of text is lower than its box
  const corners = (text) => {
    const { x, y, width, height } = text.getBBox();
    const to = text.getScreenCTM();
    const trim = height * 0.15;
    return [[x, y + trim], [x + width, y + trim], [x + width, y + height - trim], [x, y + height - trim]]
      .map(([a, b]) => [to.a * a + to.c * b + to.e, to.b * a + to.d * b + to.f]);
  };
  const apart = (one, two) => [one, two].some((box) => [0, 1].some((side) => {
    const [from, to] = [box[side], box[side + 1]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    const axis = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    const [a, b] = [one, two].map((corner) => corner.map((point) => point[0] * axis[0] + point[1] * axis[1]));
    return Math.max(...a) < Math.min(...b) + INSIDE || Math.max(...b) < Math.min(...a) + INSIDE;
  }));
  const found = new Set();
  for (const figure of document.querySelectorAll(`${where} .js-plotly-plot`)) {
    if (!figure.getClientRects().length) continue;
    const svg = figure.querySelector('.main-svg').getBoundingClientRect();
    const seen = (figure.closest('.jp-OutputArea-output') || figure).getBoundingClientRect();
    const [left, right] = [Math.max(svg.left, seen.left) - 1, Math.min(svg.right, seen.right) + 1];
    const texts = [...figure.querySelectorAll('.main-svg text')].filter((text) =>
      text.textContent.trim() && text.getClientRects().length && getComputedStyle(text).opacity !== '0');
    const boxes = texts.map(corners);
    boxes.forEach((box, at) => {
      const words = texts[at].textContent;
      if (box.some(([x, y]) => x < left || x > right || y < svg.top - 1 || y > svg.bottom + 1)) found.add(`“${words}” is cut off`);
      for (let other = at + 1; other < boxes.length; other++)
        if (!apart(box, boxes[other])) found.add(`“${words}” lies over “${texts[other].textContent}”`);
    });
  }
  return [...found];
}"""
