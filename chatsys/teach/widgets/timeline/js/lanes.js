// The lanes: a row for each node and client, time to the right; only what the window shows is in the page.
//
//     ticks     true seconds, wherever they stand; a long silence says how long it was
//     faults    a tint over exactly the nodes that they touch
//     bands     what a node was; where it is down there is only a dotted line
//     arrows, signs
//     veil      what has not happened yet at the cursor
//     cursor    a line, the frames that are under way on it, and a ring around the event of the moment

const HATCHES = { nominating: "M0,7 L7,0", deferring: "M2,3 h2", preparing: "M0,0 L7,7 M0,7 L7,0", syncing: "M3,0 v7", paused: "M0,0 L7,7" };

function lanePlot(prefix) {
  const layers = {};
  const svg = draw("svg", { class: "cs-tl-lanes", "aria-hidden": "true" });
  const defs = draw("defs");
  for (const [role, path] of Object.entries(HATCHES)) {
    defs.append(draw("pattern", { id: `${prefix}-${role}`, width: 7, height: 7, patternUnits: "userSpaceOnUse" },
      draw("rect", { width: 7, height: 7, class: `cs-tl-role-${role}` }), draw("path", { d: path, class: "cs-tl-hatch" })));
  }
  defs.append(draw("pattern", { id: `${prefix}-fault`, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    draw("rect", { width: 2, height: 8, class: "cs-tl-fault-line" })));
  const clip = draw("rect", { y: 0 });
  defs.append(draw("clipPath", { id: `${prefix}-clip` }, clip));
  svg.append(defs);
  layers.groups = draw("g", { class: "cs-tl-groups" });
  const inside = draw("g", { "clip-path": `url(#${prefix}-clip)` });
  for (const name of ["ticks", "faults", "bands", "arrows", "signs", "veil", "parting", "flags", "cursor"]) inside.append((layers[name] = draw("g", { class: `cs-tl-${name}` })));
  layers.names = draw("g", { class: "cs-tl-names" });
  svg.append(layers.groups, inside, layers.names);
  return { svg, layers, clip, prefix };
}

function drawLanes(plot, scene, lightOf) {
  const { svg, layers, clip } = plot;
  const { view, axis } = scene;
  svg.setAttribute("width", scene.width);
  svg.setAttribute("height", scene.height);
  svg.setAttribute("viewBox", `0 0 ${scene.width} ${scene.height}`);
  for (const [name, value] of Object.entries({ x: scene.label, width: scene.plot + 4, height: scene.height })) clip.setAttribute(name, value);
  const from = scene.xAt(scene.label - 20), to = scene.xAt(scene.width + 20);
  const first = firstAt(axis.x, from), last = firstAt(axis.x, to + 1e-9);
  scene.first = first;
  scene.last = last;
  layers.ticks.replaceChildren(...drawTicks(scene, first, last));
  layers.faults.replaceChildren(...drawFaults(scene, plot.prefix));
  layers.bands.replaceChildren(...drawBands(scene, plot.prefix));
  layers.arrows.replaceChildren(...drawArrows(scene, first, last, lightOf.frame));
  layers.signs.replaceChildren(...drawSigns(scene, first, last, lightOf.event));
  layers.flags.replaceChildren(...drawBreaks(scene, first, last));
  layers.groups.replaceChildren(...drawGroups(scene));
  layers.parting.replaceChildren(...drawParting(scene));
  if (plot.named !== scene) layers.names.replaceChildren(...drawNames(scene));
  plot.named = scene;
  svg.classList.toggle("cs-tl-lit-up", Boolean(view.cone || view.lit));
}

function drawNames(scene) {
  return scene.rows.map(({ lane, name, kind }) => draw("text", { x: scene.label - 10, y: scene.yOf[lane] + 5, "text-anchor": "end", class: `cs-tl-name cs-tl-name-${kind}` }, name.length > 11 ? `${name.slice(0, 10)}…` : name));
}

function drawTicks(scene, first, last) {
  const { run, axis, view } = scene;
  const parts = [];
  const bottom = scene.height - 4;
  const taken = [];
  const from = scene.xAt(scene.label), to = scene.xAt(scene.width);
  for (const [time, x, step] of ticks(run, axis, from, to, 78 / view.scale)) {
    const at = scene.px(x);
    taken.push(at);
    const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 0.001 ? 3 : 4;
    parts.push(draw("line", { x1: at, x2: at, y1: 18, y2: bottom, class: "cs-tl-grid" }),
      draw("text", { x: at, y: 12, "text-anchor": at > scene.width - 24 ? "end" : at < scene.label + 22 ? "start" : "middle", class: "cs-tl-small" }, `${Number(time.toFixed(digits))} s`));
  }
  if (!axis.trueTime && last - first < 400) parts.push(...drawSilences(scene, first, last, taken));
  for (const { lane } of scene.rows) parts.push(draw("line", { x1: scene.label, x2: scene.width, y1: scene.yOf[lane], y2: scene.yOf[lane], class: "cs-tl-lane" }));
  return parts;
}

/** The axis is not to scale: a silence that was shortened says how long it was. */
function drawSilences(scene, first, last, taken) {
  const { run, axis, shown } = scene;
  const parts = [];
  let before = -1;
  for (let event = first; event < last; event++) {
    if (!shown[event]) continue;
    const x0 = before < 0 ? 0 : scene.px(axis.x[before]), x1 = scene.px(axis.x[event]);
    const silence = before < 0 ? 0 : run.time[event] - run.time[before];
    before = event;
    const middle = (x0 + x1) / 2;
    if (silence < 0.2 || x1 - x0 < 26 || taken.some((at) => Math.abs(at - middle) < 52)) continue;
    taken.push(middle);
    parts.push(draw("text", { x: middle, y: 12, "text-anchor": "middle", class: "cs-tl-small cs-tl-silence" }, `‥ ${seconds(silence)} ‥`));
  }
  return parts;
}

function drawBands(scene, prefix) {
  const parts = [];
  const right = scene.width;
  for (const { lane } of scene.rows) {
    const y = scene.yOf[lane], half = scene.half;
    const bands = scene.bands[lane];
    const signs = signsOf(scene, lane);
    let edge = -Infinity;
    for (const band of bands) {
      if (scene.px(band.x1) < scene.label) continue;
      const x0 = Math.max(scene.px(band.x0), scene.label - 6), x1 = Math.min(scene.px(band.x1), right + 6);
      if (x0 > right) break;
      if (x1 - edge < 0.7) continue; // nobody can see it
      edge = x1;
      const box = draw("rect", { x: x0, y: y - half, width: Math.max(x1 - x0, 1), height: 2 * half, rx: 2, class: `band cs-tl-band cs-tl-role-${roleOf(band.what)}`,
        "data-node": idOf(scene.run, lane), "data-what": band.what, "data-from": band.from, "data-to": band.to, ...sided(scene.run, band.side) });
      if (HATCHES[band.what]) box.style.fill = `url(#${prefix}-${band.what})`;
      parts.push(box);
      const word = wordOf(band);
      const at = gapFor(signs, Math.max(x0, scene.label), x1, word.length * 6.6 + 12);
      if (at !== null) parts.push(draw("text", { x: at + 6, y: y + 4, class: `cs-tl-word cs-tl-on-${roleOf(band.what)}`, ...sided(scene.run, band.side) }, word));
    }
  }
  return parts;
}

/** Return where the signs of a lane stand that are in the window. */
function signsOf(scene, lane) {
  const { run, axis, first, last, shown } = scene;
  const found = [];
  for (let event = first; event < last && last - first < 1500; event++) {
    if (run.lane[event] === lane && shown[event] && !FRAMES.has(run.kindAt(event))) found.push(scene.px(axis.x[event]));
  }
  return found;
}

/** Return where a word of some width fits between two x without lying under a sign, or null. */
function gapFor(signs, from, to, wide) {
  let at = from;
  for (const sign of signs) {
    if (sign < at - 10) continue;
    if (sign - 9 >= at + wide) break;
    at = sign + 9;
  }
  return at + wide <= to ? at : null;
}

const ROLES = { leads: "leader", leader: "leader", follows: "follower", follower: "follower" };
const KNOWN = new Set(["leader", "follower", "nominating", "deferring", "preparing", "syncing", "paused", "down", "broken"]);

function roleOf(what) {
  const role = ROLES[what] || what;
  return KNOWN.has(role) ? role : "other";
}

function wordOf({ what, label }) {
  const role = roleOf(what);
  const word = role === "leader" ? "leads" : role === "follower" ? "follows" : what;
  return label ? `${word}, ${label}` : word;
}

const ON_BAND = new Set(["crash", "pause"]); // the band of the lane says so already

function drawFaults(scene, prefix) {
  const parts = [];
  const written = [];
  scene.words = []; // where words and edges are: no label of an arrow is put upon them
  scene.edges = [];
  for (const fault of scene.faults) {
    const x0 = Math.max(scene.px(fault.x0), scene.label), x1 = Math.min(scene.px(fault.x1), scene.width);
    if (x1 < scene.label || x0 > scene.width) continue;
    fault.lanes.forEach((lane, index) => {
      if (!(scene.yOf[lane] > 0)) return;
      const y = scene.yOf[lane] - scene.rowHeight / 2 + 1;
      const box = draw("rect", { x: x0, y, width: Math.max(x1 - x0, 2), height: scene.rowHeight - 2, class: "fault cs-tl-fault",
        "data-kind": fault.kind, "data-node": idOf(scene.run, lane), "data-from": fault.from, "data-to": fault.to, "data-says": fault.sentence, ...sided(scene.run, fault.side) });
      parts.push(box);
      if (ON_BAND.has(fault.kind)) { box.classList.add("cs-tl-fault-told"); return; }
      parts.push(draw("rect", { x: x0, y, width: Math.max(x1 - x0, 2), height: 4, fill: `url(#${prefix}-fault)`, class: "cs-tl-fault-edge", ...sided(scene.run, fault.side) }));
      scene.edges.push([y + 2, x0, x1]);
      const wide = fault.kind.length * 6.2 + 12;
      const beside = Math.max(x0, ...written.filter(([x, row, w]) => row === y && x0 < x + w && x < x0 + wide).map(([x, , w]) => x + w));
      if (x1 - beside <= wide || (index > 0 && fault.lanes.length > 3)) return; // over everybody it is said once
      written.push([beside, y, wide]);
      scene.words.push([beside + 4, y + 6, wide]);
      parts.push(draw("text", { x: beside + 4, y: y + 15, class: "cs-tl-fault-word", ...sided(scene.run, fault.side) }, fault.kind));
    });
  }
  return parts;
}

/** A flag at each event that broke a rule. */
function drawBreaks(scene, first, last) {
  const { run, axis } = scene;
  return run.rules.filter((rule) => !rule.held && rule.event >= first && rule.event < last && run.lane[rule.event] >= 0).map((rule) => {
    const flag = draw("g", { class: "cs-tl-flag", "data-event": rule.event, "data-rule": rule.name, transform: `translate(${scene.px(axis.x[rule.event]).toFixed(1)},${scene.yOf[run.lane[rule.event]] - scene.half})` });
    const wide = rule.name.length * 7 + 10;
    flag.append(draw("path", { d: `M0,0 V-20 h${wide} v13 h${-wide}` }), draw("text", { x: 5, y: -10 }, rule.name));
    return flag;
  });
}

// --- the cursor -----------------------------------------------------------------------------------

function drawCursor(plot, scene) {
  const { run, view, axis } = scene;
  const x = scene.px(view.at);
  const right = scene.width;
  plot.layers.veil.replaceChildren(draw("rect", { x: Math.max(x, scene.label), y: 19, width: Math.max(right - x, 0), height: scene.height, class: "cs-tl-not-yet" }));
  const parts = [draw("line", { x1: x, x2: x, y1: 16, y2: scene.height, class: "cs-tl-now" }), draw("path", { d: `M${x - 6},13 h12 l-6,8 Z`, class: "cs-tl-now-head" })];
  for (const { x: at, y } of travelling(scene, x)) parts.push(draw("circle", { cx: at, cy: y, r: 4.2, class: "cs-tl-travelling" }));
  const event = view.event;
  for (const tag of plot.layers.arrows.querySelectorAll(".cs-tl-told-above")) tag.classList.remove("cs-tl-told-above");
  if (run.n && scene.shown[event] && run.lane[event] >= 0 && scene.yOf[run.lane[event]] > 0) {
    const at = scene.px(axis.x[event]);
    const frame = run.frame[event];
    if (frame >= 0 && isFrameShown(scene, frame)) {
      const { arrow, ends } = drawArrow(scene, frame, "cs-tl-present");
      arrow.classList.remove("arrow");
      plot.layers.arrows.querySelector(`[data-frame="${frame}"]`)?.classList.add("cs-tl-told-above");
      labelArrow(scene, frame, { arrow, ends }, [], true);
      parts.push(arrow);
    }
    const y = scene.yOf[run.lane[event]];
    if (!FRAMES.has(run.kindAt(event))) {
      const sign = drawSign(scene, event, at, y, "");
      sign.classList.remove("sign");
      parts.push(sign);
    }
    parts.push(draw("circle", { cx: at, cy: y, r: 13, class: "cs-tl-ring" }));
  }
  plot.layers.cursor.replaceChildren(...parts);
}

/** Return where the frames are that are under way at the cursor: they stand on its line. */
function travelling(scene, x) {
  const { run, view } = scene;
  const found = [];
  if (scene.last - scene.first > 1200) return found;
  for (const frame of framesWithin(scene, scene.first, scene.last)) {
    const send = run.frame_send[frame];
    if (send < 0 || send > view.event || !isFrameShown(scene, frame)) continue;
    for (const { x1, y1, x2, y2, end, lost } of endsOf(scene, frame)) {
      if (lost || end < 0 || end <= view.event || x < x1 || x > x2) continue;
      found.push({ x, y: y1 + ((y2 - y1) * (x - x1)) / (x2 - x1 || 1) });
    }
  }
  return found;
}
