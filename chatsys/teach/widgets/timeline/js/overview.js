// The overview: the whole run in one strip, to see where one is, and to scrub.
//
//     leadership   one line for each node that led, thick where it did
//     signs        deliveries, crashes, violations, what was found by a search
//     window       what the lanes show now; the cursor is the line

const TALL = 38;

function overview(scrub) {
  const base = draw("g"), top = draw("g");
  const svg = draw("svg", { class: "cs-tl-overview", height: TALL, "aria-hidden": "true" }, base, top);
  let held = false, left = 0;
  const at = (event) => event.clientX - left;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = true;
    left = svg.getBoundingClientRect().left; // measured once: while it is held it stays where it is
    try { svg.setPointerCapture(event.pointerId); } catch { /* a pointer that a script made cannot be held */ }
    scrub(at(event), true);
  });
  svg.addEventListener("pointermove", (event) => held && scrub(at(event), true));
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { if (held) scrub(null, false); held = false; });
  return { svg, base, top };
}

function overviewX(scene, x) {
  return scene.label + (scene.axis.length ? (x / scene.axis.length) * scene.plot : 0);
}

function drawOverview(strip, scene) {
  const { run, axis } = scene;
  strip.svg.setAttribute("width", scene.width);
  strip.svg.setAttribute("viewBox", `0 0 ${scene.width} ${TALL}`);
  const parts = [draw("rect", { x: scene.label, y: 5, width: scene.plot, height: TALL - 10, rx: 3, class: "cs-tl-whole" }),
    draw("text", { x: scene.label - 10, y: 23, "text-anchor": "end", class: "cs-tl-small" }, "whole run")];
  const rows = scene.rows.filter(({ kind }) => kind !== "client");
  const step = (TALL - 14) / Math.max(rows.length, 1);
  rows.forEach(({ lane }, index) => {
    const y = 7 + step * (index + 0.5);
    for (const [role, wide] of [["leader", Math.min(step - 1.5, 5)], ["down", 1.2]]) for (const side of comparedIn(run) ? [0, 1, 2] : [undefined]) {
      const path = bandLine(scene, lane, role, y, side);
      if (path) parts.push(draw("path", { d: path, class: `cs-tl-mini cs-tl-mini-${role}`, "stroke-width": wide, ...sided(run, side) }));
    }
  });
  for (const fault of scene.faults) {
    const x0 = overviewX(scene, fault.x0), x1 = overviewX(scene, fault.x1);
    parts.push(draw("rect", { x: x0, y: 5, width: Math.max(x1 - x0, 1), height: 3, class: "cs-tl-mini-fault", ...sided(run, fault.side) }));
  }
  const jumps = run.about.jumps || {};
  parts.push(draw("path", { d: marks(scene, jumps.delivery, TALL - 9, TALL - 5), class: "cs-tl-mini-delivery" }));
  parts.push(draw("path", { d: marks(scene, jumps.crash, 5, TALL - 5), class: "cs-tl-mini-crash" }));
  parts.push(draw("path", { d: marks(scene, jumps.violation, 1, TALL - 1), class: "cs-tl-mini-break" }));
  parts.push(...drawSides(scene, TALL));
  parts.push(draw("path", { d: marks(scene, scene.view.found, 1, 5), class: "cs-tl-mini-found" }));
  parts.push(draw("path", { d: marks(scene, scene.view.lit ? [...scene.view.lit] : [], 1, TALL - 1), class: "cs-tl-mini-lit" }));
  strip.base.replaceChildren(...parts);
}

function bandLine(scene, lane, role, y, side) {
  let path = "", edge = -Infinity;
  for (const band of scene.bands[lane]) {
    if (roleOf(band.what) !== role || band.side !== side) continue;
    const x0 = Math.max(overviewX(scene, band.x0), edge), x1 = overviewX(scene, band.x1);
    if (x1 - edge < 0.5) continue;
    path += `M${x0.toFixed(1)},${y.toFixed(1)}H${Math.max(x1, x0 + 0.5).toFixed(1)}`;
    edge = x1;
  }
  return path;
}

function marks(scene, events, y0, y1) {
  let path = "", last = -9;
  for (const event of events || []) {
    const x = Math.round(overviewX(scene, scene.axis.x[event]) * 2) / 2;
    if (x === last) continue;
    last = x;
    path += `M${x},${y0}V${y1}`;
  }
  return path;
}

function moveOverview(strip, scene) {
  const { view } = scene;
  const x0 = Math.max(overviewX(scene, view.left), scene.label - 2), x1 = Math.min(overviewX(scene, view.left + scene.plot / view.scale), scene.width - 1);
  const at = overviewX(scene, view.at);
  strip.top.replaceChildren(
    draw("rect", { x: x0, y: 2.5, width: Math.max(x1 - x0, 3), height: TALL - 5, rx: 3, class: "cs-tl-window" }),
    draw("line", { x1: at, x2: at, y1: 0, y2: TALL, class: "cs-tl-now" }));
}
