// What can be done to the network, and how many nodes make a quorum.

function linkGrid(ids, post) {
  const pairs = {};
  const table = make("table", { className: "cs-links" }, make("caption", {}, "links: press to cut or mend"));
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

/** One click splits off whoever leads; ticks choose another group. */
function splitBox(ids, post) {
  const ticks = Object.fromEntries(ids.map((id) => [id, make("input", { type: "checkbox", onchange: () => name() })]));
  const split = button("", "", () => {
    post({ do: "partition", nodes: chosen() });
    for (const tick of Object.values(ticks)) tick.checked = false;
    name();
  }, "cs-split");
  let leader = null;
  const chosen = () => ids.filter((id) => ticks[id].checked);
  const name = () => {
    const group = chosen().length ? chosen() : leader === null ? [] : [leader];
    const rest = ids.filter((id) => !group.includes(id));
    put(split, group.length ? `Split ${group.join(", ")} | ${rest.join(", ") || "?"}` : "Split off the leader");
    const said = !group.length ? "Cut all links of whoever leads" : `Cut all links between ${few(group)} and ${few(rest)}`;
    split.title = said;
    split.setAttribute("aria-label", said);
  };
  const root = make("div", { className: "cs-partition", role: "group", "aria-label": "partition" }, make("span", { className: "cs-soft" }, "split off"),
    ...ids.map((id) => make("label", { className: "cs-tick" }, ticks[id], `${id}`)), split);
  for (const id of ids) ticks[id].setAttribute("aria-label", `node ${id} is split off`);
  name();
  return {
    root,
    show(nodes) {
      const now = nodes.find((node) => node.alive && !node.paused && node.role === "leader")?.id ?? null;
      if (now === leader) return;
      leader = now;
      name();
    },
  };
}

function few(ids) {
  return ids.length === 1 ? `node ${ids[0]}` : `nodes ${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
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

/** The quorum: another one needs another cluster, and the slider makes it. */
function quorumSlider(post) {
  const shown = make("span", { className: "cs-value" });
  const input = make("input", { type: "range", min: 1, max: 3, step: 1, "aria-label": "quorum" });
  let about = null;
  const name = () => {
    const quorum = Number(input.value), safe = about.safe[quorum - 1];
    put(shown, `${quorum} of ${about.nodes.length}${safe ? "" : " – unsafe"}`);
    shown.dataset.safe = String(safe);
    input.setAttribute("aria-valuetext", `${quorum} of ${about.nodes.length} nodes${safe ? "" : ", unsafe: two groups can decide without each other"}`);
  };
  input.addEventListener("input", name);
  input.addEventListener("change", () => post({ do: "quorum", quorum: Number(input.value) }));
  return {
    root: make("label", { className: "cs-slider cs-quorum" }, make("span", {}, "quorum"), input, shown),
    know(facts) {
      about = facts;
      input.max = facts.nodes.length;
      input.value = facts.quorum;
      input.title = facts.where === "sim" ? "So many nodes must store a message. Another quorum: the same run is played again with it"
        : "So many nodes must store a message. Another quorum: a new cluster begins with it, and this one is stopped";
      name();
    },
  };
}
