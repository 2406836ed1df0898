/** One place in a text where a needle lies. */
export interface Match<Entry> {
  readonly start: number;
  readonly end: number;
  readonly entry: Entry;
  /** Found in what the text decodes to. */
  readonly nested?: true;
}

/** A stretch of text that goes as one: needles that overlap, with those that no other one of it contains. */
export interface Span<Entry> {
  start: number;
  end: number;
  readonly members: Match<Entry>[];
}

/** Members of a span that are remembered; all are removed. */
const MEMBERS = 32;

/**
 * Puts matches together into spans that do not overlap. Half of a value that overlaps another one is never left behind:
 * the whole union goes.
 */
export class SpanList<Entry> {
  readonly #spans: Span<Entry>[] = [];

  /** Takes matches by rising end, as an automaton finds them. */
  push(match: Match<Entry>): void {
    let span: Span<Entry> = { start: match.start, end: match.end, members: [match] };
    for (let last = this.#spans.at(-1); last !== undefined && last.end > span.start; last = this.#spans.at(-1)) {
      this.#spans.pop();
      join(last, span);
      span = last;
    }
    this.#spans.push(span);
  }

  get spans(): readonly Span<Entry>[] {
    return this.#spans;
  }

  /** Forgets what ends at or before a place. */
  forgetUpTo(end: number): void {
    const keep = this.#spans.findIndex((span) => span.end > end);
    this.#spans.splice(0, keep < 0 ? this.#spans.length : keep);
  }
}

/** The spans of several searches of one text, as one list. */
export function mergeSpans<Entry>(lists: readonly (readonly Span<Entry>[])[]): readonly Span<Entry>[] {
  const [only, ...others] = lists;
  if (others.length === 0) return only ?? [];
  const all = lists.flat().sort((one, other) => one.start - other.start || other.end - one.end);
  const merged: Span<Entry>[] = [];
  for (const span of all) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end) join(last, span);
    else merged.push({ ...span, members: [...span.members] });
  }
  return merged;
}

/** The member that names a span: the longest, and of those the first. */
export const leading = <Entry>({ members }: Span<Entry>): Match<Entry> | undefined =>
  members.reduce<Match<Entry> | undefined>(
    (best, match) =>
      best === undefined ||
      lengthOf(match) > lengthOf(best) ||
      (lengthOf(match) === lengthOf(best) && match.start < best.start)
        ? match
        : best,
    undefined,
  );

const lengthOf = ({ start, end }: Match<unknown>): number => end - start;

function join<Entry>(into: Span<Entry>, other: Span<Entry>): void {
  into.start = Math.min(into.start, other.start);
  into.end = Math.max(into.end, other.end);
  for (const match of other.members) if (!into.members.some((known) => contains(known, match))) admit(into, match);
}

function admit<Entry>({ members }: Span<Entry>, match: Match<Entry>): void {
  for (let at = members.length - 1; at >= 0; at--) {
    const known = members[at];
    if (known !== undefined && contains(match, known)) members.splice(at, 1);
  }
  if (members.length < MEMBERS) members.push(match);
}

const contains = (outer: Match<unknown>, inner: Match<unknown>): boolean =>
  outer.start <= inner.start && outer.end >= inner.end;
