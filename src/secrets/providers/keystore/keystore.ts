import { randomBytes } from 'node:crypto';
import { type Clock, checkSecretPath, SallyportError, systemClock } from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';
import { closeBox, openBox, sealDocument, sealFits } from './box.ts';
import { documentAsJson, type KeystoreDocument, type KeystoreVersion, readDocument } from './document.ts';
import { type KeystoreText, readKeystoreFile, replaceKeystoreFile } from './keystore-file.ts';
import { KEY_BYTES, type KeyStretch, type KeystoreKey, SCRYPT_COST, stretchKey } from './unlock.ts';

export interface KeystoreOptions {
  /** The file, in the state folder. */
  readonly path: string;
  /** Asked when the file is first needed, and not again. */
  readonly key: () => Promise<KeystoreKey>;
  readonly clock?: Clock;
}

/** What a keystore tells of a name without its value. */
export interface KeystoreListing {
  readonly name: string;
  readonly versions: readonly { readonly version: number; readonly created: number }[];
}

/** An open keystore: its text as read, what it says, and the key of its values. */
interface Opened {
  readonly read: KeystoreText | null;
  readonly document: KeystoreDocument;
  readonly key: Buffer;
}

/** One encrypted file with named values, each in versions. Changes are one after another, and whole or not at all. */
export class Keystore {
  readonly #options: KeystoreOptions;
  readonly #clock: Clock;
  /** The key of the values, once the keystore was opened. */
  #key: Buffer | null = null;
  /** What was last unlocked, so that a rewritten keystore is unlocked anew. */
  #wrapped: string | null = null;
  /** The change that runs; the next one waits for it. */
  #tail: Promise<unknown> = Promise.resolve();
  #asked: Promise<KeystoreKey> | null = null;
  /** The newest state seen: an older one that lies there later was put back by somebody. */
  #changes = 0;

  constructor(options: KeystoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The value of a version (null: the newest), or null when there is none; `known` says whether the name is there. */
  async get(name: string, version: number | null): Promise<{ value: Buffer; version: number } | { known: boolean }> {
    const opened = await this.#open();
    const versions = opened?.document.entries.get(name);
    if (opened === null || versions === undefined) return { known: false };
    const found = version === null ? versions.at(-1) : versions.find((one) => one.version === version);
    if (found === undefined) return { known: true };
    return { value: unbox(opened.key, name, found), version: found.version };
  }

  /** Stores a new version, and forgets the oldest one where there are too many. Returns its number. */
  async set(name: string, value: Uint8Array): Promise<number> {
    checkName(name, value);
    return await this.#change((document, key) => {
      const versions = document.entries.get(name) ?? [];
      const version = (versions.at(-1)?.version ?? 0) + 1;
      const box = closeBox(key, value, wordsOf(name, version));
      const kept = [...versions, { version, created: this.#clock.now(), box }].slice(
        -DEFAULT_SECRET_LIMITS.keystoreVersions,
      );
      return [new Map(document.entries).set(name, kept), version];
    });
  }

  /** Forgets a name with all its versions. True if it was there. */
  async remove(name: string): Promise<boolean> {
    return await this.#change((document) => {
      const entries = new Map(document.entries);
      return [entries, entries.delete(name)];
    });
  }

  /** Names and versions, with no value. */
  async list(): Promise<readonly KeystoreListing[]> {
    const opened = await this.#open();
    return [...(opened?.document.entries ?? [])]
      .map(([name, versions]) => ({ name, versions: versions.map(({ version, created }) => ({ version, created })) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Locks the keystore with another key. Every value is encrypted anew under a key that was never used before. */
  async rekey(next: KeystoreKey): Promise<void> {
    await this.#inTurn(async () => {
      const opened = (await this.#open()) ?? (await this.#make());
      const key = randomBytes(KEY_BYTES);
      const entries = new Map(
        [...opened.document.entries].map(([name, versions]) => [
          name,
          versions.map((one) => rebox(opened.key, key, name, one)),
        ]),
      );
      const lock = await makeLock(next, key);
      await this.#write(
        { ...opened.document, ...lock, entries, changes: opened.document.changes + 1 },
        key,
        opened.read,
      );
      this.#asked = Promise.resolve(next);
    });
  }

  /** Wipes the key. */
  close(): void {
    this.#key?.fill(0);
    this.#key = null;
    this.#wrapped = null;
    this.#asked = null;
  }

  async #open(): Promise<Opened | null> {
    const read = await readKeystoreFile(this.#options.path);
    if (read === null) return null;
    const { document, seal } = readDocument(read.text);
    const key = await this.#unlock(document);
    if (!sealFits(key, documentAsJson(document), seal))
      throw corrupt('its seal does not fit: something in it was changed');
    if (document.changes < this.#changes) throw corrupt('an older copy was put in its place');
    this.#changes = document.changes;
    return { read, document, key };
  }

  async #unlock(document: KeystoreDocument): Promise<Buffer> {
    if (this.#key !== null && this.#wrapped === document.key) return this.#key;
    const stretched = await stretchKey(await this.#askKey(), document.stretch);
    const key = openBox(stretched, document.key, KEY_WORDS);
    stretched.fill(0);
    if (key === null || key.length !== KEY_BYTES)
      throw new SallyportError('KEYSTORE_LOCKED', 'this key does not open the keystore');
    this.#keep(key, document.key);
    return key;
  }

  async #askKey(): Promise<KeystoreKey> {
    this.#asked ??= this.#options.key();
    try {
      return await this.#asked;
    } catch (error) {
      this.#asked = null;
      throw error;
    }
  }

  async #make(): Promise<Opened> {
    const key = randomBytes(KEY_BYTES);
    const lock = await makeLock(await this.#askKey(), key);
    return { read: null, key, document: { format: 1, changes: 0, entries: new Map(), ...lock } };
  }

  #change<T>(edit: (document: KeystoreDocument, key: Buffer) => [KeystoreDocument['entries'], T]): Promise<T> {
    return this.#inTurn(async () => {
      const opened = (await this.#open()) ?? (await this.#make());
      const [entries, result] = edit(opened.document, opened.key);
      const { keystoreNames } = DEFAULT_SECRET_LIMITS;
      if (entries.size > keystoreNames)
        throw new SallyportError('SECRET_TOO_LARGE', `expected at most ${keystoreNames} names in a keystore`);
      await this.#write({ ...opened.document, entries, changes: opened.document.changes + 1 }, opened.key, opened.read);
      return result;
    });
  }

  async #write(document: KeystoreDocument, key: Buffer, read: KeystoreText | null): Promise<void> {
    const json = documentAsJson(document);
    const text = JSON.stringify({ ...json, seal: sealDocument(key, json) });
    if (Buffer.byteLength(text) > DEFAULT_SECRET_LIMITS.keystoreBytes)
      throw new SallyportError('SECRET_TOO_LARGE', 'the keystore is full');
    await replaceKeystoreFile(this.#options.path, text, read);
    this.#changes = document.changes;
    this.#keep(key, document.key);
  }

  #keep(key: Buffer, wrapped: string): void {
    this.#key = key;
    this.#wrapped = wrapped;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(run, run);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

const KEY_WORDS = ['sallyport keystore 1', 'key'];
const wordsOf = (name: string, version: number): readonly string[] => [
  'sallyport keystore 1',
  'value',
  name,
  String(version),
];

function checkName(name: string, value: Uint8Array): void {
  const { valueBytes } = DEFAULT_SECRET_LIMITS;
  const trouble = checkSecretPath('keystore', name);
  if (trouble !== null) throw new SallyportError('SECRET_REFERENCE_INVALID', `a name in the keystore: ${trouble}`);
  if (value.length === 0) throw new SallyportError('SECRET_EMPTY', `${name}: the value is empty`);
  if (value.length > valueBytes)
    throw new SallyportError('SECRET_TOO_LARGE', `${name}: expected at most ${valueBytes} bytes`);
}

async function makeLock(key: KeystoreKey, inner: Buffer): Promise<{ stretch: KeyStretch; key: string }> {
  const salt = randomBytes(16).toString('base64');
  const stretch: KeyStretch =
    key.kind === 'passphrase' ? { name: 'scrypt', ...SCRYPT_COST, salt } : { name: 'hkdf-sha256', salt };
  const stretched = await stretchKey(key, stretch);
  const wrapped = closeBox(stretched, inner, KEY_WORDS);
  stretched.fill(0);
  return { stretch, key: wrapped };
}

function unbox(key: Buffer, name: string, one: KeystoreVersion): Buffer {
  const value = openBox(key, one.box, wordsOf(name, one.version));
  if (value === null) throw corrupt(`what it has under ${name} does not open`);
  return value;
}

function rebox(from: Buffer, to: Buffer, name: string, one: KeystoreVersion): KeystoreVersion {
  const value = unbox(from, name, one);
  const box = closeBox(to, value, wordsOf(name, one.version));
  value.fill(0);
  return { ...one, box };
}

const corrupt = (why: string): SallyportError => new SallyportError('KEYSTORE_CORRUPT', `the keystore: ${why}`);
