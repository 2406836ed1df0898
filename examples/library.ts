/** The shortest useful program: one guarded tool, one call, the answer. */
import { fileRead, openGate } from 'sallyport';

await using gate = await openGate({ policy: 'sallyport.yaml', tools: [fileRead()] });
const result = await gate.call('file_read', { path: 'docs/readme.md' });
console.log(result.text);
