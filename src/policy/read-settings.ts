import type { JsonObject } from '../core/index.ts';
import type { SandboxSettings } from './policy.ts';
import { objectAt, textAt } from './reading.ts';

/** Reads `sandbox:`, whose shape the schema has judged. */
export function readSandboxSettings(value: JsonObject): SandboxSettings {
  const { uid, gid } = objectAt(value, 'runAs') ?? {};
  const texts = ['runscPath', 'minRunscVersion', 'bubblewrapPath'].flatMap((key) => {
    const text = textAt(value, key);
    return text === null ? [] : [[key, text] as const];
  });
  return Object.freeze({
    ...Object.fromEntries(texts),
    ...(typeof uid === 'number' && typeof gid === 'number' ? { runAs: Object.freeze({ uid, gid }) } : {}),
  });
}
