// Undo and redo without end, over values that never change themselves. Pure.

/** A history that begins with a value. */
export function begin(present) {
  return { past: [], present, future: [] };
}

/** Go on to another value; `what` says what was done, for the status line. */
export function advance(history, present, what) {
  if (present === history.present) return history;
  return { past: [...history.past, { value: history.present, what }], present, future: [] };
}

/** One step back, or the same history at its beginning. */
export function undo({ past, present, future }) {
  const last = past.at(-1);
  if (!last) return { past, present, future };
  return { past: past.slice(0, -1), present: last.value, future: [{ value: present, what: last.what }, ...future] };
}

/** One step forward again, or the same history at its end. */
export function redo({ past, present, future }) {
  const [next, ...rest] = future;
  if (!next) return { past, present, future };
  return { past: [...past, { value: present, what: next.what }], present: next.value, future: rest };
}
