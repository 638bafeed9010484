// The browser's own slider, with a label: Tab goes to it, the arrow keys move it, and its position is told in words.
// JupyterLab keeps the arrow keys for its cells, unless an element says that it needs them itself.

function render({ model, el }) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const shown = document.createElement("span");
  label.className = "cs-choose";
  input.type = "range";
  input.min = 0;
  input.step = 1;
  input.dataset.lmSuppressShortcuts = "true";
  shown.setAttribute("aria-hidden", "true"); // the same words as aria-valuetext
  shown.className = "cs-choose-value";
  const name = document.createElement("span");
  label.append(name, input, shown);
  const tell = () => {
    const text = model.get("texts")[Number(input.value)];
    input.setAttribute("aria-valuetext", text);
    shown.textContent = text;
  };
  const send = () => {
    model.set("index", Number(input.value));
    model.save_changes();
  };
  input.addEventListener("input", () => {
    tell();
    if (model.get("live")) send();
  });
  input.addEventListener("change", send);
  const draw = () => {
    const texts = model.get("texts");
    name.textContent = model.get("label");
    input.setAttribute("aria-label", model.get("label")); // without the value, which stands in the same label
    input.max = texts.length - 1;
    input.value = model.get("index");
    shown.style.minWidth = `${Math.max(...texts.map((text) => text.length))}ch`;
    tell();
  };
  model.on("change", draw);
  draw();
  el.replaceChildren(label);
}

export default { render };
