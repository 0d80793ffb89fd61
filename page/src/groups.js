// Groups of clusters that look alike, from the order in which the server would join them. Pure.

/**
 * Clusters in so many groups, that with the most pixels first.
 *
 * The server's joins are pairs of groups: group k is the k-th leaf, then each join makes the next one. Clusters that are
 * no leaf are so rare that nothing is known of them; they go to the first group.
 */
export function groupsOf({ leaves, joins, pixels }, count) {
  if (count >= leaves.length) return pixels.map((_, cluster) => [cluster]);
  const groups = new Map(leaves.map((cluster, place) => [place, [cluster]]));
  for (const [step, [one, other]] of joins.slice(0, Math.max(0, leaves.length - count)).entries()) {
    groups.set(leaves.length + step, [...groups.get(one), ...groups.get(other)]);
    groups.delete(one);
    groups.delete(other);
  }
  const size = (group) => group.reduce((sum, cluster) => sum + pixels[cluster], 0);
  const [first, ...others] = [...groups.values()].sort((a, b) => size(b) - size(a));
  const known = new Set(leaves);
  const rare = pixels.map((_, cluster) => cluster).filter((cluster) => !known.has(cluster));
  return [[...first, ...rare], ...others];
}
