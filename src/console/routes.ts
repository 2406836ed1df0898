import { declineAct, listActs, proveAct, showAct } from './acts.ts';
import type { Handler } from './context.ts';
import {
  challengeRegistration,
  challengeRemoval,
  listOperators,
  offer,
  offerPasskey,
  register,
  remove,
} from './operators.ts';
import { answerRequest, challengeRequest, listRequests, showRequest, showWhole } from './requests.ts';
import { challengeResume, listStops, resume, stop } from './stops.ts';

/** One route for holders of the console's token. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** At most one part is open: `{name}`. */
  readonly path: string;
  readonly handle: Handler;
}

/** Every route that answers JSON to the holder of the token. INVARIANT: a GET changes nothing. docs/openapi/approvals.yaml has them. */
export const ROUTES: readonly Route[] = Object.freeze([
  { method: 'GET', path: '/v1/requests', handle: listRequests },
  { method: 'GET', path: '/v1/requests/{name}', handle: showRequest },
  { method: 'GET', path: '/v1/requests/{name}/whole', handle: showWhole },
  { method: 'POST', path: '/v1/requests/{name}/challenge', handle: challengeRequest },
  { method: 'POST', path: '/v1/requests/{name}/answer', handle: answerRequest },
  { method: 'GET', path: '/v1/operators', handle: listOperators },
  { method: 'POST', path: '/v1/operators', handle: register },
  { method: 'POST', path: '/v1/operators/{name}/removal', handle: challengeRemoval },
  { method: 'POST', path: '/v1/operators/{name}/remove', handle: remove },
  { method: 'POST', path: '/v1/registrations', handle: offer },
  { method: 'POST', path: '/v1/registrations/passkey', handle: offerPasskey },
  { method: 'POST', path: '/v1/registrations/challenge', handle: challengeRegistration },
  { method: 'GET', path: '/v1/acts', handle: listActs },
  { method: 'GET', path: '/v1/acts/{name}', handle: showAct },
  { method: 'POST', path: '/v1/acts/{name}/prove', handle: proveAct },
  { method: 'POST', path: '/v1/acts/{name}/decline', handle: declineAct },
  { method: 'GET', path: '/v1/stops', handle: listStops },
  { method: 'POST', path: '/v1/stops', handle: stop },
  { method: 'POST', path: '/v1/stops/resume', handle: resume },
  { method: 'POST', path: '/v1/stops/resume/challenge', handle: challengeResume },
]);

/** The paths beside them: a stream, and the answers that servers sign. */
export const EVENTS = '/v1/events';
export const WEBHOOK_ANSWERS = '/v1/webhook/answers';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The routes of a path, and the part that they leave open. ATTACKER-CONTROLLED: `path`. */
export function routesOf(path: string): { readonly routes: readonly Route[]; readonly name: string } {
  const exact = ROUTES.filter((route) => route.path === path);
  if (exact.length > 0) return { routes: exact, name: '' };
  const parts = path.split('/');
  const name = parts[3] ?? '';
  if (!NAME.test(name)) return { routes: [], name: '' };
  const template = parts.with(3, '{name}').join('/');
  return { routes: ROUTES.filter((route) => route.path === template), name };
}
