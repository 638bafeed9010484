// The logs at the moment of the cursor, as boxes: a row for each node, a column for each position, so that what
// agrees stands one above the other, and a hole is a hole.
//
//     fill    the term in which the entry was made      dashed edge   in memory only: a crash takes it
//     text    the message, or what the entry is         whole edge    on the disk
//     dotted  held back: it arrived, and waits          thick edge    committed
//
// An actor that keeps no log shows what it delivered, by number, and what it holds back.

const ROW = 44, BOX_HIGH = 34;
const WIDE = [54, 112]; // of a box with its gap, at least and at most

function boxesBox() {
  const svg = draw("svg", { class: "cs-tl-boxes", role: "img" });
  const head = draw("g"), body = draw("g");
  svg.append(head, body);
  const title = make("div", { className: "cs-tl-title" });
  const legend = make("div", { className: "cs-tl-legend", "aria-hidden": "true" });
  const root = make("div", { role: "group", className: "cs-tl-moment", "aria-label": "every node at this moment" }, title, svg, legend);
  const rows = new Map();
  let laid = "";
  return {
    root,
    show(scene, moment) {
      const nodes = scene.rows.filter(({ kind }) => kind !== "client");
      const room = columnsOf(scene, moment, nodes);
      const layout = `${scene.width} ${nodes.map(({ lane }) => lane)} ${room.first} ${room.count}`;
      const { ys, heads, high } = rowsOf(nodes);
      if (layout !== laid) {
        laid = layout;
        rows.clear();
        body.replaceChildren();
        svg.setAttribute("width", scene.width);
        svg.setAttribute("height", high);
        svg.setAttribute("viewBox", `0 0 ${scene.width} ${high}`);
        head.replaceChildren(...headsOf(scene, room), ...heads);
      }
      const told = nodes.map((node, index) => showRow(scene, moment[node.lane], node, ys[index], room, rows, body));
      svg.setAttribute("aria-label", told.join(" "));
      put(title, `At ${scene.run.n ? scene.run.time[scene.view.event].toFixed(3) : 0} s: ${room.logs ? "what each log holds" : "what each node has delivered, and holds back"}`);
      showLegend(legend, room.logs, moment, scene);
    },
  };
}

/** Return which positions have a column: all of them if they fit, else the last ones, moved some at a time. */
function columnsOf(scene, moment, nodes) {
  const left = scene.label + (scene.width < 760 ? 112 : 152);
  const logs = scene.run.hasLogs;
  const all = scene.run.lastPosition;
  const free = scene.width - left - 30;
  const wide = clamp(Math.floor(free / Math.max(all, 1)), ...WIDE); // whole texts, if there is room
  const count = Math.max(Math.floor(free / wide), 3);
  let last = 0, gap = Infinity; // the first position that somebody waits for
  for (const { lane } of nodes) {
    last = Math.max(last, endOf(moment[lane], logs));
    if (moment[lane].held.length) gap = Math.min(gap, (logs ? moment[lane].end : moment[lane].delivered) + 1);
  }
  const step = Math.max(1, Math.floor(count / 4)); // so that the columns do not move with every entry
  const lately = Math.max(1, Math.ceil((last - count) / step) * step + 1);
  const first = all <= count ? 1 : gap < lately && last - gap < count ? gap : lately;
  return { logs, left, wide, count: Math.min(count, Math.max(all, 1)), first };
}

function endOf(state, logs) {
  const held = state.held.length ? Math.max(...state.held) : 0;
  return Math.max(logs ? state.end : state.numbers.length - 1, held);
}

function headsOf(scene, room) {
  const parts = [draw("text", { x: room.left - 8, y: 12, "text-anchor": "end", class: "cs-tl-small" }, room.logs ? "place" : "number")];
  if (room.first > 1) parts.push(draw("text", { x: room.left - 4, y: 12, class: "cs-tl-small" }, "…"));
  for (let at = 0; at < room.count; at++) parts.push(draw("text", { x: room.left + at * room.wide + room.wide / 2 + (room.first > 1 ? 8 : 0), y: 12, "text-anchor": "middle", class: "cs-tl-small cs-tl-column" }, room.first + at));
  return parts;
}

/** Return where each row stands, how high all are, and the names of two runs above their rows. */
function rowsOf(nodes) {
  const ys = [], heads = [];
  let y = 18, last;
  for (const { side, run } of nodes) {
    if (side && side !== last) {
      heads.push(draw("rect", { x: 0, y: y + 3, width: 4, height: 20 + ROW * nodes.filter((node) => node.side === side).length - 5, rx: 2, class: `cs-tl-group-edge cs-tl-run-${side}` }),
        draw("text", { x: 12, y: y + 16, class: `cs-tl-group-name cs-tl-run-${side}` }, run));
      y += 20;
      last = side;
    }
    ys.push(y);
    y += ROW;
  }
  return { ys, heads, high: y };
}

function showRow(scene, state, node, y, room, rows, body) {
  if (!rows.has(node.lane)) {
    const facts = draw("text", { x: scene.label - 10, y: y + 17, "text-anchor": "end", class: "cs-tl-name" }, node.name);
    const role = draw("rect", { x: scene.label - 2, y: y + 5, width: 8, height: 28, rx: 2 });
    const one = draw("text", { x: scene.label + 12, y: y + 16, class: "cs-tl-fact" }), two = draw("text", { x: scene.label + 12, y: y + 31, class: "cs-tl-small" });
    const cells = draw("g");
    body.append(facts, role, one, two, cells);
    rows.set(node.lane, { role, one, two, cells, drawn: new Map() });
  }
  const row = rows.get(node.lane);
  const up = state.alive !== "down";
  const word = !up ? "down" : state.alive === "paused" ? "paused" : state.role === "up" || !state.role ? "running" : state.role;
  row.role.setAttribute("class", `cs-tl-swatch cs-tl-role-${roleOf(word)}`);
  put(row.one, up && state.term ? `${word}, ${scene.width < 760 ? "t" : "term "}${state.term}` : word);
  put(row.two, state.delivered ? `delivered #${state.delivered}` : "delivered none");
  row.cells.setAttribute("class", up ? "" : "cs-tl-dead");
  const held = new Set(state.held);
  for (let at = 0; at < room.count; at++) {
    const seq = room.first + at;
    const box = boxAt(scene.run, state, seq, room.logs);
    const signature = box ? `${box.event} ${box.durable} ${box.committed}` : held.has(seq) ? "held" : seq <= state.base && room.logs ? "unknown" : "";
    const old = row.drawn.get(at);
    if (old && old.signature === signature) continue;
    if (old?.node) old.node.remove();
    const x = room.left + at * room.wide + (room.first > 1 ? 8 : 0);
    const made = signature ? drawBox(scene, node, { seq, box, held: held.has(seq) }, x, y + 3, room.wide - 5) : null;
    if (made) row.cells.append(made);
    row.drawn.set(at, { signature, node: made });
  }
  markTouched(scene, node, row, room);
  return tellRow(node, state, word, room.logs);
}

/** Mark the box that the event of the moment is about. */
function markTouched(scene, node, row, room) {
  const { run, view } = scene;
  const here = run.lane[view.event] === node.lane && TOUCHES.has(run.kindAt(view.event));
  const place = !here ? -1 : room.logs ? run.seq[view.event] : run.heldBy[view.event];
  row.drawn.forEach(({ node: cell }, at) => cell?.classList.toggle("cs-tl-touched", room.first + at === place));
}

const TOUCHES = new Set(["append", "keep", "durable", "commit", "deliver", "hold"]);

function drawBox(scene, node, { seq, box, held }, x, y, wide) {
  const { run } = scene;
  const who = { "data-node": node.id, "data-seq": seq };
  const frame = (name) => draw("rect", { x: x + 1, y, width: wide, height: BOX_HIGH, rx: 4, class: name });
  if (!box && held) {
    const entry = draw("g", { class: "held", ...who }, frame("cs-tl-box cs-tl-waits"));
    entry.append(draw("path", { d: SHAPES.glass, transform: `translate(${x + wide / 2 + 1},${y + 13})`, class: "cs-tl-glass" }), draw("text", { x: x + wide / 2 + 1, y: y + 29, "text-anchor": "middle", class: "cs-tl-small" }, "waits"));
    return entry;
  }
  if (!box) return draw("g", { class: "cs-tl-unknown" }, frame("cs-tl-box"), draw("text", { x: x + wide / 2, y: y + 21, "text-anchor": "middle", class: "cs-tl-small" }, "?"));
  const entry = draw("g", { class: "box", ...who, "data-entry-term": box.term, "data-durable": box.durable, "data-committed": box.committed, "data-event": box.event, ...sided(run, run.side?.[box.event]) },
    frame(`cs-tl-box cs-tl-term-${box.term > 0 ? box.term % 6 : 0}${box.durable ? "" : " cs-tl-memory"}${box.committed ? " cs-tl-sure" : ""}`));
  const where = `${scene.run.hasLogs ? "place" : "number"} ${seq}${box.term > 0 ? `, term ${box.term}` : ""}${!box.durable ? ", in memory only" : !box.committed ? ", on the disk" : scene.run.hasLogs ? ", committed" : ""}`;
  entry.append(draw("title", {}, `${box.chat ? `“${box.text}”` : box.text}: ${where}`));
  const text = shorten(box.text, wide - 5, `${box.chat ? "600" : "italic 400"} 11.5px ${FONT}`);
  entry.append(draw("text", { x: x + wide / 2 + 1, y: y + 16, "text-anchor": "middle", class: `cs-tl-box-text${box.chat ? "" : " cs-tl-box-kind"}` }, text));
  const foot = [box.chat && box.number >= 0 ? `#${box.number}` : "", box.term > 0 ? `t${box.term}` : ""].filter(Boolean).join(" · ");
  if (run.side?.[box.event] === 1 || run.side?.[box.event] === 2) entry.append(draw("path", { d: `M${x + 5},${y + BOX_HIGH - 3}h${wide - 8}`, class: `cs-tl-box-side cs-tl-run-${run.side[box.event]}` }));
  if (foot) entry.append(draw("text", { x: x + wide / 2 + 1, y: y + 28, "text-anchor": "middle", class: "cs-tl-box-foot" }, foot));
  return entry;
}

function boxAt(run, state, seq, logs) {
  const event = logs ? (seq <= state.end ? state.entries[seq] : undefined) : state.numbers[seq];
  if (event === undefined || event < 0) return null;
  const kind = run.stringAt("entry", event);
  const chat = !kind || kind === "chat";
  return { event, term: run.entry_term[event], chat, text: chat ? run.stringAt("text", event) || "·" : kind,
    durable: !logs || seq <= state.durable, committed: !logs || seq <= state.commit, number: run.number ? run.number[event] : -1 };
}

function tellRow(node, state, word, logs) {
  const facts = [`${laneInFull(node)}: ${word}${state.term ? `, term ${state.term}` : ""}`];
  if (logs) facts.push(`its log ends at ${state.end}, durable up to ${state.durable}, committed up to ${state.commit}`);
  facts.push(state.delivered ? `delivered up to #${state.delivered}` : "delivered nothing");
  if (state.held.length) facts.push(`holds back ${state.held.join(", ")}`);
  return `${facts.join("; ")}.`;
}

function showLegend(legend, logs, moment, scene) {
  if (legend.childElementCount || !scene.run.n) return;
  const key = (name, text) => make("span", { className: "cs-tl-key" }, make("i", { className: `cs-tl-key-box ${name}` }), text);
  legend.append(...(logs ? [key("cs-tl-memory", "in memory: a crash takes it"), key("", "on the disk"), key("cs-tl-sure", "committed"), key("cs-tl-waits", "held back")]
    : [key("cs-tl-sure", "delivered"), key("cs-tl-waits", "held back")]));
  if (logs) legend.append(make("span", { className: "cs-tl-key" }, comparedIn(scene.run) ? "t2: the term of the entry" : "t2 and the colour: the term of the entry"));
}
