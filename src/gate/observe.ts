import { type Decision, decideRequest, type PathReading, type PathUse } from '../policy/index.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';

type NotAllowed = Exclude<Decision, { readonly effect: 'allow' }>;

/**
 * `mode: observe`: what the policy denies passes, and the judgement says so. Never what no policy could allow: control files
 * and the state, arguments, paths, lines and URLs that cannot be read, tools that do not exist, and requests of `api_call`, which
 * have no target to connect to unless a rule allows one.
 */
export function observed(house: House, judgement: Judgement): Judgement {
  const { decision, parsed } = judgement;
  if (!house.observing || decision.effect === 'allow') return judgement;
  if (house.withheld.has(parsed.registered?.tool.server ?? '')) return judgement;
  if (parsed.trouble !== null || parsed.registered === null || !canPass(house, judgement, decision)) return judgement;
  const { rule, reason, obligations } = decision;
  const allowed: Decision = Object.freeze({ effect: 'allow', rule, reason: `observed only: ${reason}`, obligations });
  return { ...judgement, decision: allowed, observed: decision };
}

function canPass(house: House, { facts }: Judgement, { code }: NotAllowed): boolean {
  // An action of a server that no rule opens was not offered either, and a server is not let loose on a client.
  // A URI that cannot be compared may lead anywhere, the state folder included.
  if (code === 'ACTION_NOT_ALLOWED' || code === 'URI_MALFORMED' || code === 'POLICY_CHANGED') return false;
  // There is no sandbox of that kind to run it in.
  if (code === 'ISOLATION_UNAVAILABLE' || code === 'SANDBOX_FAILED') return false;
  if (code === 'COMMAND_MALFORMED' || code === 'COMMAND_TOO_LARGE') return false;
  if (facts.command !== undefined && 'trouble' in facts.command) return false;
  return canSend(house, facts) && !Object.values(facts.paths).some(({ use, reading }) => isOutOfReach(use, reading));
}

/** Whether every URL can be read, and the request of `api_call` itself has somewhere to go. */
const canSend = (house: House, { tool, requests = {} }: Judgement['facts']): boolean =>
  Object.values(requests).every(
    (request) =>
      !('trouble' in request.url) &&
      (request.method === null ||
        (request.addresses !== null && decideRequest(house.compiled(), tool, request).effect === 'allow')),
  );

/** What no policy can open for a use. */
export const isOutOfReach = (use: PathUse, reading: PathReading): boolean =>
  'trouble' in reading || reading.stateFolder === true || (reading.controlFile && use === 'file_write');
