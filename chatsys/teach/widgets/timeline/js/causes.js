// Causal past and future: which events could have brought an event about, and which it could have.
//
// An event comes after the one before it at the same node, and a receive comes after its send (Lamport,
// 1978).  So the past of an event is a cut: at each lane all events up to one, and no later.  A cut is a
// number for each lane, found in one pass; whether an event lies in it is one comparison.
//
//     node 1  --o-----o--+      the past of e: all that stands left of the +
//     node 2  ----o--------e

function coneOf(run, event) {
  const past = new Int32Array(run.lanes.length).fill(-1);
  const future = new Int32Array(run.lanes.length).fill(run.n);
  const lane = run.lane[event];
  if (lane < 0) return { event, past, future, before: 0, after: 0 };
  past[lane] = future[lane] = event;
  const receive = run.about.kinds.indexOf("receive");
  let before = 0, after = 0;
  for (let one = event; one >= 0; one--) {
    const where = run.lane[one];
    if (where < 0 || one > past[where]) continue;
    if (one !== event) before++;
    const send = run.kind[one] === receive && run.frame[one] >= 0 ? run.frame_send[run.frame[one]] : -1;
    if (send >= 0 && run.lane[send] >= 0 && past[run.lane[send]] < send) past[run.lane[send]] = send;
  }
  for (let one = event; one < run.n; one++) {
    const where = run.lane[one];
    if (where < 0) continue;
    if (one < future[where] && run.kind[one] === receive && run.frame[one] >= 0) {
      const send = run.frame_send[run.frame[one]];
      if (send >= 0 && run.lane[send] >= 0 && send >= future[run.lane[send]]) future[where] = one;
    }
    if (one >= future[where] && one !== event) after++;
  }
  return { event, past, future, before, after };
}

/** Return "past", "future", "self" or "" for an event, seen from the one of the cone. */
function sideOf(run, cone, event) {
  if (event === cone.event) return "self";
  const lane = run.lane[event];
  if (lane < 0) return "";
  if (event <= cone.past[lane]) return "past";
  return event >= cone.future[lane] ? "future" : "";
}
