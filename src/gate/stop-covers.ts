import type { Principal } from '../core/index.ts';
import type { StopFlag } from '../keeper/index.ts';

/** Whether a stop is about what a principal does. */
export function stopCovers(flag: StopFlag, { agent, session }: Pick<Principal, 'agent' | 'session'>): boolean {
  switch (flag.kind) {
    case 'all':
      return true;
    case 'agent':
      return flag.name === agent;
    case 'session':
      return flag.id === session;
  }
}
