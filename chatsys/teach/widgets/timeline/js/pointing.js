// Pointing: which key means what, which event is under the pointer, and what the hover says.

/** Return what each key does, of those that find something in this run. */
function helpOf(run) {
  const found = [["e", "election"], ["d", "delivery"], ["v", "violation"]].filter(([, what]) => run.about.jumps?.[what]?.length);
  const next = [...found, ["l", "lit event"]];
  return "Arrow right and left: one event. Shift with an arrow: ten. Home, End: the beginning, the end. Space: play or hold. "
    + `${next.map(([key]) => key).join(", ")}: the next ${next.map(([, what]) => what).join(", ")} (Shift: the previous one). `
    + `${run.about.compare ? "p: where two runs part. " : ""}+ and −: zoom. /: search. `
    + "Enter: light, that is, keep bright while the rest turns dim, what could have caused the event, and what it could have caused. Escape: clear. "
    + "With the mouse: drag the strip of the whole run, click an event, an arrow or a box, and Shift or Ctrl with the wheel to move and to zoom.";
}

/** Return what a key means: an order and its value. */
function keyOf(event, onButton, inField) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  if (inField) return event.key === "Escape" ? ["focus"] : null;
  const back = event.shiftKey ? -1 : 1;
  switch (event.key) {
    case "ArrowRight": return ["step", event.shiftKey ? 10 : 1];
    case "ArrowLeft": return ["step", event.shiftKey ? -10 : -1];
    case "Home": return ["home"];
    case "End": return ["end"];
    case " ": return onButton ? null : ["play"];
    case "Enter": return onButton ? null : ["light"];
    case "Escape": return ["clear"];
    case "e": case "E": return ["jump", ["election", back]];
    case "d": case "D": return ["jump", ["delivery", back]];
    case "v": case "V": return ["jump", ["violation", back]];
    case "p": case "P": return ["part"];
    case "l": case "L": return ["jump", ["lit event", back]];
    case "+": case "=": return ["zoom", 1.5];
    case "-": return ["zoom", 1 / 1.5];
    case "/": return ["find"];
    default: return null;
  }
}

/** Return the event under the pointer: of an arrow the end that is nearer; -1 where nothing is. */
function eventAt(scene, svg, pointer) {
  const thing = pointer.target.closest?.("[data-event], [data-frame]");
  if (!thing || !svg.contains(thing)) return -1;
  if (thing.dataset.event !== undefined) return Number(thing.dataset.event);
  const ends = [Number(thing.dataset.send), ...thing.dataset.receive.split(" ").filter(Boolean).map(Number)].filter((end) => end >= 0);
  const x = pointer.clientX - svg.getBoundingClientRect().left;
  const off = (end) => Math.abs(scene.px(scene.axis.x[end]) - x);
  return ends.length ? ends.reduce((best, end) => (off(end) < off(best) ? end : best)) : scene.run.frame_end[Number(thing.dataset.frame)];
}

function showHover(hover, stage, scene, pointer, event) {
  const under = pointer.target.closest?.(".fault, .band, [data-event], [data-frame]");
  const lines = !under || !stage.contains(under) ? [] : wordsFor(scene, under, event);
  hover.hidden = !lines.length;
  if (!lines.length) return;
  hover.replaceChildren(...lines.map((line, index) => make(index ? "div" : "strong", { className: index ? "cs-tl-hover-more" : "" }, line)));
  const box = stage.getBoundingClientRect();
  const x = pointer.clientX - box.left, y = pointer.clientY - box.top;
  const left = clamp(x + 14, 4, Math.max(box.width - hover.offsetWidth - 4, 4));
  hover.style.left = `${left}px`;
  hover.style.top = `${y + 18 + hover.offsetHeight > box.height && y > hover.offsetHeight + 12 ? y - hover.offsetHeight - 12 : y + 18}px`;
}

function wordsFor(scene, under, event) {
  const { run } = scene;
  const data = under.dataset;
  if (under.classList.contains("fault")) return [data.says, `${Number(data.from).toFixed(2)} s to ${Number(data.to).toFixed(2)} s`];
  if (under.classList.contains("band")) {
    const lane = run.lanes.findIndex(({ id }) => String(id) === data.node);
    const band = scene.bands[lane]?.find((one) => String(one.from) === data.from && one.what === data.what);
    return [`${laneInFull(run.lanes[lane])}: ${band ? wordOf(band) : data.what}`, `${Number(data.from).toFixed(3)} s to ${Number(data.to).toFixed(3)} s`];
  }
  if (data.frame !== undefined) return frameWords(scene, Number(data.frame));
  const rule = run.rules.find((one) => !one.held && one.event === event);
  return [sentenceOf(run, event), factsOf(run, event), ...(rule ? [`It broke ${rule.name}: ${rule.says}`] : [])];
}

function factsOf(run, event) {
  const facts = [`${run.time[event].toFixed(4)} s`, `event ${event + 1}`, runWords(run, event)].filter(Boolean);
  if (run.clock[event] > 0) facts.push(`Lamport clock ${run.clock[event]}`);
  return facts.join(" · ");
}

function frameWords(scene, frame) {
  const { run } = scene;
  const send = run.frame_send[frame], ends = arrivals(run, frame), end = run.frame_end[frame];
  const words = [send >= 0 ? sentenceOf(run, send) : end >= 0 ? sentenceOf(run, end) : ""];
  if (ends.length && send >= 0) words.push(ends.map((one) => `It arrives ${seconds(run.time[one] - run.time[send])} later, at ${run.time[one].toFixed(4)} s.`).join(" "));
  else if (run.frame_fate[frame] === DROPPED) words.push(`It is lost${["", "lost"].includes(run.stringAt("reason", end)) ? "" : ` (${run.stringAt("reason", end)})`}.`);
  else if (run.frame_fate[frame] === ENDED) words.push("Its receiver's life ended before it came.");
  else if (send < 0) words.push("The trace does not tell of its sending.");
  else words.push("It is still under way when the run ends.");
  const id = send >= 0 ? run.stringAt("id", send) : end >= 0 ? run.stringAt("id", end) : "";
  words.push([`${run.time[send >= 0 ? send : end].toFixed(4)} s`, id && `frame ${id}`, runWords(run, send >= 0 ? send : end)].filter(Boolean).join(" · "));
  return words;
}

/** Put the sentence over the cursor, within the width there is: the space before it shrinks.  Nothing is measured here,
 *  for whoever measures while a frame is painted makes the browser lay the page out twice. */
function placeFlag(flag, scene) {
  const [space, , foot] = flag.children;
  const x = clamp(scene.px(scene.view.at), scene.label, scene.width - 12);
  space.style.flexBasis = `${Math.max(x - 60, 0).toFixed(0)}px`;
  foot.style.transform = `translateX(${(x - 5).toFixed(0)}px) rotate(45deg)`;
}
