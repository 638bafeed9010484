// Arrows: one for each frame that was sent, from the lane of its sender to that of its receiver.
//
//     received     a whole arrow          received twice    two of them, the second dashed
//     dropped      it ends in a cross     under way         it fades where the run ends
//     ended        so it does where its receiver crashed before it came
//
// A world that loses a frame says so at once, so a lost arrow has no time of its own: it is drawn short.

const CROWDED = 260; // so many arrows are drawn one by one; more become one path
const MOST = 1600;

function endsOf(scene, frame) {
  const { run, axis, half } = scene;
  const from = run.frame_from[frame], to = run.frame_to[frame];
  const send = run.frame_send[frame];
  const down = from < 0 || scene.yOf[to] >= scene.yOf[from] ? 1 : -1;
  const y1 = from < 0 || send < 0 ? scene.yOf[to] - down * 34 : scene.yOf[from] + down * half;
  const y2 = scene.yOf[to] - down * half;
  const x1 = (end) => (send >= 0 ? scene.px(axis.x[send]) : scene.px(axis.x[end]) - 22);
  const whole = arrivals(run, frame).map((end) => ({ x1: x1(end), y1, x2: Math.max(scene.px(axis.x[end]), x1(end) + 3), y2, end }));
  if (whole.length) return whole;
  const start = x1(run.frame_end[frame]);
  const drop = [DROPPED, ENDED].includes(run.frame_fate[frame]) ? run.frame_end[frame] : -1;
  if (drop >= 0 && run.lane[drop] === to && from !== to) return [{ x1: start, y1, x2: Math.max(scene.px(axis.x[drop]), start + 10), y2: y2 - down * 7, end: drop, lost: true }];
  const share = drop >= 0 ? 0.45 : 0.6;
  return [{ x1: start, y1, x2: start + (drop >= 0 ? 17 : 30), y2: y1 + (y2 - y1) * share, end: drop, lost: drop >= 0, open: drop < 0 }];
}

function lineOf({ x1, y1, x2, y2, lost, open }, self) {
  const n = (value) => value.toFixed(1);
  if (self) return `M${n(x1)},${n(y1)} C${n(x1)},${n(y1 - 26)} ${n(x2)},${n(y1 - 26)} ${n(x2)},${n(y1)}`;
  let path = `M${n(x1)},${n(y1)} L${n(x2)},${n(y2)}`;
  if (lost) return `${path} m-4.5,-4.5 l9,9 m0,-9 l-9,9`;
  if (open) return path;
  const long = Math.hypot(x2 - x1, y2 - y1) || 1;
  const ux = (x2 - x1) / long, uy = (y2 - y1) / long;
  const wing = (side) => `${n(x2 - 8 * ux + side * 3.6 * uy)},${n(y2 - 8 * uy - side * 3.6 * ux)}`;
  return `${path} M${wing(1)} L${n(x2)},${n(y2)} L${wing(-1)}`;
}

function drawArrow(scene, frame, light) {
  const { run } = scene;
  const self = run.frame_from[frame] === run.frame_to[frame];
  const send = run.frame_send[frame];
  const fate = FATES[run.frame_fate[frame]];
  const ends = endsOf(scene, frame);
  const arrow = draw("g", {
    class: `arrow cs-tl-arrow ${light}`, "data-frame": frame, "data-id": send >= 0 ? run.stringAt("id", send) : ends[0].end >= 0 ? run.stringAt("id", ends[0].end) : "",
    "data-from": idOf(run, run.frame_from[frame]), "data-to": idOf(run, run.frame_to[frame]),
    "data-message": run.about.messages[run.frame_message[frame]] || "", "data-fate": fate,
    "data-send": send, "data-receive": arrivals(run, frame).join(" "), ...sided(run, sideOfFrame(run, frame)),
  });
  ends.forEach((one, copy) => {
    const path = lineOf(one, self);
    arrow.append(draw("path", { d: path, class: "cs-tl-hit" }), draw("path", { d: path, class: `cs-tl-line${one.lost ? " cs-tl-lost" : ""}${one.open ? " cs-tl-open" : ""}${copy ? " cs-tl-copy" : ""}` }));
  });
  return { arrow, ends };
}

/** Write what a frame is beside its arrow, where there is room and nothing stands yet. */
function labelArrow(scene, frame, { arrow, ends }, taken, always) {
  const { run } = scene;
  const send = run.frame_send[frame];
  const number = send < 0 ? "" : run.number[send] >= 0 ? ` #${run.number[send]}` : run.seq[send] > 0 ? ` ${run.seq[send]}` : "";
  const text = (run.about.messages[run.frame_message[frame]] || "").replaceAll("_", " ").toLowerCase() + number;
  const { x1, y1, x2, y2 } = ends[0];
  const wide = text.length * 5.7 + 4;
  for (const share of [0.5, 0.35, 0.65, 0.22, 0.78]) {
    const box = [x1 + (x2 - x1) * share + 5, y1 + (y2 - y1) * share - 6];
    const inside = box[0] >= scene.label && box[0] + wide <= scene.width;
    const free = inside && !taken.some(([x, y, w]) => box[0] < x + w && x < box[0] + wide && Math.abs(box[1] - y) < 12);
    const clear = !scene.edges.some(([y, left, right]) => Math.abs(box[1] + 4 - y) < 8 && box[0] < right && box[0] + wide > left) && scene.rows.every(({ lane }) => Math.abs(box[1] + 5 - scene.yOf[lane]) > scene.half + 7);
    if ((!free || !clear) && !(always && share === 0.78)) continue;
    taken.push([...box, wide]);
    arrow.append(draw("text", { x: box[0].toFixed(1), y: (box[1] + 9).toFixed(1), class: "cs-tl-tag" }, text));
    return;
  }
}

function drawArrows(scene, first, last, lightOf) {
  const frames = [...framesWithin(scene, first, last)].filter((frame) => isFrameShown(scene, frame));
  if (frames.length > CROWDED) return [drawTogether(scene, frames, lightOf)].flat();
  const taken = [...scene.words];
  const drawn = frames.map((frame) => [frame, drawArrow(scene, frame, lightOf(frame))]);
  if (frames.length <= 120 && !scene.view.hurry) for (const [frame, one] of drawn) labelArrow(scene, frame, one, taken, false);
  return drawn.map(([, one]) => one.arrow);
}

/** Many arrows as a few paths: one may see how dense they are, and no longer which is which. */
function drawTogether(scene, frames, lightOf) {
  const paths = {};
  const stride = Math.ceil(frames.length / MOST);
  for (let at = 0; at < frames.length; at += stride) {
    const [one] = endsOf(scene, frames[at]);
    const key = `${one.lost ? "cs-tl-lost" : "cs-tl-plain"} ${lightOf(frames[at])}|${sideOfFrame(scene.run, frames[at])}`;
    (paths[key] ||= []).push(one.lost ? lineOf(one, false) : `M${one.x1.toFixed(0)},${one.y1.toFixed(0)} L${one.x2.toFixed(0)},${one.y2.toFixed(0)}`);
  }
  return Object.entries(paths).map(([key, lines]) => {
    const [look, side] = key.split("|");
    return draw("path", { class: `cs-tl-many ${look}`, d: lines.join(""), ...sided(scene.run, side) });
  });
}
