import type { JsonObject, JsonValue } from '../core/index.ts';
import type { Guard, Verdict } from '../guard/index.ts';
import type { OnInjection } from '../policy/index.ts';
import { Look, wordsOf } from './guard-look.ts';
import type { ToolOutput } from './tool.ts';

/** What the guard made of a result. `output`: what may be delivered; null where nothing of it may. */
export interface Guarded {
  readonly verdict: Verdict;
  readonly output: ToolOutput | null;
  /** What was found, without a word of the result. */
  readonly findings: readonly JsonObject[];
}

/**
 * Steps 11 and 12: every text of a result is cleaned of what only a machine would read, and looked at for instructions to the
 * model; binary content has to be what it says it is. ATTACKER-CONTROLLED: `output`, which was copied and bounded before.
 * INVARIANT: what is not hostile and has nothing hidden in it comes back as the same object.
 */
export function guardResult(guard: Guard, output: ToolOutput, onInjection: OnInjection): Guarded {
  const look = new Look(guard);
  const content = output.content.map((piece) => look.piece(piece));
  const structured = output.structuredContent === undefined ? undefined : look.value(output.structuredContent);
  // What is left when something was cut out is read as one too.
  look.together(textsOf(look.isHostile ? { content, ...structureIn(structured) } : output));
  const { verdict, findings } = look;
  if (onInjection === 'pass' || verdict === 'pass') return { verdict, output, findings };
  if (look.isHostile && !(onInjection === 'cut' && look.isCut)) return { verdict, output: null, findings };
  const clean = { ...output, content: Object.freeze(content), ...structureIn(structured) };
  return { verdict, output: Object.freeze(clean), findings };
}

/** A cleaned object is an object. */
const structureIn = (structured: JsonValue | undefined): Pick<ToolOutput, 'structuredContent'> =>
  structured === undefined ? {} : { structuredContent: structured as JsonObject };

/** A text outside of a result, what a server or a tool says when it fails: what may be told of it, and what was found. */
export function guardText(
  guard: Guard,
  text: string,
): { readonly text: string; readonly told: Partial<Pick<Guarded, 'verdict' | 'findings'>> } {
  const look = new Look(guard);
  const clean = look.value(text);
  const { verdict, findings } = look;
  return { text: String(clean), told: verdict === 'pass' ? {} : { verdict, findings } };
}

/**
 * A value of JSON that a server wrote, cleaned of what only a machine would read; null for one that gives instructions to the
 * model.
 */
export function guardValue<T extends JsonValue>(guard: Guard, value: T): T | null {
  const look = new Look(guard);
  const clean = look.value(value);
  // A question has several texts, and so has a log message.
  look.together(wordsOf(value));
  return look.isHostile ? null : (clean as T); // a cleaned object is an object, a cleaned list is a list
}

/** What a model reads of a result, in order. */
function textsOf({ content, structuredContent }: Pick<ToolOutput, 'content' | 'structuredContent'>): readonly string[] {
  const texts = content.flatMap((piece) => {
    if (piece.type === 'text') return [piece.text];
    if (piece.type === 'resource_link') return [piece.name, piece['title'], piece['description']].filter(isText);
    return piece.type === 'resource' ? [piece.resource['text']].filter(isText) : [];
  });
  return structuredContent === undefined ? texts : [...texts, JSON.stringify(structuredContent)];
}

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string';
