import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { disposeSecret, type SecretHandle, sealSecret, useSecret } from './handle.ts';

const VALUE = 'sk_live_9f8e7d6c5b4a';
const NAME = '[secret:aws-ssm:/prod/stripe#v3]';
const seal = (): SecretHandle => sealSecret('aws-ssm:/prod/stripe', '3', Buffer.from(VALUE));

/** Every way of looking at a handle that we could think of (audit reference 1.1, flaws 1 and 11). */
const LOOKS: Readonly<Record<string, (handle: SecretHandle) => unknown>> = {
  template: (handle) => `${handle}`,
  concatenation: (handle) => `x${String(handle)}`,
  'toString()': (handle) => handle.toString(),
  JSON: (handle) => JSON.stringify({ handle }),
  inspect: (handle) => inspect(handle),
  'inspect, everything': (handle) => inspect(handle, { showHidden: true, depth: null, showProxy: true, getters: true }),
  'inspect, not customised': (handle) => inspect(handle, { customInspect: false, showHidden: true, depth: null }),
  'format %s': (handle) => format('%s', handle),
  'format %o': (handle) => format('%o', handle),
  'format %O': (handle) => format('%O', handle),
  'format %j': (handle) => format('%j', handle),
  structuredClone: (handle) => inspect(structuredClone(handle)),
  spread: (handle) => JSON.stringify({ ...handle }),
  entries: (handle) => JSON.stringify(Object.entries(handle)),
  'own keys': (handle) => inspect(Reflect.ownKeys(handle).map((key) => Reflect.get(handle, key))),
  v8: (handle) => serialize(handle).toString('latin1'),
  'another thread': (handle) => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(handle);
    const got = inspect(receiveMessageOnPort(port2));
    port1.close();
    return got;
  },
  'an error': (handle) => inspect(new Error(`cannot use ${handle}`, { cause: handle }), { depth: null }),
  'a map': (handle) => inspect(new Map([[handle, handle]]), { depth: null }),
};

test.each(Object.entries(LOOKS))('a handle looked at by %s shows its name, not its value', (_, look) => {
  const seen = String(look(seal()));
  expect(seen).toContain('[secret:aws-ssm:/prod/stripe#v3]');
  expect(seen).not.toContain(VALUE);
  expect(seen).not.toContain(Buffer.from(VALUE).toString('hex'));
});

test('an error on the way names the handle only', async () => {
  const handle = seal();
  disposeSecret(handle);
  await expect(useSecret(handle, () => 0)).rejects.toThrow(
    new TypeError(`${NAME} has no value here: it was disposed of, or is a copy`),
  );
});

test('a clone, a spread and a forgery have no value', async () => {
  const handle = seal();
  const copies = [
    structuredClone(handle),
    { ...handle },
    Object.create(handle),
    Object.assign(Object.create(Object.getPrototypeOf(handle)), handle),
  ];
  for (const copy of copies) await expect(useSecret(copy as SecretHandle, () => 0)).rejects.toThrow(TypeError);
  expect(await useSecret(handle, (value) => value.toString())).toBe(VALUE);
});

test('a use has bytes of its own, which are wiped after it, also when it fails', async () => {
  const handle = seal();
  let first: Buffer = Buffer.alloc(0);
  await useSecret(handle, (value) => {
    first = value;
    expect(value.toString()).toBe(VALUE);
    expect(value.buffer.byteLength).toBe(VALUE.length);
  });
  expect(first.every((byte) => byte === 0)).toBe(true);
  let second: Buffer = Buffer.alloc(0);
  const failing = useSecret(handle, async (value) => {
    second = value;
    throw new RangeError('no');
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(second.every((byte) => byte === 0)).toBe(true);
  expect(await useSecret(handle, (value) => value.toString())).toBe(VALUE);
});

test('disposal in the middle of a use does not send zeros', async () => {
  const handle = seal();
  const used = await useSecret(handle, async (value) => {
    disposeSecret(handle);
    await new Promise(setImmediate);
    return value.toString();
  });
  expect(used).toBe(VALUE);
  await expect(useSecret(handle, () => 0)).rejects.toThrow(TypeError);
});

test('a handle cannot be changed', () => {
  expect(Object.isFrozen(seal())).toBe(true);
});
