// A figure of plotly measures its place when the window changes; JupyterLab's side bar, or a panel beside the page,
// changes the place alone.  This watches the box that it is in, and says then that the window did.

const SETTLED = 100; // ms; a side bar that is pulled changes the width many times

function render({ el }) {
  let width, timer;
  el.style.display = "none";
  const measure = ([{ contentRect }]) => {
    if (!contentRect.width || contentRect.width === width) return; // hidden, or only the height is another one
    width = contentRect.width;
    clearTimeout(timer);
    timer = setTimeout(() => window.dispatchEvent(new Event("resize")), SETTLED);
  };
  const watch = new ResizeObserver(measure);
  const found = requestAnimationFrame(() => el.parentElement && watch.observe(el.parentElement)); // in its box by then
  return () => {
    cancelAnimationFrame(found);
    clearTimeout(timer);
    watch.disconnect();
  };
}

export default { render };
