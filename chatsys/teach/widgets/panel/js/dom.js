// What every part of the panel needs: elements, drawings, buttons.
//
// Texts of users only ever become text nodes, so they cannot be markup.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  // JupyterLab looks at the focused element first: keys in the panel are not keys of the notebook
  if (["button", "input", "select", "summary"].includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

function draw(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function put(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

function button(label, title, press, name = "") {
  return make("button", { type: "button", title, className: `cs-button ${name}`, onclick: press }, label);
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
