// The rules: a strip for each invariant over the whole run, as far as it held, and the event that broke it.

function rulesBox(go) {
  const broken = make("div", { className: "cs-tl-broken" });
  const held = make("div");
  const summary = make("summary", {});
  const more = make("details", { className: "cs-tl-held-rules" }, summary, held);
  const root = make("div", { role: "group", className: "cs-tl-rules", "aria-label": "rules" }, broken, more);
  let latest = null;
  const move = (scene) => {
    latest = scene;
    const at = overviewX(scene, scene.view.at);
    for (const strips of more.open ? [broken, held] : [broken]) for (const line of strips.querySelectorAll(".cs-tl-strip-now")) { line.setAttribute("x1", at); line.setAttribute("x2", at); }
  };
  more.addEventListener("toggle", () => latest && move(latest));
  return {
    root,
    show(scene) {
      const { run } = scene;
      root.hidden = !run.rules.length;
      const bad = run.rules.filter((rule) => !rule.held), good = run.rules.filter((rule) => rule.held);
      broken.replaceChildren(...bad.map((rule) => ruleRow(scene, rule, go)));
      const names = comparedIn(run);
      if (names) return showBoth(scene, names, { broken, summary, more, held, root }, go);
      put(summary, tellHeld(good.length, bad.some(({ name }) => name !== "broken")));
      more.hidden = !good.length;
      root.dataset.held = String(!bad.length);
      held.replaceChildren(...good.map((rule) => ruleRow(scene, rule, go)));
    },
    move,
  };
}

/** Return how many rules held; that no node stops itself is no rule of `check`, which says the same number. */
function tellHeld(held, others) {
  if (others) return `${held} other ${held === 1 ? "rule" : "rules"} held`;
  return held === 1 ? "The one rule that can be judged here held" : `All ${held} rules of the chat held`;
}

/** Show the rules of two runs: those that were broken first, each with its run, then those that held, by run. */
function showBoth(scene, names, parts, go) {
  const of = (name, held) => scene.run.rules.filter((rule) => rule.run === name && rule.held === held).map((rule) => ruleRow(scene, rule, go));
  const title = (index, text) => make("div", { className: `cs-tl-run-title cs-tl-run-${index + 1}` }, text);
  const broken = names.map((name) => of(name, false)), held = names.map((name) => of(name, true));
  const many = (rows) => `${rows.length} ${rows.length === 1 ? "rule" : "rules"}`;
  parts.broken.replaceChildren(...names.flatMap((name, index) => [title(index, `${name}: ${broken[index].length ? `${many(broken[index])} broken` : held[index].length === 1 ? "the one rule held" : `all ${many(held[index])} held`}`), ...broken[index]]));
  put(parts.summary, `Rules that held: ${names.map((name, index) => `${held[index].length} in “${name}”`).join(", ")}`);
  parts.held.replaceChildren(...names.flatMap((name, index) => [title(index, name), ...held[index]]));
  parts.more.hidden = !held.flat().length;
  parts.root.dataset.held = String(!broken.flat().length);
}

function ruleRow(scene, rule, go) {
  const { run, axis } = scene;
  const left = scene.label, right = scene.label + scene.plot;
  const broken = !rule.held && rule.event >= 0 && rule.event !== null;
  const at = broken ? overviewX(scene, axis.x[rule.event]) : rule.held ? right : left;
  const strip = draw("g", { class: "strip", "data-rule": rule.name, "data-held": rule.held, "data-event": rule.event ?? "", ...(rule.run ? { "data-run": rule.run } : {}) },
    draw("line", { x1: left, x2: at, y1: 9, y2: 9, class: "cs-tl-strip-held" }));
  if (!rule.held) strip.append(draw("line", { x1: at, x2: right, y1: 9, y2: 9, class: "cs-tl-strip-broken" }), draw("path", { d: SHAPES.cross, transform: `translate(${at},9)`, class: "cs-tl-strip-mark" }));
  strip.append(draw("line", { x1: left, x2: left, y1: 1, y2: 17, class: "cs-tl-now cs-tl-strip-now" }));
  const svg = draw("svg", { width: scene.width, height: 18, "aria-hidden": "true" }, draw("text", { x: left - 10, y: 13, "text-anchor": "end", class: "cs-tl-small cs-tl-rule-name" }, rule.name), strip);
  const says = make("span", { className: "cs-tl-rule-says" }, make("b", {}, rule.title ? `${rule.name} ${rule.title}. ` : `${rule.name}. `), rule.says, " ", make("span", { className: "cs-tl-verdict" }, rule.held ? "✓ held" : "✗ broken"));
  const row = make("div", { className: "cs-tl-rule" }, says, svg);
  row.dataset.held = String(rule.held);
  if (!rule.held) {
    const exactly = rule.exact ? [make("details", {}, make("summary", {}, "exactly"), rule.exact)] : [];
    row.append(make("div", { className: "cs-tl-story" }, rule.story || "", ...exactly));
    if (broken) says.append(" ", button(`go to ${run.time[rule.event].toFixed(2)} s`, `go to the event that broke ${rule.name}`, () => go(rule.event), "cs-tl-link"));
  }
  return row;
}
