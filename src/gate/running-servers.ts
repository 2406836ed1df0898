import { isSallyportError, type JsonObject, type Principal, SallyportError } from '../core/index.ts';
import { localUser, whoIs } from '../keeper/index.ts';
import { type ServerRule, serverTerms } from '../policy/index.ts';
import type { EgressEvent, SandboxProcess } from '../sandbox/index.ts';
import type { House } from './house.ts';
import { startServer } from './server-start.ts';

/** The server processes of a gate. */
export interface RunningServers {
  /**
   * Starts a server of the policy in force; where it runs stands in the log before it does, and so does each way out of it.
   * @throws SallyportError SERVER_UNKNOWN, ISOLATION_UNAVAILABLE, SANDBOX_FAILED, AUDIT_WRITE_FAILED
   */
  start(house: House, rule: ServerRule): Promise<SandboxProcess>;
  /** Ends those that the policy of a house shows other files, hosts or limits than they were started with. */
  judgeAll(house: House): void;
}

/** A server has no surface of its own: what starts it is the library, whoever uses that. */
const SURFACE = 'library';

/** State: one entry for each process, owned here. */
export function openRunningServers(): RunningServers {
  const entries = new Map<SandboxProcess, { readonly name: string; readonly terms: string | null }>();
  return {
    start: async (house, rule) => {
      if (!house.servers.has(rule.name))
        throw new SallyportError('SERVER_UNKNOWN', 'the policy does not have this server any more');
      const terms = termsOf(house, rule.name);
      const started = await startRecorded(house, rule);
      entries.set(started, { name: rule.name, terms });
      void started.ended.then(() => entries.delete(started));
      if (termsOf(house.latest(), rule.name) !== terms) await started.stop();
      return started;
    },
    judgeAll: (house) => {
      for (const [started, { name, terms }] of entries) if (termsOf(house, name) !== terms) void started.stop();
    },
  };
}

const termsOf = ({ compiled }: House, name: string): string | null => serverTerms(compiled(), name)?.digest ?? null;

async function startRecorded(house: House, rule: ServerRule): Promise<SandboxProcess> {
  let principal: Principal | null = null;
  const placed = async (isolation: JsonObject): Promise<void> => {
    const caller = { tenant: 'local', user: localUser(), agent: `server:${rule.name}`, proof: 'local' } as const;
    principal = await house.keeper.openSession(caller, SURFACE, { server: rule.name, isolation });
  };
  return startServer(house, {
    ...{ rule, placed, current: () => house.latest().compiled() },
    egress: (event) => {
      if (principal !== null) void recordEgress(house.latest(), principal, rule, event);
    },
  });
}

/** A way out that was taken is a call that ran; one that was refused is a denial. */
async function recordEgress(
  house: House,
  principal: Principal,
  { name }: ServerRule,
  event: EgressEvent,
): Promise<void> {
  const { allowed, rule, ask, ...rest } = event;
  const intent = {
    ...({ surface: SURFACE, ...whoIs(principal), tool: `mcp__${name}:egress`, server: name } as const),
    ...({ decision: allowed ? 'allow' : 'deny', rule, policyDigest: house.policy.digest, epoch: house.epoch } as const),
    ...(allowed ? {} : { code: 'ENDPOINT_NOT_ALLOWED' as const }),
    payloads: { arguments: { ...ask }, decision: { ...rest } },
  };
  try {
    if (!allowed) return void (await house.keeper.refuse(intent));
    const admission = await house.keeper.admit(intent, {});
    await house.keeper.settle(admission, { outcome: 'delivered', durationMs: 0, payloads: { result: { ...rest } } });
  } catch (error) {
    // The connection is over; a log that cannot be written refuses every call from now on.
    if (!isSallyportError(error)) throw error;
  }
}
