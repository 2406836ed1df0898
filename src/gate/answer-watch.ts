import type { Keeper } from '../keeper/index.ts';

/** Hears of answers from the moment that it is opened. Close it. */
export interface AnswerWatch {
  /** Resolves when the request was answered or has ended, or when it is to be asked what became of it. */
  answered(id: string): Promise<void>;
  close(): void;
}

/** INVARIANT: opened before the question is asked, so that no answer falls between the two. */
export function watchAnswers(keeper: Keeper): AnswerWatch {
  const ended = new Set<string>();
  let waiting: { readonly id: string; readonly resolve: () => void } | null = null;
  const unwatch = keeper.watch((event) => {
    // Another owner of the state may have missed nothing, or everything: it is asked.
    if (event.type === 'reconnected') waiting?.resolve();
    if (event.type !== 'approval' || event.state === 'waiting') return;
    if (waiting === null) ended.add(event.id);
    else if (waiting.id === event.id) waiting.resolve();
  });
  return {
    answered: (id) =>
      new Promise((resolve) => {
        if (ended.has(id)) resolve();
        ended.clear();
        waiting = { id, resolve };
      }),
    close: unwatch,
  };
}
