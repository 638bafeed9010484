// Signs: what happens at one node, as a small shape on its lane.  A shape for each meaning, a colour for few:
// green is delivered to a user, vermilion is trouble, amber is leadership, all the rest is ink.  The boxes are
// those of the logs below: a dashed box is in memory, a whole one on the disk, a thick one committed.

const SHAPES = {
  dot: "M-2.5,0 a2.5,2.5 0 1,0 5,0 a2.5,2.5 0 1,0 -5,0 Z",
  ring: "M-4,0 a4,4 0 1,0 8,0 a4,4 0 1,0 -8,0 Z",
  box: "M-4,-4 H4 V4 H-4 Z",
  cross: "M-5,-5 L5,5 M-5,5 L5,-5",
  stopped: "M-6,-6 H6 V6 H-6 Z M-3.5,-3.5 L3.5,3.5 M-3.5,3.5 L3.5,-3.5",
  play: "M-4,-5.5 L6,0 L-4,5.5 Z",
  bars: "M-4,-5 V5 M3,-5 V5",
  star: "M0,-7 L2,-2.3 L7,-2.2 L3,1 L4.4,6 L0,3 L-4.4,6 L-3,1 L-7,-2.2 L-2,-2.3 Z",
  down: "M-5.5,-4.5 H5.5 L0,5.5 Z",
  up: "M-5.5,4.5 H5.5 L0,-5.5 Z",
  bubble: "M-6,-5 H6 V3 H-1 L-4,6.5 V3 H-6 Z",
  tick: "M-5,0 L-1.5,4 L5.5,-4.5",
  glass: "M-4.5,-6 H4.5 L-4.5,6 H4.5 Z",
  pair: "M-5,-5 H2 V2 H-5 Z M-2,-2 H5 V5 H-2 Z",
  minus: "M-4,-4 H4 V4 H-4 Z M-7,0 H7",
  doubt: "M-2.8,-3.2 a3,3 0 1,1 4.2,2.8 q-1.4,0.8 -1.4,2.6 M0,5 v1.2",
};
const SIGN = {
  start: ["play", "life"], restart: ["play", "life"], boot: ["dot", "small"], resume: ["play", "life"], pause: ["bars", "life"],
  crash: ["cross", "trouble"], stop: ["bars", "life"], broken: ["stopped", "trouble"], refused: ["stopped", "trouble"],
  anomaly: ["stopped", "trouble"], wipe: ["minus", "trouble"],
  lead: ["star", "lead"], ready: ["ring", "lead"], suspect: ["down", "trouble"], restore: ["up", "life"],
  follow: ["ring", "ink"], role: ["dot", "ink"], promise: ["dot", "ink"],
  append: ["box", "memory"], durable: ["box", "disk"], commit: ["box", "committed"], truncate: ["minus", "trouble"],
  hold: ["glass", "wait"], duplicate: ["pair", "ink"],
  submit: ["bubble", "ink"], ack: ["tick", "good"], seen: ["tick", "ink"], reply: ["ring", "ink"], indeterminate: ["doubt", "trouble"],
};
const FRAMES = new Set(["send", "receive", "drop"]);
const LOUD = new Set(["deliver", "lead", "crash", "broken", "refused", "restart", "start", "suspect", "submit", "hold", "truncate", "indeterminate"]);

function numberOf(run, event) {
  if (run.msg_no[event] >= 0) return `#${run.msg_no[event]}`;
  return run.seq[event] >= 0 ? String(run.seq[event]) : "";
}

function drawSign(scene, event, x, y, light) {
  const { run } = scene;
  const kind = run.kindAt(event);
  const sign = draw("g", { class: `sign cs-tl-sign ${light}`, "data-event": event, "data-kind": kind, "data-node": idOf(run, run.lane[event]), ...sided(run, run.side?.[event]), transform: `translate(${x.toFixed(1)},${y})` });
  if (kind === "deliver") {
    const text = numberOf(run, event) || "✓";
    const wide = 9 + text.length * 6.6;
    sign.append(draw("rect", { x: -wide / 2, y: -8, width: wide, height: 16, rx: 8, class: "cs-tl-chip" }), draw("text", { y: 4, class: "cs-tl-chip-text" }, text));
    return sign;
  }
  const [shape, meaning] = SIGN[kind] || ["dot", "ink"];
  sign.append(draw("circle", { r: 8.5, class: "cs-tl-halo" }), draw("path", { d: SHAPES[shape], class: `cs-tl-shape cs-tl-is-${meaning}` }));
  return sign;
}

function idOf(run, lane) {
  return lane < 0 ? "" : run.lanes[lane].id;
}

/** Return the signs among some events; where too many are near one another only the loud ones. */
function drawSigns(scene, first, last, lightOf) {
  const { run, axis } = scene;
  const parts = [];
  const ends = new Map();
  const crowded = last - first > 500;
  for (let event = first; event < last; event++) {
    const lane = run.lane[event];
    if (!scene.shown[event] || lane < 0) continue;
    const kind = run.kindAt(event);
    if (FRAMES.has(kind) || (crowded && !LOUD.has(kind))) continue;
    const x = scene.px(axis.x[event]);
    const key = lane * 64 + run.kind[event];
    if (crowded && x - (ends.get(key) ?? -99) < 9) continue;
    ends.set(key, x);
    parts.push(drawSign(scene, event, x, scene.yOf[lane], lightOf(event)));
  }
  return parts;
}
