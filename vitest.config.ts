import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait for processes and disks; vitest would leave one of two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
