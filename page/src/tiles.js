// A map layer of indices: tiles come as typed arrays, are kept, and are painted through a palette. Another palette
// repaints them without the network.

import TileLayer from "ol/layer/Tile.js";
import ImageTile from "ol/source/ImageTile.js";

import { paint } from "./palette.js";
import { Recent } from "./recent.js";

const SIDE = 256;
const MOST_KEPT = 1024; // 128 MB of labels at most

/**
 * A layer that paints tiles of indices.
 *
 * @param load (z, x, y, signal) to a promise of SIDE * SIDE indices
 * @param grid {projection, tileGrid}
 * @param palette Uint32Array, RGBA of each index
 */
export class IndexLayer extends TileLayer {
  #palette;
  #version = 0;
  #kept = new Recent(MOST_KEPT);

  constructor(load, grid, palette) {
    const paintTile = async (z, x, y, { signal }) => {
      const [key, kept] = [`${z}/${x}/${y}`, this.#kept];
      const indices = kept.get(key) ?? (await load(z, x, y, signal));
      kept.set(key, indices);
      return painted(indices, this.#palette);
    };
    super({ source: new ImageTile({ ...grid, loader: paintTile, interpolate: false, transition: 0, wrapX: false }) });
    this.#palette = palette;
  }

  /** Paint with another palette from now on. */
  setPalette(palette) {
    if (palette === this.#palette) return;
    this.#palette = palette;
    this.#repaint();
  }

  /** Load all tiles anew: what they show has changed. */
  refresh() {
    this.#kept = new Recent(MOST_KEPT);
    this.#repaint();
  }

  #repaint() {
    this.#version += 1;
    // Tiles of the old key stay on screen until those of the new one are painted.
    this.getSource().setKey(String(this.#version));
  }
}

function painted(indices, palette) {
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  paint(indices, palette, picture.data);
  context.putImageData(picture, 0, 0);
  return canvas;
}
