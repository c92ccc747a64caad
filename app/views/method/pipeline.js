/** Shows the maps of a run in the drawing, or no images without them. */
export default function ({ data, parentElement }) {
  for (const image of parentElement.querySelectorAll("image[data-map]")) {
    const map = data?.[image.dataset.map];
    if (map) image.setAttribute("href", map);
    else image.removeAttribute("href");
  }
}
