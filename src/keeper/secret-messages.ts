import type { JsonValue } from '../core/index.ts';

/** A secret that an admitted call needs, and where it goes. */
export interface SecretUse {
  /** As the policy writes it; among the `secrets` that the call was admitted with. */
  readonly reference: string;
  /** Origin and path, or the server of MCP: for the record. */
  readonly destination: string;
}

/** Who would read what is redacted. */
export interface RedactionReader {
  readonly tenant: string;
  readonly session: string;
}

/** What is left of a value once every known secret was removed. */
export interface Redaction {
  readonly value: JsonValue;
  /** Names of what was removed, as the reader may know them: `[redacted]` is a value of another tenant. */
  readonly found: readonly string[];
  /** Nothing of it may be delivered: too many secrets, one that this session was never given, or one that could not be removed. */
  readonly blocked: boolean;
}
