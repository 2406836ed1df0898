import type { Tool } from '../gate/index.ts';
import { apiCall } from './api-call.ts';
import { fileList } from './file-list.ts';
import { fileRead } from './file-read.ts';
import { fileSearch } from './file-search.ts';
import { fileWrite } from './file-write.ts';
import { shell } from './shell.ts';
import type { ToolOptions } from './tool-options.ts';

/** The tools that come with Sallyport. They open nothing by name: files, connections and commands come judged from the gate. */
export { apiCall } from './api-call.ts';
export { fileList } from './file-list.ts';
export { fileRead } from './file-read.ts';
export { fileSearch } from './file-search.ts';
export { fileWrite } from './file-write.ts';
export {
  type SecretAnswer,
  type SecretBackedTool,
  type SecretFetchOptions,
  secretBackedTool,
  type UsableSecret,
} from './secret-backed-tool.ts';
export { shell } from './shell.ts';
export type { ToolOptions } from './tool-options.ts';

/** All of them; a policy without a rule for one of them does not offer it. */
export const builtInTools = (options: ToolOptions = {}): readonly Tool[] => [
  fileRead(options),
  fileList(options),
  fileSearch(options),
  fileWrite(options),
  shell(options),
  apiCall(),
];
