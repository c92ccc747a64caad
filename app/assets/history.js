// Back undoes one step of the reader. Streamlit enters a page under its bare address and pushes its choices only after
// the page has run; a bare address is no view of its own, so the entry that holds the choices takes its place.
if (!window.history.pushState.sparing) {
  const push = window.history.pushState.bind(window.history);
  window.history.pushState = (state, title, address) => {
    const next = new URL(address ?? "", window.location.href);
    const same = next.pathname === window.location.pathname;
    if (same && window.location.search === "") window.history.replaceState(state, title, address);
    else push(state, title, address);
  };
  window.history.pushState.sparing = true;
}
