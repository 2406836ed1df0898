/** The ground floor: imports nothing of ours. */
export { type AddressReading, classifyAddress } from './address.ts';
export type { AddressKind } from './address-table.ts';
export { equalBytes, hmacSha256Hex, sha256, sha256Hex } from './bytes.ts';
export { canonicalJson } from './canonical-json.ts';
export { type Clock, systemClock } from './clock.ts';
export { canonicalCopy, copyJson, copyJsonObject } from './copy-json.ts';
export { CREDENTIAL_HEADERS } from './credential-headers.ts';
export {
  assertNever,
  ERROR_TABLE,
  type ErrorCode,
  exitCodeOf,
  httpStatusOf,
  isSallyportError,
  remedyOf,
  SallyportError,
} from './errors.ts';
export { count, list, object, oneOf, optional, type Reader, type Readers, shape, text, yesOrNo } from './fields.ts';
export { isLoopback, isPlainJson, readBody, singleHeader } from './http-request.ts';
export { newId, randomBytes } from './ids.ts';
export { ISOLATION_LEVELS, type IsolationLevel } from './isolation.ts';
export { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
export { escapePointer, readPointer, valueAtPointer } from './json-pointer.ts';
export { type CompiledSchema, compileSchema, type SchemaError, validateSchema } from './json-schema.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export { compileLinearPattern, type LinearPattern } from './linear-pattern.ts';
export type { Principal, Proof, Surface } from './principal.ts';
export {
  CLIENT_HEADERS,
  CONNECTION_HEADERS,
  CONNECTION_PREFIXES,
  METHOD_OVERRIDE_HEADERS,
  TARGET_OVERRIDE_HEADERS,
} from './request-headers.ts';
export { SecretName } from './secret-name.ts';
export {
  parseReference,
  SECRET_SCHEMES,
  type SecretReference,
  type SecretScheme,
} from './secret-reference.ts';
export { checkSecretPath } from './secret-reference-forms.ts';
export {
  mentionsSecret,
  parseTemplate,
  readSecretTemplate,
  type SecretTemplate,
  type TemplatePart,
} from './secret-template.ts';
export { deepFreeze, parseStrictJson } from './strict-json.ts';
export { escapeForTerminal, jsonForTerminal, quoteForMessage } from './terminal.ts';
export { type CanonicalUrl, isHostName, isUrlTrouble, readUrl, type UrlTrouble } from './url.ts';
export { decodedPaths, laxSegments } from './url-path.ts';
