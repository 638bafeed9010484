// The panel in the browser: it draws `state` and posts what was pressed.  It decides nothing.
//
//     state (a dict, sent a few times a second) --> cards, links, bands, table
//     a button, a slider, the chat box ----------> {"do": "crash", "node": 3}
//
// Texts of users only ever become text nodes, so they cannot be markup.

const SVG = "http://www.w3.org/2000/svg";
let panels = 0;

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  // JupyterLab looks at the focused element first: keys in the panel are not keys of the notebook
  if (["button", "input", "select"].includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

function draw(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function put(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

function button(label, title, press, name = "") {
  return make("button", { type: "button", title, className: `cs-button ${name}`, onclick: press }, label);
}

// --- one card per node ------------------------------------------------------------------------

const VERBS = ["Crash", "Restart", "Pause", "Resume"];

function card(id, post, learns) {
  const name = learns ? `learner ${id}` : `node ${id}`;
  const verbs = learns ? [...VERBS, "Leave"] : VERBS;
  const fields = {};
  const facts = make("dl", { className: "cs-facts" });
  for (const name of ["role", "term", "last seq", "delivered", "health"]) {
    fields[name] = make("dd", { className: `cs-${name.replace(" ", "-")}` });
    facts.append(make("div", {}, make("dt", {}, name), fields[name]));
  }
  const buttons = {};
  const row = make("div", { className: "cs-buttons" });
  for (const verb of verbs) {
    const act = () => post({ do: verb.toLowerCase(), node: id });
    const label = verb === "Leave" ? `Let ${name} leave for ever` : `${verb} ${name}`;
    buttons[verb] = button(verb, label, act, `cs-${verb.toLowerCase()}`);
    buttons[verb].setAttribute("aria-label", label);
    row.append(buttons[verb]);
  }
  const root = make("section", { className: "cs-card", "aria-label": name });
  root.dataset.node = id;
  root.append(make("h4", {}, name), facts, row);
  return {
    root,
    show(node) {
      root.dataset.role = node.alive ? node.role : "down";
      put(fields["role"], node.alive ? node.role : "–");
      root.dataset.paused = String(node.paused);
      put(fields["term"], node.alive ? node.term : "–");
      put(fields["last seq"], node.alive ? node.last : "–");
      put(fields["delivered"], !node.alive ? "–" : node.delivered ? `#${node.delivered}` : "none");
      put(fields["health"], node.health);
      const fits = { Crash: node.alive, Restart: !node.alive, Pause: node.alive && !node.paused, Resume: node.paused };
      for (const verb of VERBS) buttons[verb].setAttribute("aria-disabled", String(!fits[verb]));
    },
  };
}

// --- links, network, chat ---------------------------------------------------------------------

function linkGrid(ids, post) {
  const pairs = {};
  const table = make("table", { className: "cs-links" }, make("caption", {}, "links"));
  for (const a of ids.slice(1)) {
    const row = make("tr", {}, make("th", { scope: "row" }, `node ${a}`));
    for (const b of ids.filter((id) => id < a)) {
      const toggle = button("", "", () => post({ do: toggle.dataset.cut === "true" ? "join_link" : "cut", a: b, b: a }));
      pairs[`${b}-${a}`] = toggle;
      row.append(make("td", {}, toggle));
    }
    table.append(row);
  }
  table.append(make("tr", {}, make("td"), ...ids.slice(0, -1).map((id) => make("th", { scope: "col" }, `node ${id}`))));
  return {
    root: table,
    show(cuts) {
      for (const [pair, toggle] of Object.entries(pairs)) {
        const how = cuts[pair] || "open";
        if (toggle.dataset.how === how) continue;
        toggle.dataset.how = how;
        toggle.dataset.cut = String(how !== "open");
        put(toggle, how === "open" ? "open" : how === "cut" ? "✂ cut" : `✂ ${how}`);
        const ends = pair.replace("-", " and ");
        const label = how === "open" ? `Cut the link between node ${ends}` : `Mend the link between node ${ends}`;
        toggle.title = label;
        toggle.setAttribute("aria-label", label);
      }
    },
  };
}

function slider(label, most, unit, post) {
  const shown = make("span", { className: "cs-value", "aria-hidden": "true" }, `0 ${unit}`);
  const input = make("input", { type: "range", min: 0, max: most, value: 0, step: most / 20, "aria-label": label });
  input.addEventListener("input", () => put(shown, `${input.value} ${unit}`));
  input.addEventListener("change", () => post(Number(input.value)));
  return {
    root: make("label", { className: "cs-slider" }, make("span", {}, label), input, shown),
    show(value) {
      input.setAttribute("aria-valuetext", `${input.value} ${unit}`);
      if (document.activeElement !== input && Number(input.value) !== value) input.value = value;
      if (document.activeElement !== input) put(shown, `${value} ${unit}`);
    },
  };
}

function chatBox(post) {
  const text = make("input", { type: "text", className: "cs-text", "aria-label": "message", placeholder: "say something" });
  const author = make("input", { type: "text", className: "cs-author", value: "ann", "aria-label": "author" });
  const via = make("select", { className: "cs-via", "aria-label": "through which node" }, make("option", { value: "" }, "any node"));
  const send = make("button", { type: "submit", className: "cs-button cs-say", title: "Send the message" }, "Say");
  const form = make("form", { className: "cs-chat", "aria-label": "chat" }, author, text, via, send);
  form.addEventListener("keydown", (event) => { // in JupyterLab, Enter alone does not submit a form
    if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    post({ do: "say", text: text.value, author: author.value, node: via.value ? Number(via.value) : null });
    text.value = "";
    text.focus();
  });
  return {
    root: form,
    know(ids) {
      const chosen = via.value;
      via.replaceChildren(via.firstChild, ...ids.map((id) => make("option", { value: id }, `node ${id}`)));
      via.value = ids.includes(Number(chosen)) ? chosen : "";
    },
  };
}

// --- the last seconds, drawn ------------------------------------------------------------------

const WIDTH = 880, LEFT = 66, RIGHT = 8, ROW = 34, TOP = 20;

function patterns(svg, prefix) {
  const shapes = { nominating: "M0,7 L7,0", deferring: "M2,3 h2", preparing: "M0,0 L7,7 M0,7 L7,0", syncing: "M3,0 v7", paused: "M0,0 L7,7" };
  const defs = draw("defs", {});
  for (const [role, path] of Object.entries(shapes)) {
    const pattern = draw("pattern", { id: `${prefix}-${role}`, width: 7, height: 7, patternUnits: "userSpaceOnUse" });
    pattern.append(draw("rect", { width: 7, height: 7, class: `cs-fill-${role}` }), draw("path", { d: path, stroke: "#1b1b1b", "stroke-width": 1.4 }));
    defs.append(pattern);
  }
  svg.append(defs);
  return shapes;
}

function bandPlot(ids, prefix) {
  const height = TOP + ROW * ids.length + 22;
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${height}`, class: "cs-bands", role: "img" });
  const patterned = patterns(svg, prefix);
  const layer = draw("g", {});
  svg.append(layer);
  const middle = (id) => TOP + ROW * (ids.length - 1 - ids.indexOf(id)) + ROW / 2;
  const signs = { lead: "★", suspect: "▼", crash: "✖", broken: "⊠", restart: "▶" };
  return {
    root: svg,
    show({ from, to, bands, marks, cuts, summary }) {
      const x = (time) => LEFT + ((Math.max(time, from) - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
      const parts = [];
      for (const [start, end, what] of cuts) {
        parts.push(draw("rect", { x: x(start), y: TOP - 4, width: Math.max(x(end) - x(start), 1), height: ROW * ids.length + 6, class: "cs-cut" }));
        parts.push(draw("text", { x: x(start) + 2, y: TOP - 7, class: "cs-small" }, what));
      }
      for (const id of ids) parts.push(draw("text", { x: LEFT - 8, y: middle(id) + 4, "text-anchor": "end", class: "cs-label" }, `node ${id}`));
      for (const [node, role, term, start, end] of bands) {
        const width = Math.max(x(end) - x(start), 1);
        if (role === "down") {
          parts.push(draw("line", { x1: x(start), x2: x(end), y1: middle(node), y2: middle(node), class: "cs-down" }));
          continue;
        }
        const box = draw("rect", { x: x(start), y: middle(node) - 11, width, height: 22, class: `cs-band cs-fill-${role}` });
        if (role in patterned) box.style.fill = `url(#${prefix}-${role})`;
        parts.push(box);
        const word = role === "leader" ? `leads term ${term}` : role === "paused" ? "paused" : role === "learner" ? "learns" : term ? `term ${term}` : "";
        if (word.length * 7 < width) parts.push(draw("text", { x: x(start) + 5, y: middle(node) + 4, class: `cs-word cs-word-${role}` }, word));
      }
      for (const [node, kind, time] of marks) {
        parts.push(draw("text", { x: x(time), y: middle(node) - 8, "text-anchor": "middle", class: `cs-mark cs-mark-${kind}` }, signs[kind] || ""));
      }
      for (let tick = Math.ceil(from / 5) * 5; tick <= to; tick += 5) {
        const anchor = x(tick) > WIDTH - 24 ? "end" : "middle";
        parts.push(draw("text", { x: x(tick), y: height - 6, "text-anchor": anchor, class: "cs-small" }, `${tick} s`));
      }
      layer.replaceChildren(...parts);
      svg.setAttribute("aria-label", summary);
    },
  };
}

function deliveryTable(ids) {
  const body = make("tbody");
  const head = make("tr");
  const table = make("table", { className: "cs-deliveries" }, make("caption", {}, "delivered, by number"), make("thead", {}, head), body);
  let shown = "";
  const root = make("div", { className: "cs-scroll", hidden: true }, table);
  return {
    root,
    show({ numbers, cells }) {
      root.hidden = numbers.length === 0;
      const now = JSON.stringify([numbers, cells]);
      if (now === shown) return;
      shown = now;
      head.replaceChildren(make("th", { scope: "col" }, ""), ...numbers.map((number) => make("th", { scope: "col" }, `#${number}`)));
      body.replaceChildren(...[...ids].reverse().map((id) => make("tr", {}, make("th", { scope: "row" }, `node ${id}`),
        ...(cells[id] || []).map(([sign, text]) => make("td", { className: `cs-cell-${sign}`, title: text }, text ? `${SIGN[sign]} ${text}` : "–")))));
    },
  };
}

const SIGN = { same: "✓", again: "↻", odd: "≠", none: "–" };

// --- together ---------------------------------------------------------------------------------

function clockBar(post) {
  const play = button("Play", "Let virtual time run", () => post({ do: play.dataset.playing === "true" ? "hold" : "play" }), "cs-play");
  const speed = make("select", { "aria-label": "speed", className: "cs-speed", onchange: () => post({ do: "speed", speed: Number(speed.value) }) });
  for (const value of [0.1, 0.5, 1, 2, 5, 10]) speed.append(make("option", { value, selected: value === 1 }, `${value} × real time`));
  const step = button("Step", "Let the next event happen", () => post({ do: "step" }), "cs-step");
  const second = button("+1 s", "Let one second of virtual time pass", () => post({ do: "run", seconds: 1 }), "cs-second");
  return {
    root: make("span", { className: "cs-clock" }, play, step, second, speed),
    show(playing) {
      play.dataset.playing = String(playing);
      put(play, playing ? "Hold" : "Play");
    },
  };
}

function render({ model, el }) {
  const { nodes, where, quorum } = model.get("about");
  const post = (order) => model.send(order);
  let drawn = ""; // whom the cards, the links, the bands and the table are about
  let cards, links, bands, table;
  const loss = slider("loss", 50, "%", (value) => post({ do: "lose", fraction: value / 100 }));
  const delay = slider("delay", 500, "ms", (value) => post({ do: "slow", delay: value / 1000 }));
  const prefix = `cs${++panels}`;
  const chat = chatBox(post);
  const clock = clockBar(post);
  const time = make("span", { className: "cs-time" });
  const said = make("div", { className: "cs-said", role: "status", "aria-live": "polite" });
  const line = make("code", { className: "cs-line" });

  const reset = button("Reset", "Mend all links, resume and restart every node", () => post({ do: "reset" }), "cs-reset");
  const join = button("Join", "Let one more node join, as a learner: it hears everything, and has no vote", () => post({ do: "join" }), "cs-join");
  const stop = button("Stop all", "Stop the cluster for good", () => post({ do: "stop" }), "cs-stop");
  const heal = button("Heal all links", "Mend all links", () => post({ do: "heal" }), "cs-heal");
  const words = { sim: "simulated", kernel: "in the notebook's kernel", processes: "one process each" };
  const head = make("div", { className: "cs-head" },
    make("strong", {}, `${nodes.length} nodes, ${words[where] || where}, quorum ${quorum}`), time);
  if (where === "sim") head.append(clock.root);
  head.append(make("span", { className: "cs-all" }, join, reset, stop));
  const network = make("div", { className: "cs-network", role: "group", "aria-label": "network" }, loss.root, delay.root, heal);
  const places = { cards: make("div", { className: "cs-cards" }), links: make("span"), bands: make("div", { className: "cs-scroll" }), table: make("div") };
  const root = make("div", { className: "cs-panel", role: "region", "aria-label": "cluster panel" }, head, places.cards,
    make("div", { className: "cs-tools" }, places.links, network, chat.root),
    said, make("div", { className: "cs-same" }, "the same in code: ", line), places.bands, places.table);
  el.append(root);

  // Learners come and go: then whatever has a row for each node is made anew.
  const know = (ids, learners) => {
    if (drawn === String(ids)) return;
    drawn = String(ids);
    const kept = cards || {};
    cards = Object.fromEntries(ids.map((id) => [id, kept[id] || card(id, post, learners.includes(id))]));
    links = linkGrid(ids, post);
    bands = bandPlot(ids, prefix);
    table = deliveryTable(ids);
    for (const [id, one] of Object.entries(kept)) if (!(id in cards)) one.root.remove();
    for (const id of ids) if (!places.cards.contains(cards[id].root)) places.cards.append(cards[id].root);
    places.links.replaceChildren(...(ids.length > 1 ? [links.root] : []));
    places.bands.replaceChildren(bands.root);
    places.table.replaceChildren(table.root);
    chat.know(ids);
  };

  const show = () => {
    const state = model.get("state");
    if (!state.nodes) return;
    know(state.nodes.map((node) => node.id), state.learners || []);
    root.dataset.ended = String(state.ended);
    put(time, state.ended ? `stopped at ${state.now.toFixed(1)} s` : `${state.now.toFixed(1)} s`);
    for (const node of state.nodes) cards[node.id].show(node);
    links.show(state.cuts);
    loss.show(Math.round(state.loss * 100));
    delay.show(Math.round(state.delay * 1000));
    clock.show(state.playing);
    bands.show(state.plot);
    table.show(state.table);
  };
  const speak = () => put(said, model.get("said"));
  const quote = () => put(line, model.get("line"));
  model.on("change:state", show);
  model.on("change:said", speak);
  model.on("change:line", quote);
  show();
  speak();
  quote();
  return () => {
    model.off("change:state", show);
    model.off("change:said", speak);
    model.off("change:line", quote);
  };
}

export default { render };
