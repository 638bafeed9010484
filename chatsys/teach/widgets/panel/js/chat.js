// The chat box, and the list of messages that are on their way.

function chatBox(send, name) {
  const text = make("input", { type: "text", className: "cs-text", "aria-label": "message", placeholder: "say something" });
  const author = make("input", { type: "text", className: "cs-author", value: "ann", "aria-label": "author" });
  const via = make("select", { className: "cs-via", "aria-label": "through which node" }, make("option", { value: "" }, "any node"));
  const say = make("button", { type: "submit", className: "cs-button cs-say", title: "Send the message" }, "Say");
  const form = make("form", { className: "cs-chat", "aria-label": `chat of ${name}` }, author, text, via, say);
  form.addEventListener("keydown", (event) => { // in JupyterLab, Enter alone does not submit a form
    if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = text.value;
    send({ do: "say", text: said, author: author.value, node: via.value ? Number(via.value) : null }, (well) => {
      if (well && text.value === said) text.value = ""; // what was refused stays, to be mended
    });
    text.focus();
  });
  return {
    root: form,
    know(ids) {
      const chosen = via.value;
      via.replaceChildren(via.firstChild, ...ids.map((id) => make("option", { value: id }, `node ${id}`)));
      via.value = ids.includes(Number(chosen)) ? chosen : "";
    },
  };
}

function waitingList() {
  const list = make("ul", { className: "cs-waits" });
  const root = make("div", { className: "cs-waiting", role: "group", "aria-label": "on their way", hidden: true }, make("span", { className: "cs-soft" }, "on their way:"), list);
  let shown = "";
  return {
    root,
    show(rows) {
      const now = JSON.stringify(rows);
      if (now === shown) return;
      shown = now;
      root.hidden = rows.length === 0;
      list.replaceChildren(...rows.map(([author, text, through, how]) => {
        if (!author) return make("li", {}, `and ${how}`);
        return make("li", {}, make("b", {}, author), ": ", make("span", { className: "cs-what" }, `“${text}”`), through ? ` through node ${through}` : "", " – ", make("em", {}, how));
      }));
    },
  };
}
