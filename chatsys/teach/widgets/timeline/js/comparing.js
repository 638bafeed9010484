// Comparing: two runs in one picture.  What both have is grey; what only one has, in the colour of that run.
//
//     about.compare     {names, says, by, event, runs}, where there are two; else nothing here is ever seen
//     run.side          0: both runs have this event       1, 2: only that run       3: nobody compared it
//     run.run           the run that the event belongs to
//
// The runs stand one above the other, each with its name and its colour at the edge, so no colour is told alone.

const PART = "here these runs part";

/** Return what the two runs are called, or null where there is one. */
function comparedIn(run) {
  return run.about.compare ? run.about.compare.names : null;
}

/** Return the side of a frame: that of the first of its ends that only one run has. */
function sideOfFrame(run, frame) {
  if (!run.side) return 0;
  const sides = [run.frame_send[frame], ...arrivals(run, frame), run.frame_end[frame]].filter((end) => end >= 0).map((end) => run.side[end]);
  return sides.find((side) => side === 1 || side === 2) ?? sides[0] ?? 0;
}

/** Return the attributes of something that has a side: none where there is one run. */
function sided(run, side) {
  return run.about.compare ? { "data-side": side } : {};
}

/** Say which run an event belongs to, and whether the other one has it. */
function runWords(run, event) {
  const names = comparedIn(run);
  if (!names) return "";
  const mine = names[run.run[event] - 1], other = names[2 - run.run[event]];
  return [`in “${mine}”, as in “${other}”`, `in “${mine}” alone`, `in “${mine}” alone`, `in “${mine}”`][run.side[event]];
}

/** Say the sentence of an event for somebody who does not see in which run it stands. */
function saidAloud(run, event) {
  const words = runWords(run, event);
  return words ? `${capital(words)}: ${sentenceOf(run, event)}` : sentenceOf(run, event);
}

/** Return what a lane is called where its group is not in sight. */
function laneInFull(lane) {
  return lane.run ? `${lane.name} in “${lane.run}”` : lane.name;
}

/** Return what is known of one of the runs, beside its name. */
function runFacts(run, side) {
  const nodes = run.lanes.filter((lane) => lane.side === side && lane.kind === "node").length;
  return factsOfRun(run.about.compare.runs[side - 1], nodes);
}

/** The head of a comparison: where the runs part, a button that goes there, and what the colours mean. */
function compareBox(order) {
  const says = make("p", { className: "cs-tl-parting-says" });
  const go = button("go there", "Go to where these runs part (p; again for the other run)", () => order("part"), "cs-tl-part");
  const keys = make("div", { className: "cs-tl-legend cs-tl-runs" });
  const root = make("div", { role: "group", className: "cs-tl-compare", "aria-label": "two runs compared", hidden: true }, make("div", { className: "cs-tl-parting-head" }, says, go), keys);
  return {
    root,
    show(run) {
      const { compare } = run.about;
      root.hidden = !compare;
      if (!compare) return;
      put(says, compare.says);
      go.hidden = compare.event === null;
      root.dataset.parts = String(!go.hidden);
      const key = (side, text) => make("span", { className: "cs-tl-key" }, make("i", { className: `cs-tl-key-run cs-tl-run-${side}` }), text);
      const story = compare.by !== "event by event";
      keys.replaceChildren(key(1, `only in “${compare.names[0]}”`), key(2, `only in “${compare.names[1]}”`),
        key(0, story ? "in both, or no part of the story, as no frame and no heartbeat is" : "in both"));
    },
  };
}

/** Return the heads of the groups of lanes: a name, what is known of the run, and its colour along its lanes. */
function drawGroups(scene) {
  const { run } = scene;
  return scene.groups.flatMap(({ side, name, top, bottom }) => [
    draw("rect", { x: 0, y: top, width: scene.width, height: bottom - top, rx: 4, class: `cs-tl-group-ground cs-tl-run-${side}` }),
    draw("rect", { x: 0, y: top, width: 4, height: bottom - top, rx: 2, class: `cs-tl-group-edge cs-tl-run-${side}`, "data-run": side }),
    draw("text", { x: 12, y: top + 16, class: `cs-tl-group-name cs-tl-run-${side}` }, name, draw("tspan", { dx: 10, class: "cs-tl-small" }, runFacts(run, side))),
  ]);
}

/** Mark where the runs part: a line through both, a flag, and a ring around the first event of each that the other lacks. */
function drawParting(scene) {
  const { run, axis } = scene;
  const { compare } = run.about;
  if (!compare || compare.event === null) return [];
  const x = scene.px(axis.x[compare.event]);
  const wide = PART.length * 6.7 + 18;
  const left = x + wide < scene.width ? x - 1 : x - wide + 1; // a pennant beside the line, so that the cursor strikes no word out
  const mark = draw("g", { class: "cs-tl-parting", "data-event": compare.event, "data-time": run.time[compare.event] },
    draw("line", { x1: x, x2: x, y1: 40, y2: scene.height, class: "cs-tl-parting-line" }),
    draw("rect", { x: left, y: 23, width: wide, height: 19, rx: 4, class: "cs-tl-parting-flag" }),
    draw("text", { x: left + wide / 2, y: 37, "text-anchor": "middle", class: "cs-tl-parting-word" }, PART),
    draw("title", {}, compare.says));
  const rings = (run.about.jumps.parting || []).filter((event) => run.lane[event] >= 0 && scene.yOf[run.lane[event]] > 0).map((event) =>
    draw("circle", { cx: scene.px(axis.x[event]), cy: scene.yOf[run.lane[event]], r: 15, class: `cs-tl-parting-ring cs-tl-run-${run.run[event]}`, "data-event": event }));
  return x < scene.label - wide || x > scene.width + wide ? rings : [mark, ...rings];
}

/** Return the marks of what only one run has, over the whole run: above for the first, below for the second. */
function drawSides(scene, tall) {
  const { run } = scene;
  if (!run.side) return [];
  const only = (side) => scene.events.filter((event) => run.side[event] === side);
  const parts = [[1, 1, 5], [2, tall - 5, tall - 1]].map(([side, y0, y1]) => draw("path", { d: marks(scene, only(side), y0, y1), class: `cs-tl-mini-side cs-tl-run-${side}` }));
  const { event } = run.about.compare;
  if (event !== null) parts.push(draw("path", { d: marks(scene, [event], 0, tall), class: "cs-tl-mini-parting" }));
  return parts;
}
