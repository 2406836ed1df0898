/** A text as something would read it, with the way back: where each unit of it stands in the text that it was made of. */
export interface View {
  readonly text: string;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Collects the units of a view. */
export class ViewBuilder {
  readonly #parts: string[] = [];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #length = 0;

  /** A view has at most as many units as its text. */
  constructor(textLength: number) {
    this.#starts = new Int32Array(textLength);
    this.#ends = new Int32Array(textLength);
  }

  /** Units that stand for themselves. */
  keep(text: string, start: number, end: number): void {
    if (end <= start) return;
    this.#parts.push(text.slice(start, end));
    for (let at = start; at < end; at++) this.#place(at, at + 1);
  }

  /** Units that a longer piece of the text stands for. */
  put(units: string, start: number, end: number): void {
    this.#parts.push(units);
    for (let at = 0; at < units.length; at++) this.#place(start, end);
  }

  get view(): View {
    return { text: this.#parts.join(''), starts: this.#starts, ends: this.#ends };
  }

  #place(start: number, end: number): void {
    this.#starts[this.#length] = start;
    this.#ends[this.#length++] = end;
  }
}

/** A view of a view, as a view of the first text. */
export const through = (outer: View, inner: View): View => ({
  text: inner.text,
  starts: inner.starts.map((at) => outer.starts[at] ?? 0),
  ends: inner.ends.map((end) => outer.ends[end - 1] ?? 0),
});

/** A place in a view, as one in the text that it was made of. */
export const placeIn = (
  view: View,
  { start, end }: { readonly start: number; readonly end: number },
): { start: number; end: number } => ({
  start: view.starts[start] ?? 0,
  end: view.ends[end - 1] ?? 0,
});
