import { chmodSync, chownSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPayloads, readRecords } from '../../src/audit/index.ts';
import { isJsonObject, type JsonObject } from '../../src/core/index.ts';
import { type Gate, openGate } from '../../src/gate/index.ts';
import { shell } from '../../src/tools/index.ts';
import { PUBLIC } from '../support/egress.ts';
import { type EgressWorld, METADATA, openEgressWorld, SNEAKY } from '../support/egress-world.ts';
import { isHere, runAs, SANDBOX, whyNot } from '../support/levels.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { serverScript } from './stand.ts';
import { openTestGate } from './test-gate.ts';

/** The programs of a line are those of the system; a Node.js elsewhere is shown only where it is started itself. */
const hasSystemNode = realpathSync(process.execPath).startsWith('/usr/');
const withNode = hasSystemNode || process.env['CI'] !== undefined ? test : test.skip;
const NO_NODE = hasSystemNode ? '' : ' (skipped: Node.js is not below /usr)';

let world: EgressWorld;
let workspace: Workspace;
let gate: Gate | null;
beforeEach(async () => {
  world = await openEgressWorld();
  gate = null;
});
afterEach(async () => {
  await gate?.close();
  workspace.remove();
  await world.close();
});

const LISTED = ['http://api.example.com', 'api.example.com', `http://${SNEAKY}`];
const policyOf = (level: string, rule: object): string =>
  JSON.stringify({
    version: 1,
    sandbox: SANDBOX,
    tools: {
      file_read: { allowedPaths: ['.'] },
      file_write: { allowedPaths: ['out/'] },
      shell: { allowedCommands: ['bash'], isolation: level, limits: { timeout: '90s' }, ...rule },
    },
  });

/** The user of the sandboxes must be able to walk to the workspace, and to write where the policy says so. */
function hand({ base, root }: Workspace): void {
  for (const folder of [base, root]) chmodSync(folder, 0o755);
  if (runAs !== null) chownSync(join(root, 'out'), runAs.uid, runAs.gid);
}

async function open(level: string, rule: object): Promise<void> {
  workspace = makeWorkspace(policyOf(level, rule), { 'out/x': '', 'ca.pem': world.certificate.cert });
  hand(workspace);
  const { policyFile: policy, state } = workspace;
  gate = await openGate({ policy, state, tools: [shell()], ...world.gate, onPolicyNotice: () => undefined });
}

/** Runs lines of a script through the gate: what it printed. */
async function run(...lines: readonly string[]): Promise<string> {
  workspace.write({ 'script.sh': lines.join('\n') });
  const result = await gate?.call('shell', { command: 'bash ./script.sh' });
  expect(result).toMatchObject({ kind: 'delivered' });
  return result?.text ?? '';
}

type Event = readonly [
  host: unknown,
  allowed: unknown,
  rule: unknown,
  address: unknown,
  status: unknown,
  error: unknown,
];

const asEvent = ({
  ask,
  allowed = null,
  rule = null,
  address = null,
  status = null,
  error = null,
}: JsonObject): Event => [
  isJsonObject(ask) ? ask['host'] : null,
  ...([allowed, rule, address, status, error] as const),
];

/** What the outcomes of a log say about ways out, in order. */
async function recordedEvents(): Promise<readonly Event[]> {
  await gate?.close();
  const found: Event[] = [];
  for await (const { seq, record } of readRecords(workspace.state)) {
    if (record.type !== 'outcome') continue;
    const { egress } = await readPayloads(workspace.state, seq);
    const events = isJsonObject(egress) && Array.isArray(egress['events']) ? egress['events'] : [];
    for (const event of events) if (isJsonObject(event)) found.push(asEvent(event));
  }
  return found;
}

const RULE = 'tools.shell.egress';
const ruleOf = (index: number): string => `${RULE}[${index}]`;

const NODE = `for (const url of ['http://api.example.com/node', 'http://evil.example.net/'])
  await fetch(url).then(async (answer) => console.log(answer.status, (await answer.text()).slice(0, 10)));`;
const PYTHON = `import urllib.request, urllib.error
print(urllib.request.urlopen('http://api.example.com/python').read().decode())
try: urllib.request.urlopen('http://evil.example.net/')
except urllib.error.HTTPError as error: print(error.code)`;

describe.each(['bubblewrap', 'gvisor'] as const)('%s', (level) => {
  const here = isHere(level) ? test : test.skip;
  const nodeHere = isHere(level) ? withNode : test.skip;
  const title = whyNot(level);

  here(
    `[T2.1] curl, git and python reach the listed name, and nothing else; each way out is on record${title}`,
    async () => {
      await open(level, { egress: LISTED });
      const text = await run(
        'curl -sS http://api.example.com/curl; echo',
        'curl -sS --cacert ca.pem https://api.example.com/tunnel; echo',
        'cd /tmp && git clone -q http://api.example.com/repository.git r && git -C r log --format=%s',
        `/usr/bin/python3 -c "${PYTHON}"`,
      );
      expect(text).toContain('GET /curl \nGET /tunnel \nhello from git\nGET /python \n403\n');
      const events = await recordedEvents();
      expect(events[0]).toEqual(['api.example.com', true, ruleOf(0), PUBLIC, 200, null]);
      expect(events[1]).toEqual(['api.example.com', true, ruleOf(1), PUBLIC, null, null]);
      expect(events.at(-1)).toEqual(['evil.example.net', false, RULE, null, null, expect.anything()]);
      expect(new Set(world.looked)).toEqual(new Set(['api.example.com']));
    },
    120_000,
  );

  nodeHere(
    `[T2.1] npm and node reach the listed name, and nothing else${title}${NO_NODE}`,
    async () => {
      await open(level, { egress: LISTED });
      workspace.write({ 'fetch.mjs': NODE });
      const text = await run(
        'node fetch.mjs',
        'mkdir "$HOME/p" && cd "$HOME/p"',
        'npm install --registry=http://api.example.com/ --no-audit --no-fund --no-update-notifier tiny >log 2>&1 || cat log',
        'cat node_modules/tiny/package.json',
      );
      expect(text).toMatch(/^200 GET \/node \n403 .*\n/);
      expect(text).toContain('{"name":"tiny","version":"1.0.0"}');
      expect((await recordedEvents()).map(([host, allowed]) => `${host} ${allowed}`).slice(0, 3)).toEqual([
        ...['api.example.com true', 'evil.example.net false', 'api.example.com true'],
      ]);
    },
    120_000,
  );

  here(
    `[T2.1] an unlisted host, an address, a metadata service and what goes around the proxy are refused, and recorded${title}`,
    async () => {
      await open(level, { egress: LISTED });
      const status = `curl -sS -o /dev/null -m 20 -w '%{http_code} '`;
      const text = await run(
        ...['other.example.com', 'api.example.com.', '127.0.0.1', PUBLIC, METADATA, SNEAKY].map(
          (host) => `${status} --noproxy '' http://${host}/`,
        ),
        `${status} -x socks5h://\${HTTP_PROXY#http://} http://other.example.com/`,
        ...[`127.0.0.1:${world.web.port}`, PUBLIC, 'api.example.com'].map(
          (host) => `curl -sS --noproxy '*' -m 3 http://${host}/ && echo THROUGH`,
        ),
        `(exec 3<>/dev/tcp/127.0.0.1/${world.web.port}) && echo THROUGH`,
        'true',
      );
      expect(text).toMatch(/^403 400 403 403 403 403 403 /);
      expect(text).not.toContain('THROUGH');
      expect(world.web.requests).toEqual([]);
      expect(world.dialled).toEqual([]);
      expect(world.looked).toEqual([SNEAKY]);
      const events = await recordedEvents();
      expect(events.every(([, allowed, , address]) => allowed === false && address === null)).toBe(true);
      const hosts = events.map(([host]) => host);
      for (const host of ['other.example.com', '127.0.0.1', PUBLIC, METADATA, SNEAKY]) expect(hosts).toContain(host);
    },
    120_000,
  );

  here(
    `methods and paths are judged where TLS is terminated${title}`,
    async () => {
      await open(level, { egress: ['api.example.com/yes'], methods: ['GET'], terminateTls: true });
      const status = `curl -sS -o /dev/null -w '%{http_code} '`;
      const text = await run(
        'curl -sS -H "Authorization: Bearer secret" https://api.example.com/yes; echo',
        `${status} -X POST https://api.example.com/yes`,
        `${status} https://api.example.com/no`,
        `${status} https://api.example.com/yes/../no --path-as-is`,
        `${status} http://api.example.com/yes`,
        `/usr/bin/python3 -c "import urllib.request as u; print(u.urlopen('https://api.example.com/yes').read().decode())"`,
      );
      expect(text).toMatch(/^GET \/yes \n403 403 40[03] 403 GET \/yes \n/);
      expect(world.tls.requests.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
        ...[
          ['GET', '/yes', undefined],
          ['GET', '/yes', undefined],
        ],
      ]);
      const events = await recordedEvents();
      expect(events[0]).toEqual(['api.example.com', true, ruleOf(0), PUBLIC, 200, null]);
      expect(events.filter(([, allowed]) => allowed === true)).toHaveLength(2);
    },
    120_000,
  );

  here(
    `[T2.3] a policy that loses the entry refuses the next connection${title}`,
    async () => {
      await open(level, { egress: LISTED });
      const lines = 'while :; do curl -sS http://api.example.com/turn >> out/turns; sleep 0.2; done';
      const running = run(lines).catch((error: unknown) => error);
      for (let look = 0; look < 400 && world.web.requests.length === 0; look += 1) await delay(50);
      expect(world.web.requests.length).toBeGreaterThan(0);
      workspace.write({ 'sallyport.yaml': policyOf(level, { egress: ['http://other.example.com'] }) });
      await running;
      const before = world.web.requests.length;
      expect(await run('curl -sS http://api.example.com/after')).toContain('EGRESS_NOT_ALLOWED');
      expect(world.web.requests).toHaveLength(before);
      expect((await recordedEvents()).at(-1)?.slice(0, 2)).toEqual(['api.example.com', false]);
    },
    120_000,
  );

  here(
    `[T2.1] a server on stdio reaches what its own rule lists, and each way out is a record${title}`,
    async () => {
      workspace = makeWorkspace('version: 1', { 'out/x': '' });
      hand(workspace);
      const server = { command: [process.execPath, serverScript('fetching.mjs')], isolation: level };
      const stand = await openTestGate({
        ...{ workspace, gate: { ...world.gate, tools: [] } },
        servers: { web: { ...server, egress: ['http://api.example.com', `http://${SNEAKY}`] } },
        policy: `sandbox: ${JSON.stringify(SANDBOX)}\ntools: { mcp__web__fetch: {} }\n`,
      });
      gate = stand.gate;
      const ask = async (url: string): Promise<string> => (await stand.gate.call('mcp__web__fetch', { url })).text;
      expect(await ask('http://api.example.com/server')).toContain('200 GET /server');
      for (const host of ['other.example.com', METADATA, SNEAKY])
        expect(await ask(`http://${host}/`)).toContain('403 ');
      await stand.upstreams.close();
      await stand.gate.close();
      expect(world.web.requests.map(({ url }) => url)).toEqual(['/server']);
      const found: string[] = [];
      for await (const { record } of readRecords(workspace.state))
        if (record.tool === 'mcp__web:egress') found.push([record.type, record.decision, record.rule].join(' '));
      expect(found.toSorted()).toEqual([
        'admitted  ',
        'intent allow servers.web.egress[0]',
        'intent deny builtin.ENDPOINT_ADDRESS',
        ...['intent deny servers.web.egress', 'intent deny servers.web.egress'],
        'outcome  ',
      ]);
    },
    120_000,
  );
});
