import assert from "node:assert/strict";
import { test } from "node:test";

import { colorOf, spreadColor } from "../src/colors.js";
import { groupsOf } from "../src/groups.js";
import * as legend from "../src/legend.js";

const unnamed = (count) =>
  legend.fromServer(
    Array.from({ length: count }, (_, k) => ({ name: `cluster ${k}`, color: spreadColor(k), clusters: [k] })),
  );

const face = (classes) => legend.toServer(classes).map(({ name, clusters }) => [name, clusters]);

/** What holds of every legend that the server takes: no name, colour or cluster twice, none lost. */
function check(classes, count) {
  for (const key of ["name", "color", "id"])
    assert.equal(new Set(classes.map((entry) => entry[key])).size, classes.length, key);
  assert.deepEqual(
    classes.flatMap(({ clusters }) => clusters).sort((a, b) => a - b),
    Array.from({ length: count }, (_, k) => k),
  );
}

test("colours of clusters are those of the command line", () => {
  // of Legend.of_clusters(301)
  assert.deepEqual([0, 1, 2, 3].map(spreadColor), ["#BD2828", "#5F84DD", "#5D8B1D", "#BD28AB"]);
  assert.equal(spreadColor(300), "#0BDA6B");
});

test("two clusters that are called the same become one class", () => {
  const one = legend.named(unnamed(4), [1], "water");
  assert.deepEqual(face(one), [
    ["cluster 0", [0]],
    ["water", [1]],
    ["cluster 2", [2]],
    ["cluster 3", [3]],
  ]);
  const two = legend.named(one, [3], "  water ");
  assert.deepEqual(face(two), [
    ["cluster 0", [0]],
    ["water", [1, 3]],
    ["cluster 2", [2]],
  ]);
  check(two, 4);
});

test("naming several clusters makes one new class, which takes the colour of the first that it empties", () => {
  const classes = legend.named(unnamed(4), [0, 2], "thing");
  assert.deepEqual(face(classes), [
    ["cluster 1", [1]],
    ["cluster 3", [3]],
    ["thing", [0, 2]],
  ]);
  assert.equal(classes[2].color, spreadColor(0));
  check(classes, 4);
});

test("naming a part of a class takes it out of there; naming the whole renames it", () => {
  const roof = legend.named(unnamed(4), [0, 1, 2], "roof");
  assert.deepEqual(face(legend.named(roof, [1], "pool")), [
    ["cluster 3", [3]],
    ["roof", [0, 2]],
    ["pool", [1]],
  ]);
  assert.deepEqual(face(legend.named(roof, [2, 1, 0], "building")), [
    ["cluster 3", [3]],
    ["building", [0, 1, 2]],
  ]);
  check(legend.named(roof, [1], "pool"), 4);
});

test("merging joins the class that has a name, else the largest", () => {
  const water = legend.named(unnamed(4), [1], "water");
  assert.deepEqual(face(legend.merged(water, [0, 1, 3])), [
    ["water", [0, 1, 3]],
    ["cluster 2", [2]],
  ]);
  const shares = [0.1, 0.2, 0.6, 0.1];
  assert.deepEqual(face(legend.merged(unnamed(4), [0, 2], (k) => shares[k])), [
    ["cluster 1", [1]],
    ["cluster 2", [0, 2]],
    ["cluster 3", [3]],
  ]);
});

test("splitting gives each cluster a name and a colour that nobody has", () => {
  const merged = legend.merged(unnamed(3), [0, 1]);
  const apart = legend.split(merged, [0, 1]);
  check(apart, 3);
  assert.equal(apart.length, 3);
  const odd = [{ id: 0, name: "cluster 1", color: spreadColor(1), clusters: [0, 1] }];
  const names = legend.split(odd, [1]).map(({ name }) => name);
  assert.deepEqual(names, ["cluster 1", "cluster 1 (2)"]);
  check(legend.split(odd, [1]), 2);
});

test("a named class that is split up stays, empty, until it is dropped", () => {
  const water = legend.named(unnamed(2), [0], "water");
  const apart = legend.split(water, [0]);
  assert.deepEqual(face(apart), [
    ["water", []],
    ["cluster 1", [1]],
    ["cluster 0", [0]],
  ]);
  assert.deepEqual(face(legend.dropped(apart, apart[0].id)), [
    ["cluster 1", [1]],
    ["cluster 0", [0]],
  ]);
  assert.equal(legend.dropped(apart, apart[1].id), apart, "classes that hold clusters are not dropped");
});

test("empty classes of the legend outlive what happens to others", () => {
  const classes = legend.fromServer([
    ...legend.toServer(unnamed(3)),
    { name: "unlabeled", color: "#9B9B9B", clusters: [] },
  ]);
  assert.deepEqual(face(legend.merged(classes, [0, 1])).at(-1), ["unlabeled", []]);
  assert.deepEqual(face(legend.named(classes, [2], "unlabeled")).at(-1), ["unlabeled", [2]]);
});

test("clusters that no class holds can be named, merged and split off", () => {
  const classes = legend.fromServer([{ name: "land", color: "#000001", clusters: [0] }]);
  assert.deepEqual(face(legend.named(classes, [1, 2], "sea")), [
    ["land", [0]],
    ["sea", [1, 2]],
  ]);
  assert.deepEqual(face(legend.merged(classes, [1, 2])), [
    ["land", [0]],
    ["cluster 1", [1, 2]],
  ]);
  assert.deepEqual(face(legend.split(classes, [1])), [
    ["land", [0]],
    ["cluster 1", [1]],
  ]);
});

test("what changes nothing gives the same legend back", () => {
  const classes = legend.named(unnamed(3), [0, 1], "road");
  assert.equal(legend.named(classes, [0], "road"), classes);
  assert.equal(legend.named(classes, [], "road"), classes);
  assert.equal(legend.named(classes, [0], "   "), classes);
  assert.equal(legend.merged(classes, [0, 1]), classes);
  assert.equal(legend.split(classes, [2]), classes);
  assert.equal(legend.recoloured(classes, classes[0].id, classes[0].color.toLowerCase()), classes);
});

test("a fresh colour is none of those that masks ignore", () => {
  const ignore = [spreadColor(0).toLowerCase(), spreadColor(1)];
  const whole = legend.fromServer([{ name: "land", color: "#000001", clusters: [0, 1, 2] }]);
  const colors = (classes) => legend.toServer(classes).map(({ color }) => color);
  const free = ["#000001", spreadColor(2)];
  assert.deepEqual(colors(legend.split(whole, [0], ignore)), free);
  assert.deepEqual(colors(legend.named(whole, [0, 1], "thing", ignore)), free);
  const bare = legend.fromServer([{ name: "land", color: "#000001", clusters: [] }]);
  assert.deepEqual(colors(legend.merged(bare, [0, 1], () => 0, ignore)), free);
});

test("differences name the clusters on which two legends disagree, and empty classes", () => {
  const mine = legend.named(unnamed(4), [0, 1], "road");
  const theirs = legend.fromServer([
    ...legend.toServer(legend.named(unnamed(4), [1, 2], "water")),
    { name: "snow", color: "#FFFFFF", clusters: [] },
  ]);
  const found = legend
    .differences(mine, theirs)
    .map(({ clusters, mine: one, theirs: other }) => [clusters, one?.name, other?.name]);
  assert.deepEqual(found, [
    [[0], "road", "cluster 0"],
    [[1], "road", "water"],
    [[2], "cluster 2", "water"],
    [[], undefined, "snow"],
  ]);
  assert.deepEqual(legend.differences(mine, mine), []);
});

test("any series of changes loses no cluster and repeats no name or colour", () => {
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  let classes = unnamed(12);
  for (let step = 0; step < 2000; step += 1) {
    const chosen = [...new Set(Array.from({ length: 1 + random(4) }, () => random(12)))];
    const changes = [
      () => legend.named(classes, chosen, ["water", "road", "roof", "cluster 3"][random(4)]),
      () => legend.merged(classes, chosen, (k) => k / 100),
      () => legend.split(classes, chosen),
      () => legend.dropped(classes, classes[random(classes.length)].id),
    ];
    classes = changes[random(4)]();
    check(classes, 12);
  }
});

// As the server has it of six clusters, of which 4 has no pixel: 0 and 2 join, then 3 and 5, then 1 the first pair.
const joins = { leaves: [0, 1, 2, 3, 5], joins: [[0, 2], [3, 4], [5, 1], [6, 7]], pixels: [10, 90, 20, 30, 0, 40], suggested: 3 };

test("clusters join in the server's order; the rare one goes to the largest group", () => {
  assert.deepEqual(groupsOf(joins, 3), [[1, 4], [3, 5], [0, 2]]);
  assert.deepEqual(groupsOf(joins, 2), [[0, 2, 1, 4], [3, 5]]);
  assert.deepEqual(groupsOf(joins, 5), [[0], [1], [2], [3], [4], [5]]);
});

test("groups leave alone what is named, and all of them apart give the legend of clusters back", () => {
  const three = legend.grouped(unnamed(6), groupsOf(joins, 3));
  assert.deepEqual(face(three), [["class 0", [1, 4]], ["class 1", [3, 5]], ["class 2", [0, 2]]]);
  const water = legend.named(three, [3, 5], "water");
  const two = legend.grouped(water, groupsOf(joins, 2));
  assert.deepEqual(face(two), [["water", [3, 5]], ["class 0", [0, 1, 2, 4]]]);
  check(two, 6);
  assert.ok(legend.isSame(legend.grouped(two.slice(1), groupsOf(joins, 5)), unnamed(6)));
});

test("a group is not named, however many clusters it holds", () => {
  const names = ["class 3", "cluster 3 (2)", "class of 1984", "sea"];
  assert.deepEqual(names.map((name) => legend.isNamed({ name })), [false, false, true, true]);
});

test("names steer colours, once, and never over a colour that somebody has chosen", () => {
  const water = legend.named(unnamed(4), [0, 1], "Open water");
  assert.equal(legend.classOf(water, 0).color, colorOf("water"));
  const lake = legend.named(water, [2], "lake");
  assert.equal(legend.classOf(lake, 2).color, colorOf("lake", [colorOf("water")]));
  assert.notEqual(colorOf("lake", [colorOf("water")]), colorOf("water"));
  assert.equal(legend.classOf(legend.named(water, [0, 1], "grass"), 0).color, colorOf("water"), "the second name");
  const own = legend.recoloured(unnamed(4), 3, "#123456");
  assert.equal(legend.classOf(legend.named(own, [3], "trees"), 3).color, "#123456");
  assert.equal(legend.classOf(legend.named(unnamed(4), [3], "thing"), 3).color, spreadColor(3));
});
