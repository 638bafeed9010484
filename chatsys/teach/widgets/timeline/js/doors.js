// The two doors: a notebook, which has Python behind it, and a saved page, which has all it needs in it.
//
//     a live world --news--> what is known, once for each model --> every view of it

function widget() {
  let about, columns;
  const views = new Set();
  return {
    initialize({ model }) {
      about = model.get("about");
      columns = model.get("columns");
      model.on("msg:custom", (message, buffers) => {
        if (message.said !== undefined) for (const view of views) view.answer(message);
        if (!message.about) return;
        const news = Object.fromEntries(message.from.map(([name, from], index) => [name, [from, buffers[index]]]));
        if (!fits(columns, news)) return model.send({ ask: "whole" }); // something was missed
        about = message.about;
        columns = joined(columns, news);
        for (const view of views) view.take(about, columns);
      });
    },
    render({ model, el }) {
      const view = openView(model, el, about, columns);
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
  };
}

function openView(model, el, about, columns) {
  const timeline = openTimeline(el, {
    about, columns, event: model.get("event"),
    ask: model.get("answers") ? ({ what, node, event }) => {
      try { model.send({ ask: "why_not", what, node, event }); } catch { timeline.say(GONE); }
    } : null,
    moved: (event) => {
      if (model.get("event") === event) return;
      model.set("event", event);
      try { model.save_changes(); } catch { /* nobody listens any more */ }
    },
  });
  const hears = {
    "change:event": () => timeline.go(model.get("event")),
    "change:lit": () => timeline.light(model.get("lit")),
    "change:said": () => timeline.say(model.get("said")),
  };
  for (const [what, does] of Object.entries(hears)) model.on(what, does);
  if (model.get("lit").length) timeline.light(model.get("lit"));
  if (model.get("said")) timeline.say(model.get("said"));
  return {
    take: timeline.take,
    answer: ({ said, lit }) => { timeline.say(said); timeline.light(lit); }, // the same as the last time is an answer too
    close: () => {
      for (const [what, does] of Object.entries(hears)) model.off(what, does);
      timeline.close();
    },
  };
}

const GONE = "The kernel that knew this run is gone, so nobody answers; run the cell of this timeline again.";

function openPage() {
  const { about, columns, event, lit, said, answers } = JSON.parse(document.getElementById("run").textContent);
  const bytes = Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, fromBase64(text)]));
  const timeline = openTimeline(document.getElementById("timeline"), {
    about, columns: bytes, event,
    ask: answers ? (question, run) => {
      const { said: told, lit: events } = answerOf(run, answers, question);
      timeline.say(told);
      timeline.light(events);
    } : null,
  });
  if (lit?.length) timeline.light(lit);
  if (said) timeline.say(said);
  window.timeline = timeline;
}
