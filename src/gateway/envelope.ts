import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  sha256Hex,
} from '../core/index.ts';

/** What sealed state is for: opened for anything else, it does not open. */
export interface Binding {
  /** Who it was given to: one session of one credential. */
  readonly holder: string;
  readonly server: string;
  readonly method: string;
  /** Digest of the arguments, which must be the same again; see `argumentsDigest`. */
  readonly arguments: string;
}

/** What was sealed. */
interface Opened {
  readonly state: JsonValue;
  /** How many rounds there were, this one included. */
  readonly round: number;
}

/** Seals state that travels through a client, and opens it once. */
export interface Envelope {
  seal(binding: Binding, state: JsonValue, round: number): string;
  /** Null when it was not sealed here, for something else, too long ago, or was opened before. ATTACKER-CONTROLLED: `text`. */
  open(binding: Binding, text: string): Opened | null;
  /** Voids what was given to `holder`, whatever it is for: its state, or null as with `open`. ATTACKER-CONTROLLED: `text`. */
  abandon(holder: string, text: string): JsonValue | null;
}

const VERSION = 'sp1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_TEXT = 262_144;
/** Longest time between a question and its answer, in milliseconds. */
export const ROUND_MS = 600_000;
/** Rounds of one call. */
export const MAX_ROUNDS = 16;
/** Spent envelopes that are remembered; beyond it the key changes, and what is out is void. */
const MAX_SPENT = 100_000;

/**
 * Envelopes of this process: AES-256-GCM under a key that never leaves it, so a restart voids what is out. The holder is
 * authenticated with the text, the rest of the binding is sealed in it, and each envelope opens once.
 */
export function createEnvelope(now: () => number): Envelope {
  let key = freshKey();
  const spent = new Map<string, number>();
  const spend = (nonce: string): boolean => {
    if (spent.has(nonce)) return false;
    if (spent.size >= MAX_SPENT) sweep(spent, now());
    if (spent.size >= MAX_SPENT) {
      key = freshKey();
      spent.clear();
      return false;
    }
    spent.set(nonce, now() + ROUND_MS);
    return true;
  };
  return {
    seal: (binding, state, round) => seal(key, binding, { state, round, expires: now() + ROUND_MS }),
    open: (binding, text) => {
      const read = openText(key, binding.holder, text);
      if (read === null || read.purpose !== purposeOf(binding)) return null;
      if (read.expires < now() || read.round > MAX_ROUNDS || !spend(read.nonce)) return null;
      return { state: read.state, round: read.round };
    },
    abandon: (holder, text) => {
      const read = openText(key, holder, text);
      return read !== null && read.expires >= now() && spend(read.nonce) ? read.state : null;
    },
  };
}

const freshKey = (): Buffer => Buffer.from(hkdfSync('sha256', randomBytes(32), '', 'sallyport round state', 32));

function sweep(spent: Map<string, number>, now: number): void {
  for (const [nonce, expires] of spent) if (expires < now) spent.delete(nonce);
}

const bytesOf = (holder: string): Buffer => Buffer.from(canonicalJson([holder]));
const purposeOf = (binding: Binding): string => canonicalJson([binding.server, binding.method, binding.arguments]);

function seal(key: Buffer, binding: Binding, payload: { state: JsonValue; round: number; expires: number }): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(bytesOf(binding.holder));
  const text = canonicalJson({ ...payload, purpose: purposeOf(binding) });
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

interface Sealed extends Opened {
  /** What it is for; see {@link purposeOf}. */
  readonly purpose: string;
  readonly expires: number;
  readonly nonce: string;
}

function openText(key: Buffer, holder: string, text: string): Sealed | null {
  if (text.length > MAX_TEXT || !text.startsWith(VERSION)) return null;
  const bytes = Buffer.from(text.slice(VERSION.length), 'base64url');
  // One text for one envelope: other unused bits, or characters that are skipped, make another text.
  if (bytes.toString('base64url') !== text.slice(VERSION.length)) return null;
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) return null;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(bytesOf(holder));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return readPayload(opened.toString('utf8'), nonce.toString('hex'));
  } catch {
    return null; // not ours, or another holder's: which of the two is nobody's business
  }
}

function readPayload(text: string, nonce: string): Sealed | null {
  const value = parseStrictJson(text, { maxBytes: MAX_TEXT, maxDepth: 80 });
  if (!isJsonObject(value)) return null;
  const { state = null, round, expires, purpose } = value;
  if (typeof round !== 'number' || typeof expires !== 'number' || typeof purpose !== 'string') return null;
  return { state, round, expires, purpose, nonce };
}

/** Tells arguments apart, byte by byte of their canonical form (RFC 8785). */
export const argumentsDigest = (args: JsonObject): string => sha256Hex(canonicalJson(args));
