// One card per node: what it is, what can be done to it, and what its user sees.

const VERBS = ["Crash", "Restart", "Pause", "Resume"];
const SIGN = { again: ["↻", "caught up: it was said while this node was away"], odd: ["≠", "another message than was first shown as this number"], twice: ["‼", "shown twice"] };

function card(id, post, learns) {
  const name = learns ? `learner ${id}` : `node ${id}`;
  const verbs = learns ? [...VERBS, "Leave"] : VERBS;
  const role = make("span", { className: "cs-role" }), facts = make("div", { className: "cs-facts" });
  const seen = make("ol", { className: "cs-seen", tabIndex: 0, "aria-label": `what the user of ${name} sees` });
  seen.dataset.lmSuppressShortcuts = "true";
  const buttons = {};
  const row = make("div", { className: "cs-buttons" });
  for (const verb of verbs) {
    const act = () => post({ do: verb.toLowerCase(), node: id });
    const label = verb === "Leave" ? `Let ${name} leave for ever` : `${verb} ${name}`;
    buttons[verb] = button(verb, label, act, `cs-${verb.toLowerCase()}`);
    buttons[verb].setAttribute("aria-label", label);
    row.append(buttons[verb]);
  }
  const root = make("div", { className: "cs-card", role: "group", "aria-label": name },
    make("div", { className: "cs-name" }, make("strong", {}, name), role), facts, row, seen);
  root.dataset.node = id;
  let shown = "";
  return {
    root,
    show(node) {
      root.dataset.role = node.alive ? node.role : "down";
      root.dataset.paused = String(node.paused);
      put(role, doing(node));
      put(facts, standing(node, seen.querySelector("[data-number]")));
      facts.title = "#n is the number of a message. A log has places for other things, too: for each election, and for each client that begins to talk.";
      const fits = { Crash: node.alive, Restart: !node.alive, Pause: node.alive && !node.paused, Resume: node.paused };
      for (const verb of VERBS) buttons[verb].setAttribute("aria-disabled", String(!fits[verb]));
    },
    chat({ said, columns }) {
      const lines = columns[id] || [];
      const now = JSON.stringify(lines.map(([number, at, sign]) => [number, said[at], sign]));
      if (now === shown) return;
      const low = !shown || seen.scrollHeight - seen.scrollTop - seen.clientHeight < 30; // whoever reads older ones is left there
      shown = now;
      seen.replaceChildren(...(lines.length ? lines.map((line) => message(line, said)) : [make("li", { className: "cs-empty" }, "nothing yet")]));
      if (low) seen.scrollTop = seen.scrollHeight;
    },
    settle: () => (seen.scrollTop = seen.scrollHeight), // to the newest, once there is room for it
  };
}

function doing(node) {
  if (!node.alive) return "✖ down";
  if (node.paused) return "❚❚ paused";
  const wants = { nominating: "asks who is alive", deferring: "lets a higher node try", preparing: "asks for promises", syncing: "fetches the best log" }[node.role];
  return node.role === "leader" ? `★ ${node.health}` : wants || node.health;
}

function standing(node, before) {
  if (!node.alive) return "not running";
  const number = node.delivered ? `up to #${node.delivered}` : before ? "no message since it began again" : "no message yet";
  return `${node.term ? `term ${node.term}, ` : ""}${number} (${node.last === 1 ? "1 place" : `${node.last} places`} in its log)`;
}

function message([number, at, sign], said) {
  const [author, room, text] = said[at];
  const line = make("li", { className: `cs-message cs-message-${sign}` });
  line.dataset.number = number;
  line.append(make("span", { className: "cs-number" }, `#${number}`), " ");
  if (SIGN[sign]) line.append(make("span", { className: "cs-sign", title: SIGN[sign][1], role: "img", "aria-label": SIGN[sign][1] }, SIGN[sign][0]), " ");
  line.append(make("b", { className: "cs-who" }, author || "?"), room && room !== "main" ? ` (${room})` : "", ": ", make("span", { className: "cs-what" }, text));
  return line;
}
