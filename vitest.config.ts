import { defineConfig } from 'vitest/config';

/** A planted bug to run the tests against: see test/plants. */
const plant = process.env.REHEARSE_PLANT;

export default defineConfig({
  plugins: plant ? [(await import('./test/plants/vitest-plant.js')).plantedForTests(plant)] : [],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two cores: tests of real processes mostly wait.
    maxWorkers: 3,
    // Builds with a planted bug are modules as they are.
    server: { deps: { external: [/rehearse-planted-/] } },
  },
});
