import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  canonicalJson,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  newId,
  parseStrictJson,
  quoteForMessage,
  SallyportError,
  sha256Hex,
} from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { definitionsDigest, type ServerDefinitions } from './definitions.ts';
import { type LockedPackage, readPackageEntry } from './package-entry.ts';

/** What an operator approved of a server. */
export interface LockedServer extends ServerDefinitions {
  /** Digest of how the policy reaches the server; see {@link sourceDigest}. */
  readonly source: string;
  /** {@link definitionsDigest} of this entry. */
  readonly digest: string;
  /** RFC 3339, UTC. */
  readonly approvedAt: string;
}

/** `sallyport.lock`: by the name of the server, what was approved of it, and what was installed for it. */
export interface Lock {
  readonly servers: ReadonlyMap<string, LockedServer>;
  readonly packages: ReadonlyMap<string, LockedPackage>;
}

/** A lock with nothing in it. */
export const NO_LOCK: Lock = Object.freeze({ servers: new Map(), packages: new Map() });

/** The lock's name beside the policy file. */
export const LOCK_FILE = 'sallyport.lock';

/** Where the lock of a policy file lies. */
export const lockPathOf = (policyFile: string): string => join(dirname(policyFile), LOCK_FILE);

const MAX_LOCK_BYTES = 64 * 1_048_576;
const MAX_LOCK_DEPTH = 80;

/**
 * Digest of what a server is started as, or where it is: program, arguments and variables, or URL; of a package also the
 * digest of what was installed. An approval is for this server and no other.
 */
export function sourceDigest(rule: ServerRule, installed?: LockedPackage): string {
  const { url, env } = rule;
  if (rule.package === null) return `sha256:${sha256Hex(canonicalJson({ command: rule.command, url, env }))}`;
  const { name, version, bin, args } = rule.package;
  const source = { package: { name, version, bin, args }, tree: installed?.tree ?? null, env };
  return `sha256:${sha256Hex(canonicalJson(source))}`;
}

/** An entry for the lock. `installed`: what was installed, of a server that is a package. */
export function lockedServer(
  rule: ServerRule,
  definitions: ServerDefinitions,
  now: Date,
  installed?: LockedPackage,
): LockedServer {
  const { protocol, capabilities, serverInfo, instructions, tools, prompts, resourceTemplates } = definitions;
  return {
    ...{ protocol, capabilities, serverInfo, instructions, tools, prompts, resourceTemplates },
    source: sourceDigest(rule, installed),
    digest: definitionsDigest(definitions),
    approvedAt: now.toISOString(),
  };
}

/**
 * Reads a lock; a file that is not there is an empty one.
 *
 * @throws SallyportError LOCK_INVALID
 */
export async function readLock(path: string): Promise<Lock> {
  const text = await readText(path);
  return text === null ? NO_LOCK : parseLock(text);
}

/** As {@link readLock}; a lock of an older version is an empty one, so that an approval can replace it. @throws as it */
export async function readLockToApprove(path: string): Promise<Lock> {
  const text = await readText(path);
  return text === null || isOutdated(strict(text)) ? NO_LOCK : parseLock(text);
}

async function readText(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw invalid('it cannot be opened', error);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > MAX_LOCK_BYTES) throw invalid('it is no file, or too large');
    return decode(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Bytes that are not UTF-8 would read as others than those that were approved: no digest sees U+FFFD for what it was. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalid('it is not UTF-8', error);
  }
}

/** Reads the text of a lock; every entry must have the digest of what it holds. @throws SallyportError LOCK_INVALID */
export function parseLock(text: string): Lock {
  const value = strict(text);
  if (isOutdated(value)) {
    throw invalid(
      'it is of version 1, which pins tools only: approve each server again with sallyport servers approve',
    );
  }
  const isKnown = isJsonObject(value) && (value['version'] === LOCK_VERSION || value['version'] === WITHOUT_PACKAGES);
  const { servers, packages = {} } = isKnown ? value : {};
  if (!isJsonObject(servers) || !isJsonObject(packages)) throw invalid(`it is not of version ${LOCK_VERSION}`);
  return {
    servers: new Map(Object.entries(servers).map(([name, entry]) => [name, readEntry(name, entry)])),
    packages: new Map(Object.entries(packages).map(([name, entry]) => [name, readPackage(name, entry)])),
  };
}

const LOCK_VERSION = 3;
/** Pins the same of a server; it has no packages yet. */
const WITHOUT_PACKAGES = 2;
const isOutdated = (value: JsonValue): boolean => isJsonObject(value) && value['version'] === 1;

function strict(text: string): JsonValue {
  try {
    return parseStrictJson(text, { maxBytes: MAX_LOCK_BYTES, maxDepth: MAX_LOCK_DEPTH });
  } catch (error) {
    throw invalid(isSallyportError(error) ? error.message : 'it cannot be read', error);
  }
}

const SERVER_NAME = /^[a-z0-9-]{1,20}$/;

function readPackage(name: string, entry: JsonValue): LockedPackage {
  const read = SERVER_NAME.test(name) ? readPackageEntry(entry) : null;
  if (read === null) throw invalid(`the package of ${quoteForMessage(name, 40)} cannot be read`);
  return read;
}

function readEntry(name: string, entry: JsonValue): LockedServer {
  if (!SERVER_NAME.test(name) || !isJsonObject(entry)) throw invalid('it names a server wrongly');
  const { capabilities, serverInfo, instructions } = entry;
  if (!isJsonObject(capabilities)) throw invalid(`${name} has no capabilities`);
  const locked: LockedServer = {
    protocol: textOf(name, entry, 'protocol'),
    capabilities,
    serverInfo: isJsonObject(serverInfo) ? serverInfo : null,
    instructions: typeof instructions === 'string' ? instructions : null,
    tools: listOf(name, entry, 'tools', 'name'),
    prompts: listOf(name, entry, 'prompts', 'name'),
    resourceTemplates: listOf(name, entry, 'resourceTemplates', 'uriTemplate'),
    source: textOf(name, entry, 'source'),
    digest: textOf(name, entry, 'digest'),
    approvedAt: textOf(name, entry, 'approvedAt'),
  };
  if (locked.digest !== definitionsDigest(locked)) throw invalid(`the digest of ${name} does not fit its definitions`);
  return Object.freeze(locked);
}

function listOf(name: string, entry: JsonObject, field: string, key: string): readonly JsonObject[] {
  const list = entry[field];
  const isDefinition = (value: JsonValue): value is JsonObject => isJsonObject(value) && typeof value[key] === 'string';
  if (!Array.isArray(list) || !list.every(isDefinition)) throw invalid(`the ${field} of ${name} are no definitions`);
  return list;
}

function textOf(name: string, entry: JsonObject, key: string): string {
  const value = entry[key];
  if (typeof value !== 'string') throw invalid(`${name} has no ${key}`);
  return value;
}

/** The text of a lock: keys sorted, indented, so that a version control system shows what changed. */
export function formatLock(lock: Lock): string {
  const servers = Object.fromEntries([...lock.servers].map(([name, entry]) => [name, { ...entry }]));
  const packages = Object.fromEntries([...lock.packages].map(([name, entry]) => [name, { ...entry }]));
  const text = canonicalJson({ version: LOCK_VERSION, servers, packages });
  return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
}

/**
 * Writes a lock: a new file beside the old one, synced, then renamed over it; mode 0644.
 *
 * @throws SallyportError LOCK_INVALID when the folder cannot be written
 */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  const temporary = join(dirname(path), `.${newId('lock')}`);
  try {
    await writeSynced(temporary, formatLock(lock));
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw invalid('it cannot be written', error);
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const invalid = (why: string, cause?: unknown): SallyportError =>
  new SallyportError('LOCK_INVALID', `${LOCK_FILE}: ${why}`, cause === undefined ? {} : { cause });
