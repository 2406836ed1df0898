import type { JsonObject, JsonValue, Principal } from '../core/index.ts';
import type { StandardSchema } from '../guard/index.ts';
import type { FlowEffect, PathUse } from '../policy/index.ts';
import type { SandboxProcess } from '../sandbox/index.ts';
import type { FetchRequest, FetchResult } from './fetch-types.ts';
import type { OpenedPath } from './opened-path.ts';
import type { PlannedRun } from './planned-run.ts';

/** One piece of a result, in the terms of MCP. Text is what the model reads. */
export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | { readonly type: 'resource_link'; readonly uri: string; readonly name: string; readonly [key: string]: JsonValue }
  | { readonly type: 'resource'; readonly resource: JsonObject };

/** What a tool returns: a text, or pieces of content, with a structured form when it declares one. */
export interface ToolOutput {
  readonly content: readonly Content[];
  readonly structuredContent?: JsonObject;
  /** The tool itself says that it failed; the model may act on it. */
  readonly isError?: boolean;
}

/** What a tool asks of its caller before it can go on: by key, a method of MCP and its params. */
export type Questions = Readonly<Record<string, { readonly method: string; readonly params: JsonObject }>>;

/**
 * What a tool throws when it cannot go on without answers: the call is made again with them, and with `state`, which only the
 * tool reads. Where the caller cannot be asked the call fails. `task`: nothing is asked, the tool goes on by itself, and the
 * call is made again when that has ended.
 */
export class NeedsAnswers extends Error {
  override readonly name: string = 'NeedsAnswers';
  readonly questions: Questions;
  readonly state: JsonValue;
  readonly task: JsonObject | null;

  constructor(questions: Questions, state: JsonValue, task: JsonObject | null = null) {
    super('the tool needs answers before it can go on');
    this.questions = questions;
    this.state = state;
    this.task = task;
  }
}

/** What a caller that can be asked, or told of progress, gives with a call. */
export interface CallExchange {
  /** What the caller can be asked for, in the terms of the surface. */
  readonly abilities: JsonObject;
  /** Answers to the questions of the round before; null in the first. ATTACKER-CONTROLLED. */
  readonly answers: JsonObject | null;
  /** `NeedsAnswers.state` of the round before; null in the first. */
  readonly state: JsonValue;
  /** The caller takes a task instead of the result, to be kept for `ttl` milliseconds; null: it waits for the result. */
  readonly task: { readonly ttl: number } | null;
  /** Whether the caller wants to hear of progress, and log messages of which level on; null: none. */
  readonly wantsProgress: boolean;
  readonly logLevel: string | null;
  /** Takes a notification about the call; the surface decides whether it may pass. */
  readonly tell: (method: string, params: JsonObject) => void;
}

/** What a running tool may use. */
export interface ToolContext {
  /** Ends when the call is cancelled or its time is over: stop then. */
  readonly signal: AbortSignal;
  /** The files behind the path arguments, as they were judged; a tool opens nothing by name. */
  readonly paths: Readonly<Record<string, OpenedPath>>;
  /**
   * The way out for the built-in `api_call` and for tools that have a `secret`: the gate judges every hop and holds the connection.
   * Absent where the call has none. Nothing goes out by it after the call.
   */
  readonly send?: (request: FetchRequest) => Promise<FetchResult>;
  /** What the built-in `shell` runs: exactly what the command line was judged as. Absent where the call has none. */
  readonly run?: PlannedRun;
  /** Starts `run` in the isolation that it was placed in; everything it started ends with the call. Absent as `run` is. */
  readonly start?: (options: { readonly stdin?: 'pipe' | 'none' }) => Promise<SandboxProcess>;
  /** Absolute path of the folder that relative paths are read against. */
  readonly root: string;
  readonly session: string;
  /** How the caller can be asked and told of progress; absent where it cannot. */
  readonly exchange?: CallExchange;
  /** Who calls: what a tool keeps between calls, it keeps for one principal. */
  readonly principal: Principal;
}

/** A check of a developer on what a tool returned. */
export type OutputValidator = StandardSchema | ((output: ToolOutput) => unknown);

/** A tool as a developer hands it to a gate. */
export interface Tool {
  /** `[A-Za-z0-9_-]{1,128}`, unique in the gate after case folding. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** JSON Schema 2020-12 of the arguments, `type: object`. */
  readonly schema: JsonObject;
  readonly outputSchema?: JsonObject;
  /**
   * What else a result has to meet: a Standard Schema (zod, valibot, arktype) of its structured content, or else its text; or a
   * function that throws, or returns false, for what must not be delivered. It checks and changes nothing. It has the time of an
   * upstream call; a result that does not meet it is withheld with RESULT_MALFORMED.
   */
  readonly outputValidator?: OutputValidator;
  /** Which arguments are paths, and for what: they are read, judged and opened by the gate. */
  readonly paths?: Readonly<Record<string, PathUse>>;
  readonly runs?: 'built-in' | 'in-process' | 'spawned' | 'remote';
  /**
   * What it does to the world, unless the policy says otherwise (`flow.effect`): a call whose outcome is unknown is repeated
   * freely only for `read`.
   */
  readonly effect?: FlowEffect;
  /** Name of the MCP server behind it. */
  readonly server?: string;
  /**
   * A reference (docs/secrets.md) to the secret that its requests carry. `ToolContext.send` is there then, and reaches the endpoints of
   * its rule to which the rule sends this secret, no other. The value never enters the tool. For functions of this process.
   */
  readonly secret?: string;
  execute(args: JsonObject, context: ToolContext): Promise<ToolOutput | string>;
}
