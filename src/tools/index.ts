import type { Tool } from '../gate/index.ts';
import { fileList } from './file-list.ts';
import { fileRead } from './file-read.ts';
import { fileSearch } from './file-search.ts';
import { fileWrite } from './file-write.ts';
import type { ToolOptions } from './tool-options.ts';

/** The tools that come with Sallyport. They open nothing by name: every file comes judged from the gate. */
export { fileList } from './file-list.ts';
export { fileRead } from './file-read.ts';
export { fileSearch } from './file-search.ts';
export { fileWrite } from './file-write.ts';
export type { ToolOptions } from './tool-options.ts';

/** All of them; a policy without a rule for one of them does not offer it. */
export const builtInTools = (options: ToolOptions = {}): readonly Tool[] => [
  fileRead(options),
  fileList(options),
  fileSearch(options),
  fileWrite(options),
];
