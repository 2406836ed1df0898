import {
  count,
  type JsonObject,
  type JsonValue,
  list,
  object,
  parseStrictJson,
  SallyportError,
  shape,
  text,
} from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';
import type { Box } from './box.ts';
import { isCost, type KeyStretch } from './unlock.ts';

/** One version of one name. */
export interface KeystoreVersion {
  readonly version: number;
  readonly created: number;
  readonly box: Box;
}

/** The keystore as it lies on disk: names, versions and times in clear, values in boxes, a seal over all of it. */
export interface KeystoreDocument {
  readonly format: 1;
  /** Counts the changes, so that a reader can tell an older copy. */
  readonly changes: number;
  readonly stretch: KeyStretch;
  /** The key of the values, under the stretched key. */
  readonly key: Box;
  readonly entries: ReadonlyMap<string, readonly KeystoreVersion[]>;
}

const { answerDepth, keystoreBytes, keystoreNames, keystoreVersions, valueBytes } = DEFAULT_SECRET_LIMITS;
const BOX = text(valueBytes * 2);

/** What the seal covers. */
export const documentAsJson = (document: KeystoreDocument): JsonObject => ({
  format: document.format,
  changes: document.changes,
  stretch: { ...document.stretch },
  key: document.key,
  entries: Object.fromEntries(
    [...document.entries].map(([name, versions]) => [name, versions.map((version) => ({ ...version }))]),
  ),
});

/**
 * Reads what lies on disk; whether it is what we wrote is the seal's question.
 * @throws SallyportError KEYSTORE_CORRUPT
 */
export function readDocument(source: string): { document: KeystoreDocument; seal: string } {
  try {
    const whole = parseStrictJson(source, { maxBytes: keystoreBytes, maxDepth: answerDepth });
    const { seal, ...rest } = readFields(whole, 'keystore');
    if (rest.format !== 1) throw corrupt();
    return {
      seal,
      document: Object.freeze({
        ...rest,
        format: 1,
        stretch: readStretch(rest.stretch),
        entries: readEntries(rest.entries),
      }),
    };
  } catch (cause) {
    throw corrupt(cause);
  }
}

interface Fields {
  readonly format: number;
  readonly changes: number;
  readonly stretch: JsonObject;
  readonly key: string;
  readonly entries: JsonObject;
  readonly seal: string;
}

const readFields = shape<Fields>({
  format: count,
  changes: count,
  stretch: object,
  key: BOX,
  entries: object,
  seal: text(64),
});
const readScrypt = shape({ name: text(16), n: count, r: count, p: count, salt: text(64) });
const readHkdf = shape({ name: text(16), salt: text(64) });
const readVersion = shape<KeystoreVersion>({ version: count, created: count, box: BOX });

function readStretch(value: JsonObject): KeyStretch {
  if (value['name'] === 'hkdf-sha256') return { name: 'hkdf-sha256', salt: readHkdf(value, 'stretch').salt };
  const { name, n, r, p, salt } = readScrypt(value, 'stretch');
  if (name !== 'scrypt' || !isCost(n, r, p)) throw corrupt();
  return { name, n, r, p, salt };
}

function readEntries(value: JsonObject): ReadonlyMap<string, readonly KeystoreVersion[]> {
  const names = Object.entries(value);
  if (names.length > keystoreNames) throw corrupt();
  return new Map(names.map(([name, versions]) => [name, readVersions(versions, name)]));
}

function readVersions(value: JsonValue, name: string): readonly KeystoreVersion[] {
  const versions = list(value, name).map((version) => readVersion(version, name));
  const rises = versions.every((version, at) => version.version > (versions[at - 1]?.version ?? 0));
  if (!rises || versions.length === 0 || versions.length > keystoreVersions) throw corrupt();
  return versions;
}

const corrupt = (cause?: unknown): SallyportError =>
  new SallyportError('KEYSTORE_CORRUPT', 'the keystore is damaged, or not one of ours', { cause });
