import { SecretName } from '../core/index.ts';

/** The values, out of reach of whoever has a handle: nothing but `useSecret` and `disposeSecret` reads this. */
const values = new WeakMap<SecretHandle, Buffer>();

/**
 * One version of one secret, without its value. Printing, logging, serialising, cloning, spreading or inspecting it yields
 * its name; the value is reached by `useSecret` alone, and only in the process that resolved it.
 */
export class SecretHandle extends SecretName {
  constructor(name: string, version: string | null) {
    super(name, version);
    Object.freeze(this);
  }
}

/** A handle of this value, which is copied: what the caller has of it is the caller's to wipe. */
export function sealSecret(name: string, version: string | null, value: Uint8Array): SecretHandle {
  const handle = new SecretHandle(name, version);
  values.set(handle, ownBytes(value));
  return handle;
}

/**
 * Lets `use` have the value for as long as it runs, as bytes of its own that are wiped when it is done. What `use` keeps,
 * returns or turns into a string is its responsibility: strings cannot be wiped.
 * @throws TypeError when the handle was disposed of, or is a copy
 * @example
 * await useSecret(handle, async (value) => send({ authorization: `Bearer ${value.toString('utf8')}` }));
 */
export async function useSecret<T>(handle: SecretHandle, use: (value: Buffer) => T | Promise<T>): Promise<T> {
  const held = values.get(handle);
  if (held === undefined)
    throw new TypeError(`${describe(handle)} has no value here: it was disposed of, or is a copy`);
  const value = ownBytes(held);
  try {
    return await use(value);
  } finally {
    value.fill(0);
  }
}

/** Wipes the value. What runs in `useSecret` at this moment keeps its own bytes until it is done. */
export function disposeSecret(handle: SecretHandle): void {
  values.get(handle)?.fill(0);
  values.delete(handle);
}

/** Another handle of the same value, with a life of its own. */
export function copySecret(handle: SecretHandle, name: string, version: string | null): SecretHandle {
  const held = values.get(handle);
  if (held === undefined)
    throw new TypeError(`${describe(handle)} has no value here: it was disposed of, or is a copy`);
  return sealSecret(name, version, held);
}

// INVARIANT: never Buffer.from or allocUnsafe, whose bytes lie in a pool that other buffers show through `.buffer`.
function ownBytes(value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(value.length);
  bytes.set(value);
  return bytes;
}

const describe = (handle: SecretHandle): string => (handle instanceof SecretHandle ? handle.secret : 'this handle');
