import { networkInterfaces } from 'node:os';
import { type AddressReading, classifyAddress } from '../core/index.ts';
import type { EgressAnswer, EgressAsk } from './contract.ts';
import { type EgressRefusal, refusalOf, refuse, refuseByRule } from './egress-refusal.ts';
import type { EgressContext } from './egress-session.ts';
import type { EgressTarget } from './egress-target.ts';

/** What may leave, and where it goes: every address was judged. */
export interface EgressAdmission {
  readonly answer: Extract<EgressAnswer, { allowed: true }>;
  readonly addresses: readonly [string, ...string[]];
}

/**
 * Judges first, then looks up once, then judges every address. INVARIANT: no name is looked up that the door did not allow,
 * and nothing is dialled but an address that stands in the result.
 */
export async function admit(
  context: EgressContext,
  { ask, target, signal }: { readonly ask: EgressAsk; readonly target: EgressTarget; readonly signal: AbortSignal },
): Promise<EgressAdmission | EgressRefusal> {
  const answer = await judged(context, ask, signal);
  if ('kind' in answer) return answer;
  const found = target.hostKind === 'address' ? [target.host] : await lookUp(context, target.host, signal);
  if (!Array.isArray(found)) return found;
  const [first, ...rest] = found;
  if (first === undefined) return refuse('ENDPOINT_UNRESOLVED', 'the name has no address');
  if (found.length > context.limits.addresses) return refuse('ENDPOINT_ADDRESS', 'the name has too many addresses');
  const refusal = found.map((text) => troubleWith(text, answer.internal)).find((trouble) => trouble !== null);
  return refusal ?? { answer, addresses: [first, ...rest] };
}

async function judged(
  { door }: EgressContext,
  ask: EgressAsk,
  signal: AbortSignal,
): Promise<EgressAdmission['answer'] | EgressRefusal> {
  if (signal.aborted) return refuse('EGRESS_ABANDONED', 'the client went away before there was an answer');
  try {
    const answer = await unlessAborted(door.judge(Object.freeze(ask)), signal);
    return answer.allowed === true ? answer : refuseByRule(String(answer.rule), String(answer.reason));
  } catch (error) {
    if (signal.aborted) return refuse('EGRESS_ABANDONED', 'the client went away before there was an answer');
    return refuse('INTERNAL', 'the request could not be judged', error);
  }
}

async function lookUp(
  { door, limits }: EgressContext,
  host: string,
  signal: AbortSignal,
): Promise<string[] | EgressRefusal> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(limits.lookUpMs)]);
  try {
    return [...(await unlessAborted(door.resolve(host), deadline))];
  } catch (error) {
    if (signal.aborted) return refuse('EGRESS_ABANDONED', 'the client went away before there was an answer');
    if (deadline.aborted) return refuse('ENDPOINT_UNRESOLVED', 'the name was not found in time');
    return { ...refusalOf(error, 'ENDPOINT_UNRESOLVED'), reason: 'the name could not be looked up' };
  }
}

/** What an address must not lead to, unless the policy named this endpoint as internal. */
function troubleWith(text: string, internal: boolean): EgressRefusal | null {
  const reading = classifyAddress(text);
  if (reading === null) return refuse('ENDPOINT_ADDRESS', 'the look-up gave something that is no address');
  if (internal) return null;
  if (reading.kind !== 'public') return refuse('ENDPOINT_ADDRESS', `it leads to an address that is ${reading.kind}`);
  return isOwn(reading) ? refuse('ENDPOINT_ADDRESS', 'it leads to this machine itself') : null;
}

const isOwn = ({ text }: AddressReading): boolean =>
  Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => classifyAddress(address.split('%', 1)[0] ?? '')?.text === text),
  );

/** The value, or the reason of the signal as soon as it aborts. */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
