// The legend: what each sign on a lane means, drawn as it is drawn there, and what each key does.
// It speaks only of what this run has: a world in which nobody leads has no election, and nothing is committed in it.

const MEANS = [
  ["submit", "somebody says something"], ["append", "an entry is written, in memory"], ["durable", "the disk has it"], ["commit", "it is committed"],
  ["hold", "it came too early, and waits"], ["ack", "whoever said it is answered ok"], ["lead", "leads from now on"], ["ready", "takes messages from now on"],
  ["suspect", "suspects another node"], ["start", "a life begins"], ["crash", "a life ends"], ["broken", "stops itself"], ["truncate", "entries are removed"],
];

function legendBox() {
  const signs = make("div", { className: "cs-tl-legend" }), help = make("p", { className: "cs-tl-help" });
  const root = make("details", { className: "cs-tl-show" }, make("summary", {}, "Signs and keys"), signs, help);
  const sign = (shape) => draw("svg", { viewBox: "-9 -9 18 18", width: 18, height: 18, "aria-hidden": "true" }, shape);
  const key = (shape, text) => make("span", { className: "cs-tl-key" }, sign(shape), text);
  const chip = () => draw("g", {}, draw("rect", { x: -8.5, y: -7.5, width: 17, height: 15, rx: 7.5, class: "cs-tl-chip" }), draw("text", { y: 4, class: "cs-tl-chip-text" }, "#1"));
  const lost = () => draw("path", { d: "M-8,-7 L3,4 m-4,-4 l8,8 m0,-8 l-8,8", class: "cs-tl-line cs-tl-lost" });
  const dot = () => draw("circle", { r: 4.2, class: "cs-tl-travelling" });
  function show(run) {
    const has = (kind) => run.about.kinds?.includes(kind);
    const mine = MEANS.filter(([kind]) => has(kind));
    signs.replaceChildren(...(has("deliver") ? [key(chip(), "message #1 is delivered")] : []), key(dot(), "a frame that is under way now"), key(lost(), "a frame that is lost"),
      ...mine.map(([kind, text]) => key(draw("path", { d: SHAPES[SIGN[kind][0]], class: `cs-tl-shape cs-tl-is-${SIGN[kind][1]}` }), kind === "ack" && has("commit") ? "the client hears that it is committed" : text)));
    put(help, helpOf(run));
  }
  return { root, show };
}
