/** The named limits of the guard. Sizes are UTF-16 code units of text unless the name says otherwise. */
export interface GuardLimits {
  /** Text that one inspection takes; more is blocked unread. */
  readonly textLength: number;
  /** Encodings inside encodings that are opened (base64 in base64). */
  readonly decodeDepth: number;
  /** Decoded text of all blobs of one inspection; what is left unread counts as a finding. */
  readonly decodedLength: number;
  /** Encoded blobs that are opened in one inspection. */
  readonly blobs: number;
  /** Hostile passages that are cut out one by one; a text with more is withheld as a whole. */
  readonly passages: number;
  /** Findings that are told of one text; the score counts all of them. */
  readonly findings: number;
}

export const DEFAULT_GUARD_LIMITS: GuardLimits = Object.freeze({
  textLength: 16_777_216,
  decodeDepth: 3,
  decodedLength: 16_777_216,
  blobs: 65_536,
  passages: 256,
  findings: 64,
});
