/** A place in a text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A text as something would read it, with the way back to the text that it was made of. */
export interface View {
  readonly text: string;
  /** Where a place of the view, at least one unit long, stands in the text that it was made of. */
  readonly behind: (place: Place) => Place;
}

/** A piece of a view: where it begins, and what it stands for. A kept piece stands for itself, unit by unit. */
interface Piece extends Place {
  readonly at: number;
  readonly kept: boolean;
}

/** Collects the pieces of a view, in order. */
export class ViewBuilder {
  readonly #texts: string[] = [];
  readonly #pieces: Piece[] = [];
  #length = 0;

  /** Units that stand for themselves. */
  keep(text: string, start: number, end: number): void {
    if (end > start) this.#add(text.slice(start, end), { at: this.#length, start, end, kept: true });
  }

  /** Units that a longer piece of the text stands for. */
  put(units: string, start: number, end: number): void {
    if (units.length > 0) this.#add(units, { at: this.#length, start, end, kept: false });
  }

  get view(): View {
    const pieces = this.#pieces;
    const unitAt = (at: number): Place => {
      const piece = pieceAt(pieces, at);
      if (!piece.kept) return piece;
      const start = piece.start + at - piece.at;
      return { start, end: start + 1 };
    };
    const behind = ({ start, end }: Place) => ({ start: unitAt(start).start, end: unitAt(end - 1).end });
    return { text: this.#texts.join(''), behind };
  }

  #add(text: string, piece: Piece): void {
    this.#texts.push(text);
    this.#pieces.push(piece);
    this.#length += text.length;
  }
}

const NOWHERE: Piece = { at: 0, start: 0, end: 0, kept: false };

/** The last piece that begins at or before a unit. */
function pieceAt(pieces: readonly Piece[], at: number): Piece {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((pieces[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return pieces[low] ?? NOWHERE;
}

/** A view of a view, as a view of the first text. */
export const through = (outer: View, inner: View): View => ({
  text: inner.text,
  behind: (place) => outer.behind(inner.behind(place)),
});
