/**
 * Every error code of Sallyport in one table: what it belongs to, the exit code of a command that ends with it, the
 * HTTP status of an answer that carries it, and what the reader can do next. Codes are API; `docs/errors.md` is checked
 * against this table.
 *
 * A *denial* is a value (see `gate/`), never an exception. These codes serve both: a denial and a thrown error name the
 * same thing by the same word.
 */
type ErrorDomain =
  | 'input'
  | 'policy'
  | 'path'
  | 'identity'
  | 'approvals'
  | 'secrets'
  | 'keeper'
  | 'store'
  | 'audit'
  | 'gate'
  | 'gateway'
  | 'console'
  | 'cli';

/**
 * Domain; exit code of a command (1 a finding or a denial, 2 wrong use, 3 broken, 10-13 as `audit verify` defines them);
 * HTTP status; remedy: one sentence, never a value from the input.
 */
type ErrorRow = readonly [domain: ErrorDomain, exit: 1 | 2 | 3 | 10 | 11 | 12 | 13, http: number, remedy: string];

export const ERROR_TABLE = {
  // input: what reached an edge and could not be read
  INPUT_NOT_JSON: ['input', 2, 400, 'Send valid JSON'],
  INPUT_DUPLICATE_KEY: ['input', 2, 400, 'Send each key of an object once'],
  INPUT_LONE_SURROGATE: ['input', 2, 400, 'Send well-formed Unicode'],
  INPUT_NUMBER_RANGE: ['input', 2, 400, 'Send integers within 2^53-1, or as strings'],
  INPUT_FORBIDDEN_KEY: ['input', 2, 400, 'Do not send the key __proto__'],
  INPUT_TOO_LARGE: ['input', 2, 413, 'Send less, or raise the named limit'],
  INPUT_TOO_DEEP: ['input', 2, 400, 'Nest less deeply, or raise the named limit'],
  INPUT_SCHEMA_MISMATCH: ['input', 2, 400, 'Send arguments that fit the declared schema'],
  SCHEMA_INVALID: ['input', 2, 400, 'Use JSON Schema 2020-12 with local references, within the size and depth limits'],

  // policy: the file
  POLICY_UNREADABLE: ['policy', 2, 500, 'Name a readable policy file with --policy FILE'],
  POLICY_INVALID: ['policy', 2, 500, 'Mend what the message names and run: sallyport policy check'],
  POLICY_APPROVAL: [
    'policy',
    2,
    500,
    'Look at the policy file, then run: sallyport policy approve (or restore the state folder)',
  ],
  // policy: decisions
  POLICY_CHANGED: ['policy', 1, 409, 'Call again: the policy changed while the call waited or ran'],
  TOOL_NOT_ALLOWED: ['policy', 1, 403, 'Ask the operator for a rule under tools:, or use a tool that is listed'],
  ACTION_NOT_ALLOWED: ['policy', 1, 403, 'Ask the operator to open this action of the server under servers:'],
  RESOURCE_NOT_ALLOWED: ['policy', 1, 403, 'Use a resource that servers.NAME.resources names'],
  PROMPT_NOT_ALLOWED: ['policy', 1, 403, 'Use a prompt that servers.NAME.prompts names'],
  URI_MALFORMED: [
    'policy',
    1,
    400,
    'Write a plain URI: no dot segments, no encoded separators, no other characters than RFC 3986 has',
  ],
  PRINCIPAL_NOT_ALLOWED: ['policy', 1, 403, 'Ask the operator to extend principals: for this caller'],
  PATH_NOT_ALLOWED: ['policy', 1, 403, 'Use a path that the rule allows'],
  PATH_DENIED: ['policy', 1, 403, 'Use another file: this one is withheld'],
  PATH_CONTROL_FILE: ['policy', 1, 403, 'Ask the operator: Sallyport and agent configuration is out of reach of tools'],
  PATH_SELF_RUNNING: [
    'policy',
    1,
    403,
    'Wait for a yes, or ask the operator to name this file in allowedPaths: it can run by itself later',
  ],
  ARGUMENT_NOT_ALLOWED: ['policy', 1, 403, 'Leave the argument out, or ask the operator to name it under arguments:'],
  ARGUMENT_VALUE: ['policy', 1, 403, 'Use a value that the rule allows'],
  ENDPOINT_MALFORMED: [
    'policy',
    1,
    400,
    'Write a plain https URL: host in lower-case ASCII, no user, no address, no white space, no encoded dot segments',
  ],
  ENDPOINT_NOT_ALLOWED: ['policy', 1, 403, 'Use an endpoint that the rule allows'],
  ENDPOINT_ADDRESS: [
    'policy',
    1,
    403,
    'Ask the operator: only internalEndpoints may lead to an address that is not public',
  ],
  ENDPOINT_UNRESOLVED: ['policy', 1, 502, 'Check the name of the host: it has no address'],
  ENDPOINT_METHOD: ['policy', 1, 403, 'Use a method that the rule allows'],
  ENDPOINT_HEADER: ['policy', 1, 403, 'Leave the header out: the connection sets it, or it changes what was judged'],
  ENDPOINT_REDIRECT: ['policy', 1, 403, 'Call the address that you want directly, if the rule allows it'],
  ENDPOINT_CONFIRMATION: ['policy', 1, 403, 'Use a request that needs no confirmation'],
  CREDENTIAL_LITERAL: ['policy', 1, 403, 'Give {"$secret": NAME} as the value of a header instead of a credential'],
  CREDENTIAL_PLACE: ['policy', 1, 403, 'Use a secret reference only as the value of a header'],
  SQL_NOT_READ_ONLY: ['policy', 1, 403, 'Send one statement that only reads'],
  RATE_LIMITED: ['policy', 1, 429, 'Wait until the window has passed, then call again'],
  CONCURRENCY_LIMITED: ['policy', 1, 429, 'Wait until a call before this one has ended, then call again'],
  BYTES_LIMITED: ['policy', 1, 429, 'Ask for less, or wait until the window has passed'],
  SPEND_LIMITED: ['policy', 1, 429, 'Wait until the window has passed, or ask the operator for a larger budget'],
  CIRCUIT_OPEN: ['policy', 1, 503, 'Do something else first: calls like this failed, and are tried again later'],
  ISOLATION_UNSTATED: ['policy', 1, 403, 'Say isolation: none for this tool or server, or under defaults:'],
  ISOLATION_UNAVAILABLE: [
    'policy',
    1,
    503,
    'Ask for a level that the rule names; where this machine lacks it, `sallyport doctor` says what is missing and how to get it',
  ],
  CONFIRMATION_REQUIRED: ['policy', 1, 403, 'Wait for the yes of a person, or change the call so that it needs none'],

  // policy: command lines
  COMMAND_MALFORMED: ['policy', 1, 400, 'Send one command line that bash can read, without control characters'],
  COMMAND_TOO_LARGE: ['policy', 1, 413, 'Split the line into several calls'],
  COMMAND_DYNAMIC: ['policy', 1, 403, 'Write the words out: what only bash would know cannot be judged'],
  COMMAND_NOT_ALLOWED: ['policy', 1, 403, 'Use a command that the rule lists under allowedCommands'],
  COMMAND_PATTERN: ['policy', 1, 403, 'Leave this command out: the rule forbids it'],
  COMMAND_CONFIRM: ['policy', 1, 403, 'Ask for a yes: the rule wants one for this command'],
  COMMAND_EXECUTES: [
    'policy',
    1,
    403,
    'Call the program directly: starting it through another one is not ordinary use',
  ],
  COMMAND_LOADS: ['policy', 1, 403, 'Use the code and the configuration of the project as they are'],
  COMMAND_NETWORK: ['policy', 1, 403, 'Use the tool api_call for the network'],
  COMMAND_OUTSIDE: ['policy', 1, 403, 'Stay within the project'],
  COMMAND_DESTROYS: ['policy', 1, 403, 'Keep to options that only read'],
  COMMAND_ENVIRONMENT: ['policy', 1, 403, 'Set only harmless variables, such as CI or NODE_ENV'],
  COMMAND_OPTION: ['policy', 1, 403, 'Use documented options, or let the operator list the exact words'],
  COMMAND_UNKNOWN: ['policy', 1, 403, 'Let the operator list the whole command, word by word, under allowedCommands'],

  // path: what the file system said
  PATH_MALFORMED: ['path', 1, 400, 'Write a plain path: no NUL, control character, ~, file: URL or backslash'],
  PATH_TOO_LONG: ['path', 1, 400, 'Use a path of at most 4,096 bytes'],
  PATH_TOO_MANY_LINKS: ['path', 1, 400, 'Follow fewer symbolic links'],
  PATH_SPECIAL_FILE: ['path', 1, 403, 'Name a regular file or a folder'],
  PATH_HARD_LINK: ['path', 1, 403, 'Name a file with one hard link'],
  PATH_CHANGED: ['path', 1, 409, 'Try again: the file changed between the check and the use'],
  PATH_NOT_FOUND: ['path', 1, 404, 'Name a file that exists'],
  PATH_NOT_FILE: ['path', 1, 400, 'Name a regular file'],
  PATH_NOT_FOLDER: ['path', 1, 400, 'Name a folder'],
  PATH_UNREADABLE: ['path', 1, 403, 'Check the permissions of the file'],
  PATH_UNWRITABLE: ['path', 1, 403, 'Check permissions, free space and whether the disk is read-only'],

  // identity
  TOKEN_MISSING: [
    'identity',
    1,
    401,
    'Send the header Authorization: Bearer TOKEN; sallyport token add NAME makes one',
  ],
  TOKEN_UNKNOWN: ['identity', 1, 401, 'Use a current token: sallyport token list'],
  TOKEN_NAME: ['identity', 2, 400, 'Use 1 to 40 of a-z, 0-9 and - for a token name, each once'],

  // approvals
  APPROVAL_NEEDED: ['approvals', 1, 403, 'Wait for the yes of a person, then make the same call again'],
  APPROVAL_DENIED: ['approvals', 1, 403, 'Do without this call: a person said no, or nobody answered in time'],
  APPROVAL_PENDING: [
    'approvals',
    1,
    409,
    'Make exactly the same call again: it joins the request that waits for a person',
  ],
  APPROVAL_EXPIRED: ['approvals', 1, 403, 'Make the call again only if it still matters: nobody answered in time'],
  APPROVAL_FLOOD: ['approvals', 1, 429, 'Ask for less, and later: too many calls of this caller wait for a person'],
  APPROVAL_TOO_LARGE: ['approvals', 1, 413, 'Split the call: it is longer than what a person can be shown'],
  APPROVAL_UNKNOWN: ['approvals', 2, 404, 'Look again: sallyport approvals list; it was answered, or has expired'],
  APPROVAL_SCOPE: [
    'approvals',
    2,
    400,
    'Choose a scope that ends within a day and leaves open only arguments that are shown',
  ],
  APPROVAL_INCOMPLETE: ['approvals', 1, 409, 'Show the whole request first: the screen cut something'],
  APPROVER_REFUSED: ['approvals', 1, 403, 'Answer with a credential of an operator that this request accepts'],
  OPERATOR_INVALID: ['approvals', 2, 400, 'Register with a current one-time code, or the credential of an operator'],
  GRANT_VOID: ['approvals', 1, 403, 'Ask again: what was approved is not this call'],
  GRANT_EXPIRED: ['approvals', 1, 403, 'Ask again: the yes has ended'],
  GRANT_SPENT: ['approvals', 1, 403, 'Ask again: the yes was used'],

  // secrets: what is registered for redaction
  SECRET_TOO_SHORT: [
    'secrets',
    2,
    400,
    'Use a longer random value, or grant this one to a destination only: redacting it would let it be guessed',
  ],
  SECRET_TOO_MANY: ['secrets', 3, 503, 'Remove secrets that are not in use, or raise the named limit of redaction'],

  // keeper
  STATE_OWNED: ['keeper', 3, 503, 'Stop the process that owns the state, or choose another folder with --state DIR'],
  STATE_EXPOSED: [
    'keeper',
    3,
    500,
    'Choose a state folder outside the workspace and every allowed path with --state DIR',
  ],
  STATE_UNWRITABLE: ['keeper', 3, 500, 'Choose a writable folder with --state DIR'],
  STATE_PERMISSIONS: ['keeper', 3, 500, 'Run chmod 700 on the state folder: only its owner may read it'],
  KEEPER_CLOSED: ['keeper', 3, 503, 'Open the gate again'],
  KEEPER_LOST: ['keeper', 3, 503, 'Try again: the process that owned the state went away, and another one takes over'],
  KEEPER_BUSY: ['keeper', 3, 503, 'Wait and try again: the keeper has as much to do as it may'],
  KEEPER_SOCKET: [
    'keeper',
    3,
    500,
    'Look at docs/keeper.md: the socket of the keeper needs a private folder and a path of at most 107 bytes',
  ],
  PEER_REFUSED: ['keeper', 3, 403, 'Use a current token: sallyport keeper peer list'],
  STOPPED: ['keeper', 1, 403, 'Ask the operator: these calls were stopped'],
  EPOCH_STALE: ['keeper', 1, 503, 'Load the current policy and try again'],

  // store
  STORE_REQUEST: ['store', 2, 400, 'Keep to the spaces, keys, times and sizes that the interface of the store names'],
  STORE_OWNED: ['store', 3, 503, 'Stop the process that has the store open: a store has one keeper'],
  STORE_CORRUPT: [
    'store',
    3,
    500,
    'Keep a copy of the store with its journal, then restore a backup: nothing was deleted',
  ],
  STORE_VERSION: ['store', 3, 500, 'Use the newer Sallyport that wrote this store'],
  STORE_FAILED: [
    'store',
    3,
    503,
    'Check folder, permissions and disk, then open it again: nothing is granted without it',
  ],
  STORE_FULL: ['store', 3, 503, 'Free disk space, or raise the size of the store'],
  STORE_BUSY: ['store', 3, 503, 'Wait and call again: the disk is slower than the calls'],
  STORE_CLOSED: ['store', 3, 503, 'Open the store again'],
  STORE_CLOCK: ['store', 3, 503, 'Set the clock right: it runs behind the time that the store has seen'],

  // audit
  AUDIT_INTEGRITY: ['audit', 10, 500, 'Keep a copy of the log as evidence and compare it with a witnessed copy'],
  AUDIT_INCOMPLETE: ['audit', 11, 500, 'Look at the records named: something is missing'],
  AUDIT_STALE: ['audit', 12, 500, 'Find out why nothing was recorded lately'],
  AUDIT_FORGED: ['audit', 13, 500, 'Check the key: the checkpoint is not signed by it'],
  AUDIT_ROLLBACK: ['audit', 10, 500, 'Restore the newer log: this one is older than the last checkpoint'],
  AUDIT_CORRUPT: ['audit', 10, 500, 'Keep a copy of the log as evidence and run: sallyport audit verify'],
  AUDIT_WRITE_FAILED: ['audit', 3, 503, 'Free disk space or mend the disk, then start again: nothing runs unrecorded'],
  DISK_FULL: ['audit', 3, 503, 'Free disk space, then start again: nothing runs that cannot be recorded'],
  AUDIT_BUSY: ['audit', 3, 503, 'Wait and call again: the disk is slower than the calls'],
  AUDIT_ENTRY_TOO_LARGE: ['audit', 3, 500, 'Shorten the record: an entry has at most 65,535 bytes'],
  AUDIT_NOT_FOUND: ['audit', 2, 404, 'Name a folder that holds a log, or a session that it knows'],

  // gate
  TOOL_UNKNOWN: ['gate', 1, 404, 'Use a tool that is listed'],
  TOOL_NAME: ['gate', 2, 400, 'Use a tool name of 1 to 128 of A-Z, a-z, 0-9, _ and -, unique after case folding'],
  SANDBOX_FAILED: ['gate', 1, 502, 'Look at the message; `sallyport doctor` tries the sandbox by itself'],
  PROGRAM_UNAVAILABLE: ['gate', 1, 404, 'Name a program that is there and can be executed inside the sandbox'],
  SPAWN_UNPLANNED: ['gate', 2, 400, 'Spawn under a tool that runs command lines, such as `shell`'],
  TOOL_FAILED: ['gate', 1, 502, 'Look at the message of the tool'],
  TOOL_TIMEOUT: ['gate', 1, 504, 'Ask for less, or raise limits.timeout'],
  TOOL_CANCELLED: ['gate', 1, 499, 'Call again if the result is still wanted'],
  RESULT_TOO_LARGE: ['gate', 1, 502, 'Ask for less, or raise the named limit'],
  RESULT_MALFORMED: [
    'gate',
    1,
    502,
    'Mend the tool: its result is not of the shape that it declared, or neither a text nor { content: [...] }',
  ],
  RESULT_QUARANTINED: [
    'gate',
    1,
    422,
    'Go on without this result, and do not repeat the call; an operator can look at what is kept of it: sallyport guard held',
  ],
  ENDPOINT_UNREACHABLE: ['gate', 1, 502, 'Try again later: the endpoint did not answer as HTTP asks'],
  SECRET_UNAVAILABLE: ['gate', 1, 403, 'Ask the operator: nothing here can resolve secret references'],
  SECRET_IN_ARGUMENTS: ['gate', 1, 403, 'Leave the secret out: the gate sends it where the policy says'],
  SECRET_IN_RESULT: ['gate', 1, 422, 'Go on without this result: it held secrets that this session was not given'],
  SECRET_NOT_GRANTED: ['gate', 1, 403, 'Use a destination that the policy grants the secret to'],
  CONTENT_TOO_LARGE: ['gate', 1, 413, 'Write less, or raise the named limit'],
  GATE_CLOSED: ['gate', 3, 503, 'Open the gate again'],

  // secrets: references, and the places that keep what they name
  SECRET_REFERENCE_INVALID: ['secrets', 2, 400, 'Write the reference as docs/secrets.md has it'],
  SECRET_PROVIDER_UNKNOWN: ['secrets', 2, 500, 'Configure this provider: docs/secrets.md has a snippet for each'],
  SECRET_PROVIDER_CONFIG: ['secrets', 2, 500, 'Mend what the message names in the configuration of the provider'],
  SECRET_PROVIDER_PACKAGE: ['secrets', 3, 500, 'Install the package that the message names beside Sallyport'],
  SECRET_PROVIDER_UNAVAILABLE: ['secrets', 3, 503, 'Try again later, and check that the provider can be reached'],
  SECRET_PROVIDER_SEALED: ['secrets', 3, 503, 'Unseal the server, then call again'],
  SECRET_THROTTLED: ['secrets', 1, 503, 'Try again later: the provider has more to do than it may'],
  SECRET_NOT_FOUND: ['secrets', 1, 404, 'Check the name and the version, or store the secret'],
  SECRET_DELETED: ['secrets', 1, 410, 'Restore the version, or refer to another one'],
  SECRET_DESTROYED: ['secrets', 1, 410, 'Refer to another version: this one is gone for good'],
  SECRET_ACCESS_DENIED: ['secrets', 1, 403, 'Check the credentials of the keeper and what they may read'],
  SECRET_FIELD: ['secrets', 1, 422, 'Name a field of the secret that is a text'],
  SECRET_EMPTY: ['secrets', 1, 422, 'Store a value: nothing runs with an empty secret'],
  SECRET_TOO_LARGE: ['secrets', 1, 422, 'Store less in one secret'],
  SECRET_MALFORMED: ['secrets', 1, 502, 'Check what is stored, and what answers for the provider'],
  SECRET_FILE_UNSAFE: ['secrets', 1, 500, 'Make the file and its folder your own: chmod 600 FILE'],
  KEYSTORE_LOCKED: ['secrets', 1, 503, 'Give the passphrase or the key file that belongs to this keystore'],
  KEYSTORE_CORRUPT: ['secrets', 3, 500, 'Restore the keystore from a backup: this one was changed or is damaged'],
  KEYSTORE_CHANGED: ['secrets', 3, 409, 'Run the command again: another program wrote the keystore meanwhile'],

  // sandbox: the door to the network
  EGRESS_TOKEN: ['gate', 1, 407, 'Use the proxy with the address that HTTPS_PROXY has inside this sandbox'],
  EGRESS_MALFORMED: [
    'gate',
    1,
    400,
    'Write a plain request: an absolute http URL or CONNECT HOST:PORT, a canonical host name, a Host that agrees with it',
  ],
  EGRESS_NOT_ALLOWED: ['gate', 1, 403, 'Use an endpoint that the rule allows'],
  EGRESS_TUNNEL: [
    'gate',
    1,
    403,
    'Speak TLS for the host that was asked for, without an encrypted ClientHello; docs/egress.md says what else is possible',
  ],
  EGRESS_UPGRADE: ['gate', 1, 403, 'Use plain requests: the proxy does not see into what comes after an upgrade'],
  EGRESS_BUSY: ['gate', 1, 429, 'Use fewer connections at once'],
  EGRESS_TIMEOUT: ['gate', 1, 408, 'Send the whole head of the request at once'],
  EGRESS_ABANDONED: ['gate', 1, 499, 'Wait for the answer'],

  // gateway
  PORT_IN_USE: ['gateway', 3, 500, 'Choose another port with --port, or stop the process that listens there'],
  CLIENT_ABILITY_MISSING: ['gateway', 1, 400, 'Call from a client that can be asked, or do without this tool'],
  SERVER_UNKNOWN: ['gateway', 2, 404, 'Name a server that stands under servers: in the policy'],
  SERVER_UNAPPROVED: ['gateway', 1, 403, 'Let the operator look and approve: sallyport servers approve NAME'],
  SERVER_CHANGED: [
    'gateway',
    1,
    403,
    'Let the operator look: sallyport servers diff NAME, then sallyport servers approve NAME',
  ],
  SERVER_UNAVAILABLE: ['gateway', 1, 502, 'Check the server and its command; it is started again with the next call'],
  SERVER_DEFINITIONS: [
    'gateway',
    1,
    502,
    'Mend the server: its definitions cannot be used. `sallyport policy check` says why; `allowSuspicious` of its rule names tools to offer all the same',
  ],
  SERVER_RESTLESS: ['gateway', 1, 502, 'Wait a minute, and mend the server: it never stops changing its definitions'],
  PACKAGE_NOT_INSTALLED: ['gateway', 1, 503, 'Let the operator install it: sallyport servers install NAME'],
  PACKAGE_CHANGED: [
    'gateway',
    1,
    503,
    'Find out who changed the installed files, then let the operator run: sallyport servers install NAME',
  ],
  PACKAGE_INTEGRITY: [
    'gateway',
    1,
    502,
    'Find out why the package is not the one that was pinned; nothing of it was kept',
  ],
  PACKAGE_REFUSED: ['gateway', 1, 502, 'Use another package: what this one consists of cannot be pinned or run'],
  PACKAGE_INSTALL: ['gateway', 3, 502, 'Look at what npm said; nothing was kept'],
  PACKAGE_PLACE: [
    'gateway',
    3,
    500,
    'Set XDG_DATA_HOME to a folder of your own, outside the workspace and every allowed path',
  ],
  LOCK_INVALID: ['gateway', 2, 500, 'Restore sallyport.lock from version control, or approve the servers again'],
  HOST_REFUSED: ['gateway', 1, 403, 'Connect to the address that sallyport up prints'],
  ORIGIN_REFUSED: ['gateway', 1, 403, 'Call from the same address: web pages of other origins are refused'],

  // console
  CONSOLE_TOKEN: [
    'console',
    1,
    401,
    'Open the address that sallyport up prints, or send its token in x-sallyport-console',
  ],
  CONSOLE_BUSY: ['console', 1, 429, 'Wait and try again: the console has as much to do as it may'],
  CONSOLE_ROUTE: ['console', 2, 404, 'Use the routes of docs/openapi/approvals.yaml'],
  CONSOLE_CONTENT: ['console', 2, 415, 'Send JSON, with Content-Type: application/json'],
  NOTICE_INVALID: [
    'console',
    2,
    400,
    'Name an https address, or an http one on this machine, and a secret of 32 bytes or more',
  ],

  // cli
  OPERATOR_ONLY: ['cli', 1, 403, 'Run this yourself in a terminal: what an agent starts cannot approve'],
  USAGE: ['cli', 2, 400, 'Run sallyport --help'],
  CASES_INVALID: ['cli', 2, 400, 'Mend what the message names; docs/policy-testing.md has the format of cases'],
  CONNECT_HOST: ['cli', 2, 400, 'Name a host that sallyport connect --list shows'],
  CONNECT_FILE: [
    'cli',
    3,
    500,
    'Mend what the message says about the file, then run the command again; nothing was written',
  ],
  CONNECT_SYNTAX: [
    'cli',
    3,
    500,
    'Mend the file in its own program or an editor, then run the command again; nothing was written',
  ],
  CONNECT_CHANGED: ['cli', 3, 409, 'Run the command again: another program wrote the file meanwhile'],
  CONNECT_PROGRAM: ['cli', 2, 400, 'Install Sallyport and Node outside the workspace: npm install -g sallyport'],
  CONNECT_TOKEN: ['cli', 2, 400, 'Leave --http out, or do what the message says about the token'],
  CONNECT_FOREIGN: ['cli', 2, 400, 'Remove the entry by hand if you want it gone: Sallyport did not write it'],
  INTERNAL: ['cli', 3, 500, 'Report this with the message: it is a defect of Sallyport'],
} as const;

/** Every code that a Sallyport error or denial can carry. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** An error of Sallyport: a stable `code`, a message for people, and `remedy`, what to do next. */
export class SallyportError extends Error {
  override readonly name: string = 'SallyportError';
  readonly code: ErrorCode;
  /** Machine-readable detail (positions, names), frozen; never a secret. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; detail?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = Object.freeze({ ...options.detail });
  }

  get remedy(): string {
    return remedyOf(this.code);
  }
}

const rows: Readonly<Record<ErrorCode, ErrorRow>> = ERROR_TABLE;

/** The exit code of a command that ends with this code. */
export const exitCodeOf = (code: ErrorCode): number => rows[code][1];

/** The HTTP status of an answer that carries this code. */
export const httpStatusOf = (code: ErrorCode): number => rows[code][2];

/** What the reader of this code can do next. */
export const remedyOf = (code: ErrorCode): string => rows[code][3];

/** True for errors of ours that carry `code` (any code if none is given). */
export const isSallyportError = (error: unknown, code?: ErrorCode): error is SallyportError =>
  error instanceof SallyportError && (code === undefined || error.code === code);

/** The end of an exhaustive `switch`: a value that the types rule out is a defect, and nothing goes on after it. */
export function assertNever(value: never): never {
  throw new SallyportError('INTERNAL', `unexpected value: ${JSON.stringify(value)}`);
}
