import {
  isSallyportError,
  type JsonObject,
  mentionsSecret,
  quoteForMessage,
  readSecretTemplate,
  type SecretTemplate,
} from '../core/index.ts';
import { readDestination } from './endpoint-entry.ts';
import type { EndpointSecret, SecretPlace } from './endpoint-secrets.ts';
import type { SecretRule } from './policy.ts';
import { troubleOf } from './read-endpoints.ts';
import type { RulePlace } from './read-entries.ts';
import { addProblem, objectAt, objectsAt, type PolicyReading, referTo, segment, textAt } from './reading.ts';
import { REQUEST_TOOL } from './requests.ts';

/** Reads and checks `secrets` of a rule: by destination, what its requests carry. */
export function readSecrets(place: RulePlace, name: string, value: JsonObject): readonly SecretRule[] {
  const { reading, id, pointer } = place;
  const stated = objectAt(value, 'secrets');
  if (stated === null) return [];
  const trouble = troubleOfTool(name, value);
  if (trouble !== null) {
    addProblem(reading, `${pointer}/secrets`, ...trouble, 'key');
    return [];
  }
  return Object.keys(stated).flatMap((destination): readonly SecretRule[] => {
    const at = `${pointer}/secrets${segment(destination)}`;
    const trouble = troubleOf(readDestination(destination));
    if (trouble !== null)
      addProblem(
        reading,
        at,
        `this destination cannot be used: ${trouble}`,
        'Write a host, or a host and a path',
        'key',
      );
    const rule = referTo(reading, `${id}.secrets.${destination}`, at, 'key');
    const secrets = objectsAt(stated, destination).flatMap((one) => readSecret(reading, at, one));
    return trouble === null ? secrets.map((secret) => Object.freeze({ text: destination, rule, secret })) : [];
  });
}

/** Tools whose requests are not the gate's: a secret would do nothing there. */
const NOT_THEIRS = /^(?:shell|file_[a-z]+|mcp__.*)$|\*/;

function troubleOfTool(name: string, value: JsonObject): readonly [problem: string, remedy: string] | null {
  if (name === REQUEST_TOOL) return null;
  if (NOT_THEIRS.test(name)) {
    const remedy = 'Write them under api_call, or under a function of yours that has a secret';
    return ['secrets are for the tool api_call and for functions', remedy];
  }
  if (value['allowedEndpoints'] !== undefined || value['internalEndpoints'] !== undefined) return null;
  const remedy = 'Write allowedEndpoints or internalEndpoints';
  return ['secrets need endpoints of the same rule, to which they may go', remedy];
}

function readSecret(reading: PolicyReading, pointer: string, value: JsonObject): readonly EndpointSecret[] {
  const basic = textAt(value, 'basic');
  const template = templateAt(reading, pointer, basic ?? textAt(value, 'value'));
  const place = placeOf(value, basic !== null);
  if (place === null) {
    addProblem(reading, pointer, 'a secret stands in one place', 'Write header and value, query and value, or basic');
    return [];
  }
  return template === null ? [] : [Object.freeze({ place, template })];
}

function placeOf(value: JsonObject, isBasic: boolean): SecretPlace | null {
  const [header, query, text] = [textAt(value, 'header'), textAt(value, 'query'), textAt(value, 'value')];
  if ([header, query, isBasic ? '' : null].filter((one) => one !== null).length !== 1) return null;
  if (isBasic) return text === null ? Object.freeze({ kind: 'basic' }) : null;
  if (text === null) return null;
  return header === null
    ? Object.freeze({ kind: 'query', name: query ?? '' })
    : Object.freeze({ kind: 'header', name: header.toLowerCase() });
}

/** A text with at least one reference in it: a credential that is written out is none that we keep. */
function templateAt(reading: PolicyReading, pointer: string, text: string | null): SecretTemplate | null {
  if (text === null) return null;
  if (!mentionsSecret(text)) {
    addProblem(
      reading,
      pointer,
      `${quoteForMessage(text, 20)} has no secret reference in it`,
      'Write ${secret:REFERENCE}',
    );
    return null;
  }
  try {
    return readSecretTemplate(text);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    addProblem(reading, pointer, error.message, error.remedy);
    return null;
  }
}
