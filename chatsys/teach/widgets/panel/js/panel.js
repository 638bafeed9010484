// The panel in the browser: it draws `state` and posts what was pressed.  It decides nothing.
//
//     state, chat, lamp (sent a few times a second) --> cards with their chats, what waits, links, bands, the lamp
//     a button, a slider, the chat box -------------> {"do": "crash", "node": 3}

function clockBar(post) {
  const play = button("Play", "Let virtual time run", () => post({ do: play.dataset.playing === "true" ? "hold" : "play" }), "cs-play");
  const speed = make("select", { "aria-label": "speed", className: "cs-speed", onchange: () => post({ do: "speed", speed: Number(speed.value) }) });
  for (const value of [0.1, 0.5, 1, 2, 5, 10]) speed.append(make("option", { value, selected: value === 1 }, `${value} × real time`));
  const step = button("Step", "Let the next event happen, and show it in the timeline", () => post({ do: "step" }), "cs-step");
  const second = button("+1 s", "Let one second of virtual time pass", () => post({ do: "run", seconds: 1 }), "cs-second");
  return {
    root: make("span", { className: "cs-clock" }, play, step, second, speed),
    show(playing) {
      play.dataset.playing = String(playing);
      put(play, playing ? "Hold" : "Play");
    },
  };
}

function lampBox() {
  const light = make("span", { className: "cs-light", "aria-hidden": "true" }), says = make("span", { className: "cs-says" });
  const code = make("div", { className: "cs-code" });
  const more = make("details", { className: "cs-more", hidden: true }, make("summary", {}, "exactly"), code);
  const root = make("div", { className: "cs-lamp", role: "group", "aria-label": "rules" },
    make("div", { className: "cs-verdict", "aria-live": "polite" }, light, make("strong", {}, "rules"), says), more);
  return {
    root,
    show(lamp) {
      if (!lamp.says) return;
      root.dataset.held = String(lamp.held);
      put(light, lamp.held ? "✓" : "✗");
      put(says, lamp.says);
      put(code, lamp.code);
      more.hidden = lamp.held;
    },
  };
}

/** Where the timeline stands: a widget of its own, whose view is put here. */
function timelinePlace(model) {
  const root = make("div", { className: "cs-timeline-place", hidden: true });
  let shown = null, view = null;
  const drop = () => {
    view?.remove();
    view = null;
    root.replaceChildren();
  };
  return {
    root,
    drop,
    async show() {
      const reference = model.get("timeline");
      if (reference === shown) return;
      shown = reference;
      drop();
      root.hidden = !reference;
      if (!reference) return;
      const child = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
      const made = await model.widget_manager.create_view(child);
      if (shown !== reference) return made.remove();
      view = made;
      root.replaceChildren(view.el);
    },
  };
}

/** Where somebody has just sent the panel, and the focus with it.  All views of one panel share this. */
let sent = "";

function render({ model, el }) {
  const about = model.get("about");
  const name = `cluster panel ${about.number}`;
  const prefix = `cs${about.number}-${Math.random().toString(36).slice(2, 7)}`;
  const post = (order) => model.send(order);
  const goes = () => {
    sent = model.get("docked") ? "page" : "beside";
    post({ do: "dock" });
  };
  const answers = new Map(); // what to do when it is known whether an order went well
  const send = (order, then) => {
    const id = Math.random().toString(36).slice(2);
    answers.set(id, then);
    post({ ...order, id });
  };
  let drawn = ""; // whom the cards, the links and the bands are about
  let cards = {}, links, bands, split;
  const loss = slider("loss", 50, "%", (value) => post({ do: "lose", fraction: value / 100 }));
  const delay = slider("delay", 500, "ms", (value) => post({ do: "slow", delay: value / 1000 }));
  const quorum = quorumSlider(post);
  const chat = chatBox(send, name), waiting = waitingList(), lamp = lampBox();
  const clock = clockBar(post), inside = timelinePlace(model);
  const same = make("div", { className: "cs-same" }, "the same in code: ");
  const title = make("strong", {}), time = make("span", { className: "cs-time" });
  const said = make("div", { className: "cs-said", role: "status", "aria-live": "polite" });
  const line = make("code", { className: "cs-line" });
  same.append(line);

  const reset = button("Reset", "Mend all links, resume and restart every node", () => post({ do: "reset" }), "cs-reset");
  const join = button("Join", "Let one more node join, as a learner: it hears everything, and has no vote", () => post({ do: "join" }), "cs-join");
  const stop = button("Stop all", "Stop the cluster for good", () => post({ do: "stop" }), "cs-stop");
  const heal = button("Heal all links", "Mend every cut; loss and delay stay as they are, and Reset ends them, too", () => post({ do: "heal" }), "cs-heal");
  const run = button("Timeline", "Show every message of this run as an arrow", () => post({ do: "timeline" }), "cs-run cs-stays");
  const dock = button("Dock", "Put the panel beside the page", () => goes(), "cs-dock cs-stays");
  const words = { sim: "simulated", kernel: "in the notebook's kernel", processes: "one process each", containers: "one container each", namespaces: "one namespace each" };
  const all = make("span", { className: "cs-all" }, join, reset, stop);
  const head = make("div", { className: "cs-head" }, title, time);
  if (about.where === "sim") head.append(clock.root, run);
  head.append(all);
  const docks = about.dock && document.querySelector(".jp-LabShell, #jp-main-dock-panel, .lm-DockPanel");
  const places = { cards: make("div", { className: "cs-cards" }), links: make("div"), split: make("div"), bands: make("div", { className: "cs-plot" }) };
  const network = make("div", { className: "cs-network", role: "group", "aria-label": "network" }, places.split, heal, loss.root, delay.root);
  const root = make("div", { className: "cs-panel", role: "region", "aria-label": name }, head,
    make("div", { className: "cs-rules" }, lamp.root, quorum.root), said, same,
    places.cards, chat.root, waiting.root, make("div", { className: "cs-tools" }, places.links, network), inside.root, places.bands, legend());
  const back = button("Show it here", "Put the panel back into the page", () => goes(), "cs-back cs-stays");
  const away = make("div", { className: "cs-away", hidden: true }, `${name} stands beside the page. `, back);
  const keeps = docks ? null : keepBox(root);
  all.append(docks ? dock : keeps.root);
  el.append(root, away);

  // Learners come and go: then whatever has a row for each node is made anew.
  const know = (ids, learners) => {
    if (drawn === String(ids)) return;
    drawn = String(ids);
    const kept = cards;
    cards = Object.fromEntries(ids.map((id) => [id, kept[id] || card(id, post, learners.includes(id))]));
    links = linkGrid(ids, post);
    split = splitBox(ids, post);
    bands = bandPlot(ids, prefix);
    for (const [id, one] of Object.entries(kept)) if (!(id in cards)) one.root.remove();
    for (const id of ids) if (!places.cards.contains(cards[id].root)) places.cards.append(cards[id].root);
    places.links.replaceChildren(...(ids.length > 1 ? [links.root] : []));
    places.split.replaceChildren(...(ids.length > 1 ? [split.root] : []));
    places.bands.replaceChildren(bands.root);
    bands.fit(places.bands.clientWidth);
    chat.know(ids);
  };

  const show = () => {
    const state = model.get("state");
    if (!state.nodes) return;
    know(state.nodes.map((node) => node.id), state.learners || []);
    put(time, state.ended ? `stopped at ${state.now.toFixed(1)} s` : `${state.now.toFixed(1)} s`);
    for (const node of state.nodes) cards[node.id].show(node);
    links.show(state.cuts);
    split.show(state.nodes);
    loss.show(Math.round(state.loss * 100));
    delay.show(Math.round(state.delay * 1000));
    clock.show(state.playing);
    bands.show(state.plot);
    if (state.ended || root.dataset.ended === "true") drawDead(root, state.ended);
    root.dataset.ended = String(state.ended);
  };
  const talk = () => {
    const chats = model.get("chat");
    if (!chats.columns) return;
    for (const one of Object.values(cards)) one.chat(chats);
    waiting.show(chats.waiting);
    reach(waiting.root);
  };
  const facts = () => {
    const now = model.get("about");
    put(title, `${now.nodes.length} nodes, ${words[now.where] || now.where}`);
    quorum.know(now);
  };
  const place = () => { // in the notebook, only a line is left of a panel that stands beside it
    const gone = model.get("docked") && Boolean(el.closest(".jp-Notebook"));
    root.hidden = gone;
    away.hidden = !gone;
    put(dock, model.get("docked") ? "Undock" : "Dock");
    dock.title = model.get("docked") ? "Put the panel back into the page" : "Put the panel beside the page";
    if (sent !== (el.closest(".jp-Notebook") ? "page" : "beside") || gone || !root.clientWidth) return;
    sent = "";
    dock.focus({ preventScroll: true });
  };
  const timeline = () => {
    const open = Boolean(model.get("timeline"));
    run.setAttribute("aria-expanded", String(open));
    places.bands.hidden = open; // the timeline tells the same, and more
    bands?.fit(places.bands.clientWidth);
    inside.show();
  };
  const hears = {
    "change:state": show, "change:chat": talk, "change:about": facts, "change:docked": place, "change:timeline": timeline,
    "change:lamp": () => lamp.show(model.get("lamp")),
    "change:said": () => (put(said, model.get("said")), reach(said)),
    "change:line": () => (put(line, model.get("line")), reach(same)),
    "msg:custom": ({ answers: id, well }) => {
      answers.get(id)?.(well);
      answers.delete(id);
    },
  };
  for (const [what, does] of Object.entries(hears)) model.on(what, does);
  for (const [what, does] of Object.entries(hears)) if (what !== "msg:custom") does();
  let wide = 0;
  const watcher = new ResizeObserver(() => {
    if (root.clientWidth === wide) return;
    wide = root.clientWidth;
    place(); // now it stands somewhere
    keeps?.look();
    bands?.fit(places.bands.clientWidth);
    for (const one of Object.values(cards)) one.settle();
    for (const one of [said, same, waiting.root]) reach(one);
  });
  watcher.observe(root);
  return () => {
    for (const [what, does] of Object.entries(hears)) model.off(what, does);
    watcher.disconnect();
    keeps?.drop();
    inside.drop();
  };
}

export default { render };
