/** A check of the official suite, as it writes it down. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
  readonly details?: { readonly result?: object };
}
export function tally(checks?: readonly Check[]): { passed: number; failed: number; passes: boolean };
export function lost(direct: readonly Check[], through?: readonly Check[]): string[];
