import { resolve } from 'node:path';
import {
  exitCodeOfReport,
  FRESH_MS,
  listSessions,
  readVerifierKey,
  renderRecordLine,
  renderReport,
  renderSession,
  readRecords,
  verifyLog,
} from '../audit/index.ts';
import { type JsonValue, SallyportError } from '../core/index.ts';
import { defaultStateFolder } from '../keeper/index.ts';
import { answer, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

const stateOf = (flags: CommonFlags): string => resolve(flags.state ?? defaultStateFolder());
