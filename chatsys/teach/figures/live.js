// A live figure is heard from at once, and drawn when plotly.js is there.
//
// anywidget waits 2 s for what a widget brings along; whoever is later hears nothing of Python ever after.  On a slow
// machine the 5 MB of plotly.js take longer.  So this is what anywidget waits for, and plotly.js is loaded from here.

function widget() {
  let plotly;
  return {
    initialize({ model }) {
      const early = [];
      let there = false;
      model.on("change:_py2js_update", () => {
        const update = model.get("_py2js_update");
        if (!there && update) early.push(update);
      });
      plotly = load(model.get("_plotly")).then((made) => {
        there = true;
        made.initialize({ model });
        for (const update of early) { // as if it came now: plotly's part of the model keeps it for the views
          model.set("_py2js_update", update);
          model.set("_py2js_update", null);
        }
        return made;
      });
    },
    async render(context) {
      return (await plotly).render(context);
    },
  };
}

async function load(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return (await import(address)).default();
  } finally {
    URL.revokeObjectURL(address);
  }
}

export default widget;
