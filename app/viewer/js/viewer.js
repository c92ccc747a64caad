// The viewer: receives scenes from Python, holds the view settings, and reports changes to the page.
import { parseScales } from "./colours.js";
import { element } from "./dom.js";
import { fetchAll } from "./fetching.js";
import { KEY_HELP, listen } from "./gestures.js";
import { drawLegend, makeLegend } from "./legend.js";
import { readOut, readStep } from "./readout.js";
import { objectAt } from "./measure.js";
import { numbersOf } from "./paint.js";
import { choosable, layOut, makePanels, mark, paintPanels, shownNames } from "./panels.js";
import { hold } from "./planes.js";
import { copyLink, savePicture } from "./save.js";
import { drawTools, makeTools } from "./tools.js";
import { centred, OWN, placement, readView, without, writeView } from "./view.js";

const REST_MS = 500; // without input, before changes are reported to the page
const FINE_MS = 160; // without input, before everything is painted at full quality
const PLAY_MS = 700;
const BLINK_MS = 600;
const viewers = new WeakMap(); // element -> its viewer
const all = new Set();
const SHARED = ["step", "other", "opacity", "scale", "nats", "above", "zoom", "compare", "against", "at", "grey", "hidden", "outlines", "box", "x", "y"];

export default function (component) {
  const root = component.parentElement.querySelector(".viewer");
  const viewer = viewers.get(root) ?? makeViewer(root);
  dismiss();
  viewer.tell = (changes) => component.setTriggerValue("view", changes);
  all.add(viewer);
  viewer.observer.observe(root);
  viewer.listen("addEventListener");
  viewer.receive(component.data);
  return () => setTimeout(dismiss); // Streamlit also unmounts viewers that stay on the page, so check later which are gone
}

// Removes the viewers that are no longer on the page.
function dismiss() {
  for (const viewer of [...all].filter(({ root }) => !root.isConnected)) {
    viewer.observer.disconnect();
    viewer.listen("removeEventListener");
    viewer.stop();
    all.delete(viewer);
  }
}

function makeViewer(root) {
  const viewer = { root, panels: [], hover: null, over: 0, selected: 0, selectedIn: "", revision: null, reported: {}, pending: [], problems: {}, turn: 0, keys: KEY_HELP };
  viewers.set(root, viewer);
  viewer.grid = element("div", { className: "panels" });
  viewer.head = element("div", { className: "head" });
  viewer.foot = element("div", { className: "foot" });
  viewer.problem = element("p", { className: "problem", role: "alert", hidden: true });
  viewer.foot.append(...makeLegend(viewer));
  root.append(viewer.head, viewer.problem, element("div", { className: "body" }, viewer.grid, viewer.foot));
  viewer.head.append(...makeTools(viewer));
  const redraw = () => schedule(viewer);
  viewer.observer = new ResizeObserver(redraw);
  // Report at once when the user clicks or types elsewhere on the page.
  const turn = (event) => viewer.resting && !event.composedPath().includes(root) && viewer.flush();
  viewer.listen = (how) => {
    for (const event of ["pointerdown", "keydown"]) document[how](event, turn, { capture: true });
    window[how]("resize", redraw);
  };
  Object.assign(viewer, actions(viewer));
  root.read = (name, x, y, step) => readNumber(viewer, name, x, y, step);
  root.settled = () => !viewer.resting && !viewer.pending.length && !viewer.frame && !viewer.fine; // every choice was acknowledged and drawn
  return viewer;
}

// The number of a layer at a pixel, as sent.
function readNumber(viewer, name, x, y, step = viewer.view.step) {
  return numbersOf(viewer, viewer.layers.get(name), step)?.numbers[y * viewer.scene.width + x] ?? null;
}

const actions = (viewer) => ({
  receive: (scene) => receive(viewer, scene),
  group: () => {
    const { group } = viewer.scene;
    const members = group ? [...all].filter((one) => one.scene?.group === group) : [];
    return members.includes(viewer) ? members : [viewer, ...members];
  },
  leader: () => viewer.group().find((one) => one.scene.controls) ?? viewer,
  measured: () => (viewer.panels.length ? viewer : (viewer.group().find((one) => one.panels.length) ?? viewer)),
  // Applies settings to all linked viewers, and reports them to the page once input stops.
  change: (changes, { now = false, silent = false } = {}) => {
    const shared = Object.fromEntries(Object.entries(changes).filter(([name]) => SHARED.includes(name)));
    for (const one of viewer.group()) {
      const taken = one.scene.private || viewer.scene.private ? without(shared, OWN) : shared;
      Object.assign(one.view, one === viewer ? changes : taken);
      showProblem(one, "save", "");
      schedule(one);
    }
    const leader = viewer.scene.controls ? viewer : viewer.leader();
    if (silent) return;
    clearTimeout(leader.resting);
    if (now) report(leader);
    else leader.resting = setTimeout(() => report(leader), REST_MS);
  },
  // Moves the cursor to a pixel of a panel; null when it leaves.
  hoverAt: (pixel, panel = null, options = {}) => {
    for (const one of viewer.scene.private ? [viewer] : viewer.group()) {
      one.hover = pixel;
      one.hoverPanel = panel;
      const over = one.over;
      mark(one);
      readOut(one, options);
      if (one.over !== over) schedule(one);
    }
  },
  pin: ([x, y]) => {
    const object = viewer.view.outlines === "objects" && objectAt(viewer, readStep(viewer), y * viewer.scene.width + x);
    if (object) {
      viewer.selected = object.number;
      viewer.selectedIn = object.plane;
      viewer.object = viewer.scene.objects_of ? viewer.scene.objects_of + object.number : "";
    }
    viewer.change({ x, y }, { now: true });
  },
  goBy: (by) => {
    const names = viewer.scene.steps.map((step) => step.name);
    const at = Math.min(names.length - 1, Math.max(0, names.indexOf(viewer.view.step) + by));
    viewer.change({ step: names[at] });
  },
  play: () => {
    const leader = viewer.leader();
    if (leader.scene.steps.length < 2) return;
    if (leader.playing) {
      clearInterval(leader.playing);
      viewer.change({}); // report where it stopped
    }
    leader.playing = leader.playing ? null : setInterval(() => advance(leader), PLAY_MS);
    schedule(leader);
  },
  flush: () => {
    clearTimeout(viewer.resting);
    report(viewer);
  },
  stop: () => {
    for (const timer of [viewer.playing, viewer.blinking]) clearInterval(timer);
    for (const timer of [viewer.resting, viewer.fine]) clearTimeout(timer);
    viewer.playing = viewer.blinking = viewer.resting = viewer.fine = null;
    viewer.turn++; // stop fetching
    hold(viewer, []);
  },
  compare: (how) => viewer.change({ compare: viewer.view.compare === how ? "" : how }),
  draw: () => {
    for (const one of viewer.group()) {
      one.drawing = !one.drawing;
      if (!one.drawing) one.view.box = null;
    }
    viewer.change({ box: null });
  },
  // Whether anything hides or covers parts of the maps; `reset` undoes it.
  changed: () => {
    const { zoom, above, compare, hidden, outlines, box, grey } = viewer.view;
    return Boolean(zoom || compare || outlines || box || grey || hidden.length || Object.keys(above).length);
  },
  reset: () => {
    for (const one of viewer.group()) one.drawing = false;
    viewer.change({ zoom: null, above: {}, compare: "", hidden: [], outlines: "", box: null, grey: false });
  },
  nextOutlines: () => {
    const options = [...viewer.leader().tools.outlines.options].map((option) => option.value);
    viewer.change({ outlines: options[(options.indexOf(viewer.view.outlines) + 1) % options.length] });
  },
  clear: () => {
    viewer.selected = 0;
    viewer.change({ box: null, x: null, y: null });
  },
  oneToOne: () => {
    const one = viewer.measured(), { canvas } = one.panels[0];
    const { fit } = placement(one.scene, null, canvas.width, canvas.height);
    const middle = one.hover ?? (one.view.x === null ? [one.scene.width / 2, one.scene.height / 2] : [one.view.x, one.view.y]);
    viewer.change({ zoom: fit >= 1 ? null : centred(one.scene, ...middle, 1 / fit, canvas.width, canvas.height) });
  },
  choose: (index, layer) => viewer.change({ show: shownNames(viewer).map((name, i) => (i === index ? layer : name)) }),
  close: (index) => viewer.change({ show: shownNames(viewer).filter((_, i) => i !== index) }),
  add: () => {
    const shown = shownNames(viewer), unused = choosable(viewer).find((layer) => !shown.includes(layer.name));
    viewer.change({ show: [...shown, (unused ?? choosable(viewer)[0]).name] });
  },
  save: () => savePicture(viewer.group()).then(() => "", (error) => `The image could not be saved: ${error.message}.`).then((sentence) => showProblem(viewer, "save", sentence)),
  copyLink: () => copyLink(viewer),
});

// Applies a scene from Python. Settings changed since the last report stay as they are.
function receive(viewer, scene) {
  const before = viewer.scene;
  const known = viewer.revision !== null && before?.step === scene.step;
  const current = known ? writeView(before, viewer.view) : {};
  const given = Object.fromEntries(Object.entries(scene.view).filter(([name, text]) => text !== "" && !(scene.private && OWN.includes(name))));
  viewer.scene = scene;
  viewer.layers = new Map(scene.layers.map((layer) => [layer.name, layer]));
  viewer.scales = parseScales(scene.scales); // an added layer may bring one
  viewer.pending = viewer.pending.filter((one) => one.revision > scene.revision);
  const busy = known && [viewer, viewer.leader()].some((one) => one.resting || one.pending.length);
  const differs = (name) => (given[name] ?? "") !== (viewer.reported[name] ?? "");
  const names = new Set([...Object.keys(given), ...Object.keys(current)]);
  const texts = { ...given };
  if (known) for (const name of names) if (busy || !differs(name)) texts[name] = current[name];
  for (const name of names) if (texts[name] === "" || texts[name] === undefined) delete texts[name];
  viewer.view = readView(scene, texts);
  if (known && !scene.private && imageOf(before) !== imageOf(scene)) {
    for (const name of OWN) if (!differs(name)) viewer.view[name] = null; // they belong to the previous image
    if (scene.controls) viewer.resting ??= setTimeout(() => report(viewer), REST_MS);
  }
  if (!busy) viewer.reported = given;
  viewer.revision = known ? viewer.revision : scene.revision;
  if (JSON.stringify(scene.frame) !== JSON.stringify(before?.frame)) viewer.framed = false;
  if (scene.selected !== null || before?.selected != null) Object.assign(viewer, { selected: scene.selected ?? 0, selectedIn: "" });
  viewer.root.classList.toggle("bare", !scene.controls);
  schedule(viewer);
}

const imageOf = (scene) => scene.layers.find((layer) => layer.kind === "image")?.planes[""]?.digest;

// Reports changed settings to the page as URL parameters. Unacknowledged ones are repeated, because only the last of several
// reports sent while the page is running arrives.
function report(viewer) {
  viewer.resting = null;
  if (viewer.scene.quiet) return;
  const written = writeView(viewer.scene, viewer.view), texts = viewer.scene.private ? without(written, OWN) : written;
  if (viewer.object) texts.object = viewer.object;
  viewer.object = "";
  const changes = Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== (viewer.reported[name] ?? "")));
  if (!Object.keys(changes).length) return;
  viewer.reported = { ...viewer.reported, ...changes };
  viewer.revision += 1;
  viewer.pending.push({ revision: viewer.revision, changes });
  viewer.tell(Object.assign({}, ...viewer.pending.map((one) => one.changes), { revision: viewer.revision }));
}

// Shows the next step while playing; reports it to the page only if its maps are not ready.
function advance(viewer) {
  const names = viewer.scene.steps.map((step) => step.name);
  const step = names[(names.indexOf(viewer.view.step) + 1) % names.length];
  const here = [...viewer.layers.values()].every(({ planes }) => planes[step] || planes[""] || !Object.keys(planes).length);
  viewer.change({ step }, { silent: here });
}

function schedule(viewer) {
  viewer.frame ??= requestAnimationFrame(() => {
    viewer.frame = null;
    if (viewer.scene && all.has(viewer)) refresh(viewer);
  });
}

function refresh(viewer) {
  makePanels(viewer, listen);
  layOut(viewer);
  frameObject(viewer);
  paintPanels(viewer, { fine: false });
  mark(viewer);
  readOut(viewer);
  if (viewer.scene.controls) {
    drawTools(viewer);
    drawLegend(viewer, { later: true });
  }
  updateBlinking(viewer);
  clearTimeout(viewer.fine);
  viewer.fine = setTimeout(() => finish(viewer), FINE_MS);
  fetchAll(viewer, {
    arrived: schedule,
    complete: () => showProblem(viewer, "fetch", ""),
    failed: (error) => showProblem(viewer, "fetch", `The image could not be drawn: ${error.message}. Reload the page to try again.`),
  });
}

// Does slow work once input stops: painting at full quality and counting.
function finish(viewer) {
  viewer.fine = null;
  paintPanels(viewer, { fine: true });
  if (viewer.scene.controls) drawLegend(viewer);
}

// Zooms to an object that was selected elsewhere, once.
function frameObject(viewer) {
  const { scene, panels } = viewer;
  if (!scene.frame || viewer.framed || !panels.length || !viewer.root.clientWidth) return;
  viewer.framed = true;
  const [left, top, right, bottom] = scene.frame, { canvas } = panels[0];
  const { fit } = placement(scene, null, canvas.width, canvas.height);
  const reach = Math.max((right - left) / canvas.width, (bottom - top) / canvas.height, 24 / canvas.width);
  const times = Math.min(1 / (2.5 * reach) / fit, 12 / fit);
  viewer.view.zoom = times > 1 ? centred(scene, (left + right) / 2, (top + bottom) / 2, times, canvas.width, canvas.height) : null;
}

function updateBlinking(viewer) {
  const wanted = viewer.view.compare === "blink";
  if (wanted === Boolean(viewer.blinking)) return;
  clearInterval(viewer.blinking);
  viewer.blinked = false;
  viewer.blinking = wanted
    ? setInterval(() => {
        viewer.blinked = !viewer.blinked;
        paintPanels(viewer, { fine: true });
      }, BLINK_MS)
    : null;
}

// Shows a problem, or hides it with "": a "fetch" problem until all is loaded, a "save" problem until the next input.
function showProblem(viewer, what, sentence) {
  viewer.problems[what] = sentence;
  viewer.problem.textContent = Object.values(viewer.problems).filter(Boolean).join(" ");
  viewer.problem.hidden = viewer.problem.textContent === "";
}
