// The panel's buttons, alive and dead.

function button(label, title, press, name = "") {
  return make("button", { type: "button", title, className: `cs-button ${name}`, onclick: press }, label);
}

/** Let Tab go to what has to be scrolled to be read, and to nothing else. */
function reach(node) {
  if (node.scrollHeight > node.clientHeight + 1) {
    node.tabIndex = 0;
    node.dataset.lmSuppressShortcuts = "true"; // the arrow keys scroll it
  } else node.removeAttribute("tabindex");
}

const STOPPED = "This cluster is stopped; run the cell that makes it again.";

/** Draw everything dead that could act on a cluster that is stopped; each says why. */
function drawDead(root, dead) {
  for (const one of root.querySelectorAll("button.cs-button:not(.cs-stays)")) {
    if (dead) {
      one.setAttribute("aria-disabled", "true");
      one.dataset.title ??= one.title;
      one.title = STOPPED;
    } else if (one.dataset.title !== undefined) {
      one.removeAttribute("aria-disabled");
      one.title = one.dataset.title;
      delete one.dataset.title;
    }
  }
  for (const one of root.querySelectorAll("input, select")) one.disabled = dead;
}
