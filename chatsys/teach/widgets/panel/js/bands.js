// The last seconds, drawn: who was what, which links were cut, and when something happened.

const LEFT = 58, RIGHT = 10, ROW = 34, TOP = 36, LABEL = 7.2;

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
  const svg = draw("svg", { height, class: "cs-bands", role: "img" });
  const patterned = patterns(svg, prefix);
  const layer = draw("g", {});
  svg.append(layer);
  const middle = (id) => TOP + ROW * (ids.length - 1 - ids.indexOf(id)) + ROW / 2;
  const signs = { lead: "★", suspect: "▼", crash: "✖", broken: "⊠", restart: "▶" };
  let last = null, wide = 0;
  const paint = () => {
    const { from, to, bands, marks, cuts, summary } = last;
    const x = (time) => LEFT + ((Math.max(time, from) - from) / (to - from || 1)) * (wide - LEFT - RIGHT);
    const parts = cutsOf(cuts, from, x, middle, ids, wide);
    for (const id of ids) parts.push(draw("text", { x: LEFT - 8, y: middle(id) + 4, "text-anchor": "end", class: "cs-label" }, `node ${id}`));
    const worded = {}; // where the last word of a row ends
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
      if (!word || word.length * LABEL + 8 > width || x(start) < (worded[node] ?? 0)) continue;
      worded[node] = x(start) + word.length * LABEL + 8;
      if (role in patterned) parts.push(draw("rect", { x: x(start) + 3, y: middle(node) - 8, width: word.length * LABEL + 2, height: 16, rx: 3, class: "cs-ground" }));
      parts.push(draw("text", { x: x(start) + 5, y: middle(node) + 4, class: `cs-word cs-word-${role}` }, word));
    }
    for (const [node, kind, time] of marks) {
      if (time >= from) parts.push(draw("text", { x: x(time), y: middle(node) - 8, "text-anchor": "middle", class: `cs-mark cs-mark-${kind}` }, signs[kind] || ""));
    }
    for (let tick = Math.ceil(from / 5) * 5; tick <= to; tick += 5) {
      const anchor = x(tick) > wide - 24 ? "end" : "middle";
      parts.push(draw("text", { x: x(tick), y: height - 6, "text-anchor": anchor, class: "cs-small" }, `${tick} s`));
    }
    layer.replaceChildren(...parts);
    svg.setAttribute("aria-label", summary);
  };
  return {
    root: svg,
    show(plot) {
      last = plot;
      if (wide) paint();
    },
    fit(width) {
      if (width === wide || width < 100) return;
      wide = width;
      svg.setAttribute("width", wide);
      svg.setAttribute("viewBox", `0 0 ${wide} ${height}`);
      if (last) paint();
    },
  };
}

/** Cuts lie over the rows of the nodes that they touch; their names stand in two lines above, and where there is no room they are left out. */
function cutsOf(cuts, from, x, middle, ids, wide) {
  const parts = [], ends = [0, 0];
  for (const [start, end, what, touched] of cuts) {
    if (end < from) continue;
    for (const id of touched.filter((one) => ids.includes(one))) {
      parts.push(draw("rect", { x: x(start), y: middle(id) - 15, width: Math.max(x(end) - x(start), 1), height: 30, class: "cs-cut" }));
    }
    const word = `✂ ${what}`, long = word.length * LABEL;
    const at = Math.min(x(start) + 2, wide - RIGHT - long);
    const line = ends.findIndex((taken) => at > taken);
    if (line < 0) continue;
    ends[line] = at + long + 6;
    parts.push(draw("text", { x: at, y: TOP - 22 + 15 * line, class: "cs-small" }, word));
  }
  return parts;
}
