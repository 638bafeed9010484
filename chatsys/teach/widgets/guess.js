// A question with radio buttons, in the browser's own words: Tab goes to it, the arrow keys choose.
// JupyterLab keeps the arrow keys for its cells, unless an element says that it needs them itself.

function render({ model, el }) {
  const field = document.createElement("fieldset");
  field.className = "cs-guess";
  const legend = document.createElement("legend");
  const word = document.createElement("b");
  word.textContent = "Predict.";
  legend.append(word, ` ${model.get("question")}`);
  field.append(legend);
  const group = `cs-guess-${Math.random().toString(36).slice(2)}`;
  const buttons = model.get("choices").map((choice) => {
    const label = document.createElement("label");
    const button = document.createElement("input");
    button.type = "radio";
    button.name = group;
    button.value = choice;
    button.dataset.lmSuppressShortcuts = "true";
    button.addEventListener("change", () => {
      model.set("value", choice);
      model.save_changes();
    });
    label.append(button, choice);
    field.append(label);
    return button;
  });
  const state = document.createElement("div");
  state.className = "cs-guess-state";
  state.setAttribute("role", "status");
  field.append(state);
  const draw = () => {
    const value = model.get("value");
    for (const button of buttons) {
      button.checked = button.value === value;
      button.disabled = model.get("disabled");
    }
    state.textContent = model.get("disabled") ? "What happened is told below." : value ? "You can change it until it is revealed." : "Choose one.";
  };
  model.on("change", draw);
  draw();
  el.replaceChildren(field);
}

export default { render };
