// Fetching: which planes of a scene are fetched, and in which order.
import { planesOf, planesOfPanels } from "./panels.js";
import { fetchPlane, hold, pixelsOf, room } from "./planes.js";

const AT_ONCE = 3; // parallel fetches in the background
const AGAIN_MS = 1500; // before retrying: while a page is being redrawn, its files may be missing for a moment

// Fetches the planes of the panels first, then those of the read-out, then those of neighbouring steps.
export async function fetchAll(viewer, { arrived, complete, failed }) {
  const turn = ++viewer.turn, area = viewer.scene.width * viewer.scene.height;
  const layers = [...viewer.layers.values()], names = viewer.scene.steps.map((step) => step.name);
  const middle = Math.max(0, names.indexOf(viewer.view.step));
  const near = names.slice().sort((a, b) => Math.abs(names.indexOf(a) - middle) - Math.abs(names.indexOf(b) - middle));
  const image = layers.filter((layer) => layer.kind === "image").flatMap((layer) => planesOf(viewer, layer, viewer.view.step));
  const known = (planes) => [...new Set(planes.filter(Boolean))];
  const at = (step) => layers.flatMap((layer) => planesOf(viewer, layer, step));
  const first = known([...image, ...planesOfPanels(viewer)]), current = known([...first, ...at(viewer.view.step)]);
  hold(viewer, current); // otherwise new planes could replace visible ones, which would be fetched again endlessly
  const arrive = async (plane) => {
    if (pixelsOf(plane)) return;
    await fetchPlane(plane, area).catch(() => pause(AGAIN_MS).then(() => fetchPlane(plane, area)));
    if (current.includes(plane)) arrived(viewer);
  };
  const take = async (planes, wanted) => {
    while (planes.length && turn === viewer.turn && wanted()) await arrive(planes.shift());
  };
  const takeAll = (planes, wanted) => Promise.all(Array.from({ length: AT_ONCE }, () => take(planes, wanted)));
  try {
    await Promise.all(first.map(arrive));
    await takeAll([...current], () => true);
    if (turn === viewer.turn) complete();
    await takeAll(known(near.flatMap(at)), () => room(2 * area));
  } catch (error) {
    if (turn === viewer.turn) failed(error);
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
