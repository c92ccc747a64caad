// Elements of the page.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A number as a reader wants it: its digits and its unit.
export const written = (value, { digits, unit }) => (value === null ? "–" : signed(value.toFixed(digits)) + unit);

// With a minus as wide as a plus, and none before zero.
const signed = (text) => text.replace("-", Number(text) === 0 ? "" : "−");

export const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)} %` : "–");

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Gives a select its options, value to text, unless it has them.
export function fillOptions(select, options) {
  const signature = JSON.stringify(options);
  if (select.dataset.signature === signature) return;
  select.dataset.signature = signature;
  select.replaceChildren(...Object.entries(options).map(([value, text]) => element("option", { value, textContent: text })));
}
