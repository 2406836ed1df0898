// Swaps two things at one place until it is ended: the other side of a race between check and use.
// Arguments: the place, and where its two tenants stand while the other is in: the first is in at the begin.
import { renameSync, rmSync } from 'node:fs';

const [, , place, first, second] = process.argv;
const clock = new Int32Array(new SharedArrayBuffer(4));

// What the other side makes in a moment when nothing stands here is cleared away.
function move(from, to) {
  for (;;) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (!['EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(error.code)) throw error;
      rmSync(to, { recursive: true, force: true });
    }
  }
}

process.stdout.write('flipping\n');
for (let round = 0; ; round++) {
  move(place, first);
  move(second, place);
  Atomics.wait(clock, 0, 0, (round % 8) / 8);
  move(place, second);
  move(first, place);
  Atomics.wait(clock, 0, 0, (round % 5) / 5);
}
