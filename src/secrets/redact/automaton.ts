import { buildTrie, type Trie } from './trie.ts';

/** Called for each place where a needle ends: the longest one that ends there. `end` is behind its last unit. */
type Found = (end: number, needle: number) => void;

/** An Aho-Corasick automaton over UTF-16 code units: finds any of many needles in one pass, in linear time. */
export interface Automaton {
  readonly needles: readonly string[];
  /** What its tables take. */
  readonly bytes: number;
  /** Reads a text from a state (0 at the beginning of everything) and says in which state it ends. */
  scan(text: string, state: number, found: Found): number;
  /** How many units before a state could still become part of a needle. */
  depthAt(state: number): number;
}

/**
 * Compiles needles, distinct and 2 to 65,535 units long each.
 *
 * Most states have one child, the next number, and cost 16 bytes; a state with several has a sorted row in `Branches`.
 * The root and its children have a full table for ASCII, because ordinary text spends its time there. A step follows
 * failure links, each of which makes the state less deep than the units that were read: 2 steps a unit at most, on average.
 */
export function compileAutomaton(needles: readonly string[]): Automaton {
  const sorted = [...needles].sort((one, other) => (one < other ? -1 : 1));
  return new Tables(sorted, buildTrie(sorted));
}

const NO_CHILD = -1;
const ASCII = 128;

/** Where the fields of a state stand in its row of four: together, because a state costs one miss of the cache. */
const EDGE = 0;
const FAIL = 1;
const MATCH = 2;
const DEPTH = 3;

class Tables implements Automaton {
  readonly needles: readonly string[];
  readonly #shallow: number;
  /**
   * Four fields a state. Its edge is the unit towards the next state; NO_CHILD; or -2 - N, where N is a row of the
   * branches.
   */
  readonly #rows: Int32Array;
  readonly #branches: Branches;
  readonly #near: Int32Array;

  constructor(needles: readonly string[], trie: Trie) {
    this.needles = needles;
    this.#shallow = trie.shallow;
    this.#rows = new Int32Array(trie.states * 4);
    for (let state = 0; state < trie.states; state++) {
      this.#rows[state * 4 + MATCH] = trie.ends[state] ?? -1;
      this.#rows[state * 4 + DEPTH] = trie.depth[state] ?? 0;
    }
    this.#branches = flatten(trie, this.#rows);
    this.#link(trie);
    this.#near = this.#nearTable();
  }

  get bytes(): number {
    return this.#rows.byteLength + this.#near.byteLength + this.#branches.bytes;
  }

  depthAt(state: number): number {
    return this.#rows[state * 4 + DEPTH] ?? 0;
  }

  scan(text: string, from: number, found: Found): number {
    const near = this.#near;
    const shallow = this.#shallow;
    const rows = this.#rows;
    let state = from;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (state <= shallow && unit < ASCII) state = near[(state << 7) | unit] ?? 0;
      else state = this.#step(state, unit);
      if (state > shallow) {
        const needle = rows[state * 4 + MATCH] ?? -1;
        if (needle >= 0) found(at + 1, needle);
      }
    }
    return state;
  }

  #step(from: number, unit: number): number {
    let state = from;
    for (;;) {
      const child = this.#child(state, unit);
      if (child !== 0) return child;
      if (state === 0) return 0;
      state = this.#rows[state * 4 + FAIL] ?? 0;
      if (state <= this.#shallow && unit < ASCII) return this.#near[(state << 7) | unit] ?? 0;
    }
  }

  #child(state: number, unit: number): number {
    const edge = this.#rows[state * 4 + EDGE] ?? NO_CHILD;
    if (edge === unit) return state + 1;
    return edge < NO_CHILD ? this.#branches.child(-2 - edge, unit) : 0;
  }

  /** Failure links and matches, level by level: those of a state need those of every shorter one. */
  #link({ states, first, next, into }: Trie): void {
    const queue = new Int32Array(states);
    let read = 0;
    let written = 0;
    for (let state = first[0] ?? 0; state !== 0; state = next[state] ?? 0) queue[written++] = state;
    while (read < written) {
      const parent = queue[read++] ?? 0;
      for (let state = first[parent] ?? 0; state !== 0; state = next[state] ?? 0) {
        queue[written++] = state;
        const fail = this.#afterFailing(this.#rows[parent * 4 + FAIL] ?? 0, into[state] ?? 0);
        this.#rows[state * 4 + FAIL] = fail;
        if (this.#rows[state * 4 + MATCH] === -1) this.#rows[state * 4 + MATCH] = this.#rows[fail * 4 + MATCH] ?? -1;
      }
    }
  }

  #afterFailing(from: number, unit: number): number {
    let state = from;
    for (;;) {
      const child = this.#child(state, unit);
      if (child !== 0 || state === 0) return child;
      state = this.#rows[state * 4 + FAIL] ?? 0;
    }
  }

  #nearTable(): Int32Array {
    const near = new Int32Array((this.#shallow + 1) * ASCII);
    for (let state = 0; state <= this.#shallow; state++)
      for (let unit = 0; unit < ASCII; unit++)
        near[(state << 7) | unit] = this.#child(state, unit) || this.#child(0, unit);
    return near;
  }
}

/** The states with several children: rows of units, sorted, and the states behind them. */
class Branches {
  readonly #starts: Int32Array;
  readonly #units: Uint16Array;
  readonly #states: Int32Array;

  constructor(starts: readonly number[], units: readonly number[], states: readonly number[]) {
    this.#starts = Int32Array.from(starts);
    this.#units = Uint16Array.from(units);
    this.#states = Int32Array.from(states);
  }

  get bytes(): number {
    return this.#starts.byteLength + this.#units.byteLength + this.#states.byteLength;
  }

  child(row: number, unit: number): number {
    let low = this.#starts[row] ?? 0;
    let high = (this.#starts[row + 1] ?? 0) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const here = this.#units[middle] ?? 0;
      if (here === unit) return this.#states[middle] ?? 0;
      if (here < unit) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }
}

/** Writes the edge of each state, and the rows of those that have several. Shallow states always have a row. */
function flatten({ states, shallow, first, next, into }: Trie, rows: Int32Array): Branches {
  const starts = [0];
  const units: number[] = [];
  const targets: number[] = [];
  for (let state = 0; state < states; state++) {
    const child = first[state] ?? 0;
    if (child === 0) rows[state * 4 + EDGE] = NO_CHILD;
    else if (state > shallow && next[child] === 0) rows[state * 4 + EDGE] = into[child] ?? 0;
    else {
      rows[state * 4 + EDGE] = -1 - starts.length;
      for (let each = child; each !== 0; each = next[each] ?? 0) {
        units.push(into[each] ?? 0);
        targets.push(each);
      }
      starts.push(units.length);
    }
  }
  return new Branches(starts, units, targets);
}
