// Where the panel stays while one reads on.  In JupyterLab it goes beside the page (`dock.py`); elsewhere its cell
// stays at the top of the page that scrolls by.
//
//     [Keep in view] --pressed--> the cell: position sticky, at most half the window high, with a scroll bar of its own
//
// There is no such button where it would do nothing: where each output is in a frame of its own (VS Code, Colab), and
// where the page takes out the cells that are out of view (JupyterLab's windowing mode "full").

const KEPT = "cs-kept", KEEPS = "chatsys-keeps-a-cell";

/** Return the cell that an element stands in, if it can stay in view, else null. */
function cellToKeep(el) {
  const cell = el.closest(".jp-Notebook .jp-Cell, #notebook-container .cell");
  if (!cell || getComputedStyle(cell.parentElement).position === "absolute") return null;
  for (let box = cell.parentElement; box; box = box.parentElement) {
    const how = getComputedStyle(box).overflowY;
    if (how !== "visible") return how === "auto" || how === "scroll" ? cell : null;
  }
  return cell;
}

/** The button that keeps the panel's cell in view, and lets it go again; hidden until it is known that it can. */
function keepBox(panel) {
  let kept = null;
  const root = button("Keep in view", "", () => (kept ? letGo() : keep()), "cs-keep cs-stays");
  const tell = () => {
    root.setAttribute("aria-pressed", String(Boolean(kept)));
    root.title = kept ? "Let the panel scroll with the page again" : "Let the panel stay at the top while you read on";
  };
  const letGo = () => {
    kept?.classList.remove(KEPT);
    kept = null;
    tell();
  };
  const keep = () => {
    document.dispatchEvent(new CustomEvent(KEEPS)); // at the top there is room for one
    kept = cellToKeep(panel);
    kept?.classList.add(KEPT);
    if (kept) kept.scrollTop += panel.getBoundingClientRect().top - kept.getBoundingClientRect().top; // its code is above
    tell();
  };
  document.addEventListener(KEEPS, letGo);
  root.hidden = true;
  tell();
  return {
    root,
    look: () => (root.hidden = !kept && !cellToKeep(panel)),
    drop: () => {
      letGo();
      document.removeEventListener(KEEPS, letGo);
    },
  };
}
