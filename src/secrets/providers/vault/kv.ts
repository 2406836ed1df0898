import type { JsonObject, SecretReference } from '../../../core/index.ts';
import { valueAtPointer } from '../../../core/index.ts';
import { checkValue, failure, type ProvidedSecret, pointerTo, textField } from '../../provider.ts';
import { encodePath, type VaultAnswer } from './request.ts';
import { objectIn } from './server.ts';

/** Where in Vault a reference leads: a mount of the KV engine in one of its two versions, and a path below it. */
export interface KvPlace {
  readonly mount: string;
  readonly version: 1 | 2;
  readonly path: string;
}

/** The path of the request. */
export function readPathOf(place: KvPlace, reference: SecretReference): string {
  if (place.version === 1) {
    if (reference.version !== null)
      throw failure('SECRET_REFERENCE_INVALID', reference, 'this mount is KV v1, which has no versions');
    return `${encodePath(place.mount)}/${encodePath(place.path)}`;
  }
  const version = reference.version === null ? '' : `?version=${reference.version}`;
  return `${encodePath(place.mount)}/data/${encodePath(place.path)}${version}`;
}

/** What the answer says. Of KV v2, 404 has three meanings: no such secret or version, deleted, destroyed. */
export function readKv(answer: VaultAnswer, place: KvPlace, reference: SecretReference): ProvidedSecret {
  const data = objectIn(answer.body, 'data');
  if (answer.status === 403)
    throw failure('SECRET_ACCESS_DENIED', reference, 'the token of the keeper may not read it');
  if (answer.status === 404) throw absent(place.version === 2 ? objectIn(data, 'metadata') : null, reference);
  if (answer.status !== 200 || data === null)
    throw failure('SECRET_MALFORMED', reference, `the server answered ${answer.status} without a secret`);
  if (place.version === 1) return { value: fieldOf(data, reference), version: null };
  const values = objectIn(data, 'data');
  const version = objectIn(data, 'metadata')?.['version'];
  if (values === null || typeof version !== 'number')
    throw failure('SECRET_MALFORMED', reference, 'the answer is not one of KV v2');
  if (reference.version !== null && String(version) !== reference.version) {
    throw failure('SECRET_MALFORMED', reference, 'the server gave another version than was asked for');
  }
  return { value: fieldOf(values, reference), version: String(version) };
}

function absent(metadata: JsonObject | null, reference: SecretReference): Error {
  if (metadata?.['destroyed'] === true) return failure('SECRET_DESTROYED', reference, 'this version was destroyed');
  const deleted = metadata?.['deletion_time'];
  if (typeof deleted === 'string' && deleted !== '')
    return failure('SECRET_DELETED', reference, 'this version was deleted');
  return failure('SECRET_NOT_FOUND', reference, 'there is no such secret or version');
}

const fieldOf = (values: JsonObject, reference: SecretReference): Buffer =>
  checkValue(textField(valueAtPointer(values, pointerTo(reference.field ?? '')), reference), reference);
