/** The named limits of DESIGN section 10. Sizes are bytes of UTF-8 unless the name says otherwise; times are milliseconds. */
export interface Limits {
  readonly argumentBytes: number;
  readonly argumentDepth: number;
  readonly resultTextBytes: number;
  readonly resultBinaryBytes: number;
  readonly definitionsPerServer: number;
  readonly definitionBytes: number;
  readonly policyBytes: number;
  readonly policyRules: number;
  readonly pathBytes: number;
  readonly pathLinks: number;
  readonly logEntryBytes: number;
  readonly upstreamMs: number;
  /** How long a call waits for a person's yes: no longer than a request does. */
  readonly approvalWaitMs: number;
  /** One look-up of a name. */
  readonly lookUpMs: number;
  readonly commandBytes: number;
  /** Simple commands in one line. */
  readonly commandCount: number;
  /** Nesting of substitutions, groups and wrapped commands. */
  readonly commandDepth: number;
  /** Paths that one pattern in a command line may stand for. */
  readonly patternMatches: number;
  readonly schemaBytes: number;
  readonly schemaDepth: number;
  readonly patternBytes: number;
  readonly requestBytes: number;
  readonly fileReadBytes: number;
  readonly fileWriteBytes: number;
  readonly listEntries: number;
  readonly searchFiles: number;
  readonly searchMatches: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  argumentBytes: 1_048_576,
  argumentDepth: 64,
  resultTextBytes: 1_048_576,
  resultBinaryBytes: 16_777_216,
  definitionsPerServer: 512,
  definitionBytes: 65_536,
  policyBytes: 1_048_576,
  policyRules: 10_000,
  pathBytes: 4_096,
  pathLinks: 40,
  logEntryBytes: 65_535,
  upstreamMs: 60_000,
  approvalWaitMs: 600_000,
  lookUpMs: 5_000,
  commandBytes: 65_536,
  commandCount: 256,
  commandDepth: 32,
  patternMatches: 256,
  schemaBytes: 65_536,
  schemaDepth: 64,
  patternBytes: 1_024,
  requestBytes: 4_194_304,
  fileReadBytes: 1_048_576,
  fileWriteBytes: 1_048_576,
  listEntries: 1_000,
  searchFiles: 20_000,
  searchMatches: 200,
});
