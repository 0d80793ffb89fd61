// Palettes: the RGBA of each index of a tile, as one 32-bit number each. Pure.

import { spreadColor } from "./colors.js";

const LABELS = 65536;
const HIGHLIGHT = [255, 0, 196, 255];
const VEIL = [12, 16, 20, 150];

// Cividis, which reads the same to colour-blind eyes.
const RAMP = ["#00224E", "#35456C", "#666970", "#948E77", "#C8B866", "#FEE838"];

/** Each cluster in the colour of its class; what no class holds stays clear. */
export function classPalette(classes) {
  const palette = emptyPalette(LABELS);
  for (const { color, clusters } of classes) for (const cluster of clusters) palette.set(rgba(color), 4 * cluster);
  return packed(palette);
}

/** Each cluster in a colour of its own. */
export function clusterPalette(count) {
  const palette = emptyPalette(LABELS);
  for (let cluster = 0; cluster < count; cluster += 1) palette.set(rgba(spreadColor(cluster)), 4 * cluster);
  return packed(palette);
}

/** The selected clusters in one strong colour, the others under a veil. */
export function highlightPalette(selected, count) {
  const palette = emptyPalette(LABELS);
  for (let cluster = 0; cluster < count; cluster += 1)
    palette.set(selected.has(cluster) ? HIGHLIGHT : VEIL, 4 * cluster);
  return packed(palette);
}

/** Per cent of confidence, 0 to 100, on a ramp; 255 is clear. */
export function confidencePalette() {
  const palette = emptyPalette(256);
  for (let value = 0; value <= 100; value += 1) palette.set(rampColor(value / 100), 4 * value);
  return packed(palette);
}

/** Paint indices into the bytes of an image of as many pixels. */
export function paint(indices, palette, bytes) {
  const pixels = new Uint32Array(bytes.buffer, bytes.byteOffset, indices.length);
  for (let pixel = 0; pixel < indices.length; pixel += 1) pixels[pixel] = palette[indices[pixel]];
}

function rampColor(position) {
  const place = position * (RAMP.length - 1);
  const index = Math.min(Math.floor(place), RAMP.length - 2);
  const [low, high] = [rgba(RAMP[index]), rgba(RAMP[index + 1])];
  return low.map((value, channel) => Math.round(value + (place - index) * (high[channel] - value)));
}

function rgba(color) {
  const value = parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255, 255];
}

function emptyPalette(size) {
  return new Uint8ClampedArray(4 * size);
}

function packed(bytes) {
  return new Uint32Array(bytes.buffer);
}
