import type { SecretScheme } from './secret-reference.ts';

export type ReferenceOption = 'version' | 'label' | 'region' | 'namespace';

const NUMBER = /^[1-9][0-9]{0,9}$/;
const REGION = /^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$/;
const NAMESPACE = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;

/** What may stand behind the `?`, and how each value is written. */
export const OPTIONS_OF: Readonly<Record<SecretScheme, ReadonlyMap<ReferenceOption, RegExp>>> = {
  'aws-ssm': new Map([
    ['version', NUMBER],
    ['label', /^(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}$/i],
    ['region', REGION],
  ]),
  'aws-secretsmanager': new Map([
    ['version', /^[A-Za-z0-9-]{32,64}$/],
    ['label', /^[A-Za-z0-9_./-]{1,256}$/],
    ['region', REGION],
  ]),
  vault: new Map([
    ['version', NUMBER],
    ['namespace', NAMESPACE],
  ]),
  env: new Map(),
  file: new Map(),
  keystore: new Map([['version', NUMBER]]),
  exec: new Map(),
};

const SSM_NAME = /^(\/[A-Za-z0-9_.-]+){1,15}$|^[A-Za-z0-9_.-]+$/;
const SSM_ARN = /^arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter(\/[A-Za-z0-9_.-]+){1,15}$/;
const MANAGER_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const MANAGER_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}$/;
const KEYSTORE_NAME = /^[a-z0-9]([a-z0-9._/-]{0,126}[a-z0-9])?$/;

/** Why this is no path of its scheme, or null. */
export function checkSecretPath(scheme: SecretScheme, path: string): string | null {
  switch (scheme) {
    case 'aws-ssm':
      return SSM_NAME.test(path) || SSM_ARN.test(path)
        ? null
        : 'expected a parameter name as /prod/app/key, or its ARN';
    case 'aws-secretsmanager':
      return MANAGER_NAME.test(path) || MANAGER_ARN.test(path) ? null : 'expected the name of a secret, or its ARN';
    case 'vault':
      return checkVaultPath(path);
    case 'env':
      return /^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(path) ? null : 'expected the name of a variable';
    case 'file':
      return path.startsWith('/') && hasPlainSegments(path.slice(1))
        ? null
        : 'expected an absolute path without . and ..';
    case 'keystore':
      return KEYSTORE_NAME.test(path) && hasPlainSegments(path)
        ? null
        : 'expected a name of a-z, 0-9, dots, dashes, slashes';
    case 'exec':
      return checkExecPath(path);
  }
}

/** A leading slash would ask KV v2 for another path than the one that is meant. */
function checkVaultPath(path: string): string | null {
  if (path.startsWith('/')) return 'a Vault path begins with its mount, without a slash: vault:kv/ci#github';
  if (!path.includes('/')) return 'expected MOUNT/PATH';
  return hasPlainSegments(path) ? null : 'expected MOUNT/PATH without empty segments, . and ..';
}

/** `NAME`, or `NAME/ARGUMENT`: the argument fills one word of the command that the operator configured. */
function checkExecPath(path: string): string | null {
  const [name = '', ...rest] = path.split('/');
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) return 'expected the NAME of a configured command, then /ARGUMENT';
  const argument = rest.join('/');
  if (path.endsWith('/') && argument === '') return 'expected an argument behind the slash';
  return argument.startsWith('-') ? 'an argument that begins with a dash would be an option' : null;
}

const hasPlainSegments = (path: string): boolean =>
  path
    .split('/')
    .every((segment) => segment !== '' && segment !== '.' && segment !== '..' && segment.trim() === segment);
