// DOM elements and number formats.

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

// A number with its digits and unit.
export const formatValue = (value, { digits, unit }) => (value === null ? "–" : signed(value.toFixed(digits)) + unit);

// Uses a typographic minus, and none before zero.
const signed = (text) => text.replace("-", Number(text) === 0 ? "" : "−");

export const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)} %` : "–");

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Sets the options of a select, value to text, if they changed.
export function fillOptions(select, options) {
  const signature = JSON.stringify(options);
  if (select.dataset.signature === signature) return;
  select.dataset.signature = signature;
  select.replaceChildren(...Object.entries(options).map(([value, text]) => element("option", { value, textContent: text })));
}
