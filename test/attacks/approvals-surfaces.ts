import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { isSallyportError, type JsonObject } from '../../src/core/index.ts';
import { type Gate, type GateOptions, openGate, type WaitingCall } from '../../src/gate/index.ts';
import { serveHttp, serveStdio } from '../../src/gateway/index.ts';
import type { Answer, OperatorProof } from '../../src/keeper/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import { LOCAL, ONCE } from '../support/approvals.ts';
import { MAIN } from '../support/cli.ts';
import { streamTransport } from '../support/stream-transport.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** What an attempt came to: `delivered`, or the code of what kept it from that. */
export interface Outcome {
  readonly code: string;
  readonly text: string;
  /** The request that still waits, where the answer names one. */
  readonly request: string | null;
}

/** A call on a surface, under way. */
export interface Attempt {
  /** The request that it waits for. */
  readonly waits: Promise<string>;
  readonly ended: Promise<Outcome>;
}

/** One way in. `wait`: false ends a call that would wait for a person at once. */
interface Door {
  begin(tool: string, args: JsonObject, wait: boolean): Attempt;
  close(): Promise<void>;
}

export type Surface =
  | ('gate.call' | 'MCP over HTTP, 2025-11-25' | 'MCP over HTTP, 2026-07-28' | 'MCP over stdio')
  | ('gate.spawn' | 'sallyport call' | 'sallyport run');

/** Those that share the process of the test, and so its resolver, its clock and its tools. */
export const INNER_SURFACES: readonly Surface[] = [
  ...(['gate.call', 'MCP over HTTP, 2025-11-25', 'MCP over HTTP, 2026-07-28', 'MCP over stdio'] as const),
];
/** Every way in for a call of any tool. */
export const CALL_SURFACES: readonly Surface[] = [...INNER_SURFACES, 'sallyport call'];
/** Every way in for a command. */
export const COMMAND_SURFACES: readonly Surface[] = [...CALL_SURFACES, 'gate.spawn', 'sallyport run'];

export interface SurfaceStandOptions {
  readonly surface: Surface;
  readonly policy: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly gate?: Partial<GateOptions>;
}

/** A gate that owns its state, one way in for an agent, and an operator beside it. */
export class SurfaceStand {
  readonly workspace: Workspace;
  readonly #options: SurfaceStandOptions;
  #gate: Gate | null = null;
  #door: Door | null = null;

  private constructor(options: SurfaceStandOptions) {
    this.#options = options;
    this.workspace = makeWorkspace(options.policy, options.files);
    mkdirSync(join(this.workspace.base, 'runtime'), { mode: 0o700 });
  }

  static async open(options: SurfaceStandOptions): Promise<SurfaceStand> {
    const stand = new SurfaceStand(options);
    await stand.start();
    return stand;
  }

  get gate(): Gate {
    if (this.#gate === null) throw new TypeError('the gate is closed');
    return this.#gate;
  }

  /** Opens the gate and the way in, also after `stop`. */
  async start(): Promise<void> {
    const { policyFile: policy, state, base } = this.workspace;
    // What a yes needs to outlive its process: the keeper reads the place from the environment of its process.
    const before = process.env['XDG_RUNTIME_DIR'];
    process.env['XDG_RUNTIME_DIR'] = join(base, 'runtime');
    try {
      this.#gate = await openGate({
        ...{ policy, state, tools: builtInTools(), onPolicyNotice: () => undefined },
        ...this.#options.gate,
      });
    } finally {
      process.env['XDG_RUNTIME_DIR'] = before;
    }
    this.#door = await openDoor(this.#options.surface, this.#gate, this.workspace);
  }

  async stop(): Promise<void> {
    await this.#door?.close();
    await this.#gate?.close();
    this.#door = null;
    this.#gate = null;
  }

  async end(): Promise<void> {
    await this.stop();
    this.workspace.remove();
  }

  /** A call that waits for a person as long as the gate lets it. */
  begin(tool: string, args: JsonObject): Attempt {
    if (this.#door === null) throw new TypeError('the gate is closed');
    return this.#door.begin(tool, args, true);
  }

  /** A call that does not wait: where a person is asked, it ends as APPROVAL_PENDING and names the request. */
  ask(tool: string, args: JsonObject): Promise<Outcome> {
    if (this.#door === null) throw new TypeError('the gate is closed');
    return this.#door.begin(tool, args, false).ended;
  }

  /** The operator's answer, over a connection that no tool has. */
  async answer(request: string, answer: Answer = ONCE, proof: OperatorProof = LOCAL): Promise<void> {
    await this.gate.keeper.answer(request, answer, proof);
  }

  /** How many calls were admitted so far. INVARIANT of the gate: nothing runs without an admission on record. */
  async admitted(): Promise<number> {
    let count = 0;
    for await (const { record } of readRecords(this.workspace.state)) if (record.type === 'admitted') count += 1;
    return count;
  }

  /** The positive control: the call waits, an honest yes is given, and it runs once; the next one asks anew. */
  async runsOnceWithAnHonestYes(tool: string, args: JsonObject): Promise<Outcome> {
    const before = await this.admitted();
    const attempt = this.begin(tool, args);
    await this.answer(await attempt.waits);
    const outcome = await attempt.ended;
    expect(outcome).toMatchObject({ code: 'delivered' });
    expect(await this.admitted()).toBe(before + 1);
    expect(await this.ask(tool, args)).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect(await this.admitted()).toBe(before + 1);
    return outcome;
  }
}

/** A stand for each test of a file. */
export function eachStand(): (options: SurfaceStandOptions) => Promise<SurfaceStand> {
  const stands: SurfaceStand[] = [];
  beforeEach(() => void stands.splice(0));
  afterEach(async () => {
    for (const stand of stands) await stand.end();
  });
  return async (options) => {
    const stand = await SurfaceStand.open(options);
    stands.push(stand);
    return stand;
  };
}

async function openDoor(surface: Surface, gate: Gate, workspace: Workspace): Promise<Door> {
  switch (surface) {
    case 'gate.call':
      return libraryDoor(gate);
    case 'gate.spawn':
      return spawnDoor(gate);
    case 'sallyport call':
    case 'sallyport run':
      return commandDoor(surface, workspace);
    case 'MCP over stdio':
      return stdioDoor(gate);
    default:
      return httpDoor(gate, surface.endsWith('2026-07-28') ? { pin: '2026-07-28' } : 'legacy');
  }
}

/** A call whose request becomes known to whoever listens. */
function attempt(start: (onWaiting: (request: string) => void) => Promise<Outcome>): Attempt {
  let told: (request: string) => void = () => undefined;
  const waits = new Promise<string>((resolve, reject) => {
    told = resolve;
    // After the end nobody will be told any more.
    setImmediate(() => ended.then(({ code, text }) => reject(new Error(`it did not wait: ${code} ${text}`)), reject));
  });
  waits.catch(() => undefined);
  const ended = start((request) => told(request));
  ended.catch(() => undefined);
  return { waits, ended };
}

const waitOf = (wait: boolean, told: (request: string) => void): object => ({
  ...(wait ? {} : { approvalWaitMs: 0 }),
  onApprovalWaiting: ({ request }: WaitingCall) => told(request),
});

function libraryDoor(gate: Gate): Door {
  const begin: Door['begin'] = (tool, args, wait) =>
    attempt(async (told) => {
      const result = await gate.call(tool, args, waitOf(wait, told));
      const code = result.kind === 'delivered' ? 'delivered' : result.code;
      return { code, text: result.text, request: result.kind === 'denied' ? (result.request ?? null) : null };
    });
  return { begin, close: async () => undefined };
}

function spawnDoor(gate: Gate): Door {
  const begin: Door['begin'] = (_tool, args, wait) =>
    attempt(async (told) => {
      try {
        const child = await gate.spawn(String(args['command']), waitOf(wait, told));
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        child.stderr.resume();
        const result = await child.result;
        return { code: result.kind === 'delivered' ? 'delivered' : result.code, text, request: null };
      } catch (error) {
        if (!isSallyportError(error)) throw error;
        const { request } = error.detail;
        return { code: error.code, text: error.message, request: typeof request === 'string' ? request : null };
      }
    });
  return { begin, close: async () => undefined };
}

/** Commands of their own processes, which join the state that the gate of the test owns. */
function commandDoor(surface: 'sallyport call' | 'sallyport run', { root, state }: Workspace): Door {
  const children: ChildProcess[] = [];
  const begin: Door['begin'] = (tool, args, wait) =>
    attempt(async (told) => {
      const own = ['--state', state, '--json', ...(wait ? [] : ['--wait', '0s'])];
      const words =
        surface === 'sallyport call'
          ? ['call', tool, JSON.stringify(args), ...own]
          : ['run', ...own, '--', ...String(args['command']).split(' ')];
      const child = spawn(process.execPath, ['--no-warnings', MAIN, ...words], { cwd: root, stdio: 'pipe' });
      children.push(child);
      child.stdin.end('y\ny\n'); // what is piped in answers nothing
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
        const [id] = /ask_[A-Za-z0-9_-]{22}/.exec(err) ?? [];
        if (id !== undefined) told(id);
      });
      await once(child, 'close');
      return outcomeOfJson(out, err);
    });
  const close = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  return { begin, close };
}

/** The result stands on a line of its own; `run` prints what the program printed to standard error. */
function outcomeOfJson(out: string, err: string): Outcome {
  const line = out.trim().split('\n').at(-1) ?? '';
  const { kind, code, text, request, error } = JSON.parse(line || '{}') as Record<string, unknown>;
  const inner = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  return {
    code: kind === 'delivered' ? 'delivered' : String(code ?? inner['code'] ?? `no answer: ${out}${err}`),
    text: `${String(text ?? '')}${err}`,
    request: typeof request === 'string' ? request : null,
  };
}

/** The time that a client waits that did not ask for progress, in milliseconds. */
const IMPATIENT_MS = 150;
const WHO = { user: 'ann', agent: 'coder' };

async function httpDoor(gate: Gate, mode: 'legacy' | { pin: '2026-07-28' }): Promise<Door> {
  const front = await serveHttp({ gate, authenticate: 'none', local: WHO, port: 0, approvalWaitMs: IMPATIENT_MS });
  const client = new Client({ name: 'coder', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(front.url)));
  return clientDoor(client, () => front.close(0));
}

async function stdioDoor(gate: Gate): Promise<Door> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const front = await serveStdio({ gate, ...WHO, input, output, approvalWaitMs: IMPATIENT_MS });
  const client = new Client({ name: 'coder', version: '1' }, {});
  await client.connect(streamTransport(output, input));
  return clientDoor(client, () => front.close());
}

function clientDoor(client: Client, closeFront: () => Promise<unknown>): Door {
  const begin: Door['begin'] = (name, args, wait) =>
    attempt(async (told) => {
      const onprogress = ({ message = '' }: { message?: string | undefined }): void => {
        const [id] = /ask_[A-Za-z0-9_-]{22}/.exec(message) ?? [];
        if (id !== undefined) told(id);
      };
      const result = await client.callTool({ name, arguments: args }, wait ? { onprogress } : {});
      const text = (result.content as { text?: string }[]).map((piece) => piece.text ?? '').join('\n');
      const { outcome, code, request } = (result._meta?.['dev.sallyport/decision'] ?? {}) as Record<string, string>;
      return { code: code ?? outcome ?? 'no decision', text, request: request ?? null };
    });
  const close = async (): Promise<void> => {
    await client.close();
    await closeFront();
  };
  return { begin, close };
}
