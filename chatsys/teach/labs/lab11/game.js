// Beat the adversary: three nodes, what each shows, and a button for each move.  Python makes the moves (game.py).
//
// A press sends {move, count}; the count makes two equal presses two changes.  What comes back is all there is to show.
// The keyboard's focus stays on the button that was pressed; where that move cannot be made any more, it goes to Undo.

const GROUPS = [
  ["say", "Somebody speaks"],
  ["crash", "A node stops"],
  ["restart", "A node begins anew"],
  ["suspect", "A node suspects its leader"],
  ["cut", "A direction of a link is cut"],
  ["isolate", "A node is cut off"],
  ["heal", "All cuts end"],
  ["slow_disks", "No disk syncs"],
  ["power_cut", "The power fails everywhere"],
];

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function drawLines(list, lines, empty) {
  for (const [number, text, wrong] of lines) {
    const line = make("li", wrong ? "cs-game-wrong" : "", `${wrong ? "✗ " : ""}#${number} ${text}`);
    list.append(line);
  }
  if (!lines.length) list.append(make("li", "cs-game-quiet", empty));
}

function card(node) {
  const box = make("div", `cs-game-node${node.up ? "" : " cs-game-down"}`);
  const head = make("div", "cs-game-head");
  head.append(make("b", "", `node ${node.number}`), `, with ${node.speaker}`);
  head.append(make("div", node.leads ? "cs-game-wrong" : "", `${node.leads ? "✗ " : ""}${node.state}${node.slow ? ", slow disk" : ""}`));
  const list = make("ul");
  drawLines(list, node.lines, "shows nothing");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `node ${node.number}`);
  box.append(head, list);
  return box;
}

function answered(data) {
  const box = make("div", "cs-game-node");
  const head = make("div", "cs-game-head");
  head.append(make("b", "", "answered ok"));
  const list = make("ul");
  drawLines(list, data.answered, "nothing yet");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "answered ok");
  box.append(head, list);
  return box;
}

function render({ model, el }) {
  const box = make("div", "cs-game");
  let count = 0;
  let focus = null;
  const press = (move, key) => {
    count += 1;
    focus = key;
    model.set("pressed", { move, count });
    model.save_changes();
  };
  const button = (text, name, move) => {
    const one = make("button", "", text);
    one.type = "button";
    one.dataset.key = text;
    one.setAttribute("aria-label", name);
    one.addEventListener("click", () => press(move, text));
    return one;
  };
  const draw = () => {
    const data = model.get("data");
    const verdict = make("div", `cs-game-verdict${data.broken.length ? " cs-game-wrong" : ""}`, data.verdict);
    verdict.setAttribute("role", "status");
    const nodes = make("div", "cs-game-nodes");
    nodes.append(...data.nodes.map(card), answered(data));
    const moves = make("div", "cs-game-moves");
    for (const [verb, what] of GROUPS) {
      const mine = data.possible.filter(([, move]) => move[0] === verb);
      if (!mine.length) continue;
      const group = make("fieldset");
      group.append(make("legend", "", what));
      group.append(...mine.map(([code, move]) => button(code, `${what}: ${code}`, move)));
      moves.append(group);
    }
    const done = make("div", "cs-game-done");
    const code = make("pre", "", data.moves.map((move) => `world.${move}`).join("\n") || "# each move stands here as a line of code");
    code.setAttribute("aria-label", "the moves so far");
    const back = make("div");
    const undo = button("Undo", "Take the last move back", ["undo"]);
    const again = button("Begin anew", "Take all moves back", ["again"]);
    undo.disabled = again.disabled = !data.moves.length;
    back.append(undo, again);
    done.append(code, back);
    const head = make("div", "cs-game-title");
    head.append(make("b", "", data.bug), ` ${data.story}`);
    const cuts = make("div", "cs-game-cuts", `${data.now} s. ${data.cuts}`);
    box.replaceChildren(head, nodes, cuts, verdict, moves, done);
    if (focus) ([...box.querySelectorAll("button:enabled")].find((one) => one.dataset.key === focus) ?? (undo.disabled ? null : undo))?.focus();
    focus = null;
  };
  model.on("change:data", draw);
  draw();
  el.replaceChildren(box);
  return () => model.off("change:data", draw);
}

export default { render };
