// Streamlit scrolls to a linked heading once; fonts, formulas and images that load later move it away. So scroll back
// after every change of size, until the user does something.
const heading = document.getElementById(window.location.hash.slice(1));
const settling = new ResizeObserver(() => heading?.scrollIntoView());
settling.observe(document.querySelector(".stMainBlockContainer"));
for (const act of ["wheel", "pointerdown", "touchstart", "keydown"]) {
  window.addEventListener(act, () => settling.disconnect(), { once: true, capture: true });
}
