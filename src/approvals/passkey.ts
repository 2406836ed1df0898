import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { type JsonObject, SallyportError } from '../core/index.ts';
import type { Operator } from './operator.ts';

type Passkey = Operator & { readonly class: 'passkey' };

/** Loaded when the first passkey is used: most processes never need it. */
const library = (): Promise<typeof import('@simplewebauthn/server')> => import('@simplewebauthn/server');

/**
 * Checks an assertion (WebAuthn Level 3, section 7.2): challenge, origin and rpId as they are, user verified.
 * @returns the new signature counter; one that does not rise, unless both are 0, is refused
 * @throws SallyportError APPROVER_REFUSED
 */
export async function verifyPasskey(operator: Passkey, response: JsonObject, challenge: string): Promise<number> {
  const { verifyAuthenticationResponse } = await library();
  if (response['id'] !== operator.credentialId) throw refused('the assertion is of another passkey');
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      // ATTACKER-CONTROLLED: the library reads every field of it.
      response: response as unknown as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: operator.origin,
      expectedRPID: operator.rpId,
      requireUserVerification: true,
      credential: {
        id: operator.credentialId,
        publicKey: new Uint8Array(Buffer.from(operator.publicKey, 'base64url')),
        counter: operator.counter,
      },
    });
    const { newCounter, userVerified } = authenticationInfo;
    const rises = newCounter > operator.counter || (newCounter === 0 && operator.counter === 0);
    if (verified && userVerified && rises) return newCounter;
  } catch (cause) {
    throw new SallyportError('APPROVER_REFUSED', 'the assertion of the passkey is not good for this answer', { cause });
  }
  throw refused('the assertion of the passkey is not good for this answer');
}

/** What is registered, and by whom. */
export interface PasskeyRegistration {
  readonly name: string;
  readonly user: string;
  readonly groups: readonly string[];
  /** As in `Approver`. */
  readonly letInBy: string | null;
  readonly rpId: string;
  readonly origin: string;
  readonly challenge: string;
  /** RegistrationResponseJSON of WebAuthn. */
  readonly response: JsonObject;
}

/**
 * Checks the registration of a passkey (WebAuthn Level 3, section 7.1), user verified.
 * @throws SallyportError APPROVER_REFUSED
 */
export async function registerPasskey(registration: PasskeyRegistration): Promise<Passkey> {
  const { verifyRegistrationResponse } = await library();
  const { name, user, groups, letInBy, rpId, origin, challenge, response } = registration;
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: response as unknown as RegistrationResponseJSON,
      ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId, requireUserVerification: true },
    });
    if (verified && registrationInfo.userVerified) {
      const { id, publicKey, counter } = registrationInfo.credential;
      const key = Buffer.from(publicKey).toString('base64url');
      const said = { name, user, groups, letInBy, rpId, origin };
      return { class: 'passkey', ...said, credentialId: id, publicKey: key, counter };
    }
  } catch (cause) {
    throw new SallyportError('APPROVER_REFUSED', 'the passkey cannot be registered', { cause });
  }
  throw refused('the passkey cannot be registered');
}

const refused = (message: string): SallyportError => new SallyportError('APPROVER_REFUSED', message);
