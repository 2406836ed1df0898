import { setMaxListeners } from 'node:events';
import type { SandboxProfile } from './contract.ts';
import type { Box } from './gvisor-box.ts';
import { type Ground, SANDBOX_ID } from './gvisor-sandbox.ts';

/** A sandbox of an owner that stays, with a container ready for the next command. Each command gets a container of its own. */
export interface WarmSandbox {
  readonly owner: string;
  /** Digest of the profile. */
  readonly digest: string;
  /** A container nobody else gets; null: there is none, take a cold sandbox. */
  take(): Promise<Box | null>;
  /** Whether a command runs in it. */
  isBusy(): boolean;
  /** Processes of the host that hold the memory of all containers. */
  readonly sandbox: Box;
  /** Kills everything in it. Settles when nothing is left. */
  end(): Promise<void>;
}

export interface WarmOptions {
  readonly owner: string;
  readonly digest: string;
  /** Milliseconds without a command after which it ends. */
  readonly idleMs: number;
  /** Called once, when it is over for any reason. */
  readonly onEnd: () => void;
}

/** How long an unused warm sandbox stays, in milliseconds. */
const WARM_IDLE_MS = 300_000;
/** The same where it holds placeholders in a workspace: people see those. */
const WARM_RESERVED_IDLE_MS = 15_000;

/** How long a sandbox of a profile stays without a command, in milliseconds. */
export const idleTimeOf = ({ reserved }: SandboxProfile): number =>
  reserved.length === 0 ? WARM_IDLE_MS : WARM_RESERVED_IDLE_MS;

/**
 * Opens a sandbox and its first spare container.
 * @throws SallyportError SANDBOX_FAILED; the ground is cleared then
 */
export async function openWarm(ground: Ground, options: WarmOptions): Promise<WarmSandbox> {
  const sandbox = await ground.open({ kind: 'sandbox' }).catch((error: unknown) => {
    ground.clear();
    throw error;
  });
  const lost = new AbortController();
  // Each of its containers listens, and they are as many as the commands that run at once.
  setMaxListeners(0, lost.signal);
  const state: WarmState = {
    ...{ ground, sandbox, options, lost: lost.signal },
    ...{ spare: null, boxes: new Set(), isOver: false, idle: undefined },
  };
  const over = sandbox.gone.then(() => {
    lost.abort();
    return finish(state);
  });
  prepare(state);
  armIdle(state);
  return {
    ...{ owner: options.owner, digest: options.digest, sandbox },
    take: () => take(state),
    isBusy: () => state.boxes.size > 0,
    end: async () => {
      state.isOver = true;
      sandbox.kill();
      await over;
    },
  };
}

interface WarmState {
  readonly ground: Ground;
  readonly sandbox: Box;
  readonly options: WarmOptions;
  /** Aborts when the sandbox is gone. */
  readonly lost: AbortSignal;
  /** The container for the next command; settles with null when it could not be made. */
  spare: Promise<Box | null> | null;
  /** Containers that were taken, and those that wait to be. */
  readonly boxes: Set<Promise<unknown>>;
  isOver: boolean;
  idle: NodeJS.Timeout | undefined;
}

async function finish(state: WarmState): Promise<void> {
  state.isOver = true;
  clearTimeout(state.idle);
  const spare = await state.spare;
  spare?.kill();
  // INVARIANT: nothing is cleared away while a container still uses it.
  await Promise.all([spare?.gone, ...state.boxes]);
  state.ground.clear();
  state.options.onEnd();
}

function prepare(state: WarmState): void {
  if (state.isOver || state.spare !== null) return;
  const abandon = (): void => state.sandbox.kill();
  state.spare = state.ground.open({ kind: 'within', sandbox: SANDBOX_ID }, { abandon, lost: state.lost }).catch(() => {
    // A sandbox in which no container starts is of no use: the next command gets a cold one.
    abandon();
    return null;
  });
}

/** A warm sandbox whose paths were replaced would show the old ones: it ends, and nothing more starts in it. */
async function take(state: WarmState): Promise<Box | null> {
  if (state.isOver) return null;
  if (!state.ground.isSame()) {
    state.isOver = true;
    state.sandbox.kill();
    return null;
  }
  const taken = takeSpare(state);
  const gone = taken.then((box) => box?.gone);
  state.boxes.add(gone);
  void gone.then(() => giveBack(state, gone));
  return taken;
}

async function takeSpare(state: WarmState): Promise<Box | null> {
  clearTimeout(state.idle);
  prepare(state);
  const spare = state.spare;
  state.spare = null;
  const box = (await spare) ?? null;
  if (box === null || !state.isOver) return box;
  box.kill();
  await box.gone;
  return null;
}

function giveBack(state: WarmState, gone: Promise<unknown>): void {
  state.boxes.delete(gone);
  prepare(state);
  if (state.boxes.size === 0) armIdle(state);
}

function armIdle(state: WarmState): void {
  clearTimeout(state.idle);
  if (state.isOver) return;
  state.idle = setTimeout(() => {
    state.isOver = true;
    state.sandbox.kill();
  }, state.options.idleMs);
  state.idle.unref();
}
