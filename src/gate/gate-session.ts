import { type Principal, SallyportError, type Surface } from '../core/index.ts';
import { mayBeAllowed } from '../policy/index.ts';
import { type Action, parseAction } from './act.ts';
import { type CallRequest, passGate } from './call.ts';
import type { ApprovalWait } from './confirm.ts';
import type { LeftFiles } from './footprint.ts';
import type { House } from './house.ts';
import type { CallOptions, GateSession } from './options.ts';
import { type ParsedCall, parseCall } from './parse.ts';
import { redactParams } from './redact.ts';
import type { Asked, CallResult } from './result.ts';
import { openSessionCalls } from './session-calls.ts';
import { commandLineOf, type SpawnedProcess, type SpawnOptions, spawnThrough } from './spawn.ts';
import type { CallExchange, Tool } from './tool.ts';

export interface SessionParts {
  readonly principal: Principal;
  readonly surface: Surface;
  /** The house of now: never kept across an `await`. */
  readonly house: () => House;
  /** @throws SallyportError GATE_CLOSED */
  readonly checkOpen: () => void;
  readonly waits: (options: ApprovalWait) => Required<ApprovalWait>;
}

/** A session as the gate has it: also of calls whose arguments were copied before the session was there. */
export interface OpenSession extends GateSession {
  readonly pass: (parsed: ParsedCall, options: PassOptions) => Promise<CallResult>;
}

type PassOptions = CallOptions & Partial<Pick<CallRequest, 'spawn'>>;

/** The calls of one principal, until it is closed. */
export function openGateSession({ principal, surface, house, checkOpen, waits }: SessionParts): OpenSession {
  const calls = openSessionCalls();
  let closing: Promise<LeftFiles | null> | null = null;
  const check = (): void => {
    checkOpen();
    if (closing !== null) throw new SallyportError('GATE_CLOSED', 'the session is closed');
  };
  type Passed = Promise<CallResult | Asked>;
  const passAny = (parsed: ParsedCall, exchange: CallExchange | null, options: PassOptions): Passed =>
    calls.run(options.signal ?? null, (signal) =>
      passGate(house(), {
        ...{ principal, surface, parsed, signal, exchange, spawn: options.spawn ?? null },
        ...waits(options),
      }),
    );
  const pass: OpenSession['pass'] = async (parsed, options) => {
    check();
    return unasked(await passAny(parsed, null, options));
  };
  const end = (): Promise<LeftFiles | null> => {
    calls.end();
    house().suspects.delete(principal.session);
    return house().spawning.end(principal.session);
  };
  return Object.freeze<OpenSession>({
    ...{ principal, surface, pass },
    tools: () => listTools(house(), principal),
    call: async (tool: string, args: unknown, options: CallOptions = {}) => {
      check();
      return pass(parseCall(house(), { tool, args }), options);
    },
    exchange: async (tool: string, args: unknown, exchange: CallExchange, options: CallOptions = {}) => {
      check();
      return passAny(parseCall(house(), { tool, args }), exchange, options);
    },
    act: async (action: Action, options: CallOptions = {}) => {
      check();
      const words =
        action.fromServer === true ? await redactParams(house(), { principal }, action.params) : action.params;
      const parsed = parseAction(house(), { ...action, params: words });
      // A server that tried it once may have got something else past the guard.
      if (parsed.trouble?.code === 'RESULT_QUARANTINED') house().suspects.add(principal.session);
      return pass(parsed, options);
    },
    actAsking: async (action: Action, exchange: CallExchange, options: CallOptions = {}) => {
      check();
      return passAny(parseAction(house(), action), exchange, options);
    },
    spawn: async (command: string | readonly string[], options: SpawnOptions = {}) => {
      check();
      return spawnVia(pass, parseSpawn(house(), command, options), options);
    },
    mayBeAllowed: (name: string) => mayBeAllowed(house().compiled(), name, principal),
    close: () => {
      closing ??= end();
      return closing;
    },
  });
}

/** A program as a call of the tool whose rule it runs under. Its words are copied here. */
export function parseSpawn(
  house: Parameters<typeof parseCall>[0],
  command: string | readonly string[],
  { tool = 'shell', cwd }: SpawnOptions,
): ParsedCall {
  return parseCall(house, { tool, args: { command: commandLineOf(command), ...(cwd === undefined ? {} : { cwd }) } });
}

/** @throws SallyportError with the code of the denial */
export function spawnVia(
  pass: OpenSession['pass'],
  parsed: ParsedCall,
  { stdin = 'none', inspect = false, tool, cwd, ...options }: SpawnOptions,
): Promise<SpawnedProcess> {
  return spawnThrough({ stdin, inspect }, (spawn) => pass(parsed, { ...options, spawn }));
}

/** INVARIANT: a call without an exchange is never asked back: `inbound` fails it instead. */
function unasked(result: CallResult | Asked): CallResult {
  if (result.kind === 'asked') throw new SallyportError('INTERNAL', 'a question with nobody to ask');
  return result;
}

/** The tools that some rule could allow, under every policy that counts. */
const listTools = ({ registry, withheld, compiled }: House, principal: Principal): Tool[] =>
  registry.all().filter(({ name, server }) => !withheld.has(server ?? '') && mayBeAllowed(compiled(), name, principal));
