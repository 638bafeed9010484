// Elements: how HTML and SVG are made, and how a text is made to fit, for every widget.  Texts of users only ever become text nodes, so they cannot be markup.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  // JupyterLab looks at the focused element first: keys in a widget are not keys of the notebook
  if (["button", "input", "select", "summary"].includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  if (children.length) node.append(...children);
  return node;
}

function put(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

const FONT = 'system-ui, Helvetica, Arial, "DejaVu Sans", sans-serif'; // as in the style sheets
let pen;

/** Return the beginning of a text that takes at most so many pixels in this font. */
function shorten(text, pixels, font) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = font;
  if (pen.measureText(text).width <= pixels) return text;
  const letters = [...text].slice(0, Math.ceil(pixels / 2));
  const begin = () => `${letters.join("").trimEnd()}…`;
  while (letters.length > 1 && pen.measureText(begin()).width > pixels) letters.pop();
  return begin();
}
