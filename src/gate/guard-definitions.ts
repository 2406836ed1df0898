import type { JsonObject } from '../core/index.ts';
import { createGuard, type Guard } from '../guard/index.ts';
import { Look, wordsOf } from './guard-look.ts';

/** Made with the first definition that is looked at. */
let guard: Guard | null = null;

/** Definitions are frozen and stay the same objects: each is read once. */
const known = new WeakMap<JsonObject, string | null>();

/**
 * What is suspicious in something that a server says about itself (a tool, a prompt, a template, its name and instructions):
 * words that give instructions to the model, or characters that nobody sees and a model reads. Null: nothing.
 * ATTACKER-CONTROLLED: `definition`, a frozen copy; the answer quotes nothing of it.
 */
export function suspicionOf(definition: JsonObject): string | null {
  const before = known.get(definition);
  if (before !== undefined) return before;
  const found = read(definition);
  known.set(definition, found);
  return found;
}

function read(definition: JsonObject): string | null {
  guard ??= createGuard();
  const look = new Look(guard, 'tool_description');
  look.value(definition);
  // An instruction may begin in the description and go on in a parameter.
  look.together(wordsOf(definition));
  // The order of its fields is the server's, and that in which they are shown is ours.
  const { name = '', title = '', description = '', ...rest } = definition;
  look.together(wordsOf([name, title, description, rest]));
  if (look.isHostile) return 'it seems to give instructions to the model';
  return look.verdict === 'pass' ? null : 'it has characters or markup in it that a model reads and nobody sees';
}
