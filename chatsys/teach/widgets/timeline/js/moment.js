// The moment: the state of every node at an event.  `moment.py` has decided what is hard and written it into
// columns; this folds them, by the same few rules:
//
//     log_end >= 0       the log of the lane ends there: boxes beyond vanish, and so do those up to log_base
//     append, keep, ...  put a box at log_end         held >= 0   a position begins to wait
//     now_role, ...      what the node is right after the event
//
// Forty times in a run the whole state is kept, so a step back folds from the last of these, not from the beginning.

const BOXES = ["append", "keep", "deliver"];
const ALIVE = ["down", "up", "paused"];

function readyMoments(run) {
  const { kinds } = run.about;
  const find = (names) => new Set(names.map((name) => kinds.indexOf(name)).filter((kind) => kind >= 0));
  run.boxKinds = find(BOXES);
  run.emptyKinds = find(run.about.empties || []);
  run.kindOf = { append: kinds.indexOf("append"), deliver: kinds.indexOf("deliver"), start: kinds.indexOf("start") };
  run.heldBy = run[run.about.held_by || "seq"];
  run.spots = new Map();
  run.spotEvery = Math.max(500, Math.ceil(run.n / 40));
  run.latest = null; // the moment that was asked for last: a step forward goes on from there
  run.lastPosition = 0;
  run.hasLogs = false;
  for (let event = 0; event < run.n; event++) if (run.boxKinds.has(run.kind[event]) && run.log_end[event] > 0) { run.hasLogs = true; break; }
  for (let event = 0; event < run.n; event++) {
    const delivered = !run.hasLogs && run.kind[event] === run.kindOf.deliver ? run.heldBy[event] : 0;
    run.lastPosition = Math.max(run.lastPosition, run.log_end[event], run.held[event], delivered);
  }
}

function blank() {
  return { role: "", term: 0, alive: "down", delivered: 0, entries: [], end: 0, base: 0, durable: 0, commit: 0, held: [], numbers: [] };
}

function copyOf(state) {
  return { ...state, entries: state.entries.slice(), held: state.held.slice(), numbers: state.numbers.slice() };
}

function momentAt(run, event) {
  let from = -1, states;
  const spot = Math.floor((event + 1) / run.spotEvery) * run.spotEvery - 1; // a spot holds the state after its event
  if (run.latest && run.latest.event <= event && run.latest.event >= spot) ({ event: from, states } = run.latest);
  else {
    let at = spot;
    while (at > 0 && !run.spots.has(at)) at -= run.spotEvery;
    states = at > 0 ? run.spots.get(at).map(copyOf) : run.lanes.map(blank);
    from = at > 0 ? at : -1;
  }
  for (let one = from + 1; one <= event; one++) {
    if (run.lane[one] >= 0 && run.now_term[one] >= 0) fold(run, states[run.lane[one]], one);
    if ((one + 1) % run.spotEvery === 0 && !run.spots.has(one)) run.spots.set(one, states.map(copyOf));
  }
  run.latest = { event, states };
  return states;
}

function fold(run, state, event) {
  const kind = run.kind[event];
  state.role = run.about.roles[run.now_role[event]];
  state.term = run.now_term[event];
  state.alive = ALIVE[run.now_alive[event]];
  state.delivered = run.now_delivered[event];
  if (run.log_end[event] >= 0) foldLog(run, state, event);
  if (run.emptyKinds.has(kind)) state.held = [];
  else if (kind === run.kindOf.append) state.held = state.held.filter((place) => place > run.seq[event] + 1);
  else if (kind === run.kindOf.deliver) state.held = state.held.filter((place) => place !== run.heldBy[event]);
  if (run.held[event] >= 0 && !state.held.includes(run.held[event])) state.held = [...state.held, run.held[event]].sort((a, b) => a - b);
  if (kind === run.kindOf.start) state.numbers = [];
  if (kind === run.kindOf.deliver && !run.hasLogs && run.heldBy[event] > 0) state.numbers[run.heldBy[event]] = event;
}

function foldLog(run, state, event) {
  const end = run.log_end[event], base = run.log_base[event];
  if (state.entries.length > end + 1) state.entries.length = end + 1;
  for (let place = state.base + 1; place <= base; place++) delete state.entries[place];
  state.end = end;
  state.base = base;
  state.durable = run.log_durable[event];
  state.commit = run.log_commit[event];
  if (run.boxKinds.has(run.kind[event]) && run.seq[event] === end) state.entries[end] = event;
}
