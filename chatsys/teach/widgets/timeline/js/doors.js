// The two doors: a notebook, which has Python behind it, and a saved page, which has all it needs in it.

function render({ model, el }) {
  const columns = () => model.get("columns");
  const timeline = openTimeline(el, {
    about: model.get("about"), columns: columns(), event: model.get("event"),
    ask: model.get("answers") ? ({ what, node, event }) => model.send({ ask: "why_not", what, node, event }) : null,
    moved: (event) => {
      if (model.get("event") === event) return;
      model.set("event", event);
      model.save_changes();
    },
  });
  const go = () => timeline.go(model.get("event"));
  const light = () => timeline.light(model.get("lit"));
  const say = () => timeline.say(model.get("said"));
  const hear = (message, buffers) => {
    if (!message.about) return;
    timeline.take(message.about, Object.fromEntries(message.from.map(([name, from], index) => [name, [from, buffers[index]]])));
  };
  model.on("change:event", go);
  model.on("change:lit", light);
  model.on("change:said", say);
  model.on("msg:custom", hear);
  if (model.get("lit").length) light();
  if (model.get("said")) say();
  return () => {
    model.off("change:event", go);
    model.off("change:lit", light);
    model.off("change:said", say);
    model.off("msg:custom", hear);
    timeline.close();
  };
}

function openPage() {
  const { about, columns, event, lit, said, answers } = JSON.parse(document.getElementById("run").textContent);
  const bytes = Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, fromBase64(text)]));
  const timeline = openTimeline(document.getElementById("timeline"), {
    about, columns: bytes, event,
    ask: answers ? ({ what, node, event: now, delivered }, run) => {
      const found = answers[`${what} ${node}`];
      const came = delivered < 0 ? "" : `${delivered <= now ? "It was delivered there" : "It had not come yet: it is delivered there"} at ${run.time[delivered].toFixed(2)} s.`;
      timeline.say(came || (found ? found.said : "This page has no answer to that; ask in a notebook."));
      timeline.light(came ? [delivered] : found ? found.lit : []);
    } : null,
  });
  if (lit?.length) timeline.light(lit);
  if (said) timeline.say(said);
  window.timeline = timeline;
}
