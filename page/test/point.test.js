import assert from "node:assert/strict";
import { test } from "node:test";

import { coordinates, describePoint } from "../src/point.js";

const CLASSES = [
  { id: 0, name: "water", color: "#0000FF", clusters: [12, 3] },
  { id: 1, name: "cluster 4", color: "#00FFFF", clusters: [4] },
];

for (const [cluster, confidence, words] of [
  [12, 83, "Cluster 12, water, 83 %, at column 5, row 7."],
  [4, 50, "Cluster 4, not named yet, 50 %, at column 5, row 7."],
  [9, null, "Cluster 9, no class, at column 5, row 7."],
  [null, null, "No data at column 5, row 7."],
])
  test(`said: ${words}`, () => {
    assert.equal(describePoint({ cluster, confidence, column: 5, row: 7 }, CLASSES), words);
  });

test("coordinates are those of the geotransform, and none are made up", () => {
  const transform = [0.5, 0, 500000, 0, -0.5, 5000000];
  assert.equal(coordinates({ crs: "EPSG:32633", transform }, [20, 10]), "500,010.00, 4,999,995.00");
  assert.equal(coordinates({ crs: "", transform }, [20, 10]), "");
  assert.equal(coordinates({ crs: "EPSG:32633", transform: [1, 0, 0, 0, 1, 0] }, [20, 10]), "");
});
