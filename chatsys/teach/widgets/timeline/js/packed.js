// The run as it arrives: a dict `about`, and columns as bytes, each of which becomes one typed array.
//
//     columns of events   time, kind, lane, ...     one value for each event, in order of time
//     columns of frames   frame_send, frame_end...  one value for each frame that was sent
//
// An event is an index in that order and nothing else; whatever is derived here is found once, in one pass.

const ARRAYS = {
  time: Float64Array, place: Float64Array,
  kind: Uint16Array, message: Uint16Array, frame_message: Uint16Array,
  run: Uint8Array, side: Uint8Array, role: Uint8Array, now_role: Uint8Array, now_alive: Int8Array, frame_fate: Uint8Array,
  lane: Int16Array, peer: Int16Array, frame_from: Int16Array, frame_to: Int16Array,
};
const FATES = ["under way", "received", "dropped", "received more than once", "ended"];
const UNDER_WAY = 0, RECEIVED = 1, DROPPED = 2, TWICE = 3, ENDED = 4; // ended: with the life of its receiver
const NONE = 65535;

function typed(name, data) {
  const kind = ARRAYS[name] || Int32Array;
  return new kind(bytesOf(data).slice().buffer); // a copy is aligned
}

/** Return bytes as bytes: a front end hands over views or whole buffers. */
function bytesOf(data) {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

function unpack(about, columns) {
  const run = { about, n: about.events, lanes: about.lanes };
  for (const name of Object.keys(columns)) run[name] = typed(name, columns[name]);
  run.frames = run.frame_send.length;
  run.kindAt = (event) => about.kinds[run.kind[event]];
  run.stringAt = (column, event) => about.strings[run[column][event]] || "";
  run.laneName = (lane) => (lane < 0 ? "the world" : about.lanes[lane].name);
  run.copies = receivesOf(run);
  run.span = run.n ? run.time[run.n - 1] - run.time[0] : 0;
  run.rules = about.rules || [];
  run.noise = new Set(about.noise || []);
  return run;
}

/** Return for each frame that arrived more than once the events of all its receives. */
function receivesOf(run) {
  const found = new Map();
  const receive = run.about.kinds.indexOf("receive");
  for (let event = 0; event < run.n; event++) {
    const frame = run.frame[event];
    if (frame < 0 || run.kind[event] !== receive || run.frame_fate[frame] !== TWICE) continue;
    if (!found.has(frame)) found.set(frame, []);
    found.get(frame).push(event);
  }
  return found;
}

/** Return the events at which a frame arrives: none, one, or several. */
function arrivals(run, frame) {
  const fate = run.frame_fate[frame];
  if (fate === TWICE) return run.copies.get(frame) || [];
  return fate === RECEIVED ? [run.frame_end[frame]] : [];
}

/** Take bytes that came with a page as text. */
function fromBase64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/** Tell whether news go on where what is known ends. */
function fits(columns, news) {
  return Object.entries(news).every(([name, [from]]) => from === 0 || columns[name]?.byteLength >= from);
}

/** Put what a live world has added behind what is known: {name: [from, bytes]} */
function joined(columns, news) {
  const whole = {};
  for (const [name, [from, data]] of Object.entries(news)) {
    const added = bytesOf(data);
    const bytes = new Uint8Array(from + added.length);
    if (from) bytes.set(bytesOf(columns[name]).subarray(0, from));
    bytes.set(added, from);
    whole[name] = bytes;
  }
  return whole;
}
