// Asking why a message was not delivered; the answer is Python's, or was computed before the page was saved.

function askBox(order) {
  const number = make("select", { "aria-label": "message", className: "cs-tl-ask-number" });
  const node = make("select", { "aria-label": "node", className: "cs-tl-ask-node" });
  const answer = make("p", { className: "cs-tl-answer", role: "status" });
  const form = make("form", { className: "cs-tl-ask" }, "Why was", number, "not delivered at", node,
    make("button", { type: "submit", className: "cs-tl-button", title: "Ask, for the moment of the cursor" }, "by this moment?"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    put(answer, "…");
    order("ask", { number: Number(number.value), node: Number(node.value) });
  });
  const root = make("section", { className: "cs-tl-asking", "aria-label": "why not", hidden: true }, form, answer);
  return {
    root,
    say: (text) => put(answer, text),
    show(run, can) {
      const numbers = [...new Set(run.msg_no)].filter((one) => one > 0).sort((a, b) => a - b);
      root.hidden = !can || !numbers.length;
      const text = new Map();
      for (let event = 0; event < run.n && !root.hidden; event++) if (run.msg_no[event] > 0 && !text.has(run.msg_no[event])) text.set(run.msg_no[event], run.stringAt("text", event));
      const short = (one) => (one.length > 24 ? `${one.slice(0, 23)}…` : one);
      number.replaceChildren(...numbers.map((one) => make("option", { value: one }, `#${one} ${short(text.get(one) || "")}`)));
      node.replaceChildren(...run.lanes.filter(({ kind }) => kind !== "client").map(({ id, name }) => make("option", { value: id }, name)));
    },
  };
}
