// The image viewer: colours planes of numbers in the browser, shares one cursor between panels, reports clicked pixels.
//
// `data` is binary: a uint32 length, that many bytes of JSON (see app/viewer/__init__.py), then the planes. A plane is a
// PNG ("rgb") or deflated uint8 / uint16 values; 65535 means "no value". Colouring here keeps every panel exact and a
// change of opacity or scale cheap.

const NO_VALUE = 65535;
const KEPT_BYTES = 256e6;
const decoded = new Map(); // digest -> { pixels: a promise, bytes }, oldest first; shared by all viewers of the page
const viewers = new WeakMap(); // parentElement -> what it shows now

export default function (component) {
  const root = component.parentElement.querySelector(".viewer");
  let viewer = viewers.get(root);
  if (!viewer) {
    viewer = { root, panels: [], hover: null, turn: 0 };
    viewer.observer = new ResizeObserver(() => sharpen(viewer));
    viewer.observer.observe(root);
    viewers.set(root, viewer);
  }
  viewer.pinned = (x, y) => component.setTriggerValue("pinned", { x, y });
  const turn = ++viewer.turn;
  show(viewer, component.data, turn).catch((error) => {
    root.querySelector(".readout").textContent = `This picture could not be drawn: ${error.message}`;
    console.error(error);
  });
  return () => viewer.observer.disconnect();
}

async function show(viewer, data, turn) {
  const { scene, planes } = parse(data);
  const pixels = {};
  const area = scene.width * scene.height;
  await Promise.all(planes.map(async (plane) => (pixels[plane.name] = await decode(plane, area))));
  if (turn !== viewer.turn) return; // a newer picture overtook this one
  Object.assign(viewer, { scene, planes: Object.fromEntries(planes.map((p) => [p.name, p])), pixels });
  layOut(viewer);
  scene.panels.forEach((panel, i) => paint(viewer, panel, viewer.panels[i].canvas));
  sharpen(viewer);
  drawLegend(viewer);
  point(viewer);
}

// Pixels stay sharp squares when enlarged; a picture shown smaller than it is is smoothed, or thin things would vanish.
function sharpen({ panels, scene }) {
  for (const { canvas } of panels) {
    const enlarged = canvas.clientWidth * window.devicePixelRatio >= scene.width;
    canvas.style.imageRendering = enlarged ? "pixelated" : "auto";
  }
}

function parse(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const start = 4 + view.getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(data.subarray(4, start)));
  let at = start;
  const planes = scene.planes.map((plane) => {
    const bytes = data.slice(at, (at += plane.length));
    return { ...plane, bytes };
  });
  return { scene, planes };
}

function decode(plane, area) {
  const known = decoded.get(plane.digest);
  const bytes = area * { rgb: 4, u8: 1, u16: 2 }[plane.kind];
  const entry = known ?? { bytes, pixels: plane.kind === "rgb" ? decodePng(plane.bytes) : inflate(plane) };
  decoded.delete(plane.digest);
  decoded.set(plane.digest, entry);
  let total = 0;
  for (const { bytes } of decoded.values()) total += bytes;
  for (const [digest, { bytes }] of decoded) {
    if (total <= KEPT_BYTES) break;
    decoded.delete(digest);
    total -= bytes;
  }
  return entry.pixels;
}

async function decodePng(bytes) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), options);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
}

async function inflate(plane) {
  const stream = new Blob([plane.bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  return plane.kind === "u8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
}

// One panel's picture: base image (dimmed or not), the layer's colours over it, only where it is at least `above`.
function paint(viewer, panel, canvas) {
  const { width, height } = viewer.scene;
  const base = panel.base && viewer.pixels[panel.base];
  const layer = panel.layer && viewer.pixels[panel.layer];
  const step = layer && colourOf(viewer.planes[panel.layer], panel);
  const threshold = panel.above === null ? 0 : quantise(viewer.planes[panel.layer], panel.above);
  const picture = new ImageData(width, height);
  const out = picture.data;
  for (let i = 0, o = 0; i < width * height; i++, o += 4) {
    let r = base ? base[o] : 0, g = base ? base[o + 1] : 0, b = base ? base[o + 2] : 0;
    const kept = layer && layer[i] >= threshold;
    if (base && (panel.dim || (layer && !kept))) r = g = b = 0.45 * (0.299 * r + 0.587 * g + 0.114 * b);
    if (kept) {
      const c = 4 * (layer[i] === NO_VALUE ? 256 : step ? step[layer[i]] : layer[i]);
      const alpha = (base ? panel.opacity : 1) * (panel.colours[c + 3] / 255);
      r += alpha * (panel.colours[c] - r);
      g += alpha * (panel.colours[c + 1] - g);
      b += alpha * (panel.colours[c + 2] - b);
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
    out[o + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

// For every possible uint16 value, the index of its colour; classes are their own index.
function colourOf(plane, panel) {
  if (plane.kind === "u8") return null;
  const low = quantise(plane, panel.low), high = quantise(plane, panel.high);
  const step = new Uint8Array(NO_VALUE + 1);
  for (let v = 0; v < NO_VALUE; v++) step[v] = Math.round(255 * Math.min(1, Math.max(0, (v - low) / (high - low))));
  return step;
}

const quantise = (plane, value) => ((value - plane.low) / (plane.high - plane.low)) * (NO_VALUE - 1);

// The panels' elements: made once for a number of panels, then kept.
function layOut(viewer) {
  const { scene, root } = viewer;
  const grid = root.querySelector(".panels");
  if (viewer.panels.length !== scene.panels.length) {
    grid.replaceChildren();
    viewer.panels = scene.panels.map(() => makePanel(viewer, grid));
  }
  const rows = Math.ceil(scene.panels.length / scene.columns);
  grid.style.setProperty("--columns", scene.columns);
  grid.style.setProperty("--narrow", scene.narrowColumns);
  grid.style.setProperty("--height", `calc(${scene.heightVh}vh / ${rows} - 1.9rem)`);
  grid.style.setProperty("--aspect", scene.width / scene.height);
  scene.panels.forEach((panel, i) => {
    const { figure, title, note, stage } = viewer.panels[i];
    figure.classList.toggle("empty", !panel.base && !panel.layer);
    title.textContent = panel.title;
    note.textContent = panel.note;
    stage.setAttribute("aria-label", `${panel.title}. Arrow keys move the cursor, Enter reads the pixel.`);
  });
}

function makePanel(viewer, grid) {
  const figure = document.createElement("figure");
  figure.innerHTML =
    '<figcaption><b></b><span></span></figcaption><div class="stage" tabindex="0" role="img">' +
    '<canvas></canvas><i class="across"></i><i class="down"></i><i class="pin"></i></div>';
  grid.append(figure);
  const stage = figure.querySelector(".stage");
  const canvas = figure.querySelector("canvas");
  stage.addEventListener("pointermove", (event) => hover(viewer, pixelAt(viewer, canvas, event)));
  stage.addEventListener("pointerleave", () => hover(viewer, null));
  stage.addEventListener("blur", () => hover(viewer, null));
  stage.addEventListener("click", (event) => viewer.pinned(...toOwn(viewer, pixelAt(viewer, canvas, event))));
  stage.addEventListener("keydown", (event) => onKey(viewer, event));
  return { figure, stage, canvas, title: figure.querySelector("b"), note: figure.querySelector("span") };
}

function pixelAt({ scene }, canvas, event) {
  const box = canvas.getBoundingClientRect();
  const within = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
  const x = within((event.clientX - box.left) / box.width, scene.width);
  return [x, within((event.clientY - box.top) / box.height, scene.height)];
}

// Points are counted in the picture's pixels; the planes may be a smaller copy of it.
function toOwn({ scene }, [x, y]) {
  return [((x + 0.5) * scene.ownWidth) / scene.width, ((y + 0.5) * scene.ownHeight) / scene.height].map(Math.floor);
}

function pinnedPixel({ scene }) {
  if (!scene.point) return null;
  const [x, y] = scene.point;
  return [((x + 0.5) * scene.width) / scene.ownWidth, ((y + 0.5) * scene.height) / scene.ownHeight].map(Math.floor);
}

function onKey(viewer, event) {
  const { scene } = viewer;
  const [x, y] = viewer.hover ?? pinnedPixel(viewer) ?? [scene.width >> 1, scene.height >> 1];
  const by = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
  if (event.key === "Enter" || event.key === " ") viewer.pinned(...toOwn(viewer, [x, y]));
  else if (moves[event.key]) {
    const clamp = (value, size) => Math.min(size - 1, Math.max(0, value));
    hover(viewer, [clamp(x + moves[event.key][0], scene.width), clamp(y + moves[event.key][1], scene.height)]);
  } else return;
  event.preventDefault();
}

function hover(viewer, pixel) {
  viewer.hover = pixel;
  if (viewer.scene) point(viewer);
}

// Cross-hair, pin and read-out, in every panel at once.
function point(viewer) {
  const { scene, root } = viewer;
  const place = (element, at, axes) => {
    element.hidden = !at;
    if (!at) return;
    if (axes.includes("x")) element.style.left = `${(100 * (at[0] + 0.5)) / scene.width}%`;
    if (axes.includes("y")) element.style.top = `${(100 * (at[1] + 0.5)) / scene.height}%`;
  };
  for (const { stage } of viewer.panels) {
    place(stage.querySelector(".down"), viewer.hover, "x");
    place(stage.querySelector(".across"), viewer.hover, "y");
    place(stage.querySelector(".pin"), pinnedPixel(viewer), "xy");
  }
  root.querySelector(".readout").replaceChildren(...readOut(viewer));
}

function readOut(viewer) {
  const { scene, planes, pixels } = viewer;
  const at = viewer.hover ?? pinnedPixel(viewer);
  if (!at) return ["Point at a panel to read its values; click to keep the point."];
  const [x, y] = viewer.hover ? toOwn(viewer, at) : scene.point;
  const items = [["x", x], ["y", y]];
  for (const { label, plane, classes, digits, unit } of scene.readouts) {
    const value = pixels[plane][at[1] * scene.width + at[0]];
    const { low, high } = planes[plane];
    if (classes) items.push([label, classes[value] ?? "unlabelled"]);
    else if (value === NO_VALUE) items.push([label, "–"]);
    else items.push([label, (low + (value / (NO_VALUE - 1)) * (high - low)).toFixed(digits) + unit]);
  }
  return items.map(([label, value]) => {
    const item = document.createElement("span");
    item.append(`${label} `, Object.assign(document.createElement("b"), { textContent: value }));
    return item;
  });
}

function drawLegend({ scene, root }) {
  const bars = scene.bars.map((bar) => {
    const stops = Array.from({ length: 17 }, (_, i) => rgb(bar.colours, Math.round((255 * i) / 16)));
    return swatch(`linear-gradient(90deg, ${stops.join(", ")})`, "bar", `${bar.label} ${bar.low}`, `${bar.high}${bar.unit}`);
  });
  const classes = scene.classes.map(({ name, colour }) => swatch(`rgb(${colour})`, "chip", "", name));
  root.querySelector(".legend").replaceChildren(...bars, ...classes);
}

const rgb = (colours, i) => `rgb(${colours[4 * i]}, ${colours[4 * i + 1]}, ${colours[4 * i + 2]})`;

function swatch(background, kind, before, after) {
  const item = document.createElement("span");
  const colour = Object.assign(document.createElement("i"), { className: kind });
  colour.style.background = background;
  item.append(before, colour, after);
  return item;
}
