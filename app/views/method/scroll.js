// Streamlit scrolls to a linked heading when it mounts; fonts, formulas and pictures that come later push it away. So it
// is brought back after each change of size, until the reader does something.
const heading = document.getElementById(window.location.hash.slice(1));
const settling = new ResizeObserver(() => heading?.scrollIntoView());
settling.observe(document.querySelector(".stMainBlockContainer"));
for (const act of ["wheel", "pointerdown", "touchstart", "keydown"]) {
  window.addEventListener(act, () => settling.disconnect(), { once: true, capture: true });
}
