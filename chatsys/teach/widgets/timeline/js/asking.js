// Asking why a message was not delivered; the answer is Python's, or was computed before the page was saved.

function askBox(order) {
  const what = make("select", { "aria-label": "message", className: "cs-tl-ask-what" });
  const node = make("select", { "aria-label": "node", className: "cs-tl-ask-node" });
  const answer = make("p", { className: "cs-tl-answer", role: "status" });
  const form = make("form", { className: "cs-tl-ask" }, "Why was", what, "not delivered at", node,
    make("button", { type: "submit", className: "cs-tl-button cs-tl-ask-button", title: "Ask, for the moment of the cursor" }, "by this moment?"));
  let run = null, side, waits = 0;
  const say = (text) => {
    clearTimeout(waits);
    put(answer, text);
    root.hidden = form.hidden && !text; // what Python says is said even where nothing can be asked
  };
  const laneOfAsk = () => run.lanes[Number(node.value)];
  const showMessages = () => {
    side = laneOfAsk()?.side; // of two runs each has its own messages
    what.replaceChildren(...messagesOf(run, side).map(([number, text]) => make("option", { value: JSON.stringify([number, number === null ? text : null]) }, `${number === null ? "" : `#${number} `}${text.length > 28 ? `${text.slice(0, 27)}…` : text}`)));
  };
  node.addEventListener("change", () => { if (laneOfAsk()?.side !== side) showMessages(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [number, text] = JSON.parse(what.value);
    const question = { what: number ?? text, node: laneOfAsk().id };
    say("Looking …");
    waits = setTimeout(() => say(LATE), 8000);
    order("ask", { ...question, delivered: number === null ? -1 : deliveryOf(run, number, question.node) });
  });
  const root = make("div", { role: "group", className: "cs-tl-asking", "aria-label": "why not", hidden: true }, form, answer);
  return {
    root,
    say,
    show(given, can) {
      run = given;
      form.hidden = !can || !messagesOf(run).length;
      root.hidden = form.hidden && !answer.textContent;
      node.replaceChildren(...run.lanes.flatMap((one, lane) => (one.kind === "client" ? [] : [make("option", { value: lane }, laneInFull(one))])));
      showMessages();
    },
  };
}

const LATE = "No answer yet: Python answers when no cell is running. Was the kernel started anew? Then run the cell of this timeline again.";

/** Return every message as [number, text], of two runs those of one; one that never got a number goes by its text. */
function messagesOf(run, side) {
  const numbers = new Map(), said = new Map(), known = new Set();
  const submit = run.about.kinds.indexOf("submit");
  for (let event = 0; event < run.n; event++) {
    if (side && run.run[event] !== side) continue;
    const message = `${run.client[event]} ${run.client_seq[event]}`;
    if (run.msg_no[event] > 0) {
      if (!numbers.get(run.msg_no[event])) numbers.set(run.msg_no[event], run.stringAt("text", event));
      known.add(message);
    } else if (run.kind[event] === submit) said.set(message, run.stringAt("text", event));
  }
  return [...[...numbers].sort(([a], [b]) => a - b), ...[...said].filter(([message, text]) => text && !known.has(message)).map(([, text]) => [null, text])];
}

/** Return the event at which a node delivers a message first, or -1. */
function deliveryOf(run, number, node) {
  for (let event = 0; event < run.n; event++) {
    if (run.kind[event] === run.kindOf.deliver && run.msg_no[event] === number && idOf(run, run.lane[event]) === node) return event;
  }
  return -1;
}

/** Return what a saved page answers at a moment: of its answers the last one that is not later (`answers.py`). */
function answerOf(run, answers, { what, node, event, delivered }) {
  const at = (one) => `${run.time[one].toFixed(2)} s`;
  const begin = beginOf(run, what, node);
  if (delivered >= 0 && delivered <= event) return { said: `It was delivered there at ${at(delivered)}.`, lit: [delivered] };
  if (begin >= 0 && run.time[event] < run.time[begin]) return { said: `At ${at(event)} nobody had said that yet: it is said at ${at(begin)}.`, lit: [begin] };
  const came = delivered < 0 ? "" : `It is delivered there at ${at(delivered)}, ${seconds(run.time[delivered] - run.time[event])} later.`;
  const found = answers[`${typeof what === "string" ? "=" : "#"}${what} ${node}`];
  const earlier = found?.earlier?.findLast(([one]) => one <= event);
  if (!earlier && !found?.said) return { said: came ? `It was on its way. ${came}` : "This page has no answer to that; ask in a notebook.", lit: came ? [delivered] : [] };
  const [then, said, lit] = earlier ?? [delivered < 0 ? run.n - 1 : delivered, found.said, found.lit];
  const apart = Math.abs(run.time[event] - run.time[then]) >= 0.005;
  return { said: [said, apart ? `So it stood at ${at(then)}.` : "", came].filter(Boolean).join(" "), lit };
}

/** Return the event with which a message was said, or the first that tells of it; -1 if nothing does. */
function beginOf(run, what, node) {
  const submit = run.about.kinds.indexOf("submit");
  const side = run.run && run.lanes.find(({ id }) => id === node)?.side; // of two runs each has its own messages
  const first = (fits) => run.kind.findIndex((_kind, event) => (!side || run.run[event] === side) && fits(event));
  if (typeof what === "string") return first((event) => run.kind[event] === submit && run.stringAt("text", event) === what);
  const told = first((event) => run.msg_no[event] === what && run.client[event] > 0);
  if (told < 0) return first((event) => run.number[event] === what); // a small actor has no clients
  const said = first((event) => run.kind[event] === submit && run.client[event] === run.client[told] && run.client_seq[event] === run.client_seq[told]);
  return said < 0 ? told : said;
}
