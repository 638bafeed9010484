// The controls: step, play, jump, search, zoom, and what is shown.  Each posts an order; the timeline obeys.

const SPEEDS = [[1, "1 step/s"], [4, "4 steps/s"], [12, "12 steps/s"], [40, "40 steps/s"], [150, "150 steps/s"]];

const ICONS = {
  home: "M3,2 V14 M13,2 L6,8 L13,14 Z", end: "M13,2 V14 M3,2 L10,8 L3,14 Z", back: "M12,2 L4,8 L12,14 Z", step: "M4,2 L12,8 L4,14 Z",
  play: "M4,1.5 L14,8 L4,14.5 Z", hold: "M4,2 H6.5 V14 H4 Z M9.5,2 H12 V14 H9.5 Z",
};

function controlBar(order, still) {
  const play = button(icon(ICONS.play), still ? "Your system asks for less motion, so nothing plays by itself; step instead" : "Play (space)", () => order("play"), "cs-tl-play");
  if (still) play.setAttribute("aria-disabled", "true");
  const speed = make("select", { className: "cs-tl-speed", "aria-label": "speed", onchange: () => order("speed", Number(speed.value)) });
  for (const [value, words] of SPEEDS) speed.append(make("option", { value, selected: value === 4 }, words));
  const steps = make("div", { className: "cs-tl-group", role: "group", "aria-label": "move" },
    button(icon(ICONS.home), "To the beginning (Home)", () => order("home")), button(icon(ICONS.back), "Step back (left arrow; ten steps with Shift)", () => order("step", -1), "cs-tl-back"), play,
    button(icon(ICONS.step), "Step (right arrow; ten steps with Shift)", () => order("step", 1), "cs-tl-step"), button(icon(ICONS.end), "To the end (End)", () => order("end")), speed);
  const jumps = make("div", { className: "cs-tl-group cs-tl-jumps", role: "group", "aria-label": "jump" });
  const jumpers = {};
  for (const [what, key] of [["election", "e"], ["delivery", "d"], ["violation", "v"]]) {
    jumpers[what] = [button("‹", `Previous ${what} (Shift+${key})`, () => order("jump", [what, -1]), "cs-tl-prev"), button(`${what} ›`, `Next ${what} (${key})`, () => order("jump", [what, 1]), "cs-tl-next")];
    jumps.append(make("span", { className: "cs-tl-pair" }, ...jumpers[what]));
  }
  const zoom = make("div", { className: "cs-tl-group", role: "group", "aria-label": "zoom" },
    button("−", "Zoom out (-)", () => order("zoom", 1 / 1.5)), button("+", "Zoom in (+)", () => order("zoom", 1.5)), button("whole run", "Show the whole run at once", () => order("whole")));
  const trueTime = make("input", { type: "checkbox", className: "cs-tl-true", onchange: () => order("trueTime", trueTime.checked) });
  const time = make("label", { className: "cs-tl-check", title: "Busy moments are stretched, and silences shortened; with this they are not" }, trueTime, "true time");
  return {
    root: make("div", { className: "cs-tl-bar" }, steps, jumps, zoom, time),
    show(view, run) {
      play.firstChild.firstChild.setAttribute("d", view.playing ? ICONS.hold : ICONS.play);
      if (!still) { play.title = view.playing ? "Hold (space)" : "Play (space)"; play.setAttribute("aria-label", play.title); }
      for (const [what, pair] of Object.entries(jumpers)) {
        const none = !(run.about.jumps?.[what] || []).length;
        for (const one of pair) one.setAttribute("aria-disabled", String(none));
        if (what === "election") pair[0].parentElement.style.display = none ? "none" : ""; // where nobody leads, there is no such word
      }
    },
  };
}

// --- what is shown --------------------------------------------------------------------------------

function filterBox(order) {
  const summary = make("summary", {}, "Show");
  const body = make("div", { className: "cs-tl-filters" });
  const root = make("details", { className: "cs-tl-show" }, summary, body);
  const check = (label, on, change) => {
    const input = make("input", { type: "checkbox", checked: on });
    input.addEventListener("change", () => change(input.checked));
    return make("label", { className: "cs-tl-check" }, input, label);
  };
  const group = (name, ...checks) => make("fieldset", {}, make("legend", {}, name), ...checks);
  return {
    root,
    build(run, view) {
      const toggle = (set, keys) => (on) => { for (const key of keys) on ? set.delete(key) : set.add(key); order("filter"); };
      const used = usedIn(run);
      const groups = Object.entries(GROUPS).map(([name, kinds]) => [name, kinds.map((kind) => run.about.kinds.indexOf(kind)).filter((kind) => kind >= 0)]).filter(([, kinds]) => kinds.length);
      const parts = [
        ...(comparedIn(run) || [undefined]).map((name) => group(name ? `nodes and clients of “${name}”` : "nodes and clients",
          ...run.lanes.flatMap((one, lane) => (one.run === name ? [check(one.name, !view.hidden.lanes.has(lane), toggle(view.hidden.lanes, [lane]))] : [])))),
        group("messages", ...run.about.messages.flatMap((name, index) => (used.messages.has(index) ? [check(name.replaceAll("_", " ").toLowerCase(), !view.hidden.messages.has(index), toggle(view.hidden.messages, [index]))] : []))),
        group("signs", ...groups.map(([name, kinds]) => check(name, !kinds.every((kind) => view.hidden.kinds.has(kind)), toggle(view.hidden.kinds, kinds)))),
      ];
      if (used.rooms.size > 1) parts.push(group("rooms", ...[...used.rooms].map((room) => check(run.about.strings[room], !view.hidden.rooms.has(room), toggle(view.hidden.rooms, [room])))));
      body.replaceChildren(...parts);
    },
    show(scene) {
      const away = scene.run.n - scene.events.length;
      put(summary, away ? `Show (${away} of ${scene.run.n} events are hidden)` : "Show (all events)");
    },
  };
}

function usedIn(run) {
  const messages = new Set(), rooms = new Set();
  for (let event = 0; event < run.n; event++) {
    if (run.message[event] !== NONE) messages.add(run.message[event]);
    if (run.room[event]) rooms.add(run.room[event]);
  }
  return { messages, rooms };
}
