import { list, SallyportError, shape, text } from '../core/index.ts';
import {
  type OperatorRegistration,
  passkeyChallenge,
  plain,
  type RegistrationAuthority,
  readAuthority,
  readRegistration,
  registrationChallenge,
  removalChallenge,
} from '../keeper/index.ts';
import type { Handler } from './context.ts';

/** Who may answer, without secrets. */
export const listOperators: Handler = async ({ keeper }) => ({
  operators: (await keeper.operators()).map((operator) => ({
    ...{ name: operator.name, user: plain(operator.user), class: operator.class },
    groups: operator.groups.map(plain),
  })),
});

const nothing = shape<Record<never, never>>({});
const offerName = text(64);

/** Names one registration or removal; the keeper's process prints a one-time code on its own terminal. */
export const offer: Handler = async ({ keeper }, { body }) => {
  nothing(body, 'body');
  return { offer: await keeper.offerRegistration() };
};

interface PasskeyClaims {
  readonly offer: string;
  readonly name: string;
  readonly user: string;
  readonly groups: readonly string[];
}
const readClaims = shape<PasskeyClaims>({
  ...{ offer: offerName, name: text(40), user: text(512) },
  groups: (value, where) => list(value, where).map((group) => text(40)(group, where)),
});

/** What the browser makes a passkey over. It answers from this origin alone. */
export const offerPasskey: Handler = async (_parts, { body, origin }) => {
  const { offer, ...said } = readClaims(body, 'body');
  const { hostname } = new URL(origin);
  if (hostname !== 'localhost') {
    throw new SallyportError('OPERATOR_INVALID', 'a passkey needs a name: open the console by localhost');
  }
  const place = { rpId: hostname, origin };
  return { ...place, challenge: passkeyChallenge(offer, { class: 'passkey', ...said, ...place }) };
};

const readOffered = shape<{ offer: string; registration: OperatorRegistration }>({
  ...{ offer: offerName, registration: readRegistration },
});

/** What an operator proves to let another one in. */
export const challengeRegistration: Handler = async (_parts, { body }) => {
  const { offer, registration } = readOffered(body, 'body');
  return { challenge: registrationChallenge(offer, { ...registration, groups: [...registration.groups] }) };
};

const readRegistering = shape<{
  offer: string;
  registration: OperatorRegistration;
  authority: RegistrationAuthority;
}>({ offer: offerName, registration: readRegistration, authority: readAuthority });

/** Lets a credential in. */
export const register: Handler = async ({ keeper }, { body, origin }) => {
  const { offer, registration, authority } = readRegistering(body, 'body');
  if (registration.class === 'passkey' && registration.origin !== origin) {
    throw new SallyportError('OPERATOR_INVALID', 'a passkey is registered where it will answer: at this console');
  }
  await keeper.registerOperator(offer, registration, authority);
  return { registered: registration.name };
};

const readRemovalOffer = shape<{ offer: string }>({ offer: offerName });

/** What an operator proves to take a credential away. */
export const challengeRemoval: Handler = async (_parts, { name, body }) => ({
  challenge: removalChallenge(readRemovalOffer(body, 'body').offer, name),
});

const readRemoval = shape<{ offer: string; authority: RegistrationAuthority }>({
  ...{ offer: offerName, authority: readAuthority },
});

/** Takes a credential away; says whether answers are advisory from now on. */
export const remove: Handler = async ({ keeper }, { name, body }) => {
  const { offer, authority } = readRemoval(body, 'body');
  const { advisory } = await keeper.removeOperator(offer, name, authority);
  return { removed: name, advisory };
};
