// The scene: what of the run is shown at all, on which axis, in which rows; laid out anew when a filter changes.
//
//     view.hidden  --> isShown: one byte for each event --> axis --> rows, bands, faults in x
//
// Everything that is drawn asks the scene, so the lanes, the overview and the steps agree on what exists.

const QUIET = ["link_up", "link_down", "met", "accepted", "hint", "membership", "boot", "refuses"];
const GROUPS = {
  "deliveries and queues": ["deliver", "hold", "duplicate", "seen"],
  "the log and its disk": ["append", "truncate", "durable", "commit"],
  "leaders and suspicions": ["role", "lead", "ready", "follow", "suspect", "restore", "promise"],
  "clients": ["submit", "ack", "reply", "indeterminate"],
  "links and members": QUIET,
};

const STEP = 15; // pixels that a usual step has at zoom 1
const GROUP_HEAD = 22, GROUP_GAP = 10; // above the lanes of each of two runs, and between them
const ARROW = 170; // and pixels that a usual arrow has at most

function newView(run) {
  const hidden = { lanes: new Set(), messages: new Set(), kinds: new Set(), rooms: new Set() };
  run.about.messages.forEach((name, index) => run.noise.has(name) && hidden.messages.add(index));
  run.about.kinds.forEach((name, index) => QUIET.includes(name) && hidden.kinds.add(index));
  return { event: Math.max(run.n - 1, 0), at: 0, left: 0, scale: 0, trueTime: false, hidden,
    cone: null, lit: null, found: [], playing: false, speed: 4 };
}

/** Return what is hidden when a run has gone on: what was hidden; and of what is new, what usually is. */
function hiddenAfter(before, hidden, run) {
  const usual = newView(run).hidden;
  const lanes = new Set(run.lanes.flatMap(({ id }, lane) => (before.lanes.some((old, at) => old.id === id && hidden.lanes.has(at)) ? [lane] : [])));
  const added = (name, isNew) => new Set([...hidden[name], ...[...usual[name]].filter(isNew)]);
  return { lanes, rooms: hidden.rooms,
    kinds: added("kinds", (kind) => kind >= before.about.kinds.length),
    messages: added("messages", (message) => !before.noise.has(run.about.messages[message]) || message >= before.about.messages.length) };
}

function isShownOf(run, hidden) {
  const shown = new Uint8Array(run.n);
  const away = (lane) => lane >= 0 && hidden.lanes.has(lane);
  for (let event = 0; event < run.n; event++) {
    const framed = run.message[event] !== NONE;
    const gone = away(run.lane[event]) || hidden.kinds.has(run.kind[event])
      || (framed && (hidden.messages.has(run.message[event]) || away(run.peer[event])))
      || (run.room[event] && hidden.rooms.has(run.room[event]));
    shown[event] = gone ? 0 : 1;
  }
  return shown;
}

function layScene(run, view, width) {
  const scene = { run, view, width, shown: isShownOf(run, view.hidden) };
  scene.axis = layAxis(run, scene.shown, view.trueTime);
  scene.events = [];
  for (let event = 0; event < run.n; event++) if (scene.shown[event]) scene.events.push(event);
  layRows(scene);
  layBands(scene);
  scene.long = longFrames(scene);
  scene.usual = usualScale(scene);
  return scene;
}

/** Return the pixels for one x at which a step is seen well, and an arrow of usual length too. */
function usualScale({ run, axis }) {
  const spans = [];
  for (let frame = 0; frame < run.frames; frame += Math.ceil(run.frames / 2000)) {
    const [end] = arrivals(run, frame), send = run.frame_send[frame];
    if (end !== undefined && send >= 0) spans.push(axis.x[end] - axis.x[send]);
  }
  spans.sort((a, b) => a - b);
  const usual = spans[Math.floor(spans.length * 0.6)] || axis.unit;
  return Math.min(STEP / axis.unit, axis.trueTime ? Infinity : Math.max(ARROW / usual, STEP / 4 / axis.unit));
}

function layRows(scene) {
  const { run, view } = scene;
  scene.rows = run.lanes.map((lane, index) => ({ ...lane, lane: index })).filter(({ lane }) => !view.hidden.lanes.has(lane));
  scene.label = scene.width < 760 ? 74 : 96;
  scene.rowHeight = clamp(Math.floor((comparedIn(run) ? 520 : 430) / Math.max(scene.rows.length, 1)), 34, 84);
  scene.top = comparedIn(run) ? 48 : 26;
  scene.half = scene.rowHeight < 44 ? 8 : 10; // half the height of a band
  scene.yOf = new Float64Array(run.lanes.length).fill(NaN);
  scene.groups = [];
  let y = scene.top;
  for (const { lane, side, run: name } of scene.rows) {
    if (side && scene.groups.at(-1)?.side !== side) {
      if (scene.groups.length) y += GROUP_GAP;
      scene.groups.push({ side, name, top: y });
      y += GROUP_HEAD;
    }
    scene.yOf[lane] = y + scene.rowHeight / 2;
    y += scene.rowHeight;
    if (side) scene.groups.at(-1).bottom = y;
  }
  scene.height = y + 6;
  scene.plot = scene.width - scene.label - 4;
  scene.px = (x) => scene.label + (x - view.left) * view.scale;
  scene.xAt = (px) => view.left + (px - scene.label) / view.scale;
}

function layBands(scene) {
  const { run, axis } = scene;
  const x = (lane, time) => xOfLane(run, axis, lane, time);
  scene.bands = run.lanes.map(() => []);
  for (const [lane, from, to, what, label, side] of run.about.bands) {
    scene.bands[lane].push({ lane, from, to, what, label, side, x0: x(lane, from), x1: x(lane, to) });
  }
  scene.faults = (run.about.faults || []).map(([from, to, lanes, kind, sentence, pairs, side]) => ({
    from, to, lanes, kind, sentence, pairs, side, x0: xOfTime(run, axis, from), x1: xOfTime(run, axis, to),
  }));
}

/** Return, for each stretch of 256 events, the frames that were sent before it and have not arrived when it begins. */
const STRETCH = 8; // as a power of 2

function longFrames({ run }) {
  const found = new Map();
  for (let frame = 0; frame < run.frames; frame++) {
    const send = run.frame_send[frame];
    if (send < 0) continue;
    const last = Math.max(-1, ...arrivals(run, frame));
    for (let stretch = (send >> STRETCH) + 1; stretch <= last >> STRETCH; stretch++) {
      if (!found.has(stretch)) found.set(stretch, []);
      found.get(stretch).push(frame);
    }
  }
  return found;
}

/** Return the frames of which something lies among the events from `first` to before `last`. */
function framesWithin({ run, long }, first, last) {
  const found = new Set();
  for (let event = first; event < last; event++) if (run.frame[event] >= 0) found.add(run.frame[event]);
  const crosses = (frame) => arrivals(run, frame).some((end) => end >= first);
  for (const frame of long.get(first >> STRETCH) || []) if (crosses(frame)) found.add(frame);
  for (let event = (first >> STRETCH) << STRETCH; event < first; event++) { // sent in the stretch in which the window begins
    const frame = run.frame[event];
    if (frame >= 0 && run.frame_send[frame] === event && crosses(frame)) found.add(frame);
  }
  return found;
}

function isFrameShown({ run, view, yOf }, frame) {
  const from = run.frame_from[frame], to = run.frame_to[frame];
  if (view.hidden.messages.has(run.frame_message[frame])) return false;
  if (!(from >= 0 ? yOf[from] > 0 : false) && run.frame_send[frame] >= 0) return false;
  const send = run.frame_send[frame];
  if (send >= 0 && run.room[send] && view.hidden.rooms.has(run.room[send])) return false;
  return to >= 0 && yOf[to] > 0;
}

/** Keep the window over the run, and the cursor in its quiet middle. */
function holdWindow(scene, follow) {
  const { view, axis } = scene;
  const least = Math.min(scene.plot / ((axis.length || 1) * 1.04), scene.usual);
  view.scale = clamp(view.scale || scene.usual, least, (60 * STEP) / axis.unit);
  const wide = scene.plot / view.scale;
  if (follow) {
    const at = view.at, margin = wide * 0.16;
    if (follow === "flow") view.left = at - wide * 0.62;
    else if (at < view.left + margin || at > view.left + wide - margin) view.left = at - wide * 0.5;
  }
  view.left = clamp(view.left, -0.02 * wide, Math.max(axis.length - wide * 0.9, -0.02 * wide));
}
