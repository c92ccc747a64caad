// Makes Back undo one choice. Streamlit opens a page without URL parameters and adds them after the page has run. The
// entry without parameters shows nothing new, so the entry with parameters replaces it.
if (!window.history.pushState.replacesBareUrl) {
  const push = window.history.pushState.bind(window.history);
  window.history.pushState = (state, title, address) => {
    const next = new URL(address ?? "", window.location.href);
    const same = next.pathname === window.location.pathname;
    if (same && window.location.search === "") window.history.replaceState(state, title, address);
    else push(state, title, address);
  };
  window.history.pushState.replacesBareUrl = true;
}
