// The timeline: a cursor in a run, and everything that is drawn at it.  It decides nothing about the run.
//
//     keys, buttons, pointer --order--> view --paint--> lanes, overview, sentence, boxes, rules
//
// A frame of the screen is painted at most once, and only what changed: `layout` (a filter, the width), `window`
// (where one looks), `cursor` (the event of the moment).

const STILL = "(prefers-reduced-motion: reduce)";

function openTimeline(el, host) {
  const still = window.matchMedia(STILL).matches;
  const which = (document.csTimelines = (document.csTimelines || 0) + 1); // each widget of a notebook has its own copy of this text
  const prefix = `cs-tl${which}-${Math.random().toString(36).slice(2, 7)}`;
  let run = readyRun(host.about, host.columns);
  let view = newView(run);
  let scene = null, playing = 0, told = 0, moved = 0, boxed = 0, fresh = true;
  const dirty = new Set(["layout"]);

  // --- what is on the page ---
  const plot = lanePlot(prefix);
  const strip = overview((px, holds) => {
    pause();
    view.byHand = true;
    view.hurry = holds; // labels wait until the strip is let go
    if (!holds) { dirty.add("window"); wake(); }
    if (holds) goTo(nearestShown(scene, firstAt(scene.axis.x, ((px - scene.label) / scene.plot) * scene.axis.length)), "middle");
  });
  const bar = controlBar(order, still);
  const search = searchBox(order), filters = filterBox(order);
  const boxes = boxesBox(), rules = rulesBox((event) => order("go", event)), asked = askBox(order), compared = compareBox(order), legend = legendBox();
  const title = make("strong", { className: "cs-tl-about" });
  const when = make("span", { className: "cs-tl-when" }), now = make("span", { className: "cs-tl-sentence" });
  const flag = make("div", { className: "cs-tl-flagged" }, make("div", { className: "cs-tl-space" }), make("div", { className: "cs-tl-speech" }, when, now), make("div", { className: "cs-tl-speech-foot" }));
  const live = make("div", { className: "cs-tl-unseen", role: "status", "aria-live": "polite" });
  const note = make("div", { className: "cs-tl-note", role: "status" });
  const hover = make("div", { className: "cs-tl-hover", hidden: true });
  const stage = make("div", { className: "cs-tl-stage", tabIndex: 0, role: "application", "aria-roledescription": "space-time diagram" }, plot.svg, hover);
  stage.dataset.lmSuppressShortcuts = "true";
  const root = make("div", { className: "cs-timeline", role: "region", "aria-label": `timeline ${which}` },
    make("div", { className: "cs-tl-head" }, title, search.root), compared.root, bar.root, strip.svg, flag, stage, live, note, boxes.root, asked.root, rules.root,
    make("div", { className: "cs-tl-foot" }, filters.root, legend.root));
  root.dataset.still = String(still);
  el.append(root);

  // --- moving ---
  function goTo(event, follow = true) {
    if (!run.n) return;
    view.event = clamp(event, 0, run.n - 1);
    if (!scene) return;
    view.at = scene.axis.x[view.event];
    const before = view.left;
    holdWindow(scene, follow === "middle" ? true : follow);
    dirty.add(view.left !== before ? "window" : "cursor");
    wake();
  }
  function step(by) {
    const { events } = scene;
    let at = firstAt(events, view.event);
    if (events[at] !== view.event && by > 0) at -= 1; // the cursor stands on an event that is hidden
    goTo(events[clamp(at + by, 0, events.length - 1)] ?? view.event);
  }
  function jump([what, way]) {
    const events = what === "lit event" ? [...(view.lit || [])].sort((a, b) => a - b) : run.about.jumps?.[what] || [];
    const next = way > 0 ? events.find((event) => event > view.event) : events.findLast((event) => event < view.event);
    if (next === undefined) return tell(events.length ? `There is no ${way > 0 ? "later" : "earlier"} ${what}.` : `There is no ${what} in this run.`);
    goTo(next);
  }
  function part() {
    const events = run.about.jumps?.parting || [];
    goTo(events.find((event) => event > view.event && events.includes(view.event)) ?? events[0], "middle");
    tell(run.about.compare.says);
  }
  function zoom(times) {
    const at = scene.px(view.at);
    const anchor = at < scene.label || at > scene.width ? scene.label + scene.plot / 2 : at;
    const x = scene.xAt(anchor);
    view.scale *= times;
    holdWindow(scene, false);
    view.left = x - (anchor - scene.label) / view.scale;
    holdWindow(scene, false);
    dirty.add("window");
    wake();
  }
  function play() {
    if (still) return tell("Your system asks for less motion, so nothing plays by itself; step with the arrow keys.");
    if (view.playing) return pause();
    if (view.event >= (scene.events.at(-1) ?? 0)) goTo(scene.events[0] ?? 0);
    view.playing = true;
    playing = performance.now();
    dirty.add("controls");
    wake();
  }
  function pause() {
    if (!view.playing) return;
    view.playing = false;
    dirty.add("cursor").add("controls");
    wake();
  }
  function flow(time) {
    const passed = Math.min(time - playing, 100) / 1000;
    playing = time;
    view.at = Math.min(view.at + passed * view.speed * scene.axis.unit, scene.axis.length);
    const after = firstAt(scene.axis.x, view.at + 1e-9);
    view.event = Math.max(latestShown(scene, after - 1), 0);
    if (view.at >= scene.axis.length) view.playing = false;
    const wide = scene.plot / view.scale;
    if (view.at > view.left + wide * 0.62 || view.at < view.left) { view.left = view.at - wide * 0.62; dirty.add("window"); }
    holdWindow(scene, false);
    dirty.add("cursor").add("controls");
  }
  function light(event) {
    view.cone = view.cone && view.cone.event === event ? null : coneOf(run, event);
    view.lit = null;
    if (view.cone) {
      tell(run.lane[event] < 0 ? "This was done to the nodes from outside, so nothing in the run brought it about."
        : `What is lit (bright; the rest is dim): its past, ${view.cone.before} events that could have brought it about (blue); its future, ${view.cone.after} that it could have (amber). Escape clears.`);
    } else tell("");
    dirty.add("window");
    wake();
  }
  function clear() {
    view.cone = view.lit = null;
    hover.hidden = true;
    tell("");
    dirty.add("window").add("overview");
    wake();
  }
  function tell(text) { put(note, text); }

  const ORDERS = {
    step, jump, part, zoom, play, go: (event) => goTo(event, true),
    home: () => goTo(scene.events[0] ?? 0), end: () => goTo(scene.events.at(-1) ?? run.n - 1),
    speed: (value) => (view.speed = value),
    whole: () => { view.scale = 1e-9; holdWindow(scene, false); view.left = 0; holdWindow(scene, false); dirty.add("window"); wake(); },
    trueTime: (on) => {
      const wide = scene.plot / view.scale, share = clamp((view.at - view.left) / wide, 0.1, 0.9);
      const span = timeOfX(run, scene.axis, view.at + wide / 2) - timeOfX(run, scene.axis, view.at - wide / 2);
      view.trueTime = on; // as much time in the window as there was around the cursor, and the cursor where it stood
      relay(() => {
        const now = run.time[view.event];
        const x = xOfTime(run, scene.axis, now + span / 2) - xOfTime(run, scene.axis, now - span / 2);
        view.scale = on && x ? scene.plot / x : 0;
        holdWindow(scene, false);
        view.left = scene.axis.x[view.event] - (share * scene.plot) / view.scale;
      });
    },
    filter: () => relay(),
    search: (text) => {
      view.found = find(scene, text);
      const here = view.found.findIndex((event) => event >= view.event);
      search.say(!text.trim() ? "" : view.found.length ? `${view.found.length} found; Enter goes to the next` : "nothing found");
      view.foundAt = here < 0 ? view.found.length - 1 : here - 1;
      dirty.add("overview");
      wake();
    },
    found: (way) => {
      if (!view.found.length) return;
      view.foundAt = (view.foundAt + way + view.found.length) % view.found.length;
      search.say(`${view.foundAt + 1} of ${view.found.length}`);
      goTo(view.found[view.foundAt]);
    },
    focus: () => stage.focus(),
    ask: (question) => host.ask?.({ ...question, event: view.event }, run),
  };
  function order(what, value) {
    view.byHand = true; // what a person does is told to Python; what Python does, or a world that goes on, is not
    if (what !== "play" && what !== "speed") pause();
    ORDERS[what](value);
  }

  // --- painting ---
  function width() { return Math.max(Math.floor(root.clientWidth - 20), 320); }
  function relay(after) {
    scene = layScene(run, view, width());
    after?.();
    view.at = run.n ? scene.axis.x[view.event] : 0;
    holdWindow(scene, !after);
    for (const what of ["window", "overview", "controls", "rules"]) dirty.add(what);
    wake();
  }
  function wake() {
    if (!moved) moved = requestAnimationFrame(paint);
  }
  function paint(time) {
    moved = 0;
    if (!root.clientWidth) return; // not on the page, or in a tab that is hidden: all waits until it is seen
    if (dirty.delete("layout")) {
      filters.build(run, view);
      legend.show(run);
      relay();
      if (fresh && run.n && !scene.shown[view.event]) { view.event = nearestShown(scene, view.event); view.at = scene.axis.x[view.event]; holdWindow(scene, true); }
      fresh = false;
    }
    if (view.playing) flow(time);
    const whole = dirty.delete("window");
    if (whole) drawLanes(plot, scene, lights(run, view));
    if (dirty.delete("overview")) drawOverview(strip, scene);
    if (dirty.delete("controls")) { bar.show(view, run); filters.show(scene); }
    if (dirty.delete("rules")) rules.show(scene);
    if (dirty.delete("cursor") || whole) paintCursor();
    if (view.playing) wake();
  }
  function paintBoxes() {
    boxed = performance.now();
    boxes.show(scene, momentAt(run, view.event));
  }
  function paintCursor() {
    moveOverview(strip, scene);
    drawCursor(plot, scene);
    if (run.n) {
      if (!view.hurry || performance.now() - boxed > 100) paintBoxes(); // nobody reads boxes that fly by
      put(when, `${run.time[view.event].toFixed(4)} s · event ${[`${view.event + 1} of ${run.n}`, runWords(run, view.event)].filter(Boolean).join(" · ")}`);
      put(now, sentenceOf(run, view.event));
    } else put(now, "Nothing has happened yet.");
    rules.move(scene);
    placeFlag(flag, scene);
    stage.dataset.event = view.event;
    clearTimeout(told); // a reader hears where the cursor stays, not what it passed
    told = setTimeout(() => { if (view.hurry && run.n) paintBoxes(); put(live, run.n ? saidAloud(run, view.event) : now.textContent); if (view.byHand) host.moved?.(view.event); }, 250);
  }

  // --- keys and pointer ---
  root.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input:not([type=checkbox]), select, textarea");
    const does = keyOf(event, Boolean(event.target.closest("button, summary, input")), inField);
    if (!does || (does[0] === "part" && !run.about.jumps?.parting?.length)) return;
    event.preventDefault();
    event.stopPropagation();
    if (does[0] !== "play") pause();
    if (does[0] === "clear") clear();
    else if (does[0] === "light") light(view.event);
    else if (does[0] === "find") search.input.focus();
    else order(...does);
  });
  const eventUnder = (pointer) => eventAt(scene, plot.svg, pointer);
  stage.addEventListener("pointermove", (pointer) => showHover(hover, stage, scene, pointer, eventUnder(pointer)));
  stage.addEventListener("pointerleave", () => (hover.hidden = true));
  stage.addEventListener("click", (pointer) => {
    const event = eventUnder(pointer);
    view.byHand = true;
    pause();
    if (event >= 0) { goTo(event, false); light(event); return; }
    const px = pointer.clientX - plot.svg.getBoundingClientRect().left;
    if (px < scene.label) return;
    if (view.cone || view.lit) clear();
    goTo(nearestShown(scene, firstAt(scene.axis.x, scene.xAt(px))), false);
  });
  boxes.root.addEventListener("click", (pointer) => {
    const box = pointer.target.closest(".box");
    if (box) { view.byHand = true; pause(); goTo(Number(box.dataset.event)); }
  });
  stage.addEventListener("wheel", (wheel) => {
    if (!wheel.ctrlKey && Math.abs(wheel.deltaX) <= Math.abs(wheel.deltaY) && !wheel.shiftKey) return; // the page scrolls
    wheel.preventDefault();
    if (wheel.ctrlKey) return zoom(wheel.deltaY < 0 ? 1.2 : 1 / 1.2);
    view.left += (wheel.shiftKey && !wheel.deltaX ? wheel.deltaY : wheel.deltaX) / view.scale;
    holdWindow(scene, false);
    dirty.add("window");
    wake();
  }, { passive: false });

  const watcher = new ResizeObserver(() => {
    if (root.clientWidth && width() !== scene?.width) dirty.add("layout");
    wake();
  });
  watcher.observe(root);
  head();
  if (Number.isInteger(host.event) && host.event >= 0) view.event = clamp(host.event, 0, Math.max(run.n - 1, 0));
  wake();

  function head() {
    put(title, titleOf(run.about));
    stage.setAttribute("aria-label", `${titleOf(run.about)}. ${run.n} events. Arrow keys step, e d v jump, Enter lights what caused an event, slash searches.`);
    asked.show(run, Boolean(host.ask));
    compared.show(run);
    root.classList.toggle("cs-tl-two", Boolean(run.about.compare));
  }

  return {
    go: (event) => {
      if (event === view.event && !fresh) return;
      view.byHand = fresh = false;
      view.event = clamp(event, 0, Math.max(run.n - 1, 0));
      if (!isShownOf(run, view.hidden)[view.event]) { // whoever names an event means that one: its kind is shown from now on
        view.hidden.messages.delete(run.message[view.event]);
        view.hidden.kinds.delete(run.kind[view.event]);
        dirty.add("layout");
      }
      if (dirty.has("layout")) wake(); // what is drawn is of the run as it was
      else goTo(event, true);
    },
    light: (events) => {
      if (!events.length && !view.lit && view.cone) return; // nothing is to be lit, and the cone is a person's
      view.lit = events.length ? new Set(events) : null;
      view.cone = null;
      tell(events.length ? `Lit, that is, bright while the rest is dim: ${events.length === 1 ? "the event" : `the ${events.length} events`} that this rests on; l goes to the next one. Escape clears.` : "");
      dirty.add("window").add("overview");
      wake();
    },
    say: asked.say,
    take: (about, columns) => {
      view.byHand = false;
      const last = view.event >= (scene?.events.at(-1) ?? run.n - 1);
      const before = run;
      run = readyRun(about, columns);
      view.hidden = hiddenAfter(before, view.hidden, run);
      view.cone = null;
      if (last) view.event = Math.max(run.n - 1, 0);
      fresh = last; // and from there to the last one that is shown
      head();
      dirty.add("layout");
      wake();
    },
    close: () => { watcher.disconnect(); view.playing = false; clearTimeout(told); root.remove(); },
  };
}

function readyRun(about, columns) {
  const run = unpack(about, columns);
  readyMoments(run);
  return run;
}

function titleOf(about) {
  if (about.compare) return `Two runs: “${about.compare.names[0]}” above, “${about.compare.names[1]}” below`;
  const nodes = about.lanes.filter(({ kind }) => kind === "node").length;
  return (about.title ? `${about.title}: ` : "") + factsOfRun(about, nodes);
}

/** Return what is known of a run before anything happens in it. */
function factsOfRun(about, nodes) {
  const words = { sim: "simulated", kernel: "in the notebook's kernel", processes: "one process each", containers: "one container each" };
  const facts = [`${nodes} ${nodes === 1 ? "node" : "nodes"}`, words[about.where] || about.where];
  if (about.seed !== null && about.seed !== undefined) facts.push(`seed ${about.seed}`);
  if (about.quorum) facts.push(`quorum ${about.quorum}`);
  return facts.filter(Boolean).join(", ");
}

/** Return how an event and a frame are lit: by their side of a cone, or because Python named them. */
function lights(run, view) {
  const event = view.cone ? (one) => LIT[sideOf(run, view.cone, one)] : view.lit ? (one) => (view.lit.has(one) ? "cs-tl-lit" : "") : () => "";
  const frame = (one) => {
    if (!view.cone && !view.lit) return "";
    const ends = [run.frame_send[one], ...arrivals(run, one), run.frame_fate[one] === DROPPED ? run.frame_end[one] : -1].filter((end) => end >= 0);
    if (view.lit) return ends.some((end) => view.lit.has(end)) ? "cs-tl-lit" : "";
    if (ends.includes(view.cone.event)) return "cs-tl-self";
    const sides = ends.map((end) => sideOf(run, view.cone, end));
    return sides.every((side) => side === "past") ? "cs-tl-past" : sides.every((side) => side === "future") ? "cs-tl-future" : "";
  };
  return { event, frame };
}
const LIT = { past: "cs-tl-past", future: "cs-tl-future", self: "cs-tl-self", "": "" };

function latestShown(scene, event) {
  const at = firstAt(scene.events, event + 1) - 1;
  return scene.events[Math.max(at, 0)] ?? event;
}

function nearestShown(scene, event) {
  const { events, axis, run } = scene;
  const at = firstAt(events, event);
  const after = events[at], before = events[at - 1];
  if (after === undefined || before === undefined) return after ?? before ?? 0;
  const x = axis.x[Math.min(event, run.n - 1)];
  return axis.x[after] - x <= x - axis.x[before] ? after : before;
}
