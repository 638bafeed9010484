// The bytes of a log, and a slider that cuts the power.  All that it shows was worked out in Python (picture.py).
//
//   slider: a moment       what is written, synced and answered by then
//   kept:   what the disk kept of that what was not synced
//   below:  what the next life makes of what is left, and where its own record comes to stand
//
// JupyterLab keeps the arrow keys for its cells, unless an element says that it needs them itself.

const KEPT = {
  nothing: "nothing of it",
  half: "half of it",
  all: "all of it",
  zeros: "all of it, with zeros in half of the newest write",
};
const KINDS = [
  ["synced", "synced"],
  ["written", "written"],
  ["torn", "torn"],
  ["zeros", "zeros"],
  ["gone", "taken by the power cut"],
  ["next", "written by the next life"],
];

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// What is left at a moment, byte by byte; `kind` is undefined for a byte that was never written.
function look(data, at, kept) {
  const [written, synced, answered, what, came, last] = data.moments[at];
  const [count, why, size, added, after, wrong] = data.lives[data.places[kept][at]];
  const zeros = kept === "zeros" && synced < written;
  const left = kept === "nothing" ? synced : kept === "half" ? Math.floor((synced + written) / 2) : written;
  const isZero = (byte) => zeros && byte >= came && byte < left - last;
  let torn = 0; // where the last line that is not whole begins
  for (const length of data.sizes) {
    if (torn + length > left || (zeros && came < left - last && torn + length > came)) break;
    torn += length;
  }
  const kind = (byte) => {
    if (byte >= written) return "coming";
    if (byte >= left) return "gone";
    if (isZero(byte)) return "zeros";
    if (byte >= torn) return "torn";
    return byte < synced ? "synced" : "written";
  };
  const lost = Math.max(0, answered - count);
  return { written, synced, answered, what, left, torn, kind, count, why, size, added, after, wrong, lost };
}

function many(count, word) {
  return `${count || "no"} ${word}${count === 1 ? "" : "s"}`;
}

function begun(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function sentence(data, view) {
  const total = data.lines.length;
  const first = begun(`${many(view.left, "byte")} ${view.left === 1 ? "is" : "are"} left, and load() ${view.why || `gives back ${many(view.count, "record")}`}.`);
  if (view.lost === 0) {
    return [first, view.answered ? `${view.answered} of ${total} records were answered: none of them is lost.` : "Nothing was answered yet."];
  }
  const from = view.answered - view.lost + 1;
  const which = view.lost === 1 ? `record ${from} is lost, and it was answered` : `records ${from} to ${view.answered} are lost, and they were answered`;
  return [first, `✗ Of ${view.answered} answered, ${which}.`];
}

// What the next life does: it cuts off, it writes one record, and the life after that loads both.
function onward(data, view) {
  if (!view.added) return `The next life writes nothing: it ${view.wrong}.`;
  const cut = view.size < view.left ? `cuts off ${many(view.left - view.size, "byte")}` : "cuts off nothing";
  const number = data.lines.length + 1;
  const end = view.wrong ? `✗ The life after it cannot use that: load() ${view.wrong}.` : `The life after it loads ${many(view.after, "record")}, record ${number} among them.`;
  return `The next life ${cut}, and writes record ${number}. ${end}`;
}

function legend() {
  const box = make("div", "cs-cut-legend");
  for (const [kind, word] of KINDS) {
    const entry = make("span", "cs-cut-entry");
    entry.append(make("span", `cs-cut-${kind} cs-cut-mark`, kind === "zeros" ? "00" : "ab"), ` ${word}`);
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

// One line of a file: a sign, a number, and its bytes as runs of one kind.
function drawLine(sign, title, number, bytes) {
  const row = make("div", "cs-cut-line");
  const mark = make("span", `cs-cut-answer${sign === "✗" ? " cs-cut-lie" : ""}`, sign);
  mark.title = title;
  const code = make("span", "cs-cut-bytes");
  for (let from = 0; from < bytes.length; ) {
    let to = from;
    while (to < bytes.length && bytes[to][0] === bytes[from][0]) to += 1;
    const values = bytes.slice(from, to).map(([kind, byte]) => (kind === "zeros" ? 48 : byte));
    const shown = new TextDecoder().decode(new Uint8Array(values)).replace("\n", "↵");
    code.append(make("span", `cs-cut-${bytes[from][0]}`, shown));
    from = to;
  }
  row.append(mark, make("span", "cs-cut-number", `${number}`), code);
  return row;
}

function drawLines(table, data, view) {
  const rows = [];
  let begin = 0;
  data.lines.forEach((text, place) => {
    const bytes = [...new TextEncoder().encode(`${text}\n`)].map((byte, at) => [view.kind(begin + at), byte]);
    const done = place < view.answered;
    const gone = done && place >= view.count;
    const title = done ? (gone ? "answered, and lost" : "answered") : "not answered";
    rows.push(drawLine(done ? (gone ? "✗" : "✓") : "·", title, place + 1, bytes));
    begin += data.sizes[place];
  });
  table.replaceChildren(...rows);
}

// The lines that the next life has written to: what of the old ones it has left, and its own.
function drawNext(table, data, view) {
  const old = [...new TextEncoder().encode(data.lines.map((line) => `${line}\n`).join(""))];
  const begin = view.size > view.torn ? view.torn : view.size;
  const bytes = old.slice(begin, view.size).map((byte, at) => [view.kind(begin + at), byte]);
  for (const byte of new TextEncoder().encode(view.added)) bytes.push(["next", byte]);
  const rows = [];
  let number = data.sizes.reduce(([sum, count], size) => [sum + size, count + (sum + size <= begin ? 1 : 0)], [0, 0])[1] + 1;
  for (let from = 0; view.added && from < bytes.length; number += 1) {
    let to = from;
    while (to < bytes.length && !(bytes[to][1] === 10 && bytes[to][0] !== "zeros")) to += 1;
    rows.push(drawLine(view.wrong ? "✗" : "✓", view.wrong ? "not loaded" : "loaded", number, bytes.slice(from, to + 1)));
    from = to + 1;
  }
  table.replaceChildren(...rows);
}

function render({ model, el }) {
  const data = model.get("data");
  let kept = data.kept;
  const box = make("div", "cs-cut");
  const state = make("div", "cs-cut-state");
  const table = make("div", "cs-cut-log");
  const next = make("div", "cs-cut-log cs-cut-after");
  const verdict = make("div", "cs-cut-verdict");
  const then = make("div", "cs-cut-then");
  verdict.setAttribute("role", "status");
  const [label, input] = slider(data);
  const draw = () => {
    const view = look(data, Number(input.value), kept);
    const last = { sync: " A sync has just returned.", answer: ` Record ${view.answered} has just been answered.` }[view.what] || "";
    state.textContent = begun(`${many(view.written, "byte")} written, ${view.synced} of them synced; ${many(view.answered, "answer")} given.${last}`);
    input.setAttribute("aria-valuetext", state.textContent);
    drawLines(table, data, view);
    const [first, second] = sentence(data, view);
    verdict.replaceChildren(make("div", "", first), make("b", view.lost ? "cs-cut-lie" : "", second));
    then.replaceChildren(make("span", view.wrong ? "cs-cut-lie" : "", onward(data, view)));
    drawNext(next, data, view);
  };
  input.addEventListener("input", draw);
  const buttons = keptButtons(data, (value) => {
    kept = value;
    draw();
  });
  box.append(make("b", "", `The log of ${data.name}`), make("div", "cs-cut-note", data.note), label, buttons, state, legend(), table, verdict, then, next);
  draw();
  el.replaceChildren(box);
}

export default { render };
