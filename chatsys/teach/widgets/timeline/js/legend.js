// The legend: what each sign on a lane means, drawn as it is drawn there, and what each key does.

const MEANS = [
  ["submit", "somebody says something"], ["append", "an entry is written, in memory"], ["durable", "the disk has it"], ["commit", "it is committed"],
  ["hold", "it came too early, and waits"], ["ack", "the client hears that it is committed"], ["lead", "leads from now on"], ["ready", "takes messages from now on"],
  ["suspect", "suspects another node"], ["start", "a life begins"], ["crash", "a life ends"], ["broken", "stops itself"], ["truncate", "entries are removed"],
];

function legendBox() {
  const sign = (shape) => draw("svg", { viewBox: "-9 -9 18 18", width: 18, height: 18, "aria-hidden": "true" }, shape);
  const key = (shape, text) => make("span", { className: "cs-tl-key" }, sign(shape), text);
  const signs = MEANS.map(([kind, text]) => key(draw("path", { d: SHAPES[SIGN[kind][0]], class: `cs-tl-shape cs-tl-is-${SIGN[kind][1]}` }), text));
  const chip = draw("g", {}, draw("rect", { x: -8.5, y: -7.5, width: 17, height: 15, rx: 7.5, class: "cs-tl-chip" }), draw("text", { y: 4, class: "cs-tl-chip-text" }, "#1"));
  const lost = draw("path", { d: "M-8,-7 L3,4 m-4,-4 l8,8 m0,-8 l-8,8", class: "cs-tl-line cs-tl-lost" });
  const dot = draw("circle", { r: 4.2, class: "cs-tl-travelling" });
  return make("details", { className: "cs-tl-show" }, make("summary", {}, "Signs and keys"),
    make("div", { className: "cs-tl-legend" }, key(chip, "message #1 is delivered"), key(dot, "a frame that is under way now"), key(lost, "a frame that is lost"), ...signs),
    make("p", { className: "cs-tl-help" }, HELP));
}
