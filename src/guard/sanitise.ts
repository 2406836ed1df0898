import { terminalEscapeLength } from './decode.ts';
import { invisibleKind, isPicture, isRightToLeft, isShapedLetter, takesSelector } from './invisible.ts';
import { findActingMarkers } from './markers.ts';
import type { Span } from './reading.ts';
import { findRegions } from './structure.ts';

/** One thing that sanitising took out or made harmless, with its place in the original. */
export interface Change extends Span {
  readonly id:
    | 'invisible'
    | 'control'
    | 'terminal-escape'
    | 'template-token'
    | 'data-url'
    | 'active-link'
    | 'hidden-markup';
}

/** A sanitised text. */
export interface Sanitised {
  readonly text: string;
  readonly changes: readonly Change[];
}

/** How to sanitise. */
export interface SanitiseOptions {
  /**
   * `keep` (the default): the text is a source that somebody may work on, so comments and scripts stay. `strip`: it is a page
   * to be read, so what a person would not see of it goes.
   */
  readonly markup?: 'keep' | 'strip';
}

/** Anything that is not printable ASCII: only then is there something invisible to look for. */
const UNUSUAL = /[^\t\n\r\f\x20-\x7e]/;

/**
 * Takes out what only a machine would read and makes harmless what would act: invisible and control characters, terminal escapes,
 * tokens of chat templates, addresses that wait for data, links that run code. The rest stays as it is, and
 * sanitising twice equals once. Joiners, marks and selectors stay where their script or emoji needs them. Linear.
 */
export function sanitise(text: string, { markup = 'keep' }: SanitiseOptions = {}): Sanitised {
  const visible = UNUSUAL.test(text) ? removeInvisible(text) : { text, changes: [] };
  const stripped = markup === 'strip' ? stripHidden(visible.text) : { text: visible.text, changes: [] };
  const tame = defang(stripped.text);
  const inVisible = [...stripped.changes, ...moveBack(tame.changes, stripped.changes)].sort(byPlace);
  const changes = [...visible.changes, ...moveBack(inVisible, visible.changes)].sort(byPlace);
  return { text: tame.text, changes };
}

const byPlace = (one: Span, other: Span): number => one.start - other.start;

/** Changes as places in the text from which `removed` (in order) had not yet been taken out. */
function moveBack(changes: readonly Change[], removed: readonly Span[]): Change[] {
  let next = 0;
  let shift = 0;
  const back = (offset: number): number => {
    for (let cut = removed[next]; cut !== undefined && cut.start <= offset + shift; cut = removed[++next]) {
      shift += cut.end - cut.start;
    }
    return offset + shift;
  };
  return changes.map(({ id, start, end }) => {
    const from = back(start);
    return { id, start: from, end: from + (end - start) };
  });
}

function removeInvisible(text: string): Sanitised {
  const changes: Growing[] = [];
  const kept: string[] = [];
  let from = 0;
  let previous = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    const length = code > 0xffff ? 2 : 1;
    const kind = code < 0x7f && code >= 0x20 ? null : invisibleKind(code);
    if (kind === null || (kind !== 'control' && isNeeded(text, at, code, previous))) {
      previous = code;
      at += length;
      continue;
    }
    const isEscape = code === 0x1b || (code >= 0x80 && code < 0xa0);
    const end = at + (isEscape ? terminalEscapeLength(text, at) : length);
    if (at > from) kept.push(text.slice(from, at));
    note(changes, kind === 'control' ? (isEscape ? 'terminal-escape' : 'control') : 'invisible', at, end);
    from = end;
    at = end;
  }
  if (changes.length === 0) return { text, changes };
  kept.push(text.slice(from));
  return { text: kept.join(''), changes };
}

/** A change whose end is not yet known. */
type Growing = { -readonly [Key in keyof Change]: Change[Key] };

/** Changes of one kind side by side are one. */
function note(changes: Growing[], id: Change['id'], start: number, end: number): void {
  const last = changes.at(-1);
  if (last !== undefined && last.id === id && last.end === start) last.end = end;
  else changes.push({ id, start, end });
}

// INVARIANT: what is kept here is kept again when the result is read: the decision rests on the character kept before, and on the
// next one, which is itself always kept when it is of the kind asked for.
function isNeeded(text: string, at: number, code: number, previous: number): boolean {
  const next = text.codePointAt(at + (code > 0xffff ? 2 : 1)) ?? 0;
  switch (invisibleKind(code)) {
    case 'joiner':
      if (code === 0x200d && isPicture(next) && (isPicture(previous) || previous === 0xfe0f)) return true;
      return isShapedLetter(previous) && (isShapedLetter(next) || next === 32 || next === 10);
    case 'selector':
      return takesSelector(previous, code);
    case 'mark':
      return isRightToLeft(previous) || isRightToLeft(next);
    case 'tag':
      return isFlagTag(text, at);
    case 'zero-width':
      return (code === 0xfeff && at === 0) || (code >= 0x180b && code <= 0x180f && isShapedLetter(previous));
    default:
      return false;
  }
}

/** Longest spelling of a region in a flag: the flags of England, Scotland and Wales have five tags and an end. */
const FLAG_TAGS = 8;

/** Whether a tag character is part of a flag: it follows the black flag by way of tags only. */
function isFlagTag(text: string, at: number): boolean {
  for (let back = 1; back <= FLAG_TAGS; back++) {
    const code = text.codePointAt(at - back * 2) ?? 0;
    if (code === 0x1f3f4) return true;
    if (invisibleKind(code) !== 'tag') return false;
  }
  return false;
}

/** Links that run code where they are followed. */
const ACTIVE_LINK =
  /(\]\([ \t]{0,8}<?|\b(?:href|src|action)[ \t]{0,8}=[ \t]{0,8}["']?[ \t]{0,8})((?:javascript|vbscript|data:text\/html)[:;,])/gi;

function defang(text: string): Sanitised {
  const changes: Change[] = [];
  let result = '';
  let from = 0;
  for (const { kind, start, end } of findActingMarkers(text)) {
    if (start < from) continue;
    if (kind === 'template') {
      const last = text[end - 1] === '>' || text[end - 1] === ']' ? end - 1 : end;
      result += `${text.slice(from, start)}(${text.slice(start + 1, last)}${last === end ? '' : ')'}`;
      from = end;
      changes.push({ id: 'template-token', start, end });
    } else if (kind === 'data-url') {
      result += `${text.slice(from, start)}: `;
      from = start + 1;
      changes.push({ id: 'data-url', start, end });
    }
  }
  result = from === 0 ? text : result + text.slice(from);
  const safe = result.replace(ACTIVE_LINK, (whole: string, before: string, scheme: string, at: number) => {
    changes.push({ id: 'active-link', start: at, end: at + whole.length });
    return `${before}unsafe:${scheme}`;
  });
  return { text: safe, changes };
}

/** Rounds of taking hidden markup out: markup inside markup shows up again. */
const STRIP_ROUNDS = 4;

function stripHidden(text: string): Sanitised {
  const changes: Change[] = [];
  let rest = text;
  for (let round = 0; round < STRIP_ROUNDS; round++) {
    const hidden = findRegions(rest).filter(({ place }) => place === 'hidden' || place === 'code');
    if (hidden.length === 0) return { text: rest, changes };
    let result = '';
    let from = 0;
    for (const { start, end } of hidden) {
      result += rest.slice(from, start);
      if (round === 0) changes.push({ id: 'hidden-markup', start, end });
      from = end;
    }
    rest = result + rest.slice(from);
  }
  // Nested on purpose: nothing of it may act as markup any more.
  return { text: rest.replaceAll('<', '&lt;'), changes };
}
