// Panels: layout, titles, and the cross-hair, pin and rectangle shared by all.
import { clamp, element, percent, formatValue } from "./dom.js";
import { errorRate, meanOf } from "./measure.js";
import { layerOf, paint, planeOf } from "./paint.js";
import { placement } from "./view.js";

const BESIDE_PX = 285; // needed to show read-outs and colour bars beside the panels

function shownPanels(viewer) {
  const { scene } = viewer;
  return scene.free ? shownNames(viewer).map((layer) => ({ layer, at: "", title: "", note: "" })) : scene.panels;
}

// The selected maps that are available, or the default panels of the page.
export function shownNames(viewer) {
  const here = choosable(viewer).map((layer) => layer.name);
  const chosen = viewer.view.show.filter((name) => here.includes(name));
  return chosen.length ? chosen : viewer.scene.panels.map((panel) => panel.layer);
}

export const stepOf = ({ view }, at) => (at === "" ? view.step : at === "other" ? view.other : at);

export const stepTitle = ({ scene }, name) => scene.steps.find((step) => step.name === name)?.title ?? name;

// Creates or removes panels until there are as many as needed.
export function makePanels(viewer, listen) {
  const shown = shownPanels(viewer);
  while (viewer.panels.length > shown.length) viewer.panels.pop().figure.remove();
  while (viewer.panels.length < shown.length) {
    const panel = makePanel(viewer, viewer.panels.length);
    listen(viewer, panel);
    viewer.grid.append(panel.figure);
    viewer.panels.push(panel);
  }
  shown.forEach((one, i) => Object.assign(viewer.panels[i], { layer: one.layer, at: one.at, fixed: one }));
  viewer.root.classList.toggle("controls-only", shown.length === 0);
}

function makePanel(viewer, index) {
  const canvas = element("canvas");
  const marks = { across: element("i"), down: element("i"), pin: element("i"), box: element("i"), divider: element("i") };
  for (const [name, mark] of Object.entries(marks)) mark.className = name;
  const waiting = element("div", { className: "waiting", hidden: true });
  const stage = element("div", { className: "stage", tabIndex: 0, role: "application" }, canvas, ...Object.values(marks), waiting);
  const title = element("b");
  const choice = element("select", { on: { change: () => viewer.choose(index, choice.value) } });
  const close = element("button", { type: "button", className: "close", textContent: "×", title: "Close panel", "aria-label": "Close panel", on: { click: () => viewer.close(index) } });
  const note = element("a", { className: "note", target: "_blank" });
  const figure = element("figure", {}, element("figcaption", {}, title, choice, note, close), stage);
  return { figure, stage, canvas, title, choice, close, note, waiting, ...marks };
}

// Chooses the columns that show panels largest in the available space, and sets the canvas resolution.
export function layOut(viewer) {
  const { scene, grid, panels } = viewer;
  if (!panels.length) return;
  const width = viewer.root.clientWidth, ratio = scene.width / scene.height;
  if (!width) return;
  const room = (scene.height_vh / 100) * window.innerHeight, gap = 10;
  const wide = (columns) => {
    const rows = Math.ceil(panels.length / columns);
    return Math.min((width - gap * (columns - 1)) / columns, Math.max(80, room / rows - 26) * ratio);
  };
  const narrow = window.innerWidth < 640;
  let columns = narrow ? (scene.narrow_columns ?? Math.min(2, panels.length)) : scene.columns;
  if (!columns) {
    columns = 1;
    for (let tried = 2; tried <= panels.length; tried++) if (wide(tried) > 1.005 * wide(columns)) columns = tried;
  }
  const smallest = narrow || panels.length > 6 ? 0 : 150;
  const widest = (width - gap * (columns - 1)) / columns;
  let side = Math.floor(narrow ? widest : Math.max(wide(columns), Math.min(smallest, widest)));
  const beside = Math.floor((width - BESIDE_PX) / columns) - gap;
  if (scene.controls && side > beside && side < 1.25 * beside) side = beside;
  grid.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
  viewer.root.classList.toggle("beside", scene.controls && side <= beside);
  const height = Math.round(clamp(side / ratio, Math.min(90, room), room));
  const dense = window.devicePixelRatio || 1;
  for (const panel of panels) {
    panel.stage.style.height = `${height}px`;
    const w = Math.round(side * dense), h = Math.round(height * dense);
    if (panel.canvas.width !== w || panel.canvas.height !== h) Object.assign(panel.canvas, { width: w, height: h });
  }
}

// Paints every panel with its title, or the reason why it is empty.
export function paintPanels(viewer, { fine }) {
  for (const panel of viewer.panels) {
    panel.step = stepOf(viewer, panel.at);
    panel.figure.classList.toggle("empty", !panel.layer);
    if (!panel.layer) continue;
    const missing = missingText(viewer, panel), painted = !missing && paint(viewer, panel, { fine });
    panel.waiting.hidden = painted;
    if (!painted) panel.waiting.textContent = missing || loadingText(viewer, panel);
    if (missing) panel.canvas.getContext("2d").clearRect(0, 0, panel.canvas.width, panel.canvas.height);
    drawTitle(viewer, panel, missing, { later: !fine });
  }
}

// Why a panel has nothing to show; "" if its map is shown or loading.
export function missingText(viewer, panel) {
  const { layers, scene, view } = viewer, layer = layerOf(viewer, panel.layer);
  const absent = [panel.layer, ...(layer?.of ?? [])].find((name) => !layers.has(name));
  if (absent !== undefined) return `${absent} is not available for this image`;
  if (layer.kind === "change" && scene.steps.length < 2) return `No other ${scene.step} to compare with`;
  const chosen = [view.step, view.other].includes(panel.step);
  return !chosen && planesOf(viewer, layer, panel.step).includes(undefined) ? `Select ${stepTitle(viewer, panel.step)} to see it now` : "";
}

// What a panel is waiting for: an epoch that is not ready, or a plane being fetched.
function loadingText(viewer, panel) {
  const layer = layerOf(viewer, panel.layer), steps = layer.kind === "change" ? [viewer.view.other, panel.step] : [panel.step];
  const source = layer.kind === "change" ? layerOf(viewer, layer.of[0]) : layer;
  const missing = steps.filter((step) => planesOf(viewer, source, step).includes(undefined)).map((step) => stepTitle(viewer, step));
  return missing.length > 1 ? `Loading ${missing.join(" and ")} …` : `Loading ${missing[0] || "the image"} …`;
}

function drawTitle(viewer, panel, missing, options) {
  const { scene } = viewer, layer = layerOf(viewer, panel.layer);
  const others = viewer.panels.some((one) => one.step !== panel.step);
  const own = !layer || scene.steps.length < 2 ? panel.layer : layer.kind === "change"
    ? `${layer.name}, ${stepTitle(viewer, viewer.view.other)} to ${withoutSharedWord(stepTitle(viewer, panel.step), stepTitle(viewer, viewer.view.other))}`
    : others && Object.keys(layer.planes).some((step) => step !== "") ? `${layer.name}, ${stepTitle(viewer, panel.step)}` : layer.name;
  const title = panel.fixed.title || own;
  if (scene.free) fillChoice(viewer, panel);
  panel.title.hidden = scene.free;
  panel.choice.hidden = !scene.free;
  panel.close.hidden = !scene.free || viewer.panels.length < 2;
  panel.title.textContent = title;
  panel.spoken = title;
  panel.usual = panel.fixed.note || (missing ? "" : meanNote(viewer, layer, panel.step, options));
  if (panel.usual && !panel.fixed.note) panel.note.href = viewer.scene.definitions[layer.kind === "errors" ? "error" : "mean"];
  else panel.note.removeAttribute("href");
  if (!viewer.hover) panel.note.textContent = panel.usual;
  panel.stage.setAttribute("aria-label", `${title}. ${viewer.keys}`);
}

function fillChoice(viewer, panel) {
  const { choice } = panel, names = choosable(viewer).map((layer) => layer.name);
  if (choice.dataset.names !== names.join()) {
    choice.replaceChildren(...names.map((name) => element("option", { value: name, textContent: name })));
    choice.dataset.names = names.join();
  }
  choice.value = panel.layer;
  choice.setAttribute("aria-label", `Panel ${viewer.panels.indexOf(panel) + 1} shows`);
}

// "24" after "epoch 11", but the whole title if it does not begin with the same word.
const withoutSharedWord = (title, before) => {
  const [word] = before.match(/^\P{N}*/u);
  return /[^\p{L}]$/u.test(word) && title.startsWith(word) ? title.slice(word.length) : title;
};

export const choosable = (viewer) => [...viewer.layers.values()].filter((layer) => layer.kind !== "objects" && (layer.kind !== "change" || viewer.scene.steps.length > 1));

// Computing the mean of a large image takes longer than a frame, so during interaction only known means are shown.
function meanNote(viewer, layer, step, options) {
  if (layer.kind === "errors") {
    const rate = errorRate(viewer, layer, step, options);
    return rate === null ? "" : `${percent(rate)} wrong`;
  }
  if (layer.kind !== "values" && layer.kind !== "change") return "";
  const mean = meanOf(viewer, layer, step, options);
  return mean === null ? "" : `mean ${formatValue(mean, layer)}`;
}

// Position and size of an image pixel in a panel, in CSS pixels.
function onStage(viewer, panel, x, y) {
  const dense = panel.canvas.width / panel.stage.clientWidth || 1;
  const place = placement(viewer.scene, viewer.view.zoom, panel.canvas.width, panel.canvas.height);
  return { left: (place.left + x * place.scale) / dense, top: (place.top + y * place.scale) / dense, side: place.scale / dense };
}

// The image pixel at a position on the page, clipped to the image.
export function pixelAt(viewer, panel, clientX, clientY) {
  const box = panel.stage.getBoundingClientRect(), { width, height } = viewer.scene;
  const dense = panel.canvas.width / panel.stage.clientWidth || 1;
  const place = placement(viewer.scene, viewer.view.zoom, panel.canvas.width, panel.canvas.height);
  const at = (client, start, offset, size) => clamp(Math.floor(((client - start) * dense - offset) / place.scale), 0, size - 1);
  return [at(clientX, box.left, place.left, width), at(clientY, box.top, place.top, height)];
}

// Draws cross-hair, pin, rectangle and wipe line in every panel.
export function mark(viewer) {
  const { view, hover } = viewer;
  for (const panel of viewer.panels) {
    const centre = ([x, y]) => {
      const { left, top, side } = onStage(viewer, panel, x, y);
      return [left + side / 2, top + side / 2];
    };
    panel.stage.style.touchAction = view.zoom || viewer.drawing ? "none" : "pan-y"; // when zoomed, a finger moves the image, otherwise the page
    panel.down.hidden = panel.across.hidden = !hover;
    if (hover) {
      const [left, top] = centre(hover);
      panel.down.style.left = `${left}px`;
      panel.across.style.top = `${top}px`;
    }
    panel.pin.hidden = view.x === null || view.y === null;
    if (!panel.pin.hidden) {
      const [left, top] = centre([view.x, view.y]);
      Object.assign(panel.pin.style, { left: `${left}px`, top: `${top}px` });
    }
    panel.box.hidden = !view.box;
    if (view.box) {
      const [left, top, right, bottom] = view.box;
      const start = onStage(viewer, panel, left, top), end = onStage(viewer, panel, right, bottom);
      Object.assign(panel.box.style, { left: `${start.left}px`, top: `${start.top}px`, width: `${end.left - start.left}px`, height: `${end.top - start.top}px` });
    }
    panel.divider.hidden = view.compare !== "wipe" || panel.layer === view.against;
    panel.divider.style.left = `${100 * view.at}%`;
  }
}

export const planesOfPanels = (viewer) => viewer.panels.flatMap((panel) => planesOf(viewer, layerOf(viewer, panel.layer), stepOf(viewer, panel.at)));

// The planes needed to show a layer at a step.
export function planesOf(viewer, layer, step) {
  if (!layer) return [];
  if (layer.kind === "change") return [step, viewer.view.other].map((one) => planeOf(layerOf(viewer, layer.of[0]), one));
  if (layer.kind === "errors") return layer.of.map((name) => planeOf(layerOf(viewer, name), step));
  return [planeOf(layer, step)];
}
