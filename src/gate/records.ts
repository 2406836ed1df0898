import { type ErrorCode, isSallyportError, type JsonObject, type JsonValue } from '../core/index.ts';
import {
  type Admission,
  type CallUse,
  type GrantUse,
  type IntentDraft,
  type OutcomeDraft,
  whoIs,
} from '../keeper/index.ts';
import { type Decision, type PathReading, secretsOfTool } from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import { denyBuiltIn } from './deny.ts';
import type { House } from './house.ts';
import type { Inbound } from './inbound.ts';
import type { Judgement } from './judge.ts';
import type { Placement } from './placement.ts';

type Denied = Decision & { readonly effect: 'deny' };

/** Whether the same call was admitted before and nobody knows how it ended; or the denial of a keeper that cannot say. */
export async function askUncertain({ keeper }: House, { principal, parsed }: CallRequest): Promise<boolean | Denied> {
  try {
    return await keeper.isUncertain({ principal, tool: parsed.name, arguments: parsed.arguments });
  } catch (error) {
    if (isSallyportError(error)) return denyBuiltIn(error.code, `the keeper does not answer: ${error.message}`);
    throw error;
  }
}

/** The denial of a call whose arguments hold the value of a secret, or of a keeper that cannot say; null: they hold none. */
export async function askSecrets({ keeper }: House, { principal, parsed }: CallRequest): Promise<Denied | null> {
  try {
    const { found, blocked } = await keeper.redact(parsed.arguments, principal);
    if (found.length === 0 && !blocked) return null;
    return denyBuiltIn(
      'SECRET_IN_ARGUMENTS',
      'the arguments hold the value of a secret, which nobody but the gate sends',
    );
  } catch (error) {
    if (isSallyportError(error)) return denyBuiltIn(error.code, `the keeper does not answer: ${error.message}`);
    throw error;
  }
}

/** Step 5 for a call that goes no further. Null when even that cannot be recorded: it is denied all the same. */
export async function recordRefusal(house: House, request: CallRequest, judgement: Judgement): Promise<number | null> {
  try {
    return (await house.keeper.refuse(intentOf(house, request, judgement))).seq;
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}

/** What is admitted: what was decided, where it runs, and the yes that it needs. */
export interface Admissible {
  readonly judgement: Judgement;
  readonly placement: Placement | null;
  readonly use: GrantUse | undefined;
  /** What it reserved of its limits; null: it has none. */
  readonly lease: string | null;
}

/** Steps 5 and 7: the proof that this call may run, or the denial that takes its place. No record, no call. */
export async function admit(
  house: House,
  request: CallRequest,
  { judgement, placement, use, lease }: Admissible,
): Promise<Admission | Denied> {
  const { facts, decision } = judgement;
  const where = placement?.evidence ?? { achieved: achieved(facts) };
  const isolation = { asked: decision.obligations.isolation, ...where };
  try {
    const admitted = { isolation, ...modeDetail(house) };
    return await house.keeper.admit(intentOf(house, request, judgement), admitted, use, lease ?? undefined);
  } catch (error) {
    if (isSallyportError(error) && isRecorded(error.code)) return denyBuiltIn(error.code, error.message);
    if (isSallyportError(error)) return denyBuiltIn(error.code, `the call could not be recorded: ${error.message}`);
    throw error;
  }
}

/** A stop, or a yes that opens nothing, is a denial like any other; what else keeps a call out keeps its refusal from the log too. */
export const isRecorded = (code: ErrorCode): boolean => code === 'STOPPED' || code.startsWith('GRANT_');

/** How a call ended, besides what came of it. */
interface Ended {
  readonly microseconds: number;
  readonly placement: Placement | null;
  /** For the limits that it was admitted with. */
  readonly use: CallUse | undefined;
}

/** Step 14: how it ended. Queued before the reply; a log that cannot be written refuses the next call. */
export async function recordOutcome(
  house: House,
  admission: Admission,
  inbound: Inbound,
  { microseconds, placement, use }: Ended,
): Promise<number | 'too many bytes' | null> {
  const delivered = inbound.kind !== 'failed';
  try {
    const outcome: OutcomeDraft = {
      outcome: inbound.outcome,
      durationMs: Math.round(microseconds / 1000),
      ...modeDetail(house),
      ...verdictOf(inbound),
      ...(delivered ? {} : { error: inbound.code }),
      payloads: {
        result: delivered ? inbound.recorded : { error: inbound.reason },
        ...(inbound.kind === 'failed' && inbound.held !== undefined ? { held: inbound.held } : {}),
        ...(placement === null || placement.egress.events.length === 0 ? {} : { egress: egressOf(placement) }),
      },
    };
    return (await house.keeper.settle(admission, outcome, use)).seq;
  } catch (error) {
    if (isSallyportError(error, 'BYTES_LIMITED')) return 'too many bytes';
    if (isSallyportError(error)) return null;
    throw error;
  }
}

/** What the guard did and saw; nothing of what it read. */
function verdictOf(inbound: Inbound): Pick<OutcomeDraft, 'verdict' | 'findings'> {
  if (inbound.kind === 'asked' || inbound.verdict === undefined) return {};
  const { verdict, findings = [] } = inbound;
  return { verdict, ...(findings.length === 0 ? {} : { findings }) };
}

/** What the records of a call say of it before it runs. */
export function intentOf(
  house: House,
  request: CallRequest,
  { parsed, facts, decision, observed }: Judgement,
): IntentDraft {
  const server = parsed.registered?.tool.server;
  return {
    surface: request.surface,
    ...whoIs(request.principal),
    tool: parsed.name,
    ...(server === undefined ? {} : { server }),
    decision: decision.effect,
    rule: decision.rule.id,
    ...(decision.effect === 'allow' ? {} : { code: decision.code }),
    ...secretsOf(house, parsed.name),
    ...intentDetail(house, observed),
    policyDigest: house.policy.digest,
    epoch: house.epoch,
    // Whatever derives from arguments is a payload: the record holds salted commitments, so that it can be erased.
    payloads: {
      arguments: facts.arguments,
      decision: {
        reason: observed?.reason ?? decision.reason,
        paths: pathsOf(facts.paths),
        ...(facts.requests === undefined ? {} : { requests: requestsOf(facts.requests) }),
        uncertain: facts.uncertain,
      },
    },
  };
}

function pathsOf(paths: Judgement['facts']['paths']): JsonObject {
  return Object.fromEntries(
    Object.entries(paths).map(([pointer, { use, reading }]) => [pointer, { use, ...plain(reading) }]),
  );
}

/** Where requests go; what they carry stands with the arguments. */
function requestsOf(requests: NonNullable<Judgement['facts']['requests']>): JsonObject {
  return Object.fromEntries(
    Object.entries(requests).map(([pointer, { method, url, addresses }]) => [
      pointer,
      { method, url: 'trouble' in url ? url.trouble : url.text, addresses },
    ]),
  );
}

function secretsOf({ compiled }: House, tool: string): Pick<IntentDraft, 'secrets'> {
  const secrets = secretsOfTool(compiled(), tool);
  return secrets.length === 0 ? {} : { secrets };
}

const modeDetail = ({ observing }: House): { readonly detail?: JsonObject } =>
  observing ? { detail: { mode: 'observe' } } : {};

/** What an intent says besides: that nothing is enforced, and the policy that counts while another one waits. */
function intentDetail(
  { observing, approved }: House,
  observed: Judgement['observed'],
): { readonly detail?: JsonObject } {
  if (!observing && approved === null) return {};
  return {
    detail: {
      ...(observing ? observedDetail(observed) : {}),
      ...(approved === null ? {} : { approvedDigest: approved.digest }),
    },
  };
}

/** Every way out that was taken or refused, with what was dialled. */
const egressOf = ({ egress }: Placement): JsonObject => ({
  events: egress.events.map(({ ask, ...rest }) => ({ ask: { ...ask }, ...rest })),
  dropped: egress.dropped(),
});

/** Says in a record that nothing is enforced, and what would have been decided. */
const observedDetail = (observed: Judgement['observed']): JsonObject =>
  observed === undefined
    ? { mode: 'observe' }
    : { mode: 'observe', decided: observed.effect, code: observed.code, rule: observed.rule.id };

const plain = (reading: PathReading): Record<string, JsonValue> => ({ ...reading });

/** Isolation is about what is spawned; what runs elsewhere is recorded as what it is. */
function achieved({ runs, isolation }: Judgement['facts']): string {
  if (runs === 'spawned') return isolation?.achieved ?? 'none';
  return runs === 'remote' ? 'remote' : 'in-process';
}
