// The bytes of a log, and a slider that cuts the power.  All that it shows was worked out in Python (picture.py).
//
//   slider: a moment       what is written, synced and answered by then
//   kept:   what the disk kept of that what was not synced
//
// JupyterLab keeps the arrow keys for its cells, unless an element says that it needs them itself.

const KEPT = { nothing: "nothing of it", half: "half of it", all: "all of it" };

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// The classes of the bytes of one line, as runs: [["synced", 12], ["written", 5], ...]
function runs(begin, size, view) {
  const found = [];
  for (let at = begin; at < begin + size; at += 1) {
    const kind = view.kind(at);
    if (found.length && found[found.length - 1][0] === kind) found[found.length - 1][1] += 1;
    else found.push([kind, 1]);
  }
  return found;
}

function look(data, at, kept) {
  const [written, synced, answered, what] = data.moments[at];
  const left = kept === "all" ? written : kept === "half" ? Math.floor((synced + written) / 2) : synced;
  let torn = 0; // where the last line that is not whole begins
  for (const size of data.sizes) {
    if (torn + size > left) break;
    torn += size;
  }
  const kind = (byte) => {
    if (byte >= written) return "coming";
    if (byte >= left) return "gone";
    if (byte >= torn) return "torn";
    return byte < synced ? "synced" : "written";
  };
  const [count, why] = data.loads[left];
  return { written, synced, answered, what, left, kind, count, why, lost: Math.max(0, answered - count) };
}

function sentence(data, view) {
  const total = data.lines.length;
  const did = view.why || `gives back ${view.count || "no"} record${view.count === 1 ? "" : "s"}`;
  const first = `${view.left} bytes are left, and load() ${did}.`;
  if (view.lost === 0) {
    return [first, view.answered ? `Answered were ${view.answered} of ${total}: none of them is lost.` : "Nothing was answered yet."];
  }
  const from = view.answered - view.lost + 1;
  const which = view.lost === 1 ? `record ${from} is lost, and it was answered` : `records ${from} to ${view.answered} are lost, and they were answered`;
  return [first, `✗ Of ${view.answered} answered, ${which}.`];
}

function legend() {
  const box = make("div", "cs-cut-legend");
  for (const [kind, word] of [["synced", "synced"], ["written", "written"], ["torn", "torn"], ["gone", "taken by the power cut"]]) {
    const entry = make("span", "cs-cut-entry");
    entry.append(make("span", `cs-cut-${kind} cs-cut-mark`, "ab"), ` ${word}`);
    box.append(entry);
  }
  return box;
}

function slider(data) {
  const label = make("label", "cs-cut-label", "The power is cut at this moment ");
  const input = make("input");
  input.type = "range";
  input.min = 0;
  input.max = data.moments.length - 1;
  input.value = data.at;
  input.dataset.lmSuppressShortcuts = "true";
  input.setAttribute("aria-label", "the moment at which the power is cut");
  label.append(input);
  return [label, input];
}

function keptButtons(data, change) {
  const field = make("fieldset", "cs-cut-kept");
  field.append(make("legend", "", "Of what was written and not synced, the disk kept"));
  const group = `cs-cut-${Math.random().toString(36).slice(2)}`;
  for (const [value, word] of Object.entries(KEPT)) {
    const label = make("label");
    const button = make("input");
    button.type = "radio";
    button.name = group;
    button.value = value;
    button.checked = value === data.kept;
    button.dataset.lmSuppressShortcuts = "true";
    button.addEventListener("change", () => change(value));
    label.append(button, ` ${word}`);
    field.append(label);
  }
  return field;
}

function drawLines(table, data, view) {
  table.replaceChildren();
  let begin = 0;
  data.lines.forEach((text, place) => {
    const size = data.sizes[place];
    const row = make("div", "cs-cut-line");
    const done = place < view.answered;
    const gone = done && place >= view.count;
    const sign = make("span", `cs-cut-answer${gone ? " cs-cut-lie" : ""}`, done ? (gone ? "✗" : "✓") : "·");
    sign.title = done ? (gone ? "answered, and lost" : "answered") : "not answered";
    row.append(sign, make("span", "cs-cut-number", `${place + 1}`));
    const code = make("span", "cs-cut-bytes");
    const bytes = new TextEncoder().encode(text);
    let from = 0;
    for (const [kind, count] of runs(begin, size, view)) {
      const shown = new TextDecoder().decode(bytes.slice(from, from + count)) + (from + count === size ? "↵" : "");
      code.append(make("span", `cs-cut-${kind}`, shown));
      from += count;
    }
    row.append(code);
    table.append(row);
    begin += size;
  });
}

function render({ model, el }) {
  const data = model.get("data");
  let kept = data.kept;
  const box = make("div", "cs-cut");
  const state = make("div", "cs-cut-state");
  const table = make("div", "cs-cut-log");
  const verdict = make("div", "cs-cut-verdict");
  verdict.setAttribute("role", "status");
  const [label, input] = slider(data);
  const draw = () => {
    const view = look(data, Number(input.value), kept);
    const last = { sync: " A sync has just returned.", answer: ` Record ${view.answered} has just been answered.` }[view.what] || "";
    state.textContent = `${view.written} bytes are written, ${view.synced} of them synced; ${view.answered} answers were given.${last}`;
    input.setAttribute("aria-valuetext", state.textContent);
    drawLines(table, data, view);
    const [first, second] = sentence(data, view);
    verdict.replaceChildren(make("div", "", first), make("b", view.lost ? "cs-cut-lie" : "", second));
  };
  input.addEventListener("input", draw);
  const buttons = keptButtons(data, (value) => {
    kept = value;
    draw();
  });
  box.append(make("b", "", `The log of ${data.name}`), label, buttons, state, legend(), table, verdict);
  draw();
  el.replaceChildren(box);
}

export default { render };
