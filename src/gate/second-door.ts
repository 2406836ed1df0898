import { isSallyportError } from '../core/index.ts';
import { boundary } from '../guard/index.ts';
import { digestOfHeld } from '../keeper/index.ts';
import type { CallRequest } from './call.ts';
import type { Executed } from './execute.ts';
import type { House } from './house.ts';
import { failedSaying, type Inbound, type InboundDelivered, inbound } from './inbound.ts';
import type { Judgement } from './judge.ts';
import { redactDelivered, redactExecuted } from './redact.ts';
import type { Content } from './tool.ts';
import { validateOutput } from './validate-output.ts';

/** What came back from one call. */
interface Returned {
  readonly request: CallRequest;
  readonly judgement: Judgement;
  readonly executed: Executed;
}

/**
 * Steps 10 to 13: what the gate itself makes of what came back, then the check of the tool's developer; last, where the policy
 * wants it, texts are set between boundaries. What is not delivered is told without a word of it.
 */
export async function secondDoor(house: House, returned: Returned): Promise<Inbound> {
  const redacted = await redactedOf(house, returned);
  if (redacted.kind === 'withheld') return redacted.came;
  const came = await released(house, { ...returned, executed: redacted.executed });
  if (came.kind !== 'delivered') return came;
  const { parsed, decision } = returned.judgement;
  const validator = parsed.registered?.tool.outputValidator;
  try {
    if (validator !== undefined && !came.isError) await validateOutput(validator, came, house.limits.upstreamMs);
    const clean = await redactDelivered(house, returned.request, came);
    return decision.obligations.boundary ? bounded(clean) : clean;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    const { verdict, findings } = came;
    return { ...failedSaying(house.guard, error.code, error.message), verdict, findings };
  }
}

/** What came back without secrets; what cannot be redacted is not read any further. */
async function redactedOf(
  house: House,
  { request, executed }: Returned,
): Promise<{ kind: 'redacted'; executed: Executed } | { kind: 'withheld'; came: Inbound }> {
  try {
    return { kind: 'redacted', executed: await redactExecuted(house, request, executed) };
  } catch (error) {
    if (isSallyportError(error))
      return { kind: 'withheld', came: failedSaying(house.guard, error.code, error.message) };
    throw error;
  }
}

/**
 * Of a result that the guard withholds the keeper is asked whether an operator has released this very result for this principal;
 * then it is delivered as it came, with what was found in its record.
 */
async function released(house: House, { request, judgement, executed }: Returned): Promise<Inbound> {
  const came = inbound(house, request, judgement, executed);
  if (isHostile(came)) house.suspects.add(request.principal.session);
  if (came.kind !== 'failed' || came.held === undefined || executed.kind !== 'returned') return came;
  const { tenant, user, agent } = request.principal;
  const result = { principal: { tenant, user, agent }, tool: request.parsed.name, digest: digestOfHeld(came.held) };
  const isReleased = await house.keeper.isReleased(result).catch((error: unknown) => {
    if (isSallyportError(error)) return false; // nobody can say: it stays withheld
    throw error;
  });
  if (!isReleased) return came;
  // INVARIANT: what is delivered is the copy that was asked about: what the tool returned may be something else by now.
  return inbound(house, request, judgement, { kind: 'returned', output: came.held }, true);
}

const isHostile = (came: Inbound): boolean =>
  (came.kind === 'failed' && came.code === 'RESULT_QUARANTINED') ||
  (came.kind !== 'asked' && (came.verdict === 'quarantined' || came.verdict === 'blocked'));

function boundedPiece(piece: Content): Content {
  if (piece.type === 'text') return Object.freeze({ ...piece, text: boundary(piece.text) });
  const text = piece.type === 'resource' ? piece.resource['text'] : undefined;
  if (piece.type !== 'resource' || typeof text !== 'string') return piece;
  return Object.freeze({ ...piece, resource: Object.freeze({ ...piece.resource, text: boundary(text) }) });
}

/** Between two lines whose nonce nobody knew who wrote the text. */
function bounded(came: InboundDelivered): InboundDelivered {
  const content = came.content.map(boundedPiece);
  const texts = content.flatMap((piece) => (piece.type === 'text' ? [piece.text] : []));
  return { ...came, content: Object.freeze(content), text: texts.join('\n') };
}
