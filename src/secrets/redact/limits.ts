/** The named limits of redaction. Lengths are UTF-16 code units of text unless the name says otherwise. */
export interface RedactionLimits {
  /** A value longer than this is refused (SECRET_TOO_LARGE). */
  readonly valueBytes: number;
  /** A value shorter than this is refused (SECRET_TOO_SHORT), and so is every needle. */
  readonly needleLength: number;
  /** A value that is estimated below this is refused (SECRET_TOO_SHORT). */
  readonly valueBits: number;
  /** Forms that write every character out (percent, entities, \u, UTF-16) are searched for values up to this length. */
  readonly wideLength: number;
  /** A line of a value of several lines is searched by itself from this length on. */
  readonly lineLength: number;
  /** Values that are registered at once (SECRET_TOO_MANY). */
  readonly secrets: number;
  /** Length of all needles together; the automaton takes about 16 bytes for each (SECRET_TOO_MANY). */
  readonly needleTotal: number;
  /** Hits that are told of one text; all of them are removed. */
  readonly hits: number;
  /** Nesting of arrays and objects that `redactValue` walks; what lies deeper is withheld. */
  readonly valueDepth: number;
  /** Encodings inside encodings that `deep` opens. */
  readonly decodeDepth: number;
  /** Encoded blobs that `deep` opens in one text. */
  readonly decodeBlobs: number;
  /** Text that `deep` looks for blobs in, and the size of everything that it decodes for one text. */
  readonly decodeLength: number;
  /** Rounds of redaction before a text that will not come to rest is withheld as a whole. */
  readonly rounds: number;
}

export const DEFAULT_REDACTION_LIMITS: RedactionLimits = Object.freeze({
  valueBytes: 8_192,
  needleLength: 8,
  valueBits: 48,
  wideLength: 1_024,
  lineLength: 20,
  secrets: 10_000,
  needleTotal: 16_777_216,
  hits: 256,
  valueDepth: 64,
  decodeDepth: 3,
  decodeBlobs: 4_096,
  decodeLength: 262_144,
  rounds: 4,
});
