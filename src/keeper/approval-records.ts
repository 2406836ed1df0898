import {
  type ApprovalRequest,
  type Binding,
  grantAsJson,
  readRequest as readWaiting,
  type SignedGrant,
  usesOf,
  verifyGrant,
} from '../approvals/index.ts';
import { readRecords } from '../audit/index.ts';
import {
  canonicalJson,
  count,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  newId,
  SallyportError,
} from '../core/index.ts';
import type { GrantAnchor } from './grant-anchor.ts';
import type { GrantKey } from './grant-key.ts';
import type { IntentDraft } from './keeper.ts';
import type { StateTable } from './state-table.ts';

/** A grant that is open, and how often it was used. */
export interface OpenGrant {
  readonly signed: SignedGrant;
  /** Number of its `grant` record. */
  readonly recordSeq: number;
  used: number;
}

export const openGrantAsJson = ({ signed, recordSeq, used }: OpenGrant): JsonObject => ({
  ...{ signed: grantAsJson(signed), recordSeq, used },
});

/**
 * That an intent and a binding are about the same call. INVARIANT: nothing is recorded as approved but what was shown.
 * @throws SallyportError GRANT_VOID
 */
export function checkSameCall(intent: IntentDraft, binding: Binding): void {
  const { principal, server, tool, policyDigest, payloads } = intent;
  const { tenant, user, agent, chain } = binding.principal;
  const same =
    principal?.['tenant'] === tenant &&
    principal['user'] === user &&
    principal['agent'] === agent &&
    canonicalJson(intent.chain ?? []) === canonicalJson(chain) &&
    tool === binding.tool &&
    (server ?? null) === binding.server &&
    policyDigest === binding.policy &&
    canonicalJson(payloads?.['arguments'] ?? null) === canonicalJson(binding.arguments);
  if (!same) throw new SallyportError('GRANT_VOID', 'the record of the call and what is to be approved differ');
}

export interface FoundApprovals {
  readonly requests: readonly ApprovalRequest[];
  readonly grants: readonly OpenGrant[];
  /** The latest time of the records that were read, in milliseconds since the epoch. */
  readonly latest: number;
}

interface Sources {
  readonly state: string;
  readonly requests: StateTable;
  readonly grants: StateTable;
  readonly key: GrantKey;
  readonly anchor: GrantAnchor;
}

/**
 * What still waits and what is still open after a restart. The store says what there was; the log, which is newer or the same,
 * says what became of it. INVARIANT: a grant that the log does not know, or that another life of the folder gave, is void; uses
 * are the higher of both counts; a request that the log says was answered waits no more.
 */
export async function recoverApprovals({ state, requests, grants, key, anchor }: Sources): Promise<FoundApprovals> {
  const [waiting, signed] = [(await requests.all()).flatMap(readable(readWaiting)), await readGrants(grants, key)];
  const valid = signed.filter(({ signed: { grant } }) => anchor.continues && grant.generation === anchor.generation);
  const from = Math.min(...waiting.map(({ intentSeq }) => intentSeq), ...valid.map(({ recordSeq }) => recordSeq));
  const seen = await readLog(state, from);
  const found = {
    requests: waiting
      .filter(({ id }) => seen.asked.has(id) && !seen.answered.has(id))
      .map((request) => (anchor.continues ? request : anew(request))),
    grants: valid.filter(({ signed: { grant } }) => seen.granted.has(grant.id)),
    latest: seen.latest,
  };
  for (const grant of found.grants) grant.used = Math.max(grant.used, seen.uses.get(grant.signed.grant.id) ?? 0);
  const kept = new Set([
    ...found.requests.map(({ id }) => id),
    ...found.grants.map(({ signed: open }) => open.grant.id),
  ]);
  for (const { id } of waiting) if (!kept.has(id)) await requests.delete(id);
  for (const { id } of signed.map(({ signed: open }) => open.grant)) if (!kept.has(id)) await grants.delete(id);
  return found;
}

/** What somebody proved over the request of before is no answer to this one. */
const anew = (request: ApprovalRequest): ApprovalRequest => ({
  ...request,
  nonce: newId('nonce'),
  yes: [],
  scope: null,
});

/** A value that cannot be read is no approval. */
const readable =
  <T>(read: (value: JsonObject) => T) =>
  (value: JsonObject): T[] => {
    try {
      return [read(value)];
    } catch (error) {
      if (isSallyportError(error)) return [];
      throw error;
    }
  };

async function readGrants(table: StateTable, { publicKey }: GrantKey): Promise<OpenGrant[]> {
  return (await table.all()).flatMap(
    readable(
      ({ signed, recordSeq, used }): OpenGrant => ({
        signed: verifyGrant(signed ?? null, publicKey),
        recordSeq: count(recordSeq, 'recordSeq'),
        used: count(used, 'used'),
      }),
    ),
  );
}

interface Seen {
  readonly asked: ReadonlySet<string>;
  readonly answered: ReadonlySet<string>;
  readonly granted: ReadonlySet<string>;
  readonly uses: ReadonlyMap<string, number>;
  readonly latest: number;
}

/** One pass over the records since the first that matters; none when nothing is open. */
async function readLog(state: string, from: number): Promise<Seen> {
  const [asked, answered, granted] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const uses = new Map<string, number>();
  let latest = 0;
  if (!Number.isFinite(from)) return { asked, answered, granted, uses, latest };
  for await (const { record } of readRecords(state, { from })) {
    latest = Math.max(latest, Date.parse(record.time) || 0);
    const request = isJsonObject(record.detail ?? null) ? record.detail?.['request'] : undefined;
    if (record.type === 'intent' && typeof request === 'string') asked.add(request);
    if (record.type === 'grant') {
      if (typeof request === 'string' && record.detail?.['final'] === true) answered.add(request);
      if (record.grant !== undefined) granted.add(record.grant);
    }
    if (record.type === 'admitted' && record.grant !== undefined)
      uses.set(record.grant, (uses.get(record.grant) ?? 0) + 1);
  }
  return { asked, answered, granted, uses, latest };
}

/** True when a grant opens nothing more. */
export const isUsedUp = ({ signed: { grant }, used }: OpenGrant): boolean => {
  const uses = usesOf(grant.scope);
  return uses !== null && used >= uses;
};
