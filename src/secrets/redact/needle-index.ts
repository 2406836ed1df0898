import { type Automaton, compileAutomaton } from './automaton.ts';

/** A needle, whom it belongs to, and the layer that searches for it (none yet: with the next search). */
export interface Entry<Owner> {
  readonly needle: string;
  readonly owners: Owner[];
  layer: Layer<Owner> | undefined;
}

/** An automaton over some of the needles, with their entries by its numbers. */
export interface Layer<Owner> {
  readonly automaton: Automaton;
  readonly entries: readonly Entry<Owner>[];
  readonly length: number;
}

/** How many units the automaton reads in the time that it takes to build in one. */
const BUILD_COST = 20;

/**
 * All needles in a few automata. What is new becomes a layer of its own with the next search, together with every layer
 * that is not at least twice as long: a needle is built in a logarithmic number of times, and there are as many layers.
 * After enough text was read more than once for them, they become one.
 */
export class NeedleIndex<Owner> {
  readonly #entries = new Map<string, Entry<Owner>>();
  /** Longest first. */
  #layers: Layer<Owner>[] = [];
  #pending = new Set<Entry<Owner>>();
  #length = 0;
  #readAgain = 0;
  #generation = 0;

  /** Length of all needles together. */
  get length(): number {
    return this.#length;
  }

  get needles(): number {
    return this.#entries.size;
  }

  /** What the tables of the automata take. */
  get bytes(): number {
    return this.#layers.reduce((sum, { automaton }) => sum + automaton.bytes, 0);
  }

  /** Changes whenever `layers` gives others than before: states of a search do not outlive it. */
  get generation(): number {
    this.#settle();
    return this.#generation;
  }

  has(needle: string): boolean {
    return this.#entries.has(needle);
  }

  /** Gives a needle another owner; true if it is new. */
  add(needle: string, owner: Owner): boolean {
    const known = this.#entries.get(needle);
    if (known !== undefined) {
      known.owners.push(owner);
      return false;
    }
    const entry: Entry<Owner> = { needle, owners: [owner], layer: undefined };
    this.#entries.set(needle, entry);
    this.#pending.add(entry);
    this.#length += needle.length;
    return true;
  }

  /** Takes an owner from a needle; true if it was the last: the needle is in no table after the next search. */
  remove(needle: string, owner: Owner): boolean {
    const entry = this.#entries.get(needle);
    const at = entry?.owners.indexOf(owner) ?? -1;
    if (entry === undefined || at < 0) return false;
    entry.owners.splice(at, 1);
    if (entry.owners.length > 0) return false;
    this.#entries.delete(needle);
    this.#length -= needle.length;
    this.#pending.delete(entry);
    if (entry.layer !== undefined) this.#dissolve(entry.layer);
    return true;
  }

  /** The automata to search a text of this length with, each once. */
  layers(textLength: number): readonly Layer<Owner>[] {
    this.#settle();
    if (this.#layers.length > 1) this.#readAgain += textLength * (this.#layers.length - 1);
    return this.#layers;
  }

  /** INVARIANT: a dead needle is in no automaton that is searched, where it could hide a shorter one that is alive. */
  #dissolve(layer: Layer<Owner>): void {
    this.#layers = this.#layers.filter((each) => each !== layer);
    for (const entry of layer.entries) {
      entry.layer = undefined;
      if (entry.owners.length > 0) this.#pending.add(entry);
    }
    this.#generation++;
  }

  #settle(): void {
    const overdue = this.#layers.length > 1 && this.#readAgain > this.#length * BUILD_COST;
    if (this.#pending.size === 0 && !overdue) return;
    let length = 0;
    for (const { needle } of this.#pending) length += needle.length;
    for (;;) {
      const last = this.#layers.at(-1);
      if (last === undefined || (!overdue && last.length > 2 * length)) break;
      length += last.length;
      this.#dissolve(last);
    }
    this.#build(length);
  }

  #build(length: number): void {
    const byNeedle = new Map([...this.#pending].map((entry) => [entry.needle, entry]));
    const automaton = compileAutomaton([...byNeedle.keys()]);
    const entries = automaton.needles.flatMap((needle) => byNeedle.get(needle) ?? []);
    const layer: Layer<Owner> = { automaton, entries, length };
    for (const entry of entries) entry.layer = layer;
    this.#pending = new Set();
    this.#layers.push(layer);
    this.#readAgain = 0;
    this.#generation++;
  }
}
