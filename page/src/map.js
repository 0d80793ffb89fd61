// The map: the image of a scene with one painted layer over it, in the scene's own pixels.

import Collection from "ol/Collection.js";
import Map from "ol/Map.js";
import Overlay from "ol/Overlay.js";
import View from "ol/View.js";
import ScaleLine from "ol/control/ScaleLine.js";
import Zoom from "ol/control/Zoom.js";
import { defaults as defaultInteractions } from "ol/interaction/defaults.js";
import Feature from "ol/Feature.js";
import Point from "ol/geom/Point.js";
import TileLayer from "ol/layer/Tile.js";
import VectorLayer from "ol/layer/Vector.js";
import Projection from "ol/proj/Projection.js";
import { getRenderPixel } from "ol/render.js";
import ImageTile from "ol/source/ImageTile.js";
import VectorSource from "ol/source/Vector.js";
import Circle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import TileGrid from "ol/tilegrid/TileGrid.js";

import { element } from "./dom.js";
import { confidencePalette } from "./palette.js";
import { imageTilePath, loadTaughtTile, loadTile } from "./server.js";
import { IndexLayer } from "./tiles.js";

// Of a pixel of the scene, on a pixel of the screen:
const FINEST = 1 / 16;
const NEAR = 1 / 2; // where a suggested place is looked at
const SHARP = 1 / 3; // from here on the image shows its pixels as squares

/**
 * The map of one scene at a time.
 *
 * `onPoint(x, y)` hears of clicks, `onMove(point or null, resolution)` of the pointer, `onTrouble(error)` of tiles that
 * cannot be had.
 */
export class SceneMap {
  #map;
  #scale = new ScaleLine({ bar: false, minWidth: 70 });
  #marker = new Overlay({
    element: element("div", { class: "marker" }),
    positioning: "center-center",
    stopEvent: false,
  });
  #scene;
  #layers = {};
  #palette;
  #shown = { layer: "image", opacity: 1, swipe: 0 };
  #onTrouble;
  #version = 0; // of what has been taught
  #isTeaching = false;
  #suggestions = [];

  constructor(target, { onPoint, onMove, onTrouble }) {
    this.#onTrouble = onTrouble;
    this.#map = new Map({
      target,
      controls: new Collection([new Zoom(), this.#scale]),
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
      overlays: [this.#marker],
      maxTilesLoading: 16,
    });
    this.#map.on("click", ({ coordinate }) => onPoint(...this.#pixel(coordinate), this.#map.getView().getResolution()));
    const moved = (coordinate) => onMove(coordinate && this.#pixel(coordinate), this.#map.getView().getResolution());
    this.#map.on("pointermove", ({ coordinate }) => moved(coordinate));
    this.#map.on("moveend", () => moved(null));
    target.addEventListener("pointerleave", () => moved(null));
    target.addEventListener("keydown", (event) => {
      if (event.key === " " && event.target === target) onPoint(...this.#pixel(this.#map.getView().getCenter()), this.#map.getView().getResolution());
    });
  }

  /** Show another scene, whole. */
  show(scene, palette) {
    this.#scene = scene;
    this.#palette = palette;
    this.mark(null);
    const { id, width, height, levels, tile_size: side, ground_sampling: metres } = scene;
    const extent = [0, 0, width, height];
    const projection = new Projection({ code: `scene:${id}`, units: "m", extent, metersPerUnit: metres ?? 1 });
    const resolutions = Array.from({ length: levels }, (_, z) => 2 ** (levels - 1 - z));
    const grid = { projection, tileGrid: new TileGrid({ extent, origin: [0, height], resolutions, tileSize: side }) };
    const level = (z) => levels - 1 - z;
    const indices = (what, colors) =>
      new IndexLayer((z, x, y, signal) => this.#load(what, id, level(z), y, x, signal), grid, colors);
    const url = (z, x, y) => imageTilePath(id, level(z), y, x);
    const image = (interpolate) => new ImageTile({ ...grid, url, interpolate, transition: 0, wrapX: false });
    this.#layers = {
      image: new TileLayer({ source: image(true) }),
      sharp: new TileLayer({ source: image(false), maxResolution: SHARP }),
      labels: indices("labels", palette),
      confidence: indices("confidence", confidencePalette()),
      taught: new IndexLayer(
        (z, x, y, signal) => this.#loadTaught(id, level(z), y, x, signal),
        grid,
        palette,
      ),
      places: new VectorLayer({ source: new VectorSource() }),
    };
    for (const name of ["labels", "confidence", "taught"]) this.#swipe(this.#layers[name]);
    const outermost = (2 * Math.max(width, height)) / 256;
    this.#map.setLayers(Object.values(this.#layers));
    this.#map.setView(
      new View({
        projection,
        extent,
        constrainOnlyCenter: true,
        showFullExtent: true,
        maxResolution: outermost,
        minResolution: FINEST,
      }),
    );
    this.fit();
    this.#scale.element.hidden = metres === null;
    this.arrange(this.#shown);
  }

  /** Show labels, what they have taught, and where to click next; null: nothing of it. */
  teach(lesson) {
    this.#isTeaching = lesson !== null;
    for (const overlay of this.#suggestions) this.#map.removeOverlay(overlay);
    this.#suggestions = [];
    const { taught, places } = this.#layers;
    places.getSource().clear();
    if (lesson !== null) {
      const { version, palette, labels, suggestions } = lesson;
      places.getSource().addFeatures(labels.map((label) => this.#dot(label)));
      this.#suggestions = suggestions.map((place) => this.#ring(place));
      for (const overlay of this.#suggestions) this.#map.addOverlay(overlay);
      taught.setPalette(palette);
      if (version !== this.#version) {
        this.#version = version;
        taught.refresh();
      }
    }
    this.arrange(this.#shown);
  }

  /** A place of the scene in the middle, near enough to see what it is. */
  centre(x, y) {
    const view = this.#map.getView();
    view.setResolution(Math.min(view.getResolution(), NEAR));
    view.setCenter([x, this.#scene.height - y]);
  }

  /** The whole scene in view. */
  fit() {
    const { width, height } = this.#scene;
    this.#map.updateSize();
    this.#map.getView().fit([0, 0, width, height], { padding: [24, 24, 48, 24] });
  }

  /** Paint the clusters with another palette. */
  paint(palette) {
    this.#palette = palette;
    this.#layers.labels?.setPalette(palette);
  }

  /** Which layer lies over the image, how opaque it is (0 to 1), and from where on (0 to 1 of the width). */
  arrange({ layer, opacity, swipe }) {
    this.#shown = { layer, opacity, swipe };
    const { labels, confidence, taught, places } = this.#layers;
    labels?.setVisible(!this.#isTeaching && (layer === "clusters" || layer === "classes"));
    confidence?.setVisible(!this.#isTeaching && layer === "confidence");
    taught?.setVisible(this.#isTeaching && this.#version > 0);
    places?.setVisible(this.#isTeaching);
    for (const over of [labels, confidence, taught]) over?.setOpacity(opacity);
    this.#map.render();
  }

  /** Mark a pixel, [x, y] from the top left, or none. */
  mark(point) {
    this.#marker.setPosition(point ? [point[0], this.#scene.height - point[1]] : undefined);
  }

  async #load(...place) {
    try {
      return await loadTile(...place);
    } catch (error) {
      if (error.name !== "AbortError") this.#onTrouble(error);
      throw error;
    }
  }

  async #loadTaught(scene, ...place) {
    try {
      return await loadTaughtTile(scene, this.#version, ...place);
    } catch (error) {
      if (error.name !== "AbortError") this.#onTrouble(error);
      throw error;
    }
  }

  #dot({ row, column, color }) {
    const dot = new Feature(new Point([column + 0.5, this.#scene.height - row - 0.5]));
    const image = new Circle({ radius: 6, fill: new Fill({ color }), stroke: new Stroke({ color: "#fff", width: 2 }) });
    dot.setStyle([new Style({ image: new Circle({ radius: 8, fill: new Fill({ color: "rgb(0 0 0 / 55%)" }) }) }), new Style({ image })]);
    return dot;
  }

  #ring({ row, column }) {
    return new Overlay({
      element: element("div", { class: "suggestion" }),
      position: [column + 0.5, this.#scene.height - row - 0.5],
      positioning: "center-center",
      stopEvent: false,
    });
  }

  #pixel([x, y]) {
    return [x, this.#scene.height - y];
  }

  #swipe(layer) {
    layer.on("prerender", (event) => {
      const [width, height] = this.#map.getSize();
      const left = width * this.#shown.swipe;
      const corners = [
        [left, 0],
        [width, 0],
        [width, height],
        [left, height],
      ].map((corner) => getRenderPixel(event, corner));
      event.context.save();
      event.context.beginPath();
      corners.forEach((corner, index) => (index ? event.context.lineTo(...corner) : event.context.moveTo(...corner)));
      event.context.closePath();
      event.context.clip();
    });
    layer.on("postrender", ({ context }) => context.restore());
  }
}
