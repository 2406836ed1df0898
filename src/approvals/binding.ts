import {
  canonicalCopy,
  canonicalJson,
  count,
  type JsonObject,
  type JsonValue,
  list,
  object,
  oneOf,
  parseStrictJson,
  type Reader,
  SallyportError,
  sha256Hex,
  shape,
  text,
  yesOrNo,
} from '../core/index.ts';
import { APPROVAL_LIMITS } from './limits.ts';

/** On whose behalf. `chain`: the delegation that led here, empty where there is none. The session is no part of a binding. */
export interface BoundPrincipal {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly chain: readonly JsonValue[];
}

/** Where a path of the call led when it was judged. */
export interface BoundPath {
  readonly use: string;
  readonly real: string;
  readonly kind: string;
  /** `device:inode`; null for what is not there. */
  readonly identity: string | null;
  /** SHA-256 of its content in hexadecimal, where that was frozen; null: the content may change after the yes. */
  readonly content: string | null;
}

/** Where a request of the call would go. Its headers and its body stand in the arguments. */
export interface BoundRequest {
  readonly method: string | null;
  /** The canonical URL. */
  readonly url: string;
  /** Every address behind the name, in order; null where none was looked up. */
  readonly addresses: readonly string[] | null;
}

/** A program that the call would start. `content` as in {@link BoundPath}. */
export interface BoundProgram {
  readonly name: string;
  readonly real: string;
  readonly identity: string | null;
  readonly content: string | null;
}

export interface BoundFacts {
  /** `built-in`, `in-process`, `spawned` or `remote`. */
  readonly runs: string;
  /** By the pointer of the argument, as the facts of policy name them. */
  readonly paths: Readonly<Record<string, BoundPath>>;
  readonly requests: Readonly<Record<string, BoundRequest>>;
  readonly programs: readonly BoundProgram[];
}

/** Who has to say yes. */
export interface ApproverRule {
  /** Any of these groups; empty: any operator. */
  readonly groups: readonly string[];
  /** How many different people. */
  readonly people: number;
  /** The user on whose behalf the call is made may be one of them. */
  readonly ownUser: boolean;
}

/** Why somebody is asked: the decision of the policy. */
export interface BoundReason {
  readonly rule: string;
  readonly code: string;
  readonly reason: string;
}

/**
 * Everything that a yes covers, and everything that a screen shows. INVARIANT: a screen is made from this alone, so that two
 * calls with the same digest have the same screen. ATTACKER-CONTROLLED: arguments, paths, names.
 */
export interface Binding {
  readonly principal: BoundPrincipal;
  readonly tool: string;
  readonly server: string | null;
  /** As they will be executed. */
  readonly arguments: JsonObject;
  readonly facts: BoundFacts;
  /** Digest of the definition of the tool; null for a tool that has none. */
  readonly definition: string | null;
  /** What must hold while the call runs (isolation, time, length), as the policy says. */
  readonly obligations: JsonObject;
  /** References, never values, in order. */
  readonly secrets: readonly string[];
  /** Where data goes: hosts, servers; in order. */
  readonly destination: readonly string[];
  /** Digest of the policy. */
  readonly policy: string;
  readonly why: BoundReason;
  readonly approvers: ApproverRule;
}

/** Separates these digests from every other use of SHA-256. */
const DOMAIN = 'sallyport/approval-binding/v1\n';
const REACH_DOMAIN = 'sallyport/approval-reach/v1\n';

const name = text(512);
const sentence = text(8_192);
const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, where) =>
    value === null ? null : read(value, where);
const listOf =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, where) =>
    Object.freeze(list(value, where).map((item, at) => read(item, `${where}/${at}`)));
const recordOf =
  <T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, where) =>
    Object.freeze(
      Object.fromEntries(Object.entries(object(value, where)).map(([key, item]) => [key, read(item, where)])),
    );

const readPath: Reader<BoundPath> = shape<BoundPath>({
  ...{ use: name, real: sentence, kind: name, identity: nullable(name), content: nullable(name) },
});
const readRequest: Reader<BoundRequest> = shape<BoundRequest>({
  ...{ method: nullable(name), url: sentence, addresses: nullable(listOf(name)) },
});
const readProgram: Reader<BoundProgram> = shape<BoundProgram>({
  ...{ name: sentence, real: sentence, identity: nullable(name), content: nullable(name) },
});
const readFacts: Reader<BoundFacts> = shape<BoundFacts>({
  runs: oneOf('built-in', 'in-process', 'spawned', 'remote'),
  ...{ paths: recordOf(readPath), requests: recordOf(readRequest), programs: listOf(readProgram) },
});
const people: Reader<number> = (value, where) => {
  const read = count(value, where);
  if (read >= 1 && read <= APPROVAL_LIMITS.approvers) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected 1 to ${APPROVAL_LIMITS.approvers} in the field ${where}`);
};
const readBindingFields: Reader<Binding> = shape<Binding>({
  principal: shape<BoundPrincipal>({ tenant: name, user: name, agent: name, chain: list }),
  ...{ tool: name, server: nullable(name), arguments: object, facts: readFacts, definition: nullable(name) },
  ...{ obligations: object, secrets: listOf(sentence), destination: listOf(sentence), policy: name },
  why: shape<BoundReason>({ rule: sentence, code: name, reason: sentence }),
  approvers: shape<ApproverRule>({ groups: listOf(name), people, ownUser: yesOrNo }),
});

/**
 * A binding from what a gate says: copied, frozen, with no field that nobody would show.
 * @throws SallyportError INPUT_SCHEMA_MISMATCH, APPROVAL_TOO_LARGE, and the INPUT codes of strict JSON
 */
export function readBinding(value: unknown): Binding {
  const canonical = canonicalCopy(value);
  if (Buffer.byteLength(canonical) > APPROVAL_LIMITS.bindingBytes) {
    throw new SallyportError('APPROVAL_TOO_LARGE', `a person is shown at most ${APPROVAL_LIMITS.bindingBytes} bytes`);
  }
  return readBindingFields(parseStrictJson(canonical), 'binding');
}

/** What a yes is bound to: SHA-256 in hexadecimal over a domain and the canonical JSON (RFC 8785) of the binding. */
export const bindingDigest = (binding: Binding): string => sha256Hex(DOMAIN + canonicalJson(asJson(binding)));

/**
 * What a wider yes is bound to: as {@link bindingDigest}, without what may change between two calls of the same kind (inodes,
 * content, addresses) and without the arguments in `free` and the facts that come from those alone. Real paths, URLs, programs,
 * secrets, destination, obligations, rule, policy and definition stay.
 */
export function reachDigest(binding: Binding, free: readonly string[]): string {
  const isBound = ([pointer]: readonly [string, unknown]): boolean =>
    !free.some((argument) => pointer === argument || pointer.startsWith(`${argument}/`));
  const { paths, requests, programs, runs } = binding.facts;
  const facts = {
    runs,
    paths: Object.entries(paths)
      .filter(isBound)
      .map(([pointer, { use, real, kind }]) => [pointer, use, real, kind]),
    requests: Object.entries(requests)
      .filter(isBound)
      .map(([pointer, { method, url }]) => [pointer, method, url]),
    programs: programs.map((program) => [program.name, program.real]),
  };
  // The order of an object's members says nothing; of what is listed here it would.
  facts.paths.sort(byFirst);
  facts.requests.sort(byFirst);
  const { rule, code } = binding.why;
  const { arguments: args } = binding;
  const bound = Object.fromEntries(Object.entries(args).filter(([argument]) => !free.includes(argument)));
  const reach = { ...binding, arguments: bound, facts, why: { rule, code }, free: [...free].sort() };
  return sha256Hex(REACH_DOMAIN + canonicalCopy(reach));
}

const byFirst = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);

/** A binding as plain JSON. */
export const asJson = (binding: Binding): JsonObject => parseObject(canonicalCopy(binding));

function parseObject(canonical: string): JsonObject {
  return object(parseStrictJson(canonical), 'binding');
}

/** What two calls need in common to be compared on a screen: who calls which tool. */
export const sameKind = ({ principal, tool }: Binding): string =>
  sha256Hex(canonicalJson([principal.tenant, principal.user, principal.agent, tool]));

/** The principal of a binding as a key for counting: whatever its session. */
export const principalKey = ({ tenant, user, agent }: Omit<BoundPrincipal, 'chain'>): string =>
  canonicalJson([tenant, user, agent]);
