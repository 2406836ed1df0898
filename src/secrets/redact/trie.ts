/**
 * The tree of all needles, before it becomes an automaton. State 0 is the root; 1 to `shallow` are its children; the
 * others stand in the order of a walk, so that the first child of a deep state is the next number.
 */
export interface Trie {
  readonly states: number;
  readonly shallow: number;
  /** The unit on the way into a state. */
  readonly into: Uint16Array;
  readonly depth: Uint16Array;
  /** The needle that ends in a state, or -1. */
  readonly ends: Int32Array;
  /** First child and next sibling, by rising unit; 0 for none. */
  readonly first: Int32Array;
  readonly next: Int32Array;
}

/** Puts needles into one tree. They have to be sorted by UTF-16 code units, distinct, and 2 to 65,535 units long. */
export function buildTrie(sorted: readonly string[]): Trie {
  const shallow = new Set(sorted.map((needle) => needle.charCodeAt(0))).size;
  const states = countStates(sorted);
  const trie = {
    states,
    shallow,
    into: new Uint16Array(states),
    depth: new Uint16Array(states),
    ends: new Int32Array(states).fill(-1),
    first: new Int32Array(states),
    next: new Int32Array(states),
  };
  grow(trie, sorted);
  return trie;
}

function countStates(sorted: readonly string[]): number {
  let states = 1;
  let before = '';
  for (const needle of sorted) {
    states += needle.length - sharedLength(before, needle);
    before = needle;
  }
  return states;
}

function grow(trie: Trie, sorted: readonly string[]): void {
  const path = new Int32Array(65_537);
  let lastShallow = 0;
  let lastDeep = trie.shallow;
  let before = '';
  for (let index = 0; index < sorted.length; index++) {
    const needle = sorted[index] ?? '';
    const shared = sharedLength(before, needle);
    for (let at = shared; at < needle.length; at++) {
      const state = at === 0 ? ++lastShallow : ++lastDeep;
      const parent = path[at] ?? 0;
      if (at === shared && trie.first[parent] !== 0) trie.next[path[at + 1] ?? 0] = state;
      else trie.first[parent] = state;
      trie.into[state] = needle.charCodeAt(at);
      trie.depth[state] = at + 1;
      path[at + 1] = state;
    }
    trie.ends[path[needle.length] ?? 0] = index;
    before = needle;
  }
}

function sharedLength(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one.charCodeAt(length) === other.charCodeAt(length)) length++;
  return length;
}
