/** Things that a start took and the end gives back, last first. */
export interface Cleanup {
  add(undo: () => void | Promise<void>): void;
  run(): Promise<void>;
}

const call = (act: () => void | Promise<void>): void | Promise<void> => act();

/** What cannot be given back now is noted in the runtime folder, and the next process tries again. */
const leave = (): void => undefined;

/** `run` goes on when one thing cannot be given back, and never rejects. */
export function openCleanup(): Cleanup {
  const undo: (() => void | Promise<void>)[] = [];
  return {
    add: (act) => void undo.push(act),
    run: async () => {
      for (let act = undo.pop(); act !== undefined; act = undo.pop())
        await Promise.resolve(act).then(call).catch(leave);
    },
  };
}
