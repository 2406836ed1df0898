import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseReference } from '../../core/index.ts';
import type { SecretProvider } from '../provider.ts';
import { envProvider } from './env.ts';
import { type ExecCommand, execProvider } from './exec.ts';
import { fileProvider } from './file.ts';

const signal = new AbortController().signal;
const fetchFrom = async (provider: SecretProvider, text: string, stop: AbortSignal = signal): Promise<string> =>
  (await provider.resolve(parseReference(text), { signal: stop })).value.toString('utf8');
const isRoot = process.geteuid?.() === 0;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};

test('env: gives the variable, and says which ones were read (1.1, 9)', async () => {
  const provider = envProvider({ environment: { KEY: 'value-1', OTHER: 'value-2', BLANK: '', SPACE: ' \n' } });
  expect(await fetchFrom(provider, 'env:KEY')).toBe('value-1');
  expect(provider.variablesRead()).toEqual(['KEY']);
  await expect(fetchFrom(provider, 'env:NONE')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  await expect(fetchFrom(provider, 'env:toString')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  await expect(fetchFrom(provider, 'env:BLANK')).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  await expect(fetchFrom(provider, 'env:SPACE')).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
});

test('file: gives what is in the file, without one line break', async () => {
  expect(await fetchFrom(fileProvider(), `file:${put('one', 'value-1\n')}`)).toBe('value-1');
  expect(await fetchFrom(fileProvider(), `file:${put('two', 'value-2\r\n')}`)).toBe('value-2');
  expect(await fetchFrom(fileProvider(), `file:${put('pem', 'a\nb\n\n')}`)).toBe('a\nb\n');
});

test('file: gives a field of JSON, by key or pointer', async () => {
  const path = put('json', '{"a.b":"one","deep":{"key":"two"},"number":5432,"none":null,"empty":""}');
  expect(await fetchFrom(fileProvider(), `file:${path}#a.b`)).toBe('one');
  expect(await fetchFrom(fileProvider(), `file:${path}#/deep/key`)).toBe('two');
  for (const field of ['missing', 'number', 'none', 'deep', 'toString', '/deep/missing']) {
    await expect(fetchFrom(fileProvider(), `file:${path}#${field}`)).rejects.toMatchObject({ code: 'SECRET_FIELD' });
  }
  await expect(fetchFrom(fileProvider(), `file:${path}#empty`)).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
});

test('file: an error about JSON does not quote the file', async () => {
  const path = put('notjson', 'sk_live_supersecret');
  const error = await fetchFrom(fileProvider(), `file:${path}#a`).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'SECRET_FIELD' });
  expect(error).not.toHaveProperty('cause');
  expect(String((error as Error).stack)).not.toContain('supersecret');
});

test.each([0o644, 0o640, 0o604, 0o620, 0o602])(
  'file: mode %o is refused outside the folders of a platform',
  async (mode) => {
    await expect(fetchFrom(fileProvider(), `file:${put('wide', 'x', mode)}`)).rejects.toMatchObject({
      code: 'SECRET_FILE_UNSAFE',
    });
  },
);

test('file: in a folder of a platform a group may read, others only where that is said, and nobody may write', async () => {
  const group = fileProvider({ folders: new Map([[folder, 'group']]) });
  const everyone = fileProvider({ folders: new Map([[folder, 'everyone']]) });
  expect(await fetchFrom(group, `file:${put('g', 'x', 0o440)}`)).toBe('x');
  await expect(fetchFrom(group, `file:${put('g', 'x', 0o444)}`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  await expect(fetchFrom(group, `file:${put('g', 'x', 0o660)}`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  expect(await fetchFrom(everyone, `file:${put('g', 'x', 0o444)}`)).toBe('x');
  await expect(fetchFrom(everyone, `file:${put('g', 'x', 0o646)}`)).rejects.toMatchObject({
    code: 'SECRET_FILE_UNSAFE',
  });
});

test('file: links inside the folder are followed, as Kubernetes lays them, and a rotation is seen', async () => {
  const place = join(folder, 'volume');
  for (const [name, text] of [
    ['..1', 'old'],
    ['..2', 'new'],
  ] as const) {
    mkdirSync(join(place, name), { recursive: true, mode: 0o700 });
    writeFileSync(join(place, name, 'token'), text, { mode: 0o600 });
  }
  symlinkSync('..1', join(place, '..data'));
  symlinkSync('..data/token', join(place, 'token'));
  expect(await fetchFrom(fileProvider(), `file:${place}/token`)).toBe('old');
  symlinkSync('..2', join(place, '..fresh'));
  renameSync(join(place, '..fresh'), join(place, '..data'));
  expect(await fetchFrom(fileProvider(), `file:${place}/token`)).toBe('new');
});

test('file: what is not there, leads out, is too large, no file, or in a folder of others is refused', async () => {
  const provider = fileProvider();
  symlinkSync('/etc/hostname', join(folder, 'out'));
  await expect(fetchFrom(provider, `file:${folder}/out`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  await expect(fetchFrom(provider, `file:${folder}/none`)).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  await expect(fetchFrom(provider, `file:${put('large', 'x'.repeat(65_537))}`)).rejects.toMatchObject({
    code: 'SECRET_TOO_LARGE',
  });
  await expect(fetchFrom(provider, `file:${put('empty', '\n')}`)).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  mkdirSync(join(folder, 'sub'));
  await expect(fetchFrom(provider, `file:${folder}/sub`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  await expect(fetchFrom(provider, 'file:/dev/zero')).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  put('open/x', 'x');
  await expect(fetchFrom(provider, `file:${folder}/open/x`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
});

test.runIf(isRoot)('file: of somebody else is refused (as root)', async () => {
  const path = put('theirs', 'x');
  chownSync(path, 65_534, 65_534);
  await expect(fetchFrom(fileProvider(), `file:${path}`)).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
});

const exec = (command: readonly string[], more: Partial<ExecCommand> = {}): SecretProvider =>
  execProvider({
    commands: new Map([['c', { command, ...more }]]),
    environment: { HOME: '/nowhere', TOKEN: 't-1', SECRET_KEY: 'k' },
  });

test('exec: the argument fills one word, whatever it has in it', async () => {
  expect(await fetchFrom(exec(['printf', '%s', '{}']), 'exec:c/op://ci/stripe/key')).toBe('op://ci/stripe/key');
  expect(await fetchFrom(exec(['printf', '[%s]', '{}', 'end']), 'exec:c/a%20%24(id)%3B%20b')).toBe('[a $(id); b][end]');
  expect(await fetchFrom(exec(['printf', '{"f":"v"}\n']), 'exec:c#f')).toBe('v');
});

test('exec: the program gets a built environment', async () => {
  const seen = await fetchFrom(exec(['env'], { environment: ['TOKEN', 'ABSENT'] }), 'exec:c');
  expect(seen.split('\n').sort()).toEqual([
    'HOME=/nowhere',
    'LANG=C.UTF-8',
    expect.stringMatching(/^PATH=\/usr\/local\/sbin:/),
    'TOKEN=t-1',
  ]);
});

test('exec: failures are told apart, and say nothing of what the program wrote', async () => {
  const failing = await fetchFrom(exec(['/bin/sh', '-c', 'echo v-secret; echo v-secret >&2; exit 3']), 'exec:c').catch(
    (error: unknown) => error,
  );
  expect(failing).toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
  expect(String(failing)).toContain('ended with 3');
  expect(String((failing as Error).stack)).not.toContain('v-secret');
  await expect(fetchFrom(exec(['true']), 'exec:c')).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  await expect(fetchFrom(exec(['head', '-c', '70000', '/dev/zero']), 'exec:c')).rejects.toMatchObject({
    code: 'SECRET_TOO_LARGE',
  });
  await expect(fetchFrom(exec(['true']), 'exec:other')).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNKNOWN' });
  await expect(fetchFrom(exec(['true']), 'exec:c/argument')).rejects.toMatchObject({
    code: 'SECRET_REFERENCE_INVALID',
  });
  await expect(fetchFrom(exec(['printf', '{}']), 'exec:c')).rejects.toMatchObject({ code: 'SECRET_REFERENCE_INVALID' });
});

test('exec: at the time limit and at an abort the program ends, with what it started', async () => {
  const note = join(folder, 'pids');
  const script = `sleep 60 & echo $! $$ > ${note}; wait`;
  const late = fetchFrom(exec(['/bin/sh', '-c', script], { timeoutMs: 300 }), 'exec:c');
  await expect(late).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
  for (const pid of readFileSync(note, 'utf8').trim().split(' '))
    await expect.poll(() => isRunning(Number(pid))).toBe(false);
  const stop = new AbortController();
  const aborted = fetchFrom(exec(['sleep', '60']), 'exec:c', stop.signal);
  stop.abort(new RangeError('no longer wanted'));
  await expect(aborted).rejects.toThrow('no longer wanted');
});

test.each([
  ['no program', ['sallyport-no-such-program']],
  ['a relative program', ['./op']],
  ['nothing', []],
  ['two holes', ['printf', '{}', '{}']],
  ['the program as hole', ['{}']],
])('exec: a configuration with %s is refused', (_, command) => {
  expect(() => exec(command)).toThrow(expect.objectContaining({ code: 'SECRET_PROVIDER_CONFIG' }));
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
