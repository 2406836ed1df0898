import type { ServerResponse } from 'node:http';

export interface CredentialWatch {
  /** Asks again whether the credential is valid. */
  readonly isValid: () => Promise<boolean>;
  /** Ends what lives on behind the response. */
  readonly end: () => void;
  readonly everyMs: number;
  readonly onError: (error: unknown) => void;
}

/** Cuts a response that outlives its credential, within `everyMs` and the time that it takes to ask. When nobody can say, it is cut too. */
export function watchCredential(response: ServerResponse, { isValid, end, everyMs, onError }: CredentialWatch): void {
  const ask = async (): Promise<void> => {
    const valid = await isValid().catch((error: unknown) => {
      onError(error);
      return false;
    });
    if (valid || response.destroyed) return;
    end();
    response.destroy();
  };
  const timer = setInterval(() => void ask(), everyMs).unref();
  response.once('close', () => clearInterval(timer));
}
