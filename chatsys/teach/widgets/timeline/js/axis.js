// The axis: where an event stands.  Not at its time, for then every arrow were a vertical line: messages
// take 5 ms, and silences last 800.  The run brings a `place` for each event, which stretches what is busy
// and shortens what is silent; here the events that are hidden give up their room.  A switch shows true time.
//
//     x       one number for each event, never falling
//     unit    what one step between two events usually is

function layAxis(run, isShown, trueTime) {
  const x = new Float64Array(run.n);
  if (trueTime) {
    for (let event = 0; event < run.n; event++) x[event] = run.time[event] - run.time[0];
    return finishAxis(run, x, isShown, true);
  }
  let most = 0;
  for (let event = 1; event < run.n; event++) most = Math.max(most, run.place[event] - run.place[event - 1]);
  let last = -1; // the last event that is shown
  for (let event = 0; event < run.n; event++) {
    if (!isShown[event]) continue;
    const step = last < 0 ? 0 : Math.min(most, run.place[event] - run.place[last]);
    const from = last < 0 ? 0 : x[last];
    const whole = last < 0 ? 1 : run.place[event] - run.place[last] || 1;
    for (let one = last + 1; one < event; one++) x[one] = last < 0 ? 0 : from + (step * (run.place[one] - run.place[last])) / whole;
    x[event] = from + step;
    last = event;
  }
  for (let one = last + 1; one < run.n; one++) x[one] = last < 0 ? 0 : x[last] + Math.min(most, run.place[one] - run.place[last]);
  return finishAxis(run, x, isShown, false);
}

function finishAxis(run, x, isShown, trueTime) {
  const steps = [];
  let last = -1;
  const stride = Math.max(1, Math.floor(run.n / 20000));
  for (let event = 0; event < run.n; event++) {
    if (!isShown[event]) continue;
    if (last >= 0 && event % stride === 0 && x[event] > x[last]) steps.push(x[event] - x[last]);
    last = event;
  }
  steps.sort((a, b) => a - b);
  const unit = steps[Math.floor(steps.length / 2)] || 1;
  return { x, unit, length: run.n ? x[run.n - 1] : 0, trueTime };
}

/** Return the first index of a never falling array whose value is at least `value`. */
function firstAt(array, value, low = 0, high = array.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the x of a time: between two events it lies between them. */
function xOfTime(run, axis, time) {
  if (!run.n) return 0;
  const after = firstAt(run.time, time);
  if (after === 0) return axis.x[0];
  if (after === run.n) return axis.x[run.n - 1];
  if (run.time[after] === time) return axis.x[after];
  const share = (time - run.time[after - 1]) / (run.time[after] - run.time[after - 1]);
  return axis.x[after - 1] + share * (axis.x[after] - axis.x[after - 1]);
}

function timeOfX(run, axis, x) {
  if (!run.n) return 0;
  const after = firstAt(axis.x, x);
  if (after === 0) return run.time[0];
  if (after === run.n) return run.time[run.n - 1];
  const width = axis.x[after] - axis.x[after - 1];
  const share = width ? (x - axis.x[after - 1]) / width : 1;
  return run.time[after - 1] + share * (run.time[after] - run.time[after - 1]);
}

/** Return where a band begins: at the event of its lane that begins it, when there is one at that time. */
function xOfLane(run, axis, lane, time) {
  for (let event = firstAt(run.time, time); event < run.n && run.time[event] === time; event++) {
    if (run.lane[event] === lane && BEGINS.has(run.kindAt(event))) return axis.x[event];
  }
  return xOfTime(run, axis, time);
}

const BEGINS = new Set(["role", "lead", "crash", "broken", "refused", "start", "restart", "pause", "resume", "stop", "promise"]);

/** Return round times at readable distances between two x, as [time, x]. */
function ticks(run, axis, from, to, apart) {
  const found = [];
  let last = -Infinity;
  for (let x = from; x <= to; x += apart / 2) {
    const time = timeOfX(run, axis, x), after = timeOfX(run, axis, x + apart / 2);
    const step = roundStep(Math.max(after - time, 1e-4));
    const round = Math.ceil(time / step - 1e-9) * step;
    const where = xOfTime(run, axis, round);
    if (where < from || where > to || where - last < apart) continue;
    found.push([Number(round.toFixed(6)), where, step]);
    last = where;
  }
  return found;
}

function roundStep(span) {
  const power = 10 ** Math.floor(Math.log10(span));
  for (const times of [1, 2, 5, 10]) if (power * times >= span) return power * times;
  return power * 10;
}
