import { isUtf8 } from 'node:buffer';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import { checkMedia, type Finding, type Guard, type Inspection, type TextKind, type Verdict } from '../guard/index.ts';
import type { Content } from './tool.ts';

/** Findings of one thing that are recorded. */
const MAX_FINDINGS = 32;
/** Texts and keys of one thing that are read one by one, which costs much more than to read them as one text. */
const MAX_TEXTS = 10_000;
/** Base64 characters of binary content that are decoded to tell what it is. */
const MEDIA_CHARACTERS = 64;
/** Binary content that a model reads as text: it is inspected as text. */
const TEXTUAL = /^(?:text\/|application\/(?:json|xml|javascript|x-sh|yaml)|image\/svg\+xml|[^;]*\+(?:xml|json))/i;

const SEVERITY: readonly Verdict[] = ['pass', 'sanitised', 'quarantined', 'blocked'];

/**
 * What the guard makes of the parts of one thing that somebody else wrote. State: what it has shown so far.
 * ATTACKER-CONTROLLED: every value that it is given. INVARIANT: what is clean comes back as the same value.
 */
export class Look {
  readonly #guard: Guard;
  readonly #kind: TextKind;
  #verdict: Verdict = 'pass';
  /** Something hostile cannot be cut out: it is a key, a binary, or no single text. */
  #isWhole = false;
  readonly #findings: JsonObject[] = [];
  #read = 0;
  /** Texts beyond those: they are read as one. */
  readonly #rest: string[] = [];

  constructor(guard: Guard, kind: TextKind = 'tool_output') {
    this.#guard = guard;
    this.#kind = kind;
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  get isHostile(): boolean {
    return isHostile(this.#verdict);
  }

  /** True when what is hostile in it was cut out of what came back. */
  get isCut(): boolean {
    return this.#verdict === 'quarantined' && !this.#isWhole;
  }

  /** What was found, without a word of what was read. */
  get findings(): readonly JsonObject[] {
    return this.#findings;
  }

  piece(piece: Content): Content {
    switch (piece.type) {
      case 'text': {
        const text = this.#text(piece.text, 'text');
        return text === piece.text ? piece : Object.freeze({ ...piece, text });
      }
      case 'image':
      case 'audio':
        this.#media(piece.mimeType, piece.data);
        this.#fixed(piece.mimeType, 'type');
        return piece;
      case 'resource_link':
        return this.#value(piece, 'link') as Content; // with the same fields
      case 'resource': {
        const resource = this.#resource(piece.resource);
        return resource === piece.resource ? piece : Object.freeze({ ...piece, resource });
      }
    }
  }

  value(value: JsonValue): JsonValue {
    return this.#value(value, 'structure');
  }

  /**
   * Texts that a model reads one after the other: an instruction may begin in one and end in the next. Last of all: it reads what is
   * left, too.
   */
  together(texts: readonly string[]): void {
    const rest = this.#rest.splice(0);
    // Nobody knows which of these would have to be cleaned.
    if (rest.length > 0) this.#asOne(rest, (verdict) => (verdict === 'pass' ? null : 'blocked'));
    if (texts.length > 1) this.#asOne(texts, (verdict) => (isHostile(verdict) ? verdict : null));
  }

  #asOne(texts: readonly string[], verdictOf: (verdict: Verdict) => Verdict | null): void {
    const { verdict: told, findings } = this.#guard.inspect(texts.join('\n'), { kind: this.#kind });
    const verdict = verdictOf(told);
    if (verdict === null) return;
    this.#note({ verdict, findings }, 'together');
    this.#isWhole = true;
  }

  #resource(resource: JsonObject): JsonObject {
    const { blob, ...rest } = resource;
    if (typeof blob === 'string') this.#media(typeof rest['mimeType'] === 'string' ? rest['mimeType'] : '', blob);
    const clean = this.#value(rest, 'resource');
    if (clean === rest || !isJsonObject(clean)) return resource;
    return Object.freeze({ ...clean, ...(blob === undefined ? {} : { blob }) });
  }

  #value(value: JsonValue, where: string): JsonValue {
    if (typeof value === 'string') return this.#text(value, where);
    if (Array.isArray(value)) {
      const items = value as readonly JsonValue[];
      const clean = items.map((item) => this.#value(item, where));
      return clean.every((item, index) => item === items[index]) ? value : Object.freeze(clean);
    }
    if (!isJsonObject(value)) return value;
    const given = Object.entries(value);
    const entries = given.map(([key, child]): [string, JsonValue] => [this.#key(key), this.#value(child, where)]);
    const isSame = entries.every(([key, child], index) => key === given[index]?.[0] && child === given[index]?.[1]);
    return isSame ? value : Object.freeze(Object.fromEntries(entries));
  }

  #text(text: string, where: string): string {
    const inspection = this.#inspect(text);
    if (inspection.verdict === 'pass') return text;
    this.#note(inspection, where);
    return inspection.text;
  }

  /** Without what nobody sees; what is hostile in a key is no text to cut it out of. */
  #key(key: string): string {
    const inspection = this.#inspect(key);
    if (inspection.verdict === 'pass') return key;
    this.#note(inspection, 'key');
    this.#isWhole ||= isHostile(inspection.verdict);
    return inspection.text;
  }

  #inspect(text: string): Inspection {
    this.#read += 1;
    if (this.#read <= MAX_TEXTS) return this.#guard.inspect(text, { kind: this.#kind });
    this.#rest.push(text);
    return { verdict: 'pass', text, findings: [], score: 0 };
  }

  /** For what is read and cannot be changed. */
  #fixed(text: string, where: string): void {
    const inspection = this.#inspect(text);
    if (!isHostile(inspection.verdict)) return;
    this.#note(inspection, where);
    this.#isWhole = true;
  }

  #media(mimeType: string, data: string): void {
    const start = Buffer.from(data.slice(0, MEDIA_CHARACTERS), 'base64');
    if (checkMedia(mimeType, start) === 'mismatch') {
      this.#note(MISTYPED, 'content');
      this.#isWhole = true;
      return;
    }
    const bytes = Buffer.from(data, 'base64');
    // A type is a claim: what can be read as text is read, whatever it is called.
    if (TEXTUAL.test(mimeType.trim()) || isText(bytes)) this.#fixed(bytes.toString('utf8'), 'content');
  }

  #note({ verdict, findings }: Pick<Inspection, 'verdict' | 'findings'>, where: string): void {
    if (SEVERITY.indexOf(verdict) > SEVERITY.indexOf(this.#verdict)) this.#verdict = verdict;
    const room = MAX_FINDINGS - this.#findings.length;
    this.#findings.push(...findings.slice(0, room).map((finding) => recorded(finding, where)));
  }
}

const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(0);

const isHostile = (verdict: Verdict): boolean => verdict === 'quarantined' || verdict === 'blocked';

const MISTYPED: Pick<Inspection, 'verdict' | 'findings'> = {
  verdict: 'quarantined',
  findings: [
    {
      ...{ id: 'media-type', start: 0, end: 0, score: 1, origin: 'text', place: 'hidden' },
      why: 'the content is not of the type that it says',
    },
  ],
};

/** INVARIANT: no word of what was read: a finding stands in the log, which is never erased. */
const recorded = ({ id, start, end, score, why, origin, place }: Finding, where: string): JsonObject => ({
  ...{ id, start, end, score, why, origin, place, where },
});

/** The texts in a value, in order. */
export const wordsOf = (value: JsonValue): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((child: JsonValue) => wordsOf(child));
};
