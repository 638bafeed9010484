// Sentences: what an event says in words, from the template of its kind.  `sentences.py` has the rules, and
// fills the same templates:  {column} is a value, [ ... ] is left out when a place in it is empty.

const WIDTH = 80;

function cut(text) {
  if (text.length <= WIDTH) return text;
  const letters = Array.from(text); // as Python counts them
  return letters.length > WIDTH ? `${letters.slice(0, WIDTH - 1).join("")}…` : text;
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function fill(template, look) {
  const places = /\{([^{}]*)\}/g;
  const whole = template.replace(/\[([^[\]]*)\]/g, (_part, inner) => ([...inner.matchAll(places)].some(([, place]) => look(place) === "") ? "" : inner));
  return whole.replace(places, (_part, place) => look(place));
}

function sentenceOf(run, event) {
  const { templates } = run.about;
  const look = (place) => valueAt(run, event, place);
  const told = look("said");
  if (told) return told;
  const what = templates[`what/${look("message")}`] ?? templates.what ?? "";
  const whole = (place) => (place === "what" ? fill(what, look) : place === "What" ? capital(fill(what, look)) : look(place));
  return fill(templateOf(run, event, look), whole);
}

/** Return the first template that there is for an event, from the most special one to the one for any kind. */
function templateOf(run, event, look) {
  const { templates } = run.about;
  const kind = look("kind");
  const keys = [`${kind}@${look("lane_kind")}`];
  for (const column of ["message", "entry", "reason", "role"]) if (look(column)) keys.push(`${kind}/${look(column)}`);
  for (const column of ["message", "peer"]) if (!look(column)) keys.push(`${kind}!${column}`);
  return templates[[...keys, kind].find((key) => key in templates) ?? ""] ?? "";
}

/** Return what stands at a place of a template for an event, "" where that is empty. */
function valueAt(run, event, place) {
  const low = place.toLowerCase();
  if (ENDS.has(low)) return nameOf(run, event, low, place);
  if (place === "lane_kind") return run.lanes[run.lane[event]]?.kind ?? "";
  if (place === "kind") return run.kindAt(event);
  if (place === "role") return run.about.roles[run.role[event]];
  if (place === "message") return run.message[event] === NONE ? "" : run.about.messages[run.message[event]];
  const value = run[place]?.[event] ?? -1;
  if (TEXTS.has(place)) return place === "said" ? run.about.strings[value] : cut(run.about.strings[value]);
  return value < 0 || (value === 0 && ZERO_IS_NONE.has(place)) ? "" : String(value);
}

const ENDS = new Set(["node", "peer", "from", "to"]);
const TEXTS = new Set(["text", "author", "room", "client", "reason", "entry", "id", "said"]);
const ZERO_IS_NONE = new Set(["term", "entry_term", "seq"]); // they are counted from 1

function laneOf(run, event, end) {
  if (end === "node") return run.lane[event];
  if (end === "peer") return run.peer[event];
  const frame = run.frame[event];
  return frame < 0 ? -1 : run[`frame_${end}`][frame];
}

function nameOf(run, event, end, place) {
  const lane = laneOf(run, event, end);
  if (lane < 0) return end !== "node" ? "" : place === end ? "the world" : "The world";
  const { kind } = run.lanes[lane];
  const name = end === "peer" && lane === run.lane[event] ? "itself" : run.lanes[lane].name;
  return place === end || kind === "client" ? name : capital(name);
}
