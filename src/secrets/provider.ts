import type { SecretReference, SecretScheme } from '../core/index.ts';
import { type ErrorCode, parseStrictJson, SallyportError, valueAtPointer } from '../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from './limits.ts';

/** What a provider gives: the caller wipes `value`. */
export interface ProvidedSecret {
  readonly value: Buffer;
  /** As the provider counts, or null where it does not. */
  readonly version: string | null;
}

/** One place that keeps secrets. */
export interface SecretProvider {
  readonly scheme: SecretScheme;
  /**
   * Fetches one value: never an empty one, and with no secret in what it throws.
   * @throws SallyportError SECRET_NOT_FOUND, SECRET_DELETED, SECRET_DESTROYED, SECRET_ACCESS_DENIED, SECRET_FIELD,
   * SECRET_EMPTY, SECRET_TOO_LARGE, SECRET_MALFORMED, SECRET_THROTTLED, SECRET_PROVIDER_UNAVAILABLE and others of this domain
   */
  resolve(reference: SecretReference, options: { readonly signal: AbortSignal }): Promise<ProvidedSecret>;
  /** Lets go of connections, tokens and keys. */
  close?(): Promise<void>;
}

/** A failure of a provider. It has no cause: what a client throws may hold requests, answers and so values. */
export const failure = (code: ErrorCode, reference: SecretReference, why: string): SallyportError =>
  new SallyportError(code, `${reference.text}: ${why}`, { detail: { reference: reference.text } });

/**
 * The value that the reference names, from what its provider keeps under the name: all of it, or one field. Wipes
 * `stored` when it is not returned.
 */
export function pickField(stored: Buffer, reference: SecretReference): Buffer {
  if (reference.field === null) return checkValue(stored, reference);
  try {
    return checkValue(fieldOf(stored, reference), reference);
  } finally {
    stored.fill(0);
  }
}

function fieldOf(stored: Buffer, reference: SecretReference): Buffer {
  const { answerBytes, answerDepth } = DEFAULT_SECRET_LIMITS;
  let document: ReturnType<typeof parseStrictJson>;
  try {
    document = parseStrictJson(textOf(stored), { maxBytes: answerBytes, maxDepth: answerDepth });
  } catch {
    // INVARIANT: the cause is dropped, since the messages of JSON.parse quote the text.
    throw failure('SECRET_FIELD', reference, 'a field was asked for, and what is stored is not JSON');
  }
  const field = reference.field ?? '';
  return textField(valueAtPointer(document, pointerTo(field)), reference);
}

/** A field as a text. Numbers and others are refused: what they read as would be a guess. */
export function textField(value: unknown, reference: SecretReference): Buffer {
  if (value === undefined) throw failure('SECRET_FIELD', reference, 'it has no such field');
  if (typeof value !== 'string') throw failure('SECRET_FIELD', reference, 'the field is not a text');
  return Buffer.from(value, 'utf8');
}

/** A field is one key as it stands, dots and all, or a JSON Pointer. */
export const pointerTo = (field: string): string =>
  field.startsWith('/') ? field : `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The value itself, if it can be one. */
export function checkValue(value: Buffer, reference: SecretReference): Buffer {
  const { valueBytes } = DEFAULT_SECRET_LIMITS;
  if (value.length > valueBytes) {
    value.fill(0);
    throw failure('SECRET_TOO_LARGE', reference, `expected at most ${valueBytes} bytes`);
  }
  if (value.length > 0 && value.some((byte) => !isSpace(byte))) return value;
  throw failure('SECRET_EMPTY', reference, 'the value is empty');
}

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** A file or the output of a program without the one line break that editors and programs put at its end. */
export function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

const textOf = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
