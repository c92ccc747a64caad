// Planes: arrays of numbers, each fetched once and cached. The oldest are dropped when the cache is full, except for those
// on screen.
//
// A plane is a PNG ("rgb", decoded to RGBA) or deflated uint8 classes ("u8") or uint16 values ("u16", 65535 = none).

export const NO_VALUE = 65535;
export const MOST = 65534;
const KEPT_BYTES = 320e6, SPARE_BYTES = 100e6; // in total; or, if the planes on screen need more, in addition to them
const kept = new Map(); // digest -> { pixels or null, arriving: a promise, bytes }, oldest first; shared by all viewers
const held = new Map(); // viewer -> digests of the planes it shows

// The pixels of a plane, or null while they are loading.
export function pixelsOf(plane) {
  const entry = plane && kept.get(plane.digest);
  if (!entry) return null;
  kept.delete(plane.digest);
  kept.set(plane.digest, entry);
  return entry.pixels;
}

// Fetches a plane unless it is cached or being fetched; resolves to its pixels.
export function fetchPlane(plane, area) {
  const known = kept.get(plane.digest);
  if (known) return known.arriving;
  const entry = { pixels: null, bytes: area * { rgb: 4, u8: 1, u16: 2 }[plane.kind] };
  entry.arriving = read(plane).then((pixels) => (entry.pixels = pixels));
  entry.arriving.catch(() => kept.delete(plane.digest)); // so that it is fetched again
  kept.set(plane.digest, entry);
  makeRoom();
  return entry.arriving;
}

// Protects the planes that a viewer shows from being dropped; none once it is gone.
export function hold(viewer, planes) {
  held.set(viewer, planes.map((plane) => plane.digest));
  if (!planes.length) held.delete(viewer);
  makeRoom();
}

// Caches results computed from planes, each under its own name.
export const isDerived = (name) => kept.has(name);

export function derived(name, bytes, make) {
  const entry = kept.get(name) ?? { pixels: make(), bytes };
  kept.delete(name);
  kept.set(name, entry);
  makeRoom();
  return entry.pixels;
}

export const room = (bytes) => total() + bytes <= KEPT_BYTES;

function total(counted = () => true) {
  let bytes = 0;
  for (const [name, entry] of kept) if (counted(name)) bytes += entry.bytes;
  return bytes;
}

function makeRoom() {
  let bytes = total();
  if (bytes <= KEPT_BYTES) return;
  const staying = new Set([...held.values()].flat());
  const most = Math.max(KEPT_BYTES, SPARE_BYTES + total((name) => staying.has(name)));
  for (const [name, entry] of kept) {
    if (bytes <= most) return;
    if (entry.pixels === null || staying.has(name)) continue;
    kept.delete(name);
    bytes -= entry.bytes;
  }
}

async function read({ url, kind }) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server returned ${answer.status}`);
  if (kind === "rgb") return decodePng(await answer.blob());
  const inflated = answer.body.pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(inflated).arrayBuffer();
  return kind === "u8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
}

async function decodePng(blob) {
  const png = new Blob([blob], { type: "image/png" });
  const bitmap = await createImageBitmap(png, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
}
