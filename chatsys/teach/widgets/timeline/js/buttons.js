// The timeline's buttons and the signs on them, and how a number of seconds is told.

function button(label, title, press, name = "") {
  const made = make("button", { type: "button", title, className: `cs-tl-button ${name}`, onclick: press }, label);
  made.setAttribute("aria-label", title);
  return made;
}

/** Return a sign for a button; a font may lack it, a path is everywhere the same. */
function icon(path) {
  return draw("svg", { viewBox: "0 0 16 16", width: 14, height: 14, class: "cs-tl-icon", "aria-hidden": "true" }, draw("path", { d: path }));
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function seconds(value) {
  if (Math.abs(value) < 0.0005) return "0 s";
  return value < 0.95 ? `${(value * 1000).toFixed(value < 0.0095 ? 1 : 0)} ms` : `${value.toFixed(2)} s`;
}
