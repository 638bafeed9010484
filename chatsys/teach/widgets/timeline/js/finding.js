// Finding: a search through texts, numbers, kinds, messages and ids, among the events that are shown.

function searchBox(order) {
  const input = make("input", { type: "search", className: "cs-tl-search", "aria-label": "search: a text, #7, a kind of event or of message, an id", placeholder: "search: hello, #7, crash (/)" });
  const count = make("span", { className: "cs-tl-count", role: "status" });
  input.addEventListener("input", () => order("search", input.value));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") order("found", event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") { input.value = ""; order("search", ""); order("focus"); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { root: make("span", { className: "cs-tl-find" }, input, count), input, say: (text) => put(count, text) };
}

/** Return the events that a search finds among those that are shown. */
function find(scene, wanted) {
  const { run } = scene;
  const text = wanted.trim().toLowerCase();
  if (!text) return [];
  const number = /^#(\d+)$/.exec(text);
  const strings = new Uint8Array(run.about.strings.length);
  run.about.strings.forEach((one, index) => { if (index && String(one).toLowerCase().includes(text)) strings[index] = 1; });
  const spoken = (one) => one.toLowerCase().replaceAll("_", " ");
  const kinds = new Set(run.about.kinds.flatMap((one, index) => (spoken(one).startsWith(text) ? [index] : [])));
  const tags = new Set(run.about.messages.flatMap((one, index) => (spoken(one).startsWith(text.replaceAll("_", " ")) ? [index] : [])));
  return scene.events.filter((event) => number ? run.msg_no[event] === Number(number[1])
    : kinds.has(run.kind[event]) || tags.has(run.message[event]) || ["text", "author", "client", "reason", "id", "entry"].some((column) => strings[run[column][event]]));
}
