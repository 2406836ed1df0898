import type { JsonObject } from '../../src/core/index.ts';

export interface ReplayedCall {
  readonly tool: string;
  readonly args: JsonObject;
  readonly code: string;
}

export interface Replayed {
  readonly calls: number;
  readonly asked: readonly ReplayedCall[];
  readonly refused: readonly ReplayedCall[];
  readonly ran: number;
}

export interface Session {
  readonly project: Readonly<Record<string, string>>;
  readonly calls: readonly { readonly tool: string; readonly args: JsonObject; readonly isError: boolean }[];
}

export declare const WAYS: readonly string[];
export declare function readSession(): Session;
export declare function codingPolicy(): JsonObject;
export declare function replay(
  way: string,
  options?: { readonly policy?: JsonObject; readonly session?: Session },
): Promise<Replayed>;
