import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import { checkMedia, type Finding, type Guard, type Inspection, type Verdict } from '../guard/index.ts';
import type { OnInjection } from '../policy/index.ts';
import type { Content, ToolOutput } from './tool.ts';

/** What the guard made of a result. `output`: what may be delivered; null where nothing of it may. */
export interface Guarded {
  readonly verdict: Verdict;
  readonly output: ToolOutput | null;
  /** What was found, without a word of the result. */
  readonly findings: readonly JsonObject[];
}

/** Findings of one result that are recorded. */
const MAX_FINDINGS = 32;
/** Base64 characters of binary content that are decoded to tell what it is. */
const MEDIA_CHARACTERS = 64;
/** Binary content that a model reads as text: it is inspected as text. */
const TEXTUAL = /^(?:text\/|application\/(?:json|xml|javascript|x-sh|yaml)|image\/svg\+xml|[^;]*\+(?:xml|json))/i;

/**
 * Steps 11 and 12: every text of a result is cleaned of what only a machine would read, and looked at for instructions to the
 * model; binary content has to be what it says it is. ATTACKER-CONTROLLED: `output`, which was copied and bounded before.
 * INVARIANT: what is not hostile and has nothing hidden in it comes back as the same object.
 */
export function guardResult(guard: Guard, output: ToolOutput, onInjection: OnInjection): Guarded {
  const look = openLook(guard);
  const content = output.content.map((piece) => look.piece(piece));
  const structured = output.structuredContent === undefined ? undefined : look.value(output.structuredContent);
  look.together(textsOf(output));
  const { verdict, findings, isChanged } = look.told();
  if (onInjection === 'pass') return { verdict, output, findings };
  const isHostile = verdict === 'blocked' || verdict === 'quarantined';
  if (isHostile && (onInjection === 'quarantine' || verdict === 'blocked' || look.cannotCut()))
    return { verdict, output: null, findings };
  if (!isChanged) return { verdict, output, findings };
  const clean = isJsonObject(structured) ? { structuredContent: structured } : {};
  return { verdict, output: Object.freeze({ ...output, content: Object.freeze(content), ...clean }), findings };
}

/** A text outside of a result: what a server or a tool says when it fails. */
export function guardText(guard: Guard, text: string): string {
  const { verdict, text: clean } = guard.inspect(text);
  return verdict === 'blocked' ? '' : clean;
}

/** Whether a value of JSON has a text in it that gives instructions to the model. */
export function isHostileValue(guard: Guard, value: JsonValue): boolean {
  const look = openLook(guard);
  look.value(value);
  const { verdict } = look.told();
  return verdict === 'quarantined' || verdict === 'blocked';
}

interface Look {
  piece(piece: Content): Content;
  value(value: JsonValue): JsonValue;
  /** Texts that a model reads one after the other: an instruction may begin in one and end in the next. */
  together(texts: readonly string[]): void;
  told(): { readonly verdict: Verdict; readonly findings: readonly JsonObject[]; readonly isChanged: boolean };
  /** Something hostile cannot be cut out: it is a key, a binary, or no single text. */
  cannotCut(): boolean;
}

const SEVERITY: readonly Verdict[] = ['pass', 'sanitised', 'quarantined', 'blocked'];
const isHostile = ({ verdict }: Inspection): boolean => verdict === 'quarantined' || verdict === 'blocked';

/** State: what one result has shown so far. */
function openLook(guard: Guard): Look {
  let [verdict, isChanged, isWhole] = ['pass' as Verdict, false, false];
  const findings: JsonObject[] = [];
  const note = (inspection: Inspection, where: string): void => {
    if (SEVERITY.indexOf(inspection.verdict) > SEVERITY.indexOf(verdict)) verdict = inspection.verdict;
    findings.push(...inspection.findings.slice(0, MAX_FINDINGS - findings.length).map((one) => recorded(one, where)));
  };
  const text = (raw: string, where: string): string => {
    const inspection = guard.inspect(raw);
    if (inspection.verdict === 'pass') return raw;
    note(inspection, where);
    isChanged ||= inspection.text !== raw;
    return inspection.text;
  };
  /** For what is read and cannot be changed. */
  const fixed = (raw: string, where: string): void => {
    const inspection = guard.inspect(raw);
    if (!isHostile(inspection)) return;
    note(inspection, where);
    isWhole = true;
  };
  const value = (one: JsonValue, where: string): JsonValue => {
    if (typeof one === 'string') return text(one, where);
    if (Array.isArray(one))
      return frozenIfChanged(
        one,
        one.map((child) => value(child, where)),
      );
    if (!isJsonObject(one)) return one;
    const entries = Object.entries(one).map(([key, child]): [string, JsonValue] => {
      fixed(key, 'key');
      return [key, value(child, where)];
    });
    return entries.every(([key, child]) => child === one[key]) ? one : Object.freeze(Object.fromEntries(entries));
  };
  const media = (mimeType: string, data: string): void => {
    const bytes = Buffer.from(data.slice(0, MEDIA_CHARACTERS), 'base64');
    if (checkMedia(mimeType, bytes) === 'mismatch') {
      note(MISTYPED, 'content');
      isWhole = true;
    } else if (TEXTUAL.test(mimeType)) fixed(Buffer.from(data, 'base64').toString('utf8'), 'content');
  };
  const piece = (one: Content): Content => {
    switch (one.type) {
      case 'text': {
        const clean = text(one.text, 'text');
        return clean === one.text ? one : Object.freeze({ ...one, text: clean });
      }
      case 'image':
      case 'audio':
        media(one.mimeType, one.data);
        return one;
      case 'resource_link':
        return value(one, 'link') as Content;
      case 'resource': {
        const { blob, ...rest } = one.resource;
        const type = typeof rest['mimeType'] === 'string' ? rest['mimeType'] : '';
        if (typeof blob === 'string') media(type, blob);
        const clean = value(rest, 'resource');
        if (!isJsonObject(clean) || clean === rest) return one;
        return Object.freeze({
          ...one,
          resource: Object.freeze({ ...clean, ...(blob === undefined ? {} : { blob }) }),
        });
      }
    }
  };
  return {
    piece,
    value: (one) => value(one, 'structure'),
    together: (texts) => {
      if (texts.length > 1 && SEVERITY.indexOf(verdict) < 2) fixed(texts.join('\n'), 'together');
    },
    told: () => ({ verdict, findings, isChanged }),
    cannotCut: () => isWhole,
  };
}

const frozenIfChanged = (before: readonly JsonValue[], after: readonly JsonValue[]): JsonValue =>
  after.every((child, index) => child === before[index]) ? (before as JsonValue) : (Object.freeze(after) as JsonValue);

const MISTYPED: Inspection = {
  verdict: 'quarantined',
  text: '',
  score: 1,
  findings: [
    {
      ...{ id: 'media-type', start: 0, end: 0, score: 1, origin: 'text', place: 'hidden' },
      why: 'the content is not of the type that it says',
    },
  ],
};

/** INVARIANT: no word of the result: a finding stands in the log, which is never erased. */
const recorded = ({ id, start, end, score, why, origin, place }: Finding, where: string): JsonObject => ({
  ...{ id, start, end, score, why, origin, place, where },
});

/** What a model reads of a result, in order. */
function textsOf({ content, structuredContent }: ToolOutput): readonly string[] {
  const texts = content.flatMap((piece) => {
    if (piece.type === 'text') return [piece.text];
    const text = piece.type === 'resource' ? piece.resource['text'] : undefined;
    return typeof text === 'string' ? [text] : [];
  });
  return structuredContent === undefined ? texts : [...texts, JSON.stringify(structuredContent)];
}
