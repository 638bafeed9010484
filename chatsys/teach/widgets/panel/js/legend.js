// What the colours, the signs and three words mean.

const ROLES_TOLD = {
  follower: "follows a leader", leader: "leads: it decides the order of the messages", nominating: "asks the others whether it may try to lead",
  deferring: "lets a higher node try", preparing: "asks the others to promise that they will follow it", syncing: "fetches the best log before it leads",
  paused: "paused: it does nothing, and forgets nothing",
};
const SIGNS_TOLD = {
  "★": "becomes leader", "▼": "suspects that a node is down", "✖": "crashes", "▶": "starts again", "⊠": "stops itself, for it cannot go on without breaking a rule",
  "✂": "a link is cut, in the rows of the nodes at its ends", "↻": "a message that was said while this node was away; it caught up", "≠": "another message than was first shown as this number", "‼": "a message that is shown for the second time",
};
const WORDS_TOLD = {
  "#7": "the seventh message of the chat, on every node", term: "the number of one leadership; each election begins a higher one",
  quorum: "how many nodes must have an entry in their logs before it counts",
};

function legend() {
  const told = (rows, sign) => make("ul", {}, ...Object.entries(rows).map(([name, says]) => make("li", {}, sign(name), says)));
  return make("details", { className: "cs-legend" }, make("summary", {}, "What the colours and signs mean"),
    make("div", { className: "cs-told" },
      told(ROLES_TOLD, (role) => make("span", { className: `cs-swatch cs-swatch-${role}`, "aria-hidden": "true" })),
      told(SIGNS_TOLD, (sign) => make("b", {}, sign)), told(WORDS_TOLD, (word) => make("b", {}, word))));
}
