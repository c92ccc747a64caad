// Tools: epoch slider, buttons and display settings.
import { element, fillOptions } from "./dom.js";
import { choosable } from "./panels.js";
import { KEY_HELP } from "./gestures.js";
import { MOST_PANELS } from "./view.js";

export function makeTools(viewer) {
  const parts = (viewer.tools = {});
  const button = (name, text, title, run) => (parts[name] = element("button", { type: "button", textContent: text, title, on: { click: run } }));
  const change = (changes) => viewer.change(changes);
  const time = element("div", { className: "time" }, ...makeStepSlider(viewer, "other"), ...makeStepSlider(viewer, "step"));
  const row = element(
    "div",
    { className: "tools", role: "toolbar", "aria-label": "Viewer" },
    button("fit", "Fit", "Show the whole image (0)", () => change({ zoom: null })),
    button("one", "1:1", "One screen pixel per image pixel (1)", () => viewer.oneToOne()),
    button("out", "−", "Zoom out (−)", () => viewer.panels[0]?.magnify(1 / 1.5)),
    button("in", "+", "Zoom in (+)", () => viewer.panels[0]?.magnify(1.5)),
    button("reset", "Reset", "Clear zoom, hidden classes, thresholds, outlines, comparison and rectangle", () => viewer.reset()),
    button("draw", "Rectangle", "Drag to measure a rectangle (D, or Shift and drag)", () => viewer.draw()),
    choice(parts, "compare", "Compare", { "": "nothing", wipe: "wipe with", blink: "blink with" }, (value) => change({ compare: value })),
    (parts.against = element("select", { "aria-label": "Compared with", on: { change: () => change({ against: parts.against.value }) } })),
    choice(parts, "outlines", "Outlines", { "": "none" }, (value) => change({ outlines: value })),
    range(parts, "opacity", "Opacity", { min: 0, max: 100 }, (value) => change({ opacity: value })),
    button("grey", "Grey image", "Show the image in grey (G)", () => change({ grey: !viewer.view.grey })),
    button("add", "+ Panel", "Add a panel", () => viewer.add()),
  );
  const files = element(
    "div",
    { className: "tools files" },
    button("save", "Save PNG", "Save this view at image resolution, with colour bars and a caption", () => viewer.save()),
    button("link", "Copy link", "Copy a link to this view", () => viewer.copyLink()),
    button("help", "Keys", KEY_HELP, () => (parts.keys.hidden = !parts.keys.hidden)),
  );
  parts.keys = element("p", { className: "keys", hidden: true, textContent: KEY_HELP });
  return [time, row, files, parts.keys];
}

function choice(parts, name, label, options, run) {
  const select = element("select", { on: { change: () => run(select.value) } });
  fillOptions(select, options);
  parts[name] = select;
  return (parts[`${name}Label`] = element("label", {}, label, select));
}

function range(parts, name, label, limits, run) {
  const slider = element("input", { type: "range", ...limits, on: { input: () => run(Number(slider.value)) } });
  const words = element("output");
  Object.assign(parts, { [name]: slider, [`${name}Words`]: words });
  return (parts[`${name}Label`] = element("label", {}, label, slider, words));
}

// The slider of the selected step ("step") or the compared step ("other"), with one stop per step.
function makeStepSlider(viewer, which) {
  const names = () => viewer.scene.steps.map((step) => step.name);
  const slider = element("input", { type: "range", min: 0, step: 1, on: { input: () => viewer.change({ [which]: names()[slider.value] }) } });
  const title = element("b"), ticks = element("div", { className: "ticks" });
  const play = element("button", { type: "button", className: "play", title: "Play (space)", on: { click: () => viewer.play() } });
  const row = element("div", { className: `steps ${which}` }, play, title, element("div", { className: "scale" }, slider, ticks));
  viewer.tools[which] = { slider, title, ticks, row, play };
  return [row];
}

export function drawTools(viewer) {
  const { scene, view, tools } = viewer;
  const all = viewer.group(), layers = [...viewer.layers.values()];
  const panels = all.flatMap((one) => one.panels), shown = panels.map((panel) => viewer.layers.get(panel.layer)).filter(Boolean);
  const compares = panels.some((panel) => panel.at === "other") || shown.some((layer) => layer.kind === "change");
  const moves = panels.some((panel) => panel.at === "" && panel.layer);
  drawSlider(viewer, "step", scene.steps.length > 1 && moves, compares ? "Second: " : "");
  viewer.head.classList.toggle("timeless", scene.steps.length < 2 || !moves);
  drawSlider(viewer, "other", scene.steps.length > 1 && compares, "First: ");
  tools.step.play.textContent = viewer.playing ? "❚❚" : "▶";
  tools.step.play.setAttribute("aria-label", viewer.playing ? "Pause" : "Play");
  const pressed = (button, on) => button.setAttribute("aria-pressed", String(on));
  pressed(tools.draw, viewer.drawing);
  pressed(tools.grey, view.grey);
  tools.fit.disabled = tools.out.disabled = !view.zoom;
  tools.reset.hidden = !viewer.changed();
  tools.compare.value = view.compare;
  fillOptions(tools.against, Object.fromEntries(choosable(viewer).map((layer) => [layer.name, layer.name])));
  tools.against.value = view.against;
  tools.against.hidden = !view.compare;
  const outlines = { "": "none" };
  if (layers.some((layer) => layer.kind === "objects")) outlines.objects = "objects";
  if (Object.keys(view.above).some((name) => viewer.layers.has(name)) || view.outlines === "regions") outlines.regions = "hard regions";
  fillOptions(tools.outlines, outlines);
  tools.outlines.value = view.outlines;
  tools.outlinesLabel.hidden = Object.keys(outlines).length < 2;
  tools.opacity.value = view.opacity;
  tools.opacityWords.textContent = `${view.opacity} %`;
  tools.opacityLabel.hidden = !shown.some((layer) => layer.over);
  tools.grey.hidden = !shown.some((layer) => layer.over || layer.kind === "image");
  tools.add.hidden = !scene.free || viewer.panels.length >= MOST_PANELS;
}

function drawSlider({ scene, view, tools }, which, shown, before) {
  const { slider, title, ticks, row } = tools[which];
  row.hidden = !shown;
  if (!shown) return;
  const at = scene.steps.findIndex((step) => step.name === view[which]), step = scene.steps[at];
  slider.max = scene.steps.length - 1;
  slider.value = at;
  slider.setAttribute("aria-label", which === "step" ? capital(scene.step) : `${capital(scene.step)} compared with`);
  slider.setAttribute("aria-valuetext", step.title + (step.note ? `, ${step.note}` : ""));
  title.textContent = before + capital(step.title) + (step.note ? ` · ${step.note}` : "");
  const labels = scene.steps.map((one) => one.title.replace(/^epoch /, ""));
  if (ticks.dataset.labels === labels.join()) return;
  ticks.dataset.labels = labels.join();
  const every = Math.ceil(labels.length / 12);
  ticks.replaceChildren(...labels.map((label, i) => {
    const tick = element("span", { textContent: i % every === 0 || i === labels.length - 1 ? label : "" });
    tick.style.left = `${(100 * i) / Math.max(1, labels.length - 1)}%`;
    return tick;
  }));
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
