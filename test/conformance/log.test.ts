import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { entrySpans } from '../../src/audit/entry-bundle.ts';
import { filesBelow, flipBit, temporaryFolder, writeLog } from '../faults/log-fixture.ts';
import { need } from './need.ts';

const SOURCE = fileURLToPath(new URL('./go-verify/main.go', import.meta.url));
/** Debian keeps libraries of Go in GOPATH form; a newer Go first on the PATH may refuse that form. */
const GO_ENVIRONMENT = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', GOTOOLCHAIN: 'local' };
const goDirectories = fs.existsSync('/usr/lib')
  ? fs.readdirSync('/usr/lib').filter((name) => /^go-[0-9.]+$/.test(name))
  : [];
const GO = ['/usr/bin/go', ...goDirectories.map((name) => `/usr/lib/${name}/bin/go`), 'go'];

const hasLibrary = fs.existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog');
const withGo = need('Go with golang-golang-x-mod-dev', hasLibrary ? GO : [], ['version']);
const withOpenssl = need('openssl', ['openssl'], ['version']);

function buildVerifier(go: string): (directory: string) => { status: number | null; output: string } {
  const folder = temporaryFolder();
  const binary = path.join(folder, 'go-verify');
  const environment = { ...process.env, ...GO_ENVIRONMENT, GOCACHE: path.join(folder, 'cache') };
  const built = spawnSync(go, ['build', '-o', binary, SOURCE], { env: environment, encoding: 'utf8' });
  expect([built.status, built.stderr]).toEqual([0, '']);
  return (directory) => {
    const log = path.join(directory, 'log');
    const { status, stdout } = spawnSync(binary, [path.join(directory, 'keys/log.vkey'), log], { encoding: 'utf8' });
    return { status, output: stdout };
  };
}

withGo('[T7.2] a Go program on golang.org/x/mod verifies the log and finds a flipped byte', async (go) => {
  const verify = buildVerifier(go);
  const directory = temporaryFolder();
  await writeLog(directory, 150);
  await writeLog(directory, 100);
  expect(verify(directory)).toEqual({
    status: 0,
    output: expect.stringMatching(/^OK 752 entries, 94 inclusion proofs/),
  });

  const bundle = path.join(directory, 'log/tile/entries/002.p/240');
  const { start } = entrySpans(fs.readFileSync(bundle), 240)[88] ?? { start: 0 };
  flipBit(bundle, (start + 20) * 8);
  expect(verify(directory)).toEqual({ status: 1, output: 'FAIL entry 600 does not match its leaf hash\n' });
  flipBit(bundle, (start + 20) * 8);

  for (const file of filesBelow(path.join(directory, 'log')).filter((name) => /^(tile|checkpoint)/.test(name))) {
    flipBit(path.join(directory, 'log', file), 300);
    expect(verify(directory).status, file).toBe(1);
    flipBit(path.join(directory, 'log', file), 300);
  }
  expect(verify(directory).status).toBe(0);
});

withGo('a Go program on golang.org/x/mod verifies a log of three levels', async (go) => {
  const verify = buildVerifier(go);
  const directory = temporaryFolder();
  await writeLog(directory, 22_000, false);
  expect(verify(directory).output).toMatch(/^OK 66001 entries/);
});

withOpenssl('openssl verifies the signature of the checkpoint', async (openssl) => {
  const directory = temporaryFolder();
  await writeLog(directory, 1);
  const [text = '', signatures = ''] = fs.readFileSync(path.join(directory, 'log/checkpoint'), 'utf8').split('\n\n');
  const [body, signature, key] = ['body', 'signature', 'key.pem'].map((name) => path.join(directory, name)) as [
    string,
    string,
    string,
  ];
  fs.writeFileSync(body, `${text}\n`);
  fs.writeFileSync(signature, Buffer.from(signatures.trim().split(' ')[2] ?? '', 'base64').subarray(4));
  const extracted = spawnSync(openssl, ['pkey', '-in', path.join(directory, 'keys/log.key'), '-pubout', '-out', key]);
  expect(extracted.status).toBe(0);
  const verify = (): number | null =>
    spawnSync(openssl, ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-rawin', '-in', body, '-sigfile', signature])
      .status;
  expect(verify()).toBe(0);
  flipBit(body, 8);
  expect(verify()).not.toBe(0);
});
