import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { SallyportError, type SecretReference } from '../core/index.ts';
import { loadPolicy } from '../gate/index.ts';
import { openConfiguredProviders, secretFiles } from '../keeper/index.ts';
import type { Policy } from '../policy/index.ts';
import { checkReferences, type Keystore, listSecrets, SecretResolver, setSecret } from '../secrets/index.ts';
import { refuseInside } from './operator-only.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

/** Bytes of a value that is typed or piped in. */
const VALUE_BYTES = 65_536;

/**
 * `secrets set NAME`: a new version of `keystore:NAME`, read from a prompt or a pipe and never from an argument.
 * @throws SallyportError USAGE, KEYSTORE_LOCKED and others of the keystore, OPERATOR_ONLY
 */
export async function secretsSet(terminal: Terminal, name: string, flags: CommonFlags): Promise<number> {
  refuseInside();
  const settings = settingsOf(flags);
  const reference = name.includes(':') ? name : `keystore:${name}`;
  const value = process.stdin.isTTY ? await prompted(reference) : await piped();
  const version = await setSecret(keystoreOf(settings), reference, value);
  answer(terminal, { reference, version }, safeLines(`Stored ${reference}, version ${version}.`));
  return 0;
}

/** `secrets list`: what the keystore has, and what the policy refers to: names, versions and destinations, never a value. */
export async function secretsList(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const { keystore } = openConfiguredProviders(settings.state, process.env);
  const stored = keystore === null ? [] : await listSecrets(keystore);
  const granted = grantsOf(await policyOf(settings));
  const lines = [
    ...stored.map(
      ({ name, versions }) => `keystore:${name}  versions ${versions.map(({ version }) => version).join(', ')}`,
    ),
    ...granted.map(({ reference, destination, place }) => `${reference.text}  goes to ${destination} (${place})`),
  ];
  const value = {
    keystore: stored.map(({ name, versions }) => ({ name, versions: versions.map((one) => ({ ...one })) })),
    granted: granted.map(({ reference, destination, place }) => ({ reference: reference.text, destination, place })),
  };
  answer(terminal, value, safeLines(lines.join('\n') || 'None: the keystore is empty and the policy names no secret.'));
  return 0;
}

/** `secrets check`: resolves each secret of the policy once, and says how that went. Exit code 1 when one fails. */
export async function secretsCheck(terminal: Terminal, flags: CommonFlags): Promise<number> {
  refuseInside();
  const settings = settingsOf(flags);
  const references = grantsOf(await policyOf(settings)).map(({ reference }) => reference);
  const resolver = new SecretResolver({ providers: openConfiguredProviders(settings.state, process.env).providers });
  try {
    const checks = await checkReferences(resolver, references);
    const lines = checks.map((check) =>
      check.kind === 'resolves'
        ? `${check.reference}  resolves, version ${check.version ?? '-'}`
        : `${check.reference}  ${check.code}: ${check.message}\n  ${check.remedy}`,
    );
    answer(
      terminal,
      checks.map((check) => ({ ...check })),
      safeLines(lines.join('\n') || 'The policy names no secret.'),
    );
    return checks.some(({ kind }) => kind === 'fails') ? 1 : 0;
  } finally {
    await resolver.close();
  }
}

interface Granted {
  readonly reference: SecretReference;
  readonly destination: string;
  readonly place: string;
}

const policyOf = async (settings: Settings): Promise<Policy> => (await loadPolicy(gateSettings(settings))).policy;

const grantsOf = ({ tools }: Policy): readonly Granted[] =>
  tools.flatMap(({ secrets }) =>
    secrets.flatMap(({ text: destination, secret: { place, template } }) =>
      template.references.map((reference) => ({
        ...{ reference, destination, place: 'name' in place ? `${place.kind} ${place.name}` : place.kind },
      })),
    ),
  );

function keystoreOf({ state }: Settings): Keystore {
  const { keystore } = openConfiguredProviders(state, process.env);
  if (keystore !== null) return keystore;
  const example = '{ "providers": { "keystore": { "key": { "file": "/PATH/OF/A/KEY" } } } }';
  throw new SallyportError(
    'SECRET_PROVIDER_CONFIG',
    `write ${example} to ${secretFiles(state).configuration}: no key of a keystore is configured`,
  );
}

async function piped(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > VALUE_BYTES) throw new SallyportError('USAGE', `a secret has at most ${VALUE_BYTES} bytes`);
  }
  const value = Buffer.concat(chunks);
  const end = value.at(-1) === 0x0a ? (value.at(-2) === 0x0d ? -2 : -1) : undefined;
  return value.subarray(0, end);
}

/** Nothing that is typed shows. */
function prompted(reference: string): Promise<Buffer> {
  process.stderr.write(`Value of ${safeLines(reference)} (it does not show): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    terminal.once('line', (line) => {
      process.stderr.write('\n');
      resolve(Buffer.from(line));
      terminal.close();
    });
    terminal.once('close', () => reject(new SallyportError('USAGE', 'no value was given')));
  });
}
